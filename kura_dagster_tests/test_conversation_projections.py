"""Conversations on the map: each once, near its cluster, the same in any order, whatever the vectors are."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from kura_dagster.pipeline.base_classes import BaseDimensionalityReduction
from kura_dagster.pipeline.conversation_projections import place_conversations
from kura_dagster.pipeline.projections import HDBUMAP, PCAProjection, reduce_dimensionality_from_clusters
from kura_dagster.pipeline.types import (
    Cluster,
    ConversationEmbedding,
    ProjectedCluster,
    ProjectedConversation,
    cluster_id_of,
    unit_rows,
)


def embeddings_of(vectors: Any) -> list[ConversationEmbedding]:
    return [ConversationEmbedding(chat_id=f"c{n:05}", embedding=vector, model="m") for n, vector in enumerate(vectors)]


def map_of(
    embeddings: list[ConversationEmbedding],
    labels: Any,
    model: BaseDimensionalityReduction | None = None,
    outliers: int | None = None,
) -> list[ProjectedCluster]:
    """Return the places of the clusters that the labels make, all under one root but for the outliers'."""
    labels = np.asarray(labels)
    clusters = []
    for label in sorted(set(labels.tolist())):
        members = [embeddings[number] for number in np.flatnonzero(labels == label)]
        clusters.append(
            Cluster(
                cluster_id=cluster_id_of(row.chat_id for row in members),
                name=f"name {label}",
                description="d",
                slug="s",
                chat_ids=[row.chat_id for row in members],
                is_outlier=label == outliers,
                centroid=unit_rows([row.embedding for row in members]).mean(axis=0),
            )
        )
    themes = [cluster for cluster in clusters if not cluster.is_outlier]
    if len(themes) > 1:
        chat_ids = [chat_id for cluster in themes for chat_id in cluster.chat_ids]
        root = Cluster(cluster_id="root", name="r", description="d", slug="s", chat_ids=chat_ids)
        for cluster in themes:
            cluster.parent_id = root.cluster_id
        clusters.append(root)
    return asyncio.run(reduce_dimensionality_from_clusters(clusters, model=model or PCAProjection()))


def places(rows: list[ProjectedConversation]) -> np.ndarray:
    return np.array([[row.x_coord, row.y_coord] for row in rows]).reshape(-1, 2)


