"""Shorter imperatives: what goes, what has to stay, and texts with nothing in them."""

from __future__ import annotations

import pytest

from kura_dagster.pipeline.embedded.shortening import n_fillers, shortened_imperatives, with_slots


@pytest.mark.parametrize("text", ["", " ", ",", ", , ;", "…"])
def test_nothing_has_nothing_shorter(text: str) -> None:
    assert shortened_imperatives(text, lambda word: True) == []


def test_one_word_stays() -> None:
    assert shortened_imperatives("Unsubscribe", lambda word: True) == ["Unsubscribe"]


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("Do not cancel, reset or delete the account", "not"),
        ("Get a hotel without breakfast in Rome", "without"),
        ("Report that it works on nothing except phones", "nothing"),
        ("Report that the plan won't renew with the card", "won't"),
        ("Renew nothing unless the price stays", "unless"),
    ],
)
def test_what_says_no_stays(text: str, needed: str) -> None:
    found = shortened_imperatives(text, lambda word: True)
    assert found
    assert all(needed in shorter.split() for shorter in found)


def test_no_more_words_than_allowed() -> None:
    text = "Book a flight to Rome for two with a window on Friday"
    assert max(len(one.split()) for one in shortened_imperatives(text, lambda word: False, 6)) == 6


@pytest.mark.parametrize(
    ("text", "rare", "general"),
    [
        ("What is the definition of lucid", {"lucid"}, "What is the definition of …"),
        ("Find a flight from Oslo to Rome", {"Oslo", "Rome"}, "Find a flight from … to …"),
        ("Watch Rome and Oslo", {"Oslo", "Rome"}, "Watch … and …"),
        ("Watch a film by Rome Oslo", {"Oslo", "Rome"}, "Watch a film by …"),
        ("Book a cheap Italian restaurant", {"cheap", "Italian"}, "Book a restaurant"),
        ("List the to-do items", {"items"}, "List the to-do items"),  # an article needs its noun
        ("Watch the show", {"watch"}, "Watch the show"),  # verbs stay
        ("Speak louder", {"louder"}, "Speak louder"),
        ("Can I incur fees", {"incur"}, "Can I incur fees"),  # a verb's place, though nobody knows the verb
    ],
)
def test_a_slot_stands_for_what_few_share(text: str, rare: set[str], general: str) -> None:
    assert with_slots(text, rare.__contains__) == general


def test_fillers_are_nouns_and_numbers_that_few_share() -> None:
    assert n_fillers("Find a flight to Rome for 4", {"Rome", "4", "find"}.__contains__) == 2
    assert n_fillers("How is the traffic to work today", {"work", "today", "how"}.__contains__) == 2
    assert n_fillers("Can I incur fees", {"incur"}.__contains__) == 0
