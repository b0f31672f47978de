"""The sensor over the landing folder: exactly the days whose files changed, neighbours in one run, once each."""

from __future__ import annotations

import json
import os
import time
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from kura_dagster.orchestration import sensors
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.settings import Settings
from kura_dagster_tests.own_models import own_models

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


class Sensor:
    """The project's sensor with the cursor that the daemon would keep for it."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.defs = build_defs(settings, **own_models())
        self.instance = instance
        self.cursor: str | None = None

    def look(self) -> list[tuple[str, str]]:
        """Return the first and the last partition of each run that is requested."""
        return [self._ends(request) for request in self.requests()]

    def requests(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=self.defs.get_repository_def()
        )
        found = self.defs.resolve_sensor_def(sensors.SENSOR_NAME).evaluate_tick(context)
        self.cursor = found.cursor or self.cursor
        return list(found.run_requests or [])

    @staticmethod
    def _ends(request: dg.RunRequest) -> tuple[str, str]:
        if request.partition_key:
            return request.partition_key, request.partition_key
        return request.tags[RANGE[0]], request.tags[RANGE[1]]


@pytest.fixture
def sensor(settings, instance) -> Sensor:
    settings.conversations.mkdir()
    return Sensor(settings, instance)


@pytest.fixture
def landed(settings, land):
    """Land some conversations of a day as if a minute ago, or so many seconds."""

    def write(day: str, count: int, seconds_ago: float = 60) -> Path:
        land(day, count)
        path = settings.conversations / f"{day}.jsonl"
        written = time.time() - seconds_ago
        os.utime(path, (written, written))
        return path

    return write


def test_days_that_landed_are_asked_for_once_neighbours_together(sensor, landed):
    for day in ("2026-11-02", "2026-11-03", "2026-11-04", "2026-11-09"):
        landed(day, 2)
    assert sensor.look() == [("2026-11-02", "2026-11-04"), ("2026-11-09", "2026-11-09")]
    assert sensor.look() == []


def test_a_late_conversation_asks_for_its_day_alone(sensor, landed):
    for day in ("2026-11-02", "2026-11-03", "2026-11-04"):
        landed(day, 2)
    first = {request.run_key for request in sensor.requests()}
    landed("2026-11-03", 3)
    (late,) = sensor.requests()
    assert late.partition_key == "2026-11-03"
    assert late.run_key not in first


def test_a_file_that_is_still_written_and_a_day_that_is_not_over_wait(sensor, landed):
    landed("2026-11-03", 2, seconds_ago=1)
    landed(date.today().isoformat(), 2)
    assert sensor.look() == []
    landed("2026-11-03", 2)
    assert sensor.look() == [("2026-11-03", "2026-11-03")]


def test_what_was_materialised_before_the_sensor_was_switched_on_is_left_alone(sensor, landed, instance):
    landed("2026-11-02", 2)
    landed("2026-11-03", 2)
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    assert sensor.look() == [("2026-11-03", "2026-11-03")]
    landed("2026-11-02", 3, seconds_ago=30)
    assert sensor.look() == [("2026-11-02", "2026-11-02")]


def test_a_day_whose_file_was_deleted_is_analysed_again(sensor, landed):
    path = landed("2026-11-02", 2)
    sensor.look()
    path.unlink()
    assert sensor.look() == [("2026-11-02", "2026-11-02")]
    assert sensor.look() == []


def test_days_before_the_start_and_other_files_are_none_of_its_business(sensor, landed, settings):
    landed("2026-10-30", 2)
    (settings.conversations / "notes.jsonl").write_text("x")
    assert sensor.look() == []


def test_what_could_not_be_landed_is_seen_too(sensor, landed, settings):
    landed("2026-11-02", 2)
    sensor.look()
    row = {"file": "export.json", "line": 1, "reason": "not JSON", "content": "{"}
    path = settings.conversations / "2026-11-02.rejected.jsonl"
    path.write_text(json.dumps(row))
    os.utime(path, (time.time() - 60, time.time() - 60))
    assert sensor.look() == [("2026-11-02", "2026-11-02")]


def test_a_long_stretch_is_several_runs(sensor, landed, monkeypatch):
    monkeypatch.setattr(sensors, "MOST_PARTITIONS_A_RUN", 3)
    for number in range(2, 10):
        landed(f"2026-11-{number:02}", 1)
    assert sensor.look() == [("2026-11-02", "2026-11-04"), ("2026-11-05", "2026-11-07"), ("2026-11-08", "2026-11-09")]


def test_a_missing_folder_is_said(settings, instance):
    sensor = Sensor(settings, instance)
    context = dg.build_sensor_context(instance=instance, repository_def=sensor.defs.get_repository_def())
    found = sensor.defs.resolve_sensor_def(sensors.SENSOR_NAME).evaluate_tick(context)
    assert "does not exist" in found.skip_message


def test_weeks_and_hours_are_asked_for_by_the_days_in_them(settings, instance, landed):
    landed("2026-11-04", 2)
    weekly = Settings.load(**settings.model_dump() | {"cadence": "weekly"})
    assert Sensor(weekly, instance).look() == [("2026-11-02", "2026-11-02")]
    hourly = Settings.load(**settings.model_dump() | {"cadence": "hourly"})
    assert Sensor(hourly, instance).look() == [("2026-11-04-00:00", "2026-11-04-23:00")]
