"""Running the job from Python: what becomes of a run whose process was killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import PROCESS_TAG, materialise, open_instance
from kura_dagster.orchestration.questions import LANGUAGE_MODEL_POOL
from kura_dagster_tests.own_models import own_models

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


@pytest.mark.parametrize("tags", [{}, {PROCESS_TAG: "another-host 1"}, {PROCESS_TAG: f"{socket.gethostname()} 1"}])
def test_runs_of_others_are_left_alone(instance, settings, land, tags):
    land("2026-11-02", 1)
    defs = build_defs(settings, **own_models())
    run = instance.create_run_for_job(
        defs.resolve_job_def("analyse_conversations"), status=dg.DagsterRunStatus.STARTED, tags=tags
    )
    assert materialise(defs, ["2026-11-02"], instance).success
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.STARTED
