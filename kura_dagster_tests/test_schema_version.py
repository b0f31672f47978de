"""Files of older and newer versions of the project: brought forward whole or left as they were, or refused."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from kura_dagster import cli
from kura_dagster.storage import schema_version
from kura_dagster.storage.database import Database, DatabaseError
from kura_dagster.storage.partitioning import DAILY_IN_UTC, Partitioning
from kura_dagster.storage.schema_version import SCHEMA_VERSION
from kura_dagster.storage.tables import CONVERSATION_PROJECTIONS, CONVERSATIONS, FAILED_EMBEDDINGS, SUMMARIES, TABLES
from kura_dagster_tests import rows

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)

# The tables as the first version made them, in its own words; they have had no other columns since.
_CLUSTER = (
    "cluster_id VARCHAR, name VARCHAR, description VARCHAR, slug VARCHAR, chat_ids VARCHAR[], count INTEGER, "
    "is_outlier BOOLEAN, model VARCHAR"
)
FIRST_TABLES = {
    "conversations": "chat_id VARCHAR, created_at TIMESTAMPTZ, messages JSON, metadata JSON",
    "rejected_conversations": "file VARCHAR, line INTEGER, chat_id VARCHAR, reason VARCHAR, content VARCHAR",
    "summaries": (
        "chat_id VARCHAR, summary VARCHAR, request VARCHAR, topic VARCHAR, languages VARCHAR[], task VARCHAR, "
        "concerning_score TINYINT, user_frustration TINYINT, assistant_errors VARCHAR[], metadata JSON, model VARCHAR"
    ),
    "embeddings": "chat_id VARCHAR, embedding FLOAT[], model VARCHAR",
    "base_clusters": f"{_CLUSTER}, centroid FLOAT[]",
    "meta_clusters": f"{_CLUSTER}, parent_id VARCHAR, centroid FLOAT[]",
    "projections": f"{_CLUSTER}, parent_id VARCHAR, level INTEGER, x_coord DOUBLE, y_coord DOUBLE",
}
_FAILED = "item_id VARCHAR, error VARCHAR, model VARCHAR"
LATER_TABLES = {
    "partitioning": {},
    "failures": {f"failed_{name}": _FAILED for name in ("summaries", "base_clusters", "meta_clusters")},
    "failed_embeddings": {"failed_embeddings": _FAILED},
    "conversation_projections": {
        "conversation_projections": "chat_id VARCHAR, cluster_id VARCHAR, x_coord DOUBLE, y_coord DOUBLE, model VARCHAR"
    },
}
SHAPES = list(range(len(LATER_TABLES) + 1))
"""Every form that a file has had before versions: the first tables, and so many of what came later, in order."""


def make_old_file(
    path: Path, shape: int, *, partition_type: str = "DATE", cadence: str = "daily", only: tuple[str, ...] = ()
) -> None:
    """Write a file as an earlier version of the project left it, with one row of Monday in conversations."""
    tables = dict(FIRST_TABLES)
    for each in list(LATER_TABLES.values())[:shape]:
        tables |= each
    when = "2026-11-02 09:00:00+00" if partition_type == "TIMESTAMPTZ" else "2026-11-02"
    message = [{"created_at": "2026-11-02T09:00:00Z", "role": "user", "content": "violet kettle"}]
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, columns in tables.items():
            if not only or name in only:
                connection.execute(f"CREATE TABLE {name} (partition_date {partition_type} NOT NULL, {columns})")
        if shape >= 1:
            connection.execute("CREATE TABLE partitioning (cadence VARCHAR NOT NULL, timezone VARCHAR NOT NULL)")
            connection.execute("INSERT INTO partitioning VALUES (?, 'UTC')", [cadence])
        connection.execute(
            "INSERT INTO conversations VALUES (?, 'chat-0001', '2026-11-02 09:00:00+00', ?, '{}')",
            [when, json.dumps(message)],
        )


def shape_of(path: Path) -> dict[str, list[tuple[str, str, bool]]]:
    """Return the columns of each table with their types and whether they may be NULL."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for table, *column in connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE NOT internal "
            "ORDER BY ALL"
        ).fetchall():
            found.setdefault(table, []).append(tuple(column))
    return found


