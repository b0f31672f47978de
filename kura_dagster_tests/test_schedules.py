"""The schedules: one run a day, late data and failed items, missed ticks, ticks that are repeated, clock changes.

What the machine's being off, being killed and its clock do is shown under Dagster's own scheduler, on a clock that
stands where a test says. Files are written on the machine's clock, so those days lie years ahead, where everything was
landed long before; late data is of the last days.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.tags import SCHEDULE_NAME_TAG
from dagster._core.test_utils import create_run_for_test, freeze_time, instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._scheduler.scheduler import launch_scheduled_runs
from dagster._utils.schedules import schedule_execution_time_iterator

from kura_dagster.orchestration import outstanding, run_requests, sensors
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.outstanding import partition_ends
from kura_dagster.orchestration.partitions import partitions_from
from kura_dagster.orchestration.schedules import ANALYSIS_SCHEDULE_NAME, TRAILING_SCHEDULE_NAME
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster_tests.conftest import land_day, with_settings
from kura_dagster_tests.loopback_server import Faults, LoopbackServer
from kura_dagster_tests.own_models import OpeningTurns, own_models

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

LOCATION = """
from kura_dagster.orchestration.build import build_defs
from kura_dagster_tests.own_models import own_models

defs = build_defs(**own_models())
"""
RUN_AT_ONCE = {
    "run_launcher": {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    },
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
}


class Machine:
    """Dagster's scheduler over the project's schedules and an instance, on a clock that a test sets."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self._workspace: WorkspaceProcessContext | None = None

    @property
    def workspace(self) -> WorkspaceProcessContext:
        """The code location, loaded at the first look, when the test has set its variables."""
        if self._workspace is None:
            # A file of the test's own: Dagster keeps what a file was loaded to.
            location = Path("location.py").absolute()
            location.write_text(LOCATION)
            origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file=str(location)))
            self._workspace = WorkspaceProcessContext(self.instance, InProcessWorkspaceLoadTarget(origin))
        return self._workspace

    def look(self, when: datetime, **options: Any) -> list[tuple[str, str, str]]:
        """Let the scheduler look at the clock once; return the runs it made: schedule, first and last partition."""
        before = {run.run_id for run in self.instance.get_runs()}
        with freeze_time(when):
            errors = list(launch_scheduled_runs(self.workspace, logging.getLogger("scheduler"), when, {}, **options))
        assert not any(errors), errors
        made = [run for run in self.instance.get_runs() if run.run_id not in before]
        return sorted((run.tags[SCHEDULE_NAME_TAG], *ends_of(run)) for run in made)

    def look_and_be_killed(self, when: datetime, schedule: str, at_step: str) -> None:
        """Let the scheduler look, in a process that is killed at a step of launching the schedule's first run."""
        child = os.fork()
        if not child:
            self.look(when, debug_crash_flags={schedule: {at_step: signal.SIGKILL}})
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL

    def tick(self, schedule: str) -> Any:
        """Return the schedule's last tick."""
        states = self.instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        (state,) = [state for state in states if state.instigator_name == schedule]
        return self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)[0]


