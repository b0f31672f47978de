"""The map: every cluster placed, finite, seeded, whatever the number of clusters and their vectors."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from sklearn.manifold import trustworthiness
from sklearn.metrics import pairwise_distances

from kura_dagster.pipeline.base_classes import BaseDimensionalityReduction, BaseEmbeddingModel
from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager
from kura_dagster.pipeline.hierarchy import HierarchyError
from kura_dagster.pipeline.projections import (
    FEWEST_FOR_UMAP,
    HDBUMAP,
    PCAProjection,
    _neighbor_graph,
    reduce_dimensionality_from_clusters,
)
from kura_dagster.pipeline.types import Cluster, ProjectedCluster


def clusters_of(vectors: Any) -> list[Cluster]:
    return [
        Cluster(
            cluster_id=f"k{n:04d}",
            name=f"name {n}",
            description="d",
            slug="s",
            chat_ids=[f"c{n}"],
            model="m",
            centroid=vector,
        )
        for n, vector in enumerate(vectors)
    ]


def blobs(n_blobs: int, size: int) -> np.ndarray:
    random = np.random.default_rng(0)
    centres = random.normal(size=(n_blobs, 32))
    return np.repeat(centres, size, axis=0) + random.normal(scale=0.3, size=(n_blobs * size, 32))


def project(clusters: list[Cluster], model: BaseDimensionalityReduction, **rest: Any) -> list[ProjectedCluster]:
    return asyncio.run(reduce_dimensionality_from_clusters(clusters, model=model, **rest))


def places(projected: list[ProjectedCluster]) -> np.ndarray:
    return np.array([[cluster.x_coord, cluster.y_coord] for cluster in projected]).reshape(-1, 2)


@pytest.mark.parametrize("model", [HDBUMAP(), PCAProjection()], ids=["umap", "pca"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, FEWEST_FOR_UMAP - 1, FEWEST_FOR_UMAP, 30])
@pytest.mark.parametrize("kind", ["distinct", "equal", "zero", "line"])
@pytest.mark.filterwarnings("error::RuntimeWarning", "error::UserWarning")
def test_every_cluster_has_a_finite_place(model: BaseDimensionalityReduction, n: int, kind: str) -> None:
    vectors = {
        "distinct": np.random.default_rng(0).normal(size=(n, 6)),
        "equal": np.ones((n, 6)),
        "zero": np.zeros((n, 6)),
        "line": np.column_stack([np.arange(n), np.ones(n)]),
    }[kind]
    projected = project(clusters_of(vectors), model)
    assert [cluster.cluster_id for cluster in projected] == [f"k{i:04d}" for i in range(n)]
    assert np.isfinite(places(projected)).all()


@pytest.mark.parametrize(
    ("model", "n", "imported"),
    [
        ("PCAProjection", 30, set()),
        ("HDBUMAP", FEWEST_FOR_UMAP - 1, set()),
        ("HDBUMAP", FEWEST_FOR_UMAP, {"umap", "numba"}),
    ],
)
def test_umap_is_imported_and_compiled_only_where_it_places_something(model: str, n: int, imported: set[str]) -> None:
    code = f"""
