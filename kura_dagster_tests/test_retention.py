"""Messages older than KURA_KEEP_MESSAGES_DAYS: gone from tables and files, and their days as they were otherwise."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner, Result

from kura_dagster import cli
from kura_dagster.orchestration import freshness, sensors
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.partitions import partitions_from
from kura_dagster.orchestration.retention import JOB_NAME, drop_old_messages, kept_since, old_messages
from kura_dagster.orchestration.sensors import landed_since_analysed
from kura_dagster.pipeline.conversations import RejectedConversation, read_conversations
from kura_dagster.pipeline.old_lines import drop_old_lines, old_lines
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.dropped_messages import MessagesDroppedError
from kura_dagster.storage.partitioning import Partitioning
from kura_dagster.storage.snapshot import Snapshot
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    CONVERSATION_PROJECTIONS,
    CONVERSATIONS,
    EMBEDDINGS,
    META_CLUSTERS,
    PROJECTIONS,
    REJECTED_CONVERSATIONS,
    SUMMARIES,
    TABLES,
)
from kura_dagster_tests import rows
from kura_dagster_tests.conftest import land_day
from kura_dagster_tests.own_models import own_models
from kura_dagster_tests.sources import a_conversation

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
BEFORE = datetime(2026, 11, 4, tzinfo=UTC)
"""Monday and Tuesday have lost their messages, Wednesday keeps its."""
SAID = "violet-kettle"
"""What a user wrote, and nothing else holds."""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Three days with all tables filled."""
    database = Database(tmp_path / "kura.duckdb")
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        said = f"{SAID} {day}"
        summary = rows.summary(1).model_copy(
            update={"metadata": {"user_words": said, "plan": "pro", "nothing": None, "n": 12345678901234567890}}
        )
        hierarchy = rows.cluster(1, 2)
        database.replace_partitions(
            {
                CONVERSATIONS: {day: [rows.conversation(number, said) for number in (1, 2)]},
                REJECTED_CONVERSATIONS: {
                    day: [RejectedConversation(file="a", line=1, chat_id="x", reason="no JSON", content=said)]
                },
                SUMMARIES: {day: [summary, rows.summary(2)]},
                EMBEDDINGS: {day: [rows.embedding(number) for number in (1, 2)]},
                BASE_CLUSTERS: {day: [hierarchy]},
                META_CLUSTERS: {day: [hierarchy]},
                PROJECTIONS: {day: [rows.projected(hierarchy)]},
                CONVERSATION_PROJECTIONS: {day: [rows.placed(number, hierarchy) for number in (1, 2)]},
            }
        )
    return database


def of_days(path: Path, *days: date) -> list[date]:
    """Return the days of which the file still holds what users wrote, in any of its blocks."""
    content = path.read_bytes()
    return [day for day in days if f"{SAID} {day}".encode() in content]


