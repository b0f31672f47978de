"""Walking the hierarchy of clusters, and finding what is wrong with one.

Everything here reads a flat list of clusters that refer to their parents by id; building the hierarchy is
`meta_clusters`' work, drawing it is `tree`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from kura_dagster.pipeline.types import Cluster

AnyCluster = TypeVar("AnyCluster", bound=Cluster)

_EXAMPLES_IN_MESSAGE = 3


class HierarchyError(ValueError):
    """The clusters form no hierarchy: a parent is missing, an id occurs twice, or parents go round in a circle."""


def get_root_clusters(clusters: Iterable[AnyCluster]) -> list[AnyCluster]:
    """Return the clusters without a parent, in the order given."""
    return [cluster for cluster in clusters if cluster.parent_id is None]


def get_leaf_clusters(clusters: Sequence[AnyCluster]) -> list[AnyCluster]:
    """Return the clusters that are nobody's parent, in the order given."""
    parent_ids = {cluster.parent_id for cluster in clusters}
    return [cluster for cluster in clusters if cluster.cluster_id not in parent_ids]


def get_children(cluster_id: str, clusters: Iterable[AnyCluster]) -> list[AnyCluster]:
    """Return the direct children of a cluster, in the order given. For many clusters use `get_children_by_parent`."""
    return [cluster for cluster in clusters if cluster.parent_id == cluster_id]


def get_children_by_parent(clusters: Iterable[AnyCluster]) -> dict[str | None, list[AnyCluster]]:
    """Return the direct children of every parent by the parent's id, and the roots under None, in linear time."""
    children: dict[str | None, list[AnyCluster]] = {}
    for cluster in clusters:
        children.setdefault(cluster.parent_id, []).append(cluster)
    return children


def get_all_conversations(cluster: Cluster, clusters: Iterable[Cluster]) -> set[str]:
    """Return the ids of the conversations of a cluster and of all its descendants."""
    children = get_children_by_parent(clusters)
    chat_ids: set[str] = set()
    seen: set[str] = set()
    waiting = [cluster]
    while waiting:
        current = waiting.pop()
        if current.cluster_id not in seen:
            seen.add(current.cluster_id)
            chat_ids.update(current.chat_ids)
            waiting.extend(children.get(current.cluster_id, ()))
    return chat_ids


def get_depth(cluster: Cluster, clusters: Iterable[Cluster]) -> int:
    """Return how many ancestors a cluster has: 0 for a root. For many clusters use `get_levels`.

    Raises:
        HierarchyError: an ancestor is missing, or the ancestors go round in a circle.
    """
    parent_of = {each.cluster_id: each.parent_id for each in clusters}
    seen = {cluster.cluster_id}
    child, parent_id, depth = cluster.cluster_id, cluster.parent_id, 0
    while parent_id is not None:
        if parent_id not in parent_of:
            raise HierarchyError(f"cluster {child} has the parent {parent_id}, which is missing")
        if parent_id in seen:
            raise HierarchyError(f"cluster {parent_id} is its own ancestor")
        seen.add(parent_id)
        child, parent_id, depth = parent_id, parent_of[parent_id], depth + 1
    return depth


def get_levels(clusters: Sequence[Cluster]) -> dict[str, int]:
    """Return the level of every cluster by its id, 0 for roots and one more for each generation, in linear time.

    Raises:
        HierarchyError: a parent is missing, an id occurs twice, or parents go round in a circle; all are named.
    """
    faults = [*_repeated_ids(clusters), *_unknown_parents(clusters)]
    levels = _levels_from_roots(clusters)
    if not faults:
        faults = _circles(clusters, levels)
    if faults:
        raise HierarchyError("; ".join(faults))
    return levels


def get_root_of(clusters: Sequence[AnyCluster]) -> dict[str, AnyCluster]:
    """Return the root of every cluster by the cluster's id (a root is its own), in linear time.

    Raises:
        HierarchyError: as for `get_levels`.
    """
    levels = get_levels(clusters)
    root_of: dict[str, AnyCluster] = {}
    for cluster in sorted(clusters, key=lambda cluster: levels[cluster.cluster_id]):
        root_of[cluster.cluster_id] = cluster if cluster.parent_id is None else root_of[cluster.parent_id]
    return root_of


def check_tree(clusters: Sequence[Cluster]) -> list[str]:
    """Return what is wrong with a hierarchy, a sentence each; nothing for a sound one.

    Faults are an id that occurs twice, a parent that is missing, parents in a circle, a parent with a single child,
    siblings (or roots) that share conversations, and a parent whose conversations are not exactly its children's.
    """
    by_id = {cluster.cluster_id: cluster for cluster in clusters}
    children_by_parent = get_children_by_parent(clusters)
    faults = [*_repeated_ids(clusters), *_unknown_parents(clusters)]
    if not faults:
        faults += _circles(clusters, _levels_from_roots(clusters))
    for parent_id, children in children_by_parent.items():
        if parent_id is not None and parent_id not in by_id:
            continue
        siblings = "the roots" if parent_id is None else f"the children of {parent_id}"
        occurrences = Counter(chat_id for child in children for chat_id in child.chat_ids)
        shared = [chat_id for chat_id, count in occurrences.items() if count > 1]
        if shared:
            faults.append(f"{siblings} hold {some_of(shared)} more than once")
        if parent_id is None:
            continue
        if len(children) == 1:
            faults.append(f"cluster {parent_id} has a single child, {children[0].cluster_id}")
        own = set(by_id[parent_id].chat_ids)
        if missing := occurrences.keys() - own:
            faults.append(f"cluster {parent_id} lacks {some_of(missing)} of its children")
        if surplus := own - occurrences.keys():
            faults.append(f"cluster {parent_id} holds {some_of(surplus)} that none of its children holds")
    return faults


def some_of(ids: Iterable[str]) -> str:
    """Return the first of these ids, sorted, and how many more there are: what a message can hold."""
    ordered = sorted(ids)
    shown = ", ".join(ordered[:_EXAMPLES_IN_MESSAGE])
    more = len(ordered) - _EXAMPLES_IN_MESSAGE
    return f"{shown} and {more} more" if more > 0 else shown


def _levels_from_roots(clusters: Sequence[Cluster]) -> dict[str, int]:
    """Return the levels of what can be reached from the roots; an id that occurs twice is visited once."""
    children = get_children_by_parent(clusters)
    levels: dict[str, int] = {}
    generation, level = children.get(None, []), 0
    while generation:
        below: list[Cluster] = []
        for cluster in generation:
            if cluster.cluster_id not in levels:
                levels[cluster.cluster_id] = level
                below.extend(children.get(cluster.cluster_id, ()))
        generation, level = below, level + 1
    return levels


def _repeated_ids(clusters: Sequence[Cluster]) -> list[str]:
    counts = Counter(cluster.cluster_id for cluster in clusters)
    return [f"the id {cluster_id} occurs {count} times" for cluster_id, count in counts.items() if count > 1]


def _unknown_parents(clusters: Sequence[Cluster]) -> list[str]:
    known = {cluster.cluster_id for cluster in clusters}
    return [
        f"cluster {cluster.cluster_id} has the parent {cluster.parent_id}, which is missing"
        for cluster in clusters
        if cluster.parent_id is not None and cluster.parent_id not in known
    ]


def _circles(clusters: Sequence[Cluster], levels: dict[str, int]) -> list[str]:
    # With every parent known, what no root leads to hangs on a circle.
    unreached = [cluster.cluster_id for cluster in clusters if cluster.cluster_id not in levels]
    return [f"no root leads to {some_of(unreached)}: their parents go round in a circle"] if unreached else []
