"""Check of `conversations` that as many came as usual: too few, and something did not land; too many, and twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from kura_dagster.orchestration.checks.check import Check, CheckedPartitions, Columns, Examination, Findings, Found
from kura_dagster.orchestration.checks.trailing import LEAST_BEFORE, TrailingPartitions
from kura_dagster.orchestration.partitions import key_of
from kura_dagster.settings import Cadence, Settings
from kura_dagster.storage.database import PartitionDate
from kura_dagster.storage.tables import CONVERSATIONS

LEAST_DIFFERENCE = 5
"""A difference of fewer conversations is chance, whatever multiple it is: of small partitions, and hours at night."""

WEEKS_BEFORE = 4
"""The same weekday of so many weeks says what is usual for a Saturday."""


def volume_check(settings: Settings) -> Check:
    """Return the check."""
    factor, trailing = settings.check_volume_factor, settings.check_trailing_partitions
    at_this_time = {
        Cadence.HOURLY: " at the same hour",
        Cadence.DAILY: "",
        Cadence.WEEKLY: "",
        Cadence.MONTHLY: "",
    }[settings.cadence]
    or_the_weekday = (
        f", or as the same weekday{at_this_time} of the {WEEKS_BEFORE} weeks before"
        if settings.cadence in (Cadence.HOURLY, Cadence.DAILY)
        else ""
    )
    return VolumeCheck(
        table=CONVERSATIONS,
        name="volume_is_usual",
        description=f"A partition has neither fewer than 1/{factor:g} nor more than {factor:g} times "
        f"(KURA_CHECK_VOLUME_FACTOR) as many conversations as the median of the {trailing} partitions{at_this_time} "
        f"before it that have any (KURA_CHECK_TRAILING_PARTITIONS){or_the_weekday}. Not judged where fewer than "
        f"{LEAST_BEFORE} came before; a difference of fewer than {LEAST_DIFFERENCE} conversations is none.",
        columns={},
        blocking=False,
        remedy="If something is missing or was landed twice, mend the landing folder and run these partitions again; "
        "if that is how it was, there is nothing to do.",
        cadence=settings.cadence,
        trailing=trailing,
        factor=factor,
    )


@dataclass(frozen=True, kw_only=True)
class VolumeCheck(Check):
    """A check of the number of conversations.

    A partition is unusual where it is so both by the partitions before it and, if it is a day or an hour, by the same
    weekday of the weeks before: a Saturday of a business is unlike its weekdays, and like other Saturdays.
    """

    cadence: Cadence
    trailing: int
    factor: float

    def begin(self, checked: CheckedPartitions) -> Examination:
        """Return a run of the check over these partitions."""
        counts = checked.database.row_counts([CONVERSATIONS])[CONVERSATIONS.name]
        timezone = ZoneInfo(checked.database.partitioning.timezone)
        before = TrailingPartitions(counts, self.trailing, _hour_in(timezone))
        materialised = checked.instance.get_materialized_partitions(dg.AssetKey(CONVERSATIONS.name))

        def find(key: str, _: Columns) -> Found:
            when = checked.dates[key]
            count = counts.get(when, 0)
            usual = before.usual_at(when)
            if usual is None:
                reason = f"fewer than {LEAST_BEFORE} partitions before have conversations"
                return Found(figures={"conversations": count}, not_judged=reason)
            figures = {"conversations": count, "median_before": usual.median}
            same_weekday = self._same_weekday(when, timezone, counts, materialised, checked.partitions_def)
            if same_weekday is not None:
                figures["median_of_weekday"] = same_weekday
            typical = [usual.median, *([] if same_weekday is None else [same_weekday])]
            if not all(is_unusual(count, each, self.factor) for each in typical):
                return Found(figures=figures)
            at_this_hour = " at this hour" if self.cadence is Cadence.HOURLY else ""
            said = (
                f"{_conversations(count)}; the median of the {usual.partitions} partitions{at_this_hour} before is "
                f"{usual.median:,g}"
            )
            if same_weekday is not None:
                said += f", that of the same weekday in the weeks before {same_weekday:,g}"
            doubt = "is the landing folder complete" if count < usual.median else "was something landed twice"
            return Found([f"{said}; {doubt}?"], figures)

        return Findings(self, find)

    def _same_weekday(
        self,
        when: PartitionDate,
        timezone: ZoneInfo,
        counts: Mapping[PartitionDate, int],
        materialised: Collection[str],
        partitions_def: dg.TimeWindowPartitionsDefinition,
    ) -> float | None:
        """Return the median of the same weekday and hour in the weeks before, None where there is none.

        Empty partitions count here: a Sunday may be empty every week.
        """
        if self.cadence not in (Cadence.HOURLY, Cadence.DAILY):
            return None
        earlier = [_weeks_before(when, weeks, timezone) for weeks in range(1, WEEKS_BEFORE + 1)]
        found = [counts.get(each, 0) for each in earlier if key_of(partitions_def, each) in materialised]
        return median(found) if found else None


def is_unusual(count: int, typical: float, factor: float) -> bool:
    """Whether a count is less than the part of what is typical, or more than the multiple, and not by a handful."""
    return abs(count - typical) >= LEAST_DIFFERENCE and not typical / factor <= count <= typical * factor


def _hour_in(timezone: ZoneInfo) -> Callable[[PartitionDate], Any]:
    """Return what tells the hour of the day of an hour, and nothing of longer partitions."""
    return lambda when: when.astimezone(timezone).hour if isinstance(when, datetime) else None


def _weeks_before(when: PartitionDate, weeks: int, timezone: ZoneInfo) -> PartitionDate:
    if isinstance(when, datetime):
        # By the clock, which may have been put back or forward since.
        return (when.astimezone(timezone) - timedelta(weeks=weeks)).astimezone(UTC)
    return when - timedelta(weeks=weeks)


def _conversations(count: int) -> str:
    return f"{count:,} conversation" + ("" if count == 1 else "s")
