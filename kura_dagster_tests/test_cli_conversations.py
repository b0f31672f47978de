"""The command line around conversations: ingest, rejected and forget, with what they print and how they exit."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from kura_dagster import cli
from kura_dagster.cli import ingest, screen
from kura_dagster.orchestration import run_history
from kura_dagster.pipeline.sources.places import Place
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import REJECTED_CONVERSATIONS, TABLES
from kura_dagster_tests.sources import SAMPLES, a_conversation

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


@pytest.fixture
def kura(monkeypatch, tmp_path, settings, with_minilm):
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

    def invoke(*arguments: str | Path, **options: str) -> Result:
        return CliRunner().invoke(cli.app, [str(each) for each in arguments], catch_exceptions=False, **options)

    return invoke


def counts(output: str, day: str) -> list[str]:
    row = next(line for line in output.splitlines() if f" {day} " in line)
    return [cell.strip() for cell in row.split("│")[2:-1]]


def test_exports_are_landed_counted_by_day_and_landed_again_for_nothing(kura, settings):
    files = [SAMPLES / "claude_conversations.json", SAMPLES / "chatgpt_conversations.json"]
    first = kura("ingest", *files)
    assert first.exit_code == 0, first.output
    assert counts(first.stdout, "2026-10-07") == ["2", "0", "0", "0", "0", "1"]
    assert "set KURA_START_DATE to that day or one before it" in first.stdout
    assert "Next: KURA_START_DATE=2026-10-05 kura-dagster run --landed" in first.stdout
    again = kura("ingest", *files).stdout
    assert counts(again, "2026-10-07") == ["0", "0", "2", "0", "0", "1"]
    assert "Next:" not in again
    listed = kura("rejected").stdout
    assert "chatgpt_conversations.json:4 chatgpt:68e0a1b2-0004 messages: there are none" in listed
    assert "Set aside: 2." in listed
    assert "\n  1 × messages: there are none" in listed
    assert "Set aside on 2026-10-07: 1." in kura("rejected", "2026-10-07").stdout


def test_what_was_set_aside_reaches_the_table_and_the_check(kura, settings, tmp_path):
    path = tmp_path / "export.jsonl"
    good, bad = (a_conversation(chat_id=name, created_at="2026-11-03T09:00:00Z") for name in ("good", "bad"))
    path.write_text(json.dumps(good) + "\n" + json.dumps(bad | {"messages": [{"role": "alien", "content": "x"}]}))
    assert kura("ingest", path).exit_code == 0
    ran = kura("run", "2026-11-03")
    assert ran.exit_code == 0, ran.output
    assert "every_line_was_read" in ran.output
    (row,) = Database(settings.database).load(REJECTED_CONVERSATIONS, date(2026, 11, 3))
    assert (row.file, row.line, row.chat_id) == (str(path), 2, "bad")
    assert "unknown" in row.reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ingest"], "say one of PATH…, --query, --dataset or --class"),
        (["ingest", "none.json"], "none.json does not exist"),
        (["ingest", "x.csv", "--column", "chat_id"], "write NAME=COLUMN"),
        (["ingest", "x.csv", "--column", "colour=c"], "colour is no name; allowed are chat_id"),
        (["ingest", "--query", "DROP TABLE x"], "the query has to be a SELECT"),
        (["ingest", "--class", "my_sources"], "my_sources names no class; write package.module:Class"),
        (["ingest", "x.csv", "--encoding", "ansi"], "'ansi' is no encoding of texts"),
        (["ingest", "x.csv", "--role", "agent"], "write NAME=ROLE"),
        (["ingest", "x.csv", "--role", "agent=robot"], "roles: agent is to be robot"),
        (["ingest", "x.csv", "--dates", "sideways"], "day-first"),
        (["ingest", "--class", "json:loads"], "is no subclass of BaseConversationSource"),
        (["ingest", "x.csv", "--created-at", "yesterday"], "'yesterday' is no day"),
    ],
)
def test_what_can_not_be_meant_is_explained(kura, tmp_path, arguments, message):
    (tmp_path / "x.csv").write_text("prompt,response\na,b\n")
    result = kura(*arguments)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.output.replace("│", " ").split())
    assert not list(Path(tmp_path / "conversations").glob("*.jsonl"))


def test_a_file_in_no_known_format_does_not_stop_the_others(kura, settings, tmp_path):
    (tmp_path / "page.json").write_text("<html>")
    shutil.copy(SAMPLES / "kura.jsonl", tmp_path)
    result = kura("ingest", tmp_path / "page.json", tmp_path / "kura.jsonl")
    assert result.exit_code == 1
    assert "page.json: it is in no known format" in result.output
    assert result.output.count("page.json") == 1
    assert (settings.conversations / "2026-11-20.jsonl").exists()


def test_tables_and_queries_take_columns(kura, settings, tmp_path):
    path = tmp_path / "tickets.csv"
    path.write_text("ticket,asked,answered,when\n1,Where is my parcel?,Here.,2026-11-20T09:00:00Z\n")
    columns = {"chat_id": "ticket", "prompt": "asked", "response": "answered", "created_at": "when"}
    (tmp_path / "columns.json").write_text(json.dumps(columns))
    pairs = [part for name, column in columns.items() for part in ("--column", f"{name}={column}")]
    for arguments in (
        [path, "--columns", tmp_path / "columns.json"],
        ["--query", f"SELECT * FROM '{path}'", "--source", "csv", *pairs],
    ):
        assert kura("ingest", *arguments).exit_code == 0
    (line,) = (settings.conversations / "2026-11-20.jsonl").read_text().splitlines()
    assert json.loads(line)["chat_id"] == "csv:1"


def test_options_of_tables_reach_the_reader(kura, settings, tmp_path):
    path = tmp_path / "tickets.csv"
    path.write_bytes(
        "Ticket ID,Author,Text,Date\n1,Kundin,Grüße,05/11/2026\n1,Wizard,Hallo,05/11/2026\n".encode("cp1252")
    )
    options = ["--encoding", "cp1252", "--dates", "day-first", "--role", "Kundin=user", "--role", "wizard=assistant"]
    result = kura("ingest", path, *options)
    assert result.exit_code == 0, result.output
    assert "1 record was read; " in result.stdout
    (line,) = (settings.conversations / "2026-11-05.jsonl").read_text().splitlines()
    assert [message["content"] for message in json.loads(line)["messages"]] == ["Grüße", "Hallo"]


def test_records_of_which_none_is_usable_are_explained_and_no_success(kura, tmp_path):
    path = tmp_path / "training.jsonl"
    users = [{"role": "user", "content": "hi"}]
    records = [{"messages": users}] * 3 + [{"messages": users * n + [{"role": "x", "content": "y"}]} for n in range(9)]
    path.write_text("\n".join(map(json.dumps, records)))
    result = kura("ingest", path)
    assert result.exit_code == 1
    assert "12 × no time: neither the conversation nor a message has one; give a day with --created-at" in result.output
    assert "12 records were read, and none can be used" in result.output
    result = kura("ingest", path, "--created-at", "2026-11-20")
    assert result.exit_code == 0
    assert "9 × messages.N.role: unknown" in result.output


def test_turns_of_one_id_are_one_conversation_where_the_source_is_named(kura, settings):
    first, second = (
        f"SELECT 1 AS id, '{hour}' AS prompt, TIMESTAMP '2026-11-20 0{hour}:00:00' AS created_at" for hour in (8, 9)
    )
    kura("ingest", "--query", first)
    assert "1 × another conversation has this id already" in kura("ingest", "--query", second).output
    for query in (first, second):
        assert kura("ingest", "--query", query, "--source", "web").exit_code == 0
    said = {}
    for line in (settings.conversations / "2026-11-20.jsonl").read_text().splitlines():
        fields = json.loads(line)
        said[fields["chat_id"]] = [message["content"] for message in fields["messages"]]
    assert said == {"query:1": ["8"], "web:1": ["8", "9"]}


def test_at_most_five_kinds_of_reasons_are_shown(kura, tmp_path):
    users = [{"role": "user", "content": "hi"}]
    bad = [{"messages": None}, {"messages": []}, {"messages": 7}, {"messages": [7]}, {"messages": users, "id": True}]
    bad += [{"messages": users, "created": "soon"}, {"messages": users, "created": 1}]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(map(json.dumps, bad)))
    output = kura("ingest", path, "--format", "openai").output
    assert output.count(" × ") == 5
    assert "and 2 records for 2 other reasons" in output


@pytest.mark.parametrize("content", ["", "[]", " \n"])
def test_an_empty_file_is_told_and_no_success(kura, tmp_path, content):
    (tmp_path / "empty.json").write_text(content)
    result = kura("ingest", tmp_path / "empty.json")
    assert result.exit_code == 1
    assert "empty.json: it holds no record" in result.output
    assert "Nothing was read." in result.output
    shutil.copy(SAMPLES / "kura.jsonl", tmp_path)
    result = kura("ingest", tmp_path / "empty.json", tmp_path / "kura.jsonl")
    assert result.exit_code == 0
    assert "empty.json: it holds no record" in result.output


def test_a_query_is_counted_in_records_and_files_in_bytes(monkeypatch):
    import io

    from rich.console import Console

    for places, shown in (([], False), ([Place("x", 9, io.BytesIO, object)], True)):
        heard = Console(file=io.StringIO(), force_terminal=True, width=200)
        monkeypatch.setattr(screen, "errors", heard)
        with ingest._reading_bar(in_bytes=bool(places)) as on_progress:
            on_progress(places)("x", 0, 1_234)
        assert "1,234 records" in heard.file.getvalue()
        assert ("bytes" in heard.file.getvalue()) is shown


class TestClearingWhatWasSetAside:
    @pytest.fixture
    def two_days(self, kura, settings, tmp_path):
        path = tmp_path / "x.jsonl"
        days = ("2026-11-03", "2026-11-03", "2026-11-04")
        path.write_text(
            "\n".join(json.dumps(a_conversation(created_at=f"{day}T09:00:00Z", messages=[])) for day in days)
        )
        kura("ingest", path)
        return kura

    def test_it_asks_takes_a_day_or_all_and_says_how_many(self, two_days, settings):
        assert two_days("rejected", "--clear", input="n\n").exit_code == 1
        assert "Set aside: 3." in two_days("rejected").stdout
        assert "2 records are off the list" in two_days("rejected", "2026-11-03", "--clear", "--yes").stdout
        listed = two_days("rejected").stdout
        assert "Set aside: 1." in listed
        assert "2026-11-04" in listed
        result = two_days("rejected", "--clear", input="y\n")
        assert result.exit_code == 0
        assert "1 record is off the list" in result.stdout
        assert "0 records are off the list" in two_days("rejected", "--clear").stdout
        assert "Set aside: 0." in two_days("rejected").stdout

    def test_lines_of_the_folders_own_files_stay_and_it_says_so(self, two_days, settings):
        (settings.conversations / "2026-11-03.jsonl").write_text("{\n")
        output = two_days("rejected", "--clear", "--yes").stdout
        assert "3 records are off the list" in output
        assert "1 line that stands in the landing folder itself stays" in output

    def test_yes_without_clear_is_no_request(self, two_days):
        assert "--yes goes with --clear" in two_days("rejected", "--yes").output


def test_what_was_landed_is_analysed_and_nothing_else(kura, settings, land, tmp_path, monkeypatch):
    monkeypatch.setenv("KURA_PROJECTION", "pca")
    for day in ("2026-11-02", "2026-11-03", "2026-11-06"):
        land(day, 3)
    first = kura("run", "--landed")
    assert first.exit_code == 0, first.output
    assert [line for line in first.stdout.splitlines() if line.startswith("Analysing")] == [
        "Analysing 2026-11-02 to 2026-11-03 (2 days) …",
        "Analysing 2026-11-06 …",
    ]
    assert "No day that is over has anything landed" in kura("run", "--landed").stdout
    path = tmp_path / "one.jsonl"
    path.write_text(
        json.dumps(a_conversation(created_at="2026-11-03T09:00:00Z", messages=[SAID | {"created_at": None}]))
    )
    landed = kura("ingest", path)
    assert landed.stdout.splitlines()[-1] == "Next: kura-dagster run --landed"
    again = kura("run", "--landed")
    assert [line for line in again.stdout.splitlines() if line.startswith("Analysing")] == ["Analysing 2026-11-03 …"]
    early = json.dumps(a_conversation(created_at="2025-03-04T09:00:00Z", messages=[SAID | {"created_at": None}]))
    path.write_text(early)
    landed = kura("ingest", path)
    assert landed.stdout.splitlines()[-1] == "Next: KURA_START_DATE=2025-03-04 kura-dagster run --landed"
    assert kura("run", "2026-11-03", "--landed").exit_code == 2


SAID = {"role": "user", "content": "Where is my parcel?"}


@pytest.fixture(scope="module")
def first_analysed(tmp_path_factory):
    """Where the first test that needs `analysed` leaves a copy of it for the others."""
    return tmp_path_factory.mktemp("analysed") / "folder"


class TestForget:
    SECRET = "4f1d-violet"

    @pytest.fixture
    def analysed(self, kura, land, settings, server, monkeypatch, tmp_path, first_analysed):
        """Two days through a language model; of the first, one conversation says what nobody else does."""
        monkeypatch.setenv("KURA_LANGUAGE_MODEL", "openai/gpt-4o-mini")
        monkeypatch.setenv("KURA_EMBEDDING_MODEL", "openai/text-embedding-3-small")
        if first_analysed.exists():
            return shutil.copytree(first_analysed, tmp_path, dirs_exist_ok=True)
        for day in ("2026-11-02", "2026-11-03"):
            land(day, 8)
        path = tmp_path / "one.jsonl"
        said = [{"role": "user", "content": f"Sell my zeppelin {self.SECRET}", "created_at": "2026-11-02T09:00:00Z"}]
        path.write_text(json.dumps(a_conversation(chat_id="zeppelin", created_at=None, messages=said)))
        assert kura("ingest", path).exit_code == 0
        assert kura("run", "--from", "2026-11-02", "--to", "2026-11-03").exit_code == 0
        path.unlink()
        shutil.copytree(tmp_path, first_analysed, ignore=shutil.ignore_patterns("*.onnx"))
        return tmp_path

    def traces(self, folder: Path, settings) -> list[str]:
        """Return the files that hold the conversation's id or its word, also inside of answers and tables."""
        words = (b"zeppelin", self.SECRET.encode())
        files = [path for path in folder.rglob("*") if path.is_file()]
        found = [str(path) for path in files if any(word in path.read_bytes().lower() for word in words)]
        database = Database(settings.database)
        for table in TABLES.values():
            text = database.frame(table).to_csv().lower()
            found += [table.name for word in words if word.decode() in text]
        return found

    def test_every_trace_goes_and_the_other_day_is_left_alone(self, kura, analysed, settings, server):
        assert self.traces(analysed, settings)
        before = Database(settings.database).frame(TABLES["summaries"])
        server.stats.prompts.clear()
        result = kura("forget", "zeppelin", "--yes")
        assert result.exit_code == 0, result.output
        assert "2026-11-02.jsonl: 1" in result.stdout
        assert "kept answers: " in result.stdout
        assert "is analysed again.\nAnalysing 2026-11-02 …" in result.stdout
        assert self.traces(analysed, settings) == []
        assert not any(self.SECRET in prompt for prompt in server.stats.prompts)
        after = Database(settings.database).frame(TABLES["summaries"])
        assert set(after["chat_id"]) == set(before["chat_id"]) - {"zeppelin"}
        again = kura("forget", "zeppelin", "--yes")
        assert again.exit_code == 1
        assert "nothing is known of a conversation zeppelin" in again.output

    def test_what_clusters_quoted_of_it_goes_too_also_from_run_history(
        self, kura, land, settings, tmp_path, monkeypatch
    ):
        """The local models quote a request in descriptions, which run history shows for every run there ever was."""
        monkeypatch.setenv("KURA_PROJECTION", "pca")
        for day in ("2026-11-02", "2026-11-03"):
            land(day, 1)
        path = tmp_path / "one.jsonl"
        said = [{"role": "user", "content": "How do I sell my zeppelin?", "created_at": "2026-11-02T09:00:00Z"}]
        path.write_text(json.dumps(a_conversation(chat_id=self.SECRET, created_at=None, messages=said)))
        assert kura("ingest", path).exit_code == 0
        path.unlink()
        assert kura("run", "2026-11-02").exit_code == 0
        assert kura("run", "--from", "2026-11-02", "--to", "2026-11-03").exit_code == 0
        history = tmp_path / "home"
        assert any("zeppelin" in path.read_text(errors="replace") for path in history.rglob("*.db"))
        result = kura("forget", self.SECRET, "--yes")
        assert result.exit_code == 0, result.output
        assert re.search(r"entries of run history: \d+", result.stdout)
        assert self.traces(tmp_path, settings) == []
        with dg.DagsterInstance.get() as instance:
            for key in ("2026-11-02", "2026-11-03"):
                records = instance.fetch_materializations(
                    dg.AssetRecordsFilter(dg.AssetKey("meta_clusters"), asset_partitions=[key]), limit=9
                ).records
                shown = [record.asset_materialization.metadata for record in records]
                # Of the day it was in, only the new run still shows a tree; figures stay.
                assert ["hierarchy" in each for each in shown] == (
                    [True, False, False] if key == "2026-11-02" else [True]
                )
                assert all(each["clusters"].value >= 1 for each in shown)

    def test_what_is_taken_out_of_its_file_is_erased_by_the_next_run(self, kura, analysed, settings, server):
        path = settings.conversations / "2026-11-02.jsonl"
        path.write_text("".join(line + "\n" for line in path.read_text().splitlines() if "zeppelin" not in line))
        server.stats.prompts.clear()
        paid = server.stats.by_schema["GeneratedSummary"]
        assert kura("run", "2026-11-02").exit_code == 0
        assert self.traces(analysed, settings) == []
        assert not any(self.SECRET in prompt for prompt in server.stats.prompts)
        assert server.stats.by_schema["GeneratedSummary"] == paid, "the others' answers are still there"

    def test_a_missing_file_erases_no_answers(self, kura, analysed, settings, server):
        path = settings.conversations / "2026-11-02.jsonl"
        moved = path.rename(analysed / "moved")
        assert kura("run", "2026-11-02").exit_code == 0
        assert Database(settings.database).frame(TABLES["summaries"])["chat_id"].str.contains("zeppelin").sum() == 0
        moved.rename(path)
        asked = server.stats.chat
        assert kura("run", "2026-11-02").exit_code == 0
        assert server.stats.chat == asked

    def test_days_that_cannot_be_analysed_again_are_named(self, kura, analysed, settings, server, monkeypatch):
        monkeypatch.delenv("OPENAI_API_KEY")
        result = kura("forget", "zeppelin", "--yes")
        assert result.exit_code == 1
        assert "conversation zeppelin is erased, but 2026-11-02 could not be analysed without it" in result.stderr
        assert "kura-dagster run 2026-11-02" in result.stderr
        assert self.traces(analysed, settings) == []
        monkeypatch.setenv("OPENAI_API_KEY", "key")
        assert kura("run", "2026-11-02").exit_code == 0

    def test_what_failed_can_be_done_again(self, kura, analysed, settings, monkeypatch):
        def locked(*_):
            raise sqlite3.OperationalError("database is locked")

        with monkeypatch.context() as patch:
            patch.setattr(run_history, "_forget_in_sql", locked)
            result = kura("forget", "zeppelin", "--yes")
        assert result.exit_code == 1
        assert "Dagster's run history can't be erased from (database is locked)" in result.stderr
        assert kura("forget", "zeppelin", "--yes").exit_code == 0
        assert self.traces(analysed, settings) == []

    def test_days_before_the_first_are_told_of(self, kura, analysed, settings, monkeypatch):
        monkeypatch.setenv("KURA_START_DATE", "2026-11-03")
        result = kura("forget", "zeppelin", "--yes")
        assert result.exit_code == 0, result.output
        assert "2026-11-02 has no clusters now: it is before KURA_START_DATE, 2026-11-03" in result.stderr
        assert self.traces(analysed, settings) == []

    def test_what_moved_to_another_day_is_no_longer_shown_by_the_first_one(
        self, kura, land, settings, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("KURA_PROJECTION", "pca")
        path = tmp_path / "one.jsonl"

        earlier = [{"role": "user", "content": "Hello there", "created_at": "2026-11-02T23:00:00Z"}]
        later = [
            {"role": "user", "content": text, "created_at": f"2026-11-03T{9 + number:02}:00:00Z"}
            for number, text in enumerate(["Hello there", "How do I sell my zeppelin?", "And where?"])
        ]
        land("2026-11-03", 1)
        for messages in (later, earlier + later[1:]):
            path.write_text(json.dumps(a_conversation(chat_id=self.SECRET, created_at=None, messages=messages)))
            assert kura("ingest", path).exit_code == 0
            path.unlink()
            assert kura("run", "--landed").exit_code == 0
        assert "zeppelin" not in (settings.conversations / "2026-11-03.jsonl").read_text()
        assert kura("forget", self.SECRET, "--yes").exit_code == 0
        assert self.traces(tmp_path, settings) == []

    def test_a_line_that_broke_is_no_reason_to_erase(self, kura, analysed, settings, server):
        path = settings.conversations / "2026-11-02.jsonl"
        lines = path.read_text().splitlines()
        broken = [line.replace('{"chat_id":', '{ "chat_id": ')[:-40] if "zeppelin" in line else line for line in lines]
        path.write_text("\n".join(broken) + "\n")
        assert kura("run", "2026-11-02").exit_code == 0
        path.write_text("\n".join(lines) + "\n")
        asked = server.stats.by_schema["GeneratedSummary"]
        assert kura("run", "2026-11-02").exit_code == 0
        assert server.stats.by_schema["GeneratedSummary"] == asked, "its answer was kept"

    def test_an_empty_id_is_refused(self, kura, analysed):
        assert kura("forget", "", "--yes").exit_code == 2

    def test_an_id_without_its_source_gets_a_hint(self, kura, settings, tmp_path):
        path = tmp_path / "one.jsonl"
        path.write_text(json.dumps(a_conversation(chat_id="4711")))
        assert kura("ingest", path, "--source", "web").exit_code == 0
        result = kura("forget", "4711", "--yes")
        assert result.exit_code == 1
        assert "nothing is known of a conversation 4711; is it web:4711?" in result.stderr

    def test_a_short_id_does_no_harm_to_run_history(self, kura, land, settings, tmp_path, monkeypatch):
        monkeypatch.setenv("KURA_PROJECTION", "pca")
        path = tmp_path / "one.jsonl"
        path.write_text("\n".join(json.dumps(a_conversation(chat_id=each)) for each in ("2", "2026", "x")))
        assert kura("ingest", path).exit_code == 0
        assert kura("run", "2026-11-20").exit_code == 0
        for chat_id in ("2", "2026"):
            assert kura("forget", chat_id, "--yes").exit_code == 0
        assert kura("status").exit_code == 0
        with dg.DagsterInstance.get() as instance:
            assert instance.get_materialized_partitions(dg.AssetKey("meta_clusters")) == {"2026-11-20"}
            for run in instance.get_runs():
                assert instance.all_logs(run.run_id)

    def test_it_asks_first(self, kura, analysed, settings):
        assert kura("forget", "zeppelin", input="n\n").exit_code == 1
        assert "zeppelin" in set(Database(settings.database).frame(TABLES["summaries"])["chat_id"])


def test_a_query_that_fails_half_way_lands_nothing_and_says_so_in_a_line(kura, settings, tmp_path):
    rows = "".join(f"c{n},hello,2026-11-03T08:00:00Z,{1 if n < 30_000 else 'one'}\n" for n in range(30_001))
    (tmp_path / "log.csv").write_text("chat_id,prompt,created_at,n\n" + rows)
    query = f"SELECT chat_id, prompt, created_at, CAST(n AS INTEGER) AS n FROM '{tmp_path}/log.csv'"
    done = kura("ingest", "--query", query)
    assert done.exit_code == 1
    assert re.search(r"^error Conversion Error: .*\"one\" to 'INTEGER'; nothing is landed\n\Z", done.stderr, re.M)
    assert done.stdout == ""
    assert not list(settings.conversations.glob("*"))
