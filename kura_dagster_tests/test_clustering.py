"""The clustering methods: every item in one group, whatever the vectors and their order."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from kura_dagster.pipeline.base_classes import BaseClusteringMethod
from kura_dagster.pipeline.clustering import (
    NOISE,
    AgglomerativeClusteringMethod,
    HDBSCANClusteringMethod,
    KmeansClusteringModel,
    MiniBatchKmeansClusteringMethod,
    items_per_cluster,
)
from kura_dagster.pipeline.types import Cluster, ConversationSummary, unit_rows
from kura_dagster.pipeline.vectors import cells, density_peaks, kmeans

METHODS: list[BaseClusteringMethod] = [
    KmeansClusteringModel(clusters_per_group=3),
    MiniBatchKmeansClusteringMethod(clusters_per_group=3, batch_size=8),
    AgglomerativeClusteringMethod(),
    HDBSCANClusteringMethod(min_cluster_size=2),
    HDBSCANClusteringMethod(min_cluster_size=3, min_samples=20, metric="cosine", cluster_selection_method="leaf"),
    HDBSCANClusteringMethod(min_cluster_size=3, metric="manhattan"),
    HDBSCANClusteringMethod(min_cluster_size=3, metric="chebyshev"),
]
NAMES = ["kmeans", "minibatch", "agglomerative", "hdbscan", "hdbscan-cosine", "hdbscan-manhattan", "hdbscan-chebyshev"]

# Few distinct values and exact zeros, so that duplicates, opposite and zero vectors come up all the time.
VECTORS = st.lists(
    st.lists(st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e-30]) | st.floats(-10, 10, width=32), min_size=3, max_size=3),
    max_size=30,
)


@dataclass(frozen=True)
class Item:
    chat_id: str


def items_of(vectors: Any) -> list[dict[str, Any]]:
    return [{"item": Item(f"chat-{number:05d}"), "embedding": vector} for number, vector in enumerate(vectors)]


def members(groups: dict[int, list[Any]]) -> set[frozenset[str]]:
    return {frozenset(item.chat_id for item in group) for key, group in groups.items() if key != NOISE}


def blobs(n_blobs: int, size: int, seed: int = 0) -> np.ndarray:
    """Return tight groups of vectors in random directions, shape (n_blobs * size, 16)."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(n_blobs, 16))
    return np.repeat(centres, size, axis=0) + random.normal(scale=0.05, size=(n_blobs * size, 16))


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
@settings(max_examples=60)
@given(vectors=VECTORS, random=st.randoms(use_true_random=False))
def test_groups_hold_every_item_once_in_any_order(method: BaseClusteringMethod, vectors: Any, random: Any) -> None:
    items = items_of(vectors)
    groups = method.cluster(items)
    assert all(groups.values())
    assert sorted(item.chat_id for group in groups.values() for item in group) == [i["item"].chat_id for i in items]
    assert sorted(groups.keys() - {NOISE}) == list(range(len(groups.keys() - {NOISE})))
    random.shuffle(items)
    assert method.cluster(items) == groups


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["distinct", "equal", "zero"])
def test_few_items_and_degenerate_vectors(method: BaseClusteringMethod, n: int, kind: str) -> None:
    vectors = {"distinct": np.eye(4)[:n], "equal": np.ones((n, 4)), "zero": np.zeros((n, 4))}[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        groups = method.cluster(items_of(vectors))
    assert sum(len(group) for group in groups.values()) == n


@pytest.mark.parametrize("method", METHODS[:2], ids=NAMES[:2])
@pytest.mark.filterwarnings("error")
def test_duplicates_make_fewer_groups_than_k(method: BaseClusteringMethod) -> None:
    groups = method.cluster(items_of(np.repeat(np.eye(3), 10, axis=0)))
    assert sorted(len(group) for group in groups.values()) == [10, 10, 10]


@pytest.mark.filterwarnings("error")
def test_a_batch_may_be_smaller_than_the_number_of_clusters() -> None:
    vectors = np.random.default_rng(0).normal(size=(100, 8))
    groups = MiniBatchKmeansClusteringMethod(clusters_per_group=2, batch_size=5).cluster(items_of(vectors))
    assert 40 <= len(groups) <= 50


@pytest.mark.parametrize("n", [1, 9, 10, 11, 95, 101])
@pytest.mark.parametrize("method", [KmeansClusteringModel(10), MiniBatchKmeansClusteringMethod(10)], ids=NAMES[:2])
def test_k_is_the_number_of_items_by_the_size_of_a_group(method: BaseClusteringMethod, n: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 8))
    assert len(method.cluster(items_of(vectors))) == math.ceil(n / 10)


