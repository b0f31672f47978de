"""What a run has asked, received and paid, and the limits on it.

One ledger serves all models of a run. Prices are `prices`' knowledge, waiting and trying again `gateway`'s work.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields

from kura_dagster.pipeline.language_model.failures import BudgetError, SetupError
from kura_dagster.pipeline.language_model.prices import Prices

FIRST_OUTPUT_TOKENS = 400
"""Tokens that an answer is expected to have while none has come; later the longest of the model's so far."""


@dataclass(frozen=True)
class Spent:
    """What was asked and paid; the difference of two says what lies between them.

    `calls` are requests that were sent, re-asks and retries included; `cache_hits` questions that were answered before;
    `retries` those of the calls that repeat a failed one; `failures` questions that were given up. `cost_usd` is None
    where the price of a model is unknown.
    """

    calls: int = 0
    cache_hits: int = 0
    retries: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    def __sub__(self, earlier: Spent) -> Spent:
        counts = {
            field.name: getattr(self, field.name) - getattr(earlier, field.name)
            for field in fields(self)
            if field.name != "cost_usd"
        }
        unknown = self.cost_usd is None or earlier.cost_usd is None
        return Spent(**counts, cost_usd=None if unknown else round(self.cost_usd - earlier.cost_usd, 9))  # type: ignore[operator]


class Ledger:
    """Counts every request of a run, and refuses one that could cross a limit.

    Args:
        max_calls: the most requests that may be sent; None means no limit.
        max_cost_usd: the most that may be paid. A request is held back where it could cross it if its answer were as
            long as the longest so far; requests in flight count as if they were answered.
        prices: of the models.

    Raises:
        ValueError: a limit is below 0.
    """

    sends = True
    """False where it refuses every request: a client is then opened without a key too, because nothing is sent."""

    def __init__(
        self, max_calls: int | None = None, max_cost_usd: float | None = None, prices: Prices | None = None
    ) -> None:
        for name, limit in (("max_calls", max_calls), ("max_cost_usd", max_cost_usd)):
            if limit is not None and limit < 0:
                raise ValueError(f"{name} is {limit}; allowed is 0 or more")
        self.max_calls = max_calls
        self.max_cost_usd = max_cost_usd
        self.prices = prices or Prices()
        self.models_without_price: set[str] = set()
        self._calls = self._cache_hits = self._retries = self._failures = 0
        self._input_tokens = self._output_tokens = 0
        self._cost_usd = 0.0
        self._reserved_usd = 0.0
        self._longest_output: dict[str, int] = defaultdict(lambda: FIRST_OUTPUT_TOKENS)

    @property
    def spent(self) -> Spent:
        """What was asked and paid so far."""
        return Spent(
            calls=self._calls,
            cache_hits=self._cache_hits,
            retries=self._retries,
            failures=self._failures,
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            cost_usd=None if self.models_without_price else self._cost_usd,
        )

    def reserve(self, model: str, input_tokens: int, *, answers: bool = True) -> Reservation:
        """Count a request that is about to be sent, and set aside what it may cost; without `answers`, as embeddings.

        Raises:
            BudgetError: it could cross a limit.
            SetupError: there is a limit of cost, and the model has no known price.
        """
        if self.max_calls is not None and self._calls >= self.max_calls:
            raise BudgetError(
                f"The limit of {self.max_calls:,} calls (KURA_MAX_CALLS) is reached. What was answered is kept: a run "
                "with a higher limit asks only the rest."
            )
        expected = 0.0
        if self.max_cost_usd is not None:
            output_tokens = self._longest_output[model] if answers else 0
            cost = self.prices.cost_usd(model, input_tokens, output_tokens)
            if cost is None:
                raise SetupError(
                    f"The price of {model} is unknown, so KURA_MAX_COST_USD can't be kept. Set KURA_PRICES to "
                    f'{{"{model}": {{"input": …, "output": …}}}}, in USD per million tokens, or use KURA_MAX_CALLS.'
                )
            if self._cost_usd + self._reserved_usd + cost > self.max_cost_usd:
                raise BudgetError(
                    f"The next call to {model} could cross the limit of {self.max_cost_usd:g} USD "
                    f"(KURA_MAX_COST_USD); {self._cost_usd:.4f} USD are spent. What was answered is kept: a run with a "
                    "higher limit pays only for the rest."
                )
            expected = cost
        self._calls += 1
        self._reserved_usd += expected
        return Reservation(self, model, expected)

    def count_cache_hit(self) -> None:
        """Note a question whose answer was kept."""
        self._cache_hits += 1

    def count_retry(self) -> None:
        """Note that a request is about to be sent again."""
        self._retries += 1

    def count_failure(self) -> None:
        """Note a question that was given up."""
        self._failures += 1

    def _settle(self, reservation: Reservation, input_tokens: int, output_tokens: int) -> None:
        self._reserved_usd -= reservation.expected_usd
        self._input_tokens += input_tokens
        self._output_tokens += output_tokens
        if output_tokens:
            self._longest_output[reservation.model] = max(self._longest_output[reservation.model], output_tokens)
        cost = self.prices.cost_usd(reservation.model, input_tokens, output_tokens)
        if cost is None:
            self.models_without_price.add(reservation.model)
        else:
            self._cost_usd += cost

    def _release(self, reservation: Reservation) -> None:
        self._reserved_usd -= reservation.expected_usd


class Reservation:
    """What one request in flight may cost, until it is settled or released; later calls change nothing."""

    def __init__(self, ledger: Ledger, model: str, expected_usd: float) -> None:
        self._ledger: Ledger | None = ledger
        self.model = model
        self.expected_usd = expected_usd

    def settle(self, input_tokens: int, output_tokens: int) -> None:
        """Put what the provider counted in place of what was expected."""
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger._settle(self, input_tokens, output_tokens)

    def release(self) -> None:
        """Free what was set aside for a request that got no answer."""
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger._release(self)
