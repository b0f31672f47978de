"""Names without a model: imperatives of the members' own words, told apart, never the opposite of what was asked."""

from __future__ import annotations

import asyncio
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded import extractive_naming
from kura_dagster.pipeline.embedded.extractive_naming import (
    ExtractiveClusterDescriptionModel,
    choose_names,
    describe,
    slug_for,
)
from kura_dagster.pipeline.embedded.group_words import Group, stems
from kura_dagster.pipeline.embedded.imperative import imperatives
from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
from kura_dagster.pipeline.embedded.name_candidates import Candidate
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
def minilm(minilm_cache):
    return MiniLMEmbeddingModel(minilm_cache)


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


def test_groups_that_ask_the_same_become_one_cluster(groups, minilm):
    twins = [each.model_copy(update={"chat_id": f"twin-{each.chat_id}"}) for each in groups[0]]
    password, refund = named({0: groups[0], 1: groups[1], 2: twins}, minilm)
    assert password.chat_ids == sorted(each.chat_id for each in [*groups[0], *twins])
    assert password.cluster_id == cluster_id_of(password.chat_ids)
    assert password.description.startswith("Users asked for this in 10 conversations")
    np.testing.assert_allclose(
        password.centroid, np.mean([each.embedding for each in groups[0]], axis=0), rtol=0, atol=1e-5
    )
    assert refund.chat_ids == sorted(each.chat_id for each in groups[1])


def texts_named(minilm, texts, languages=("english",)):
    members = [
        ConversationSummary(chat_id=f"{number}", summary=text, request=text, languages=list(languages))
        for number, text in enumerate(texts)
    ]
    (cluster,) = named({0: members}, minilm)
    return cluster


def test_what_one_member_alone_says_is_not_in_the_name(minilm):
    flights = [
        "Can you book me a flight to Lisbon?",
        "I want to book a flight",
        "book a flight to Oslo on Friday for two",
        "I'd like to book a flight with Lufthansa",
        "please book me a cheap flight",
    ]
    assert texts_named(minilm, flights).name == "Book a flight"


def test_personal_data_stands_in_no_name_and_in_no_example(minilm):
    texts = [
        "Cancel the order of [name]",
        "I want to cancel my order [number]",
        "cancel order, I'm Anna Schmidt, from Rome",
    ]
    cluster = texts_named(minilm, texts)
    assert "[" not in cluster.name
    assert "Schmidt" not in cluster.name + cluster.description + cluster.slug


def test_a_group_in_another_language_is_named_in_it(minilm):
    wishes = ["Wie kann ich mein Abo kündigen?", "Ich möchte mein Abo kündigen", "Abo weg"]
    assert texts_named(minilm, wishes, ["german"]).name == "Abo kündigen"
    question = texts_named(minilm, ["Was kostet das?", "Was kostet das nun?"], ["german"])
    assert question.name.startswith("Was kostet das")
    assert question.slug.isascii()


def test_what_cannot_be_named_is_refused(groups, minilm):
    model = ExtractiveClusterDescriptionModel(minilm)
    with pytest.raises(ValueError, match=r"Group 3 has no summaries"):
        asyncio.run(model.generate_clusters({3: []}))
    with pytest.raises(ValueError, match=r"follows no prompt"):
        asyncio.run(model.generate_clusters({}, prompt="Be brief"))
    foreign = [each.model_copy(update={"embedding": np.ones(3, dtype=np.float32)}) for each in groups[0]]
    with pytest.raises(ValueError, match=r"384 dimensions \(minilm\) and the summaries' 3"):
        asyncio.run(model.generate_clusters({0: foreign}))
    assert asyncio.run(model.generate_clusters({})) == []


def test_descriptions_hold_three_examples_at_most_each_once():
    text = describe(["reset it", "Reset it.", 'say "hi"', "third", "fourth"])
    assert text == 'Users asked for this in 5 conversations, for example: "reset it"; "say \'hi\'"; "third".'
    assert (
        describe(["mail anna@example.test"]) == 'Users asked for this in 1 conversation, for example: "mail [email]".'
    )


@pytest.mark.parametrize(
    ("name", "texts", "slug"),
    [
        ("Cancel the red order today", [], "cancel_red_order"),
        ("Get all kinds of help with billing", ["the invoice", "my invoice and bill"], "billing_invoice_bill"),
        ("Straße über Größe", [], "strasse_grosse_uber"),
        ("…", [], "conversation_group_topic"),
    ],
)
def test_slugs_are_three_ascii_words_of_meaning(name, texts, slug):
    assert slug_for(name, texts) == slug


