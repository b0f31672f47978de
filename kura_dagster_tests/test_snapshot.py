"""Reading while writing, with real files, real processes and a real kill -9."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import Mock

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from kura_dagster import cli
from kura_dagster.orchestration import code_location
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.erasure import erase
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.partitions import partitions_from
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.storage.database import Database, _duckdb_of_this_process
from kura_dagster.storage.snapshot import Snapshot, SnapshotError
from kura_dagster.storage.tables import CONVERSATIONS, EMBEDDINGS, SUMMARIES
from kura_dagster_tests import rows
from kura_dagster_tests.own_models import OpeningTurns, own_models

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
SECRET = "zeppelin-4711"


@pytest.fixture
def database(tmp_path):
    return Database(tmp_path / "folder" / "kura.duckdb", wait_seconds=20)


@pytest.fixture
def snapshot(database):
    return Snapshot(database)


def store(database: Database, text: str, *, day: date = MONDAY, count: int = 3) -> None:
    database.replace_partitions({SUMMARIES: {day: [rows.summary(number, text) for number in range(count)]}})


def opened(snapshot: Snapshot) -> duckdb.DuckDBPyConnection:
    """What a notebook does."""
    return duckdb.connect(str(snapshot.path), read_only=True)


def texts(snapshot: Snapshot) -> list[str]:
    with opened(snapshot) as connection:
        return [text for (text,) in connection.execute("SELECT DISTINCT summary FROM summaries ORDER BY 1").fetchall()]


def files_of(database: Database) -> set[str]:
    """The files in the database's folder but for locks, which are empty."""
    return {path.name for path in database.path.parent.iterdir() if path.suffix != ".lock"}