class TestTables:
    def test_what_users_wrote_is_in_no_table_and_no_block_and_everything_else_stays(self, database):
        before = database.row_counts()
        assert of_days(database.path, MONDAY, TUESDAY, WEDNESDAY) == [MONDAY, TUESDAY, WEDNESDAY]
        assert database.messages_before(WEDNESDAY) == {
            "conversations": {MONDAY: 2, TUESDAY: 2},
            "rejected_conversations": {MONDAY: 1, TUESDAY: 1},
            "summaries": {MONDAY: 1, TUESDAY: 1},
        }
        database.drop_messages(WEDNESDAY, [MONDAY, TUESDAY])
        assert of_days(database.path, MONDAY, TUESDAY, WEDNESDAY) == [WEDNESDAY]
        assert database.row_counts() == before
        assert database.frame(CONVERSATIONS, MONDAY, TUESDAY).messages.isna().all()
        assert not any(database.messages_before(WEDNESDAY).values())
        first, second = database.load(SUMMARIES, MONDAY)
        assert first.metadata == {"plan": "pro", "nothing": None, "n": 12345678901234567890}
        assert second == rows.summary(2)
        (rejected,) = database.load(REJECTED_CONVERSATIONS, MONDAY)
        assert (rejected.reason, rejected.content) == ("no JSON", "")
        assert list(database.dropped_partitions()) == [MONDAY, TUESDAY]
        assert len(database.load(CONVERSATIONS, WEDNESDAY)) == 2

    def test_again_changes_nothing_and_the_first_time_stays(self, database):
        database.drop_messages(WEDNESDAY, [MONDAY, TUESDAY])
        first, content = database.dropped_partitions(), database.path.read_bytes()
        database.drop_messages(WEDNESDAY, [])
        assert database.path.read_bytes() == content
        database.drop_messages(date(2026, 11, 5), [MONDAY, WEDNESDAY])
        assert {day: database.dropped_partitions()[day] for day in first} == first
        assert list(database.dropped_partitions()) == [MONDAY, TUESDAY, WEDNESDAY]

    @pytest.mark.parametrize("table", [CONVERSATIONS, REJECTED_CONVERSATIONS, SUMMARIES], ids=lambda table: table.name)
    def test_nothing_made_of_messages_is_written_for_such_a_day(self, database, table):
        database.drop_messages(WEDNESDAY, [MONDAY, TUESDAY])
        before = database.row_counts()
        with pytest.raises(MessagesDroppedError, match="the messages of 2026-11-03 were dropped on"):
            database.replace_partitions({table: {WEDNESDAY: [], TUESDAY: []}})
        assert database.row_counts() == before
        database.replace_partitions({table: {WEDNESDAY: []}, BASE_CLUSTERS: {TUESDAY: []}})

    def test_its_conversations_are_not_read_as_if_nobody_had_said_anything(self, database):
        database.drop_messages(WEDNESDAY, [MONDAY, TUESDAY])
        with pytest.raises(MessagesDroppedError):
            database.load(CONVERSATIONS, MONDAY)
        assert [
            row.chat_id
            for row in database.load_columns({CONVERSATIONS: ["chat_id"]}, [MONDAY])[MONDAY]["conversations"]
        ] == ["chat-0001", "chat-0002"]

    def test_a_conversation_is_forgotten_there_as_elsewhere(self, database):
        database.drop_messages(WEDNESDAY, [MONDAY, TUESDAY])
        assert database.forget(["chat-0001"])[1] == [MONDAY, TUESDAY, WEDNESDAY]
        assert list(database.dropped_partitions()) == [MONDAY, TUESDAY]

    def test_days_that_were_landed_only_are_written_down_also_in_a_new_file(self, tmp_path):
        database = Database(tmp_path / "new.duckdb")
        database.drop_messages(WEDNESDAY, [MONDAY])
        assert list(database.dropped_partitions()) == [MONDAY]
        with pytest.raises(MessagesDroppedError):
            database.require_messages(MONDAY)
        database.require_messages(TUESDAY)

    def test_hours_are_dropped_one_by_one(self, tmp_path):
        database = Database(tmp_path / "kura.duckdb", Partitioning("hourly", "UTC"))
        hours = [datetime(2026, 11, 2, hour, tzinfo=UTC) for hour in (8, 9)]
        database.replace_partitions({CONVERSATIONS: {hour: [rows.conversation(1, SAID)] for hour in hours}})
        database.drop_messages(hours[1], hours[:1])
        assert list(database.dropped_partitions()) == hours[:1]
        assert len(database.load(CONVERSATIONS, hours[1])) == 1

    def test_a_crash_leaves_all_of_it_and_can_be_repeated(self, database):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
            with pytest.raises(OSError, match="disk full"):
                database.drop_messages(WEDNESDAY, [MONDAY, TUESDAY])
        assert database.dropped_partitions() == {}
        assert len(database.load(CONVERSATIONS, MONDAY)) == 2


def line(chat_id: str, created_at: str) -> str:
    said = [{"role": "user", "content": f"{SAID} {chat_id}", "created_at": created_at}]
    return json.dumps({"chat_id": chat_id, "created_at": created_at, "messages": said, "metadata": {}}) + "\n"


