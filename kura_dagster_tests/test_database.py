"""The database with real files, real processes and a real kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pytest
from filelock import FileLock

from kura_dagster.pipeline.conversations import RejectedConversation
from kura_dagster.storage.database import Database, DatabaseBusyError, DatabaseError
from kura_dagster.storage.partitioning import DAILY_IN_UTC, Partitioning
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
            (CONVERSATION_PROJECTIONS, rows.placed(1, rows.cluster(1, 2))),
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

    @pytest.mark.parametrize("others", [[], [rows.cluster(2, 3)]], ids=["alone", "among others"])
    def test_a_cluster_without_a_centroid_comes_back_without_one(self, database, others):
        database.replace_partitions(
            {BASE_CLUSTERS: {MONDAY: [rows.cluster(1).model_copy(update={"centroid": None}), *others]}}
        )
        loaded = {row.chat_ids[0]: row.centroid for row in database.load(BASE_CLUSTERS, MONDAY)}
        assert loaded["chat-0001"] is None
        assert [loaded[row.chat_ids[0]].shape for row in others] == [(8,)] * len(others)

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
        database = Database(tmp_path / "kura.duckdb", Partitioning("hourly", "UTC"))
        nine, ten = datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2026, 11, 2, 10, tzinfo=UTC)
        database.replace_partitions({SUMMARIES: {nine: [rows.summary(1)], ten: [rows.summary(2)]}})
        assert [row.chat_id for row in database.load(SUMMARIES, ten)] == ["chat-0002"]


class TestColumns:
    def test_only_the_columns_asked_for_are_read_by_partition_and_table(self, database):
        database.replace_partitions(
            {
                CONVERSATIONS: {MONDAY: [rows.conversation(2), rows.conversation(1)], TUESDAY: [rows.conversation(3)]},
                EMBEDDINGS: {MONDAY: [rows.embedding(1)], WEDNESDAY: [rows.embedding(9)]},
                SUMMARIES: {MONDAY: [rows.summary(1)]},
            }
        )
        columns = {CONVERSATIONS: ["chat_id"], EMBEDDINGS: ["embedding", "chat_id"], SUMMARIES: ["metadata"]}
        loaded = database.load_columns(columns, [MONDAY, TUESDAY])
        assert list(loaded) == [MONDAY, TUESDAY]
        assert loaded[MONDAY]["conversations"] == [("chat-0001",), ("chat-0002",)]
        assert loaded[TUESDAY]["conversations"][0].chat_id == "chat-0003"
        (vector,) = loaded[MONDAY]["embeddings"]
        assert vector.chat_id == "chat-0001"
        np.testing.assert_array_equal(vector.embedding, rows.embedding(1).embedding)
        assert loaded[MONDAY]["summaries"][0].metadata == {"conversation_turns": 2}
        assert loaded[TUESDAY]["embeddings"] == loaded[TUESDAY]["summaries"] == []

    def test_the_database_is_opened_once_for_all_of_them(self, database, monkeypatch):
        database.replace_partitions({CONVERSATIONS: {MONDAY: [rows.conversation(1)]}})
        opened, attach = [], Database._attach
        monkeypatch.setattr(Database, "_attach", lambda *arguments: opened.append(1) or attach(*arguments))
        database.load_columns({table: ["chat_id"] for table in (CONVERSATIONS, SUMMARIES)}, [MONDAY, TUESDAY])
        assert len(opened) == 1

    def test_before_the_first_write_there_is_nothing(self, database):
        assert database.load_columns({SUMMARIES: ["chat_id"]}, [MONDAY]) == {MONDAY: {"summaries": []}}


BERLIN = Partitioning("daily", "Europe/Berlin")
WEEKLY = Partitioning("weekly", "UTC")
HOURLY = Partitioning("hourly", "UTC")


def forget_partitioning(database: Database) -> None:
    """Make the file what it was before the partitioning and the schema version were written down."""
    with duckdb.connect(str(database.path)) as connection:
        for table in ("partitioning", "schema_version", "dropped_messages"):
            connection.execute(f"DROP TABLE {table}")


class TestPartitioning:
    @pytest.mark.parametrize(
        ("stored", "asked", "message"),
        [
            (DAILY_IN_UTC, WEEKLY, "holds partitions of KURA_CADENCE=daily, but now KURA_CADENCE=weekly;"),
            (WEEKLY, DAILY_IN_UTC, "holds partitions of KURA_CADENCE=weekly, but now KURA_CADENCE=daily;"),
            (DAILY_IN_UTC, HOURLY, "holds partitions of KURA_CADENCE=daily, but now KURA_CADENCE=hourly;"),
            (HOURLY, DAILY_IN_UTC, "holds partitions of KURA_CADENCE=hourly, but now KURA_CADENCE=daily;"),
            (DAILY_IN_UTC, BERLIN, "holds partitions of KURA_TIMEZONE=UTC, but now KURA_TIMEZONE=Europe/Berlin;"),
            (
                BERLIN,
                WEEKLY,
                "holds partitions of KURA_CADENCE=daily and KURA_TIMEZONE=Europe/Berlin, but now KURA_CADENCE=weekly "
                "and KURA_TIMEZONE=UTC;",
            ),
        ],
    )
    def test_another_one_can_neither_write_nor_read(self, tmp_path, stored, asked, message):
        path = tmp_path / "kura.duckdb"
        Database(path, stored).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        other = Database(path, asked)
        for access in (
            lambda: other.replace_partitions({SUMMARIES: {TUESDAY: [rows.summary(2)]}}),
            lambda: other.load(SUMMARIES, MONDAY),
            lambda: other.load_columns({SUMMARIES: ["chat_id"]}, [MONDAY]),
            lambda: other.frame(SUMMARIES),
            other.row_counts,
        ):
            with pytest.raises(DatabaseError) as refused:
                access()
            assert f"{path} {message}" in str(refused.value)
            assert "KURA_DATABASE to another file" in str(refused.value)
        assert len(Database(path, stored).frame(SUMMARIES)) == 1

    def test_it_is_stored_by_the_write_that_made_the_file(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        database.replace_partitions({SUMMARIES: {TUESDAY: [rows.summary(2)]}})
        with duckdb.connect(str(database.path), read_only=True) as connection:
            assert connection.execute("SELECT cadence, timezone FROM partitioning").fetchall() == [("daily", "UTC")]

    def test_a_write_that_fails_leaves_no_trace_of_it(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        forget_partitioning(database)
        with duckdb.connect(str(database.path)) as connection:
            connection.execute("ALTER TABLE summaries ALTER request SET NOT NULL")
        weekly = Database(database.path, WEEKLY)
        with pytest.raises(ValueError, match="NOT NULL"):
            weekly.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1).model_copy(update={"request": None})]}})
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})

    def test_a_file_from_before_is_read_as_it_is_and_adopted_by_the_next_write(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        forget_partitioning(database)
        weekly = Database(database.path, WEEKLY)
        assert len(weekly.load(SUMMARIES, MONDAY)) == 1
        weekly.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(2)]}})
        with pytest.raises(DatabaseError, match="KURA_CADENCE=weekly, but now KURA_CADENCE=daily"):
            database.load(SUMMARIES, MONDAY)

    def test_a_file_from_before_with_dates_is_not_adopted_for_hours(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        forget_partitioning(database)
        nine = datetime(2026, 11, 2, 9, tzinfo=UTC)
        with pytest.raises(
            DatabaseError, match="its partition_date is DATE, and KURA_CADENCE=hourly needs TIMESTAMPTZ"
        ):
            Database(database.path, HOURLY).replace_partitions({SUMMARIES: {nine: [rows.summary(2)]}})
        assert len(database.load(SUMMARIES, MONDAY)) == 1


class TestFilesThatCannotBeUsed:
    @staticmethod
    def refusals(database: Database) -> list[str]:
        messages = []
        for access in (
            lambda: database.load(SUMMARIES, MONDAY),
            lambda: database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}}),
        ):
            with pytest.raises(DatabaseError) as refused:
                access()
            messages.append(str(refused.value))
        return messages

    @pytest.mark.parametrize(
        "content", ["", "a,b\n1,2\n" * 3000, "SQLite format 3\0" + "\0" * 8000], ids=["empty", "text", "another kind"]
    )
    def test_what_is_no_database_is_named_and_left_alone(self, tmp_path, content):
        path = tmp_path / "kura.duckdb"
        path.write_text(content)
        for message in self.refusals(Database(path)):
            assert message.startswith(f"{path} is no database that DuckDB {duckdb.__version__} can open (")
            assert "Set KURA_DATABASE to another file, or move this one away." in message
            assert "extension" not in message, "nothing is fetched to read other kinds of databases"
        assert path.read_text() == content

    def test_a_folder_is_no_database(self, tmp_path):
        for message in self.refusals(Database(tmp_path)):
            assert message.startswith(f"{tmp_path} is no database")
            assert "Is a directory" in message

    def test_a_damaged_file_is_named(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(n, "text " * 50) for n in range(3000)]}})
        content = bytearray(database.path.read_bytes())
        content[8192:-8192] = bytes(len(content) - 16384)
        database.path.write_bytes(content)
        for message in self.refusals(database):
            assert message.startswith(str(database.path))
            assert "move" in message

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path):
        (tmp_path / "file").touch()
        database = Database(tmp_path / "file" / "kura.duckdb")
        with pytest.raises(DatabaseError, match=r"needs a folder in which files can be made.*KURA_DATABASE"):
            database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})

    def test_a_lock_file_that_cannot_be_made_is_named_also_when_reading(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        lock = database.path.with_name(database.path.name + ".lock")
        lock.unlink()
        lock.mkdir()
        for message in self.refusals(database):
            assert "needs a folder in which files can be made, also to be read" in message


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
        with pytest.raises(ValueError, match=r"DuckDB refuses the rows: .*NOT NULL"):
            database.replace_partitions(
                {SUMMARIES: {MONDAY: [rows.summary(2)]}, EMBEDDINGS: {MONDAY: [rows.embedding(2)]}}
            )
        assert [row.chat_id for row in database.load(SUMMARIES, MONDAY)] == ["chat-0001"]


class TestForgetting:
    SECRET = "chat-0001"

    @pytest.fixture
    def filled(self, database):
        mine = (
            REJECTED_CONVERSATIONS,
            RejectedConversation(file="a", line=1, chat_id=self.SECRET, reason="superseded", content="{}"),
        )
        for day in (MONDAY, TUESDAY):
            database.replace_partitions(
                {
                    CONVERSATIONS: {day: [rows.conversation(number) for number in (1, 2, 3)]},
                    SUMMARIES: {day: [rows.summary(number) for number in (1, 2, 3)]},
                    EMBEDDINGS: {day: [rows.embedding(number) for number in (1, 2, 3)]},
                    BASE_CLUSTERS: {day: [rows.cluster(1), rows.cluster(2, 3, name="other")]},
                    META_CLUSTERS: {day: [rows.cluster(1, 2, 3)]},
                    CONVERSATION_PROJECTIONS: {day: [rows.placed(number, rows.cluster(1, 2, 3)) for number in (1, 2)]},
                    mine[0]: {day: [mine[1]]},
                }
            )
        return database

    def test_no_table_and_no_block_of_the_file_holds_it_any_more(self, filled):
        assert self.SECRET.encode() in filled.path.read_bytes()
        counts, partitions = filled.forget([self.SECRET])
        assert counts == dict.fromkeys(
            [
                "conversations",
                "rejected_conversations",
                "summaries",
                "embeddings",
                "base_clusters",
                "meta_clusters",
                "conversation_projections",
            ],
            2,
        )
        assert partitions == [MONDAY, TUESDAY]
        assert self.SECRET.encode() not in filled.path.read_bytes()
        assert [row.chat_id for row in filled.load(SUMMARIES, MONDAY)] == ["chat-0002", "chat-0003"]
        assert filled.load(BASE_CLUSTERS, MONDAY) == [], "a name or a description may quote it"
        assert filled.load(META_CLUSTERS, MONDAY) == []
        assert filled.load(CONVERSATION_PROJECTIONS, MONDAY) == [], "others' places say where it stood"
        assert [path.name for path in filled.path.parent.iterdir() if path.name[0] == "."] == []

    def test_a_day_without_it_keeps_its_clusters(self, filled):
        filled.replace_partitions(
            {
                CONVERSATIONS: {TUESDAY: [rows.conversation(2)]},
                SUMMARIES: {TUESDAY: [rows.summary(2)]},
                EMBEDDINGS: {TUESDAY: [rows.embedding(2)]},
                BASE_CLUSTERS: {TUESDAY: [rows.cluster(2)]},
                META_CLUSTERS: {TUESDAY: [rows.cluster(2)]},
                CONVERSATION_PROJECTIONS: {TUESDAY: [rows.placed(2, rows.cluster(2))]},
                REJECTED_CONVERSATIONS: {TUESDAY: []},
            }
        )
        assert filled.forget([self.SECRET])[1] == [MONDAY]
        assert len(filled.load(BASE_CLUSTERS, TUESDAY)) == len(filled.load(META_CLUSTERS, TUESDAY)) == 1
        assert len(filled.load(CONVERSATION_PROJECTIONS, TUESDAY)) == 1

    @pytest.mark.parametrize("chat_id", ["it's", 'a "quoted" one', "web:4711/ü", "\\back"])
    def test_a_line_that_told_no_id_goes_where_it_holds_it(self, database, chat_id):
        lines = [json.dumps({"chat_id": each})[:-1] for each in (chat_id, chat_id + "x")]
        rejected = [
            RejectedConversation(file="a", line=number, reason="not JSON", content=line)
            for number, line in enumerate(lines, start=1)
        ]
        database.replace_partitions({REJECTED_CONVERSATIONS: {MONDAY: rejected}})
        assert database.forget([chat_id]) == ({"rejected_conversations": 1}, [MONDAY])
        assert [row.line for row in database.load(REJECTED_CONVERSATIONS, MONDAY)] == [2]

    def test_a_linked_file_is_erased_from_and_stays_linked(self, filled, tmp_path):
        link = tmp_path / "link.duckdb"
        link.symlink_to(filled.path)
        filled.path.chmod(0o660)
        assert Database(link).forget([self.SECRET])[1] == [MONDAY, TUESDAY]
        assert link.is_symlink()
        assert self.SECRET.encode() not in filled.path.read_bytes()
        assert filled.path.stat().st_mode & 0o777 == 0o660

    def test_what_a_killed_process_left_goes_too(self, filled):
        left = [filled.path.with_name(f".{filled.path.name}.{what}") for what in ("copy", "clean")]
        for path in left:
            path.write_bytes(filled.path.read_bytes())
        filled.forget([self.SECRET])
        assert not any(path.exists() for path in left)

    def test_what_is_not_there_changes_nothing(self, filled):
        before = filled.path.read_bytes()
        assert filled.forget(["x' OR 1=1 --"]) == ({}, [])
        assert filled.path.read_bytes() == before
        assert Database(filled.path.parent / "none.duckdb").forget(["x"]) == ({}, [])

    def test_a_crash_leaves_all_of_it_and_can_be_repeated(self, filled):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
            with pytest.raises(OSError, match="disk full"):
                filled.forget([self.SECRET])
        assert len(filled.load(CONVERSATIONS, MONDAY)) == 3
        assert [path.name for path in filled.path.parent.iterdir() if path.name[0] == "."] == []
        assert filled.forget([self.SECRET])[1] == [MONDAY, TUESDAY]


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
                def cursor(self): return Slow(self.connection.cursor())
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

    def test_what_was_committed_stays_where_the_disk_is_too_full_to_tidy_up(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(n) for n in range(3000)]}})
        writer = """
            import resource, sys
            from datetime import date
            from pathlib import Path
            from kura_dagster.storage.database import Database
            from kura_dagster.storage.tables import SUMMARIES
            from kura_dagster_tests import rows
            size = Path(sys.argv[1]).stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            new = [rows.summary(n, f"{n} {n * n} {n ** 3}") for n in range(3000)]
            Database(sys.argv[1]).replace_partitions({SUMMARIES: {date(2026, 11, 3): new}})
        """
        _, errors = run_python(writer, database.path).communicate(timeout=60)
        assert errors == ""
        assert database.path.with_name("kura.duckdb.wal").exists(), "the disk was not full"
        assert database.row_counts()["summaries"] == {MONDAY: 3000, TUESDAY: 3000}

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

    def test_somebody_in_this_process_who_keeps_the_database_is_waited_for_too(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        with duckdb.connect(str(database.path)), pytest.raises(DatabaseBusyError, match=r"held open .*close it"):
            Database(database.path, wait_seconds=0.3).load(SUMMARIES, MONDAY)
        assert len(database.load(SUMMARIES, MONDAY)) == 1

    def test_between_two_accesses_another_process_may_write(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        for access in (lambda: database.load(SUMMARIES, MONDAY), database.row_counts):
            access()
            other = run_python("import duckdb, sys; duckdb.connect(sys.argv[1]).execute('CHECKPOINT')", database.path)
            assert other.communicate(timeout=60)[1] == ""

    def test_a_forked_process_opens_it_as_if_it_had_started_it_itself(self, database):
        database.replace_partitions({EMBEDDINGS: {MONDAY: [rows.embedding(n) for n in range(5000)]}})
        forked = os.fork()
        if not forked:
            os._exit(0 if len(database.frame(EMBEDDINGS)) == len(database.load(EMBEDDINGS, MONDAY)) == 5000 else 1)
        assert os.waitpid(forked, 0)[1] == 0

    def test_threads_that_use_different_files_do_not_see_each_others(self, tmp_path):
        def work(number: int) -> list[int]:
            own = Database(tmp_path / f"{number}.duckdb")
            counts = []
            for size in range(1, 6):
                own.replace_partitions({SUMMARIES: {MONDAY: [rows.summary(n) for n in range(number * size)]}})
                counts.append(len(own.load(SUMMARIES, MONDAY)))
            return counts

        with ThreadPoolExecutor(3) as threads:
            for number, counts in zip((1, 2, 3), threads.map(work, (1, 2, 3)), strict=True):
                assert counts == [number * size for size in range(1, 6)]

    def test_a_lock_that_is_never_released_ends_in_an_error(self, database):
        database.replace_partitions({SUMMARIES: {MONDAY: []}})
        started = time.monotonic()
        with FileLock(f"{database.path}.lock"), pytest.raises(DatabaseBusyError, match="stayed locked"):
            Database(database.path, wait_seconds=0.2).load(SUMMARIES, MONDAY)
        assert time.monotonic() - started < 10

    def test_nothing_is_made_by_reading(self, database):
        assert database.load(SUMMARIES, MONDAY) == []
        assert not database.path.parent.exists()
