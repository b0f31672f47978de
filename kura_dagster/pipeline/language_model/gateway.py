"""What every request to a provider passes: the pace, the time limit, and the waiting and trying again.

What is asked, and what is made of the answer, is the caller's business; what a failure means is `failures`'.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from kura_dagster.pipeline.failures import (
    LanguageModelError,
    ProviderDownError,
    SetupError,
    StopAsking,
    explain,
    is_rate_limit,
    is_temporary,
    is_timeout,
    is_unreachable,
    kind_of,
    may_concern_one_question,
    retry_after,
    stopping,
)
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster.pipeline.language_model.pace import Pace

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

MAX_ATTEMPTS = 8
MOST_TIMEOUTS = 3
"""A stalled request takes its whole time limit, so it is not sent as often as one that fails at once."""

MOST_GIVEN_UP_IN_A_ROW = 20
"""Requests given up one after the other, none answered between them: the provider is down."""

MOST_REFUSED_IN_A_ROW = 5
"""Refusals that may concern one question only, as a filter's, with no answer between them: more concern all."""
MOST_UNREACHABLE = 3
"""Attempts at an address that nothing has answered from yet: its port or its host is wrong."""

SECONDS_BETWEEN_NOTICES = 10.0

_back_off = wait_exponential_jitter(multiplier=0.5, max=30, jitter=0.5)


_time_limit: ContextVar[asyncio.Timeout | None] = ContextVar("_time_limit", default=None)
"""Of the attempt that the current task is at."""