class TestLandingFolder:
    def test_each_line_goes_with_its_own_day_whatever_file_it_stands_in(self, tmp_path):
        (tmp_path / "2026-10-20.jsonl").write_text(line("long-ago", "2026-10-20T09:00:00Z"))
        (tmp_path / "2026-11-03.jsonl").write_text(
            line("old", "2026-11-03T09:00:00Z") + "broken\n" + line("cut-elsewhere", "2026-11-04T01:00:00Z")
        )
        (tmp_path / "2026-11-04.jsonl").write_text(
            "broken\n" + line("old-too", "2026-11-03T23:00:00Z") + line("new", "2026-11-04T09:00:00Z")
        )
        (tmp_path / "2026-11-05.jsonl").write_text(line("newer", "2026-11-05T09:00:00Z"))
        for day in ("2026-11-03", "2026-11-04"):
            (tmp_path / f"{day}.rejected.jsonl").write_text('{"file": "a"}\n')
        (tmp_path / "notes.txt").write_text("mine")
        kept = read_conversations(tmp_path, BEFORE, BEFORE + timedelta(days=2), UTC).conversations
        found = {name: len(each.numbers) for name, each in old_lines(tmp_path, BEFORE, UTC).items()}
        lost = drop_old_lines(tmp_path, BEFORE, UTC)
        assert (
            found
            == lost
            == {
                "2026-10-20.jsonl": 1,
                "2026-11-03.jsonl": 2,
                "2026-11-04.jsonl": 1,
                "2026-11-03.rejected.jsonl": 1,
            }
        )
        assert {path.name for path in tmp_path.iterdir() if path.name[0] != "."} == {
            *("2026-11-03.jsonl", "2026-11-04.jsonl", "2026-11-05.jsonl", "2026-11-04.rejected.jsonl", "notes.txt")
        }
        assert read_conversations(tmp_path, BEFORE, BEFORE + timedelta(days=2), UTC).conversations == kept
        assert read_conversations(tmp_path, BEFORE - timedelta(days=30), BEFORE, UTC).conversations == []
        assert drop_old_lines(tmp_path, BEFORE, UTC) == {}

    def test_a_missing_folder_holds_nothing(self, tmp_path):
        assert old_lines(tmp_path / "none", BEFORE, UTC) == {}
        assert drop_old_lines(tmp_path / "none", BEFORE, UTC) == {}
        assert not (tmp_path / "none").exists()


class TestDays:
    @pytest.mark.parametrize(
        ("cadence", "timezone", "now", "expected"),
        [
            ("daily", "UTC", "2026-11-20T05:00:00Z", "2026-11-17T00:00:00+00:00"),
            ("daily", "UTC", "2026-11-20T00:00:00Z", "2026-11-17T00:00:00+00:00"),
            ("daily", "UTC", "2026-11-19T23:59:59Z", "2026-11-16T00:00:00+00:00"),
            ("daily", "Asia/Tokyo", "2026-11-19T15:00:00Z", "2026-11-17T00:00:00+09:00"),
            ("daily", "Europe/Berlin", "2026-10-27T04:00:00Z", "2026-10-24T00:00:00+02:00"),
            ("hourly", "UTC", "2026-11-20T05:30:00Z", "2026-11-17T05:00:00+00:00"),
            ("weekly", "UTC", "2026-11-20T05:00:00Z", "2026-11-16T00:00:00+00:00"),
            ("monthly", "UTC", "2026-11-20T05:00:00Z", "2026-11-01T00:00:00+00:00"),
            ("daily", "UTC", "2026-10-20T05:00:00Z", "2026-10-17T00:00:00+00:00"),
        ],
    )
    def test_whole_partitions_count_from_their_end(self, cadence, timezone, now, expected):
        settings = Settings.load(cadence=cadence, timezone=timezone, start_date="2026-11-02", keep_messages_days=3)
        since = kept_since(settings, datetime.fromisoformat(now))
        assert since is not None
        assert since.isoformat() == expected

    def test_unset_means_for_ever(self):
        assert kept_since(Settings.load(), BEFORE) is None
        assert kept_since(Settings.load(keep_messages_days=""), BEFORE) is None