import asyncio, sys
import numpy as np
from kura_dagster.pipeline.conversation_projections import place_conversations
from kura_dagster.pipeline.projections import {model}, reduce_dimensionality_from_clusters
from kura_dagster.pipeline.types import Cluster, ConversationEmbedding
vectors = np.random.default_rng(0).normal(size=({n}, 8))
clusters = [
    Cluster(cluster_id=str(n), name="n", description="d", slug="s", chat_ids=[str(n)], centroid=vector)
    for n, vector in enumerate(vectors)
]
placed = asyncio.run(reduce_dimensionality_from_clusters(clusters, model={model}()))
rows = [ConversationEmbedding(chat_id=str(n), embedding=vector, model="m") for n, vector in enumerate(vectors)]
place_conversations(placed, rows)
print(*({{"umap", "numba"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == imported


@pytest.mark.parametrize("model", [HDBUMAP(), PCAProjection()], ids=["umap", "pca"])
def test_a_cluster_less_leaves_the_map_recognisable(model: BaseDimensionalityReduction) -> None:
    clusters = clusters_of(blobs(20, 5))
    whole = places(project(clusters, model))
    for gone in (3, 50, 99):
        without = places(project(clusters[:gone] + clusters[gone + 1 :], model))
        left = np.delete(whole, gone, axis=0)
        assert np.sqrt(procrustes(left, without)[2]) < 0.35


def test_the_model_column_says_what_placed_the_cluster() -> None:
    def models(n: int, model: BaseDimensionalityReduction) -> set[str]:
        return {cluster.model for cluster in project(clusters_of(np.eye(n)), model)}

    assert models(FEWEST_FOR_UMAP, HDBUMAP()) == {"umap"}
    assert models(FEWEST_FOR_UMAP - 1, HDBUMAP()) == {"pca"}
    assert models(FEWEST_FOR_UMAP, PCAProjection()) == {"pca"}


@pytest.mark.parametrize("model", [HDBUMAP(), PCAProjection()], ids=["umap", "pca"])
def test_places_are_the_same_in_any_order_and_every_time(model: BaseDimensionalityReduction) -> None:
    clusters = clusters_of(blobs(4, 8))
    first = {c.cluster_id: (c.x_coord, c.y_coord) for c in project(clusters, model)}
    shuffled = [clusters[n] for n in np.random.default_rng(1).permutation(len(clusters))]
    again = project(shuffled, model)
    assert [c.cluster_id for c in again] == [c.cluster_id for c in shuffled]
    assert {c.cluster_id: (c.x_coord, c.y_coord) for c in again} == first


def test_the_seed_moves_umap() -> None:
    clusters = clusters_of(blobs(4, 8))
    assert not np.allclose(places(project(clusters, HDBUMAP())), places(project(clusters, HDBUMAP(random_state=1))))


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan", "chebyshev"])
def test_umap_keeps_neighbours_together(metric: str) -> None:
    vectors = blobs(6, 15)
    layout = places(project(clusters_of(vectors), HDBUMAP(metric=metric)))
    assert trustworthiness(vectors, layout, n_neighbors=5, metric=metric) > 0.9
    distances = pairwise_distances(layout)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 15 == np.arange(90) // 15).all()


def test_equal_clusters_stand_near_each_other() -> None:
    vectors = np.repeat(blobs(10, 1), 4, axis=0)
    layout = places(project(clusters_of(vectors), HDBUMAP()))
    distances = pairwise_distances(layout)
    same = np.arange(40)[:, None] // 4 == np.arange(40) // 4
    assert distances[same].mean() < 0.5 * distances[~same].mean()


def test_n_neighbors_and_min_dist_are_used() -> None:
    clusters = clusters_of(blobs(4, 10))
    default, few, apart = (
        places(project(clusters, model)) for model in (HDBUMAP(), HDBUMAP(n_neighbors=3), HDBUMAP(min_dist=1.0))
    )
    assert not np.allclose(default, few)

    def nearest(layout: np.ndarray) -> float:
        distances = pairwise_distances(layout)
        np.fill_diagonal(distances, np.inf)
        return float(np.median(distances.min(axis=1)))

    assert nearest(apart) > 2 * nearest(default)
    assert np.isfinite(places(project(clusters, HDBUMAP(n_neighbors=500, n_components=3)))).all()


def test_pca_keeps_distances_in_a_plane_and_does_not_mirror() -> None:
    angles = np.linspace(0, 1.5, 7)
    vectors = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(7)])
    layout = places(project(clusters_of(vectors), PCAProjection()))
    assert np.allclose(pairwise_distances(layout), pairwise_distances(vectors), atol=1e-6)
    turned = places(project(clusters_of(np.column_stack([vectors, np.zeros((7, 40))])), PCAProjection()))
    assert np.allclose(layout, turned, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_sign_of_each_component_is_that_of_its_largest_loading(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(8, 5))
    layout = places(project(clusters_of(vectors), PCAProjection()))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    loadings = (units - units.mean(axis=0)).T @ layout
    assert (loadings[np.abs(loadings).argmax(axis=0), [0, 1]] > 0).all()


def test_what_does_not_differ_stands_at_one_point() -> None:
    assert (places(project(clusters_of(np.full((7, 50), 0.1)), PCAProjection())) == 0).all()
    two = places(project(clusters_of(np.random.default_rng(0).normal(size=(2, 50))), PCAProjection()))
    assert (two[:, 1] == 0).all()
    assert two[0, 0] == pytest.approx(-two[1, 0])


@settings(max_examples=60)
@given(data=st.data())
def test_the_graph_is_umap_learn_s_own(data: st.DataObject) -> None:
    """The same strengths as umap-learn's functions, run without compiling; duplicates and zeros included."""
    from umap.umap_ import compute_membership_strengths, smooth_knn_dist

    n = data.draw(st.integers(4, 14))
    k = data.draw(st.integers(2, n - 1))
    coordinates = st.sampled_from([0.0, 1.0]) | st.floats(0, 5, width=16)
    points = np.array(data.draw(st.lists(st.tuples(coordinates, coordinates), min_size=n, max_size=n)))
    distances = pairwise_distances(points)
    np.fill_diagonal(distances, -1)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :k]
    np.fill_diagonal(distances, 0)
    near = np.take_along_axis(distances, indices, axis=1).astype(np.float32)

    with np.errstate(over="ignore"):
        scales, nearest = smooth_knn_dist.py_func(near, float(k), local_connectivity=1.0)
        rows, columns, strengths, _ = compute_membership_strengths.py_func(indices, near, scales, nearest)
    directed = scipy.sparse.coo_matrix((strengths, (rows, columns)), shape=(n, n)).toarray()
    expected = directed + directed.T - directed * directed.T
    graph = _neighbor_graph(indices, near)
    assert (graph.data > 0).all()
    assert np.allclose(graph.toarray(), expected, atol=1e-5)


class NameEmbedding(BaseEmbeddingModel):
    """Embeds by the number in the text; remembers the texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: list[str]) -> Any:
        self.texts += texts
        return [[float(text.split()[1].rstrip(":")), 1.0, 2.0] for text in texts]

    def slug(self) -> str:
        return "names"


def with_parent(clusters: list[Cluster], centroid: Any = None) -> list[Cluster]:
    """Put the clusters under one parent."""
    chat_ids = [chat_id for cluster in clusters for chat_id in cluster.chat_ids]
    parent = Cluster(cluster_id="p", name="name 99", description="d", slug="s", chat_ids=chat_ids, centroid=centroid)
    return [*(cluster.model_copy(update={"parent_id": "p"}) for cluster in clusters), parent]


@pytest.mark.parametrize("make", [HDBUMAP, PCAProjection])
def test_names_are_embedded_only_where_centroids_are_missing(make: Any) -> None:
    model = NameEmbedding()
    clusters = clusters_of(np.eye(4))
    project(with_parent(clusters), make(model))
    assert model.texts == []
    clusters[2].centroid = None
    project(with_parent(clusters), make(model))
    assert model.texts == ["name 0: d", "name 1: d", "name 2: d", "name 3: d", "name 99: d"]


def test_a_parent_without_centroid_stands_where_its_conversations_put_it() -> None:
    clusters = clusters_of(np.random.default_rng(0).normal(size=(4, 5)))
    clusters[0].chat_ids = ["x", "y", "z"]
    centroid = np.average([c.centroid for c in clusters if c.centroid is not None], axis=0, weights=[3, 1, 1, 1])
    derived, given_one = (
        project(with_parent(clusters), PCAProjection()),
        project(with_parent(clusters, centroid), PCAProjection()),
    )
    assert np.allclose(places(derived), places(given_one), atol=1e-6)


def test_levels_grow_downwards_and_everything_else_is_kept() -> None:
    clusters = with_parent(clusters_of(np.eye(3)))
    projected = project(clusters, PCAProjection())
    assert [cluster.level for cluster in projected] == [1, 1, 1, 0]
    for before, after in zip(clusters, projected, strict=True):
        fields = before.model_dump(exclude={"model"})
        assert after.model_dump(include=set(fields)) == fields
        assert after.centroid is before.centroid


@pytest.mark.parametrize("model", [HDBUMAP(), PCAProjection()], ids=["umap", "pca"])
def test_a_missing_parent_is_an_error_that_names_it(model: BaseDimensionalityReduction) -> None:
    orphan = clusters_of(np.eye(2))
    orphan[1].parent_id = "gone"
    with pytest.raises(HierarchyError, match="cluster k0001 has the parent gone, which is missing"):
        project(orphan, model)
    with pytest.raises(HierarchyError, match="gone"):
        asyncio.run(model.reduce_dimensionality(orphan))


class Own(BaseDimensionalityReduction):
    """A user's own projection, which returns what it was made with."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def reduce_dimensionality(self, clusters: list[Cluster]) -> list[ProjectedCluster]:
        return self.answer(
            [
                ProjectedCluster(**cluster.model_dump(exclude={"count"}), x_coord=1.0, y_coord=2.0, level=7)
                for cluster in clusters
            ]
        )


def test_a_projection_of_one_s_own_gets_its_levels() -> None:
    projected = project(with_parent(clusters_of(np.eye(2))), Own(lambda rows: rows))
    assert [cluster.level for cluster in projected] == [1, 1, 0]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda rows: rows[1:], "Own lost k0000"),
        (lambda rows: [*rows, rows[0]], "Own doubled k0000"),
        (lambda rows: [rows[0].model_copy(update={"y_coord": float("nan")}), *rows[1:]], "Own placed cluster k0000"),
    ],
)
def test_a_projection_of_one_s_own_is_held_to_the_rules(answer: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        project(clusters_of(np.eye(3)), Own(answer))


def test_a_checkpoint_is_used_for_the_same_hierarchy_only(tmp_path: Path) -> None:
    manager = JSONLCheckpointManager(tmp_path)
    clusters = clusters_of(np.eye(4))
    first = project(clusters, PCAProjection(), checkpoint_manager=manager)
    moved = Own(lambda rows: rows)
    assert places(project(clusters, moved, checkpoint_manager=manager)).tolist() == places(first).tolist()
    other = project(with_parent(clusters), moved, checkpoint_manager=manager)
    assert len(other) == 5
    assert {cluster.x_coord for cluster in other} == {1.0}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 1}, "n_components is 1; allowed are whole numbers from 2 up"),
        ({"min_dist": -0.1}, "min_dist is -0.1; allowed are numbers from 0 to 1"),
        ({"metric": "cos"}, "metric is 'cos'; allowed are cosine, euclidean"),
        ({"n_neighbors": 1}, "n_neighbors is 1; allowed are whole numbers from 2 up"),
        ({"n_neighbors": 2.5}, "n_neighbors is 2.5"),
    ],
)
def test_wrong_parameters_are_named_at_once(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HDBUMAP(**parameters)
