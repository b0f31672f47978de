"""What a run has asked, received and paid, and the limits on it.

One ledger serves all models of a run. Prices are `prices`' knowledge, waiting and trying again `gateway`'s work.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from kura_dagster.pipeline.failures import BudgetError, SetupError
from kura_dagster.pipeline.prices import Prices

FIRST_OUTPUT_TOKENS = 400
"""Tokens that an answer is expected to have while none has come; later at least the longest of the model's so far."""

FIRST_INPUT_MARGIN = 2.0
"""By how much a provider may count more tokens than are expected of a request, while it has counted none."""

MARGIN = 1.25
"""By how much a request or an answer may be longer than any of its model's so far, in the tokens of its provider."""

_LEAST_INPUT_TOKENS = 200
"""Of a shorter request, what a provider adds to each is too large a share to say something of a longer one."""


@dataclass(frozen=True)
class Spent:
    """What was asked and paid; the difference of two says what lies between them.

    `calls` are requests that were sent, re-asks and retries included; `cache_hits` questions that were answered before;
    `retries` those of the calls that repeat a failed one; `failures` questions that were given up. `known_usd` is what
    models with a known price cost; `unpriced_calls` counts the paid requests to the others, by model.
    """

    calls: int = 0
    cache_hits: int = 0
    retries: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    known_usd: float = 0.0
    unpriced_calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def cost_usd(self) -> float | None:
        """What all of it cost, None where a model was asked whose price is unknown."""
        return None if self.unpriced_calls else self.known_usd

    def __sub__(self, earlier: Spent) -> Spent:
        return Spent(
            calls=self.calls - earlier.calls,
            cache_hits=self.cache_hits - earlier.cache_hits,
            retries=self.retries - earlier.retries,
            failures=self.failures - earlier.failures,
            input_tokens=self.input_tokens - earlier.input_tokens,
            output_tokens=self.output_tokens - earlier.output_tokens,
            known_usd=round(self.known_usd - earlier.known_usd, 9),
            unpriced_calls=dict(Counter(self.unpriced_calls) - Counter(earlier.unpriced_calls)),
        )