@pytest.fixture(scope="module")
def first_analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days that were analysed, for tests that need no history of it."""
    folder = tmp_path_factory.mktemp("analysed")
    settings = Settings.load(database=folder / "kura.duckdb", conversations=folder / "conversations")
    with dg.DagsterInstance.ephemeral() as instance:
        analyse(settings, instance)
    return folder


def analyse(settings: Settings, instance: dg.DagsterInstance) -> None:
    for day, count in (("2026-11-02", 4), ("2026-11-03", 3), ("2026-11-04", 5)):
        land_day(settings.conversations, day, count)
    report = materialise(build_defs(settings, **own_models()), list(TestDagster.KEYS), instance)
    assert report.success, report.failures


class TestDagster:
    @pytest.fixture
    def analysed(self, settings: Settings, first_analysed: Path) -> Settings:
        shutil.copy(first_analysed / "kura.duckdb", settings.database)
        shutil.copytree(first_analysed / "conversations", settings.conversations)
        return settings

    @pytest.fixture
    def with_history(self, settings: Settings, instance: dg.DagsterInstance) -> Settings:
        """The same, and the instance knows of it."""
        analyse(settings, instance)
        return settings

    KEYS = ("2026-11-02", "2026-11-03", "2026-11-04")

    @staticmethod
    def stored(settings: Settings) -> dict[str, list[object]]:
        database = Database(settings.database)
        return {
            name: database.frame(table).drop(columns=["messages"], errors="ignore").astype(str).values.tolist()
            for name, table in TABLES.items()
        }

    def test_a_dropped_day_is_refused_keeps_what_it_held_and_the_others_are_stored(self, analysed, instance, land):
        drop_old_messages(analysed, Database(analysed.database), BEFORE)
        before = self.stored(analysed)
        land("2026-11-04", 6)
        report = materialise(build_defs(analysed, **own_models()), list(self.KEYS), instance)
        reason = report.failures["conversations"]
        assert reason.startswith("2 of 3 partitions failed.")
        assert "2026-11-02: the messages of 2026-11-02 were dropped on" in reason
        assert "from base_clusters on" in reason
        after = self.stored(analysed)
        assert len(after["conversations"]) == 4 + 3 + 6
        for name, found in before.items():
            assert [row for row in after[name] if "2026-11-04" not in row[0]] == [
                row for row in found if "2026-11-04" not in row[0]
            ]

    def test_late_files_change_nothing_and_are_asked_for_by_nobody(self, with_history, instance, land, caplog):
        partitions_def = partitions_from(with_history)
        drop_old_messages(with_history, Database(with_history.database), BEFORE)
        assert not (with_history.conversations / "2026-11-02.jsonl").exists()
        before = self.stored(with_history)
        land("2026-11-02", 1)
        land("2026-11-04", 6)
        assert landed_since_analysed(instance, partitions_def, with_history) == [["2026-11-04"]]
        assert "2026-11-02: something is landed for them, but their messages were dropped" in caplog.text
        assert not materialise(build_defs(with_history, **own_models()), ["2026-11-02"], instance).success
        assert self.stored(with_history) == before
        assert (with_history.conversations / "2026-11-02.jsonl").exists()

    def test_the_sensor_asks_for_no_day_whose_files_were_dropped(self, with_history, instance, monkeypatch):
        defs = build_defs(with_history, **own_models())
        sensor, repository = defs.resolve_sensor_def("landed_conversations"), defs.get_repository_def()

        def look(cursor: str | None) -> dg.SensorResult:
            context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
            return sensor.evaluate_tick(context)

        monkeypatch.setattr(sensors, "SETTLED_AFTER", 0)
        first = look(None)
        assert not first.run_requests
        drop_old_messages(with_history, Database(with_history.database), BEFORE)
        (with_history.conversations / "2026-11-04.jsonl").unlink()
        second = look(first.cursor)
        assert [request.partition_key for request in second.run_requests] == ["2026-11-04"]
        assert not look(second.cursor).run_requests

    @pytest.mark.parametrize("asset", ["summaries", "embeddings"])
    def test_what_needs_messages_is_not_made_again(self, analysed, instance, asset):
        drop_old_messages(analysed, Database(analysed.database), BEFORE)
        before = self.stored(analysed)
        report = materialise(build_defs(analysed, **own_models()), ["2026-11-02"], instance, first_asset=asset)
        assert "the messages of 2026-11-02 were dropped on" in report.failures[asset]
        assert self.stored(analysed) == before

    def test_clusters_are_made_again_of_what_is_left_and_every_check_holds(self, with_history, instance):
        drop_old_messages(with_history, Database(with_history.database), BEFORE)
        before = self.stored(with_history)
        defs = build_defs(with_history, **own_models())
        report = materialise(defs, ["2026-11-02", "2026-11-03"], instance, first_asset="base_clusters")
        assert report.success, report.failures
        assert self.stored(with_history) == before
        every = [key for each in defs.asset_checks for key in each.check_keys]
        keys = [key for key in every if key.name != freshness.CHECK_NAME]  # which is of all days, not of these
        checks = dg.define_asset_job("checks", selection=dg.AssetSelection.checks(*keys))
        ran = dg.Definitions.merge(defs, dg.Definitions(jobs=[checks])).resolve_job_def("checks")
        evaluations = ran.execute_in_process(instance=instance).get_asset_check_evaluations()
        assert len(evaluations) == len(keys)
        assert [each.check_name for each in evaluations if not each.passed] == []

    def test_messages_that_go_while_a_run_reads_them_are_not_stored_again(self, analysed, instance, land):
        """A run that has read the files, or the table, and stores what it made when they are gone."""

        def drop(entry):
            event = entry.dagster_event
            if event is not None and event.is_step_start and event.step_key == "summaries":
                drop_old_messages(analysed, Database(analysed.database), BEFORE)

        report = materialise(build_defs(analysed, **own_models()), ["2026-11-02"], instance, drop)
        assert "the messages of 2026-11-02 were dropped on" in report.failures["summaries"]
        assert not any(Database(analysed.database).messages_before(WEDNESDAY).values())

    def test_lines_that_go_while_their_day_is_read_erase_nothing(self, analysed, instance, land, monkeypatch):
        """A file that a neighbour's conversations keep alive looks as if somebody had taken the others out."""
        with (analysed.conversations / "2026-11-03.jsonl").open("a") as file:
            file.write(line("2026-11-04-cut-elsewhere", "2026-11-04T01:00:00Z"))
        before = self.stored(analysed)
        # Its package knows the asset itself by this name.
        module = sys.modules["kura_dagster.orchestration.assets.conversations"]

        def read_late(*arguments):
            drop_old_messages(analysed, Database(analysed.database), BEFORE)
            return read_conversations(*arguments)

        monkeypatch.setattr(module, "read_conversations", read_late)
        assert not materialise(build_defs(analysed, **own_models()), ["2026-11-03"], instance).success
        after = self.stored(analysed)
        assert after["summaries"] == before["summaries"]
        assert after["base_clusters"] == before["base_clusters"]

    def test_the_job_drops_tells_and_is_scheduled_every_day_where_the_setting_is_set(self, analysed, instance):
        assert [job.name for job in build_defs(analysed).jobs] == ["analyse_conversations"]
        keep = (datetime.now(UTC).date() - date(2026, 11, 3)).days - 1
        assert keep >= 1
        kept = Settings.load(**analysed.model_dump() | {"keep_messages_days": keep, "timezone": "UTC"})
        defs = build_defs(kept, **own_models())
        dg.Definitions.validate_loadable(defs)
        schedule = defs.resolve_schedule_def(f"{JOB_NAME}_schedule")
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        assert schedule.cron_schedule == "0 6 * * *"
        assert schedule.execution_timezone == "UTC"
        for expected in (["2026-11-02", "2026-11-03"], []):
            ran = defs.resolve_job_def(JOB_NAME).execute_in_process(instance=instance)
            assert ran.success
            said = " ".join(entry.user_message for entry in instance.all_logs(ran.run_id))
            assert all(key in said for key in expected)
            assert ("has messages any more" in said) == (not expected)
            assert REQUEST not in said
        assert {path.name for path in analysed.conversations.glob("*.jsonl")} == {"2026-11-04.jsonl"}
        assert list(Database(analysed.database).dropped_partitions()) == [MONDAY, TUESDAY]

    @pytest.mark.parametrize("point", ["before the tables", "between tables and files", "between two files"])
    def test_kill_9_anywhere_is_made_good_by_the_next_time(self, analysed, instance, point):
        killed = """
            import sys, time
            from datetime import datetime
            from pathlib import Path
            from kura_dagster.orchestration import retention
            from kura_dagster.settings import Settings
            from kura_dagster.storage.database import Database

            def stop(*_):
                print("there", flush=True)
                time.sleep(60)

            point, database, folder = sys.argv[1:]
            settings = Settings.load(database=database, conversations=folder, start_date="2026-11-02")
            if point == "before the tables":
                Path.replace = stop
            elif point == "between tables and files":
                retention.drop_old_lines = stop
            else:
                unlink = Path.unlink
                def unlink_once(path, *arguments, **options):
                    done = unlink(path, *arguments, **options)
                    if path.name == "2026-11-02.jsonl":
                        stop()
                    return done
                Path.unlink = unlink_once
            retention.drop_old_messages(settings, Database(database), datetime.fromisoformat("2026-11-04T00:00:00Z"))
        """
        arguments = [point, str(analysed.database), str(analysed.conversations)]
        before = self.stored(analysed)
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(killed), *arguments], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "there\n"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        database = Database(analysed.database)
        assert list(database.dropped_partitions()) == ([] if point == "before the tables" else [MONDAY, TUESDAY])
        if point != "before the tables":
            assert not materialise(build_defs(analysed, **own_models()), ["2026-11-02"], instance).success
        assert drop_old_messages(analysed, database, BEFORE)
        assert not drop_old_messages(analysed, database, BEFORE)
        assert not old_messages(analysed, database, BEFORE)
        assert {path.name for path in analysed.conversations.glob("*.jsonl")} == {"2026-11-04.jsonl"}
        assert [path.name for path in analysed.database.parent.glob(".kura*")] == []
        with duckdb.connect(str(analysed.database)) as connection:
            held = connection.execute("SELECT DISTINCT partition_date FROM conversations WHERE messages IS NOT NULL")
            assert held.fetchall() == [(WEDNESDAY,)]
        assert self.stored(analysed) == before

    def test_what_was_never_analysed_is_dropped_and_named(self, analysed, land):
        land("2026-10-30", 1)  # before KURA_START_DATE
        (analysed.conversations / "2026-11-03.jsonl").unlink()
        dropped = drop_old_messages(analysed, Database(analysed.database), BEFORE)
        assert dropped.partition_keys == ["2026-10-30", "2026-11-02", "2026-11-03"]
        assert dropped.not_summarised == ["2026-10-30"]
        assert dropped.lines == {"2026-10-30.jsonl": 1, "2026-11-02.jsonl": 4}


