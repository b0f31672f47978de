"""Whether every day that should be there is: red on the morning when one is missing, whatever else was analysed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.test_utils import freeze_time

from kura_dagster.orchestration import freshness
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster_tests.conftest import with_settings
from kura_dagster_tests.own_models import own_models

CONVERSATIONS, PROJECTIONS = freshness.CHECKED


class Sensor:
    """The freshness sensor with the cursor that the daemon would keep for it."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.defs = build_defs(settings, **own_models())
        self.instance = instance
        self.cursor: str | None = None

    def look(self, when: str) -> dict[str, dg.AssetCheckEvaluation]:
        """Return what it reports at a moment in UTC, by asset."""
        with freeze_time(datetime.fromisoformat(when).replace(tzinfo=UTC)):
            context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
            found = self.defs.resolve_sensor_def(freshness.SENSOR_NAME).evaluate_tick(context)
        self.cursor = found.cursor or self.cursor
        for event in found.asset_events:
            self.instance.report_runless_asset_event(event)
        return {event.asset_key.to_user_string(): event for event in found.asset_events}


@pytest.fixture
def sensor(settings: Settings, instance: dg.DagsterInstance) -> Sensor:
    return Sensor(settings, instance)


def note_analysed(instance: dg.DagsterInstance, *keys: str, assets: Any = ASSETS) -> None:
    """Have it in the history that partitions were analysed."""
    for key in keys:
        for asset in assets:
            instance.report_runless_asset_event(dg.AssetMaterialization(asset.key, partition=key))


def days(first: str, last: str) -> Iterator[str]:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield str(day)
        day += timedelta(days=1)


def test_a_missing_day_is_red_once_its_time_and_the_grace_have_passed(sensor, instance):
    note_analysed(instance, *days("2026-11-02", "2026-11-09"))
    told = sensor.look("2026-11-11 06:59")
    assert {event.passed for event in told.values()} == {True}
    assert told[CONVERSATIONS].description == "All are there up to 2026-11-09, the last that is due."
    assert sensor.look("2026-11-11 06:59:30") == {}
    told = sensor.look("2026-11-11 07:00")
    assert set(told) == {CONVERSATIONS, PROJECTIONS}
    for event in told.values():
        assert not event.passed
        assert event.severity is dg.AssetCheckSeverity.ERROR
        assert event.description.startswith("Missing: 2026-11-10. See that the schedules")
    note_analysed(instance, "2026-11-10")
    assert {event.passed for event in sensor.look("2026-11-11 07:05").values()} == {True}


def test_a_backfill_of_old_days_turns_nothing_green(sensor, instance):
    note_analysed(instance, "2026-11-02", *days("2026-11-05", "2026-11-08"))
    before = sensor.look("2026-11-11 08:00")[PROJECTIONS]
    assert before.description.startswith("Missing: 2026-11-03 to 2026-11-04, 2026-11-09 to 2026-11-10. ")
    note_analysed(instance, *days("2026-11-02", "2026-11-08"))
    after = sensor.look("2026-11-11 08:05")[PROJECTIONS]
    assert not after.passed
    assert after.description.startswith("Missing: 2026-11-09 to 2026-11-10. ")


def test_a_day_that_did_not_get_to_the_map_is_missing_there(sensor, instance):
    note_analysed(instance, "2026-11-09")
    note_analysed(instance, "2026-11-10", assets=ASSETS[:3])
    told = sensor.look("2026-11-11 08:00")
    assert told[CONVERSATIONS].passed
    assert told[PROJECTIONS].description.startswith("Missing: 2026-11-10.")


def test_days_before_the_first_that_was_analysed_are_not_missing(sensor, instance):
    assert sensor.look("2026-11-11 08:00")[CONVERSATIONS].description.startswith("Missing: 2026-11-10.")
    note_analysed(instance, *days("2026-11-09", "2026-11-10"))
    assert sensor.look("2026-11-11 08:05")[CONVERSATIONS].passed


