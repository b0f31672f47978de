"""A limit of cost against the bill that the loopback server writes: it is never passed, whatever is asked and fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, Field

from kura_dagster.pipeline.failures import BudgetError
from kura_dagster.pipeline.language_model.client import LanguageModel, LanguageModelError
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster.pipeline.language_model.tokens import answer_tokens, expected_tokens, tokens_of
from kura_dagster.pipeline.prices import Price, Prices
from kura_dagster_tests.loopback_server import Faults, LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

PRICES = Prices(
    {
        "openai/small": Price(input=1, output=4),
        "openai/large": Price(input=10, output=40),
        "openai/vectors": Price(input=2),
    }
)
ENGLISH = "The user asks how the violet kettle is cleaned, and what to do where it sings at night. " * 8
CHINESE = "我的訂單還沒有到，請問什麼時候可以收到包裹？" * 30


class Short(BaseModel):
    summary: str


class Long(BaseModel):
    """A schema that is longer than what is asked with it."""

    summary: str = Field(description="What the user wants, in a sentence. " * 20)
    topic: str = Field(description="The subject, in one word and in lower case. " * 20)
    score: int = Field(ge=1, le=5, description="How content the user is at the end. " * 20)


def billed(server: LoopbackServer) -> float:
    """What the server counted, at our prices."""
    costs = [PRICES.cost_usd(f"openai/{name}", *tokens) for name, tokens in server.stats.tokens_by_model.items()]
    return sum(cost or 0 for cost in costs)


def ask(
    texts: Sequence[str],
    schemas: Sequence[type[BaseModel]],
    limit: float | None,
    models: Sequence[str] = ("small",),
    timeout: float = 60,
) -> tuple[Ledger, list[Any]]:
    """Put every text with every schema to every model at once, fifty in flight."""
    ledger = Ledger(max_cost_usd=limit, prices=PRICES)

    async def run() -> list[Any]:
        results = []
        clients = [
            LanguageModel(f"openai/{name}", ledger=ledger, timeout=timeout, max_concurrent_requests=50)
            for name in models
        ]
        for client in clients:
            await client.__aenter__()
        questions = [
            client.ask(text, schema) for number, text in enumerate(texts) for schema in schemas for client in clients
        ]
        results = await asyncio.gather(*questions, return_exceptions=True)
        for client in clients:
            await client.__aexit__(None, None, None)
        return results

    return ledger, asyncio.run(run())


def numbered(text: str, count: int) -> list[str]:
    return [f"{text} Case {number}." for number in range(count)]


SITUATIONS: dict[str, tuple[Faults, list[str], list[type[BaseModel]], list[str]]] = {
    "english": (Faults(), numbered(ENGLISH, 120), [Short], ["small"]),
    "chinese": (Faults(), numbered(CHINESE, 120), [Short], ["small"]),
    "a long schema": (Faults(), numbered("Short.", 120), [Long], ["small"]),
    "re-asks": (Faults(shares={"missing_field": 0.4}), numbered(ENGLISH, 120), [Long], ["small"]),
    "stalled and broken off": (
        Faults(shares={"stalled": 0.1, "dropped": 0.1, "truncated_body": 0.1}),
        numbered(ENGLISH, 120),
        [Long],
        ["small"],
    ),
    "without usage": (Faults(no_usage=True), numbered(CHINESE, 120), [Long], ["small"]),
    "another tokenizer": (Faults(token_factor=1.8), numbered(CHINESE, 60) + numbered(ENGLISH, 60), [Long], ["small"]),
    "all of it": (
        Faults(
            shares={"stalled": 0.05, "dropped": 0.05, "truncated_body": 0.05, "wrong_type": 0.1, "server_error": 0.1},
            token_factor=1.5,
        ),
        [text for pair in zip(numbered(ENGLISH, 60), numbered(CHINESE, 60), strict=True) for text in pair],
        [Short, Long],
        ["small", "large"],
    ),
}


@pytest.mark.parametrize("situation", sorted(SITUATIONS))
@pytest.mark.parametrize("share", [0.15, 0.5])
def test_the_servers_bill_stays_within_the_limit(server: LoopbackServer, situation: str, share: float) -> None:
    faults, texts, schemas, models = SITUATIONS[situation]
    # Who is given up because the machine is busy may be billed, which leaves nothing of a limit as small as these.
    timeout = 2 if "stalled" in faults.shares else 60
    server.faults = faults
    server.latency = 0.01
    unlimited, _ = ask(texts, schemas, None, models, timeout)
    whole = billed(server)
    spent = unlimited.spent.cost_usd or 0
    server.reset()
    server.faults = faults
    server.latency = 0.01
    limit = share * whole
    ledger, results = ask(texts, schemas, limit, models, timeout)
    bill = billed(server)
    print(f"{situation}: limit {limit:.4f}, billed {bill:.4f} ({bill / limit:.0%}), by ledger {ledger.spent.cost_usd}")
    assert any(isinstance(result, BudgetError) for result in results)
    assert bill <= limit, f"billed {bill / limit:.0%} of the limit"
    assert bill >= 0.5 * limit, "so much is held back that the limit is of no use"
    assert spent == pytest.approx(whole, rel=0.15)
    assert ledger.spent.cost_usd is not None
    assert ledger.spent.cost_usd <= limit


def test_what_embeddings_cost_stays_within_it_too(server: LoopbackServer) -> None:
    ledger = Ledger(max_cost_usd=0.02, prices=PRICES)
    server.latency = 0.01
    model = OpenAIEmbeddingModel("vectors", model_batch_size=5, ledger=ledger)
    with pytest.raises(BudgetError):
        asyncio.run(model.embed(numbered(CHINESE, 300)))
    assert 0.01 < billed(server) <= 0.02
    assert ledger.spent.cost_usd == pytest.approx(billed(server), rel=0.05)


def test_a_request_that_never_reached_a_server_or_was_refused_costs_nothing(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults = Faults(shares={"server_error": 1})
    ledger, _ = ask(["question"], [Short], None)
    assert ledger.spent.calls == server.stats.chat > 1
    assert ledger.spent.input_tokens == 0
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    ledger, (failure,) = ask(["question"], [Short], None)
    assert isinstance(failure, LanguageModelError)
    assert (ledger.spent.input_tokens, ledger.spent.cost_usd) == (0, 0.0)


def test_a_request_that_nobody_answers_in_time_is_paid_for_what_was_asked(server: LoopbackServer) -> None:
    server.faults = Faults(shares={"stalled": 1})
    ledger, _ = ask([ENGLISH], [Long], None, timeout=1)
    assert ledger.spent.calls == server.stats.chat == 3
    assert ledger.spent.input_tokens == pytest.approx(server.stats.input_tokens, rel=0.1)


def test_an_answer_without_usage_is_counted_by_its_length(server: LoopbackServer) -> None:
    server.faults = Faults(no_usage=True)
    ledger, _ = ask(numbered(ENGLISH, 5), [Long], None)
    assert ledger.spent.output_tokens == pytest.approx(server.stats.output_tokens, rel=0.3)
    assert ledger.spent.output_tokens >= server.stats.output_tokens


@pytest.mark.parametrize(
    ("response", "counted"),
    [
        ({"usage": {"prompt_tokens": 3, "completion_tokens": 2}}, (3, 2)),
        ({"usage": {"input_tokens": 3, "output_tokens": 2}}, (3, 2)),
        (
            {"usage_metadata": {"prompt_token_count": 3, "candidates_token_count": 2, "thoughts_token_count": 40}},
            (3, 42),
        ),
        ({"usage_metadata": {"prompt_token_count": 3, "thoughts_token_count": 40}}, (3, 40)),
        (
            {"usage": {"billed_units": {"input_tokens": 3.0, "output_tokens": 2.0}, "tokens": {"input_tokens": 70}}},
            (3, 2),
        ),
        ({"usage": {"billed_units": None, "tokens": {"input_tokens": 3.0, "output_tokens": 2.0}}}, (3, 2)),
        ({"meta": {"billed_units": {"input_tokens": 3.0}}}, (3, None)),
        ({}, (None, None)),
    ],
)
def test_providers_name_what_they_counted_differently(response: dict[str, Any], counted: tuple[Any, Any]) -> None:
    def as_object(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return SimpleNamespace(**{name: as_object(each) for name, each in value.items()})

    assert tokens_of(as_object(response)) == counted


def test_a_token_is_four_bytes_of_english_and_a_chinese_character() -> None:
    assert expected_tokens("abcd" * 10) == 10
    assert expected_tokens("訂單" * 10) == 20
    assert expected_tokens("") == 0
    assert expected_tokens("half a pair \ud83d") == 4
    loop: dict[str, Any] = {"text": "four"}
    loop["itself"] = loop
    assert answer_tokens(SimpleNamespace(choices=[loop])) > 0
