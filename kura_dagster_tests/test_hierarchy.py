"""Walking the hierarchy, and finding what is wrong with one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.hierarchy import (
    HierarchyError,
    check_tree,
    get_all_conversations,
    get_children,
    get_children_by_parent,
    get_depth,
    get_leaf_clusters,
    get_levels,
    get_root_clusters,
    get_root_of,
    some_of,
)
from kura_dagster.pipeline.types import Cluster


def a_cluster(cluster_id: str, chat_ids: str, parent_id: str | None = None, **fields: Any) -> Cluster:
    return Cluster(
        cluster_id=cluster_id,
        name=f"name of {cluster_id}",
        description="d",
        slug="s",
        chat_ids=list(chat_ids),
        parent_id=parent_id,
        **fields,
    )


def a_tree() -> list[Cluster]:
    """A root over a leaf and a parent of two leaves, a root by itself, and outliers."""
    return [
        a_cluster("leaf1", "ab", "inner"),
        a_cluster("leaf2", "c", "inner"),
        a_cluster("leaf3", "d", "top"),
        a_cluster("inner", "abc", "top"),
        a_cluster("top", "abcd"),
        a_cluster("lonely", "e"),
        a_cluster("outliers", "f", is_outlier=True),
    ]


def ids(clusters: list[Cluster]) -> list[str]:
    return [cluster.cluster_id for cluster in clusters]


def test_a_tree_is_walked() -> None:
    tree = a_tree()
    assert ids(get_root_clusters(tree)) == ["top", "lonely", "outliers"]
    assert ids(get_leaf_clusters(tree)) == ["leaf1", "leaf2", "leaf3", "lonely", "outliers"]
    assert ids(get_children("top", tree)) == ["leaf3", "inner"]
    assert get_children("leaf1", tree) == []
    assert {parent: ids(own) for parent, own in get_children_by_parent(tree).items()} == {
        "inner": ["leaf1", "leaf2"],
        "top": ["leaf3", "inner"],
        None: ["top", "lonely", "outliers"],
    }
    levels = {"leaf1": 2, "leaf2": 2, "leaf3": 1, "inner": 1, "top": 0, "lonely": 0, "outliers": 0}
    assert get_levels(tree) == levels
    assert {cluster.cluster_id: get_depth(cluster, tree) for cluster in tree} == levels
    assert {cluster_id: root.cluster_id for cluster_id, root in get_root_of(tree).items()} == {
        "leaf1": "top",
        "leaf2": "top",
        "leaf3": "top",
        "inner": "top",
        "top": "top",
        "lonely": "lonely",
        "outliers": "outliers",
    }
    assert check_tree(tree) == []


def test_nothing_is_a_tree() -> None:
    assert get_levels([]) == {}
    assert get_root_clusters([]) == get_leaf_clusters([]) == check_tree([]) == []


def test_all_conversations_are_those_of_descendants_too() -> None:
    tree = [a_cluster("top", "z"), a_cluster("inner", "y", "top"), a_cluster("leaf", "x", "inner"), a_cluster("o", "w")]
    assert get_all_conversations(tree[0], tree) == {"x", "y", "z"}
    assert get_all_conversations(tree[2], tree) == {"x"}


def change(cluster_id: str, **update: Any) -> Callable[[list[Cluster]], list[Cluster]]:
    return lambda tree: [c.model_copy(update=update) if c.cluster_id == cluster_id else c for c in tree]


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (change("leaf1", parent_id="gone"), "cluster leaf1 has the parent gone, which is missing"),
        (change("top", parent_id="inner"), "no root leads to inner, leaf1, leaf2 and 2 more"),
        (change("lonely", parent_id="lonely"), "no root leads to lonely"),
        (change("leaf2", parent_id=None, chat_ids=["g"]), "cluster inner has a single child, leaf1"),
        (change("leaf2", chat_ids=["b", "c"]), "the children of inner hold b more than once"),
        (change("lonely", chat_ids=["a"]), "the roots hold a more than once"),
        (change("leaf1", chat_ids=["a", "b", "h"]), "cluster inner lacks h of its children"),
        (change("top", chat_ids=["a", "b", "c", "d", "i"]), "cluster top holds i that none of its children holds"),
        (change("lonely", chat_ids=["e", "e"]), "the roots hold e more than once"),
        (lambda tree: [*tree, a_cluster("leaf3", "j", "top")], "the id leaf3 occurs 2 times"),
    ],
)
def test_each_fault_is_found_and_named(damage: Callable[[list[Cluster]], list[Cluster]], fault: str) -> None:
    faults = check_tree(damage(a_tree()))
    assert any(found.startswith(fault) for found in faults), faults


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (change("leaf1", parent_id="gone"), "leaf1 has the parent gone"),
        (change("top", parent_id="inner"), "circle"),
        (lambda tree: [*tree, a_cluster("leaf3", "j", "top")], "leaf3 occurs 2 times"),
    ],
)
def test_levels_are_refused_where_clusters_would_be_lost(damage: Any, fault: str) -> None:
    with pytest.raises(HierarchyError, match=fault):
        get_levels(damage(a_tree()))
    with pytest.raises(HierarchyError, match=fault):
        get_root_of(damage(a_tree()))


def test_depth_is_refused_where_it_has_no_end() -> None:
    tree = change("top", parent_id="inner")(a_tree())
    with pytest.raises(HierarchyError, match="its own ancestor"):
        get_depth(tree[0], tree)
    with pytest.raises(HierarchyError, match="leaf1 has the parent gone, which is missing"):
        get_depth(a_cluster("leaf1", "a", "gone"), [])


def test_conversations_of_a_circle_are_found_once() -> None:
    tree = change("top", parent_id="inner")(a_tree())
    assert get_all_conversations(tree[0], tree) == {"a", "b"}
    assert get_all_conversations(tree[3], tree) == {"a", "b", "c", "d"}


def test_some_of_names_a_few() -> None:
    assert some_of(["b", "a"]) == "a, b"
    assert some_of(f"x{n}" for n in range(10)) == "x0, x1, x2 and 7 more"


PARENTS = st.integers(0, 30).flatmap(
    lambda n: st.tuples(*(st.one_of(st.none(), st.integers(0, max(n - 1, 0))) for _ in range(n)))
)


@given(PARENTS)
def test_any_parents_give_levels_or_an_error_that_agrees_with_the_check(parents: tuple[int | None, ...]) -> None:
    clusters = [a_cluster(f"k{n}", "", None if parent is None else f"k{parent}") for n, parent in enumerate(parents)]
    if any("circle" in fault for fault in check_tree(clusters)):
        with pytest.raises(HierarchyError, match="circle"):
            get_levels(clusters)
        return
    assert get_levels(clusters) == {cluster.cluster_id: get_depth(cluster, clusters) for cluster in clusters}
    roots = get_root_of(clusters)
    assert all(
        roots[f"k{n}"] is (roots[f"k{parent}"] if parent is not None else clusters[n])
        for n, parent in enumerate(parents)
    )


@given(st.recursive(st.integers(1, 3), lambda inner: st.lists(inner, min_size=2, max_size=4), max_leaves=25))
def test_a_tree_built_from_the_leaves_up_has_no_faults(shape: Any) -> None:
    clusters: list[Cluster] = []

    def build(node: Any) -> Cluster:
        number = len(clusters)
        children = [build(child) for child in node] if isinstance(node, list) else []
        chat_ids = (
            [chat_id for child in children for chat_id in child.chat_ids]
            if children
            else [f"chat{number}-{len(clusters)}-{n}" for n in range(node)]
        )
        cluster = a_cluster(f"k{len(clusters)}", "").model_copy(update={"chat_ids": chat_ids})
        for child in children:
            child.parent_id = cluster.cluster_id
        clusters.append(cluster)
        return cluster

    root = build(shape)
    assert check_tree(clusters) == []
    assert get_all_conversations(root, clusters) == set(root.chat_ids)
    without_leaf = [cluster for cluster in clusters if cluster is not clusters[0]]
    assert len(clusters) == 1 or check_tree(without_leaf) != []


@pytest.mark.parametrize("deep", [False, True], ids=["wide", "deep"])
def test_ten_thousand_clusters_take_no_time(deep: bool) -> None:
    clusters = [
        a_cluster(f"k{n}", "", None if n == 0 else f"k{n - 1 if deep else (n - 1) // 3}") for n in range(10_000)
    ]
    started = time.process_time()
    assert get_levels(clusters)["k9999"] == (9_999 if deep else 9)
    check_tree(clusters)
    get_root_of(clusters)
    get_all_conversations(clusters[0], clusters)
    assert time.process_time() - started < 2
