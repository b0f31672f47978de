"""The database with real files, real processes and a real kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pytest
from filelock import FileLock

from kura_dagster.pipeline.conversations import RejectedConversation
from kura_dagster.storage.database import Database, DatabaseBusyError
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    CONVERSATIONS,
    EMBEDDINGS,
    META_CLUSTERS,
    PROJECTIONS,
    REJECTED_CONVERSATIONS,
    SUMMARIES,
    TABLES,
)
from kura_dagster_tests import rows

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)


@pytest.fixture
def database(tmp_path):
    return Database(tmp_path / "folder" / "kura.duckdb", wait_seconds=20)


def run_python(code: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestRoundTrip:
    @pytest.mark.parametrize(
        ("table", "row"),
        [
            (CONVERSATIONS, rows.conversation(1, content="Zeile 1\n\tü 你好 'quoted' \"x\" {{ 1 }} \\ \x07")),
            (
                REJECTED_CONVERSATIONS,
                RejectedConversation(file="a.jsonl", line=3, chat_id=None, reason="broken JSON", content="{"),
            ),
            (SUMMARIES, rows.summary(1)),
            (SUMMARIES, rows.summary(1).model_copy(update={"languages": None, "concerning_score": 5, "request": None})),
            (SUMMARIES, rows.summary(1).model_copy(update={"languages": [], "assistant_errors": ["wrong", "don't"]})),
            (EMBEDDINGS, rows.embedding(1)),
            (BASE_CLUSTERS, rows.cluster(1, 2)),
            (META_CLUSTERS, rows.cluster(1, 2, parent_id="abc")),
            (PROJECTIONS, rows.projected(rows.cluster(1, 2), level=2)),
        ],
        ids=lambda value: getattr(value, "name", None),
    )
    def test_a_row_comes_back_as_it_was(self, database, table, row):
        database.replace_partitions({table: {MONDAY: [row]}})
        (loaded,) = database.load(table, MONDAY)
        assert loaded.model_dump_json() == row.model_dump_json()
        for name in {"embedding", "centroid"} & {column.name for column in table.columns}:
            np.testing.assert_array_equal(getattr(loaded, name), getattr(row, name))

    def test_columns_do_not_depend_on_what_the_first_rows_hold(self, database):
        blank = [rows.summary(n).model_copy(update={"request": None, "languages": None}) for n in range(3000)]
        filled = rows.summary(9999).model_copy(update={"languages": ["german"], "topic": "accounts"})
        database.replace_partitions({SUMMARIES: {MONDAY: [*blank, filled]}})
        assert database.load(SUMMARIES, MONDAY)[-1].languages == ["german"]

    def test_rows_come_back_in_the_order_of_their_key(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(n) for n in (3, 1, 2)]}})
        assert [row.chat_id for row in database.load(SUMMARIES, MONDAY)] == ["chat-0001", "chat-0002", "chat-0003"]


class TestPartitions:
    def test_replacing_a_partition_leaves_the_others_alone(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)], TUESDAY: [rows.summary(2)]}})
        database.replace_partitions({SUMMARIES: {TUESDAY: [rows.summary(3), rows.summary(4)]}})
        assert database.row_counts()["summaries"] == {MONDAY: 1, TUESDAY: 2}

    def test_an_empty_partition_removes_what_was_there(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        database.replace_partitions({SUMMARIES: {MONDAY: []}})
        assert database.load(SUMMARIES, MONDAY) == []

    @pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
    def test_a_frame_without_rows_has_every_column(self, database, table):
        before_any_write = database.frame(table)
        database.replace_partitions({table: {MONDAY: []}})
        expected = ["partition_date", *(column.name for column in table.columns)]
        assert list(before_any_write.columns) == expected
        assert list(database.frame(table).columns) == expected
        assert dict(before_any_write.dtypes) == dict(database.frame(table).dtypes)

    def test_a_frame_covers_a_range_with_both_ends(self, database):
        database.replace_partitions({SUMMARIES: {day: [rows.summary(day.day)] for day in (MONDAY, TUESDAY, WEDNESDAY)}})
        assert list(database.frame(SUMMARIES, MONDAY, TUESDAY).chat_id) == ["chat-0002", "chat-0003"]
        assert len(database.frame(SUMMARIES)) == 3

    def test_partitions_shorter_than_a_day_are_told_apart(self, tmp_path):
        database = Database(tmp_path / "kura.duckdb", partition_type="TIMESTAMPTZ")
        nine, ten = datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2026, 11, 2, 10, tzinfo=UTC)
        database.replace_partitions({SUMMARIES: {nine: [rows.summary(1)], ten: [rows.summary(2)]}})
        assert [row.chat_id for row in database.load(SUMMARIES, ten)] == ["chat-0002"]


class TestBadRows:
    def test_two_rows_with_one_key_are_refused_and_nothing_is_written(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        with pytest.raises(ValueError, match=r"two rows with chat_id \('chat-0002',\)"):
            database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(2), rows.summary(2)]}})
        assert [row.chat_id for row in database.load(SUMMARIES, MONDAY)] == ["chat-0001"]

    def test_rows_of_another_type_are_refused(self, database):
        with pytest.raises(TypeError, match="summaries takes rows of ConversationSummary, not Conversation"):
            database.replace_partitions({SUMMARIES: {MONDAY: [rows.conversation(1)]}})

    def test_a_fault_in_the_second_table_leaves_the_first_as_it_was(self, database, monkeypatch):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}, EMBEDDINGS: {MONDAY: [rows.embedding(1)]}})
        with duckdb.connect(str(database.path)) as connection:
            connection.execute("ALTER TABLE embeddings ADD COLUMN needed INTEGER DEFAULT 0")
            connection.execute("ALTER TABLE embeddings ALTER needed SET NOT NULL")
            connection.execute("ALTER TABLE embeddings ALTER needed DROP DEFAULT")
        with pytest.raises(duckdb.ConstraintException):
            database.replace_partitions(
                {SUMMARIES: {MONDAY: [rows.summary(2)]}, EMBEDDINGS: {MONDAY: [rows.embedding(2)]}}
            )
        assert [row.chat_id for row in database.load(SUMMARIES, MONDAY)] == ["chat-0001"]


class TestProcesses:
    def test_processes_that_write_different_partitions_at_once_all_succeed(self, database):
        writer = """
            import sys
            from datetime import date
            from kura_dagster.storage.database import Database
            from kura_dagster.storage.tables import SUMMARIES
            from kura_dagster_tests import rows
            database, day = Database(sys.argv[1]), date(2026, 11, int(sys.argv[2]))
            for attempt in range(5):
                database.replace_partitions({SUMMARIES: {day: [rows.summary(n) for n in range(200)]}})
                assert len(database.load(SUMMARIES, day)) == 200
        """
        writers = [run_python(writer, database.path, day) for day in range(2, 6)]
        for process in writers:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
        assert database.row_counts()["summaries"] == {date(2026, 11, day): 200 for day in range(2, 6)}

    def test_kill_9_in_the_middle_of_a_write_leaves_the_old_rows(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(n, "old") for n in range(50)]}})
        writer = """
            import sys, time
            from datetime import date
            import duckdb
            from kura_dagster.storage import database as storage
            from kura_dagster.storage.tables import SUMMARIES
            from kura_dagster_tests import rows

            class Slow:  # the real connection, which tells when it is about to commit and then takes its time
                def __init__(self, connection): self.connection = connection
                def __getattr__(self, name): return getattr(self.connection, name)
                def execute(self, sql, *arguments):
                    if sql == "COMMIT":
                        print("deleted and inserted", flush=True)
                        time.sleep(60)
                    return self.connection.execute(sql, *arguments)

            connect = duckdb.connect
            duckdb.connect = lambda *arguments, **options: Slow(connect(*arguments, **options))
            new = [rows.summary(n, "new") for n in range(20000)]
            storage.Database(sys.argv[1]).replace_partitions({SUMMARIES: {date(2026, 11, 2): new}})
        """
        process = run_python(writer, database.path)
        assert process.stdout.readline() == "deleted and inserted\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert {row.summary for row in database.load(SUMMARIES, MONDAY)} == {"old"}
        assert len(database.load(SUMMARIES, MONDAY)) == 50
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1, "after")]}})
        assert [row.summary for row in database.load(SUMMARIES, MONDAY)] == ["after"]

    def test_a_program_that_knows_no_lock_is_waited_for(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        holder = run_python(
            "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(1.5)",
            database.path,
        )
        assert holder.stdout.readline() == "held\n"
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(2)]}})
        assert [row.chat_id for row in database.load(SUMMARIES, MONDAY)] == ["chat-0002"]
        holder.wait()

    def test_a_program_that_keeps_the_database_is_named_in_the_error(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: []}})
        holder = run_python(
            "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)",
            database.path,
        )
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseBusyError, match=r"held open by another program .*close it"):
            Database(database.path, wait_seconds=0.3).load(SUMMARIES, MONDAY)
        holder.kill()

    def test_a_lock_that_is_never_released_ends_in_an_error(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: []}})
        started = time.monotonic()
        with FileLock(f"{database.path}.lock"), pytest.raises(DatabaseBusyError, match="stayed locked"):
            Database(database.path, wait_seconds=0.2).load(SUMMARIES, MONDAY)
        assert time.monotonic() - started < 10

    def test_nothing_is_made_by_reading(self, database):
        assert database.load(SUMMARIES, MONDAY) == []
        assert not database.path.parent.exists()
