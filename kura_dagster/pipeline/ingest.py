"""From sources to the landing folder: every record of every file is landed or set aside, and counted.

What formats there are is `sources`' knowledge, how days are written `landing`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO

from kura_dagster.pipeline.conversations import RejectedConversation
from kura_dagster.pipeline.landing import CLASH, LandedDay, Landing
from kura_dagster.pipeline.rejected import kind_of_reason
from kura_dagster.pipeline.sources.detection import Format
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.sources.places import NotRead, Place
from kura_dagster.pipeline.sources.reading import read_source
from kura_dagster.pipeline.sources.record import Read, Record, SourceError, Unusable, of_source

TOO_OLD = "too old: messages are kept for the last KURA_KEEP_MESSAGES_DAYS days only"
_RECORDS_BETWEEN_NEWS = 200


@dataclass
class IngestReport:
    """What an ingest did: records that were read, what became of them by day, and files that were not read whole.

    `reasons` counts the records that were set aside by the kind of their reason, and `empty` are the files that hold no
    record.
    """

    n_read: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    empty: list[str] = field(default_factory=list)
    days: dict[date, LandedDay] = field(default_factory=dict)
    not_read: list[NotRead] = field(default_factory=list)

    @property
    def total(self) -> LandedDay:
        """The figures of all days together."""
        total = LandedDay()
        for day in self.days.values():
            for name, number in vars(day).items():
                setattr(total, name, getattr(total, name) + number)
        return total

    @property
    def n_usable(self) -> int:
        """How many records are conversations, also such as were known before."""
        total = self.total
        return sum(vars(total).values()) - total.rejected


Progress = Callable[[str, int, int], None]
"""Hears of the file that is read, the bytes of it that are read, and the records of all files so far."""


def ingest(
    places: Iterable[Place | NotRead],
    landing: Landing,
    options: SourceOptions,
    *,
    format: Format | None = None,
    on_progress: Progress = lambda name, n_bytes, n_records: None,
) -> IngestReport:
    """Land the conversations of these files.

    Args:
        places: the files; one that can't be read is reported, and the others go on.
        landing: gathers; it is finished here.
        options: how sources are read.
        format: of all files; None means that each is told by its beginning.
        on_progress: hears how far it is.

    Raises:
        OSError: the landing folder can't be written.
    """
    report = IngestReport()
    for place in places:
        if isinstance(place, NotRead):
            report.not_read.append(place)
            continue
        landing.begin_file(place.name)
        number, n_before = 0, report.n_read
        try:
            before = place.state()
            with place.open() as file:
                for record in read_source(file, place.name, options, format):
                    number = max(number, record.number)
                    _take(record, place.name, landing, report, one_source=options.source is not None)
                    if report.n_read % _RECORDS_BETWEEN_NEWS == 0:
                        on_progress(place.name, _bytes_read(file), report.n_read)
            if place.state() != before:
                raise SourceError("it changed while it was read, so some of it may be missing; ingest it again")
            if report.n_read == n_before:
                report.empty.append(place.name)
        except (SourceError, OSError) as error:
            reason = str(error) if isinstance(error, SourceError) else f"it can't be read: {error.strerror or error}"
            # The name stands beside the reason wherever that is shown.
            reason = reason.replace(f"{place.name} ", "it ", 1) if reason.startswith(f"{place.name} ") else reason
            report.not_read.append(NotRead(place.name, reason))
            rejected = RejectedConversation(file=place.name, line=number + 1, reason=reason, content="")
            landing.reject(rejected, None, is_record=False)
        on_progress(place.name, place.n_bytes or 0, report.n_read)
    return _finish(landing, report)


def ingest_records(
    records: Iterable[Record],
    name: str,
    landing: Landing,
    *,
    source: str = "",
    one_source: bool = False,
    on_progress: Progress = lambda name, n_bytes, n_records: None,
) -> IngestReport:
    """Land what is in no file: the rows of a query, a data set, or a class of the user's own.

    Args:
        records: what to land.
        name: what it is called in the table of what was set aside.
        landing: gathers; it is finished here.
        source: stands before the ids, as `SourceOptions.source` says.
        one_source: whether who lands it vouches for the ids, as for `versions.joined`.
        on_progress: hears how far it is.

    Raises:
        SourceError: it can't be read; nothing of it is landed.
        OSError: the landing folder can't be written.
    """
    report = IngestReport()
    landing.begin_file(name)
    for record in records:
        _take(of_source(record, source), name, landing, report, one_source=one_source)
        if report.n_read % _RECORDS_BETWEEN_NEWS == 0:
            on_progress(name, 0, report.n_read)
    if not report.n_read:
        report.empty.append(name)
    on_progress(name, 0, report.n_read)
    return _finish(landing, report)


def _finish(landing: Landing, report: IngestReport) -> IngestReport:
    report.days = landing.finish()
    if landing.n_clashes:
        report.reasons[CLASH] = landing.n_clashes
    return report


def _bytes_read(file: BinaryIO) -> int:
    try:
        return file.tell()
    except OSError:  # a pipe does not know
        return 0


def _take(record: Record, file: str, landing: Landing, report: IngestReport, *, one_source: bool) -> None:
    report.n_read += 1
    record = _too_old(record, landing.since) or record
    if isinstance(record, Read):
        landing.add(record.conversation, file, record.number, one_source=one_source)
        return
    report.reasons[kind_of_reason(record.reason)] += 1
    rejected = RejectedConversation(
        file=file, line=record.number, chat_id=record.chat_id, reason=record.reason, content=record.content
    )
    landing.reject(rejected, record.created_at)


def _too_old(record: Record, since: datetime | None) -> Unusable | None:
    """Return what is set aside of a record that began before `since`: its id, and nothing of what was said.

    It has no time: it is filed under today, for its own day must not get anything any more.
    """
    of_record = record.conversation if isinstance(record, Read) else record
    if since is None or of_record.created_at is None or of_record.created_at >= since:
        return None
    return Unusable(record.number, TOO_OLD, of_record.chat_id, "", None)
