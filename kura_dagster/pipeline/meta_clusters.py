"""From base clusters to a hierarchy: rounds of a model's merging, held to rules that no model can break.

Which clusters belong together, and what their parent is called, is the models' work (`embedded.ward_hierarchy`,
`language_model.meta_cluster_model`, or a user's own). Here are the loop around them and the plan of how many parents a
round should leave, which both of ours follow.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kura_dagster.pipeline.base_classes import BaseCheckpointManager, BaseMetaClusterModel
from kura_dagster.pipeline.cluster_names import distinct_name, joined_name, three_word_slug
from kura_dagster.pipeline.failures import SomeFailed
from kura_dagster.pipeline.hierarchy import (
    HierarchyError,
    get_children_by_parent,
    get_leaf_clusters,
    get_levels,
    get_root_clusters,
    some_of,
)
from kura_dagster.pipeline.types import Cluster, FailedItem, cluster_id_of
from kura_dagster.pipeline.vectors.ward import group_by_ward

logger = logging.getLogger(__name__)

FALLBACK_MODEL = "ward-fallback"
"""What the model column says of parents that were formed because a model's round could not be used."""

CHILDREN_PER_ROOT = 2  # on small days: 16 clusters get 8 roots; fewer roots mix themes
MOST_CHILDREN = 12  # on average; more clusters than that for each root get a level in between

_NAMES_IN_DESCRIPTION = 5


async def reduce_clusters_from_base_clusters(
    clusters: list[Cluster],
    *,
    model: BaseMetaClusterModel,
    checkpoint_manager: BaseCheckpointManager | None = None,
    failures: list[FailedItem] | None = None,
) -> list[Cluster]:
    """Merge clusters, round by round, until at most `model.max_clusters` have no parent.

    Whatever the model returns, the result is a forest that holds every given cluster once, as a leaf; every parent has
    at least two children and holds exactly their conversations; ids of parents follow from the conversations; and each
    round ends with fewer roots than it began with. Of a model's answer only this is used: who is whose parent, and the
    parents' names, descriptions and slugs. A round that loses clusters, names unknown parents, goes round in circles or
    merges nothing is replaced, with a warning, by Ward linkage of the centroids (of the names, where centroids are
    missing). Errors that the model raises are passed on.

    A cluster marked `is_outlier` stays a root of its own as long as that leaves a root for the themes.

    Args:
        clusters: base clusters in any order; a `parent_id` is ignored, and an id that comes again is dropped.
        model: merges; `model.max_clusters` is the most roots the hierarchy may have.
        checkpoint_manager: where a checkpoint over exactly these clusters exists, with few enough roots, it is the
            result.
        failures: gets the clusters that a language model gave no parent, or no name for it; they are merged by their
            centroids or named by their children. None makes the first one an error, after all others were finished.

    Returns:
        The given clusters, by id, then the parents in the order of their making, children before parents.

    Raises:
        ValueError: `model.max_clusters` is no whole number from 1 up.
        LanguageModelError: a question failed and there is no list for failures, or nothing more can be asked.
    """
    max_clusters = model.max_clusters
    if not isinstance(max_clusters, int) or isinstance(max_clusters, bool) or max_clusters < 1:
        raise ValueError(f"max_clusters is {max_clusters!r}; allowed are whole numbers from 1 up")
    forest = _forest_of(clusters)
    if checkpoint_manager is not None:
        kept = checkpoint_manager.load_checkpoint(model.checkpoint_filename, Cluster)
        if kept is not None:
            over_these = sorted(leaf.cluster_id for leaf in get_leaf_clusters(kept)) == sorted(forest)
            if over_these and len(get_root_clusters(kept)) <= max_clusters:
                return kept
            logger.warning("the checkpoint of meta clusters holds other clusters or more roots; it is computed again")
    while len(roots := get_root_clusters(forest.values())) > max_clusters:
        roots.sort(key=lambda root: root.cluster_id)
        outliers = [root for root in roots if root.is_outlier]
        merging = [root for root in roots if not root.is_outlier] if len(outliers) < max_clusters else roots
        try:
            answer = await model.reduce_clusters([root.model_copy(deep=True) for root in merging])
        except SomeFailed as some:
            if failures is None:
                raise
            failures.extend(some.failed_items)
            answer = [cluster for cluster in some.results if cluster is not None]
        try:
            parents = _parents_in(answer, merging)
        except _UnusableRoundError as fault:
            logger.warning(
                "%s %s; its %d clusters are grouped by their centroids instead",
                type(model).__name__,
                fault,
                len(merging),
            )
            parents = _parents_by_ward(merging, max_clusters - (len(roots) - len(merging)))
        _hang(forest, parents)
    result = list(forest.values())
    if checkpoint_manager is not None and not failures:
        checkpoint_manager.save_checkpoint(model.checkpoint_filename, result)
    return result


