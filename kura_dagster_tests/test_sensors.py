"""The sensor over the landing folder: exactly the days whose files changed, neighbours in one run, once each."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.runs.schema import RunsTable
from sqlalchemy import update

from kura_dagster.orchestration import sensors
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.partitions import partitions_from
from kura_dagster.orchestration.sensors import landed_since_analysed
from kura_dagster.pipeline.conversations import read_conversations
from kura_dagster.settings import Cadence, Settings
from kura_dagster.storage.database import Database
from kura_dagster_tests.own_models import OpeningTurns, own_models

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


class Sensor:
    """The project's sensor with the cursor that the daemon would keep for it."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings = settings
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


class Faulty(OpeningTurns):
    async def summarise(self, *arguments, **options):
        raise RuntimeError("the provider is down")


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


def test_what_was_materialised_since_its_file_changed_is_left_alone_at_every_look(sensor, landed, instance):
    for day in ("2026-11-02", "2026-11-03"):
        landed(day, 2)
    sensor.look()
    for day in ("2026-11-02", "2026-11-03"):
        landed(day, 3)
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    assert sensor.look() == [("2026-11-03", "2026-11-03")]
    assert sensor.look() == []


def test_a_run_that_had_begun_before_the_file_was_written_does_not_count(sensor, landed, instance):
    landed("2026-11-02", 2)

    def land_more(entry):
        event = entry.dagster_event
        if event is not None and event.is_step_success and event.step_key == "conversations":
            landed("2026-11-02", 3)

    assert materialise(sensor.defs, ["2026-11-02"], instance, land_more).success
    assert sensor.look() == [("2026-11-02", "2026-11-02")]


def test_a_run_that_failed_half_way_does_not_count(sensor, landed, instance):
    landed("2026-11-02", 2)
    faulty = build_defs(sensor.settings, **own_models(summary_model=Faulty()))
    assert not materialise(faulty, ["2026-11-02"], instance).success
    assert sensor.look() == [("2026-11-02", "2026-11-02")]


def test_a_copy_that_keeps_the_time_of_writing_counts_from_when_it_came(sensor, landed, instance):
    landed("2026-11-02", 2)
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    assert sensor.look() == []
    landed("2026-11-02", 3, seconds_ago=3600)
    assert sensor.look() == [("2026-11-02", "2026-11-02")]


def test_a_file_that_says_it_was_written_in_the_future_waits_for_one_look_only(sensor, landed):
    landed("2026-11-02", 2, seconds_ago=-3600)
    assert sensor.look() == []
    landed("2026-11-02", 3, seconds_ago=-3601)
    assert sensor.look() == []
    assert sensor.look() == [("2026-11-02", "2026-11-02")]
    assert sensor.look() == []


def test_a_file_that_was_only_touched_or_copied_is_left_alone(sensor, landed):
    path = landed("2026-11-02", 2)
    sensor.look()
    os.utime(path, (time.time() - 30,) * 2)
    assert sensor.look() == []
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, (time.time() - 20,) * 2)
    assert sensor.look() == []
    landed("2026-11-02", 3, seconds_ago=10)
    assert sensor.look() == [("2026-11-02", "2026-11-02")]


def test_a_file_is_read_only_where_its_size_or_time_has_changed(sensor, landed, monkeypatch):
    path = landed("2026-11-02", 2)
    sensor.look()
    read = []
    state = sensors._File.state
    monkeypatch.setattr(sensors._File, "state", lambda file: (read.append(file.path), state(file))[1])
    sensor.look()
    assert read == []
    os.utime(path, (time.time() - 30,) * 2)
    sensor.look()
    sensor.look()
    assert read == [path]


def test_every_deletion_and_every_return_of_a_file_has_a_run_of_its_own(sensor, landed):
    path = landed("2026-11-02", 2)
    keys = [sensor.requests()[0].run_key]
    for _ in range(2):
        aside = path.rename(path.with_suffix(".aside"))
        keys.append(sensor.requests()[0].run_key)
        assert sensor.look() == []
        aside.rename(path)
        keys.append(sensor.requests()[0].run_key)
        assert sensor.look() == []
    assert len(set(keys)) == 5