def blobs(n_blobs: int, size: int, scale: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    centres = random.normal(size=(n_blobs, 32))
    labels = np.repeat(np.arange(n_blobs), size)
    return centres[labels] + random.normal(scale=scale, size=(n_blobs * size, 32)), labels


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_every_conversation_is_placed_once_whatever_its_vector_and_in_any_order(data: st.DataObject) -> None:
    coordinates = st.sampled_from([0.0, 1.0, -1.0]) | st.floats(-5, 5, width=16)
    vectors = data.draw(st.lists(st.tuples(*[coordinates] * 4), min_size=1, max_size=40))
    labels = data.draw(st.lists(st.integers(0, 7), min_size=len(vectors), max_size=len(vectors)))
    embeddings = embeddings_of(vectors)
    clusters = map_of(embeddings, labels, outliers=data.draw(st.none() | st.just(labels[0])))
    rows = place_conversations(clusters, embeddings)
    assert [row.chat_id for row in rows] == [row.chat_id for row in embeddings]
    assert np.isfinite(places(rows)).all()
    cluster_of = {
        chat_id: each.cluster_id for each in clusters if each.cluster_id != "root" for chat_id in each.chat_ids
    }
    assert {row.chat_id: row.cluster_id for row in rows} == cluster_of
    assert len(set(map(tuple, places(rows)))) == len(rows)
    shuffled = data.draw(st.permutations(embeddings)), data.draw(st.permutations(clusters))
    for cluster in clusters:
        cluster.chat_ids.reverse()
    assert place_conversations(shuffled[1], shuffled[0]) == rows


@pytest.mark.parametrize("model", [HDBUMAP(), PCAProjection()], ids=["umap", "pca"])
def test_each_stands_nearest_to_its_own_cluster_and_likes_stand_together(model: BaseDimensionalityReduction) -> None:
    vectors, labels = blobs(12, 10)
    embeddings = embeddings_of(vectors)
    clusters = map_of(embeddings, labels, model)
    rows = place_conversations(clusters, embeddings)
    leaves = [cluster for cluster in clusters if cluster.cluster_id != "root"]
    distances = cdist(places(rows), [[leaf.x_coord, leaf.y_coord] for leaf in leaves])
    assert [leaves[near].cluster_id for near in distances.argmin(axis=1)] == [row.cluster_id for row in rows]
    assert {row.model for row in rows} == {leaf.model for leaf in leaves}


def test_a_conversation_stands_towards_the_other_cluster_that_it_is_like() -> None:
    vectors, labels = blobs(3, 20)
    for number in range(5):
        vectors[number] += 0.8 * (vectors[25] - vectors[number])
    embeddings = embeddings_of(vectors)
    clusters = map_of(embeddings, labels)
    drawn = places(place_conversations(clusters, embeddings))
    by_members = {each.chat_ids[0]: np.array([each.x_coord, each.y_coord]) for each in clusters if each.parent_id}
    to_other = cdist(drawn[:20], [by_members["c00020"]])[:, 0]
    assert to_other[:5].max() < np.median(to_other[5:])


def test_identical_conversations_stand_apart_and_still_near_their_cluster() -> None:
    vectors, labels = blobs(4, 25, scale=0.0)
    embeddings = embeddings_of(vectors)
    clusters = map_of(embeddings, labels)
    rows = place_conversations(clusters, embeddings)
    placed = places(rows)
    assert len(set(map(tuple, placed))) == 100
    leaf = {each.cluster_id: (each.x_coord, each.y_coord) for each in clusters}
    own = np.linalg.norm(placed - np.array([leaf[row.cluster_id] for row in rows]), axis=1)
    others = cdist(placed, placed)[labels[:, None] != labels]
    assert 0 < own.max() < 0.25 * others.min()


def test_what_belongs_to_no_theme_stands_between_those_it_is_like_most() -> None:
    vectors, labels = blobs(4, 10)
    vectors = unit_rows(vectors)
    outliers = np.array([vectors[5] + vectors[15], vectors[25] + vectors[35]])
    embeddings = embeddings_of(np.vstack([vectors, outliers]))
    clusters = map_of(embeddings, [*labels, 9, 9], outliers=9)
    placed = places(place_conversations(clusters, embeddings))
    leaf = {each.chat_ids[0]: np.array([each.x_coord, each.y_coord]) for each in clusters if each.parent_id}
    themes = [leaf[f"c000{number}0"] for number in range(4)]
    middles = np.array([(themes[0] + themes[1]) / 2, (themes[2] + themes[3]) / 2])
    assert np.linalg.norm(placed[40:] - middles, axis=1).max() < 0.3 * np.ptp(themes)
    assert cdist(placed[40:], middles).argmin(axis=1).tolist() == [0, 1]


def test_outliers_alone_stand_apart() -> None:
    embeddings = embeddings_of(np.random.default_rng(0).normal(size=(6, 5)))
    placed = places(place_conversations(map_of(embeddings, [0] * 6, outliers=0), embeddings))
    assert len(set(map(tuple, placed))) == 6
    assert np.ptp(placed) > 0.1


class InOnePlace(BaseDimensionalityReduction):
    async def reduce_dimensionality(self, clusters: list[Cluster]) -> list[ProjectedCluster]:
        return [
            ProjectedCluster(**cluster.model_dump(exclude={"count", "model"}), x_coord=2, y_coord=3, level=0)
            for cluster in clusters
        ]


def test_clusters_in_one_place_leave_room_for_their_conversations() -> None:
    vectors, labels = blobs(3, 10)
    embeddings = embeddings_of(vectors)
    placed = places(place_conversations(map_of(embeddings, labels, InOnePlace()), embeddings))
    assert 0.2 < np.linalg.norm(placed - [2, 3], axis=1).max() < 1


def test_nothing_is_placed_of_nothing() -> None:
    assert place_conversations([], []) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clusters, rows: rows.pop(), "the embeddings lost c00009"),
        (lambda clusters, rows: rows.append(rows[0]), "the embeddings doubled c00000"),
        (lambda clusters, rows: clusters[0].chat_ids.pop(), "the embeddings invented c00004"),
        (lambda clusters, rows: clusters[1].chat_ids.append("c00000"), "1 conversations are in more than one"),
    ],
)
def test_what_does_not_belong_together_is_named(change: Any, message: str) -> None:
    vectors, labels = blobs(2, 5)
    embeddings = embeddings_of(vectors)
    clusters = sorted(map_of(embeddings, labels), key=lambda cluster: cluster.chat_ids)
    clusters = [cluster for cluster in clusters if cluster.cluster_id != "root"]
    for cluster in clusters:
        cluster.parent_id = None
    change(clusters, embeddings)
    with pytest.raises(ValueError, match=message):
        place_conversations(clusters, embeddings)
