"""How time is cut into partitions. Which assets use them is decided in `build`."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
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


def stretches(wanted: Container[str], in_order: Sequence[str], most: int) -> Iterator[list[str]]:
    """Yield the wanted ones of the keys that are given in order, neighbours together and at most so many at once."""
    stretch: list[str] = []
    for key in in_order:
        if key in wanted and len(stretch) < most:
            stretch.append(key)
            continue
        if stretch:
            yield stretch
        stretch = [key] if key in wanted else []
    if stretch:
        yield stretch


def partitioning_from(settings: Settings) -> Partitioning:
    """Return what the database remembers of this: where a partition begins, not which is the first."""
    return Partitioning(settings.cadence.value, settings.timezone)
