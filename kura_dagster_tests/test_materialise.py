"""Running the job from Python: what becomes of a run whose process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import (
    PartitionRangeError,
    materialise,
    open_instance,
    partition_keys_between,
)
from kura_dagster.orchestration.missing_partitions import missing_partitions
from kura_dagster.orchestration.questions import LANGUAGE_MODEL_POOL
from kura_dagster.storage.database import DatabaseError
from kura_dagster_tests.own_models import OpeningTurns, own_models

PROJECT = Path(__file__).parents[1]
UNFINISHED = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
ENDLESS = """
import time
from dagster import DagsterInstance
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster_tests.own_models import OpeningTurns, own_models

class Endless(OpeningTurns):
    async def summarise(self, *arguments, **options):
        time.sleep(60)

with DagsterInstance.get() as instance:
    materialise(build_defs(**own_models(summary_model=Endless())), ["2026-11-02"], instance)
"""


@pytest.fixture
def history(tmp_path):
    """A run history on disk, as in a project's folder."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text((PROJECT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance, home


def test_a_killed_run_is_reported_as_failed_by_the_next(history, settings, land):
    instance, home = history
    land("2026-11-02", 3)
    environment = os.environ | {
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": str(PROJECT),
        "KURA_DATABASE": str(settings.database),
        "KURA_CONVERSATIONS": str(settings.conversations),
    }
    process = subprocess.Popen([sys.executable, "-c", ENDLESS], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (running := instance.get_runs(UNFINISHED)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # Running, it is left alone by others.
    assert materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance).success
    assert [run.run_id for run in instance.get_runs(UNFINISHED)] == [running[0].run_id]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance).success
    assert instance.get_runs(UNFINISHED) == []
    assert instance.get_run_by_id(running[0].run_id).status is dg.DagsterRunStatus.FAILURE


STOPPED = """
import asyncio, time
from kura_dagster import cli
from kura_dagster.orchestration import code_location
from kura_dagster.orchestration.build import build_defs
from kura_dagster_tests.own_models import OpeningTurns, own_models

class Endless(OpeningTurns):
    async def summarise(self, conversations, *arguments, **options):
        if conversations[0].chat_id.startswith("2026-11-03"):
            print("waiting", flush=True)
            {wait}
        return await super().summarise(conversations, *arguments, **options)

code_location.definitions_from = lambda settings: build_defs(settings, **own_models(summary_model=Endless()))
cli.app(["run", "--from", "2026-11-02", "--to", "2026-11-03"])
"""


@pytest.mark.parametrize(
    "wait", ["time.sleep(600)", "await asyncio.sleep(600)", "await asyncio.to_thread(input)"], ids=str.split
)
def test_ctrl_c_stops_at_once_keeps_what_is_stored_and_cancels_the_run(history, settings, land, wait):
    instance, home = history
    land("2026-11-02", 3)
    land("2026-11-03", 3)
    environment = os.environ | {
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": str(PROJECT),
        "KURA_DATABASE": str(settings.database),
        "KURA_CONVERSATIONS": str(settings.conversations),
        "KURA_START_DATE": "2026-11-02",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED.format(wait=wait)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "Analysing 2026-11-02 to 2026-11-03 (2 days) …\n"
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    said = process.stderr.readline()
    while said and "stopping" not in said:
        said = process.stderr.readline()
    assert said.strip().endswith("stopping what is stored is kept; kura-dagster run … --missing goes on")
    # The line comes before anything is waited for; this lets the thread end that no interrupt reaches.
    _, rest = process.communicate("\n")
    assert process.returncode == 130
    assert "failed" not in rest
    assert "Error" not in rest
    (run,) = instance.get_runs()
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert instance.get_materialized_partitions(dg.AssetKey("summaries")) == {"2026-11-02"}
    assert missing_partitions(instance, ["2026-11-02", "2026-11-03"]) == ["2026-11-02", "2026-11-03"]


def test_an_interrupt_between_two_steps_cancels_the_run(settings, land, instance, monkeypatch):
    land("2026-11-02", 3)

    def interrupt_after_conversations(entry):
        event = entry.dagster_event
        if event is not None and event.is_step_success and event.step_key == "conversations":
            signal.raise_signal(signal.SIGINT)

    heard = []
    report = materialise(
        build_defs(settings, **own_models()),
        ["2026-11-02"],
        instance,
        interrupt_after_conversations,
        lambda: heard.append("interrupt"),
    )
    assert (report.interrupted, report.success, report.failures) == (True, False, {})
    assert heard == ["interrupt"]
    assert instance.get_run_by_id(report.run_id).status is dg.DagsterRunStatus.CANCELED


@pytest.mark.parametrize(
    ("error", "said"),
    [(DatabaseError("the disk is full"), "the disk is full"), (KeyError("x"), "1 of 1 partitions failed.")],
)
def test_errors_of_our_own_are_told_without_their_class(settings, land, instance, error, said):
    class Faulty(OpeningTurns):
        async def summarise(self, *arguments, **options):
            raise error

    land("2026-11-02", 1)
    report = materialise(build_defs(settings, **own_models(summary_model=Faulty())), ["2026-11-02"], instance)
    assert report.failures["summaries"].splitlines()[0] == said


def test_a_day_that_is_out_of_range_is_said_once(settings):
    with pytest.raises(PartitionRangeError, match=r"^2026-11-01 is asked for, but partitions run from 2026-11-02 "):
        partition_keys_between(settings, date(2026, 11, 1), date(2026, 11, 1))
    with pytest.raises(PartitionRangeError, match=r"^2026-10-01 to 2026-11-05 is asked for, but"):
        partition_keys_between(settings, date(2026, 10, 1), date(2026, 11, 5))


def test_the_pool_is_made_with_its_default_and_keeps_a_limit_that_somebody_set(history, monkeypatch):
    instance, home = history
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    for limit in (1, 3):
        with open_instance():
            pass
        assert {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()} == {
            LANGUAGE_MODEL_POOL: limit
        }
        instance.event_log_storage.set_concurrency_slots(LANGUAGE_MODEL_POOL, 3)


def test_a_run_that_nobody_here_holds_a_lock_of_is_left_alone(instance, settings, land):
    land("2026-11-02", 1)
    defs = build_defs(settings, **own_models())
    run = instance.create_run_for_job(defs.resolve_job_def("analyse_conversations"), status=dg.DagsterRunStatus.STARTED)
    assert materialise(defs, ["2026-11-02"], instance).success
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.STARTED