def planned_roots(n_clusters: int, most_roots: int) -> int:
    """Return how many roots one round should leave of `n_clusters`, so that the last leaves at most `most_roots`.

    Few clusters get a root for every two, many get `most_roots`, with as many levels between as it takes for
    a parent to have a dozen children on average at most.
    """
    # One below the limit, so that a root for what fits nowhere is still allowed.
    limit = max(1, most_roots - 1 if most_roots > 2 else most_roots)
    final = min(limit, math.ceil(n_clusters / CHILDREN_PER_ROOT))
    n_levels = max(1, math.ceil(math.log(n_clusters / final, MOST_CHILDREN) - 1e-9))
    branching = (n_clusters / final) ** (1 / n_levels)
    return max(final, math.floor(n_clusters / branching + 1e-9))


def parent_of(
    children: Sequence[Cluster], *, name: str, description: str, slug: str, model: str, taken: Collection[str] = ()
) -> Cluster:
    """Return the parent of these clusters: their conversations, the id that follows from them, their mean centroid.

    The id is none of the children's and none of `taken`, also where one child holds all the conversations.
    """
    chat_ids = sorted({chat_id for child in children for chat_id in child.chat_ids})
    used = {child.cluster_id for child in children}.union(taken)
    cluster_id = cluster_id_of(chat_ids)
    while cluster_id in used:
        cluster_id = cluster_id_of([*chat_ids, cluster_id])
    return Cluster(
        cluster_id=cluster_id,
        name=name,
        description=description,
        slug=slug,
        chat_ids=chat_ids,
        model=model,
        centroid=_mean_centroid(children),
    )


class _UnusableRoundError(Exception):
    """A model's answer breaks the rules of a round. The message says how and holds ids only."""


@dataclass(frozen=True)
class _Parent:
    """A parent still to be made. `children` are keys: of clusters by their id, of parents made before by their key."""

    key: str
    children: list[str]
    name: str
    description: str
    slug: str
    model: str


def _forest_of(clusters: Iterable[Cluster]) -> dict[str, Cluster]:
    """Return the clusters by id, without parents, sorted by id."""
    forest: dict[str, Cluster] = {}
    for cluster in sorted(clusters, key=_all_it_says):
        forest.setdefault(cluster.cluster_id, cluster.model_copy(update={"parent_id": None}))
    return forest


def _all_it_says(cluster: Cluster) -> tuple[str, str, bytes]:
    # Not the id alone: of two clusters with one id the same one is kept, whatever their order.
    centroid = b"" if cluster.centroid is None else cluster.centroid.tobytes()
    return cluster.cluster_id, cluster.model_dump_json(), centroid


def _hang(forest: dict[str, Cluster], parents: Sequence[_Parent]) -> None:
    """Make the parents, in order, and hang their children on them."""
    made: dict[str, str] = {}
    for parent in parents:
        children = [forest[made.get(key, key)] for key in parent.children]
        name = " ".join(parent.name.split()) or joined_name([child.name for child in _biggest_first(children)])
        slug = three_word_slug(parent.slug, name)
        cluster = parent_of(
            children,
            name=distinct_name(name, slug, [each.name for each in forest.values()]),
            description=parent.description,
            slug=slug,
            model=parent.model,
            taken=forest.keys(),
        )
        for child in children:
            forest[child.cluster_id] = child.model_copy(update={"parent_id": cluster.cluster_id})
        forest[cluster.cluster_id] = cluster
        made[parent.key] = cluster.cluster_id


