"""Shorter imperatives: what goes, what has to stay, and texts with nothing in them."""

from __future__ import annotations

import pytest

from kura_dagster.pipeline.embedded.shortening import shortened_imperatives


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