def ends_of(run: dg.DagsterRun) -> tuple[str, str]:
    ends = partition_ends(run)
    assert ends
    return ends


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the environment of a machine whose schedules are on, from 2040 on, and what a test wants besides."""

    def set_variables(**of_test: str) -> None:
        of_all = {
            "DATABASE": str(tmp_path / "kura.duckdb"),
            "CONVERSATIONS": str(tmp_path / "conversations"),
            "SCHEDULES": "on",
            "START_DATE": "2040-01-01",
        }
        for name, value in (of_all | of_test).items():
            monkeypatch.setenv(f"KURA_{name}", value)

    set_variables()
    return set_variables


@pytest.fixture
def machine(tmp_path: Path, variables: Callable[..., None]) -> Iterator[Machine]:
    """A machine whose runs run at once."""
    with instance_for_test(RUN_AT_ONCE, temp_dir=str(tmp_path)) as instance:
        yield Machine(instance)


@pytest.fixture
def queueing_machine(tmp_path: Path, variables: Callable[..., None]) -> Iterator[Machine]:
    """A machine whose runs wait in the queue."""
    with instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Machine(instance)


def at(day: str, time: str, timezone: str = "UTC") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def days(first: str, count: int) -> list[str]:
    return [str(date.fromisoformat(first) + timedelta(days=number)) for number in range(count)]


def note_analysed(instance: dg.DagsterInstance, keys: list[str]) -> None:
    """Have it in the history that partitions were analysed."""
    for key in keys:
        for asset in ASSETS:
            instance.report_runless_asset_event(dg.AssetMaterialization(asset.key, partition=key))


def test_each_day_has_one_run_at_its_time(machine):
    land_day(Path("conversations"), "2040-01-05", 3)
    machine.look(at("2040-01-06", "03:00"))
    assert machine.look(at("2040-01-06", "03:59")) == []
    assert machine.look(at("2040-01-06", "04:00")) == [(ANALYSIS_SCHEDULE_NAME, "2040-01-05", "2040-01-05")]
    assert machine.look(at("2040-01-06", "04:01")) == []
    assert Database("kura.duckdb").row_counts()["conversation_projections"] == {date(2040, 1, 5): 3}


@pytest.mark.parametrize("weeks", [1, 3])
def test_every_day_of_weeks_that_the_machine_was_off_is_analysed_by_itself(machine, weeks):
    missed = days("2040-01-02", 7 * weeks)
    for day in missed:
        land_day(Path("conversations"), day, 1)
    note_analysed(machine.instance, ["2040-01-01"])
    machine.look(at("2040-01-02", "06:00"))
    back = at("2040-01-02", "09:00") + timedelta(weeks=weeks)
    assert machine.look(back) == [
        (ANALYSIS_SCHEDULE_NAME, missed[-1], missed[-1]),
        (TRAILING_SCHEDULE_NAME, missed[0], missed[-2]),
    ]
    of_each_day = {date.fromisoformat(day): 1 for day in missed}
    assert Database("kura.duckdb").row_counts()["conversation_projections"] == of_each_day
    assert machine.look(back + timedelta(minutes=1)) == []


def test_a_machine_that_comes_back_before_the_trailing_run_asks_for_no_day_twice(queueing_machine):
    note_analysed(queueing_machine.instance, ["2040-01-01"])
    queueing_machine.look(at("2040-01-02", "06:00"))
    assert queueing_machine.look(at("2040-01-06", "03:00")) == [
        (ANALYSIS_SCHEDULE_NAME, "2040-01-04", "2040-01-04"),
        (TRAILING_SCHEDULE_NAME, "2040-01-02", "2040-01-03"),
    ]
    assert queueing_machine.look(at("2040-01-06", "05:00")) == [(ANALYSIS_SCHEDULE_NAME, "2040-01-05", "2040-01-05")]
    assert "is being analysed" in queueing_machine.tick(TRAILING_SCHEDULE_NAME).skip_reason


def test_what_is_missed_is_caught_up_for_a_month_and_not_from_before_the_first_day(queueing_machine):
    instance = queueing_machine.instance
    queueing_machine.look(at("2040-03-20", "03:00"))
    queueing_machine.look(at("2040-03-20", "05:00"))
    # Nothing was ever analysed: the trailing days, and no history.
    assert (TRAILING_SCHEDULE_NAME, "2040-03-13", "2040-03-18") in {
        (run.tags[SCHEDULE_NAME_TAG], *ends_of(run)) for run in instance.get_runs()
    }
    note_analysed(instance, ["2040-01-10", *days("2040-03-13", 7)])
    assert queueing_machine.look(at("2040-03-21", "06:00")) == [
        (ANALYSIS_SCHEDULE_NAME, "2040-03-20", "2040-03-20"),
        (TRAILING_SCHEDULE_NAME, "2040-02-19", "2040-03-12"),
    ]


@pytest.mark.parametrize("at_step", ["RUN_CREATED", "TICK_SUCCESS"])
def test_a_tick_that_is_evaluated_again_after_a_kill_makes_one_run(queueing_machine, at_step):
    queueing_machine.look(at("2040-01-02", "03:00"))
    queueing_machine.look_and_be_killed(at("2040-01-02", "04:00"), ANALYSIS_SCHEDULE_NAME, at_step)
    queueing_machine.look(at("2040-01-02", "04:00") + timedelta(seconds=30))
    (run,) = queueing_machine.instance.get_runs()
    assert ends_of(run) == ("2040-01-01", "2040-01-01")
    assert run.status is dg.DagsterRunStatus.QUEUED
    assert queueing_machine.tick(ANALYSIS_SCHEDULE_NAME).status is TickStatus.SUCCESS


@pytest.mark.parametrize(("at_step", "made"), [("RUN_CREATED", 1), ("TICK_SUCCESS", 2)])
def test_a_trailing_tick_that_is_evaluated_again_asks_for_the_same_runs(queueing_machine, at_step, made):
    """Though meanwhile a day is done, and the stretch without it would be another run."""
    instance = queueing_machine.instance
    note_analysed(instance, ["2040-01-01", "2040-01-02", "2040-01-05", "2040-01-06", "2040-01-08"])
    queueing_machine.look(at("2040-01-09", "04:30"))
    queueing_machine.look_and_be_killed(at("2040-01-09", "05:00"), TRAILING_SCHEDULE_NAME, at_step)
    assert len(instance.get_runs()) == made
    note_analysed(instance, ["2040-01-03"])
    queueing_machine.look(at("2040-01-09", "05:01"))
    runs = instance.get_runs()
    assert sorted(map(ends_of, runs)) == [("2040-01-03", "2040-01-04"), ("2040-01-07", "2040-01-07")]
    assert {run.status for run in runs} == {dg.DagsterRunStatus.QUEUED}


def test_the_schedules_are_off_unless_they_are_switched_on(settings):
    for switch, running in (("off", False), ("on", True)):
        defs = build_defs(with_settings(settings, schedules=switch), **own_models())
        for name in (ANALYSIS_SCHEDULE_NAME, TRAILING_SCHEDULE_NAME):
            status = defs.resolve_schedule_def(name).default_status
            assert (status is dg.DefaultScheduleStatus.RUNNING) is running
        freshness = defs.resolve_sensor_def("freshness").default_status
        assert (freshness is dg.DefaultSensorStatus.RUNNING) is running
        assert defs.resolve_sensor_def(sensors.SENSOR_NAME).default_status is dg.DefaultSensorStatus.STOPPED


@pytest.mark.parametrize(
    ("changed", "crons"),
    [
        ({}, ["0 4 * * *", "0 5 * * *"]),
        ({"schedule_time": "23:30"}, ["30 23 * * *", "30 0 * * *"]),
        ({"cadence": "hourly", "schedule_time": "06:10"}, ["10 * * * *", "10 7 * * *"]),
        ({"cadence": "weekly"}, ["0 4 * * 1", "0 5 * * *"]),
        ({"cadence": "monthly", "trailing_days": 0}, ["0 4 1 * *"]),
    ],
)
def test_the_times_follow_the_settings(settings, changed, crons):
    defs = build_defs(with_settings(settings, timezone="Europe/Berlin", **changed), **own_models())
    schedules = list(defs.schedules or [])
    assert [schedule.cron_schedule for schedule in schedules] == crons
    assert {schedule.execution_timezone for schedule in schedules} == {"Europe/Berlin"}


TODAY = datetime.now(UTC).date()
LAST_DAYS = days(str(TODAY - timedelta(days=4)), 4)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One on the disk, without which Dagster evaluates no schedule."""
    with instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def recent(settings: Settings) -> Settings:
    """Settings whose first day was four days ago."""
    return with_settings(settings, start_date=LAST_DAYS[0])


