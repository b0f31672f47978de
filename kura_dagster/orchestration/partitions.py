"""How time is cut into partitions. Which assets use them is decided in `build`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from kura_dagster.settings import Cadence, Settings
from kura_dagster.storage.partitioning import Partitioning

_DEFINITIONS: dict[Cadence, type[dg.TimeWindowPartitionsDefinition]] = {
    Cadence.HOURLY: dg.HourlyPartitionsDefinition,
    Cadence.DAILY: dg.DailyPartitionsDefinition,
    Cadence.WEEKLY: dg.WeeklyPartitionsDefinition,
    Cadence.MONTHLY: dg.MonthlyPartitionsDefinition,
}
_LONGEST_PARTITION = timedelta(days=31)


def partitions_from(settings: Settings) -> dg.TimeWindowPartitionsDefinition:
    """Return the partitions from the one that holds `start_date` on, cut in the project's time zone.

    Weeks begin on Mondays and are named after them, months after their first day.
    """
    start, options = settings.start_date, {}
    if settings.cadence is Cadence.WEEKLY:
        start, options = start - timedelta(days=start.weekday()), {"day_offset": 1}
    elif settings.cadence is Cadence.MONTHLY:
        start = start.replace(day=1)
    definition: Any = _DEFINITIONS[settings.cadence]
    return definition(start_date=datetime.combine(start, time()), timezone=settings.timezone, **options)


def key_of(partitions_def: dg.TimeWindowPartitionsDefinition, when: date | datetime) -> str:
    """Return the key of the partition that has this value of `partition_date`, also of one before the start date."""
    if isinstance(when, datetime):
        return when.astimezone(ZoneInfo(partitions_def.timezone)).strftime(partitions_def.fmt)
    return when.strftime(partitions_def.fmt)


def partitioning_from(settings: Settings) -> Partitioning:
    """Return what the database remembers of this: where a partition begins, not which is the first."""
    return Partitioning(settings.cadence.value, settings.timezone)


def partitions_of_day(
    day: date, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> tuple[list[str], bool]:
    """Return the partitions that hold any moment of the day and are over, and whether all that hold one are."""
    begin = datetime(day.year, day.month, day.day, tzinfo=settings.tzinfo)
    next_day = day + timedelta(days=1)
    end = datetime(next_day.year, next_day.month, next_day.day, tzinfo=settings.tzinfo)
    # Dagster gives those that begin in a window; a month or a week may have begun before the day.
    candidates = partitions_def.get_partition_keys_in_time_window(dg.TimeWindow(begin - _LONGEST_PARTITION, end))
    keys = [key for key in candidates if partitions_def.time_window_for_partition_key(key).end > begin]
    last = partitions_def.get_last_partition_window()
    return keys, last is not None and last.end.timestamp() >= end.timestamp()
