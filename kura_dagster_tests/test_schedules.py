"""The schedules under Dagster's own scheduler: one run a day, late data and failed items, missed ticks, clock changes.

Dagster's clock stands where a test says. Files are written on the machine's clock, so days whose clock is set lie
years ahead, where what was landed was landed before, and days with late data are the last ones.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.storage.tags import SCHEDULE_NAME_TAG
from dagster._core.test_utils import freeze_time, instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._scheduler.scheduler import launch_scheduled_runs

from kura_dagster.orchestration import outstanding
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.outstanding import partition_ends
from kura_dagster.orchestration.partitions import partitions_from
from kura_dagster.orchestration.schedules import ANALYSIS_SCHEDULE_NAME, TRAILING_SCHEDULE_NAME
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import CONVERSATIONS, FAILED_SUMMARIES
from kura_dagster_tests.conftest import land_day
from kura_dagster_tests.loopback_server import Faults
from kura_dagster_tests.own_models import OpeningTurns, own_models

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

LOCATION = Path(__file__).with_name("own_location.py")
RUNS_HERE = {
    "run_launcher": {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    },
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
}


class Machine:
    """Dagster's scheduler over the project's schedules and an instance, on a clock of its own; runs run at once."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file=str(LOCATION)))
        self.instance = instance
        self.landing = home / "landing"
        self.workspace = WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin))

    def look(self, when: datetime, **options) -> list[tuple[str, str, str]]:
        """Let the scheduler look at the clock once; return the runs it made: schedule, first and last partition."""
        before = {run.run_id for run in self.instance.get_runs()}
        with freeze_time(when):
            errors = list(launch_scheduled_runs(self.workspace, logging.getLogger("scheduler"), when, {}, **options))
        assert not any(errors), errors
        made = [run for run in self.instance.get_runs() if run.run_id not in before]
        return sorted((run.tags[SCHEDULE_NAME_TAG], *partition_ends(run)) for run in made)

    def skipped(self, schedule: str) -> str | None:
        """Return why the schedule's last tick asked for no run."""
        states = self.instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        (state,) = [state for state in states if state.instigator_name == schedule]
        tick = self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)[0]
        assert tick.status in (TickStatus.SKIPPED, TickStatus.SUCCESS), tick
        return tick.skip_reason


@pytest.fixture
def on(tmp_path, monkeypatch):
    """Give the environment of a machine whose schedules are on, from 2040 on, and what a test sets besides."""

    def set_variables(**variables: str) -> None:
        of_all = {
            "DATABASE": str(tmp_path / "kura.duckdb"),
            "CONVERSATIONS": str(tmp_path / "landing"),
            "SCHEDULES": "on",
            "START_DATE": "2040-01-01",
        }
        for name, value in (of_all | variables).items():
            monkeypatch.setenv(f"KURA_{name}", value)

    set_variables()
    return set_variables


@pytest.fixture
def machine(tmp_path, on) -> Iterator[Machine]:
    with instance_for_test(RUNS_HERE, temp_dir=str(tmp_path)) as instance:
        yield Machine(tmp_path, instance)


def at(day: str, time: str = "00:00", timezone: str = "UTC") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def analysed(machine: Machine) -> set[str]:
    return outstanding.finished(machine.instance)


def days(first: str, count: int) -> list[str]:
    return [str(date.fromisoformat(first) + timedelta(days=number)) for number in range(count)]


def test_each_day_has_one_run_at_its_time_and_none_besides(machine):
    land_day(machine.landing, "2040-01-05", 3)
    machine.look(at("2040-01-06", "03:00"))
    assert machine.look(at("2040-01-06", "03:59")) == []
    assert machine.look(at("2040-01-06", "04:00")) == [(ANALYSIS_SCHEDULE_NAME, "2040-01-05", "2040-01-05")]
    assert machine.look(at("2040-01-06", "04:01")) == []


@pytest.mark.parametrize("weeks", [1, 3])
def test_every_day_of_weeks_that_the_machine_was_off_is_analysed_by_itself(machine, weeks):
    for day in days("2040-01-01", 30):
        land_day(machine.landing, day, 2)
    machine.look(at("2040-01-02", "03:00"))
    machine.look(at("2040-01-02", "05:00"))
    assert analysed(machine) == {"2040-01-01"}
    back = at("2040-01-02", "09:00") + timedelta(weeks=weeks)
    missed = days("2040-01-02", 7 * weeks)
    assert machine.look(back) == [
        (ANALYSIS_SCHEDULE_NAME, missed[-1], missed[-1]),
        (TRAILING_SCHEDULE_NAME, missed[0], missed[-2]),
    ]
    assert analysed(machine) == {"2040-01-01", *missed}
    assert machine.look(back + timedelta(minutes=1)) == []
