"""A backup while others write, put back as docs/operations.md says, and compared row for row."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import date

import dagster as dg
import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from kura_dagster import cli
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.materialise import materialise, open_instance
from kura_dagster.orchestration.running import held, report_abandoned_runs
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.storage.backup import BackupError, back_up
from kura_dagster.storage.database import Database, log_of
from kura_dagster.storage.tables import CONVERSATIONS, TABLES
from kura_dagster_tests import rows
from kura_dagster_tests.conftest import land_day
from kura_dagster_tests.own_models import own_models

DAGSTER_YAML = """
storage:
  sqlite:
    base_dir: data/dagster/storage
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: data/dagster/artifacts
telemetry:
  enabled: false
"""
DAY = date(2026, 11, 2)
STARTED = dg.DagsterRunStatus.STARTED


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a run's tables, its landing folder, its history and an answer that was paid for."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(DAGSTER_YAML)
    monkeypatch.chdir(folder)
    land_day(folder / "data" / "conversations", "2026-11-02", 4)
    with open_instance() as instance:
        assert materialise(build_defs(**own_models()), ["2026-11-02"], instance).success
    with closing(DiskCacheStrategy("data/cache/answers")) as answers:
        answers.set("short", {"text": "paid"})
        answers.set("long", {"text": "x" * 100_000})  # stands in a file of its own
    return folder


def test_what_was_backed_up_is_put_back_and_is_the_same(project, tmp_path, monkeypatch):
    tables = {table: Database("data/kura.duckdb").frame(table) for table in TABLES.values()}
    ran = CliRunner().invoke(cli.app, ["backup", str(tmp_path / "backups" / "one")], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    copy = tmp_path / "backups" / "one"
    assert oct(copy.stat().st_mode)[-3:] == "700"
    subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=copy, check=True)

    shutil.rmtree("data")
    subprocess.run(["cp", "--archive", f"{copy}/.", "data"], check=True)
    for table, frame in tables.items():
        pd.testing.assert_frame_equal(Database("data/kura.duckdb").frame(table), frame)
    assert len(tables[CONVERSATIONS]) == 4
    assert len((project / "data" / "conversations" / "2026-11-02.jsonl").read_text().splitlines()) == 4
    with closing(DiskCacheStrategy("data/cache/answers")) as answers:
        assert answers.get("short") == {"text": "paid"}
        assert answers.get("long") == {"text": "x" * 100_000}
    monkeypatch.delenv("DAGSTER_HOME")
    with open_instance() as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("conversation_projections")) == {"2026-11-02"}
        (run,) = instance.get_runs()
        assert len(instance.all_logs(run.run_id)) > 20


def test_a_run_that_was_under_way_counts_as_broken_off_after_the_restore(project, tmp_path):
    with open_instance() as instance:
        run = instance.create_run_for_job(build_defs(**own_models()).resolve_job_def(JOB_NAME), status=STARTED)
        with held(instance, run.run_id):
            ran = CliRunner().invoke(cli.app, ["backup", str(tmp_path / "backup")], catch_exceptions=False)
            assert ran.exit_code == 0, ran.output
    shutil.rmtree("data")
    subprocess.run(["cp", "--archive", f"{tmp_path / 'backup'}/.", "data"], check=True)
    with open_instance() as instance:
        assert instance.get_run_by_id(run.run_id).status is STARTED
        report_abandoned_runs(instance)
        assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE


def test_a_copy_taken_under_writers_holds_whole_transactions(tmp_path):
    """Partitions of 50 rows come and go, and rows of two SQLite files, one after the other."""
    database, answers = Database(tmp_path / "kura.duckdb", wait_seconds=20), tmp_path / "answers"
    batches = [[rows.conversation(number, content=f"{n} {number}") for number in range(50)] for n in range(2)]
    database.replace_partitions({CONVERSATIONS: {DAY: batches[0]}})
    answers.mkdir()
    with closing(sqlite3.connect(answers / "cache.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE pairs (n INTEGER)")
        connection.commit()
    stop, stored = threading.Event(), [0]

    def write() -> None:
        turn = 0
        with closing(sqlite3.connect(answers / "cache.db", timeout=20)) as connection:
            while not stop.is_set():
                turn += 1
                database.replace_partitions({CONVERSATIONS: {DAY: batches[turn % 2]}})
                for _ in range(2):
                    connection.execute("INSERT INTO pairs VALUES (?)", [turn])
                connection.commit()
                stored[0] = turn

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy, before = tmp_path / f"copy{number}", stored[0]
            back_up(copy, database=database, conversations=tmp_path / "none", answers=answers, history=None, locks=None)
            names = sorted(path.name for path in copy.rglob("*") if path.is_file())
            assert names == ["SHA256SUMS", "cache.db", "kura.duckdb"]
            texts = [row.messages[0].content for row in Database(copy / "kura.duckdb").load(CONVERSATIONS, DAY)]
            assert len(texts) == 50
            assert len({text.split()[0] for text in texts}) == 1
            with closing(sqlite3.connect(copy / "cache" / "answers" / "cache.db")) as connection:
                counts = dict(connection.execute("SELECT n, count(*) FROM pairs GROUP BY n").fetchall())
            assert set(counts.values()) <= {2}
            assert before in {0, *counts}  # what was committed is in it, also where it still stands in SQLite's log
    finally:
        stop.set()
        writer.join()


def test_a_log_that_a_full_disk_left_is_in_the_copy(tmp_path):
    """A database whose last transaction stands in the log beside it only."""
    database = Database(tmp_path / "kura.duckdb")
    database.replace_partitions({CONVERSATIONS: {DAY: [rows.conversation(1)]}})
    code = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute('UPDATE conversations SET chat_id = ?', ['in the log']); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(database.path)], check=True)
    assert log_of(database.path).exists()
    database.copy_to(tmp_path / "copy.duckdb")
    with duckdb.connect(tmp_path / "copy.duckdb", read_only=True) as copy:
        assert copy.execute("SELECT chat_id FROM conversations").fetchall() == [("in the log",)]


def test_nothing_is_overwritten_and_nothing_half_is_left(tmp_path):
    database = Database(tmp_path / "kura.duckdb")
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "cache.db").write_text("this is no SQLite file, but long enough to be taken for one" * 20)
    parts = {"database": database, "conversations": tmp_path / "none", "history": None, "locks": None}
    with pytest.raises(BackupError, match=r"cache\.db can't be copied"):
        back_up(tmp_path / "backup", answers=answers, **parts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers"]
    (tmp_path / "backup").mkdir()
    with pytest.raises(BackupError, match="exists already"):
        back_up(tmp_path / "backup", answers=tmp_path / "none", **parts)