@pytest.mark.parametrize(("n", "n_clusters"), [(0, 0), (1, 1), (9, 3), (30, 10), (100, 25), (625, 63), (1_000, 100)])
def test_without_a_size_small_days_have_relatively_more_clusters(n: int, n_clusters: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 8))
    assert len(KmeansClusteringModel().cluster(items_of(vectors))) == n_clusters
    if n:
        assert math.ceil(n / items_per_cluster(n, None)) == n_clusters


@pytest.mark.parametrize("method", [KmeansClusteringModel(10), MiniBatchKmeansClusteringMethod(10)], ids=NAMES[:2])
def test_k_means_finds_separate_blobs(method: BaseClusteringMethod) -> None:
    groups = members(method.cluster(items_of(blobs(6, 10))))
    assert groups == {frozenset(f"chat-{10 * blob + n:05d}" for n in range(10)) for blob in range(6)}


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_hdbscan_finds_separate_blobs_and_leaves_out_what_is_alone(metric: str) -> None:
    directions = np.eye(16)
    # The blobs are nearer to each other than what is alone is to anything.
    centres = directions[:4] + directions[15]
    near = np.repeat(centres, 15, axis=0) + np.random.default_rng(2).normal(scale=0.005, size=(60, 16))
    groups = HDBSCANClusteringMethod(min_cluster_size=10, min_samples=5, metric=metric).cluster(
        items_of(np.vstack([near, directions[8:12]]))
    )
    assert members(groups) == {frozenset(f"chat-{15 * blob + n:05d}" for n in range(15)) for blob in range(4)}
    assert [item.chat_id for item in groups[NOISE]] == [f"chat-{n:05d}" for n in range(60, 64)]


def test_fewer_items_than_a_cluster_needs_are_all_left_out() -> None:
    groups = HDBSCANClusteringMethod(min_cluster_size=10).cluster(items_of(np.ones((9, 4))))
    assert groups.keys() == {NOISE}