def run_python(code: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def succeeded(process: subprocess.Popen) -> str:
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return said


class TestPublishing:
    def test_it_is_a_read_only_copy_that_says_until_when(self, database, snapshot):
        before = datetime.now(UTC)
        store(database, "first")
        database.path.chmod(0o660)
        assert snapshot.published_at() is None
        assert snapshot.publish()
        assert snapshot.path == database.path.with_name("kura.snapshot.duckdb")
        assert snapshot.path.stat().st_mode & 0o777 == 0o440
        assert files_of(database) == {"kura.duckdb", "kura.snapshot.duckdb"}
        with opened(snapshot) as connection:
            ((published_at, _),) = connection.execute("SELECT * FROM snapshot").fetchall()
            assert len(connection.execute("SELECT * FROM summaries").fetchall()) == 3
        assert before <= published_at.astimezone(UTC) == snapshot.published_at() <= datetime.now(UTC)

    def test_nothing_is_copied_where_nothing_was_written(self, database, snapshot):
        store(database, "first")
        assert snapshot.publish()
        inode, published_at = snapshot.path.stat().st_ino, snapshot.published_at()
        database.load(SUMMARIES, MONDAY)
        database.row_counts()
        assert snapshot.is_current()
        assert not snapshot.publish()
        assert (snapshot.path.stat().st_ino, snapshot.published_at()) == (inode, published_at)
        store(database, "again")
        assert not snapshot.is_current()
        assert snapshot.publish()
        assert texts(snapshot) == ["again"]

    def test_who_holds_the_old_one_keeps_it(self, database, snapshot):
        store(database, "first")
        snapshot.publish()
        with opened(snapshot) as connection:
            store(database, "second")
            snapshot.publish()
            assert connection.execute("SELECT DISTINCT summary FROM summaries").fetchall() == [("first",)]
            reader = (
                "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).sql(sys.argv[2]).fetchall())"
            )
            said = succeeded(run_python(reader, snapshot.path, "SELECT DISTINCT summary FROM summaries"))
            assert said == "[('second',)]\n"
        assert texts(snapshot) == ["second"]

    def test_without_a_database_nothing_is_made(self, database, snapshot):
        assert not snapshot.publish()
        assert not snapshot.is_current()
        assert not database.path.parent.exists()

    def test_a_link_to_the_database_has_the_same_snapshot(self, database, snapshot, tmp_path):
        store(database, "first")
        link = tmp_path / "link.duckdb"
        link.symlink_to(database.path)
        assert Snapshot(Database(link)).publish()
        assert texts(snapshot) == ["first"]

    def test_a_file_that_is_no_snapshot_is_replaced(self, database, snapshot):
        store(database, "first")
        snapshot.path.write_text("no database")
        with pytest.raises(SnapshotError, match=r"kura\.snapshot\.duckdb could not be read .* the next run publishes"):
            snapshot.published_at()
        assert snapshot.publish()
        assert texts(snapshot) == ["first"]

    def test_what_a_program_wrote_to_the_old_one_is_not_in_the_new_one(self, database, snapshot):
        store(database, "first")
        snapshot.publish()
        snapshot.path.chmod(0o600)
        vandal = run_python(
            """
            import duckdb, os, sys
            connection = duckdb.connect(sys.argv[1])
            connection.execute("UPDATE summaries SET summary = 'vandal'")
            os._exit(0)
            """,
            snapshot.path,
        )
        succeeded(vandal)
        assert Path(f"{snapshot.path}.wal").exists()
        store(database, "second")
        snapshot.publish()
        assert texts(snapshot) == ["second"]

    def test_what_a_killed_writer_left_in_the_log_is_in_it(self, database, snapshot):
        store(database, "first")
        snapshot.publish()
        writer = run_python(
            """
            import duckdb, os, sys
            connection = duckdb.connect(sys.argv[1])
            connection.execute("UPDATE summaries SET summary = 'in the log'")
            os._exit(0)
            """,
            database.path,
        )
        succeeded(writer)
        assert Path(f"{database.path}.wal").exists()
        assert not snapshot.is_current()
        assert snapshot.publish()
        assert texts(snapshot) == ["in the log"]
        assert files_of(database) == {"kura.duckdb", "kura.snapshot.duckdb"}

    def test_a_full_disk_leaves_the_old_one(self, database, snapshot):
        store(database, "old")
        snapshot.publish()
        database.path.unlink()
        store(database, "new", count=3000)  # into a file without free blocks
        publisher = """
            import resource, sys
            from kura_dagster.storage.database import Database
            from kura_dagster.storage.snapshot import Snapshot
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
            Snapshot(Database(sys.argv[1])).publish()
        """
        size = database.path.stat().st_size
        # Neither the copy has room, nor, where it has, the row that is added to it.
        for room in (size // 2, size):
            _, errors = run_python(publisher, database.path, room).communicate(timeout=60)
            assert re.search(
                r"could not be published \(.+\); \S+ stays as it was until the next run publishes it\n$", errors
            )
            assert texts(snapshot) == ["old"]
            assert files_of(database) == {"kura.duckdb", "kura.snapshot.duckdb"}
        assert snapshot.publish()
        assert texts(snapshot) == ["new"]


SLOW = """
    import os, sys, time
    from kura_dagster.storage.database import Database
    from kura_dagster.storage.snapshot import Snapshot

    database, fsync = Database(sys.argv[1]), os.fsync

    def slow(file):  # the copy is made, and about to take the old one's place
        print("copied", flush=True)
        time.sleep(float(sys.argv[2]))
        fsync(file)

    os.fsync = slow
    Snapshot(database).publish()
"""


WRITER = """
    import sys
    from datetime import date
    from kura_dagster.storage.database import Database
    from kura_dagster.storage.snapshot import Snapshot
    from kura_dagster.storage.tables import CONVERSATIONS, SUMMARIES
    from kura_dagster_tests import rows

    database, day = Database(sys.argv[1], wait_seconds=20), date(2026, 11, 2)
    for state in range(2, 10):
        texts = [f"state {state}"] * (state % 7 + 1)
        database.replace_partitions({
            CONVERSATIONS: {day: [rows.conversation(number, text) for number, text in enumerate(texts)]},
            SUMMARIES: {day: [rows.summary(number, text) for number, text in enumerate(texts)]},
        })
        Snapshot(database).publish()
"""
READING = textwrap.dedent("""
    import json, sys, time
    from datetime import date
    from pathlib import Path
    import duckdb
    from kura_dagster.storage.database import Database
    from kura_dagster.storage.snapshot import Snapshot
    from kura_dagster.storage.tables import CONVERSATIONS, SUMMARIES

    database, done, seen = Database(sys.argv[1], wait_seconds=20), Path(sys.argv[2]), set()
    path = str(Snapshot(database).path)

    def is_one_state(conversations, summaries):
        assert conversations == summaries, (conversations, summaries)
        assert len(summaries) == int(summaries[0].split()[1]) % 7 + 1, summaries
        seen.add(summaries[0])
""")
# Opens it once, and keeps it.
HOLDER = """
    with duckdb.connect(path, read_only=True) as connection:
        def read():
            return connection.execute("SELECT summary, count(*) FROM summaries GROUP BY ALL").fetchall()
        first = read()
        print("ready", flush=True)
        while not done.exists():
            time.sleep(0.1)
            assert read() == first
    print(json.dumps(first))
"""
# Opens it anew each time.
VISITOR = """
    print("ready", flush=True)
    while not done.exists():
        time.sleep(0.02)
        with duckdb.connect(path, read_only=True) as connection:
            queries = ["SELECT messages->0->>'content' FROM conversations", "SELECT summary FROM summaries"]
            is_one_state(*([text for (text,) in connection.execute(query).fetchall()] for query in queries))
    print(json.dumps(sorted(seen)))
"""
# Reads the database itself, through the lock.
LIVE = """
    import pandas
    print("ready", flush=True)
    while not done.exists():
        time.sleep(0.05)  # one that asked all the time would leave the writer no turn
        together = database.load_together([CONVERSATIONS, SUMMARIES], date(2026, 11, 2))
        conversations, summaries = together["conversations"], together["summaries"]
        is_one_state([each.messages[0].content for each in conversations], [each.summary for each in summaries])
        assert database.frame(SUMMARIES)["summary"].nunique() == 1
    print(json.dumps(sorted(seen)))
"""


class TestProcesses:
    def test_reading_while_writing(self, database, snapshot):
        """Nobody fails or waits for a reader, and every state that is read was committed."""
        texts = ["state 1"] * 2
        database.replace_partitions(
            {
                CONVERSATIONS: {MONDAY: [rows.conversation(number, text) for number, text in enumerate(texts)]},
                SUMMARIES: {MONDAY: [rows.summary(number, text) for number, text in enumerate(texts)]},
            }
        )
        snapshot.publish()
        done = database.path.parent.parent / "done"
        readers = [run_python(READING + textwrap.dedent(each), database.path, done) for each in (HOLDER, VISITOR, LIVE)]
        try:
            for reader in readers:
                assert reader.stdout.readline() == "ready\n", reader.stderr.read()
            succeeded(run_python(WRITER, database.path))
        finally:
            done.touch()
        held, visited, read = (json.loads(succeeded(reader)) for reader in readers)
        assert held == [["state 1", 2]]
        assert len(visited) > 1
        assert len(read) > 1
        assert snapshot.is_current()
        assert files_of(database) == {"kura.duckdb", "kura.snapshot.duckdb"}

    def test_who_holds_the_snapshot_keeps_no_writer_waiting(self, database, snapshot):
        store(database, "first")
        snapshot.publish()
        holder = run_python(
            "import duckdb, sys, time; c = duckdb.connect(sys.argv[1], read_only=True); print('held', flush=True); "
            "time.sleep(60)",
            snapshot.path,
        )
        assert holder.stdout.readline() == "held\n"
        hasty = Database(database.path, wait_seconds=0)
        store(hasty, "second")
        assert Snapshot(hasty).publish()
        holder.kill()
        assert texts(snapshot) == ["second"]

    def test_kill_9_while_publishing_leaves_the_old_one_and_litter_that_the_next_removes(self, database, snapshot):
        store(database, "old")
        snapshot.publish()
        store(database, "new")
        for _ in range(2):
            process = run_python(SLOW, database.path, 60)
            assert process.stdout.readline() == "copied\n", process.stderr.read()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert texts(snapshot) == ["old"]
            left = files_of(database) - {"kura.duckdb", "kura.snapshot.duckdb"}
            assert left == {".kura.snapshot.duckdb.new"}, "one, however often"
        assert snapshot.publish()
        assert texts(snapshot) == ["new"]
        assert files_of(database) == {"kura.duckdb", "kura.snapshot.duckdb"}

    def test_the_log_of_a_copy_that_was_never_published_is_not_applied_to_the_next(self, database, snapshot):
        store(database, "old")
        copy = database.path.with_name(".kura.snapshot.duckdb.new")
        shutil.copyfile(database.path, copy)
        killed = run_python(
            """
            import duckdb, os, sys
            connection = duckdb.connect(sys.argv[1])
            connection.execute("UPDATE summaries SET summary = 'in the log'")
            os._exit(0)
            """,
            copy,
        )
        succeeded(killed)
        assert Path(f"{copy}.wal").exists()
        assert snapshot.publish()
        assert texts(snapshot) == ["old"]
        assert files_of(database) == {"kura.duckdb", "kura.snapshot.duckdb"}

    def test_processes_that_publish_at_once_leave_the_last_state(self, database, snapshot):
        publisher = """
            import sys
            from datetime import date
            from kura_dagster.storage.database import Database
            from kura_dagster.storage.snapshot import Snapshot
            from kura_dagster.storage.tables import SUMMARIES
            from kura_dagster_tests import rows
            database, day = Database(sys.argv[1]), date(2026, 11, int(sys.argv[2]))
            for number in range(3):
                database.replace_partitions({SUMMARIES: {day: [rows.summary(1, f"state {number}")]}})
                Snapshot(database).publish()
        """
        for process in [run_python(publisher, database.path, day) for day in (2, 3, 4)]:
            succeeded(process)
        assert snapshot.is_current()
        assert texts(snapshot) == ["state 2"]
        assert files_of(database) == {"kura.duckdb", "kura.snapshot.duckdb"}


class TestErasure:
    @pytest.fixture
    def filled(self, database):
        database.replace_partitions(
            {
                CONVERSATIONS: {MONDAY: [rows.conversation(1), rows.conversation(2, f"Sell my {SECRET}")]},
                SUMMARIES: {MONDAY: [rows.summary(1), rows.summary(2, f"Sell a {SECRET}")]},
            }
        )
        return database

    def erased(self, database, settings, instance):
        with closing(DiskCacheStrategy(settings.cache)) as kept_answers:
            return erase(
                ["chat-0002"],
                kept_answers=kept_answers,
                database=database,
                instance=instance,
                partitions_def=partitions_from(settings),
            )

    def traces(self, database) -> list[str]:
        return [path.name for path in database.path.parent.iterdir() if SECRET.encode() in path.read_bytes()]

    def test_no_file_holds_it_any_more(self, filled, snapshot, settings, instance):
        snapshot.publish()
        assert sorted(self.traces(filled)) == ["kura.duckdb", "kura.snapshot.duckdb"]
        assert self.erased(filled, settings, instance).left == []
        assert self.traces(filled) == []
        assert texts(snapshot) == ["Reset a password"]

    def test_who_holds_the_old_one_open_keeps_only_what_has_no_name(self, filled, snapshot, settings, instance):
        snapshot.publish()
        with opened(snapshot) as connection:
            assert self.erased(filled, settings, instance).left == []
            assert self.traces(filled) == []
            query = "SELECT count(*) FROM summaries WHERE contains(summary, ?)"
            assert connection.execute(query, [SECRET]).fetchone() == (1,)

    def test_a_copy_of_before_does_not_come_after(self, filled, snapshot, settings, instance):
        """A run that ends meanwhile has copied what is erased now, and would let it take the snapshot's place."""
        process = run_python(SLOW, filled.path, 1)
        assert process.stdout.readline() == "copied\n", process.stderr.read()
        assert self.erased(filled, settings, instance).left == []
        succeeded(process)
        assert self.traces(filled) == []

    def test_what_a_killed_process_left_goes_too(self, filled, snapshot, settings, instance, monkeypatch):
        """Killed while it published, and then another one before it published what it had erased."""
        snapshot.publish()
        store(filled, "more", day=TUESDAY)
        process = run_python(SLOW, filled.path, 60)
        assert process.stdout.readline() == "copied\n", process.stderr.read()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        filled.forget(["chat-0002"])
        assert sorted(self.traces(filled)) == [".kura.snapshot.duckdb.new", "kura.snapshot.duckdb"]
        assert self.erased(filled, settings, instance).counts == {}
        assert self.traces(filled) == []

    def test_a_snapshot_that_cannot_be_published_is_removed(self, filled, snapshot, settings, instance, monkeypatch):
        snapshot.publish()
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copyfile", disk_full)
            (left,) = self.erased(filled, settings, instance).left
        assert re.search(r"could not be published .*No space left.* is removed until the next run publishes it", left)
        assert self.traces(filled) == []
        assert not snapshot.path.exists()
        assert snapshot.publish()

    def test_the_snapshot_of_a_database_that_is_gone_goes(self, filled, snapshot, settings, instance):
        snapshot.publish()
        filled.path.unlink()
        assert self.erased(filled, settings, instance).left == []
        assert self.traces(filled) == []


def disk_full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


class TestRuns:
    """Runs in this process, with models that take a moment."""

    @pytest.fixture
    def of_run(self, settings):
        return Snapshot(Database(settings.database))

    def test_a_run_publishes_what_it_stored_before_it_counts_as_ended(self, settings, land, instance, of_run):
        land("2026-11-02", 3)
        when_ended = []

        def on_event(entry):
            if entry.dagster_event is not None and entry.dagster_event.event_type is dg.DagsterEventType.RUN_SUCCESS:
                when_ended.append(of_run.is_current())

        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance, on_event)
        assert report.success
        assert when_ended == [True]
        with opened(of_run) as connection:
            assert connection.execute("SELECT count(*) FROM conversation_projections").fetchone() == (3,)

    def test_a_run_that_fails_half_way_publishes_what_it_stored(self, settings, land, instance, of_run):
        class Faulty(OpeningTurns):
            async def summarise(self, *arguments, **options):
                raise KeyError("x")

        land("2026-11-02", 3)
        defs = build_defs(settings, **own_models(summary_model=Faulty()))
        assert not materialise(defs, ["2026-11-02"], instance).success
        assert of_run.is_current()
        with opened(of_run) as connection:
            assert connection.execute("SELECT count(*) FROM conversations").fetchone() == (3,)

    def test_a_run_that_is_stopped_publishes_what_it_stored(self, settings, land, instance, of_run):
        def interrupt_after_conversations(entry):
            event = entry.dagster_event
            if event is not None and event.is_step_success and event.step_key == "conversations":
                signal.raise_signal(signal.SIGINT)

        land("2026-11-02", 3)
        defs = build_defs(settings, **own_models())
        assert materialise(defs, ["2026-11-02"], instance, interrupt_after_conversations).interrupted
        assert of_run.is_current()

    def test_who_only_looks_at_an_asset_publishes_nothing(self, settings, land, instance, of_run):
        land("2026-11-02", 3)
        defs = build_defs(settings, **own_models())
        assert materialise(defs, ["2026-11-02"], instance).success
        store(Database(settings.database), "by hand", day=TUESDAY)
        loaded = defs.load_asset_value(dg.AssetKey("summaries"), partition_key="2026-11-02", instance=instance)
        assert len(loaded["2026-11-02"]) == 3
        assert not of_run.is_current()

    def test_a_run_whose_snapshot_finds_no_room_succeeds_with_a_warning(
        self, settings, land, instance, of_run, monkeypatch
    ):
        land("2026-11-02", 3)
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copyfile", disk_full)
            report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert report.success
        warned = [entry.user_message for entry in instance.all_logs(report.run_id) if entry.level == 30]
        assert any(re.search(r"could not be published .*No space left", each) for each in warned), warned
        assert of_run.published_at() is None


class TestCommandLine:
    @pytest.fixture
    def kura(self, monkeypatch, tmp_path, settings):
        monkeypatch.setenv("KURA_DATABASE", str(settings.database))
        monkeypatch.setenv("KURA_CONVERSATIONS", str(settings.conversations))
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setattr(code_location, "definitions_from", lambda settings: build_defs(settings, **own_models()))
        return lambda *arguments: CliRunner().invoke(cli.app, arguments, catch_exceptions=False)

    def test_status_says_how_old_it_is(self, kura, settings, land, monkeypatch):
        database = Database(settings.database)
        store(database, "by hand")
        assert "There is no snapshot" in kura("status").stdout.splitlines()[-1]
        land("2026-11-02", 2)
        assert kura("run", "2026-11-02").exit_code == 0
        line = kura("status").stdout.splitlines()[-1]
        assert re.search(
            r"kura\.snapshot\.duckdb has what was stored until 20..-..-.. ..:.. \([01] minutes? ago\)\.$", line
        )
        store(database, "by hand", day=TUESDAY)
        assert kura("status").stdout.rstrip().endswith("; what was stored since is published when a run ends.")
        Snapshot(database).path.unlink()
        Snapshot(database).path.write_text("no database")
        spoilt = kura("status")
        assert (spoilt.exit_code, "could not be read" in spoilt.stderr) == (0, True)

    def test_a_run_that_could_not_publish_says_so(self, kura, land, monkeypatch):
        land("2026-11-02", 2)
        monkeypatch.setattr(shutil, "copyfile", disk_full)
        ran = kura("run", "2026-11-02")
        assert ran.exit_code == 0
        said = [line for line in ran.stderr.splitlines() if "warning the snapshot of" in line]
        assert len(said) == 1, ran.stderr

    def test_an_export_holds_one_state_of_a_day_while_others_write(self, kura, settings, tmp_path):
        writer = run_python(
            """
            import sys
            from datetime import date
            from kura_dagster.storage.database import Database
            from kura_dagster.storage.tables import BASE_CLUSTERS, CONVERSATIONS, META_CLUSTERS, PROJECTIONS, SUMMARIES
            from kura_dagster_tests import rows
            database, state = Database(sys.argv[1]), 0
            while True:
                state += 1
                text = f"state {state}"
                cluster = rows.cluster(1, name=text)
                database.replace_partitions({
                    table: {date(2026, 11, day): [row] for day in (2, 3)}
                    for table, row in {
                        CONVERSATIONS: rows.conversation(1, text),
                        SUMMARIES: rows.summary(1, text),
                        BASE_CLUSTERS: cluster,
                        META_CLUSTERS: cluster,
                        PROJECTIONS: rows.projected(cluster),
                    }.items()
                })
                print(text, flush=True)
            """,
            settings.database,
        )
        try:
            assert writer.stdout.readline() == "state 1\n", writer.stderr.read()
            exported = set()
            for number in range(6):
                out = tmp_path / str(number)
                result = kura("export", "--from", "2026-11-02", "--to", "2026-11-03", str(out))
                assert result.exit_code == 0, result.output
                assert kura("tree", "2026-11-02").exit_code == 0
                assert kura("status").exit_code == 0
                said = [each["messages"][0]["content"] for each in json.loads((out / "conversations.json").read_text())]
                for name, field in {"summaries": "summary", "clusters": "name", "dimensionality": "name"}.items():
                    lines = (out / f"{name}.jsonl").read_text().splitlines()
                    assert [json.loads(line)[field] for line in lines] == said
                exported.update(said)
            assert len(exported) > 1
        finally:
            writer.kill()
            writer.communicate()


class TestFrames:
    def test_a_frame_that_is_read_in_turns_is_the_same(self, database, monkeypatch):
        for day in range(2, 9):
            when = date(2026, 11, day)
            scored = [rows.summary(number).model_copy(update={"concerning_score": 3}) for number in range(day)]
            database.replace_partitions(
                {
                    SUMMARIES: {when: scored if day % 2 else [rows.summary(number) for number in range(day)]},
                    EMBEDDINGS: {when: [rows.embedding(number) for number in range(day)]},
                }
            )
        for table in (SUMMARIES, EMBEDDINGS):
            whole, week = database.frame(table), database.frame(table, date(2026, 11, 3), date(2026, 11, 6))
            assert len(whole) == sum(range(2, 9))
            with monkeypatch.context() as patch:
                patch.setattr("kura_dagster.storage.database._ROWS_AT_ONCE", 7)
                attached = Mock(side_effect=_duckdb_of_this_process)
                patch.setattr("kura_dagster.storage.database._duckdb_of_this_process", attached)
                in_turns = database.frame(table)
                assert attached.call_count == 1 + 6, "2 and 3 together, and each of the others alone"
                assert in_turns.dtypes.equals(whole.dtypes)
                assert in_turns.to_json() == whole.to_json()
                assert database.frame(table, date(2026, 11, 3), date(2026, 11, 6)).to_json() == week.to_json()