class _Asked:
    """What is known of one model's requests: those in flight, and how its provider counted those before."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.input_in_flight = 0
        self.answers_in_flight = 0
        self.answers_lost = 0
        self._ratio = 0.0
        self._longest_output = 0

    def learn(self, expected: int, counted: int | None, output_tokens: int) -> None:
        """Note how many tokens the provider counted of a request that was expected to have so many."""
        if counted is not None:
            self._ratio = max(self._ratio, counted / max(expected, _LEAST_INPUT_TOKENS))
        self._longest_output = max(self._longest_output, output_tokens)

    def likely_input(self, expected: int) -> int:
        """Return how many tokens the provider may well count of a request, where it does not say."""
        return math.ceil(expected * max(1.0, self._ratio))

    def most_tokens(self, input_tokens: int, answers: int, lost: int = 0) -> tuple[int, int]:
        """Return the most tokens, in and out, that requests and their answers may come to."""
        ratio = MARGIN * max(1.0, self._ratio) if self._ratio else FIRST_INPUT_MARGIN
        longest = math.ceil(MARGIN * self._longest_output)
        output_tokens = answers * max(FIRST_OUTPUT_TOKENS, longest) + lost * (longest or FIRST_OUTPUT_TOKENS)
        return math.ceil(input_tokens * ratio), output_tokens


class Ledger:
    """Counts every request of a run, and refuses one that could cross a limit.

    Args:
        max_calls: the most requests that may be sent; None means no limit.
        max_cost_usd: the most that may be paid. A request is held back where it could cross it if its answer were a
            quarter longer than the longest so far; requests in flight count as if they were answered. So do the answers
            to requests that were sent and came to nothing, because a provider may bill them.
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
        self._calls = self._cache_hits = self._retries = self._failures = 0
        self._input_tokens = self._output_tokens = 0
        self._known_usd = 0.0
        self._unpriced_calls: Counter[str] = Counter()
        self._asked: defaultdict[str, _Asked] = defaultdict(_Asked)
        self._waiting: list[asyncio.Future[None]] = []

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
            known_usd=self._known_usd,
            unpriced_calls=dict(self._unpriced_calls),
        )

    def require_price(self, model: str) -> None:
        """Refuse a model that a limit of cost could not be kept with.

        Raises:
            SetupError: there is such a limit, and the model has no known price.
        """
        if self.max_cost_usd is not None and self.prices.cost_usd(model, 0, 0) is None:
            raise SetupError(
                f"The price of {model} is unknown, so KURA_MAX_COST_USD can't be kept. Set KURA_PRICES to "
                f'{{"{model}": {{"input": …, "output": …}}}}, in USD per million tokens, or use KURA_MAX_CALLS.'
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
        asked = self._asked[model]
        if self.max_cost_usd is not None:
            self.require_price(model)
            possible = self._known_usd + self._cost(model, *asked.most_tokens(input_tokens, int(answers)))
            for each, others in self._asked.items():
                tokens = others.most_tokens(others.input_in_flight, others.answers_in_flight, others.answers_lost)
                possible += self._cost(each, *tokens)
            if possible > self.max_cost_usd:
                raise BudgetError(
                    f"The next call to {model} could cross the limit of {self.max_cost_usd:g} USD "
                    f"(KURA_MAX_COST_USD); {self._known_usd:.4f} USD are spent. What was answered is kept: a run with "
                    "a higher limit pays only for the rest."
                )
        self._calls += 1
        asked.in_flight += 1
        asked.input_in_flight += input_tokens
        asked.answers_in_flight += answers
        return Reservation(self, model, input_tokens, answers)

    async def reserve_in_turn(self, model: str, input_tokens: int, *, answers: bool = True) -> Reservation:
        """Reserve as `reserve` does, but wait for requests in flight where those could come out cheaper than expected.

        Raises:
            BudgetError: it could cross a limit, and nothing is in flight.
            SetupError: there is a limit of cost, and the model has no known price.
        """
        while True:
            try:
                return self.reserve(model, input_tokens, answers=answers)
            except BudgetError:
                calls_left = self.max_calls is None or self._calls < self.max_calls
                if not calls_left or not any(asked.in_flight for asked in self._asked.values()):
                    raise
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(ended)
            await ended

    def count_cache_hit(self) -> None:
        """Note a question whose answer was kept."""
        self._cache_hits += 1

    def count_retry(self) -> None:
        """Note that a request is about to be sent again."""
        self._retries += 1

    def count_failure(self) -> None:
        """Note a question that was given up."""
        self._failures += 1

    def _cost(self, model: str, input_tokens: int, output_tokens: int) -> float:
        # Of what is in flight while there is a limit, every price is known.
        return self.prices.cost_usd(model, input_tokens, output_tokens) or 0.0

    def _settle(self, reservation: Reservation, input_tokens: int | None, output_tokens: int) -> None:
        asked = self._asked[reservation.model]
        asked.learn(reservation.input_tokens, input_tokens, output_tokens)
        if input_tokens is None:
            input_tokens = asked.likely_input(reservation.input_tokens)
        self._pay(reservation.model, input_tokens, output_tokens)
        self._end(reservation)

    def _lose(self, reservation: Reservation) -> None:
        asked = self._asked[reservation.model]
        asked.answers_lost += reservation.answers
        self._pay(reservation.model, asked.likely_input(reservation.input_tokens), 0)
        self._end(reservation)

    def _pay(self, model: str, input_tokens: int, output_tokens: int) -> None:
        self._input_tokens += input_tokens
        self._output_tokens += output_tokens
        cost = self.prices.cost_usd(model, input_tokens, output_tokens)
        if cost is None:
            self._unpriced_calls[model] += 1
        else:
            self._known_usd += cost

    def _end(self, reservation: Reservation) -> None:
        asked = self._asked[reservation.model]
        asked.in_flight -= 1
        asked.input_in_flight -= reservation.input_tokens
        asked.answers_in_flight -= reservation.answers
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


class Reservation:
    """What one request in flight may cost, until it is settled, lost or released; later calls change nothing."""

    def __init__(self, ledger: Ledger, model: str, input_tokens: int, answers: bool) -> None:
        self._ledger: Ledger | None = ledger
        self.model = model
        self.input_tokens = input_tokens
        self.answers = answers

    def settle(self, input_tokens: int | None, output_tokens: int) -> None:
        """Put what the provider counted in place of what was expected; None means that it did not say."""
        if ledger := self._taken():
            ledger._settle(self, input_tokens, output_tokens)

    def lose(self) -> None:
        """Charge what was sent to a provider that gave no answer; one may be billed, and stays set aside."""
        if ledger := self._taken():
            ledger._lose(self)

    def release(self) -> None:
        """Free what was set aside for a request that was not sent, or that the provider refused."""
        if ledger := self._taken():
            ledger._end(self)

    def _taken(self) -> Ledger | None:
        ledger, self._ledger = self._ledger, None
        return ledger
