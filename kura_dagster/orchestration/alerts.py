"""The sensors that post alerts of failed runs, failed checks and missing partitions: what is told of, once each.

Dagster's own run_failure_sensor goes on to the next run where its function fails, so that a webhook which is away for a
minute loses the alert. These keep their place instead and try again. What failed in a run is read in `run_faults`, put
into words in `alert_message` and posted by `webhook`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import dagster as dg
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG
from dagster._time import get_current_datetime
from pydantic import SecretStr

from kura_dagster.orchestration.alert_message import (
    AlertedRun,
    Fault,
    Severity,
    checks_failed,
    partitions_missing,
    run_failed,
)
from kura_dagster.orchestration.freshness import CHECK_NAME, SECONDS_BETWEEN_CHECKS, freshness
from kura_dagster.orchestration.run_faults import failed_checks, failed_steps, fault_of_run
from kura_dagster.orchestration.run_requests import partition_ends
from kura_dagster.orchestration.webhook import deliver, host_of
from kura_dagster.settings import Settings
from kura_dagster.storage.tables import CONVERSATION_PROJECTIONS

FAILED_RUNS = "failed_runs"
FAILED_CHECKS = "failed_checks"
MISSING_PARTITIONS = "missing_partitions"
SECONDS_BETWEEN_LOOKS = 15
RUNS_A_LOOK = 100
RETRY_STARTS_WITHIN = 300.0
"""Seconds in which Dagster's daemon starts the retry of a run; one that it has not started by then never comes."""

End = Literal[dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE]
Tell = Callable[[dg.DagsterInstance, dg.DagsterRun, dg.EventLogEntry], dict[str, Any] | None]
"""What there is to tell of a run and the entry of its end, None where that is nothing."""


class _NotKnownYetError(Exception):
    """Dagster may be about to retry the run."""


def alert_sensors(partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings) -> list[dg.SensorDefinition]:
    """Return the sensors that post to KURA_ALERT_WEBHOOK, switched on; none where it is unset.

    That of missing partitions is there with the schedules: without them nobody has promised any.
    """
    if settings.alert_webhook is None:
        return []
    severity, ui_url = settings.alert_severity, settings.ui_url
    of_runs = [
        _alert_sensor(
            FAILED_RUNS,
            "Posts an alert to KURA_ALERT_WEBHOOK of each run that failed and is not retried.",
            dg.DagsterEventType.RUN_FAILURE,
            partial(_of_failed_run, severity=severity, ui_url=ui_url),
            settings.alert_webhook,
        ),
        _alert_sensor(
            FAILED_CHECKS,
            "Posts an alert to KURA_ALERT_WEBHOOK of the checks that failed in a run, where the run itself did not; "
            "KURA_ALERT_SEVERITY says which checks.",
            dg.DagsterEventType.RUN_SUCCESS,
            partial(_of_failed_checks, severity=severity, ui_url=ui_url),
            settings.alert_webhook,
        ),
    ]
    if settings.schedules == "off":
        return of_runs
    return [*of_runs, _missing_sensor(partitions_def, settings, settings.alert_webhook)]