@settings(max_examples=20)
@given(st.lists(st.lists(st.text(max_size=60), min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_groups_get_names_that_differ(minilm, texts):
    clusters = named(
        {
            number: [
                ConversationSummary(chat_id=f"{number}-{position}", summary=text) for position, text in enumerate(own)
            ]
            for number, own in enumerate(texts)
        },
        minilm,
    )
    assert len({cluster.name.lower() for cluster in clusters}) == len(clusters)
    assert sorted(chat_id for cluster in clusters for chat_id in cluster.chat_ids) == sorted(
        f"{number}-{position}" for number, own in enumerate(texts) for position in range(len(own))
    )
    assert all(cluster.name.strip() and cluster.description for cluster in clusters)


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
    ("sentence", "name"),
    [
        ("I don't want to cancel my subscription", "Do not cancel the subscription"),
        ("Please do not delete my account", "Do not delete the account"),
        ("Please don't, under any circumstances, delete my account", "Do not delete the account"),
        ("Stop the renewal without losing my boards", "Stop the renewal without losing the boards"),
        ("I can't log in to my account", "Fix trouble logging in to the account"),
        ("Why doesn't the formula work?", "Explain why the formula does not work"),
        ("Never send me the newsletter again", "Do not send the newsletter again"),
    ],
)
def test_a_name_never_says_the_opposite(minilm, sentence, name):
    assert texts_named(minilm, [sentence, sentence, sentence.lower()]).name == name


def test_a_group_that_shares_a_topic_and_hardly_a_word_is_named_by_the_topic(minilm):
    texts = [
        "My flatbread came out dense",
        "Sourdough spreads into a pancake, why?",
        "How long should a brioche prove?",
        "The crust of my ciabatta is pale",
        "Can I bake baguettes without steam?",
    ]
    texts += ["Cancel my subscription", "Stop the subscription"]
    vectors = asyncio.run(minilm.embed(texts))
    members = [
        ConversationSummary(chat_id=f"{n}", summary=text, languages=["english"], embedding=vectors[n])
        for n, text in enumerate(texts)
    ]
    bread, subscription = named({0: members[:5], 1: members[5:]}, minilm)
    assert re.search("bread|baking", bread.name)
    assert "subscription" in subscription.name


def test_members_in_other_languages_lend_a_name_no_words(minilm):
    texts = ["How do I reset my password?", "Please reset my password", "reset the password of my account"]
    texts += ["¿Cómo cambio la contraseña del portátil?"]
    vectors = asyncio.run(minilm.embed(texts))
    members = [
        ConversationSummary(
            chat_id=f"{n}", summary=text, languages=["english" if n < 3 else "spanish"], embedding=vectors[n]
        )
        for n, text in enumerate(texts)
    ]
    (cluster,) = named({0: members}, minilm)
    assert cluster.name == "Reset the password"


def test_a_group_that_shares_only_its_language_says_so(minilm):
    texts = ["Wie repariere ich den Wasserhahn?", "Meine Rechnung stimmt leider nicht", "Schimmel hinter dem Schrank"]
    assert texts_named(minilm, texts, ["german"]).name == "Ask in German about different things"


OWN, OTHER, NOWHERE = np.eye(3, dtype=np.float32)


class Chosen:
    """An embedding model with vectors of the test's choice; a text it wasn't told of is near to no group."""

    def __init__(self, vectors=()):
        self.vectors = dict(vectors)

    async def embed(self, texts):
        return np.stack([self.vectors.get(text, NOWHERE) for text in texts])

    def slug(self):
        return "chosen"


def chosen_names(monkeypatch, *options, middles=(OWN, OWN, OWN)):
    """Choose among (name, score) pairs, a list for each group, whose members use the words of all of them."""
    groups = [
        Group(["ask"], [". ".join(name for name, _ in own)], middle[None], middle)
        for own, middle in zip(options, middles, strict=False)
    ]

    async def ranked(*_):
        return [[Candidate(name, 1, 1, 1, 0, score=score) for name, score in own] for own in options]

    monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
    return asyncio.run(choose_names(groups, Chosen()))


def test_the_group_that_a_name_fits_best_keeps_it(monkeypatch):
    options = [("Reset the password", 1.0), ("Change the code", 0.9)], [("Reset the password", 2.0)]
    assert chosen_names(monkeypatch, *options) == ["Change the code", "Reset the password"]


def test_a_name_that_means_what_another_one_means_is_taken(monkeypatch):
    options = (
        [("Fix problems with boards", 3.0)],
        [("Reset the password", 2.0)],
        [("Reset the password", 1.9), ("Get help with boards", 1.8), ("Change the code", 1.7)],
    )
    assert chosen_names(monkeypatch, *options)[2] == "Change the code"


def test_a_much_worse_name_does_not_stand_in_for_a_taken_one(monkeypatch):
    options = [("Reset the password", 2.0)], [("Reset the password", 1.9), ("Change the code", 1.0)]
    assert chosen_names(monkeypatch, *options) == ["Reset the password", "Reset the password (code)"]


def test_other_words_for_the_same_are_no_other_name(monkeypatch):
    options = [("Find a hotel", 2.0)], [("Search for a hotel", 1.9), ("Look for hotels", 1.8)]
    assert chosen_names(monkeypatch, *options) == ["Find a hotel", "Find a hotel"]


def test_groups_far_from_each_other_have_names_of_their_own(monkeypatch):
    options = [("Find a hotel", 2.0)], [("Search for a hotel", 1.9), ("Look for hotels", 1.8)]
    assert chosen_names(monkeypatch, *options, middles=[OWN, OTHER]) == ["Find a hotel", "Look for hotels"]


def test_what_tells_a_group_apart_is_no_name_of_its_neighbours(monkeypatch):
    async def ranked(*_):
        return [[Candidate("Find a hotel", 1, 1, 1, 0, score=score)] for score in (2.0, 1.9, 1.8)]

    monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
    groups = [
        Group(["hotel"] * 9, [said] * 9, middle[None], middle, chat_ids=["id"] * 9)
        for said, middle in (("a hotel", OTHER), ("a hotel with a pool", OWN), ("a hotel", OWN))
    ]
    names = asyncio.run(choose_names(groups, Chosen()))
    assert names == ["Find a hotel", "Find a hotel (pool)", "Find a hotel (2)"]


def test_how_and_when_are_two_requests(monkeypatch):
    options = [("How do I change the oil", 2.0)], [("When should I change the oil", 1.9)]
    assert chosen_names(monkeypatch, *options) == ["How do I change the oil", "When should I change the oil"]


def named_with(monkeypatch, *options):
    """Choose among (name, score, members that it is near to) of a group of four."""

    async def ranked(*_):
        return [
            [
                Candidate(name, 1, 1, 1, 0, score=score, near=np.isin(range(4), members))
                for name, score, members in options
            ]
        ]

    monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
    (name,) = asyncio.run(choose_names([Group(["ask"] * 4, ["ask"] * 4, OWN[None], OWN)], Chosen()))
    return name


def test_a_group_of_two_requests_is_named_by_both(monkeypatch):
    first = ("List the ingredients", 2.0, [0, 1])
    assert named_with(monkeypatch, first, ("Find a recipe", 0.5, [2, 3])) == "List the ingredients / Find a recipe"
    assert named_with(monkeypatch, first, ("Find a recipe", 0.5, [1, 2])) == "List the ingredients"
    assert named_with(monkeypatch, first, ("Find recipes", 1.8, [0, 1, 2])) == "Find recipes"
    most = ("List the ingredients", 2.0, [0, 1, 2])
    assert named_with(monkeypatch, most, ("Find a recipe", 1.9, [2, 3])) == "List the ingredients"


def test_a_number_of_one_member_stands_in_no_name(minilm):
    sums = ["what is 25% of $54,788", "if something is 15% off $35, how much is it", "what's 15% of 68"]
    assert texts_named(minilm, sums).name == "What is …% of $…"


def test_a_candidate_that_stands_for_no_group_is_no_name(monkeypatch):
    subject = Candidate("Get help with boards", 1, 1, 1, 0, says_request=False, score=0.1)

    def chosen(**of_the_request):
        request = Candidate("Reset the password", 1, 1, 1, 0, **{"score": 2.0, "meant": 1.0} | of_the_request)

        async def ranked(*_):
            return [[request, subject]]

        monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
        (name,) = asyncio.run(choose_names([Group(["ask"] * 2, ["ask"] * 2, OWN[None], OWN)], Chosen()))
        return name

    assert chosen(meant=0.5) == chosen(joints=1) == chosen(is_asked=False) == "Reset the password"
    assert chosen(meant=0.49) == chosen(of_few=1) == "Get help with boards"


def test_who_writes_in_another_language_is_not_read(monkeypatch):
    seen = []

    async def ranked(groups, _):
        seen.extend(groups)
        return [[] for _ in groups]

    monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
    written = [("reset it", "english"), ("cancela esto", "spanish"), ("reset that", "english")]
    members = [
        ConversationSummary(chat_id=f"{n}", summary=text, languages=[language], embedding=OWN)
        for n, (text, language) in enumerate(written)
    ]
    named({0: members}, Chosen())
    assert seen[0].asked == seen[0].said == ["reset it", "reset that"]
    assert len(seen[0].vectors) == 3


def test_names_come_from_the_stored_words_of_users(monkeypatch, minilm):
    words = {"user_words": "Hello\nI want to book a flight"}
    members = [
        ConversationSummary(
            chat_id=f"{n}", summary="Hello", metadata=words, model="extractive", embedding_text="user: cancel my plan"
        )
        for n in range(3)
    ]
    (cluster,) = named({0: members}, minilm)
    assert "flight" in cluster.name


def test_a_mask_is_nobodys_word(minilm):
    texts = ["Soy [name] y el grifo gotea", "Soy [name], mi factura", "Moho en la pared, firma [name]"]
    assert texts_named(minilm, texts, ["spanish"]).name == "Ask in Spanish about different things"
    assert stems("Thanks, [name], my [email] changed") == stems("Thanks, my changed")


def test_a_sentence_as_a_name_shows_no_mask(minilm):
    cluster = texts_named(minilm, ["Perro de [name] muy triste"] * 2, ["spanish"])
    assert cluster.name == "Perro de … muy triste"


def test_what_a_few_have_in_common_by_chance_makes_no_cluster_of_its_own(monkeypatch):
    async def ranked(*_):
        return [
            [Candidate("Find a hotel", 1, 1, 1, 0, score=2.0)],
            [Candidate("Find a hotel in Nairobi", 1, 1, 1, 0, score=2.0)],
        ]

    def names(n_members):
        groups = [
            Group(["hotel"] * n, ["hotel nairobi"] * n, OWN[None], OWN, chat_ids=["id"] * n) for n in (9, n_members)
        ]
        return asyncio.run(choose_names(groups, Chosen()))

    monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
    assert names(2) == ["Find a hotel", "Find a hotel"]
    assert names(9) == ["Find a hotel", "Find a hotel in Nairobi"]


def test_a_name_claims_no_deed_that_few_ask_for(monkeypatch):
    async def ranked(*_):
        scores = {"Book a hotel": 2.0, "Find a hotel": 1.9, "Find a flight": 1.8}
        return [[Candidate(name, 1, 1, 1, 0, score=score) for name, score in scores.items()]]

    def name(*asked):
        (name,) = asyncio.run(choose_names([Group(list(asked), list(asked), OWN[None], OWN)], Chosen()))
        return name

    monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
    assert name("a hotel please", "find me a hotel", "i need a hotel", "book a hotel") == "Find a hotel"
    assert name("book a hotel", "find me a hotel", "i want to book a hotel") == "Book a hotel"


def test_a_topic_nearer_to_a_group_than_any_request_names_it(monkeypatch):
    def name(of_topic, consensus):
        topic = Candidate("Get help with SQL queries", 1, 1, 1, 0, says_request=False, of_topic=of_topic, score=0.1)
        request = Candidate("Count the orders of each customer", 1, 1, 1, 0, consensus=consensus, score=2.0)

        async def ranked(*_):
            return [[request, topic]]

        monkeypatch.setattr(extractive_naming, "rank_candidates", ranked)
        (chosen,) = asyncio.run(choose_names([Group(["ask"] * 4, ["ask"] * 4, OWN[None], OWN)], Chosen()))
        return chosen

    assert name(of_topic=0.5, consensus=0.4) == "Get help with SQL queries"
    assert name(of_topic=0.5, consensus=0.6) == "Count the orders of each customer"
    assert name(of_topic=0.4, consensus=0.3) == "Count the orders of each customer"