def asked(
    defs: dg.Definitions, schedule: str, instance: dg.DagsterInstance, tick: datetime | None = None
) -> list[dg.RunRequest] | str | None:
    """Evaluate a schedule, as of now where no tick is given; return what it asks for, or why it asks for nothing."""
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=tick or datetime.now(UTC), repository_def=defs.get_repository_def()
    )
    found = defs.resolve_schedule_def(schedule).evaluate_tick(context)
    return list(found.run_requests or []) or found.skip_message


def ends_asked(requests: list[dg.RunRequest]) -> list[tuple[str, str]]:
    found = []
    for request in requests:
        between = request.partition_key_range
        found.append((between.start, between.end) if between else (request.partition_key, request.partition_key))
    return found


def test_days_with_late_data_are_asked_for_neighbours_in_one_run(recent, instance, land):
    defs = build_defs(recent, **own_models())
    for day in LAST_DAYS:
        land(day, 2)
    assert materialise(defs, LAST_DAYS, instance).success
    nothing = asked(defs, TRAILING_SCHEDULE_NAME, instance)
    assert (
        nothing == f"nothing was missed, stopped half-way, landed late or failed in {LAST_DAYS[0]} to {LAST_DAYS[-1]}"
    )
    for day in (*LAST_DAYS[:2], LAST_DAYS[3]):
        land(day, 3)
    late = [(LAST_DAYS[0], LAST_DAYS[1]), (LAST_DAYS[3], LAST_DAYS[3])]
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == late
    of_two_days = build_defs(with_settings(recent, trailing_days=2), **own_models())
    assert ends_asked(asked(of_two_days, TRAILING_SCHEDULE_NAME, instance)) == late[1:]
    assert materialise(defs, LAST_DAYS[:2], instance).success
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == late[1:]


