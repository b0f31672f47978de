from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.cluster_names import (
    MAX_CHARACTERS,
    best_match,
    distinct_name,
    distinct_names,
    joined_name,
    near_duplicate,
    numbered_names,
    three_word_slug,
    tidy_name,
)


@pytest.mark.parametrize(
    ("given_name", "tidied"),
    [
        ("Plan a trip", "Plan a trip"),
        ('  "Plan\n a   trip." ', "Plan a trip"),
        ("“Plan a trip”", "Plan a trip"),
        (
            "one two three four five six seven eight nine ten eleven",
            "one two three four five six seven eight nine ten…",
        ),
        ("", ""),
    ],
)
def test_name_is_tidied(given_name: str, tidied: str) -> None:
    assert tidy_name(given_name) == tidied


@given(st.text())
def test_tidied_name_is_short_and_on_one_line(name: str) -> None:
    tidied = tidy_name(name)
    assert len(tidied) <= MAX_CHARACTERS
    assert len(tidied.split(" ")) <= 10
    assert "\n" not in tidied


@pytest.mark.parametrize(
    ("slug", "name", "expected"),
    [
        ("tax_return_help", "File a tax return", "tax_return_help"),
        ("Tax Return!! Help (2024)", "File", "tax_return_help"),
        ("taxes", "File a tax return", "taxes_file_a"),
        ("tax_tax_tax", "Tax", "tax_conversation_group"),
        ("", "", "conversation_group_topic"),
        ("помощь_с_налогами", "", "помощь_с_налогами"),
    ],
)
def test_slug_has_three_words(slug: str, name: str, expected: str) -> None:
    assert three_word_slug(slug, name) == expected


@given(st.text(), st.text())
def test_any_slug_is_three_words_in_snake_case(slug: str, name: str) -> None:
    assert re.fullmatch(r"[^\W_]+_[^\W_]+_[^\W_]+", three_word_slug(slug, name))


def test_best_match_is_the_best_and_not_the_first() -> None:
    candidates = ["Debug Python code!!", "Debug Python code", "Debug Python codes"]
    assert best_match("debug python CODE", candidates) == ("Debug Python code", 100)
    assert best_match("", candidates) is None
    assert best_match("anything", []) is None


def test_near_duplicates_are_found_by_likeness() -> None:
    assert near_duplicate("Debug front-end frameworks", ["Plan trips", "Debug frontend frameworks"]) is not None
    assert near_duplicate("Debug databases", ["Plan trips", "Debug frontend frameworks"]) is None


def test_taken_name_gets_its_slug_and_then_a_number() -> None:
    assert distinct_name("Plan a trip", "trip_to_sea", []) == "Plan a trip"
    assert distinct_name("Plan a trip", "trip_to_sea", ["plan a trip"]) == "Plan a trip (trip to sea)"
    names = distinct_names([("Plan a trip", "trip_to_sea")] * 4)
    assert names == ["Plan a trip", "Plan a trip (trip to sea)", "Plan a trip (2)", "Plan a trip (3)"]


@given(st.lists(st.tuples(st.sampled_from(["a", "A", "b b", "", "Plan trips", "Plan tripz"]), st.text(max_size=9))))
def test_names_of_a_list_all_differ(named: list[tuple[str, str]]) -> None:
    names = [name.casefold() for name in distinct_names(named)]
    # An empty name is a matter for those who make names; it is the only one that may stay.
    assert len(set(names) - {""}) == len([name for name in names if name])


@pytest.mark.parametrize(
    ("names", "numbered"),
    [
        (["Book", "book ", "BOOK"], ["Book", "book (2)", "BOOK (3)"]),
        (["Book", "Book", "Book (2)"], ["Book", "Book (3)", "Book (2)"]),
        (["Taken", "Other"], ["Taken (2)", "Other"]),
        (["  two\n lines"], ["two lines"]),
        ([], []),
    ],
)
def test_equal_names_are_numbered(names: list[str], numbered: list[str]) -> None:
    assert numbered_names(names, taken=["taken"]) == numbered


@given(st.lists(st.sampled_from(["a", "A", " a", "a (2)", "A (3)", "b"]) | st.text(max_size=4)))
def test_numbered_names_all_differ_and_first_ones_stay(names: list[str]) -> None:
    numbered = numbered_names(names)
    assert len({name.casefold() for name in numbered}) == len(names)
    for position, name in enumerate(names):
        spaced = " ".join(name.split())
        if spaced.casefold() not in {" ".join(other.split()).casefold() for other in names[:position]}:
            assert numbered[position] == spaced


def test_joined_name_shows_two_and_counts_the_rest() -> None:
    assert joined_name(["A", "B"]) == "A / B"
    assert joined_name(["A", "B", "C", "D"]) == "A / B and 2 more"
    assert len(joined_name(["x" * 500, "y" * 500])) < 110
