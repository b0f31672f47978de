"""The pace: requests in flight, slow-downs and recovery, and limits per minute, without a provider."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.language_model.pace import Pace


async def send(pace: Pace, seconds: float = 0.005, tokens: int = 1) -> None:
    async with pace.slot(tokens):
        assert pace.in_flight <= max(1, int(pace.max_in_flight))
        await asyncio.sleep(seconds)
        pace.succeeded()


def test_no_more_are_in_flight_than_allowed_and_all_get_through() -> None:
    async def run() -> int:
        pace, most = Pace(3), 0

        async def one() -> None:
            nonlocal most
            async with pace.slot(1):
                most = max(most, pace.in_flight)
                await asyncio.sleep(0.002)

        await asyncio.gather(*(one() for _ in range(20)))
        assert pace.in_flight == 0
        return most

    assert asyncio.run(run()) == 3


def test_a_rate_limit_halves_the_number_once_for_all_that_were_sent_together() -> None:
    pace = Pace(16)
    sent_at = time.monotonic()
    for _ in range(10):
        pace.slow_down(sent_at)
    assert pace.limit == 8
    for _ in range(5):
        pace.slow_down(time.monotonic())
    assert pace.limit == 1


def test_successes_bring_the_number_back() -> None:
    pace = Pace(4)
    pace.slow_down(time.monotonic())
    assert pace.limit == 2
    for _ in range(100):
        pace.succeeded()
    assert pace.limit == 4


def test_nothing_is_sent_while_the_provider_asks_to_wait() -> None:
    async def run() -> float:
        pace = Pace(2)
        pace.slow_down(time.monotonic(), seconds=0.15)
        start = time.monotonic()
        await asyncio.gather(*(send(pace) for _ in range(3)))
        return time.monotonic() - start

    assert 0.15 <= asyncio.run(run()) < 2


def test_a_slow_down_while_others_wait_lets_all_through_in_the_end() -> None:
    async def run() -> None:
        pace = Pace(8)
        tasks = [asyncio.create_task(send(pace)) for _ in range(50)]
        await asyncio.sleep(0.003)
        pace.slow_down(time.monotonic())
        pace.slow_down(time.monotonic())
        await asyncio.wait_for(asyncio.gather(*tasks), 5)
        assert pace.in_flight == 0

    asyncio.run(run())


def test_requests_per_minute_are_spread() -> None:
    async def run() -> float:
        pace = Pace(50, requests_per_minute=600)  # ten a second, a hundred at once
        start = time.monotonic()
        await asyncio.gather(*(send(pace, 0) for _ in range(105)))
        return time.monotonic() - start

    assert 0.3 < asyncio.run(run()) < 3


def test_tokens_per_minute_count_by_request_and_a_huge_one_gets_through() -> None:
    async def run() -> float:
        pace = Pace(50, tokens_per_minute=60_000)  # a thousand a second, ten thousand at once
        start = time.monotonic()
        await asyncio.gather(send(pace, 0, tokens=1_000_000), send(pace, 0, tokens=400))
        return time.monotonic() - start

    assert 0.3 < asyncio.run(run()) < 3


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["send", "cancel", "slow"]), max_size=40), st.integers(1, 5))
def test_cancelled_requests_take_no_place_with_them(steps: list[str], most: int) -> None:
    async def run() -> None:
        pace = Pace(most)
        tasks: list[asyncio.Task[None]] = []
        for step in steps:
            if step == "send":
                tasks.append(asyncio.create_task(send(pace, 0.001)))
            elif step == "cancel" and tasks:
                tasks[-1].cancel()
            else:
                pace.slow_down(time.monotonic())
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert pace.in_flight == 0
        await asyncio.wait_for(send(pace), 1)

    asyncio.run(run())


@pytest.mark.parametrize("numbers", [(0, None, None), (1, 0, None), (1, None, 0)])
def test_numbers_below_one_are_refused(numbers: tuple[int, int | None, int | None]) -> None:
    with pytest.raises(ValueError, match="allowed is 1 or more"):
        Pace(*numbers)