class FailsOn(OpeningTurns):
    """Fails on the days of these conversations."""

    def __init__(self, *days: str) -> None:
        super().__init__()
        self.days = days

    async def summarise(self, conversations, *arguments, **options):
        if any(each.chat_id.startswith(self.days) for each in conversations):
            raise RuntimeError("no such luck")
        return await super().summarise(conversations, *arguments, **options)


def test_what_stopped_half_way_is_asked_for_again_and_alone_where_its_run_held_others(recent, instance, land):
    for day in LAST_DAYS:
        land(day, 2)
    bad = LAST_DAYS[1]
    defs = build_defs(recent, **own_models(summary_model=FailsOn(bad)))
    assert materialise(defs, LAST_DAYS[2:], instance).success
    for day in LAST_DAYS[:2]:
        materialise(defs, [day], instance)
    assert outstanding.finished(instance) == set(LAST_DAYS) - {bad}
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == [(bad, bad)]
    land(LAST_DAYS[2], 3)
    (together,) = ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance))
    assert together == (bad, LAST_DAYS[2])
    worse = build_defs(recent, **own_models(summary_model=FailsOn(bad, LAST_DAYS[2])))
    assert not materialise(worse, [bad, LAST_DAYS[2]], instance).success
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == [(bad, bad), (LAST_DAYS[2],) * 2]
    assert not materialise(defs, [bad, LAST_DAYS[2]], instance).success
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == [(bad, bad)]


def test_a_day_whose_run_failed_before_it_stored_anything_is_tried_again_an_hour_later(recent, instance):
    newest = LAST_DAYS[-1]
    recent.conversations.mkdir()
    unreadable = recent.conversations / f"{newest}.jsonl"
    unreadable.symlink_to("/proc/self/mem")
    defs = build_defs(recent, **own_models())
    tick = datetime.combine(datetime.now(UTC).date(), time(5), UTC)
    note_analysed(instance, LAST_DAYS[:-1])
    assert "nothing was missed" in asked(defs, TRAILING_SCHEDULE_NAME, instance, tick)
    assert not materialise(defs, [newest], instance).success
    assert newest not in outstanding.begun(instance)
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance, tick)) == [(newest, newest)]


def killed_at_once(instance: dg.DagsterInstance, defs: dg.Definitions, keys: list[str]) -> None:
    """Have it in the history that a run over these partitions was killed before it stored anything."""
    job, tags = defs.resolve_job_def(JOB_NAME), run_requests.partition_tags(keys)
    run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(run)