REQUEST = "reset my password please"


class TestCommandLine:
    @pytest.fixture
    def kura(self, monkeypatch, tmp_path, settings, with_minilm) -> Callable[..., Result]:
        """Run a command with the test's own database, landing folder, cache and run history."""
        monkeypatch.setenv("KURA_DATABASE", str(settings.database))
        monkeypatch.setenv("KURA_CONVERSATIONS", str(settings.conversations))
        monkeypatch.setenv("KURA_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("KURA_PROJECTION", "pca")
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("COLUMNS", "120")
        with_minilm(tmp_path / "cache")
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

        def invoke(*arguments: str, **options: str) -> Result:
            return CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False, **options)

        return invoke

    def test_it_lists_asks_drops_and_a_dropped_day_is_forgotten_from_too(self, kura, land, settings, monkeypatch):
        assert "KURA_KEEP_MESSAGES_DAYS is unset" in kura("drop-old-messages").stderr
        land("2026-11-02", 12)
        land("2026-11-03", 1)
        assert kura("run", "2026-11-02").exit_code == 0
        keep = (datetime.now(UTC).date() - date(2026, 11, 3)).days - 1
        monkeypatch.setenv("KURA_KEEP_MESSAGES_DAYS", str(keep))
        listed = kura("drop-old-messages", "--dry-run")
        assert listed.exit_code == 0, listed.output
        assert "2 days with messages from before 2026-11-04 00:00: 2026-11-02, 2026-11-03" in listed.stdout
        assert "conversations: 12 rows" in listed.stdout
        assert "2026-11-02.jsonl: 12 lines" in listed.stdout
        assert "never summarised: 2026-11-03" in listed.stderr
        assert kura("drop-old-messages", input="n\n").exit_code == 1
        assert REQUEST.encode() in settings.database.read_bytes()
        assert (settings.conversations / "2026-11-02.jsonl").exists()
        done = kura("drop-old-messages", "--yes")
        assert "Messages from before 2026-11-04 00:00 are dropped." in done.stdout
        assert list(settings.conversations.glob("*.jsonl")) == []
        assert "Nothing from before" in kura("drop-old-messages", "--yes").stdout
        said = kura("status").stdout
        assert "The messages of 2 days were dropped (2026-11-02 to 2026-11-03)." in said
        assert "Missing: 2026-11-04 to " in said, "nobody can analyse 2026-11-03 any more"
        assert "nothing is missing" in kura("run", "--from", "2026-11-02", "--to", "2026-11-03", "--missing").stdout
        assert kura("tree", "2026-11-02").exit_code == 0
        refused = kura("export", "--from", "2026-11-02", "out")
        assert refused.exit_code == 1
        assert "the messages of 2026-11-02 were dropped on" in refused.stderr

        forgotten = kura("forget", "2026-11-02-0001", "--yes")
        assert forgotten.exit_code == 0, forgotten.output
        database = Database(settings.database)
        assert len(database.load(SUMMARIES, MONDAY)) == 11
        clusters = database.load(BASE_CLUSTERS, MONDAY)
        assert sum(each.count for each in clusters) == 11
        assert database.row_counts()["conversation_projections"] == {MONDAY: 11}

    def test_what_a_killed_command_left_in_the_snapshot_goes_with_the_next(self, kura, land, settings, monkeypatch):
        land("2026-11-02", 12)
        assert kura("run", "2026-11-02").exit_code == 0
        database = Database(settings.database)
        snapshot = Snapshot(database)
        with duckdb.connect(str(snapshot.path), read_only=True) as connection:
            said = "SELECT count(*) FROM conversations WHERE messages IS NOT NULL"
            assert connection.execute(said).fetchall() == [(12,)]
        database.drop_messages(WEDNESDAY, [MONDAY])
        drop_old_lines(settings.conversations, BEFORE, UTC)
        monkeypatch.setenv("KURA_KEEP_MESSAGES_DAYS", str((datetime.now(UTC).date() - date(2026, 11, 3)).days - 1))
        assert "Nothing from before" in kura("drop-old-messages", "--dry-run").stdout
        with duckdb.connect(str(snapshot.path), read_only=True) as connection:
            assert connection.execute(said).fetchall() == [(12,)]
        assert "Nothing from before" in kura("drop-old-messages", "--yes").stdout
        with duckdb.connect(str(snapshot.path), read_only=True) as connection:
            assert connection.execute(said).fetchall() == [(0,)]

    def test_what_is_too_old_is_not_landed_and_nothing_of_it_is_kept(self, kura, settings, tmp_path, monkeypatch):
        today = datetime.now(UTC)
        old, new = ((today - timedelta(days=days)).isoformat() for days in (40, 1))
        path = tmp_path / "export.jsonl"
        records = [
            a_conversation(chat_id="old", created_at=old),
            a_conversation(chat_id="new", created_at=new),
            a_conversation(chat_id="bad", created_at=old) | {"messages": [{"role": "alien", "content": SAID}]},
        ]
        path.write_text("".join(json.dumps(each) + "\n" for each in records))
        monkeypatch.setenv("KURA_KEEP_MESSAGES_DAYS", "30")
        for _ in range(2):
            result = kura("ingest", str(path))
            assert result.exit_code == 0, result.output
            assert "2 × too old: messages are kept for the last KURA_KEEP_MESSAGES_DAYS days only" in result.output
        names = {each.name for each in settings.conversations.glob("*.jsonl")}
        assert names == {f"{new[:10]}.jsonl", f"{today.date()}.rejected.jsonl"}
        aside = [
            RejectedConversation.model_validate_json(each)
            for each in (settings.conversations / f"{today.date()}.rejected.jsonl").read_text().splitlines()
        ]
        assert [(each.file, each.line, each.chat_id, each.content) for each in aside] == [
            (str(path), 1, "old", ""),
            (str(path), 3, "bad", ""),
        ]
        monkeypatch.delenv("KURA_KEEP_MESSAGES_DAYS")
        assert "1" in kura("ingest", str(path)).output
        assert (settings.conversations / f"{old[:10]}.jsonl").exists(), "the source still has it"
