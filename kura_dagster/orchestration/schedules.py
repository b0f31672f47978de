"""The schedules: the partition that has ended, and an hour later what the last days still need.

After an outage Dagster evaluates each schedule once, for the latest time that was missed. So nothing here counts on
every tick: the trailing schedule asks for what is missing, however many ticks were missed. The two never ask for the
same partition at the same moment, for a partition that has just ended and was never begun is left to the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG, SCHEDULE_NAME_TAG, SCHEDULED_EXECUTION_TIME_TAG
from dagster._utils.schedules import get_latest_completed_cron_tick

from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.outstanding import (
    CATCH_UP_REACH,
    begun,
    finished,
    has_failed,
    runs_under_way,
    stopped_half_way,
    with_failed_items,
)
from kura_dagster.orchestration.run_requests import partition_ends, run_request, stretches
from kura_dagster.orchestration.sensors import dropped_keys, landed_since_analysed
from kura_dagster.settings import Cadence, Settings
from kura_dagster.storage.database import Database

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

ANALYSIS_SCHEDULE_NAME = f"{JOB_NAME}_schedule"
TRAILING_SCHEDULE_NAME = "trailing_days_schedule"

Evaluation = Callable[[dg.ScheduleEvaluationContext], dg.SkipReason | list[dg.RunRequest]]


def schedules(
    job: UnresolvedAssetJobDefinition,
    partitions_def: dg.TimeWindowPartitionsDefinition,
    settings: Settings,
    database: Database,
) -> list[dg.ScheduleDefinition]:
    """Return the schedules; without `trailing_days` only the first. They start as `KURA_SCHEDULES` says."""
    found = [analysis_schedule(job, partitions_def, settings)]
    return [*found, trailing_schedule(job, partitions_def, settings, database)] if settings.trailing_days else found


def analysis_cron(partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings) -> str:
    """Return when the partition that has ended is analysed, in cron's words and the project's time zone."""
    hour, minute = map(int, settings.schedule_time.split(":"))
    return partitions_def.get_cron_schedule(
        minute_of_hour=minute, hour_of_day=None if settings.cadence is Cadence.HOURLY else hour
    )


def analysis_schedule(
    job: UnresolvedAssetJobDefinition, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> dg.ScheduleDefinition:
    """Return the schedule that runs the job for each partition once it is over.

    It asks for none that is under way, or was analysed since its files were written: then the sensor came before it.
    """

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        instance, tick = context.instance, context.scheduled_execution_time
        in_order = partitions_def.get_partition_keys(tick)
        if not in_order:
            return dg.SkipReason(f"KURA_START_DATE is {settings.start_date}: no partition is over yet")
        key = in_order[-1]
        repeated = _asked_before(instance, ANALYSIS_SCHEDULE_NAME, tick)
        if repeated:
            return list(repeated.values())
        if any(run.covers(key) for run in runs_under_way(instance)):
            return dg.SkipReason(f"{key} is being analysed by another run")
        if (
            key in finished(instance)
            and not stopped_half_way(instance, [key])
            and key not in _landed(instance, partitions_def, settings, key)
        ):
            return dg.SkipReason(f"{key} was analysed since its files were written")
        return [run_request([key], key)]

    return _schedule(
        job,
        settings,
        evaluate,
        name=ANALYSIS_SCHEDULE_NAME,
        cron=analysis_cron(partitions_def, settings),
        description="Analyses the conversations of the partition that has just ended.",
    )


def trailing_schedule(
    job: UnresolvedAssetJobDefinition,
    partitions_def: dg.TimeWindowPartitionsDefinition,
    settings: Settings,
    database: Database,
) -> dg.ScheduleDefinition:
    """Return the schedule that has those of the last days analysed again that need it, neighbours in one run.

    That are those that were never begun or whose last run stopped half-way, that something was landed for since they
    were analysed, or that have failed items. What was missed is caught up from the first partition that was analysed
    on, at most `CATCH_UP_REACH` back.

    Partitions in between that need nothing are left alone, so a gap makes two runs: answers are kept, but a day that
    was analysed with another model or prompt would be paid for once more. What a run over several partitions failed at
    is asked for one by one, so that one bad partition does not hold up its neighbours night after night.
    """
    hour, minute = map(int, settings.schedule_time.split(":"))

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        instance, tick = context.instance, context.scheduled_execution_time
        in_order = partitions_def.get_partition_keys(tick)
        trailing = _ended_within(partitions_def, in_order, timedelta(days=settings.trailing_days))
        if not trailing:
            return dg.SkipReason(f"KURA_START_DATE is {settings.start_date}: no partition is over yet")
        were_begun = begun(instance)
        reached = _ended_within(partitions_def, in_order, CATCH_UP_REACH)
        first_begun = next((key for key in in_order if key in were_begun), in_order[-1])
        candidates = [key for key in in_order if key in trailing or (key in reached and key >= first_begun)]
        asked_at = get_latest_completed_cron_tick(analysis_cron(partitions_def, settings), tick, settings.timezone)
        is_recent = asked_at is not None and tick - asked_at < timedelta(days=1)
        if candidates[-1] not in were_begun and is_recent and not has_failed(instance, candidates[-1]):
            candidates.pop()  # the other schedule's, which may be asking for it at this moment

        stopped = stopped_half_way(instance, candidates)
        again = {key for key in trailing if key in were_begun}
        wanted = {
            "missed": set(candidates) - were_begun,
            "stopped half-way": set(stopped),
            "with something landed since": again & _landed(instance, partitions_def, settings, trailing[0]),
            "with failed items": with_failed_items(database, partitions_def, sorted(again)) if again else set(),
        }
        for why, keys in wanted.items():
            if keys:
                context.log.info(f"{why}: {', '.join(sorted(keys))}")

        repeated = _asked_before(instance, TRAILING_SCHEDULE_NAME, tick)
        # Runs of this very tick are under way as well, and have to be asked for again: one may not have been launched.
        under_way = runs_under_way(instance)
        elsewhere = {key for key in candidates if any(run.covers(key) for run in under_way)}
        needed = set().union(*wanted.values()) - dropped_keys(partitions_def, settings)
        open_keys = needed - elsewhere - {key for ends in repeated for key in candidates if ends[0] <= key <= ends[1]}
        alone = {key for key, several in stopped.items() if several} & open_keys
        requests = [
            *repeated.values(),
            *(
                run_request(keys, f"{keys[0]} {keys[-1]}")
                for keys in sorted(
                    [*_each(alone), *stretches(open_keys - alone, in_order, settings.partitions_per_run)]
                )
            ),
        ]
        if requests:
            return requests
        if needed:
            return dg.SkipReason(f"what needs a run is being analysed: {', '.join(sorted(needed))}")
        return dg.SkipReason(
            f"nothing was missed, stopped half-way, landed late or failed in {trailing[0]} to {trailing[-1]}"
        )

    return _schedule(
        job,
        settings,
        evaluate,
        name=TRAILING_SCHEDULE_NAME,
        cron=f"{minute} {(hour + 1) % 24} * * *",
        description=f"An hour after {settings.schedule_time}, analyses those partitions of the last "
        f"{settings.trailing_days} days again that something was landed for or whose items failed, and what was missed "
        f"in the last {max(settings.trailing_days, CATCH_UP_REACH.days)}; neighbours in one run.",
    )


def _schedule(
    job: UnresolvedAssetJobDefinition,
    settings: Settings,
    evaluate: Evaluation,
    *,
    name: str,
    cron: str,
    description: str,
) -> dg.ScheduleDefinition:
    on = settings.schedules == "on"
    declare = dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED,
        description=description,
    )
    return declare(evaluate)


def _ended_within(
    partitions_def: dg.TimeWindowPartitionsDefinition, in_order: Sequence[str], length: timedelta
) -> list[str]:
    """Return the partitions that ended less than `length` before the last of them did, the last included."""
    if not in_order:
        return []
    # On the zone's own clock, which counts a day of 23 or 25 hours as one.
    after = partitions_def.time_window_for_partition_key(in_order[-1]).end - length
    found = []
    for key in reversed(in_order):
        if partitions_def.time_window_for_partition_key(key).end <= after:
            break
        found.append(key)
    return found[::-1]


def _landed(
    instance: dg.DagsterInstance, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings, first: str
) -> set[str]:
    """Return the partitions from `first` on that something was landed for since they were analysed."""
    if not settings.conversations.is_dir():
        return set()
    since = partitions_def.time_window_for_partition_key(first).start.date()
    return {key for keys in landed_since_analysed(instance, partitions_def, settings, since) for key in keys}


def _asked_before(
    instance: dg.DagsterInstance, schedule: str, tick: datetime
) -> Mapping[tuple[str, str], dg.RunRequest]:
    """Return the requests of runs that this very tick has made, by their first and last partition.

    A daemon that was killed between making runs and storing the tick evaluates it again. By then some partitions may
    be done, and a stretch without them would be another run; Dagster makes none for a key that it has made one for.
    """
    tags = {SCHEDULE_NAME_TAG: schedule, SCHEDULED_EXECUTION_TIME_TAG: tick.astimezone(UTC).isoformat()}
    found = {}
    for run in instance.get_runs(dg.RunsFilter(tags=tags)):
        if ends := partition_ends(run):
            found[ends] = run_request(sorted(set(ends)), run.tags[RUN_KEY_TAG])
    return found


def _each(keys: Collection[str]) -> Iterator[list[str]]:
    return ([key] for key in keys)