def test_a_stretch_that_was_killed_in_its_first_asset_is_asked_for_day_by_day(recent, instance):
    """As where one file is so large that the process is killed for its memory: it would keep the others for ever."""
    defs = build_defs(recent, **own_models())
    stretch = LAST_DAYS[1:3]
    note_analysed(instance, [LAST_DAYS[0], LAST_DAYS[-1]])
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == [(stretch[0], stretch[-1])]
    killed_at_once(instance, defs, stretch)
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == [(day, day) for day in stretch]
    note_analysed(instance, stretch)
    assert "nothing was missed" in asked(defs, TRAILING_SCHEDULE_NAME, instance)


def test_a_day_that_was_analysed_and_whose_next_run_was_killed_at_once_is_asked_for(recent, instance):
    defs = build_defs(recent, **own_models())
    note_analysed(instance, LAST_DAYS)
    killed_at_once(instance, defs, LAST_DAYS[1:2])
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == [(LAST_DAYS[1], LAST_DAYS[1])]


def test_the_newest_day_is_tried_again_an_hour_later_also_where_its_run_held_others(recent, instance):
    defs = build_defs(recent, **own_models())
    tick = datetime.combine(datetime.now(UTC).date(), time(5), UTC)
    note_analysed(instance, LAST_DAYS[:-1])
    assert "nothing was missed" in asked(defs, TRAILING_SCHEDULE_NAME, instance, tick)
    killed_at_once(instance, defs, LAST_DAYS[-2:])
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance, tick)) == [(day, day) for day in LAST_DAYS[-2:]]


def test_a_month_that_nobody_asked_for_is_not_left_until_the_next_one_ends(settings, instance):
    monthly = with_settings(settings, cadence="monthly", start_date="2026-09-01")
    defs = build_defs(monthly, **own_models())
    note_analysed(instance, ["2026-09-01"])
    at_once, later = at("2026-11-01", "05:00"), at("2026-11-02", "05:00")
    assert "nothing was missed" in asked(defs, TRAILING_SCHEDULE_NAME, instance, at_once)
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance, later)) == [("2026-10-01", "2026-10-01")]


def test_failed_items_are_asked_again_and_nothing_is_paid_twice(recent, instance, land, server: LoopbackServer):
    asking = with_settings(recent, language_model="openai/gpt-4o-mini", projection="pca", failure_limit=0.5)
    defs = build_defs(asking, **{name: model for name, model in own_models().items() if name != "summary_model"})
    for day in LAST_DAYS:
        land(day, 6)
    unlucky, path = LAST_DAYS[2], recent.conversations / f"{LAST_DAYS[2]}.jsonl"
    path.write_text(path.read_text().replace("invoice for October is missing", "the question that fails"))
    server.faults = Faults(fail_on="the question that fails", status=400)
    assert materialise(defs, LAST_DAYS, instance).success
    assert Database(recent.database).row_counts()["failed_summaries"] == {date.fromisoformat(unlucky): 1}
    server.reset()
    (request,) = ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance))
    assert request == (unlucky, unlucky)
    assert materialise(defs, [unlucky], instance).success
    assert Database(recent.database).row_counts()["failed_summaries"] == {}
    assert server.stats.chat == 1
    assert "nothing was missed" in asked(defs, TRAILING_SCHEDULE_NAME, instance)
    server.reset()
    assert materialise(defs, LAST_DAYS, instance).success
    assert server.stats.chat == 0


def test_a_day_that_another_run_is_analysing_is_left_alone_for_half_a_day(recent, instance, land, monkeypatch):
    defs = build_defs(recent, **own_models())
    for day in LAST_DAYS:
        land(day, 1)
    tags = {"dagster/asset_partition_range_start": LAST_DAYS[0], "dagster/asset_partition_range_end": LAST_DAYS[-1]}
    create_run_for_test(instance, JOB_NAME, tags=tags, status=dg.DagsterRunStatus.STARTING)
    assert asked(defs, ANALYSIS_SCHEDULE_NAME, instance) == f"{LAST_DAYS[-1]} is being analysed by another run"
    assert "is being analysed" in asked(defs, TRAILING_SCHEDULE_NAME, instance)
    monkeypatch.setattr(outstanding, "TRUSTED_FOR", timedelta(0))
    assert ends_asked(asked(defs, ANALYSIS_SCHEDULE_NAME, instance)) == [(LAST_DAYS[-1],) * 2]
    assert ends_asked(asked(defs, TRAILING_SCHEDULE_NAME, instance)) == [(LAST_DAYS[0], LAST_DAYS[2])]