@pytest.mark.parametrize(("n", "blob"), [(8, 2), (12, 3), (30, 3), (60, 4), (200, 8)])
def test_hdbscan_finds_the_themes_of_a_small_day_without_being_told_sizes(n: int, blob: int) -> None:
    # As small as two of a kind among eight, and one in six that is of no kind; a fixed size of ten found none of them.
    strays = n // 6
    near = blobs((n - strays) // blob, blob)
    far = np.random.default_rng(4).normal(size=(strays, near.shape[1]))
    groups = HDBSCANClusteringMethod().cluster(items_of(np.vstack([near, far])))
    assert n // blob // 2 <= len(members(groups)) <= n // 2
    assert len(groups.get(NOISE, [])) <= n / 3
    assert max(map(len, members(groups))) <= n / 2


def test_hdbscan_keeps_to_the_size_it_is_given() -> None:
    items = items_of(blobs(4, 5))
    assert all(len(group) >= 6 for group in members(HDBSCANClusteringMethod(min_cluster_size=6).cluster(items)))
    assert HDBSCANClusteringMethod(min_cluster_size=6).min_samples == 6
    assert HDBSCANClusteringMethod(min_cluster_size=6, min_samples=2).min_samples == 2
    assert all(len(group) >= 10 for group in members(HDBSCANClusteringMethod().cluster(items_of(blobs(40, 15)))))


def test_hdbscan_merges_clusters_nearer_than_epsilon_in_its_own_metric() -> None:
    # Pairs of blobs five degrees apart; between the pairs a right angle.
    angles = np.concatenate([np.radians(degrees) + np.linspace(0, 0.01, 12) for degrees in (0.0, 5.0, 90.0, 95.0)])
    items = items_of(np.column_stack([np.cos(angles), np.sin(angles)]))
    separate = HDBSCANClusteringMethod(min_cluster_size=5, metric="cosine", cluster_selection_method="leaf")
    merged = HDBSCANClusteringMethod(
        min_cluster_size=5,
        metric="cosine",
        cluster_selection_method="leaf",
        cluster_selection_epsilon=1 - math.cos(math.radians(10)),
    )
    assert len(members(separate.cluster(items))) == 4
    assert len(members(merged.cluster(items))) == 2


def test_length_does_not_matter() -> None:
    vectors = blobs(5, 10)
    lengths = np.random.default_rng(1).uniform(0.1, 50, size=(50, 1))
    method = KmeansClusteringModel()
    assert members(method.cluster(items_of(vectors))) == members(method.cluster(items_of(vectors * lengths)))


def test_the_seed_of_mini_batches_matters_and_is_kept() -> None:
    items = items_of(np.random.default_rng(3).normal(size=(60, 8)))
    first, again, other = (MiniBatchKmeansClusteringMethod(random_state=seed).cluster(items) for seed in (0, 0, 1))
    assert first == again
    assert members(first) != members(other)


@pytest.mark.parametrize(("n", "most"), [(295, 0.25), (300, 0.4)], ids=["as many clusters", "one cluster more"])
def test_one_item_more_changes_few_clusters(n: int, most: float) -> None:
    """Where nearly all change, a day with one conversation more is named anew, and paid for anew."""
    changed = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        loose = random.normal(size=(60, 24))[random.integers(0, 60, n + 1)] + random.normal(scale=0.3, size=(n + 1, 24))
        items = items_of(loose)
        random.shuffle(items)
        before, after = (members(KmeansClusteringModel().cluster(part)) for part in (items[:n], items))
        changed.append(len(after - before) / len(after))
    # scikit-learn's k-means++ changes three of four.
    assert np.mean(changed) < most


def test_peaks_may_be_taken_from_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density_peaks, "_SAMPLE_ROWS", 50)
    vectors = unit_rows(blobs(6, 40))
    peaks = density_peaks.density_peaks(vectors, 6, 40)
    assert sorted(peaks // 40) == list(range(6))


def cells_of(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(cells, "CELL_ROWS", rows)
    for module in (cells, kmeans):
        monkeypatch.setattr(module, "ROWS_UNCUT", 5 * rows)


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Record rows and k of each k-means in a cell."""
    calls: list[tuple[int, int]] = []
    real = kmeans._fitted

    def recorded(vectors: np.ndarray, k: int, rows_per_cluster: int) -> Any:
        calls.append((len(vectors), k))
        return real(vectors, k, rows_per_cluster)

    monkeypatch.setattr(kmeans, "_fitted", recorded)
    return calls


def test_large_days_are_clustered_cell_by_cell(monkeypatch: pytest.MonkeyPatch, fitted: list[tuple[int, int]]) -> None:
    vectors = blobs(40, 30)
    at_once = KmeansClusteringModel(clusters_per_group=10).cluster(items_of(vectors))
    assert fitted == [(1200, 120)]
    fitted.clear()
    cells_of(monkeypatch, 100)
    in_cells = KmeansClusteringModel(clusters_per_group=10).cluster(items_of(vectors))
    assert len(fitted) > 5
    assert sum(rows for rows, _ in fitted) == 1200
    assert sum(k for _, k in fitted) == pytest.approx(120, abs=len(fitted) / 2)
    assert sorted(item.chat_id for group in in_cells.values() for item in group) == [
        f"chat-{n:05d}" for n in range(1200)
    ]
    for groups in (at_once, in_cells):
        pure = sum(len({int(item.chat_id[-5:]) // 30 for item in group}) == 1 for group in groups.values())
        assert pure / len(groups) > 0.9


def test_a_day_of_one_theme_is_cut_again(monkeypatch: pytest.MonkeyPatch, fitted: list[tuple[int, int]]) -> None:
    cells_of(monkeypatch, 20)
    random = np.random.default_rng(0)
    theme = np.eye(16)[0] + random.normal(scale=1e-3, size=(900, 16))
    vectors = np.vstack([theme, random.normal(size=(100, 16))])
    KmeansClusteringModel(clusters_per_group=2).cluster(items_of(vectors))
    assert sum(rows for rows, _ in fitted) == 1000
    assert max(rows for rows, _ in fitted) <= 100


@pytest.mark.parametrize("distinct", [1, 3])
def test_a_large_day_of_duplicates_ends(monkeypatch: pytest.MonkeyPatch, distinct: int) -> None:
    cells_of(monkeypatch, 50)
    vectors = np.repeat(np.eye(3)[:distinct], 300, axis=0)
    groups = KmeansClusteringModel(clusters_per_group=5).cluster(items_of(vectors))
    assert [len(group) for group in groups.values()] == [300] * distinct


@pytest.mark.parametrize("n", [560, 600, 635])
def test_one_item_more_changes_one_cell_of_a_large_day(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    cells_of(monkeypatch, 100)
    items = items_of(blobs(80, 10))
    np.random.default_rng(n).shuffle(items)
    before, after = (members(KmeansClusteringModel().cluster(items[:count])) for count in (n, n + 1))
    assert 1 <= len(after - before) < 10


def test_summaries_and_clusters_can_both_be_grouped() -> None:
    summaries = [ConversationSummary(chat_id=f"c{n}", summary="s") for n in range(4)]
    parents = [Cluster(cluster_id=f"k{n}", name="n", description="d", slug="s", chat_ids=["a"]) for n in range(4)]
    for things in (summaries, parents):
        items = [{"item": thing, "embedding": vector} for thing, vector in zip(things, np.eye(4), strict=True)]
        groups = KmeansClusteringModel(clusters_per_group=2).cluster(items)
        assert sum(len(group) for group in groups.values()) == 4


def test_items_without_an_id_are_refused() -> None:
    with pytest.raises(TypeError, match="a str can't be clustered: it has neither a chat_id nor a cluster_id"):
        KmeansClusteringModel().cluster([{"item": "text", "embedding": [1.0]}])


@pytest.mark.parametrize(
    ("vectors", "fault"),
    [([[1.0, 0.0], [1.0]], "1, 2 dimensions"), ([[1.0, 0.0], [math.nan, 1.0]], "chat-00001 .* not finite")],
)
def test_vectors_that_cannot_be_compared_are_refused(vectors: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        KmeansClusteringModel().cluster(items_of(vectors))


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (KmeansClusteringModel, {"clusters_per_group": 0}, "clusters_per_group is 0; allowed are whole numbers from 1"),
        (KmeansClusteringModel, {"clusters_per_group": 2.5}, "clusters_per_group is 2.5"),
        (KmeansClusteringModel, {"clusters_per_group": True}, "clusters_per_group is True"),
        (MiniBatchKmeansClusteringMethod, {"random_state": -1}, "random_state is -1"),
        (MiniBatchKmeansClusteringMethod, {"batch_size": 0}, "batch_size is 0"),
        (MiniBatchKmeansClusteringMethod, {"max_iter": 0}, "max_iter is 0"),
        (HDBSCANClusteringMethod, {"min_cluster_size": 1}, "min_cluster_size is 1; allowed are whole numbers from 2"),
        (HDBSCANClusteringMethod, {"min_samples": 0}, "min_samples is 0"),
        (HDBSCANClusteringMethod, {"alpha": 0}, "alpha is 0; allowed are numbers above 0"),
        (HDBSCANClusteringMethod, {"cluster_selection_epsilon": -0.1}, "cluster_selection_epsilon is -0.1"),
        (HDBSCANClusteringMethod, {"cluster_selection_epsilon": math.nan}, "cluster_selection_epsilon is nan"),
        (HDBSCANClusteringMethod, {"cluster_selection_method": "best"}, "is 'best'; allowed are eom, leaf"),
        (HDBSCANClusteringMethod, {"metric": "euclid"}, "metric is 'euclid'; allowed are euclidean"),
    ],
)
def test_wrong_parameters_are_named_at_once(make: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**parameters)


def test_a_misspelt_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="cluster_per_group"):
        KmeansClusteringModel(cluster_per_group=3)  # type: ignore[call-arg]


def test_k_means_runs_on_one_thread_and_gives_the_threads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.cluster import KMeans

    during: list[int] = []
    real = KMeans.fit

    def recorded(self: KMeans, vectors: np.ndarray) -> KMeans:
        during.extend(pool["num_threads"] for pool in threadpool_info())
        return real(self, vectors)

    monkeypatch.setattr(KMeans, "fit", recorded)
    before = [pool["num_threads"] for pool in threadpool_info()]
    KmeansClusteringModel().cluster(items_of(blobs(3, 10)))
    assert during
    assert set(during) == {1}
    assert [pool["num_threads"] for pool in threadpool_info()][: len(before)] == before