def test_a_look_that_dagster_repeats_asks_for_the_same_runs(sensor, landed):
    landed("2026-11-02", 2)
    sensor.look()
    landed("2026-11-02", 3)
    before = sensor.cursor
    first = sensor.requests()
    sensor.cursor = before
    assert [request.run_key for request in sensor.requests()] == [request.run_key for request in first]


def test_a_cursor_that_was_reset_asks_anew_for_what_no_run_has_analysed(sensor, landed, instance):
    landed("2026-11-02", 2)
    landed("2026-11-05", 2)
    keys = {request.run_key for request in sensor.requests()}
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    assert not materialise(
        build_defs(sensor.settings, **own_models(summary_model=Faulty())), ["2026-11-05"], instance
    ).success
    assert sensor.look() == []
    sensor.cursor = None
    (again,) = sensor.requests()
    assert again.partition_key == "2026-11-05"
    assert again.run_key not in keys


def test_hours_that_are_over_are_asked_for_once_while_their_day_is_not(settings, instance, landed, monkeypatch):
    settings.conversations.mkdir()
    hourly = Settings.load(**settings.model_dump() | {"cadence": "hourly"})
    sensor = Sensor(hourly, instance)
    today = datetime.now(UTC).date().isoformat()
    path = landed(today, 2)
    hours = sensor.defs.resolve_assets_def("conversations").partitions_def.get_partition_keys()
    of_today = [hour for hour in hours if hour.startswith(today)]
    expected = [(of_today[0], of_today[-1])] if of_today else []
    assert sensor.look() == expected
    assert sensor.look() == []
    if of_today:
        cursor = json.loads(sensor.cursor)
        cursor["partly"][path.name][1] = of_today[0]  # as if an hour ago
        sensor.cursor = json.dumps(cursor)
        assert sensor.look() == ([(of_today[1], of_today[-1])] if of_today[1:] else [])
    path.unlink()
    assert sensor.look() == expected


def test_the_cursor_of_three_years_stays_small(sensor, settings, monkeypatch):
    first = date(2023, 11, 2)
    old = Settings.load(**settings.model_dump() | {"start_date": first})
    sensor = Sensor(old, sensor.instance)
    for number in range(3 * 365):
        path = settings.conversations / f"{first + timedelta(days=number)}.jsonl"
        path.write_text("{}")
        os.utime(path, (time.time() - 60,) * 2)
    assert sum((date.fromisoformat(end) - date.fromisoformat(begin)).days + 1 for begin, end in sensor.look()) == len(
        list(settings.conversations.iterdir())
    )
    assert len(sensor.cursor) < 45_000
    assert sensor.look() == []


@pytest.mark.parametrize("limit", ["MOST_BYTES_A_LOOK", "MOST_PARTITIONS_A_LOOK"])
def test_what_is_too_much_for_one_look_waits_for_the_next(sensor, landed, monkeypatch, limit):
    monkeypatch.setattr(sensors, limit, 1)
    landed("2026-11-02", 2)
    landed("2026-11-03", 2)
    assert sensor.look() == [("2026-11-02", "2026-11-02")]
    assert sensor.look() == [("2026-11-03", "2026-11-03")]
    assert sensor.look() == []


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


def test_what_could_not_be_landed_is_seen_too_and_goes_no_further(sensor, landed, settings, instance, monkeypatch):
    landed("2026-11-02", 2)
    sensor.look()
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    row = {"file": "export.json", "line": 1, "reason": "not JSON", "content": "{"}

    for day in ("2026-11-02", "2026-11-03"):
        (settings.conversations / f"{day}.rejected.jsonl").write_text(json.dumps(row))
    landed("2026-11-03", 2, seconds_ago=0)
    monkeypatch.setattr(sensors, "SETTLED_AFTER", 0)
    whole, request = sensor.requests()
    assert whole.partition_key == "2026-11-03"
    assert whole.asset_selection is None
    assert request.partition_key == "2026-11-02"
    assert request.asset_selection == [dg.AssetKey("conversations")]
    job = sensor.defs.resolve_job_def("analyse_conversations")
    ran = job.execute_in_process(instance=instance, partition_key="2026-11-02", asset_selection=request.asset_selection)
    assert ran.success
    assert Database(settings.database).row_counts()["rejected_conversations"] == {date(2026, 11, 2): 1}
    resolver = CachingStaleStatusResolver(instance, sensor.defs.resolve_asset_graph(), LoadingContextForTest(instance))
    assert resolver.get_status(dg.AssetKey("summaries"), "2026-11-02") is StaleStatus.FRESH