def version_of(path: Path) -> list[tuple[int]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT version FROM schema_version").fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kura.duckdb"


ACCESSES: dict[str, Callable[[Database], object]] = {
    "load": lambda database: database.load(CONVERSATIONS, MONDAY),
    "load_columns": lambda database: database.load_columns({CONVERSATION_PROJECTIONS: ["chat_id"]}, [MONDAY]),
    "frame": lambda database: database.frame(FAILED_EMBEDDINGS),
    "row_counts": lambda database: database.row_counts(),
    "partitions_with": lambda database: database.partitions_with(["chat-0001"]),
    "replace_partitions": lambda database: database.replace_partitions({SUMMARIES: {TUESDAY: [rows.summary(1)]}}),
    "forget": lambda database: database.forget(["nobody"]),
    "dropped_partitions": lambda database: database.dropped_partitions(),
}


class TestNewFiles:
    def test_the_first_write_stores_the_version_and_makes_every_table(self, path):
        Database(path).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        assert version_of(path) == [(SCHEMA_VERSION,)]
        assert shape_of(path).keys() == {*TABLES, "partitioning", "schema_version", "dropped_messages"}

    def test_a_first_write_that_fails_decides_nothing(self, path):
        hourly = Database(path, Partitioning("hourly", "UTC"))
        summary = rows.summary(1).model_copy(update={"metadata": {"x": "\ud800"}})
        with pytest.raises((ValueError, DatabaseError)):
            hourly.replace_partitions({SUMMARIES: {NINE: [summary]}})
        assert Database(path).row_counts()["summaries"] == {}
        Database(path).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        assert Database(path).row_counts()["summaries"] == {MONDAY: 1}

    def test_the_tables_are_those_of_this_version(self, path):
        """Where this fails because a table was changed: add a step to MIGRATIONS, and the change here."""
        Database(path).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        tables = FIRST_TABLES | {name: each for later in LATER_TABLES.values() for name, each in later.items()}
        expected = path.with_name("expected.duckdb")
        with duckdb.connect(str(expected)) as connection:
            for name, columns in (tables | {"dropped_messages": "dropped_at TIMESTAMPTZ NOT NULL"}).items():
                connection.execute(f"CREATE TABLE {name} (partition_date DATE NOT NULL, {columns})")
            connection.execute("CREATE TABLE partitioning (cadence VARCHAR NOT NULL, timezone VARCHAR NOT NULL)")
            connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        assert shape_of(path) == shape_of(expected)
        assert SCHEMA_VERSION == 2


class TestOlderFiles:
    @pytest.mark.parametrize("access", ACCESSES.values(), ids=ACCESSES.keys())
    @pytest.mark.parametrize("shape", SHAPES)
    def test_any_access_brings_every_form_forward_and_keeps_its_rows(self, path, shape, access):
        make_old_file(path, shape)
        access(Database(path))
        fresh = path.with_name("fresh.duckdb")
        Database(fresh).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        assert shape_of(path) == shape_of(fresh)
        assert version_of(path) == [(SCHEMA_VERSION,)]
        (row,) = Database(path).load(CONVERSATIONS, MONDAY)
        assert (row.chat_id, row.messages[0].content) == ("chat-0001", "violet kettle")

    def test_a_file_with_few_tables_is_recognised_too(self, path):
        """Tables were made by the first write to each."""
        make_old_file(path, 1, only=("conversations",))
        assert Database(path).row_counts()["conversations"] == {MONDAY: 1}
        assert version_of(path) == [(SCHEMA_VERSION,)]

    @pytest.mark.parametrize("shape", [0, 1])
    def test_hours_stay_hours_whoever_comes_first(self, path, shape):
        make_old_file(path, shape, partition_type="TIMESTAMPTZ", cadence="hourly")
        if shape:
            with pytest.raises(DatabaseError, match="KURA_CADENCE=hourly, but now KURA_CADENCE=daily"):
                Database(path).row_counts()
        else:
            Database(path).row_counts()
        types = {
            column[1] for columns in shape_of(path).values() for column in columns if column[0] == "partition_date"
        }
        assert types == {"TIMESTAMP WITH TIME ZONE"}
        hourly = Database(path, Partitioning("hourly", "UTC"))
        hourly.replace_partitions({CONVERSATION_PROJECTIONS: {NINE: [rows.placed(1, rows.cluster(1))]}})
        assert hourly.row_counts()["conversations"] == {NINE: 1}

    def test_a_reader_does_not_decide_how_a_file_is_cut_that_does_not_say(self, path):
        make_old_file(path, 0)
        Database(path, Partitioning("daily", "Europe/Berlin")).row_counts()
        Database(path, DAILY_IN_UTC).replace_partitions({SUMMARIES: {TUESDAY: [rows.summary(1)]}})
        with pytest.raises(DatabaseError, match="KURA_TIMEZONE=UTC, but now KURA_TIMEZONE=Europe/Berlin"):
            Database(path, Partitioning("daily", "Europe/Berlin")).row_counts()

    def test_it_is_logged_once_with_file_versions_and_steps(self, path, caplog):
        make_old_file(path, 2)
        with caplog.at_level(logging.INFO, "kura_dagster.storage"):
            for _ in range(2):
                Database(path).row_counts()
        assert [record.getMessage() for record in caplog.records] == [
            f"{path} is brought from schema version 0 to {SCHEMA_VERSION}: create_missing_tables, "
            "create_dropped_messages"
        ]

    def test_a_file_of_the_version_before_takes_only_the_steps_that_it_lacks(self, path, caplog):
        Database(path).replace_partitions({CONVERSATIONS: {MONDAY: [rows.conversation(1)]}})
        with duckdb.connect(str(path)) as connection:
            connection.execute("DROP TABLE dropped_messages")
            connection.execute("UPDATE schema_version SET version = 1")
        with caplog.at_level(logging.INFO, "kura_dagster.storage"):
            assert Database(path).dropped_partitions() == {}
        assert "from schema version 1 to 2: create_dropped_messages" in caplog.text

    def test_a_new_column_is_added_with_its_default(self, path, monkeypatch):
        """What the next change of a table will be like."""
        make_old_file(path, 4)

        def add_channel(connection, partition_type):
            connection.execute("ALTER TABLE IF EXISTS summaries ADD COLUMN IF NOT EXISTS channel VARCHAR DEFAULT 'web'")

        with duckdb.connect(str(path)) as connection:
            connection.execute("INSERT INTO summaries (partition_date, chat_id) VALUES ('2026-11-02', 'a')")
        monkeypatch.setattr(schema_version, "MIGRATIONS", (*schema_version.MIGRATIONS, add_channel))
        monkeypatch.setattr(schema_version, "SCHEMA_VERSION", 3)
        monkeypatch.setattr("kura_dagster.storage.database.SCHEMA_VERSION", 3)
        Database(path).row_counts()
        with duckdb.connect(str(path)) as connection:
            assert connection.execute("SELECT chat_id, channel FROM summaries").fetchall() == [("a", "web")]
        assert version_of(path) == [(3,)]

    def test_the_command_line_reads_an_older_file(self, path, monkeypatch):
        make_old_file(path, 0)
        monkeypatch.setenv("KURA_DATABASE", str(path))
        result = CliRunner().invoke(cli.app, ["status"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert "2026-11-02" in result.stdout

    def test_a_step_that_fails_leaves_the_file_as_it_was_and_says_so(self, path, monkeypatch):
        make_old_file(path, 1)
        before = shape_of(path)

        def impossible(connection, partition_type):
            connection.execute("ALTER TABLE conversations ALTER messages TYPE INTEGER")

        monkeypatch.setattr(schema_version, "MIGRATIONS", (*schema_version.MIGRATIONS, impossible))
        with pytest.raises(DatabaseError) as refused:
            Database(path).row_counts()
        assert "kettle" not in str(refused.value)
        assert f"{path} has schema version 0, and could not be brought to {SCHEMA_VERSION}" in str(refused.value)
        assert shape_of(path) == before

    def test_kill_9_in_the_middle_leaves_the_old_form_whole(self, path):
        make_old_file(path, 1)
        before = shape_of(path)
        killed = """
            import sys, time
            from kura_dagster.storage import schema_version
            from kura_dagster.storage.database import Database

            def wait(connection, partition_type):
                connection.execute("ALTER TABLE conversations ADD COLUMN half VARCHAR")
                print("in the middle", flush=True)
                time.sleep(60)

            schema_version.MIGRATIONS = (*schema_version.MIGRATIONS, wait)
            Database(sys.argv[1]).row_counts()
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(killed), str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "in the middle\n"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert shape_of(path) == before
        assert Database(path).row_counts()["conversations"] == {MONDAY: 1}
        assert version_of(path) == [(SCHEMA_VERSION,)]


class TestNewerFiles:
    @pytest.fixture
    def newer(self, path: Path) -> Path:
        Database(path).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE schema_version SET version = 99")
        return path

    @pytest.mark.parametrize("access", ACCESSES.values(), ids=ACCESSES.keys())
    def test_nobody_reads_or_writes_them(self, newer, access):
        before = newer.read_bytes()
        with pytest.raises(DatabaseError) as refused:
            access(Database(newer))
        assert str(refused.value) == (
            f"{newer} has schema version 99, and this version of the project knows {SCHEMA_VERSION} at most: a newer "
            "one has written it. Upgrade the project, or set KURA_DATABASE to another file."
        )
        assert newer.read_bytes() == before

    def test_also_where_they_no_longer_have_what_is_known_here(self, newer):
        with duckdb.connect(str(newer)) as connection:
            connection.execute("ALTER TABLE partitioning RENAME COLUMN cadence TO every")
        with pytest.raises(DatabaseError, match="has schema version 99"):
            Database(newer).row_counts()
        with duckdb.connect(str(newer)) as connection:
            connection.execute("DROP TABLE partitioning")
        with pytest.raises(DatabaseError, match="has schema version 99"):
            Database(newer).row_counts()


class TestOtherFiles:
    def test_a_file_without_any_table_is_read_as_empty(self, path):
        duckdb.connect(str(path)).close()
        assert Database(path).load(SUMMARIES, MONDAY) == []
        assert list(Database(path).frame(SUMMARIES)) == ["partition_date", *(each.name for each in SUMMARIES.columns)]
        assert Database(path).forget(["x"]) == ({}, [])
        assert shape_of(path) == {}

    def test_tables_of_others_stay_beside_ours(self, path):
        with duckdb.connect(str(path)) as connection:
            connection.execute("CREATE TABLE theirs AS SELECT 42 AS answer")
        Database(path).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
        with duckdb.connect(str(path)) as connection:
            assert connection.execute("FROM theirs").fetchall() == [(42,)]


def test_an_access_asks_for_version_and_partitioning_in_one_query(path, monkeypatch):
    Database(path).replace_partitions({SUMMARIES: {MONDAY: [rows.summary(1)]}})
    asked: list[str] = []

    class Listening:
        def __init__(self, connection):
            self.connection = connection

        def __getattr__(self, name):
            return getattr(self.connection, name)

        def execute(self, sql, *arguments):
            asked.append(sql)
            return self.connection.execute(sql, *arguments)

    found = schema_version.written_down
    monkeypatch.setattr("kura_dagster.storage.database.written_down", lambda connection: found(Listening(connection)))
    Database(path).load(SUMMARIES, MONDAY)
    assert len(asked) == 1