def test_days_too_old_for_the_schedules_are_a_warning_that_says_what_to_do(sensor, instance):
    note_analysed(instance, "2026-11-02", *days("2026-11-20", "2027-01-09"))
    told = sensor.look("2027-01-10 08:00")[CONVERSATIONS]
    assert not told.passed
    assert told.severity is dg.AssetCheckSeverity.WARN
    assert told.description == (
        "Missing: 2026-11-03 to 2026-11-19. No schedule goes back to 2026-11-03 to 2026-11-19: materialise them, or "
        "set KURA_START_DATE to a later day."
    )
    told = sensor.look("2027-01-11 08:00")[CONVERSATIONS]
    assert told.severity is dg.AssetCheckSeverity.ERROR
    assert told.description.startswith("Missing: 2026-11-03 to 2026-11-19, 2027-01-10. See that")


def test_hours_are_due_three_hours_after_their_minute(settings, instance):
    hourly = Settings.load(**settings.model_dump() | {"cadence": "hourly", "schedule_time": "00:20"})
    sensor = Sensor(hourly, instance)
    note_analysed(instance, "2026-11-02-00:00")
    assert sensor.look("2026-11-02 05:19")[CONVERSATIONS].passed
    assert sensor.look("2026-11-02 05:20")[CONVERSATIONS].description.startswith("Missing: 2026-11-02-01:00.")


def test_no_day_is_due_before_the_first_is_over(sensor):
    assert sensor.look("2026-11-02 23:00") == {}


def test_a_day_without_conversations_is_there_once_it_is_analysed(sensor, settings, instance):
    settings.conversations.mkdir()
    assert materialise(sensor.defs, ["2026-11-10"], instance).success
    assert {event.passed for event in sensor.look("2026-11-11 08:00").values()} == {True}


def test_a_day_whose_messages_were_dropped_is_not_missing_for_nobody_can_analyse_it(settings, instance):
    keeping = with_settings(settings, keep_messages_days=30)
    sensor = Sensor(keeping, instance)
    note_analysed(instance, "2026-11-08")
    Database(keeping.database).drop_messages(date(2026, 11, 10), [date(2026, 11, 9)])
    told = sensor.look("2026-11-11 08:00")[CONVERSATIONS]
    assert told.description.startswith("Missing: 2026-11-10. See")


def test_the_check_can_be_run_by_hand_and_is_no_part_of_a_days_run(sensor, instance):
    check = dg.AssetCheckKey(dg.AssetKey(CONVERSATIONS), freshness.CHECK_NAME)
    of_job = sensor.defs.resolve_job_def(JOB_NAME).asset_layer.asset_graph.asset_check_keys
    assert check not in of_job
    assert len(of_job) > len(ASSETS)
    with freeze_time(datetime(2026, 11, 11, 8, tzinfo=UTC)):
        run = sensor.defs.resolve_implicit_global_asset_job_def().get_subset(
            asset_check_selection={check}, asset_selection=set()
        )
        done = run.execute_in_process(instance=instance)
    assert done.success
    (evaluation,) = done.get_asset_check_evaluations()
    assert not evaluation.passed
    assert evaluation.description.startswith("Missing: 2026-11-10.")
    assert not evaluation.blocking


def test_the_ui_shows_what_is_reported_and_shows_it_still_after_a_backfill(sensor, settings, instance):
    settings.conversations.mkdir()
    note_analysed(instance, "2026-11-09")
    sensor.look("2026-11-11 08:00")
    key = dg.AssetCheckKey(dg.AssetKey(PROJECTIONS), freshness.CHECK_NAME)

    def shown() -> bool:
        record = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)[0]
        assert record.status is AssetCheckExecutionRecordStatus.FAILED
        return asyncio.run(record.targets_latest_materialization(LoadingContextForTest(instance)))

    assert shown()
    assert materialise(sensor.defs, ["2026-11-03"], instance).success
    assert not shown(), "the UI hides what is older than the last materialisation"
    assert not sensor.look("2026-11-11 08:01")[PROJECTIONS].passed
    assert shown()
    assert sensor.look("2026-11-11 08:02") == {}