def cut_in_another_zone(path: Path, day: str, into: str) -> None:
    """Have the file's first conversation begin in the evening of the day before."""
    first, *others = path.read_text().splitlines(keepends=True)
    before = path.stat()
    path.write_text(first.replace(f"{day}T", f"{into}T").replace(f'"{day}-', f'"{into}-late-') + "".join(others))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_file_that_was_cut_in_another_zone_asks_for_the_day_before_too(sensor, landed, settings, instance):
    partitions_def = partitions_from(settings)
    landed("2026-11-02", 2)
    assert sensor.look() == [("2026-11-02", "2026-11-02")]
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    cut_in_another_zone(landed("2026-11-03", 3), "2026-11-03", into="2026-11-02")
    assert landed_since_analysed(instance, partitions_def, settings) == [["2026-11-02", "2026-11-03"]]
    assert landed_since_analysed(instance, partitions_def, settings, date(2026, 11, 3)) == [
        ["2026-11-02", "2026-11-03"]
    ]
    assert sensor.look() == [("2026-11-02", "2026-11-03")]
    assert materialise(sensor.defs, ["2026-11-02", "2026-11-03"], instance).success
    rows = Database(settings.database).row_counts()["conversation_projections"]
    assert rows == {date(2026, 11, 2): 3, date(2026, 11, 3): 2}
    assert landed_since_analysed(instance, partitions_def, settings) == []
    assert sensor.look() == []


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("timezone", ["America/New_York", "Pacific/Auckland"])
def test_a_line_of_no_possible_time_stops_no_look(settings, instance, landed, year, timezone):
    settings.conversations.mkdir()
    elsewhere = Settings.load(**settings.model_dump() | {"timezone": timezone})
    path = landed("2026-11-03", 3)
    path.write_text(f'{{"created_at": "{year}"}}\n{path.read_text()}')
    landed_days = {
        key for keys in landed_since_analysed(instance, partitions_from(elsewhere), elsewhere) for key in keys
    }
    assert "2026-11-03" in landed_days


def test_of_hours_those_of_the_day_before_that_the_file_reaches_into_are_asked_for(settings, instance, landed):
    settings.conversations.mkdir()
    hourly = settings.model_copy(update={"cadence": Cadence.HOURLY, "partitions_per_run": 100})
    cut_in_another_zone(landed("2026-11-03", 3), "2026-11-03", into="2026-11-02")
    ((first, *_, last),) = landed_since_analysed(instance, partitions_from(hourly), hourly)
    begun = read_conversations(
        settings.conversations, datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC), UTC
    ).conversations[0]
    assert (first, last) == (f"{begun.created_at:%Y-%m-%d-%H}:00", "2026-11-03-23:00")


def test_a_time_from_another_clock_has_a_day_analysed_once(sensor, landed, settings, instance):
    landed("2026-11-02", 2, seconds_ago=-3600)
    partitions_def = partitions_from(settings)
    assert landed_since_analysed(instance, partitions_def, settings) == [["2026-11-02"]]
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    assert landed_since_analysed(instance, partitions_def, settings) == []


def test_a_run_before_the_clock_was_set_back_hides_nothing_that_is_landed_after(sensor, landed, settings, instance):
    landed("2026-11-02", 2)
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    with instance.run_storage.connect() as connection:
        connection.execute(update(RunsTable).values(start_time=time.time() + 3600))
    landed("2026-11-02", 3)
    partitions_def = partitions_from(settings)
    assert landed_since_analysed(instance, partitions_def, settings) == [["2026-11-02"]]
    assert materialise(sensor.defs, ["2026-11-02"], instance).success
    assert landed_since_analysed(instance, partitions_def, settings) == []


def test_a_long_stretch_is_several_runs(settings, instance, landed):
    settings.conversations.mkdir()
    sensor = Sensor(settings.model_copy(update={"partitions_per_run": 3}), instance)
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
