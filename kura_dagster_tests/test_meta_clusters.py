from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.base_classes import BaseMetaClusterModel
from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager
from kura_dagster.pipeline.hierarchy import check_tree, get_children_by_parent, get_levels, get_root_clusters
from kura_dagster.pipeline.meta_clusters import (
    FALLBACK_MODEL,
    parent_of,
    planned_roots,
    reduce_clusters_from_base_clusters,
)
from kura_dagster.pipeline.types import Cluster, cluster_id_of

Answer = Callable[[list[Cluster]], Any]


class Model(BaseMetaClusterModel):
    """Answers each round with what `answer` makes of the clusters, and counts the rounds."""

    def __init__(self, answer: Answer, max_clusters: Any = 3) -> None:
        self.answer = answer
        self.max_clusters = max_clusters
        self.rounds: list[int] = []

    async def reduce_clusters(self, clusters: list[Cluster]) -> list[Cluster]:
        self.rounds.append(len(clusters))
        return self.answer(clusters)


def base(number: int, **changes: Any) -> Cluster:
    chat_ids = [f"chat-{number}-{member}" for member in range(1 + number % 4)]
    return Cluster(
        **{
            "id": cluster_id_of(chat_ids),
            "name": f"Theme {number}",
            "description": f"Users asked about theme {number}.",
            "slug": "a_b_c",
            "chat_ids": chat_ids,
            "centroid": np.random.default_rng(number).normal(size=8),
            "model": "base model",
        }
        | changes
    )


def parent(children: list[Cluster], **changes: Any) -> Cluster:
    """Return a parent as a user's model might make it, with an id of its own and a name that is often the same."""
    fields = {"name": "Parent", "description": "They asked.", "slug": "p_q_r", "chat_ids": [], "model": "users own"}
    made = Cluster(**{"id": uuid.uuid4().hex} | fields | changes)
    for child in children:
        child.parent_id = made.cluster_id
    return made


def pairs(clusters: list[Cluster]) -> list[Cluster]:
    ordered = sorted(clusters, key=lambda cluster: cluster.cluster_id)
    parents = [parent(ordered[start : start + 2]) for start in range(0, len(ordered), 2)]
    # By ids that are random: another order in each run.
    return clusters + sorted(parents, key=lambda each: each.cluster_id)


def levels_at_once(clusters: list[Cluster]) -> list[Cluster]:
    ordered = sorted(clusters, key=lambda cluster: cluster.cluster_id)
    lower = [parent(ordered[start : start + 2]) for start in range(0, len(ordered), 2)]
    upper = [parent(lower[start : start + 3]) for start in range(0, len(lower), 3)]
    return sorted([*upper, *clusters, *lower, parent(upper)], key=lambda each: each.cluster_id)


def circle(clusters: list[Cluster]) -> list[Cluster]:
    first, second = parent(clusters), parent([])
    first.parent_id, second.parent_id = second.cluster_id, first.cluster_id
    return [*clusters, first, second]


def own_parent(clusters: list[Cluster]) -> list[Cluster]:
    clusters[0].parent_id = clusters[0].cluster_id
    return clusters


def one_under_another(clusters: list[Cluster]) -> list[Cluster]:
    clusters[0].parent_id = clusters[-1].cluster_id
    return clusters


def twice_the_same_parent(clusters: list[Cluster]) -> list[Cluster]:
    made = parent(clusters)
    return [*clusters, made, made.model_copy()]


def vandal(clusters: list[Cluster]) -> list[Cluster]:
    """Ruin what it was given, and merge all the same."""
    made = parent(list(clusters))
    for cluster in clusters:
        cluster.name, cluster.is_outlier = "ruined", True
        cluster.chat_ids.clear()
        cluster.chat_ids.append("ghost")
        if cluster.centroid is not None:
            cluster.centroid[...] = np.nan
    return [*clusters, made]


