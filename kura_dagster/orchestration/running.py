"""Which runs are still worked on, so that none counts as running for ever after its process was killed.

A process holds a file lock while it works on a run, and the kernel takes that back however the process ends: by a
kill, a power failure, or with its container. Process ids would not tell: after a restart another process has them. A
run whose lock lies free and that nobody has recorded as finished is abandoned. So is one whose log ends with Dagster's
record of its start: its process ended in the moment between that and the lock. Of other runs without a lock here, as
those of another executor or on a machine that shares only the run history, nothing can be told.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from filelock import FileLock, Timeout

PROCESS_TAG = "kura_dagster/process"
"""On every run: host and process id of who works on it."""

SECONDS_UNTIL_HELD = 60
"""So long after its start a run has its lock, and the next entry in its log; both take a fraction of a second."""

_held_until_exit: dict[str, AbstractContextManager[Any]] = {}


def held(instance: dg.DagsterInstance, run_id: str) -> AbstractContextManager[Any]:
    """Take the run's lock, and let go of it at the end of the block, or when what is returned is gone.

    What runs that have ended left beside it is removed.

    Raises:
        OSError, filelock.Timeout: the lock cannot be taken.
    """
    path = _lock_path(instance, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in (*path.parent.glob("*.lock"), *path.parent.glob("*.new")):
        with suppress(Timeout), FileLock(left, timeout=0):
            run = instance.get_run_by_id(left.stem)
            if run is None or run.is_finished:
                left.unlink(missing_ok=True)
    # Locked before it has the name under which others look: they would take one that lies free for an abandoned run's.
    unnamed = path.with_suffix(".new")
    lock = FileLock(unnamed, timeout=10).acquire()  # another process that tidies up holds it for a moment
    unnamed.replace(path)
    return lock


def hold_until_exit(instance: dg.DagsterInstance, run_id: str) -> None:
    """Take the run's lock, unless this process has it, for as long as the process lives.

    Dagster records the end of a run when the run's code has been left.

    Raises:
        OSError, filelock.Timeout: the lock cannot be taken.
    """
    if run_id not in _held_until_exit:
        _held_until_exit[run_id] = held(instance, run_id)


def is_abandoned(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether the process that worked on a run has ended without recording it as finished."""
    path = _lock_path(instance, run_id)
    if not path.exists():
        return _was_never_held(instance, run_id)
    try:
        with FileLock(path, timeout=0):
            # Read again now: the lock is let go of when the run has ended.
            run = instance.get_run_by_id(run_id)
            return run is not None and not run.is_finished
    except Timeout:
        return False


def _was_never_held(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run's process ended in the moment between Dagster's record of its start and the lock.

    The run's log ends there then. Every executor, also one that holds no lock, writes into it as the first it does.
    """
    record = instance.get_run_record_by_id(run_id)
    if record is None or record.start_time is None or time.time() - record.start_time < SECONDS_UNTIL_HELD:
        return False
    newest = instance.get_records_for_run(run_id, limit=10, ascending=False).records
    kinds = (each.event_log_entry.dagster_event_type for each in newest)
    last = next((kind for kind in kinds if kind is not dg.DagsterEventType.RUN_CANCELING), None)
    return last is dg.DagsterEventType.RUN_START


def report_abandoned_runs(instance: dg.DagsterInstance) -> None:
    """Record abandoned runs as failed, and those that were to be canceled as canceled.

    In the queue and in their pools they would keep their places.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=list(IN_PROGRESS_RUN_STATUSES))):
        if is_abandoned(instance, run.run_id):
            canceling = run.status is dg.DagsterRunStatus.CANCELING
            report = instance.report_run_canceled if canceling else instance.report_run_failed
            report(run, what_ended(run))


def what_ended(run: dg.DagsterRun) -> str:
    """Return the message for a run that is abandoned."""
    host, _, process = run.tags.get(PROCESS_TAG, "").rpartition(" ")
    which = f"Process {process} on {host}, which ran it," if host else "The process that ran it"
    return f"{which} has ended. What it stored is kept; run the same again to go on."


@dg.executor(name="in_process_holding_its_run")
def holding_executor(_: dg.InitExecutorContext) -> InProcessExecutor:
    """Executes all steps of a run in one process, which holds the run's lock until it exits.

    A step goes on with what an upstream step has put out, also where that step has failed for some partitions.
    """
    return _HoldingExecutor(RetryMode.ENABLED, StepDependencyConfig(require_upstream_step_success=False))


class _HoldingExecutor(InProcessExecutor):
    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        hold_until_exit(plan_context.instance, plan_context.run_id)
        process = f"{socket.gethostname()} {os.getpid()}"
        plan_context.instance.add_run_tags(plan_context.run_id, {PROCESS_TAG: process})
        yield from super().execute(plan_context, execution_plan)


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, which can also say whether a run's process is still there.

    Dagster's run monitoring (`run_monitoring` in dagster.yaml) asks it and fails the runs whose process is not.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether `check_run_worker_health` can be asked."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return FAILED for a run whose process has ended, otherwise RUNNING."""
        if is_abandoned(self._instance, run.run_id):
            return CheckRunHealthResult(WorkerStatus.FAILED, what_ended(run))
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def lock_folder(instance: dg.DagsterInstance) -> Path:
    """Return the folder of the locks; a backup takes it along, so that what was under way counts as broken off."""
    return Path(instance.storage_directory()) / "running"


def _lock_path(instance: dg.DagsterInstance, run_id: str) -> Path:
    return lock_folder(instance) / f"{run_id}.lock"
