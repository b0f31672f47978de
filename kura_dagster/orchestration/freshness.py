"""Whether every day that should be analysed by now is: a check of the first asset and of the last, and its sensor.

Dagster's FreshnessPolicy looks at the latest materialisation of any partition, so a backfill of old days would turn it
green, and its checks of time partitions, which it supersedes, look at the latest partition alone. So these are our own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._time import get_current_datetime
from dagster._utils.schedules import get_latest_completed_cron_tick

from kura_dagster.orchestration.outstanding import CATCH_UP_REACH, begun
from kura_dagster.orchestration.run_requests import told
from kura_dagster.orchestration.schedules import analysis_cron
from kura_dagster.orchestration.sensors import dropped_keys
from kura_dagster.settings import Settings
from kura_dagster.storage.tables import CONVERSATION_PROJECTIONS, CONVERSATIONS

CHECK_NAME = "no_partition_is_missing"
SENSOR_NAME = "freshness"
SECONDS_BETWEEN_CHECKS = 60
GRACE = timedelta(hours=3)
"""So long after its scheduled time a partition may be missing: the trailing run tries once more after an hour, and a
large day with a language model takes its time."""

CHECKED = (CONVERSATIONS.name, CONVERSATION_PROJECTIONS.name)


@dataclass(frozen=True)
class Freshness:
    """Which partitions of an asset are missing, in order, of those from the first that was begun to the last due one.

    `old` are those of them that ended longer ago than schedules reach back; `is_caught_up` says whether the trailing
    run asks for the others.
    """

    last_due: str
    missing: list[str]
    old: list[str]
    is_caught_up: bool
    in_order: Sequence[str]

    @property
    def recent(self) -> list[str]:
        """The missing partitions that are not old."""
        return [key for key in self.missing if key not in self.old]

    @property
    def severity(self) -> dg.AssetCheckSeverity:
        """A warning where all that is missing is old."""
        return dg.AssetCheckSeverity.ERROR if self.recent else dg.AssetCheckSeverity.WARN

    @property
    def description(self) -> str:
        """The missing partitions and what to do about them."""
        if not self.missing:
            return f"All are there up to {self.last_due}, the last that is due."
        said = f"Missing: {told(self.missing, self.in_order)}."
        if self.recent:
            said += " See that the schedules and Dagster's daemon are on, and what failed under Runs"
            said += "; the next trailing run asks for them again." if self.is_caught_up else "; then materialise them."
        if self.old:
            said += (
                f" No schedule goes back to {told(self.old, self.in_order)}: materialise them, or set "
                "KURA_START_DATE to a later day."
            )
        return said


def freshness(
    instance: dg.DagsterInstance,
    partitions_def: dg.TimeWindowPartitionsDefinition,
    settings: Settings,
    asset: str,
    now: datetime,
) -> Freshness | None:
    """Return what is missing of an asset, None where no partition is due yet.

    Due is a partition once `GRACE` has passed since the schedule's time for it; expected are those from the first that
    was ever begun, or the last due one where none was. A partition without conversations is there once it is analysed,
    and one whose messages were dropped is not missing: nobody can analyse it any more.

    Raises:
        DatabaseError: which messages were dropped can't be read.
    """
    tick = get_latest_completed_cron_tick(analysis_cron(partitions_def, settings), now - GRACE, settings.timezone)
    due = partitions_def.get_partition_keys(tick)
    if not due:
        return None
    were_begun = begun(instance)
    expected = due[next((number for number, key in enumerate(due) if key in were_begun), len(due) - 1) :]
    there = set(instance.get_materialized_partitions(dg.AssetKey(asset)))
    missing = [key for key in expected if key not in there]
    if missing and settings.keep_messages_days is not None:
        dropped = dropped_keys(partitions_def, settings)
        missing = [key for key in missing if key not in dropped]
    reach = max(CATCH_UP_REACH, timedelta(days=settings.trailing_days))
    reached_from = partitions_def.time_window_for_partition_key(due[-1]).end - reach
    return Freshness(
        last_due=due[-1],
        missing=missing,
        old=[key for key in missing if partitions_def.time_window_for_partition_key(key).end <= reached_from],
        is_caught_up=settings.trailing_days > 0,
        in_order=due,
    )


def freshness_checks(
    partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> list[dg.AssetChecksDefinition]:
    """Return the checks, which block nothing; they are of all partitions that are due, whatever a run is of."""
    return [_freshness_check(asset, partitions_def, settings) for asset in CHECKED]


def _freshness_check(
    asset: str, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(asset),
        name=CHECK_NAME,
        description=f"Every partition has been analysed {GRACE.total_seconds() / 3600:g} hours after its scheduled "
        "time, from the first that ever was; those without conversations too. The sensor freshness looks every "
        "minute.",
        blocking=False,
    )
    def run_check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        found = freshness(context.instance, partitions_def, settings, asset, get_current_datetime())
        if found is None:
            return dg.AssetCheckResult(passed=True, description="No partition is due yet.")
        return dg.AssetCheckResult(
            passed=not found.missing,
            severity=found.severity,
            description=found.description,
            metadata={"last_due": found.last_due, "missing": len(found.missing)},
        )

    return run_check


def freshness_sensor(partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that reports the checks' results, without a run, where they are no longer what it told last.

    A result is also told again once its asset has been materialised since, whichever partition that was of: the UI
    shows no result that is older than the asset's last materialisation.
    """

    @dg.sensor(
        name=SENSOR_NAME,
        minimum_interval_seconds=SECONDS_BETWEEN_CHECKS,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.schedules == "on" else dg.DefaultSensorStatus.STOPPED,
        description=f"Reports the check {CHECK_NAME} of {' and '.join(CHECKED)} whenever its result changes, "
        "and once more where the asset has been materialised since.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now = get_current_datetime()
        last_told = json.loads(context.cursor) if context.cursor else {}
        events = []
        for asset in CHECKED:
            found = freshness(context.instance, partitions_def, settings, asset, now)
            if found is None:
                return dg.SkipReason(f"KURA_START_DATE is {settings.start_date}: no partition is due yet")
            stored = context.instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
            latest = stored[0] if stored else None
            state = [found.last_due, found.description, latest and latest.storage_id]
            if last_told.get(asset) == state:
                continue
            last_told[asset] = state
            events.append(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey(asset),
                    check_name=CHECK_NAME,
                    passed=not found.missing,
                    severity=found.severity,
                    description=found.description,
                    metadata={"last_due": found.last_due, "missing": len(found.missing)},
                    blocking=False,
                    # Without it the UI compares times, of which one is of whole seconds.
                    target_materialization_data=latest
                    and AssetCheckEvaluationTargetMaterializationData(
                        run_id=latest.run_id, storage_id=latest.storage_id, timestamp=latest.timestamp
                    ),
                )
            )
        return dg.SensorResult(
            asset_events=events, cursor=json.dumps(last_told), skip_reason=None if events else "nothing has changed"
        )

    return sensor
