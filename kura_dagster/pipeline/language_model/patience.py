"""How long an extractor may take: only what it does itself counts, and not its waiting for a language model of ours.

A question that waits for its turn, or for a provider that asks for a pause, is bounded already, and may take long for
good reasons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Literal


class Patience:
    """`async with Patience(seconds):` raises TimeoutError after so many seconds that are not `off_the_clock`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(seconds)
        self._waits = 0
        self._is_open = False

    async def __aenter__(self) -> Patience:
        await self._limit.__aenter__()
        self._is_open = True
        self._token = _patience.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_open = False
        _patience.reset(self._token)
        await self._limit.__aexit__(kind, error, traceback)

    @property
    def is_spent(self) -> bool:
        """Whether it ended for this reason, and not by an error from within."""
        return self._limit.expired()

    def begin_waiting(self) -> None:
        """Stop the clock."""
        self._waits += 1
        self._set(None)

    def end_waiting(self) -> None:
        """Start the clock anew, once nothing is waited for."""
        self._waits -= 1
        if not self._waits:
            self._set(asyncio.get_running_loop().time() + self._seconds)

    def _set(self, when: float | None) -> None:
        # What the extractor left running may go on asking after its end.
        if self._is_open and not self._limit.expired():
            self._limit.reschedule(when)


_patience: ContextVar[Patience | None] = ContextVar("_patience", default=None)


@contextmanager
def off_the_clock() -> Iterator[None]:
    """Stop the clock of the extractor, if any, that waits for what is done inside."""
    patience = _patience.get()
    if patience is None:
        yield
        return
    patience.begin_waiting()
    try:
        yield
    finally:
        patience.end_waiting()


class PatientSemaphore(asyncio.Semaphore):
    """A semaphore that an extractor's clock doesn't wait for: its turn comes when others are done."""

    async def acquire(self) -> Literal[True]:
        """Wait for a place."""
        with off_the_clock():
            return await super().acquire()
