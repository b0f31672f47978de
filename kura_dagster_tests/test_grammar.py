"""Grammar: inflection, and the order of words that a question has turned round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded.grammar import (
    base_of_gerund,
    base_of_past,
    gerund,
    is_number,
    is_plural,
    onlooker,
    past,
    third_person,
    uninverted,
)
from kura_dagster.pipeline.embedded.vocabulary import ENGLISH_VERBS


@pytest.mark.parametrize(
    ("verb", "ing", "before", "she"),
    [
        ("set", "setting", "set", "sets"),
        ("make", "making", "made", "makes"),
        ("go", "going", "went", "goes"),
        ("try", "trying", "tried", "tries"),
        ("fix", "fixing", "fixed", "fixes"),
        ("stop", "stopping", "stopped", "stops"),
        ("open", "opening", "opened", "opens"),
    ],
)
def test_forms_of_a_verb(verb: str, ing: str, before: str, she: str) -> None:
    assert (gerund(verb), past(verb), third_person(verb)) == (ing, before, she)


@given(st.sampled_from(sorted(ENGLISH_VERBS)))
def test_every_form_leads_back_to_a_verb(verb: str) -> None:
    # Not always to the same: "lying" is of "lie", and "found" of "find".
    assert base_of_gerund(gerund(verb)) is not None
    assert base_of_past(past(verb)) is not None


def test_what_only_looks_like_a_form_is_none() -> None:
    assert base_of_gerund("thing") is None
    assert base_of_past("red") is None
    assert is_plural("invoices")
    assert not is_plural("address")
    assert is_number("$24.00")
    assert not is_number("tender")


@pytest.mark.parametrize(
    ("auxiliary", "rest", "statement"),
    [
        ("is", "my flight late", "my flight is late"),
        ("isn't", "my flight late", "my flight is not late"),
        ("does", "the gym open on Sundays", "the gym opens on Sundays"),
        ("did", "my credit score drop", "my credit score dropped"),
        ("do", "I need a visa", "I need a visa"),
        ("will", "my card work in Spain", "my card will work in Spain"),
        ("can't", "I log in", "I cannot log in"),
        ("is", "it", None),
    ],
)
def test_a_question_becomes_a_statement(auxiliary: str, rest: str, statement: str | None) -> None:
    assert uninverted(auxiliary, rest) == statement


def test_an_onlooker_speaks_of_the_user_and_the_assistant() -> None:
    assert onlooker("check whether I need my card") == "check whether the user needs the card"
    assert onlooker("find out who made you") == "find out who made the assistant"
