"""How far a run is with its questions to language models, and what it has spent: for its log and for who watches it.

What a model reports is a `Progress` after each item; what is made of it for people is here. Nothing is stored here:
what a partition spent becomes metadata in `asset_metadata`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kura_dagster.pipeline.language_model.ledger import Ledger, Spent

if TYPE_CHECKING:
    from kura_dagster.pipeline.language_model.client import Progress

LONGEST_SILENCE = 10.0  # seconds
SHORTEST_SILENCE = 1.0  # seconds: a line costs a write to the run's history
SHARE_BETWEEN_LINES = 0.1


@dataclass(frozen=True)
class RunProgress:
    """How far the questions of one kind are, in one partition. `cost_usd` is None where a price is unknown."""

    partition: str
    what: str
    done: int
    total: int
    cached: int
    failed: int
    cost_usd: float | None
    latest: str

    def line(self) -> str:
        """Return it as the run's log says it."""
        return (
            f"{self.partition} {self.what}: {self.done:,} of {self.total:,}, {self.cached:,} from cache, "
            f"{self.failed:,} failed, {usd(self.cost_usd)}"
        )


@dataclass
class RunWatch:
    """What a caller in the same process sees of a run: each answer as it comes, trouble, and what is spent so far."""

    on_progress: Callable[[RunProgress], None] = lambda progress: None
    on_notice: Callable[[str], None] = lambda notice: None
    spent: Spent = field(default_factory=Spent)


_watch: ContextVar[RunWatch | None] = ContextVar("_watch", default=None)


@contextmanager
def watched_by(watch: RunWatch) -> Iterator[None]:
    """Let `watch` see the runs that are made in this process inside of the block."""
    in_context = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(in_context)


class Meter:
    """Follows what one run asks of language models and embedding APIs, a partition of one asset at a time.

    Args:
        ledger: of the run.
        asked: what is asked, language models and embedding models of APIs; other models have nothing to report.
    """

    def __init__(self, ledger: Ledger, asked: Iterable[Any]) -> None:
        self.ledger = ledger
        self._watch = _watch.get() or RunWatch()
        self._partition: _Partition | None = None
        for model in asked:
            if hasattr(model, "on_progress"):
                model.on_progress = self._heard
            if hasattr(model, "on_notice"):
                model.on_notice = self._noticed

    @contextmanager
    def partition(self, key: str, log: Callable[[str], object]) -> Iterator[Callable[[], Spent]]:
        """Log what is asked inside of the block as the partition's; give what tells how much that has spent.

        Also of a block that fails, the log says at the end how far it came and what it spent.
        """
        before = self.ledger.spent
        self._partition = _Partition(key, log, before)
        try:
            yield lambda: self.ledger.spent - before
        finally:
            self._partition.ended(self.ledger.spent)
            self._partition = None
            self._watch.spent = self.ledger.spent

    def _noticed(self, notice: str) -> None:
        if self._partition is not None:
            self._partition.log(notice)
        self._watch.on_notice(notice)

    def _heard(self, progress: Progress) -> None:
        spent = self._watch.spent = self.ledger.spent
        if self._partition is not None:
            self._watch.on_progress(self._partition.heard(progress, spent))


class _Partition:
    """One partition's questions, kind after kind, and when the log last had a line of them."""

    def __init__(self, key: str, log: Callable[[str], object], before: Spent) -> None:
        self._key = key
        self.log = log
        self._spent_before = self._spent_last = before
        self._hits_before = before.cache_hits
        self._what: str | None = None
        self._done = self._done_in_log = 0
        self._logged_at = 0.0
        self._not_in_log: RunProgress | None = None

    def heard(self, progress: Progress, spent: Spent) -> RunProgress:
        begins = progress.what != self._what or progress.done <= self._done
        if begins:
            # Kinds of questions follow one another: what came from the cache since the last of the other kind is ours.
            self._what, self._hits_before = progress.what, self._spent_last.cache_hits
        self._done, self._spent_last = progress.done, spent
        said = RunProgress(
            partition=self._key,
            what=progress.what,
            done=progress.done,
            total=progress.total,
            # An embedding API's kept vectors are counted too, and so are extractors' questions.
            cached=min(progress.done, spent.cache_hits - self._hits_before),
            failed=progress.failed,
            cost_usd=(spent - self._spent_before).cost_usd,
            latest=progress.latest,
        )
        silence = time.monotonic() - self._logged_at
        more = progress.done - self._done_in_log
        if (
            begins
            or progress.done == progress.total
            or silence >= LONGEST_SILENCE
            or (silence >= SHORTEST_SILENCE and more >= SHARE_BETWEEN_LINES * progress.total)
        ):
            self.log(said.line())
            self._done_in_log, self._logged_at = progress.done, time.monotonic()
            self._not_in_log = None
        else:
            self._not_in_log = said
        return said

    def ended(self, spent: Spent) -> None:
        if self._not_in_log is not None:
            self.log(self._not_in_log.line())
        here = spent - self._spent_before
        if here.calls or here.cache_hits:
            self.log(f"{self._key} asked: {spending_line(here)}")


def spending_line(spent: Spent) -> str:
    """Return what was asked and paid, as the run's log and the terminal say it."""
    return (
        f"{spent.calls:,} calls ({spent.retries:,} of them repeated), {spent.cache_hits:,} answers from the cache, "
        f"{spent.failures:,} failed; {spent.input_tokens:,} tokens in, {spent.output_tokens:,} out; "
        f"{usd(spent.cost_usd)}"
    )


def usd(amount: float | None) -> str:
    """Return an amount as people read it: "0.03 USD", four decimals below a cent, "cost unknown" for None."""
    if amount is None:
        return "cost unknown"
    return f"{amount:.4f} USD" if 0 < amount < 0.01 else f"{amount:,.2f} USD"