class Gateway:
    """The way to one provider.

    Args:
        model: `<provider>/<model>`, for messages.
        pace: how fast requests are sent.
        ledger: counts retries and questions given up.
        timeout: seconds that a request may take.
        most_requests: that one attempt may send, with re-asks; it is given up after so many times `timeout`.
        url: returns the provider's address for messages.
        notice: hears, every ten seconds at most, why requests are sent again; None logs it.
    """

    def __init__(
        self,
        model: str,
        *,
        pace: Pace,
        ledger: Ledger,
        timeout: float,
        url: Callable[[], str | None],
        most_requests: int = 1,
        notice: Callable[[str], object] | None = None,
    ) -> None:
        self.model = model
        self.pace = pace
        self.ledger = ledger
        self.timeout = timeout
        self.most_requests = most_requests
        self._url = url
        self._notices = _Notices(model, notice or logger.warning)
        self._answered = self._reached = False
        self._given_up_in_row = self._refused_in_row = 0
        self._stop: StopAsking | None = None

    async def send(self, request: Callable[[], Awaitable[Result]], *, tokens: int, asked: str) -> Result:
        """Return what `request` returns; it is called anew for each attempt.

        A temporary failure is tried again, up to eight attempts, after the time that the provider asks for or else an
        exponentially growing one with jitter. `tokens` is about what a request sends, `asked` its text, which no
        message repeats.

        Raises:
            StopAsking: the key, the model or the budget allows no further question, or the provider is down.
            LanguageModelError: the question failed for good.
        """
        timeouts = unreachable = 0

        def worth_another_try(error: BaseException) -> bool:
            nonlocal timeouts, unreachable
            timeouts += is_timeout(error)
            if is_unreachable(error):
                unreachable += not self._reached
            elif not is_timeout(error) and not isinstance(error, LanguageModelError):
                self._reached = True
            return timeouts < MOST_TIMEOUTS and unreachable < MOST_UNREACHABLE and is_temporary(error)

        async def before_sleep(state: RetryCallState) -> None:
            self.ledger.count_retry()
            error = state.outcome.exception() if state.outcome else None
            if error is not None:
                self._notices.sent_again(kind_of(error), state.upcoming_sleep, self.pace)

        retrying = AsyncRetrying(
            stop=stop_after_attempt(MAX_ATTEMPTS),
            retry=retry_if_exception(worth_another_try),
            wait=_wait,
            before_sleep=before_sleep,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    result = await self._attempt(request, tokens)
        except Exception as error:
            failure: LanguageModelError = stopping(error) or (
                error if isinstance(error, LanguageModelError) else self._explained(error, asked)
            )
            if unreachable >= MOST_UNREACHABLE:
                failure = SetupError(str(failure))
            failure = self._given_up(failure, unreachable=is_temporary(error))
        else:
            self._answered = self._reached = True
            self._given_up_in_row = self._refused_in_row = 0
            return result
        raise failure

    def _explained(self, error: Exception, asked: str) -> LanguageModelError:
        self._refused_in_row += may_concern_one_question(error)
        return explain(
            error,
            model=self.model,
            url=self._url(),
            timeout=self.timeout,
            asked=asked,
            only_this=self._answered and self._refused_in_row < MOST_REFUSED_IN_A_ROW,
        )

    async def next_request(self, tokens: int) -> None:
        """Wait until the attempt that runs in this task may send one more request, as a re-ask."""
        async with self.own_waiting():
            await self.pace.next_request(tokens)

    @asynccontextmanager
    async def own_waiting(self) -> AsyncIterator[None]:
        """Take the time inside of the block out of the attempt's time limit: it is not the provider that takes it."""
        limit = _time_limit.get()
        end = limit.when() if limit is not None else None
        if limit is None or end is None:
            yield
            return
        left = end - asyncio.get_running_loop().time()
        limit.reschedule(None)
        try:
            yield
        finally:
            limit.reschedule(asyncio.get_running_loop().time() + left)

    async def _attempt(self, request: Callable[[], Awaitable[Result]], tokens: int) -> Result:
        async with self.pace.slot(tokens) as slot:
            if self._stop is not None:
                raise self._stop  # found out by another question while this one waited for its place
            try:
                async with asyncio.timeout(self.timeout * self.most_requests) as limit:
                    in_task = _time_limit.set(limit)
                    try:
                        result = await request()
                    finally:
                        _time_limit.reset(in_task)
            except Exception as error:
                if is_rate_limit(error):
                    self.pace.slow_down(slot.sent_at, retry_after(error))
                raise
            self.pace.succeeded()
            return result

    def _given_up(self, failure: LanguageModelError, *, unreachable: bool) -> LanguageModelError:
        if isinstance(failure, StopAsking):
            self._stop = failure
            return failure
        self.ledger.count_failure()
        self._given_up_in_row = self._given_up_in_row + 1 if unreachable else 0
        if self._given_up_in_row >= MOST_GIVEN_UP_IN_A_ROW:
            self._stop = ProviderDownError(f"{self._given_up_in_row} questions in a row failed. The last: {failure}")
            return self._stop
        return failure


class _Notices:
    """Tells who waits why nothing comes: at the first request that is sent again, then every ten seconds at most."""

    def __init__(self, model: str, tell: Callable[[str], object]) -> None:
        self._model = model
        self._tell = tell
        self._kinds: Counter[str] = Counter()
        self._told_at = -SECONDS_BETWEEN_NOTICES

    def sent_again(self, kind: str, seconds: float, pace: Pace) -> None:
        """Note a request that is sent again in so many seconds, after this kind of trouble."""
        self._kinds[kind] += 1
        now = time.monotonic()
        if now - self._told_at < SECONDS_BETWEEN_NOTICES:
            return
        kinds = ", ".join(f"{count:,} × {kind}" for kind, count in self._kinds.most_common())
        slower = f"; at most {pace.places:,} requests at once for now" if pace.is_slowed else ""
        self._tell(f"{self._model}: {kinds}; asked again in {max(seconds, pace.pause):.1f} s{slower}")
        self._kinds.clear()
        self._told_at = now


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = retry_after(error) if error is not None else None
    # Jitter on top of what the provider says too: all that it refused would come back at once.
    return (told or 0.0) + _back_off(state)
