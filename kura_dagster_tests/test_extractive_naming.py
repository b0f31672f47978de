"""Names without a model: imperatives of the members' own words, told apart, never the opposite of what was asked."""

from __future__ import annotations

import asyncio
import random

import numpy as np
import pytest

from kura_dagster.pipeline.embedded.extractive_naming import ExtractiveClusterDescriptionModel
from kura_dagster.pipeline.embedded.imperative import imperatives
from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
from kura_dagster.pipeline.types import ConversationSummary, cluster_id_of

REQUESTS = {
    "password": [
        "How do I reset my password?",
        "I need to reset my password",
        "can you reset the password of my account",
        "Reset password link does not work",
        "please reset my password",
    ],
    "refund": [
        "I want a refund for my order",
        "How can I get a refund?",
        "Can I get a refund for the second payment?",
        "I'd like a refund please",
    ],
    "recipe": [
        "Can you suggest a recipe for pumpkin soup?",
        "I need a pumpkin soup recipe",
        "What is a good recipe for pumpkin soup?",
    ],
}


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    return MiniLMEmbeddingModel(cache_folder=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def groups(minilm):
    texts = [text for own in REQUESTS.values() for text in own]
    vectors = iter(asyncio.run(minilm.embed(texts)))
    return {
        number: [
            ConversationSummary(
                chat_id=f"{topic}-{position}",
                summary=text,
                request=text,
                languages=["english"],
                embedding=next(vectors),
            )
            for position, text in enumerate(own)
        ]
        for number, (topic, own) in enumerate(REQUESTS.items())
    }


def named(groups, minilm):
    return asyncio.run(ExtractiveClusterDescriptionModel(minilm).generate_clusters(groups))


def test_groups_are_named_by_what_their_members_ask_for(groups, minilm):
    password, refund, recipe = named(groups, minilm)
    assert "reset" in password.name.lower()
    assert "password" in password.name.lower()
    assert "refund" in refund.name.lower()
    assert "pumpkin" in recipe.name.lower()
    for cluster in (password, refund, recipe):
        assert len(cluster.name.split()) <= 10
        assert cluster.name[0].isupper()
        assert cluster.name[-1] not in ".?!"
        assert cluster.slug.count("_") == 2
        assert cluster.model == "extractive"
        assert f"{cluster.count} conversation" in cluster.description
    assert password.cluster_id == cluster_id_of(f"password-{n}" for n in range(5))
    np.testing.assert_allclose(
        password.centroid, np.mean([each.embedding for each in groups[0]], axis=0), rtol=0, atol=1e-5
    )


def test_the_order_of_members_does_not_matter(groups, minilm):
    shuffled = {number: random.Random(1).sample(own, len(own)) for number, own in groups.items()}
    before = [each.model_dump() for each in named(groups, minilm)]
    assert [each.model_dump() for each in named(shuffled, minilm)] == before


def test_groups_that_say_the_same_get_different_names(groups, minilm):
    twins = {
        0: groups[0],
        1: [each.model_copy(update={"chat_id": f"twin-{each.chat_id}"}) for each in groups[0]],
    }
    first, second = named(twins, minilm)
    assert first.name.lower() != second.name.lower()


@pytest.mark.parametrize(
    ("sentence", "imperative"),
    [
        ("How do I reset my password?", "Reset "),
        ("Can you cancel my subscription?", "Cancel "),
        ("I need to change the delivery address", "Change "),
        ("Why is the invoice wrong?", "Explain why "),
        ("I lost my card", "Report "),
        ("Is the invoice paid?", "Check whether "),
    ],
)
def test_requests_become_imperatives(sentence, imperative):
    assert any(each.text.startswith(imperative) for each in imperatives(sentence)), imperatives(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "I don't want to cancel my subscription",
        "Please do not delete my account",
        "How do I stop the renewal without losing my boards?",
        "I can't log in to my account",
        "Why doesn't the formula work?",
        "Never send me the newsletter again",
    ],
)
def test_a_name_never_says_the_opposite(sentence):
    negations = ("not", "n't", "never", "without", "stop", "can't", "avoid", "keep", "fix", "trouble", "fail", "unable")
    for each in imperatives(sentence):
        assert any(word in each.text.lower() for word in negations), each.text
