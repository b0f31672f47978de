"""The local hierarchy: Ward linkage of centroids, a level at a time, with the guarantees of a tree."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded.topics import TOPICS
from kura_dagster.pipeline.embedded.ward_hierarchy import (
    WardMetaClusterModel,
    parent_name,
)
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


@settings(max_examples=40)
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
    assert 3 <= len(get_root_clusters(reduced(clusters(20), 10))) <= 9
    assert 4 <= len(get_root_clusters(reduced(clusters(100), 10))) <= 10


def test_few_clusters_are_left_as_they_are():
    given_clusters = clusters(7)
    assert [each.parent_id for each in reduced(given_clusters, 10)] == [None] * 7


def test_outliers_stay_on_their_own():
    result = reduced(clusters(30, outlier=True), 5)
    (outlier,) = [each for each in result if each.is_outlier]
    assert outlier.parent_id is None


def test_a_hierarchy_without_roots_is_refused():
    with pytest.raises(ValueError, match=r"max_clusters is 0"):
        WardMetaClusterModel(0, Unasked())


def test_clusters_without_centroids_are_embedded_by_their_names():
    bare = [each.model_copy(update={"centroid": None}) for each in clusters(20)]
    assert check_tree(reduced(bare, 10)) == []


def test_the_order_of_the_clusters_changes_nothing():
    model = WardMetaClusterModel(10, Unasked())
    given_clusters = clusters(30)
    forward = asyncio.run(model.reduce_clusters(given_clusters))
    backward = asyncio.run(model.reduce_clusters(given_clusters[::-1]))
    assert {(each.cluster_id, each.name, each.parent_id) for each in forward} == {
        (each.cluster_id, each.name, each.parent_id) for each in backward
    }


def test_parents_are_named_by_what_their_children_are_about():
    topics = ["passwords", "invoices", None]
    names = ["Reset the password", "Download the receipt", "Get help with client boards and seats"]
    assert parent_name(names, topics, [1] * 3) == "Get help with passwords, invoices and client boards"
    assert parent_name(names, [None] * 3, [1] * 3) == "Get help with the password, the receipt and client boards"
    four = parent_name([*names, "Book a table"], [*topics, "table reservations"], [1] * 4)
    assert four == "Get help with passwords, invoices and more"
    # Children of one subject have taken the plain name.
    assert parent_name(names[:2], ["billing", "billing"], [1, 1]) == "Get all kinds of help with billing"
    assert parent_name(["Say nothing", "Tell it"], [None, None], [1, 1]) == "Say nothing / Tell it"


@pytest.mark.parametrize(
    ("names", "parent"),
    [
        (["Abo kündigen", "Passwort zurücksetzen"], "Abo kündigen / Passwort zurücksetzen"),
        (
            ["Ask in German about different things", "Ask in Spanish about pedido"],
            "Ask in German about different things / Ask in Spanish about pedido",
        ),
        (['Say "ok thanks a lot"', "Say nothing in words"], 'Say "ok thanks a lot" / Say nothing in words'),
        (
            ["Report that the user never asked the assistant to cancel the subscription", "Avoid renewing"],
            "Report that the user never asked the assistant to… / Avoid renewing",
        ),
        (["Do not share the location", "Do not delete the account"], "Get help with the location and the account"),
        # One thing that some children are not about is not their parent's.
        (["Reset the password", "Abo kündigen"], "Reset the password / Abo kündigen"),
        (["Reset the password", "Pay the invoice", "Abo kündigen"], "Get help with the password, the invoice and more"),
    ],
)
def test_a_parent_claims_no_thing_that_a_name_does_not_mention(names, parent):
    assert parent_name(names, [None] * len(names), [1] * len(names)) == parent
    # A topic is nothing that a name in another language or without a request can be held against.
    if names[0].startswith(("Ask in", "Say")):
        assert parent_name(names, ["translations", "spam"], [1, 1]) == parent


class Chosen:
    """An embedding model that has the topic Git at one end, a name near to it and all else nowhere."""

    def __init__(self, cosine):
        self.cosine = cosine

    async def embed(self, texts):
        near = {"Git": 1.0, "Reset the branch": self.cosine}
        cosines = [near.get(text, 0.0) for text in texts]
        rests = [np.sqrt(1 - cosine**2) for cosine in cosines]
        return np.array(
            [
                [cosine, rest, 0] if text in TOPICS else [cosine, 0, rest]
                for text, cosine, rest in zip(texts, cosines, rests, strict=True)
            ]
        )

    def slug(self):
        return "chosen"


def family_name(of_name, of_middle, description):
    """Return the name of two clusters' parent where the first has these cosines with the topic Git."""
    rest = np.sqrt(1 - of_middle**2)
    families = [
        Cluster(
            cluster_id=f"{n}",
            name=name,
            description=description,
            slug="a_b_c",
            chat_ids=[f"{n}"],
            centroid=centroid,
        )
        for n, (name, centroid) in enumerate(
            [("Reset the branch", [of_middle, 0, rest]), ("Pay the bill", [0, 0, 1]), ("Book it", [0, -1, 0])]
        )
    ]
    result = asyncio.run(WardMetaClusterModel(2, Chosen(of_name)).reduce_clusters(families))
    (parent,) = result[3:]
    return parent.name


@pytest.mark.parametrize(
    ("of_name", "of_middle", "description", "thing"),
    [
        (0.9, 0.9, "Users asked.", "the branch"),  # near, and not mentioned
        (0.5, 0.4, 'Users asked, for example: "in git".', "Git"),
        (0.3, 0.2, 'Users asked, for example: "in git".', "the branch"),  # mentioned, and not near
        (0.59, 0.0, 'Users asked, for example: "in git".', "the branch"),  # near by its name only
    ],
)
def test_a_child_is_on_a_topic_that_its_name_and_its_middle_are_near_to(of_name, of_middle, description, thing):
    assert family_name(of_name, of_middle, description) == f"Get help with {thing} and the bill"


def test_a_parents_middle_is_its_conversations_and_not_its_childrens():
    many, one, far = (each.model_copy(update={"name": name}) for each, name in zip(clusters(3), "abc", strict=True))
    many = many.model_copy(update={"chat_ids": ["1", "2", "3"], "centroid": np.array([1, 0, 0], dtype=np.float32)})
    one = one.model_copy(update={"centroid": np.array([0.8, 0.6, 0], dtype=np.float32)})
    far = far.model_copy(update={"centroid": np.array([0, 0, 1], dtype=np.float32)})
    parent = asyncio.run(WardMetaClusterModel(2, Unasked()).reduce_clusters([many, one, far]))[-1]
    np.testing.assert_allclose(parent.centroid, [0.95, 0.15, 0], rtol=1e-5)


@given(st.lists(st.text(min_size=1, max_size=60), min_size=2, max_size=6))
def test_any_children_give_their_parent_a_name(names):
    assert parent_name(names, [None] * len(names), [1] * len(names)).strip()