def _parents_in(answer: object, merging: Sequence[Cluster]) -> list[_Parent]:
    """Return the parents that a model's answer holds, children before parents.

    Parents without children are left out, and of a parent with a single child the child takes the place. A model may
    build several levels at once.

    Raises:
        _UnusableRoundError: the answer breaks a rule, or would leave as many roots as there were.
    """
    if not isinstance(answer, list) or not all(isinstance(each, Cluster) for each in answer):
        raise _UnusableRoundError("returned something other than a list of clusters")
    given = {cluster.cluster_id for cluster in merging}
    if lost := given - {cluster.cluster_id for cluster in answer}:
        raise _UnusableRoundError(f"lost {some_of(lost)}")
    if misused := given & {cluster.parent_id for cluster in answer}:
        raise _UnusableRoundError(f"made parents of clusters it was given: {some_of(misused)}")
    try:
        levels = get_levels(answer)
    except HierarchyError as fault:
        raise _UnusableRoundError(f"returned no hierarchy: {fault}") from None

    children_by_parent = get_children_by_parent(answer)
    # What stands for each cluster of the answer: itself, its single child, or nothing; and the given clusters below.
    stands_for: dict[str, str | None] = {}
    below: dict[str, list[str]] = {}
    parents: list[_Parent] = []
    for level in sorted(set(levels.values()), reverse=True):
        made: list[_Parent] = []
        for cluster in answer:
            key = cluster.cluster_id
            if levels[key] != level:
                continue
            if key in given:
                stands_for[key], below[key] = key, [key]
                continue
            standing = [stands_for[child.cluster_id] for child in children_by_parent.get(key, [])]
            children = sorted((each for each in standing if each is not None), key=lambda each: below[each])
            if len(children) > 1:
                below[key] = sorted(leaf for child in children for leaf in below[child])
                made.append(_Parent(key, children, cluster.name, cluster.description, cluster.slug, cluster.model))
            stands_for[key] = key if len(children) > 1 else children[0] if children else None
        # By what they hold and not by the model's ids, which may be random.
        parents += sorted(made, key=lambda parent: below[parent.key])
    roots_left = {stands_for[root.cluster_id] for root in children_by_parent[None]} - {None}
    if len(roots_left) >= len(merging):
        raise _UnusableRoundError(f"merged none of its {len(merging)} clusters")
    return parents


def _parents_by_ward(merging: Sequence[Cluster], most_roots: int) -> list[_Parent]:
    """Group the clusters by Ward linkage into as many as are planned."""
    labels = group_by_ward(_vectors_of(merging), planned_roots(len(merging), most_roots))
    groups: dict[int, list[Cluster]] = {}
    for cluster, label in zip(merging, labels, strict=True):
        groups.setdefault(int(label), []).append(cluster)
    parents = []
    for number, members in sorted(groups.items()):
        if len(members) > 1:
            names = [member.name for member in _biggest_first(members)]
            shown = "; ".join(names[:_NAMES_IN_DESCRIPTION])
            parents.append(
                _Parent(
                    key=f"ward {number}",
                    children=[member.cluster_id for member in members],
                    name=joined_name(names),
                    description=f"{len(members)} clusters that lie close together, the largest first: {shown}.",
                    slug="",
                    model=FALLBACK_MODEL,
                )
            )
    return parents


def _vectors_of(clusters: Sequence[Cluster]) -> np.ndarray:
    """Return the centroids, shape (n, n_dims); where one is missing or unusable, vectors of how all are worded."""
    centroids = [cluster.centroid for cluster in clusters if cluster.centroid is not None]
    shapes = {centroid.shape for centroid in centroids}
    if len(centroids) == len(clusters) and len(shapes) == 1 and len(next(iter(shapes))) == 1:
        vectors = np.stack(centroids)
        if vectors.size and np.isfinite(vectors).all():
            return vectors
    # scikit-learn takes over a second to import, and this is needed only here.
    from sklearn.feature_extraction.text import HashingVectorizer

    worded = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=512, alternate_sign=False)
    return worded.transform([f"{cluster.name} {cluster.description}" for cluster in clusters]).toarray()


def _mean_centroid(children: Sequence[Cluster]) -> np.ndarray | None:
    """Return the mean of the children's centroids by their numbers of conversations, None where it isn't known."""
    centroids = [child.centroid for child in children if child.centroid is not None]
    counts = [child.count for child in children]
    if len(centroids) < len(children) or len({centroid.shape for centroid in centroids}) > 1 or not sum(counts):
        return None
    return np.average(np.stack(centroids), axis=0, weights=counts).astype(np.float32)


def _biggest_first(clusters: Iterable[Cluster]) -> list[Cluster]:
    return sorted(clusters, key=lambda cluster: (-cluster.count, cluster.cluster_id))
