"""How time is cut into partitions. Which assets use them is decided in `build`."""

from __future__ import annotations

from datetime import datetime, time

import dagster as dg

from kura_dagster.settings import Cadence, Settings

_DEFINITIONS: dict[Cadence, type[dg.TimeWindowPartitionsDefinition]] = {
    Cadence.HOURLY: dg.HourlyPartitionsDefinition,
    Cadence.DAILY: dg.DailyPartitionsDefinition,
    Cadence.WEEKLY: dg.WeeklyPartitionsDefinition,
    Cadence.MONTHLY: dg.MonthlyPartitionsDefinition,
}


def partitions_from(settings: Settings) -> dg.TimeWindowPartitionsDefinition:
    """Return the partitions from `start_date` on, each a cadence long, cut in the project's time zone."""
    definition = _DEFINITIONS[settings.cadence]
    start = datetime.combine(settings.start_date, time())
    return definition(start_date=start, timezone=settings.timezone)  # type: ignore[call-arg]


def partition_type(settings: Settings) -> str:
    """Return the DuckDB type of the `partition_date` column: a date says which partition, unless a day has several."""
    return "TIMESTAMPTZ" if settings.cadence is Cadence.HOURLY else "DATE"
