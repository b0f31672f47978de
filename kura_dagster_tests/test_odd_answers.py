"""What comes in the place of an answer: refusals of one question, errors with status 200, pages that no model wrote."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import BaseModel

from kura_dagster.pipeline.failures import LanguageModelError, SetupError
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster_tests.scripted_server import Reply, Script, completion, error_reply, scripted


class Mood(BaseModel):
    mood: str


def happy(body: dict[str, Any]) -> Reply:
    return completion(body, {"mood": "happy"})


def with_error(code: Any, message: str = "Upstream overloaded") -> Reply:
    return Reply(json.dumps({"error": {"message": message, "code": code}, "user_id": "u"}))


PAGE = Reply("<!doctype html><title>Log in</title>", content_type="text/html")


def outcomes(
    monkeypatch: pytest.MonkeyPatch, script: Script, questions: list[str], **options: Any
) -> tuple[list[Any], int]:
    """Return what came of the questions, one asked after the other, and how many requests that took."""
    found: list[Any] = []

    async def ask() -> None:
        async with LanguageModel(**options) as language_model:
            for question in questions:
                try:
                    found.append((await language_model.ask(question, Mood)).mood)
                except LanguageModelError as error:
                    found.append(error)

    with scripted(monkeypatch, script) as bodies:
        asyncio.run(ask())
        return found, len(bodies)


def asked_of(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"])


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_after_an_answer_is_that_questions_own(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    def filtering(body: dict[str, Any]) -> Reply:
        return error_reply(status, "Flagged by a filter.") if "flagged" in asked_of(body) else happy(body)

    found, n_requests = outcomes(monkeypatch, filtering, ["first", *["flagged"] * 4, "plain", *["flagged"] * 4, "last"])
    assert [each == "happy" for each in found] == [True, *[False] * 4, True, *[False] * 4, True]
    assert n_requests == 11
    assert not isinstance(found[1], SetupError)
    assert f"refused this question to openai/gpt-4o-mini (status {status})" in str(found[1])
    assert "It says: Flagged by a filter." in str(found[1])


def test_five_refusals_in_a_row_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def revoked(body: dict[str, Any]) -> Reply:
        return happy(body) if asked_of(body) == "first" else error_reply(403)

    found, n_requests = outcomes(monkeypatch, revoked, ["first", *["later"] * 8])
    assert [type(each) for each in found] == [str, *[LanguageModelError] * 4, *[SetupError] * 4]
    assert n_requests == 6
    assert "Set OPENAI_API_KEY" in str(found[-1])


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_before_any_answer_stops_the_run(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    found, n_requests = outcomes(monkeypatch, lambda _: error_reply(status), ["first", "second"])
    assert [type(each) for each in found] == [SetupError] * 2
    assert n_requests == 1


def test_a_key_that_is_refused_after_an_answer_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def expired(body: dict[str, Any]) -> Reply:
        return happy(body) if asked_of(body) == "first" else error_reply(401)

    found, n_requests = outcomes(monkeypatch, expired, ["first", "second", "third"])
    assert [type(each) for each in found] == [str, SetupError, SetupError]
    assert n_requests == 2


@pytest.mark.parametrize("code", [502, "503", 429])
def test_a_passing_error_with_status_200_is_asked_again(monkeypatch: pytest.MonkeyPatch, code: Any) -> None:
    replies = iter([with_error(code), with_error(code)])
    ledger = Ledger()
    found, n_requests = outcomes(monkeypatch, lambda body: next(replies, happy(body)), ["first"], ledger=ledger)
    assert found == ["happy"]
    assert n_requests == 3
    assert ledger.spent.retries == 2


def test_an_error_inside_of_a_choice_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(body: dict[str, Any]) -> Reply:
        whole = json.loads(happy(body).body)
        whole["choices"][0] |= {"message": {"role": "assistant", "content": ""}, "error": {"code": 502, "message": "x"}}
        return Reply(json.dumps(whole))

    scripts = iter([broken])
    found, n_requests = outcomes(monkeypatch, lambda body: next(scripts, happy)(body), ["first"])
    assert found == ["happy"]
    assert n_requests == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (400, "failed with status 400. It says: Too long"),
        ("bad_request", "gave an error in the place of an answer. It"),
    ],
)
def test_an_error_with_status_200_that_stays_is_told(monkeypatch: pytest.MonkeyPatch, code: Any, told: str) -> None:
    found, n_requests = outcomes(monkeypatch, lambda _: with_error(code, "Too long"), ["first"])
    assert told in str(found[0])
    assert "Too long" in str(found[0])
    assert type(found[0]) is LanguageModelError
    assert n_requests == 1


def test_a_refused_key_with_status_200_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = outcomes(monkeypatch, lambda _: with_error(401), ["first"])
    assert isinstance(found[0], SetupError)


def test_an_answer_without_a_choice_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(body: dict[str, Any]) -> Reply:
        return Reply(json.dumps({**json.loads(happy(body).body), "choices": []}))

    found, n_requests = outcomes(monkeypatch, empty, ["first"])
    assert "gave an empty answer" in str(found[0])
    assert type(found[0]) is LanguageModelError
    assert n_requests == 1


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (PAGE, "a page of HTML"),
        (Reply("It works!", content_type="text/plain"), "a text"),
        (Reply('{"detail": "Not Found"}'), "JSON of another kind"),
    ],
)
def test_what_is_no_models_answer_names_the_address_and_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, reply: Reply, what: str
) -> None:
    found, n_requests = outcomes(monkeypatch, lambda _: reply, ["first", "second"])
    assert [type(each) for each in found] == [SetupError] * 2
    assert n_requests == 1
    assert "No model answers at http://127.0.0.1:" in str(found[0])
    assert f"but {what}. Look at OPENAI_BASE_URL" in str(found[0])


def test_a_page_after_an_answer_is_that_questions_own_until_there_are_five(monkeypatch: pytest.MonkeyPatch) -> None:
    found, n_requests = outcomes(
        monkeypatch, lambda body: happy(body) if asked_of(body) == "first" else PAGE, ["first", *["later"] * 6]
    )
    assert [type(each) for each in found] == [str, *[LanguageModelError] * 4, *[SetupError] * 2]
    assert n_requests == 6


def test_an_option_that_the_sdk_does_not_know_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        async with LanguageModel() as language_model:
            await language_model.create([{"role": "user", "content": "first"}], Mood, validation_context={"a": 1})

    with (
        scripted(monkeypatch, happy) as bodies,
        pytest.raises(LanguageModelError, match=r"failed: TypeError\. It says: .*'validation_context'"),
    ):
        asyncio.run(ask())
    assert not bodies


@pytest.mark.parametrize("told", ["soon", "1, 2", "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_a_rate_limit_that_does_not_say_how_long_is_waited_out(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    replies = iter([error_reply(429, retry_after=told)])
    found, n_requests = outcomes(monkeypatch, lambda body: next(replies, happy(body)), ["first"])
    assert found == ["happy"]
    assert n_requests == 2
