"""Dropping messages that are older than they are to be kept: which partitions that concerns, and the job that does it.

The database and the landing folder each know how they drop theirs; here is the order, for a process may be killed in
between. The database comes first and writes down which partitions it concerns: from then on nobody takes a partition
whose lines go for one that lost its conversations.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from kura_dagster.orchestration.partitions import key_of, partitions_from, partitions_of_day
from kura_dagster.pipeline.old_lines import drop_old_lines, old_lines
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database, PartitionDate
from kura_dagster.storage.io_manager import partition_date_of, partition_dates
from kura_dagster.storage.snapshot import Snapshot
from kura_dagster.storage.tables import SUMMARIES

JOB_NAME = "drop_old_messages"
HOUR_OF_DAY = 6
"""After the runs of both schedules have begun, by their defaults: they would wait while the file is written anew."""


@dataclass(frozen=True)
class OldMessages:
    """What began so long ago that its messages are not kept any more.

    Args:
        before: the first moment whose messages are kept.
        rows: how many rows hold messages, by table.
        lines: how many lines of the landing folder do, by file.
        partitions: the partitions that these are of, by their `partition_date`, in order.
        partition_keys: their keys.
        not_summarised: those of them that have no summary, so that nothing is left of what they have landed.
    """

    before: datetime
    rows: Mapping[str, int]
    lines: Mapping[str, int]
    partitions: list[PartitionDate]
    partition_keys: list[str]
    not_summarised: list[str]

    def __bool__(self) -> bool:
        return bool(self.partitions or self.lines)


def kept_since(settings: Settings, now: datetime) -> datetime | None:
    """Return where the first partition begins whose messages are kept; None where they are kept for ever.

    Those before it ended at least `KURA_KEEP_MESSAGES_DAYS` days before `now`, as calendars and clocks in
    `KURA_TIMEZONE` count them.
    """
    if settings.keep_messages_days is None:
        return None
    moment = now.astimezone(settings.tzinfo) - timedelta(days=settings.keep_messages_days)
    # Older files may hold what is from before KURA_START_DATE.
    window = partitions_from(settings).get_prev_partition_window(moment, respect_bounds=False)
    assert window is not None  # only bounds make it so
    return window.end


def old_messages(settings: Settings, database: Database, before: datetime) -> OldMessages:
    """Return what `drop_old_messages` would drop.

    Raises:
        DatabaseError, OSError: the database or the landing folder can't be read.
    """
    partitions_def = partitions_from(settings)
    held = database.messages_before(partition_date_of(before, database.partition_type))
    lines = old_lines(settings.conversations, before, settings.tzinfo)
    landed = _partitions_of_days({each.day for each in lines.values()}, settings, database, before)
    partitions = sorted({when for rows in held.values() for when in rows} | landed)
    summarised = database.row_counts()[SUMMARIES.name]
    return OldMessages(
        before,
        {name: sum(rows.values()) for name, rows in held.items() if rows},
        {name: len(each.numbers) for name, each in lines.items()},
        partitions,
        [key_of(partitions_def, when) for when in partitions],
        [key_of(partitions_def, when) for when in partitions if when not in summarised],
    )


def drop_old_messages(settings: Settings, database: Database, before: datetime) -> OldMessages:
    """Drop the messages of every partition before a moment, and return what was dropped.

    What is left by a process that is killed in the middle, the next call drops.

    Raises:
        DatabaseError, OSError: the database, its snapshot or the landing folder can't be written.
    """
    found = old_messages(settings, database, before)
    database.drop_messages(partition_date_of(before, database.partition_type), found.partitions)
    lines = drop_old_lines(settings.conversations, before, settings.tzinfo)
    Snapshot(database).publish_or_remove()  # what is dropped is not to live on there
    return replace(found, lines=lines)


def _partitions_of_days(days: Iterable[date], settings: Settings, database: Database, before: datetime) -> set[Any]:
    """Return the partitions that hold any moment of these days and end before a moment, or with it."""
    partitions_def = partitions_from(settings)
    keys = {key for day in days for key in partitions_of_day(day, partitions_def, settings)[0]}
    keys = {key for key in keys if partitions_def.time_window_for_partition_key(key).end <= before}
    return set(partition_dates(partitions_def, sorted(keys), database.partition_type).values())


def retention_job(settings: Settings) -> dg.JobDefinition:
    """Return the job that drops what is older than `KURA_KEEP_MESSAGES_DAYS`, which has to be set."""

    @dg.op(description="Drops messages that are older than KURA_KEEP_MESSAGES_DAYS.")
    def drop(context: dg.OpExecutionContext, database: dg.ResourceParam[Database]) -> None:
        before = kept_since(settings, datetime.now(UTC))
        assert before is not None  # else there is no such job
        dropped = drop_old_messages(settings, database, before)
        if not dropped:
            context.log.info(f"nothing from before {before:%Y-%m-%d %H:%M} has messages any more")
            return
        context.log.info(f"messages from before {before:%Y-%m-%d %H:%M} are dropped: {dropped.partition_keys}")
        if dropped.not_summarised:
            context.log.warning(f"dropped without ever having been summarised: {dropped.not_summarised}")
        context.add_output_metadata(
            {
                "partitions": len(dropped.partition_keys),
                "landed_lines": sum(dropped.lines.values()),
                **{f"{table}_rows": number for table, number in dropped.rows.items()},
            }
        )

    @dg.job(
        name=JOB_NAME,
        description="Drops messages, in tables and landing files, that are older than KURA_KEEP_MESSAGES_DAYS; "
        "summaries, embeddings and clusters stay.",
    )
    def job() -> None:
        drop()

    return job


def retention_schedule(job: dg.JobDefinition, settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule that runs the job every day. It is on: who sets how long messages are kept relies on it."""
    return dg.ScheduleDefinition(
        name=f"{JOB_NAME}_schedule",
        job=job,
        cron_schedule=f"0 {HOUR_OF_DAY} * * *",
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Drops messages that are older than KURA_KEEP_MESSAGES_DAYS, every day.",
    )