def test_runs_of_other_jobs_and_of_single_assets_do_not_count_as_analysing(recent, instance, land):
    defs = build_defs(recent, **own_models())
    tags = {"dagster/partition": LAST_DAYS[-1]}
    create_run_for_test(instance, "some_job", tags=tags, status=dg.DagsterRunStatus.STARTING)
    selection = frozenset([dg.AssetKey("conversations")])
    create_run_for_test(instance, JOB_NAME, tags=tags, asset_selection=selection, status=dg.DagsterRunStatus.STARTING)
    assert ends_asked(asked(defs, ANALYSIS_SCHEDULE_NAME, instance)) == [(LAST_DAYS[-1],) * 2]


def test_the_day_that_the_sensor_had_analysed_is_not_analysed_again(recent, instance, land):
    defs = build_defs(recent, **own_models())
    land(LAST_DAYS[-1], 2)
    assert materialise(defs, [LAST_DAYS[-1]], instance).success
    assert asked(defs, ANALYSIS_SCHEDULE_NAME, instance) == f"{LAST_DAYS[-1]} was analysed since its files were written"
    land(LAST_DAYS[-1], 3)
    assert ends_asked(asked(defs, ANALYSIS_SCHEDULE_NAME, instance)) == [(LAST_DAYS[-1],) * 2]


def test_the_sensor_leaves_to_a_run_that_waits_what_it_will_read(recent, instance, land, monkeypatch):
    monkeypatch.setattr(sensors, "SETTLED_AFTER", 0)
    defs = build_defs(recent, **own_models())
    tags = {"dagster/partition": LAST_DAYS[-1]}
    create_run_for_test(instance, JOB_NAME, tags=tags, status=dg.DagsterRunStatus.STARTING)
    for day in LAST_DAYS[-2:]:
        land(day, 2)
    context = dg.build_sensor_context(instance=instance, repository_def=defs.get_repository_def())
    found = defs.resolve_sensor_def(sensors.SENSOR_NAME).evaluate_tick(context)
    assert [request.partition_key for request in found.run_requests or []] == [LAST_DAYS[-2]]


@pytest.mark.parametrize("time", ["02:30", "00:00", "23:59"])
@pytest.mark.parametrize(("turned", "hours"), [("2040-03-25", 23), ("2040-10-28", 25)])
def test_days_of_23_and_25_hours_have_exactly_one_run_each(settings, instance, time, turned, hours):
    """At the times that the scheduler takes from the schedule; 02:30 is missing in March and comes twice in October."""
    berlin = with_settings(settings, timezone="Europe/Berlin", schedule_time=time, start_date="2040-01-01")
    defs = build_defs(berlin, **own_models())
    schedule = defs.resolve_schedule_def(ANALYSIS_SCHEDULE_NAME)
    first = date.fromisoformat(turned) - timedelta(days=2)
    ticks = schedule_execution_time_iterator(
        at(str(first), "00:01", "Europe/Berlin").timestamp(), schedule.cron_schedule, schedule.execution_timezone
    )
    keys = []
    for tick in islice(ticks, 5):
        with freeze_time(tick.astimezone(UTC)):
            (request,) = asked(defs, ANALYSIS_SCHEDULE_NAME, instance, tick)
        keys.append(request.partition_key)
        # Where the clock has been put on to 3 or back to 2, 02:30 is a time after the day before has ended.
        assert tick.date() == date.fromisoformat(keys[-1]) + timedelta(days=1)
    assert keys == days(keys[0], 5)
    assert turned in keys
    window = partitions_from(berlin).time_window_for_partition_key(turned)
    assert window.end.timestamp() - window.start.timestamp() == hours * 3600


def test_before_the_first_day_is_over_there_is_nothing_to_do(recent, instance):
    defs = build_defs(with_settings(recent, start_date=TODAY), **own_models())
    for schedule in (ANALYSIS_SCHEDULE_NAME, TRAILING_SCHEDULE_NAME):
        assert "no partition is over yet" in asked(defs, schedule, instance)
