"""Requests as they were said: what is cut away around them, and what never is."""

from __future__ import annotations

import pytest

from kura_dagster.pipeline.embedded.plain_requests import as_said, cut_abroad, is_direct_question, without_lone_marks


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("hi, what is my balance please?", "What is my balance"),
        ("can you tell me what is my balance", "What is my balance"),
        ("can i get new checks i'm out of mine", "Can I get new checks"),
        ("call [name] now", "Call … now"),
        ("Kannst du mir helfen, bitte?", "Kannst du mir helfen"),
    ],
)
def test_what_is_around_a_request_goes(sentence: str, said: str) -> None:
    assert [one.text for one in as_said(sentence)] == [said]


def test_a_reported_question_is_left_to_rewriting() -> None:
    assert as_said("tell me who your boss is") == as_said("let me know if it rains") == as_said("word " * 40) == []
    assert is_direct_question("what is my balance")
    assert not is_direct_question("can you check my balance")


def test_what_says_no_stays_abroad() -> None:
    assert cut_abroad("Wo isst man gut, wenn es regnet", 11) == ["Wo isst man gut, wenn es regnet", "Wo isst man gut"]
    assert cut_abroad("Wo isst man gut, ohne zu warten", 11) == ["Wo isst man gut, ohne zu warten"]
    assert cut_abroad("eins zwei drei vier", 3) == ["eins zwei drei…"]
    assert cut_abroad("=SUMME(A1)", 11) == []


def test_marks_that_cutting_left_alone_go() -> None:
    assert without_lone_marks("Fix “invalid literal") == "Fix invalid literal"
    assert without_lone_marks("Fix “invalid literal”") == "Fix “invalid literal”"
    assert without_lone_marks("Call int() with 'ten") == "Call int with ten"
