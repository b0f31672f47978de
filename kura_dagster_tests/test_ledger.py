"""The ledger: what is counted, what is held back, and that no limit is crossed."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.failures import BudgetError, SetupError
from kura_dagster.pipeline.language_model.ledger import FIRST_INPUT_MARGIN, FIRST_OUTPUT_TOKENS, Ledger, Spent
from kura_dagster.pipeline.prices import Price, Prices

MODEL = "openai/own"
PRICES = Prices({MODEL: Price(input=1.0, output=2.0)})


def test_a_request_costs_what_the_provider_counted() -> None:
    ledger = Ledger(prices=PRICES)
    ledger.reserve(MODEL, 10).settle(1_000_000, 500_000)
    before = ledger.spent
    ledger.reserve(MODEL, 10).settle(100, 50)
    ledger.count_cache_hit()
    ledger.count_retry()
    ledger.count_failure()
    assert before == Spent(calls=1, input_tokens=1_000_000, output_tokens=500_000, known_usd=2.0)
    assert ledger.spent - before == Spent(
        calls=1, cache_hits=1, retries=1, failures=1, input_tokens=100, output_tokens=50, known_usd=0.0002
    )


def test_a_request_without_an_answer_was_sent_and_cost_nothing() -> None:
    ledger = Ledger(max_cost_usd=1.0, prices=PRICES)
    reservation = ledger.reserve(MODEL, 100)
    reservation.release()
    reservation.settle(1_000_000, 1_000_000)  # too late: it was given back
    assert ledger.spent == Spent(calls=1)


def test_the_call_beyond_the_limit_is_not_sent() -> None:
    ledger = Ledger(max_calls=2)
    for _ in range(2):
        ledger.reserve(MODEL, 10)
    with pytest.raises(BudgetError, match="limit of 2 calls"):
        ledger.reserve(MODEL, 10)
    assert ledger.spent.calls == 2
    with pytest.raises(BudgetError):
        Ledger(max_calls=0).reserve(MODEL, 1)


def test_what_is_in_flight_counts_as_if_it_were_paid() -> None:
    one = PRICES.cost_usd(MODEL, int(1_000 * FIRST_INPUT_MARGIN), FIRST_OUTPUT_TOKENS)
    assert one is not None
    ledger = Ledger(max_cost_usd=2.5 * one, prices=PRICES)
    first, _ = ledger.reserve(MODEL, 1_000), ledger.reserve(MODEL, 1_000)
    with pytest.raises(BudgetError, match="KURA_MAX_COST_USD"):
        ledger.reserve(MODEL, 1_000)
    first.settle(10, 10)
    ledger.reserve(MODEL, 1_000)


def test_a_limit_of_cost_needs_a_price_and_an_unknown_price_is_not_zero() -> None:
    with pytest.raises(SetupError, match="KURA_PRICES"):
        Ledger(max_cost_usd=1.0).reserve("openai/nobody-knows-this", 10)
    ledger = Ledger()
    ledger.reserve("openai/nobody-knows-this", 10).settle(10, 10)
    assert ledger.spent.cost_usd is None
    assert (ledger.spent - Spent()).cost_usd is None
    assert (ledger.spent - Spent()).unpriced_calls == {"openai/nobody-knows-this": 1}
    with pytest.raises(ValueError, match="max_calls is -1"):
        Ledger(max_calls=-1)


def test_what_is_asked_after_a_model_without_a_price_has_a_price_again() -> None:
    ledger = Ledger(prices=PRICES)
    ledger.reserve(MODEL, 10).settle(1_000_000, 0)
    ledger.reserve("openai/nobody-knows-this", 10).settle(10, 10)
    before = ledger.spent
    assert before.cost_usd is None
    assert (ledger.spent - before).cost_usd == 0.0
    ledger.reserve(MODEL, 10).settle(1_000_000, 500_000)
    assert (ledger.spent - before).cost_usd == 2.0
    ledger.reserve("openai/nobody-knows-this", 10).settle(10, 10)
    assert (ledger.spent - before).unpriced_calls == {"openai/nobody-knows-this": 1}


def test_a_request_whose_answer_is_lost_costs_its_input_and_its_answer_stays_set_aside() -> None:
    answer = PRICES.cost_usd(MODEL, 0, FIRST_OUTPUT_TOKENS)
    assert answer is not None
    ledger = Ledger(max_cost_usd=4 * answer, prices=PRICES)
    for _ in range(3):
        ledger.reserve(MODEL, 10).lose()
    assert ledger.spent == Spent(calls=3, input_tokens=30, known_usd=pytest.approx(30e-6))
    with pytest.raises(BudgetError):
        ledger.reserve(MODEL, 10)


def test_what_a_provider_counts_is_expected_of_the_next_and_of_those_in_flight() -> None:
    ledger = Ledger(max_cost_usd=0.04, prices=PRICES)
    first, *_ = [ledger.reserve(MODEL, 1_000) for _ in range(3)]
    first.settle(6_000, 2_000)  # 0.01 USD; so the two others may cost 2 * 0.0125
    with pytest.raises(BudgetError):
        ledger.reserve(MODEL, 1_000)
    Ledger(max_cost_usd=0.04, prices=PRICES).reserve(MODEL, 1_000)


def test_a_reservation_waits_for_what_is_in_flight_and_fails_where_nothing_is() -> None:
    async def run() -> None:
        ledger = Ledger(max_cost_usd=0.003, prices=PRICES)
        first = ledger.reserve(MODEL, 1_000)
        waiting = asyncio.create_task(ledger.reserve_in_turn(MODEL, 1_000))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        first.settle(100, 10)
        second = await asyncio.wait_for(waiting, 1)
        third = asyncio.create_task(ledger.reserve_in_turn(MODEL, 1_000))
        fourth = asyncio.create_task(ledger.reserve_in_turn(MODEL, 1_000))
        await asyncio.sleep(0.01)
        third.cancel()
        second.settle(1_000, 900)
        with pytest.raises(BudgetError):
            await asyncio.wait_for(fourth, 1)

    asyncio.run(run())


@given(
    st.floats(0.001, 0.05),
    st.lists(st.tuples(st.integers(1, 2_000), st.integers(0, FIRST_OUTPUT_TOKENS)), max_size=60),
)
def test_no_limit_is_crossed_while_answers_are_no_longer_than_expected(
    limit: float, requests: list[tuple[int, int]]
) -> None:
    ledger = Ledger(max_cost_usd=limit, prices=PRICES)
    for input_tokens, output_tokens in requests:
        try:
            reservation = ledger.reserve(MODEL, input_tokens)
        except BudgetError:
            continue
        reservation.settle(input_tokens, output_tokens)
        assert ledger.spent.cost_usd is not None
        assert ledger.spent.cost_usd <= limit + 1e-9
