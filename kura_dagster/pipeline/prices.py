"""What models cost, in USD per million tokens: the user's own prices first, then those that the library knows.

The library is genai-prices, which carries its table with it and is asked without a network. A model that neither knows
has no price; it is never taken for free.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, Field

_MILLION = 1_000_000


class Price(BaseModel, extra="forbid"):
    """USD per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(default=0.0, ge=0)


class Prices:
    """Prices by model, named `<provider>/<model>`; `overrides` stand before the library's table."""

    def __init__(self, overrides: Mapping[str, Price] | None = None) -> None:
        self.overrides = dict(overrides or {})

    def cost_usd(self, model: str, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost, or None where the price is unknown."""
        price = self.overrides.get(model) or _known_price(model)
        if price is None:
            return None
        return (input_tokens * price.input + output_tokens * price.output) / _MILLION


@lru_cache(maxsize=256)
def _known_price(model: str) -> Price | None:
    """Return the library's price of a model, of its cheapest tier where it has several."""
    # Loaded when a price is first asked: its table takes a third of a second.
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition("/")

    def of_a_million(**tokens: int) -> float | None:
        # Asked for a thousand: a million in one request would be priced as a long context.
        try:
            return 1_000 * float(calc_price(Usage(**tokens), model_ref=name, provider_id=provider).total_price)
        except (LookupError, ValueError):
            return None

    input_price, output_price = of_a_million(input_tokens=1_000), of_a_million(output_tokens=1_000)
    if input_price is None or output_price is None:
        return None
    return Price(input=input_price, output=output_price)