def shuffled_at_random(clusters: list[Cluster]) -> list[Cluster]:
    source = random.Random(len(clusters))
    parents = [parent([]) for _ in range(source.randint(1, len(clusters)))]
    for each in clusters:
        each.parent_id = source.choice([None, *(made.cluster_id for made in parents)])
    for position, made in enumerate(parents[1:]):
        made.parent_id = source.choice([None, parents[position].cluster_id])
    everything = [*clusters, *parents]
    source.shuffle(everything)
    return everything


USABLE: dict[str, Answer] = {
    "pairs": pairs,
    "one label": lambda clusters: [*clusters, parent(clusters)],
    "levels at once": levels_at_once,
    "no name": lambda clusters: [*clusters, parent(clusters, name=" \n ", slug="")],
    "childless parents": lambda clusters: [*pairs(clusters), parent([]), parent([parent([])])],
    "chain above": lambda clusters: (lambda low: [*clusters, low, parent([low])])(parent(clusters)),
    "vandal": vandal,
}
UNUSABLE: dict[str, Answer] = {
    "nothing": lambda clusters: None,
    "not clusters": lambda clusters: [1, "two", None],
    "a tuple": lambda clusters: tuple(pairs(clusters)),
    "empty": lambda clusters: [],
    "identity": lambda clusters: clusters,
    "identity labels": lambda clusters: [*clusters, *(parent([each], name=each.name) for each in clusters)],
    "drops one": lambda clusters: pairs(clusters)[1:],
    "only parents": lambda clusters: [parent(clusters)],
    "unknown parent": lambda clusters: [each.model_copy(update={"parent_id": "ghost"}) for each in clusters],
    "circle": circle,
    "own parent": own_parent,
    "one under another": one_under_another,
    "twice the same parent": twice_the_same_parent,
    "doubles the clusters": lambda clusters: [*pairs(clusters), *clusters],
}
MIXED: dict[str, Answer] = {"at random": shuffled_at_random}
EVERY = USABLE | UNUSABLE | MIXED


def reduce(clusters: list[Cluster], model: BaseMetaClusterModel, **options: Any) -> list[Cluster]:
    return asyncio.run(reduce_clusters_from_base_clusters(clusters, model=model, **options))


def check(given: list[Cluster], result: list[Cluster], max_clusters: int) -> None:
    """Assert everything that the docstring promises."""
    ids = [cluster.cluster_id for cluster in result]
    assert len(set(ids)) == len(ids)
    given_by_id: dict[str, list[Cluster]] = {}
    for cluster in given:
        given_by_id.setdefault(cluster.cluster_id, []).append(cluster)
    leaves, parents = result[: len(given_by_id)], result[len(given_by_id) :]
    assert [leaf.cluster_id for leaf in leaves] == sorted(given_by_id)
    for leaf in leaves:
        same = [each.model_copy(update={"parent_id": leaf.parent_id}) for each in given_by_id[leaf.cluster_id]]
        assert leaf.model_dump_json() in [each.model_dump_json() for each in same]
    get_levels(result)
    children = get_children_by_parent(result)
    assert {each.cluster_id for each in parents} == {parent_id for parent_id in children if parent_id is not None}
    for each in parents:
        below = children[each.cluster_id]
        assert len(below) >= 2
        assert each.chat_ids == sorted({chat_id for child in below for chat_id in child.chat_ids})
        assert each.cluster_id not in {child.cluster_id for child in below}
        assert each.name.strip()
        assert len(each.slug.split("_")) == 3
    names = [each.name.casefold() for each in parents]
    assert len(set(names)) == len(names)
    assert not set(names) & {leaf.name.casefold() for leaf in leaves}
    roots = get_root_clusters(result)
    assert len(roots) <= max_clusters
    outliers = [leaf for leaf in leaves if leaf.is_outlier]
    if len(outliers) < max_clusters:
        assert all(leaf.parent_id is None for leaf in outliers)


centroids = st.one_of(
    st.none(),
    st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3).map(np.array),
    st.sampled_from([np.zeros(3), np.ones(3), np.full(3, np.nan), np.full(3, 1e30), np.ones(5), np.ones(0)]),
)
wild_clusters = st.builds(
    base,
    number=st.just(0),
    id=st.integers(0, 80).map("id-{}".format),
    chat_ids=st.lists(st.sampled_from("abcdef"), unique=True, max_size=4),
    name=st.sampled_from(["Theme", "theme", "Another theme", "", "{{ x }}", "ünï"]),
    centroid=centroids,
    is_outlier=st.sampled_from([False] * 9 + [True]),
    parent_id=st.sampled_from([None, "id-1", "ghost"]),
)


