from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.cluster_names import (
    MAX_CHARACTERS,
    SAME_MEANING,
    best_match,
    distinct_name,
    distinct_names,
    joined_name,
    near_duplicate,
    near_duplicates,
    numbered_names,
    three_word_slug,
    tidy_name,
)
from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
from kura_dagster_tests.labelled_names import DIFFERENT, SAME, pairs


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


ALIKE = st.lists(st.sampled_from(["Plan a trip", "plan a trip.", "Plan trips", "Plan tripz", "", " ", "Plan 2 trips"]))


@given(ALIKE | st.lists(st.text(alphabet="aAb ", max_size=12)))
def test_many_names_have_the_near_duplicates_that_one_by_one_they_have(names: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kura_dagster.pipeline.cluster_names._BLOCK_ROWS", 3)
        found = near_duplicates(names)
        told_apart = distinct_names([(name, "a_b_c") for name in names])
    before: list[str] = []
    for position, name in enumerate(names):
        earlier = near_duplicate(name, names[:position])
        at = found[position]
        assert (None if at is None else names[at]) == earlier
        assert told_apart[position] == distinct_name(name, "a_b_c", before)
        before.append(told_apart[position])


def test_names_of_one_meaning_are_near_duplicates_where_there_are_vectors() -> None:
    names = ["Reset a password", "Bake bread", "Recover access to an account", ""]
    vectors = np.array([[1, 0], [0, 1], [np.cos(0.3), np.sin(0.3)], [0, 0]], dtype=np.float32)
    assert near_duplicates(names) == [None] * 4
    assert near_duplicates(names, vectors) == [None, None, 0, None]


def test_limit_of_meaning_holds_on_labelled_names(tmp_path: Path) -> None:
    minilm = MiniLMEmbeddingModel(cache_folder=tmp_path)
    shares = []
    for listed in (SAME, DIFFERENT):
        texts = [name for pair in pairs(listed) for name in pair]
        vectors = np.asarray(asyncio.run(minilm.embed(texts)))
        shares.append(np.mean((vectors[::2] * vectors[1::2]).sum(axis=1) >= SAME_MEANING))
    assert shares == [21 / 40, 1 / 40]
    assert not any(near_duplicate(one, [other]) for one, other in pairs(SAME))


def test_thousands_of_names_take_seconds() -> None:
    source = np.random.default_rng(1)
    words = "plan fix write explain debug compare broken python trip meals report essay query budget".split()
    names = [" ".join(source.choice(words, 7)) for _ in range(3_000)]
    started = time.process_time()
    assert any(each is not None for each in near_duplicates(names))
    assert len(distinct_names([(name, "a_b_c") for name in names])) == 3_000
    assert time.process_time() - started < 10


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
