"""Which questions are being asked at this moment, marked in the cache that processes share: none is paid for twice.

A mark is a lease. It ends by itself some seconds after its process was killed; while the process lives, it is renewed.
Strategies that keep answers for one process only need none of this.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from kura_dagster.pipeline.failures import StopAsking

LEASE_SECONDS = 30.0
"""How long others wait at most for a process that was killed."""

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0  # seconds between two looks for another process's answer

stand_in: ContextVar[Callable[[], None] | None] = ContextVar("stand_in", default=None)
"""Has another question begun in place of the current task's, which waits for another process."""


class Leases:
    """The leases that one client holds. A cache without `lease` gives all that is asked for."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache if hasattr(cache, "lease") else None
        self._renewals: dict[str, asyncio.TimerHandle] = {}

    def take(self, key: str) -> bool:
        """Mark a question as being asked here; False where another process is asking it, or has just been answered."""
        if self._cache is None:
            return True
        if not self._cache.lease(key, LEASE_SECONDS):
            return False
        self._renew_later(key)
        return True

    def done(self, key: str, *, answered: bool) -> None:
        """End a lease; an answer that is kept has taken its place."""
        renewal = self._renewals.pop(key, None)
        if renewal is None:
            return
        renewal.cancel()
        if not answered and self._cache is not None:
            # A cache that has just failed says so elsewhere, and the lease ends by itself.
            with suppress(StopAsking):
                self._cache.release(key)

    def _renew_later(self, key: str) -> None:
        self._renewals[key] = asyncio.get_running_loop().call_later(LEASE_SECONDS / 3, self._renew, key)

    def _renew(self, key: str) -> None:
        if self._cache is not None:
            with suppress(StopAsking):
                self._cache.renew(key, LEASE_SECONDS)
        self._renew_later(key)


class Waiting:
    """The waits of one question for another process's answer: longer and longer, and never in step with others."""

    def __init__(self) -> None:
        self._seconds = _FIRST_WAIT

    async def a_while(self) -> None:
        """Wait, and let another question be asked meanwhile."""
        begin_another = stand_in.get()
        if begin_another is not None and self._seconds == _FIRST_WAIT:
            begin_another()
        await asyncio.sleep(self._seconds * random.uniform(0.5, 1.0))
        self._seconds = min(_LONGEST_WAIT, 1.5 * self._seconds)
