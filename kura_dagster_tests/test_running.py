"""Which runs are still worked on: real processes that hold a run's lock, and end in every way."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.launcher.base import WorkerStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring import execute_run_monitoring_iteration
from filelock import FileLock, Timeout

from kura_dagster.orchestration import running
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.running import WatchedRunLauncher, held, is_abandoned, report_abandoned_runs
from kura_dagster_tests.dagster_dev import PROJECT
from kura_dagster_tests.own_models import own_models

HOLDER = """
import sys
from dagster import DagsterInstance
from kura_dagster.orchestration.running import held

with DagsterInstance.get() as instance, held(instance, sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""
KILLED_BEFORE_IT_HOLDS_ITS_RUN = """
import os, signal, sys
from dagster import DagsterInstance
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.execute_in_process import core_execute_in_process
from kura_dagster.orchestration import running
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.jobs import JOB_NAME

running.hold_until_exit = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with DagsterInstance.get() as instance:
    core_execute_in_process(
        job=InMemoryJob(build_defs().resolve_job_def(JOB_NAME)),
        instance=instance,
        run_id=sys.argv[1],
        run_config={},
        output_capturing_enabled=False,
        raise_on_error=False,
        run_tags={"dagster/partition": "2026-11-02"},
    )
"""
STARTED = dg.DagsterRunStatus.STARTED


@pytest.fixture
def instance(tmp_path, monkeypatch):
    """The project's own instance: its dagster.yaml in an empty folder."""
    (tmp_path / "dagster.yaml").write_text((PROJECT / "dagster.yaml").read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        yield instance


@dg.job
def nothing():
    pass


def started_run(instance: dg.DagsterInstance) -> str:
    return instance.create_run_for_job(nothing, status=STARTED).run_id


def holder(run_id: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, run_id],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def monitor(instance: dg.DagsterInstance) -> None:
    """What Dagster's daemon does every `poll_interval_seconds`."""
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as workspace:
        errors = list(execute_run_monitoring_iteration(workspace, logging.getLogger("monitor")))
    assert not any(errors), errors


def test_run_monitoring_fails_a_run_whose_process_was_killed_and_no_other(instance):
    killed, going_on, elsewhere = (started_run(instance) for _ in range(3))
    with holder(killed) as process, holder(going_on) as other:
        monitor(instance)
        assert {run.status for run in instance.get_runs()} == {STARTED}
        process.kill()
        process.wait()
        monitor(instance)
        statuses = {run.run_id: run.status for run in instance.get_runs()}
        other.kill()
    assert statuses == {killed: dg.DagsterRunStatus.FAILURE, going_on: STARTED, elsewhere: STARTED}
    (reason,) = [
        entry.message for entry in instance.all_logs(killed) if "has ended. What it stored is kept" in entry.message
    ]
    assert "run the same again to go on" in reason


@pytest.fixture
def killed_before_it_held_its_run(instance) -> str:
    """A run whose process was killed after Dagster had recorded its start and before it had the run's lock."""
    run_id = str(uuid.uuid4())
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_IT_HOLDS_ITS_RUN, run_id],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert instance.get_run_by_id(run_id).status is STARTED
    return run_id


def test_a_run_that_was_killed_before_it_held_its_lock_is_failed_a_minute_later(
    instance, killed_before_it_held_its_run, monkeypatch
):
    run_id = killed_before_it_held_its_run
    monitor(instance)
    assert instance.get_run_by_id(run_id).status is STARTED
    monkeypatch.setattr(running, "SECONDS_UNTIL_HELD", 0)
    monitor(instance)
    assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.FAILURE
    assert any("The process that ran it has ended." in entry.message for entry in instance.all_logs(run_id))


def test_so_is_one_that_was_re_executed_and_has_the_tags_of_the_run_before(
    instance, killed_before_it_held_its_run, monkeypatch
):
    instance.add_run_tags(killed_before_it_held_its_run, {running.PROCESS_TAG: "another-machine 17"})
    monkeypatch.setattr(running, "SECONDS_UNTIL_HELD", 0)
    report_abandoned_runs(instance)
    assert instance.get_run_by_id(killed_before_it_held_its_run).status is dg.DagsterRunStatus.FAILURE
    assert not is_abandoned(instance, killed_before_it_held_its_run), "it is recorded as finished"


def test_and_one_that_somebody_canceled_meanwhile_is_recorded_as_canceled(
    instance, killed_before_it_held_its_run, monkeypatch
):
    instance.report_run_canceling(instance.get_run_by_id(killed_before_it_held_its_run))
    monkeypatch.setattr(running, "SECONDS_UNTIL_HELD", 0)
    report_abandoned_runs(instance)
    assert instance.get_run_by_id(killed_before_it_held_its_run).status is dg.DagsterRunStatus.CANCELED


@dg.op
def says_whether_its_run_looks_abandoned(context) -> bool:
    with pytest.MonkeyPatch.context() as patch:  # here, for it may be in a process of its own
        patch.setattr(running, "SECONDS_UNTIL_HELD", 0)
        return is_abandoned(context.instance, context.run_id)


@dg.job(executor_def=dg.in_process_executor)
def watched_in_its_process():
    says_whether_its_run_looks_abandoned()


@dg.job(executor_def=dg.multiprocess_executor)
def watched_in_another_process():
    says_whether_its_run_looks_abandoned()


@pytest.mark.parametrize("job", [watched_in_its_process, watched_in_another_process], ids=lambda each: each.name)
def test_a_run_of_another_executor_does_not_look_abandoned_while_it_goes_on(instance, job):
    with dg.execute_job(dg.reconstructable(job), instance=instance) as result:
        assert result.success
        assert result.output_for_node("says_whether_its_run_looks_abandoned") is False


def test_a_run_from_the_command_line_holds_its_lock_before_dagster_knows_it(instance, settings, land, monkeypatch):
    land("2026-11-02", 3)
    held_before = []
    create = dg.DagsterInstance.create_run_for_job

    def create_and_look(instance: dg.DagsterInstance, **options: Any) -> dg.DagsterRun:
        lock = FileLock(running.lock_folder(instance) / f"{options['run_id']}.lock")
        with pytest.raises(Timeout):
            lock.acquire(timeout=0)
        held_before.append(options["run_id"])
        return create(instance, **options)

    monkeypatch.setattr(dg.DagsterInstance, "create_run_for_job", create_and_look)
    report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
    assert report.success
    assert held_before == [report.run_id]


def test_a_run_that_is_recorded_as_finished_is_not_abandoned(instance):
    run_id = started_run(instance)
    with holder(run_id) as process:
        instance.report_run_failed(instance.get_run_by_id(run_id))
        process.kill()
    assert not is_abandoned(instance, run_id)


def test_an_error_of_dagsters_own_leaves_no_run_that_goes_on_for_ever(instance):
    run_id = started_run(instance)
    with pytest.raises(OSError, match="disk"), held(instance, run_id):
        raise OSError("disk is full")
    report_abandoned_runs(instance)
    assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.FAILURE


def test_a_run_that_is_killed_while_it_is_canceled_is_recorded_as_canceled(instance):
    run_id = started_run(instance)
    with holder(run_id) as process:
        instance.report_run_canceling(instance.get_run_by_id(run_id))
        report_abandoned_runs(instance)
        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.CANCELING
        process.kill()
        process.wait()
    report_abandoned_runs(instance)
    assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.CANCELED


def test_a_run_does_not_look_abandoned_at_the_moment_before_it_has_its_lock(instance, monkeypatch):
    run_id = started_run(instance)
    lock_file = fcntl.flock
    looked_abandoned: list[bool] = []

    def look_first(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock_file)
        looked_abandoned.append(is_abandoned(instance, run_id))
        lock_file(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", look_first)
    with held(instance, run_id):
        assert not is_abandoned(instance, run_id)
    assert looked_abandoned == [False]
    assert is_abandoned(instance, run_id)


def test_locks_of_ended_runs_are_removed_by_the_next_and_those_of_others_kept(instance):
    over, going_on, new = (started_run(instance) for _ in range(3))
    with holder(over) as process:
        process.kill()
    instance.report_run_failed(instance.get_run_by_id(over))
    with holder(going_on) as process:
        with held(instance, new):
            pass
        left = {path.stem for path in Path(instance.storage_directory(), "running").iterdir()}
        process.kill()
    assert left == {going_on, new}


def test_the_projects_instance_watches_its_runs(instance):
    assert isinstance(instance.run_launcher, WatchedRunLauncher)
    assert instance.run_monitoring_enabled
    run = instance.get_run_by_id(started_run(instance))
    assert instance.run_launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    settings = yaml.safe_load((PROJECT / "dagster.yaml").read_text())["run_monitoring"]
    assert instance.run_monitoring_poll_interval_seconds == settings["poll_interval_seconds"] <= 60
