"""The local hierarchy: Ward linkage of centroids, a level at a time, with the guarantees of a tree."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded.ward_hierarchy import WardMetaClusterModel, group_by_ward
from kura_dagster.pipeline.hierarchy import check_tree, get_root_clusters
from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
from kura_dagster.pipeline.types import Cluster, cluster_id_of


class Unasked:
    """Stands where an embedding model would, with vectors that cost nothing."""

    async def embed(self, texts):
        return np.array([[len(text), sum(map(ord, text)) % 97, 1.0] for text in texts], dtype=np.float32)

    def slug(self):
        return "lengths"


def clusters(count: int, seed: int = 0, outlier: bool = False) -> list[Cluster]:
    random_state = np.random.default_rng(seed)
    made = [
        Cluster(
            cluster_id=cluster_id_of([f"chat-{number}"]),
            name=f"Ask about subject number {number}",
            description="Users asked.",
            slug="ask_about_subject",
            chat_ids=[f"chat-{number}"],
            centroid=random_state.normal(size=3),
        )
        for number in range(count)
    ]
    if outlier and made:
        made[0] = made[0].model_copy(update={"is_outlier": True})
    return made


def reduced(given_clusters, max_clusters):
    model = WardMetaClusterModel(max_clusters=max_clusters, embedding_model=Unasked())
    return asyncio.run(reduce_clusters_from_base_clusters(given_clusters, model=model))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(1, 12), st.booleans(), st.integers(0, 5))
def test_the_result_is_a_tree_with_few_enough_roots(count, max_clusters, outlier, seed):
    given_clusters = clusters(count, seed, outlier)
    result = reduced(given_clusters, max_clusters)
    assert check_tree(result) == []
    roots = get_root_clusters(result)
    assert len(roots) <= max_clusters
    assert sum(root.count for root in roots) == count
    names = [each.name.lower() for each in result]
    assert len(set(names)) == len(names)


def test_twenty_clusters_get_a_handful_of_themes_and_a_hundred_at_most_ten():
    assert 3 <= len(get_root_clusters(reduced(clusters(20), 10))) <= 8
    assert 4 <= len(get_root_clusters(reduced(clusters(100), 10))) <= 10


def test_few_clusters_are_left_as_they_are():
    given_clusters = clusters(7)
    assert [each.parent_id for each in reduced(given_clusters, 10)] == [None] * 7


def test_outliers_stay_on_their_own():
    result = reduced(clusters(30, outlier=True), 5)
    (outlier,) = [each for each in result if each.is_outlier]
    assert outlier.parent_id is None


@pytest.mark.parametrize("rows", [np.zeros((5, 3)), np.ones((5, 3)), np.eye(3)[[0, 1, 2, 0, 1]]])
def test_duplicates_and_zeros_can_be_grouped(rows):
    labels = group_by_ward(rows, 2)
    assert set(labels) == {0, 1}
    assert labels[0] == 0