@settings(max_examples=150)
@given(st.lists(wild_clusters, max_size=60), st.integers(1, 12), st.sampled_from(sorted(EVERY)))
@example([base(number) for number in range(13)], 10, "identity labels")
@example([base(0, id=f"id-{number}", chat_ids=["a"]) for number in range(13)], 1, "pairs")
@example([base(number, is_outlier=True) for number in range(5)], 2, "identity")
@example([base(number, centroid=None) for number in range(60)], 1, "identity")
def test_any_model_over_any_clusters_ends_in_a_sound_hierarchy(
    clusters: list[Cluster], max_clusters: int, answer: str
) -> None:
    model = Model(EVERY[answer], max_clusters)
    check(clusters, reduce(clusters, model), max_clusters)
    assert model.rounds == sorted(set(model.rounds), reverse=True)  # each with fewer clusters than the one before


@settings(max_examples=60)
@given(
    st.lists(wild_clusters, max_size=40),
    st.integers(1, 6),
    st.sampled_from(sorted(set(EVERY) - set(MIXED))),
    st.randoms(use_true_random=False),
)
def test_result_does_not_depend_on_the_order_of_clusters(
    clusters: list[Cluster], max_clusters: int, answer: str, source: random.Random
) -> None:
    other_order = list(clusters)
    source.shuffle(other_order)
    first = reduce(clusters, Model(EVERY[answer], max_clusters))
    second = reduce(other_order, Model(EVERY[answer], max_clusters))
    assert [each.model_dump_json() for each in first] == [each.model_dump_json() for each in second]


@settings(max_examples=60)
@given(st.integers(0, 60), st.integers(1, 12), st.sampled_from(sorted(EVERY)))
def test_over_clusters_that_share_nothing_the_tree_has_no_fault(count: int, most: int, answer: str) -> None:
    result = reduce([base(number) for number in range(count)], Model(EVERY[answer], most))
    assert check_tree(result) == []
    for each in result:
        assert each.cluster_id == cluster_id_of(each.chat_ids)
        assert each.centroid is not None


@pytest.mark.parametrize("name", sorted(UNUSABLE))
def test_unusable_round_is_replaced_and_said_so(name: str, caplog: pytest.LogCaptureFixture) -> None:
    clusters = [base(number) for number in range(7)]
    with caplog.at_level(logging.WARNING):
        result = reduce(clusters, Model(UNUSABLE[name]))
    check(clusters, result, 3)
    assert {each.model for each in result[7:]} == {FALLBACK_MODEL}
    assert "grouped by their centroids instead" in caplog.text


@pytest.mark.parametrize("name", sorted(USABLE))
def test_usable_round_is_taken_as_it_is(name: str, caplog: pytest.LogCaptureFixture) -> None:
    clusters = [base(number) for number in range(7)]
    with caplog.at_level(logging.WARNING):
        result = reduce(clusters, Model(USABLE[name]))
    check(clusters, result, 3)
    assert {each.model for each in result[7:]} == {"users own"}
    assert caplog.text == ""


@pytest.mark.parametrize("answer", [pairs, levels_at_once])
def test_random_ids_of_a_model_leave_no_trace(answer: Answer) -> None:
    clusters = [base(number) for number in range(20)]
    runs = [[each.model_dump_json() for each in reduce(clusters, Model(answer))] for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]


def test_callers_clusters_are_left_as_they_were() -> None:
    clusters = [base(number, parent_id="of an earlier run") for number in range(7)]
    before = [cluster.model_dump_json() for cluster in clusters]
    vectors = [cluster.centroid.copy() for cluster in clusters if cluster.centroid is not None]
    result = reduce(clusters, Model(vandal))
    assert [cluster.model_dump_json() for cluster in clusters] == before
    np.testing.assert_array_equal([cluster.centroid for cluster in clusters], vectors)
    assert {each.name for each in result[:7]} == {f"Theme {number}" for number in range(7)}


