"""How fast a provider is asked: requests in flight at once, and requests and tokens per minute.

The number in flight follows the provider. A rate limit halves it, and each success lets a fraction of a request more
through until the set number is reached again: additive increase, multiplicative decrease, as TCP keeps its window
(Chiu and Jain 1989, https://doi.org/10.1016/0169-7552(89)90019-6).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

FIRST_REQUESTS = 5
"""In flight until one is answered: a wrong key or a wrong address is not tried with fifty requests at once."""

RECOVERY = 0.5  # of a request in flight that each success adds; less lets stray 429s bring a run to a crawl


class Pace:
    """Lets requests through, in the order they came, at the pace of one provider.

    Args:
        max_in_flight: the most requests at once.
        requests_per_minute: None means no limit.
        tokens_per_minute: of what is sent; None means no limit. More than ten seconds' share counts as that.

    Raises:
        ValueError: a number is below 1.
    """

    def __init__(
        self, max_in_flight: int, requests_per_minute: int | None = None, tokens_per_minute: int | None = None
    ) -> None:
        for name, number in (
            ("max_concurrent_requests", max_in_flight),
            ("requests_per_minute", requests_per_minute),
            ("tokens_per_minute", tokens_per_minute),
        ):
            if number is not None and number < 1:
                raise ValueError(f"{name} is {number}; allowed is 1 or more")
        self.max_in_flight = max_in_flight
        self.limit = float(max_in_flight)
        self.in_flight = 0
        self._answered = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._slowed_at = self._paused_until = 0.0
        self._requests = _per_minute(requests_per_minute)
        self._tokens = _per_minute(tokens_per_minute)

    def slot(self, tokens: int) -> Slot:
        """Return what a request of so many tokens is sent inside of: `async with pace.slot(tokens):`."""
        return Slot(self, tokens)

    def slow_down(self, sent_at: float, seconds: float | None = None) -> None:
        """Halve the number in flight, and send nothing for `seconds` where the provider says so.

        Requests that were sent together are refused together: those sent before the last slow-down (`sent_at`, in
        `time.monotonic` seconds) do not count again.
        """
        now = time.monotonic()
        if seconds:
            self._paused_until = max(self._paused_until, now + seconds)
        if sent_at >= self._slowed_at:
            self._slowed_at = now
            self.limit = max(1.0, self.limit / 2)

    def succeeded(self) -> None:
        """Let a fraction of a request more through, up to the set number."""
        if not self._answered or self.limit < self.max_in_flight:
            self._answered = True
            self.limit = min(float(self.max_in_flight), self.limit + RECOVERY)
            self._wake()

    @property
    def places(self) -> int:
        """How many requests may be in flight at this moment."""
        return int(self.limit) if self._answered else min(FIRST_REQUESTS, int(self.limit))

    @property
    def is_slowed(self) -> bool:
        """Whether fewer requests are let through than may be, because the provider said that it is too many."""
        return self.limit < self.max_in_flight

    @property
    def pause(self) -> float:
        """Seconds for which the provider asks to send nothing, from now."""
        return max(0.0, self._paused_until - time.monotonic())

    async def enter(self, tokens: int) -> None:
        """Wait for a place, and until a request of so many tokens may be sent."""
        while self._waiting or self.in_flight >= self.places:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place in self._waiting:
                    self._waiting.remove(place)
                elif place.done() and not place.cancelled():
                    self.leave()  # it had been given the place already
                raise
            break  # the place came with the waking
        else:
            self.in_flight += 1
        try:
            await self.next_request(tokens)
        except asyncio.CancelledError:
            self.leave()
            raise

    async def next_request(self, tokens: int) -> None:
        """Wait until one more request may be sent from a place that is taken, as a question put again is."""
        if self._requests is not None:
            await self._requests.acquire()
        if self._tokens is not None:
            await self._tokens.acquire(min(tokens, self._tokens.max_rate))
        while (pause := self.pause) > 0:
            await asyncio.sleep(pause)

    def leave(self) -> None:
        """Give the place back."""
        self.in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.in_flight < self.places:
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)


class Slot:
    """A place among the requests in flight; `sent_at` is when it was taken, in `time.monotonic` seconds."""

    def __init__(self, pace: Pace, tokens: int) -> None:
        self._pace = pace
        self._tokens = tokens
        self.sent_at = 0.0

    async def __aenter__(self) -> Slot:
        await self._pace.enter(self._tokens)
        self.sent_at = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pace.leave()


def _per_minute(number: int | None) -> AsyncLimiter | None:
    if number is None:
        return None
    from aiolimiter import AsyncLimiter

    # Ten seconds' share at a time: a whole minute's in one burst is what providers refuse.
    burst = max(1.0, number / 6)
    return AsyncLimiter(burst, time_period=60 * burst / number)