def _alert_sensor(name: str, description: str, ended: End, tell: Tell, webhook: SecretStr) -> dg.SensorDefinition:
    """Return a sensor that goes through the runs that ended in one way, in order, and posts what there is to tell.

    Its cursor is the storage id of the last end that is done with; it begins with what ends after the first look. A
    look posts one alert: one that fails forgets how far it came, and would post again what had arrived.
    """

    @dg.sensor(
        name=name,
        description=description,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        instance = context.instance
        if context.cursor is None:
            newest = instance.fetch_run_status_changes(ended, limit=1).records
            return _looked(newest[0].storage_id if newest else -1, "alerts are posted of what ends from now on")
        place = int(context.cursor)
        after = dg.RunStatusChangeRecordsFilter(event_type=ended, after_storage_id=place)
        for record in instance.fetch_run_status_changes(after, RUNS_A_LOOK, ascending=True).records:
            run = instance.get_run_by_id(record.run_id)
            if run is not None and _is_ours(context, run):
                try:
                    alert = tell(instance, run, record.event_log_entry)
                except _NotKnownYetError:
                    return _looked(place, f"waiting for the retry of run {run.run_id}")
                if alert is not None:
                    # Where that fails, so does the look, and the next one begins with this run again.
                    deliver(webhook, alert)
                    return _looked(record.storage_id, f"posted an alert of run {run.run_id} to {host_of(webhook)}")
            place = record.storage_id
        return _looked(place, "nothing to tell")

    return sensor


def _missing_sensor(
    partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings, webhook: SecretStr
) -> dg.SensorDefinition:
    """Return the sensor that posts an alert when partitions are missing that were not when it last told.

    Its cursor is what was missing then. What no schedule goes back to is no news, and not told.
    """

    @dg.sensor(
        name=MISSING_PARTITIONS,
        description=f"Posts an alert to KURA_ALERT_WEBHOOK when {CHECK_NAME} finds another partition missing.",
        minimum_interval_seconds=SECONDS_BETWEEN_CHECKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        asset = CONVERSATION_PROJECTIONS.name
        found = freshness(context.instance, partitions_def, settings, asset, get_current_datetime())
        missing = found.recent if found else []
        told = json.loads(context.cursor) if context.cursor else []
        if found and not set(missing) <= set(told):
            fault = Fault(found.description, asset=asset, check=CHECK_NAME)
            deliver(webhook, partitions_missing(missing, fault, settings.ui_url))
            said = f"posted an alert of {len(missing)} missing partitions to {host_of(webhook)}"
        else:
            said = "nothing to tell"
        return dg.SensorResult(cursor=json.dumps(missing), skip_reason=said)

    return sensor


def _looked(place: int, said: str) -> dg.SensorResult:
    return dg.SensorResult(cursor=str(place), skip_reason=said)


def _is_ours(context: dg.SensorEvaluationContext, run: dg.DagsterRun) -> bool:
    """Whether a run is of this code location; the command line's come from none, and are known by their job."""
    if run.remote_job_origin is None:
        repository = context.repository_def
        return repository is not None and repository.has_job(run.job_name)
    origin, own = run.remote_job_origin.repository_origin, context.code_location_origin
    return (
        own is not None
        and origin.code_location_origin.location_name == own.location_name
        and origin.repository_name == context.repository_name
    )


def _of_failed_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, end: dg.EventLogEntry, *, severity: Severity, ui_url: str
) -> dict[str, Any] | None:
    """Return the alert of a run that failed, with the checks that failed in it.

    Raises:
        _NotKnownYetError: Dagster may be about to retry it.
    """
    # Ctrl-C is first recorded as a failure by Dagster, and then put right.
    if run.status is not dg.DagsterRunStatus.FAILURE or _is_told_already(instance, end):
        return None
    if instance.run_retries_enabled and run.tags.get(WILL_RETRY_TAG) != "false":
        # Dagster writes that down a moment after the end.
        if AUTO_RETRY_RUN_ID_TAG in run.tags:
            return None
        if time.time() - end.timestamp < RETRY_STARTS_WITHIN:
            raise _NotKnownYetError
    faults = [*failed_steps(instance, run.run_id), *failed_checks(instance, run, severity)]
    return run_failed(_alerted(run), faults or [fault_of_run(end.get_dagster_event())], ui_url)


def _of_failed_checks(
    instance: dg.DagsterInstance, run: dg.DagsterRun, end: dg.EventLogEntry, *, severity: Severity, ui_url: str
) -> dict[str, Any] | None:
    """Return the alert of the checks that failed in a run that did not."""
    faults = failed_checks(instance, run, severity)
    return checks_failed(_alerted(run), faults, ui_url) if faults else None


def _is_told_already(instance: dg.DagsterInstance, end: dg.EventLogEntry) -> bool:
    """Whether the run had failed before: one that is given up as dead may still come to its own end."""
    ends = instance.get_records_for_run(end.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    return any(record.event_log_entry.timestamp < end.timestamp for record in ends)


def _alerted(run: dg.DagsterRun) -> AlertedRun:
    return AlertedRun(run.run_id, run.job_name, partition_ends(run))