def test_few_clusters_are_left_alone_without_asking() -> None:
    model = Model(pairs, max_clusters=3)
    clusters = [base(number, parent_id="gone") for number in range(3)]
    result = reduce(clusters, model)
    assert [each.parent_id for each in result] == [None] * 3
    assert reduce([], model) == []
    assert model.rounds == []


@pytest.mark.parametrize("max_clusters", [0, -1, 2.5, True, "3", None])
def test_impossible_number_of_roots_is_refused(max_clusters: Any) -> None:
    with pytest.raises(ValueError, match="max_clusters is "):
        reduce([base(1)], Model(pairs, max_clusters))


def test_single_child_parents_are_dissolved() -> None:
    def pair_and_singles(clusters: list[Cluster]) -> list[Cluster]:
        return [*clusters, parent(clusters[:2]), *(parent([each]) for each in clusters[2:])]

    result = reduce([base(number) for number in range(5)], Model(pair_and_singles, max_clusters=4))
    assert len(result) == 6
    assert len([each for each in result if each.parent_id is None]) == 4


def test_outliers_stay_roots_until_a_single_root_is_wanted() -> None:
    clusters = [*(base(number) for number in range(8)), base(99, is_outlier=True, name="Unclustered")]
    seen: list[str] = []

    def noting(given_clusters: list[Cluster]) -> list[Cluster]:
        seen.extend(each.name for each in given_clusters)
        return pairs(given_clusters)

    two = reduce(clusters, Model(noting, max_clusters=2))
    assert "Unclustered" not in seen
    assert {each.is_outlier for each in get_root_clusters(two)} == {True, False}
    one = reduce(clusters, Model(noting, max_clusters=1))
    assert "Unclustered" in seen
    (root,) = get_root_clusters(one)
    assert not root.is_outlier
    assert len(root.chat_ids) == sum(each.count for each in clusters)


def test_parent_of_nested_conversations_has_an_id_of_its_own() -> None:
    clusters = [base(0, id=cluster_id_of(ids), chat_ids=list(ids), name=ids) for ids in ("ab", "a", "b")]
    result = reduce(clusters, Model(lambda each: [*each, parent(each)], max_clusters=1))
    check(clusters, result, 1)
    assert result[-1].chat_ids == ["a", "b"]
    assert result[-1].cluster_id != cluster_id_of("ab")
    again = reduce(clusters, Model(lambda each: [*each, parent(each)], max_clusters=1))
    assert [each.cluster_id for each in again] == [each.cluster_id for each in result]


def test_parent_never_takes_the_id_of_a_cluster_elsewhere() -> None:
    clusters = [base(0, id=cluster_id_of(ids), chat_ids=list(ids), name=ids) for ids in ("ab", "a", "b", "c")]

    def a_and_b(given_clusters: list[Cluster]) -> list[Cluster]:
        return [*given_clusters, parent([each for each in given_clusters if each.name in ("a", "b")])]

    result = reduce(clusters, Model(a_and_b, max_clusters=3))
    check(clusters, result, 3)
    assert len(result) == 5


@pytest.mark.parametrize("centroid", [np.full(8, np.nan), np.full(8, np.inf), np.ones(3), np.ones((8, 1)), np.ones(0)])
def test_fallback_takes_centroids_that_cannot_be_used(centroid: np.ndarray) -> None:
    clusters = [*(base(number) for number in range(6)), base(6, centroid=centroid)]
    check(clusters, reduce(clusters, Model(lambda each: each)), 3)


def test_centroid_of_a_parent_is_the_mean_over_its_conversations() -> None:
    small = base(0, chat_ids=["a"], centroid=np.array([0.0, 1.0]))
    large = base(1, chat_ids=["b", "c", "d"], centroid=np.array([1.0, 0.0]))
    fields = {"name": "P", "description": "", "slug": "", "model": "m"}
    np.testing.assert_allclose(parent_of([small, large], **fields).centroid, [0.75, 0.25])  # type: ignore[arg-type]
    assert parent_of([small, base(1, centroid=None)], **fields).centroid is None
    assert parent_of([small, base(1)], **fields).centroid is None


