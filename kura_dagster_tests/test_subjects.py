"""Subjects and topics: what a group is about, and that a name by subject claims no more than its members said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded.group_words import Group, common_spelling, noun_phrases, theme_weights
from kura_dagster.pipeline.embedded.subjects import Subject, contrasts, fitted, names_by_subject, subjects_of, topics_of
from kura_dagster.pipeline.embedded.topics import TOPICS

DIRECTION = np.array([1.0, 0.0])


def group(*said: str, asked: list[str] | None = None) -> Group:
    vectors = np.tile(DIRECTION, (len(said), 1))
    return Group(list(asked or said), list(said), vectors, DIRECTION)


def subject(form: str, *members: int, fit: float = 0.2) -> Subject:
    return Subject((form,), form, frozenset(members), 0.5, fit)


def names(members: Group, *subjects: Subject) -> list[str]:
    return [name for name, _, _ in names_by_subject(members, subjects)]


BOARDS = group(
    "Who can see a client board?",
    "I want to lock a client board",
    "share the client board with kyoto",
    "what does Kyoto cost",
    "is KYOTO nice",
)


def test_subjects_are_what_members_share_in_a_form_that_stands_for_all() -> None:
    (theme, _) = theme_weights([BOARDS, group("a refund", "one more refund")])
    found = {one.form: one.members for one in subjects_of(BOARDS, theme, common_spelling([BOARDS]))}
    assert found["client boards"] == {0, 1, 2}
    assert "who" not in found


def test_most_peoples_spelling_wins_and_shouting_does_not() -> None:
    spelling = common_spelling([group("in Kyoto", "to Kyoto", "via kyoto", "my INTERVIEWS", "an SQL query", "the sql")])
    assert spelling["kyoto"] == "Kyoto"
    assert spelling["sql"] == "SQL"
    assert "interviews" not in spelling


def test_an_error_by_any_name_is_an_error() -> None:
    forms = [form for _, form in noun_phrases("Why do I get a KeyError and then some ValueError?")]
    assert {"a error", "error"} & set(forms)


def test_a_name_lists_what_covers_most_members_most_common_first() -> None:
    members = group(*["x"] * 10)
    names = [
        name for name, _, _ in names_by_subject(members, [subject("taps", 0, 1, 2), subject("plants", 3, 4, 5, 6)])
    ]
    assert "Get help with plants and taps" in names
    # What nearly everyone mentions needs nothing beside it.
    names = [name for name, _, _ in names_by_subject(members, [subject("taps", *range(8)), subject("plants", 8, 9)])]
    assert names == ["Get help with taps", "Get help with plants"]


def test_a_group_in_trouble_wants_it_fixed_and_problems_are_not_fixed_twice() -> None:
    members = group(*["x"] * 4, asked=["It doesn't work", "it is broken", "error again", "thanks"])
    assert names(members, subject("printers", 0, 1, 2)) == ["Fix problems with printers"]
    assert names(members, subject("sign-in problems", 0, 1, 2)) == ["Get help with sign-in problems"]


@given(st.lists(st.sets(st.integers(0, 7), min_size=1), max_size=6), st.integers(1, 8))
def test_coverage_is_the_share_of_members_that_use_a_subject(users: list[set[int]], n_members: int) -> None:
    subjects = [subject(f"word{number}", *own) for number, own in enumerate(users)]
    for name, chosen, covered in names_by_subject(group(*["x"] * n_members), subjects):
        assert 0 < covered <= 1
        assert len(chosen) <= 3
        assert all(one.form in name for one in chosen)


def test_a_subject_that_fits_others_as_well_is_dropped() -> None:
    centroids = np.array([[1.0, 0.0], [0.0, 1.0]])
    between = np.array([1.0, 1.0]) / np.sqrt(2)
    far = np.array([0.39, np.sqrt(1 - 0.39**2)])
    kept = fitted([subject("own", 0), subject("both", 0), subject("far", 0)], [DIRECTION, between, far], centroids, 0)
    # What the group is very near to stays, though others are as near.
    assert [(one.form, one.fit) for one in kept] == [("own", 1.0), ("both", 0.02)]
    assert fitted([], [], centroids, 0) == []
    np.testing.assert_allclose(contrasts(np.stack([DIRECTION]), centroids[:1], 0), [1.0])


def topics(members: Group, topic: str, cosine: float) -> list[Subject]:
    """Return the topics of a group that has this cosine with one of them and none with the others."""
    vectors = np.tile(np.array([0.0, 1.0]), (len(TOPICS), 1))
    vectors[TOPICS.index(topic)] = [cosine, np.sqrt(1 - cosine**2)]
    return topics_of(members, vectors)


def test_topics_are_those_that_the_group_is_very_near_to() -> None:
    assert topics(BOARDS, "Git", 1.0) == [Subject(("git",), "Git", frozenset(range(5)), 1.0)]
    assert [one.form for one in topics(BOARDS, "Git", 0.5)] == ["Git"]
    assert topics(BOARDS, "Git", 0.42) == []
    assert topics_of(BOARDS, np.tile(np.array([0.0, 1.0]), (len(TOPICS), 1))) == []


@pytest.mark.parametrize(
    ("topic", "said", "is_one"),
    [
        ("spam", ["I forgot my password", "reset the password"], False),
        ("passwords", ["I forgot my password", "reset the password"], True),
        ("passwords", ["I forgot my password", *["x"] * 4], False),  # one of several
        ("passwords", ["my password"], True),
        ("passwords", [*["my password"] * 2, *["x"] * 12], False),  # two of many
        ("exchange rates", [*["what is my rate"] * 2, *["x"] * 6], False),  # half of it, seldom
        ("exchange rates", [*["what is my exchange rate"] * 2, *["x"] * 6], True),
        ("Wi-Fi", ["the wifi is slow", "wi-fi again"], True),
        ("meal plans", ["my plan", "a plan"], False),  # the word says nothing
        ("to-do lists", ["my lists", "a list"], True),  # but here it is the only one
    ],
)
def test_a_topic_that_is_merely_near_has_to_be_mentioned(topic: str, said: list[str], is_one: bool) -> None:
    assert [one.form for one in topics(group(*said), topic, 0.35)] == [topic] * is_one


def test_topics_are_distinct_and_fit_into_a_list() -> None:
    assert len(set(map(str.lower, TOPICS))) == len(TOPICS) > 200
    assert not [topic for topic in TOPICS if " and " in topic or "," in topic or len(topic.split()) > 3]
