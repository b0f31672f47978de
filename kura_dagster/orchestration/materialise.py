"""Running the job from Python: one run over a range of partitions, in this process, with progress and a report."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events import RunFailureReason
from dagster._core.execution.execute_in_process import core_execute_in_process
from dagster._core.execution.plan.objects import ErrorSource

from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.partitions import partitions_from
from kura_dagster.orchestration.questions import LANGUAGE_MODEL_POOL
from kura_dagster.orchestration.run_requests import partition_tags
from kura_dagster.orchestration.running import hold_until_exit, report_abandoned_runs
from kura_dagster.orchestration.step_failures import error_behind, is_its_own
from kura_dagster.pipeline.language_model.ledger import Spent
from kura_dagster.settings import Settings

ASSET_NAMES = tuple(asset.key.path[-1] for asset in ASSETS)


class PartitionRangeError(ValueError):
    """The days asked for have no partitions. The message says which days have."""


@dataclass
class RunReport:
    """What a run did: seconds by asset, in order, what was spent, and what went wrong.

    `failures` are of assets and of checks that block what comes after, by name; `failed_checks` those that only warn. A
    run that was interrupted has neither succeeded nor failed.
    """

    run_id: str
    success: bool
    interrupted: bool = False
    seconds_by_asset: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    failed_checks: dict[str, str] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)


def open_instance() -> AbstractContextManager[dg.DagsterInstance]:
    """Return the Dagster instance that keeps run history.

    That is DAGSTER_HOME; where it is unset, the current folder if it holds a dagster.yaml; otherwise an instance that
    is forgotten when the process ends.
    """
    if not os.environ.get("DAGSTER_HOME") and Path("dagster.yaml").exists():
        os.environ["DAGSTER_HOME"] = str(Path.cwd())
    if not os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.ephemeral()
    instance = dg.DagsterInstance.get()
    pools = instance.event_log_storage
    if (
        instance.global_op_concurrency_default_limit is not None
        and pools.supports_global_concurrency_limits
        and LANGUAGE_MODEL_POOL not in pools.get_concurrency_keys()
    ):
        # Dagster's daemon gives a pool its limit when it first sees one, and lets the runs it sees then pass unlimited.
        pools.initialize_concurrency_limit_to_default(LANGUAGE_MODEL_POOL)
    return instance


def partition_keys_between(settings: Settings, first: date, last: date) -> list[str]:
    """Return the keys of the partitions that hold any moment of the days from `first` to `last`, both included.

    Raises:
        PartitionRangeError: there are none, or a day lies outside them.
    """
    partitions_def = partitions_from(settings)
    keys = partitions_def.get_partition_keys()
    if first > last:
        raise PartitionRangeError(f"the range ends before it starts: {first} to {last}")
    if not keys:
        raise PartitionRangeError(f"KURA_START_DATE is {settings.start_date}: no partition is over yet")
    windows = {key: partitions_def.time_window_for_partition_key(key) for key in keys}
    begin, end = windows[keys[0]].start.date(), (windows[keys[-1]].end - timedelta(microseconds=1)).date()
    if first < begin or last > end:
        asked = str(first) if first == last else f"{first} to {last}"
        raise PartitionRangeError(
            f"{asked} is asked for, but partitions run from {begin} (KURA_START_DATE) to {end}, the last "
            f"that is over in {settings.timezone}"
        )
    start = datetime.combine(first, time(), settings.tzinfo).astimezone(UTC)
    stop = datetime.combine(last + timedelta(days=1), time(), settings.tzinfo).astimezone(UTC)
    return [
        key
        for key, window in windows.items()
        if window.start.astimezone(UTC) < stop and window.end.astimezone(UTC) > start
    ]


def materialise(
    defs: dg.Definitions,
    keys: list[str],
    instance: dg.DagsterInstance,
    on_event: Callable[[Any], None] = lambda event: None,
    on_interrupt: Callable[[], None] = lambda: None,
    *,
    first_asset: str | None = None,
) -> RunReport:
    """Materialise the partitions from the first to the last of `keys` in one run and return its report.

    With `first_asset` only that and the assets after it are materialised.

    `on_event` gets each entry of the run's event log as it happens. A failure is reported, not raised: where some
    partitions of an asset fail, the report names them, and downstream of it they are left as they were, while the
    others go on to the map. So is an interrupt (Ctrl-C): `on_interrupt` is called at once, and the run is recorded as
    canceled.

    Raises:
        OSError, filelock.Timeout: the folder of run history cannot be written.
    """
    report_abandoned_runs(instance)
    run_id = str(uuid.uuid4())
    interrupted = False

    def listen(entry: Any) -> None:
        nonlocal interrupted
        if not interrupted and _is_interrupt(entry.dagster_event):
            interrupted = True
            on_interrupt()
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                # Dagster records as failed what nobody has asked it to cancel.
                instance.report_run_canceling(run, "Interrupted from the command line. What is stored is kept.")
        on_event(entry)

    hold_until_exit(instance, run_id)
    instance.add_event_listener(run_id, listen)
    try:
        job = defs.resolve_job_def(JOB_NAME)
        if first_asset is not None:
            chosen = ASSET_NAMES[ASSET_NAMES.index(first_asset) :]
            job = job.get_subset(asset_selection=frozenset(map(dg.AssetKey, chosen)))
        # As the job's own execute_in_process, which would put another executor in place of the project's.
        result = core_execute_in_process(
            job=InMemoryJob(job),
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            output_capturing_enabled=False,
            run_tags=partition_tags(keys),
            # The console belongs to the caller's progress display; the event log keeps everything.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    finally:
        # Dagster has no method that takes a listener away.
        instance._subscribers.pop(run_id, None)
    report = RunReport(run_id, result.success, interrupted)
    if interrupted:
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status is not dg.DagsterRunStatus.CANCELED:
            # An interrupt between two steps shows only when Dagster has recorded the run.
            instance.report_run_canceled(run)
    for evaluation in result.get_asset_check_evaluations():
        if evaluation.passed:
            continue
        asset, check = evaluation.asset_key.to_user_string(), evaluation.check_name
        blocks = evaluation.blocking and evaluation.severity is dg.AssetCheckSeverity.ERROR
        said = report.failures if blocks else report.failed_checks
        said[f"{asset}: {check}"] = evaluation.description or ""
    started: dict[str, float] = {}
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.is_step_start:
            started[str(event.step_key)] = entry.timestamp
        elif event.is_step_success and event.step_key is not None and event.step_key in ASSET_NAMES:
            report.seconds_by_asset[event.step_key] = entry.timestamp - started[event.step_key]
        elif _is_interrupt(event):
            continue
        elif event.is_step_failure and is_its_own(event.step_failure_data):
            told = event.step_failure_data.user_failure_data
            report.failures[str(event.step_key)] = (
                told.description if told and told.description else _root_cause(event.step_failure_data.error)
            )
        elif event.is_run_failure and not report.failures:
            report.failures["run"] = _root_cause(event.job_failure_data.error) or event.message or ""
    return report


def _is_interrupt(event: Any) -> bool:
    """Whether an entry of the run's log, or None, is that of an interrupt: within a step, or between two."""
    if event is None:
        return False
    if event.is_step_failure:
        return event.step_failure_data.error_source is ErrorSource.INTERRUPT
    return event.is_run_failure and event.job_failure_data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION


def _root_cause(error: Any) -> str:
    """Return the message of the error behind all others; what kind it is says nothing more where it is our own."""
    behind = error_behind(error)
    return re.sub(r"^kura_dagster\.[\w.]+: ", "", behind.message.strip()) if behind is not None else ""