def test_fallback_groups_by_direction_and_names_after_the_largest() -> None:
    clusters = []
    for name, axis in zip(["Kettles", "Violins", "Glaciers"], np.eye(3), strict=True):
        for size in range(1, 5):
            chat_ids = [f"{name}-{size}-{member}" for member in range(size)]
            centroid = axis * size + 0.01 * size
            clusters.append(base(0, id=chat_ids[0], chat_ids=chat_ids, name=f"{name} {size}", centroid=centroid))
    result = reduce(clusters, Model(lambda each: each, max_clusters=4))
    parents = result[12:]
    assert len(parents) == 3
    for each in parents:
        (theme,) = {chat_id.partition("-")[0] for chat_id in each.chat_ids}
        assert each.name == f"{theme} 4 / {theme} 3 and 2 more"
        assert each.description.startswith("4 clusters that lie close together, the largest first: ")
        assert each.model == FALLBACK_MODEL


def test_fallback_goes_by_wording_where_centroids_are_missing() -> None:
    clusters = []
    for noun in ("kettle", "violin"):
        for verb in ("Repair", "Descale", "Compare", "Paint"):
            fields = {"name": f"{verb} the {noun}", "description": f"All about the {noun}.", "centroid": None}
            clusters.append(base(0, id=f"{noun}-{verb}", chat_ids=[f"{noun}-{verb}"], **fields))
    result = reduce(clusters, Model(lambda each: each, max_clusters=2))
    assert [{chat_id.split("-")[0] for chat_id in each.chat_ids} for each in result[8:]] in (
        [{"kettle"}, {"violin"}],
        [{"violin"}, {"kettle"}],
    )


def test_fallback_of_many_clusters_goes_up_in_steps() -> None:
    result = reduce([base(number) for number in range(300)], Model(lambda each: each, max_clusters=3))
    levels = get_levels(result)
    assert [sum(level == each for level in levels.values()) for each in range(4)] == [2, 10, 56, 300]


def test_error_of_a_model_is_passed_on() -> None:
    def broken(clusters: list[Cluster]) -> list[Cluster]:
        raise ConnectionError("provider is down")

    with pytest.raises(ConnectionError, match="provider is down"):
        reduce([base(number) for number in range(5)], Model(broken))


def test_checkpoint_saves_the_work_and_other_clusters_do_not_use_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = JSONLCheckpointManager(tmp_path)
    clusters = [base(number) for number in range(7)]
    before = reduce(clusters, Model(pairs), checkpoint_manager=checkpoints)
    unasked = Model(pairs)
    after = reduce(clusters[::-1], unasked, checkpoint_manager=checkpoints)
    assert unasked.rounds == []
    assert [each.model_dump_json() for each in after] == [each.model_dump_json() for each in before]
    with caplog.at_level(logging.WARNING):
        fewer = reduce(clusters[:5], Model(pairs), checkpoint_manager=checkpoints)
    assert "holds other clusters or more roots" in caplog.text
    check(clusters[:5], fewer, 3)
    check(clusters[:5], reduce(clusters[:5], Model(pairs, max_clusters=1), checkpoint_manager=checkpoints), 1)
    with caplog.at_level(logging.WARNING):
        assert reduce([], Model(pairs), checkpoint_manager=checkpoints) == []


@pytest.mark.parametrize(
    ("count", "least", "most", "n_levels"), [(11, 4, 6, 2), (20, 7, 9, 2), (100, 8, 10, 2), (1000, 8, 10, 3)]
)
def test_the_plan_of_the_levels(count, least, most, n_levels):
    levels = [count]
    while levels[-1] > 10:
        levels.append(planned_roots(levels[-1], 10))
    assert least <= levels[-1] <= most
    assert len(levels) == n_levels


@given(st.integers(2, 5_000), st.integers(1, 30))
def test_every_planned_round_gets_nearer(count, most_roots):
    if count > most_roots:
        assert 1 <= planned_roots(count, most_roots) < count
