"""The request sentence: found behind greetings and small talk, in three languages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded.request_sentence import (
    clean,
    content_words,
    request_sentences,
    sentences,
    shortened,
    stem,
    strip_niceties,
)


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (["Hi there! How do I reset my password?"], "How do I reset my password?"),
        (["hi", "can you book me a table for two"], "can you book me a table for two"),
        (["hello", "my printer won't connect", "ok thanks, that is all"], "my printer won't connect"),
        (
            ["We are five people. I've been a customer for years. I want to cancel my subscription. Thanks!"],
            "I want to cancel my subscription.",
        ),
        (["Find me a hotel in Rome", "Yes, that one please", "No, nothing else"], "Find me a hotel in Rome"),
        (["Buenas tardes, ¿cómo puedo cancelar mi pedido?"], "¿cómo puedo cancelar mi pedido?"),
        (["No sound on my laptop"], "No sound on my laptop"),
        (["Fix this for me:\n```python\nimport os\nhow do I = 1\n```"], "Fix this for me:"),
        (["[1, 2]\n[name] and I need help"], "[name] and I need help"),
        (["thanks"], "thanks"),
    ],
)
def test_the_sentence_that_asks_is_found(turns: list[str], expected: str) -> None:
    assert request_sentences(turns)[0] == expected


def test_a_later_turn_adds_what_the_first_lacks() -> None:
    turns = ["I need a hair salon in the city center", "Berlin.", "Please book an appointment for a haircut on Friday."]
    assert request_sentences(turns)[1] == "book an appointment for a haircut on Friday."


def test_a_question_for_a_detail_adds_nothing() -> None:
    assert len(request_sentences(["Find me a cheap hotel in Rome", "What is their phone number and address?"])) == 1


@pytest.mark.parametrize("turns", [[], [""], ["  \n", "…"], ["🙂"]])
def test_without_a_word_there_is_no_sentence(turns: list[str]) -> None:
    assert request_sentences(turns) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I do not want you to\ncancel my account", ["I do not want you to cancel my account"]),
        ("I went to the\nTime Out bar", ["I went to the Time Out bar"]),
        ("I don't… cancel it", ["I don't… - cancel it"]),
        ("Nobody should... cancel it", ["Nobody should... - cancel it"]),
        ("It does not print - help me", ["It does not print - help me"]),
        ("It prints - help me", ["It prints", "help me"]),
        ("It does not print.\nhelp me", ["It does not print.", "help me"]),
        ("It does not print\nHelp me", ["It does not print", "Help me"]),
    ],
)
def test_what_a_negation_may_still_deny_is_one_sentence_with_it(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_negation_is_no_greeting() -> None:
    assert strip_niceties("No, please don't cancel it") == "don't cancel it"
    assert strip_niceties("no internet connection") == "no internet connection"


def test_abbreviations_end_no_sentence() -> None:
    text = "I saw Dr. Weber today. It costs e.g. 5 euros."
    assert sentences(text) == ["I saw Dr. Weber today.", "It costs e.g. 5 euros."]


def test_words_of_one_stem() -> None:
    assert len({stem(word) for word in ("cancel", "cancelled", "cancels", "Cancelling")}) == 1
    assert stem("flights") == stem("flight's") == stem("flight")
    assert stem("class") != stem("clas")


def test_shortened_text_ends_at_a_word() -> None:
    assert shortened("one two three", 30) == "one two three"
    assert shortened("one two three four", 12) == "one two…"


@given(st.lists(st.text(max_size=200), max_size=6))
def test_what_is_found_is_one_clean_line(turns: list[str]) -> None:
    for sentence in request_sentences(turns):
        assert sentence == clean(sentence) != ""
        assert not any(ord(character) < 32 for character in sentence)


@given(st.text(max_size=100))
def test_content_words_are_small_and_more_than_a_letter(text: str) -> None:
    for word in content_words(text):
        assert word == word.lower()
        assert len(word) > 1


@pytest.mark.parametrize("text", ["please " * 20_000, "." * 100_000, "```" * 40_000, "a. " * 40_000, "\u202e" * 50_000])
def test_hostile_text_costs_no_time(text: str) -> None:
    begin = time.perf_counter()
    request_sentences([text] * 3)
    assert time.perf_counter() - begin < 5
