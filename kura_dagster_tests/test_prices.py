"""Prices: the user's own before the known ones, and none for a model that nobody knows."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kura_dagster.pipeline.prices import Price, Prices


def test_a_known_model_costs_by_token() -> None:
    prices = Prices()
    one = prices.cost_usd("openai/gpt-4o-mini", 1_000_000, 0)
    assert one is not None
    assert 0 < one < 10
    assert prices.cost_usd("openai/gpt-4o-mini", 0, 1_000_000) > one  # type: ignore[operator]
    assert prices.cost_usd("openai/gpt-4o-mini", 2_000, 0) == pytest.approx(2 * one / 1_000)
    assert prices.cost_usd("openai/text-embedding-3-small", 1_000_000, 0) == pytest.approx(0.02)


def test_the_users_own_price_stands_before_the_known_one() -> None:
    prices = Prices({"openai/gpt-4o-mini": Price(input=7), "ollama/llama3": Price(input=0)})
    assert prices.cost_usd("openai/gpt-4o-mini", 1_000_000, 1_000_000) == 7
    assert prices.cost_usd("ollama/llama3", 1_000_000, 1_000_000) == 0


@pytest.mark.parametrize("model", ["openai/nobody-knows-this", "nobody/gpt-4o-mini", "ollama/llama3"])
def test_an_unknown_price_is_unknown(model: str) -> None:
    assert Prices().cost_usd(model, 10, 10) is None


def test_a_price_is_no_less_than_nothing_and_no_other_field() -> None:
    for wrong in ({"input": -1}, {"input": 1, "outptu": 2}, {"output": 1}):
        with pytest.raises(ValidationError):
            Price.model_validate(wrong)
