"""Answers are kept the moment they arrive and never paid for twice: through a real client and a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationInfo, field_validator

from kura_dagster.pipeline.failures import BudgetError, LanguageModelError, SetupError
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster.pipeline.prices import Price, Prices
from kura_dagster_tests.loopback_server import Faults, LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


class Answer(BaseModel):
    summary: str


class Longer(BaseModel):
    summary: str
    topic: str


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[DiskCacheStrategy]:
    strategy = DiskCacheStrategy(tmp_path)
    yield strategy
    strategy.close()


def ask(prompts: list[str], schema: type[BaseModel] = Answer, *, ledger: Ledger | None = None, **options: Any) -> Any:
    asking = {name: options.pop(name) for name in ("temperature", "context") if name in options}

    async def run() -> Any:
        async with LanguageModel(**options, ledger=ledger) as language_model:
            return await asyncio.gather(*(language_model.ask(prompt, schema, **asking) for prompt in prompts))

    return asyncio.run(run())


def test_a_kept_answer_costs_no_call(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    ledger = Ledger()
    first = ask(["violet kettle", "green door"], cache=cache)
    second = ask(["violet kettle", "green door"], cache=cache, ledger=ledger)
    assert server.stats.chat == 2
    assert [each.model_dump() for each in first] == [each.model_dump() for each in second]
    assert isinstance(second[0], Answer)
    assert ledger.spent.cache_hits == 2
    assert ledger.spent.calls == 0
    assert ledger.spent.cost_usd == 0


def test_the_same_question_in_flight_is_asked_once(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    server.latency = 0.05
    ledger = Ledger()
    answers = ask(["violet kettle"] * 10, cache=cache, ledger=ledger)
    assert server.stats.chat == 1
    assert len({answer.summary for answer in answers}) == 1
    assert ledger.spent.cache_hits == 9


def asked_at_once(number: int, cache: DiskCacheStrategy, **options: Any) -> list[Any]:
    """Return what comes of the same question, asked so often at once."""

    async def run() -> list[Any]:
        async with LanguageModel(cache=cache, **options) as language_model:
            asking = (language_model.ask("violet kettle", Answer) for _ in range(number))
            return await asyncio.gather(*asking, return_exceptions=True)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("faults", "error", "n_requests"),
    [
        (Faults(known_models=["another"]), SetupError, 1),
        (Faults(refuse_on="kettle"), LanguageModelError, 4),
        (Faults(shares={"stalled": 1}), LanguageModelError, 3),
    ],
    ids=["model", "refused", "stalled"],
)
def test_the_same_questions_in_flight_share_their_failure(
    server: LoopbackServer, cache: DiskCacheStrategy, faults: Faults, error: type[Exception], n_requests: int
) -> None:
    server.faults = faults
    # Only what stalls has to reach the limit; a busy machine may take long to answer.
    outcomes = asked_at_once(20, cache, timeout=1 if faults.shares else 60)
    assert {type(each) for each in outcomes} == {error}
    assert len({str(each) for each in outcomes}) == 1
    assert server.stats.chat == n_requests
    server.reset()
    assert all(isinstance(each, Answer) for each in asked_at_once(20, cache))


def test_a_question_in_flight_that_is_cancelled_is_asked_by_who_waits_for_it(
    server: LoopbackServer, cache: DiskCacheStrategy
) -> None:
    server.latency = 0.1

    async def run() -> Answer:
        async with LanguageModel(cache=cache) as language_model:
            first = asyncio.create_task(language_model.ask("violet kettle", Answer))
            second = asyncio.create_task(language_model.ask("violet kettle", Answer))
            await asyncio.sleep(0.02)
            first.cancel()
            return await second

    assert "violet" in asyncio.run(run()).summary


@pytest.mark.parametrize(
    "other", [{"temperature": 0.7}, {"model": "openai/gpt-4o"}, {"schema": Longer}], ids=lambda one: next(iter(one))
)
def test_another_question_is_paid_for(server: LoopbackServer, cache: DiskCacheStrategy, other: dict[str, Any]) -> None:
    ask(["violet kettle"], cache=cache)
    ask(["violet kettle"], cache=cache, **other)
    assert server.stats.chat == 2


def test_a_kept_answer_is_checked_by_the_validators_of_who_asks(
    server: LoopbackServer, cache: DiskCacheStrategy
) -> None:
    """Whose answer it is, is no part of the question; a validator that minds whose it is still sees it."""
    refused = {"b"}

    class Checked(BaseModel):
        summary: str

        @field_validator("summary")
        @classmethod
        def check(cls, value: str, info: ValidationInfo) -> str:
            if info.context["who"] in refused:  # type: ignore[index]
                raise ValueError("not for me")
            return value

    ask(["violet kettle"], Checked, cache=cache, context={"who": "a"})
    ask(["violet kettle"], Checked, cache=cache, context={"who": "c"})
    assert server.stats.chat == 1
    with pytest.raises(LanguageModelError):
        ask(["violet kettle"], Checked, cache=cache, context={"who": "b"})
    assert server.stats.chat == 5


def test_code_for_an_instructor_client_is_kept_and_counted_too(
    server: LoopbackServer, cache: DiskCacheStrategy
) -> None:
    ledger = Ledger()

    async def run() -> list[Answer]:
        async with LanguageModel(cache=cache, ledger=ledger) as language_model:
            return [
                await language_model.chat.completions.create(
                    model="gpt-4.1-nano",
                    messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "violet kettle"}],
                    response_model=Answer,
                    max_retries=7,
                )
                for _ in range(2)
            ]

    first, second = asyncio.run(run())
    assert first.model_dump() == second.model_dump()
    assert server.stats.chat == 1
    assert server.stats.bodies[-1]["model"] == "gpt-4.1-nano"
    assert ledger.spent.calls == ledger.spent.cache_hits == 1


def test_vectors_are_kept_text_by_text(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    ledger = Ledger()

    def embed(texts: list[str]) -> Any:
        return asyncio.run(OpenAIEmbeddingModel(model_batch_size=2, cache=cache, ledger=ledger).embed(texts))

    first = embed(["violet kettle", "green door", "violet kettle"])
    assert server.stats.embedded_texts == 2
    second = embed(["green door", "blue window", "violet kettle"])
    assert server.stats.embedded_texts == 3
    assert (first[0] == second[2]).all()
    assert (first[1] == second[0]).all()
    assert ledger.spent.cache_hits == 2
    assert ledger.spent.input_tokens > 0


def test_what_the_server_counted_is_what_the_ledger_says(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    ledger = Ledger(prices=Prices({"openai/gpt-4o-mini": Price(input=1, output=2)}))
    ask([f"question {number}" for number in range(12)], cache=cache, ledger=ledger)
    spent = ledger.spent
    assert spent.calls == server.stats.chat == 12
    assert spent.cost_usd == pytest.approx((spent.input_tokens + 2 * spent.output_tokens) / 1_000_000)
    assert spent.input_tokens > 0
    assert spent.output_tokens > 0


def test_a_budget_stops_before_the_limit_and_keeps_what_was_bought(
    server: LoopbackServer, cache: DiskCacheStrategy
) -> None:
    prompts = [f"question {number}" for number in range(10)]

    async def run(ledger: Ledger) -> int:
        async with LanguageModel(max_concurrent_requests=1, cache=cache, ledger=ledger) as language_model:
            asking = (language_model.ask(prompt, Answer) for prompt in prompts)
            answers = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(answer, Answer | BudgetError) for answer in answers)
        return sum(isinstance(answer, Answer) for answer in answers)

    assert asyncio.run(run(Ledger(max_calls=4))) == 4
    assert server.stats.chat == 4
    assert asyncio.run(run(Ledger(max_calls=6))) == 10
    assert server.stats.chat == 10
    prices = Prices({"openai/gpt-4o-mini": Price(input=1_000, output=1_000)})
    limited = Ledger(max_cost_usd=0.01, prices=prices)
    with pytest.raises(BudgetError):
        ask(["a new question"], cache=cache, ledger=limited)
    assert server.stats.chat == 10


def test_a_rate_limit_is_waited_for_and_counted(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    server.faults = Faults(status_every=2, status=429, retry_after="0.05")
    ledger = Ledger()
    answers = ask([f"question {number}" for number in range(6)], cache=cache, ledger=ledger)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert ledger.spent.calls == server.stats.chat
    assert ledger.spent.retries == ledger.spent.calls - 6 > 0
    assert ledger.spent.failures == 0


def test_a_wrong_key_is_asked_with_once_and_not_again(server: LoopbackServer) -> None:
    server.faults = Faults(require_key="another")
    ledger = Ledger()
    with pytest.raises(SetupError, match="OPENAI_API_KEY"):
        ask(["violet kettle"], ledger=ledger)
    assert ledger.spent.calls == 1
    assert ledger.spent.retries == 0


def test_options_that_change_no_answer_are_no_part_of_the_question(
    server: LoopbackServer, cache: DiskCacheStrategy
) -> None:
    async def run() -> None:
        async with LanguageModel(cache=cache) as language_model:
            for options in ({"temperature": 0}, {"temperature": 0.0, "timeout": 3}, {"temperature": 0, "user": "me"}):
                messages = [{"role": "user", "content": "violet kettle"}]
                await language_model.create(messages, Answer, **options)  # type: ignore[arg-type]

    asyncio.run(run())
    assert server.stats.chat == 1
    assert server.stats.bodies[-1]["temperature"] == 0


def test_no_temperature_is_sent_where_there_is_none(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    async def run() -> None:
        async with LanguageModel(cache=cache) as language_model:
            await language_model.ask("violet kettle", Answer, temperature=None)
            await language_model.create([{"role": "user", "content": "violet kettle"}], Answer, temperature=None)

    asyncio.run(run())
    assert server.stats.chat == 1
    assert "temperature" not in server.stats.bodies[-1]
