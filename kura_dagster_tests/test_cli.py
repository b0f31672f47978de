"""The command line with the embedded default: what it prints, what it writes and how it exits."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import typer
from dagster._core.test_utils import freeze_time
from rich.console import Console
from sqlalchemy import create_engine, text
from typer.testing import CliRunner, Result

from kura_dagster import cli
from kura_dagster.cli import forget, runs
from kura_dagster.cli import screen as screen_module
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.materialise import materialise, open_instance
from kura_dagster.orchestration.progress import RunProgress
from kura_dagster.orchestration.run_requests import partition_tags
from kura_dagster.pipeline.types import Cluster, Conversation, ProjectedCluster
from kura_dagster.settings import Settings, warn_of_unknown_variable
from kura_dagster_tests.loopback_server import Faults
from kura_dagster_tests.own_models import own_models

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]
PRICES = '{"openai/gpt-4o-mini": {"input": 1, "output": 2}, "openai/text-embedding-3-small": {"input": 1}}'


@pytest.fixture
def kura(monkeypatch, tmp_path, settings, with_minilm):
    """Run a command with the test's own database, landing folder and run history."""
    monkeypatch.setenv("KURA_DATABASE", str(settings.database))
    monkeypatch.setenv("KURA_CONVERSATIONS", str(settings.conversations))
    monkeypatch.setenv("KURA_PROJECTION", "pca")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    with_minilm(tmp_path / "data" / "cache")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").touch()

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli.app, arguments, catch_exceptions=False)

    return invoke


@pytest.fixture(scope="module")
def first_analysed(tmp_path_factory):
    """Where the first test that needs `two_analysed` leaves a copy of it for the others."""
    return tmp_path_factory.mktemp("analysed") / "folder"


@pytest.fixture
def two_analysed(kura, land, tmp_path, first_analysed):
    """A day of two conversations that was run, and nothing else."""
    if first_analysed.exists():
        shutil.copytree(first_analysed, tmp_path, dirs_exist_ok=True)
        return
    land("2026-11-02", 2)
    assert kura("run", "2026-11-02").exit_code == 0
    shutil.copytree(tmp_path, first_analysed, ignore=shutil.ignore_patterns("*.onnx"))


def test_a_range_is_run_listed_drawn_and_exported(kura, land, tmp_path):
    land("2026-11-02", 25)
    land("2026-11-04", 2)
    ran = kura("run", "--from", "2026-11-02", "--to", "2026-11-04")
    assert ran.exit_code == 0, ran.output
    assert "projections" in ran.stdout

    status = kura("status")
    rows = {line.split()[0]: line.split()[1:] for line in status.stdout.splitlines() if line.strip().startswith("2026")}
    assert rows["2026-11-02"][:3] == ["25", "25", "25"]
    assert rows["2026-11-03"] == ["0"] * 7
    assert rows["2026-11-04"][:3] == ["2", "2", "2"]
    assert "3 of" in status.stdout
    assert "lines were set aside" not in status.stdout

    (without_day,) = {kura("tree").stdout.splitlines()[0], kura("tree", "--style", "enhanced").stdout.splitlines()[0]}
    assert without_day == "2026-11-04, the last day that has clusters"
    assert kura("tree", "2026-11-02").stdout.splitlines()[0] == "2026-11-02"
    assert kura("tree").stdout.splitlines()[1:] == kura("tree", "2026-11-04").stdout.splitlines()[1:]

    for style in ("basic", "enhanced", "rich"):
        tree = kura("tree", "2026-11-02", "--style", style)
        assert tree.exit_code == 0
        assert "password" in tree.stdout.lower()

    exported = kura("export", "--from", "2026-11-02", "--to", "2026-11-04", str(tmp_path / "out"))
    assert exported.exit_code == 0, exported.output
    conversations = json.loads((tmp_path / "out" / "conversations.json").read_text())
    assert len([Conversation(**each) for each in conversations]) == 27
    names = ("summaries", "clusters", "meta_clusters", "dimensionality")
    lines = {name: (tmp_path / "out" / f"{name}.jsonl").read_text().splitlines() for name in names}
    assert len(lines["summaries"]) == 27
    kuras_fields = {"id", "name", "description", "slug", "chat_ids", "parent_id", "count"}
    assert kuras_fields <= json.loads(lines["clusters"][0]).keys()
    assert kuras_fields | {"x_coord", "y_coord", "level"} <= json.loads(lines["dimensionality"][0]).keys()
    meta = [Cluster.model_validate_json(line) for line in lines["meta_clusters"]]
    projected = [ProjectedCluster.model_validate_json(line) for line in lines["dimensionality"]]
    assert {each.cluster_id for each in meta} == {each.cluster_id for each in projected}


def test_an_empty_day_has_no_tree_and_is_no_error(kura, land):
    land("2026-11-03", 1)
    assert kura("run", "2026-11-02").exit_code == 0
    shown = kura("tree", "2026-11-02")
    assert (shown.exit_code, "has no conversations" in shown.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["tree", "2026-11-03"], 1, "2026-11-03 is not materialised; run: kura-dagster run 2026-11-03"),
        (["run", "2026-11-03"], 1, "does not exist"),
        (["run", "2026-10-31"], 2, "partitions run from 2026-11-02 (KURA_START_DATE)"),
        (["run", "--from", "2026-11-05", "--to", "2026-11-04"], 2, "the range ends before it starts"),
        (["run"], 2, "say either DAY or --from DAY [--to DAY]"),
        (["run", "2026-11-02", "--from", "2026-11-02"], 2, "say either DAY or --from DAY"),
        (["run", "yesterday"], 2, "'yesterday' is no day; write it as YYYY-MM-DD, for example 2026-11-15."),
        (["run", "20261102"], 2, "'20261102' is no day"),
        (["tree", "2026-02-30"], 2, "'2026-02-30' is no day"),
        (["estimate"], 2, "say either DAY or --from DAY [--to DAY]"),
        (["estimate", "2026-10-31"], 2, "partitions run from 2026-11-02 (KURA_START_DATE)"),
        (["run", "2026-11-02", "--max-calls", "-1"], 2, "'--max-calls': Input should be greater than or equal to 0"),
        (["run", "2026-11-02", "--max-cost-usd", "inf"], 2, "KURA_MAX_COST_USD is inf; allowed is a finite number"),
        (["tree"], 1, "no day has clusters yet; run: kura-dagster demo, or kura-dagster run DAY"),
        (["export", "--from", "2026-11-03"], 2, "Missing argument 'FOLDER'"),
        (["export", "--from", "2026-11-03", "out"], 1, "nothing is stored for 2026-11-03"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_says_why_and_what_to_do(kura, arguments, code, message):
    result = kura(*arguments)
    assert result.exit_code == code
    assert message in " ".join(result.output.split()).replace("│ ", "")


def test_a_wrong_setting_is_named(kura, monkeypatch):
    monkeypatch.setenv("KURA_CLUSTERING", "dbscan")
    result = kura("status")
    assert result.exit_code == 2
    assert (
        "KURA_CLUSTERING is 'dbscan'; allowed is 'kmeans', 'minibatch_kmeans', 'agglomerative' or 'hdbscan'."
        in result.output
    )


@pytest.mark.parametrize("cadence", ["daily", "hourly"])
def test_status_is_whole_at_any_width_of_a_terminal(kura, land, monkeypatch, cadence):
    monkeypatch.setenv("KURA_CADENCE", cadence)
    land("2026-11-02", 25)
    with (Path(os.environ["KURA_CONVERSATIONS"]) / "2026-11-02.jsonl").open("a") as file:
        file.write('{"chat_id": \n[]\n')
    # A line that tells no time is set aside in the first hour of its file.
    keys = {"daily": ["2026-11-02"], "hourly": ["2026-11-02-00:00", "2026-11-02-08:00"]}[cadence]
    with open_instance() as instance:
        for key in keys:
            assert materialise(build_defs(Settings.load(), **own_models()), [key], instance).success
    for width in (80, 100, 200):
        screen = io.StringIO()
        monkeypatch.setattr(
            screen_module, "console", Console(file=screen, width=width, force_terminal=True, color_system=None)
        )
        assert kura("status").exit_code == 0
        lines = screen.getvalue().splitlines()
        rule = next(number for number, line in enumerate(lines) if set(line) == {"─"})
        assert max(map(len, lines[: rule + 2])) <= width
        assert "…" not in screen.getvalue()
        # Put together again, the headings are the names of the assets, each above its own column.
        headings = ["" for _ in range(8)]
        ends = [match.end() for match in re.finditer(r"\S+", lines[rule - 1])]
        for line in lines[:rule]:
            for match in re.finditer(r"\S+", line):
                column = min(number for number, end in enumerate(ends) if match.end() <= end)
                headings[column] += match[0]
        names = [asset.key.path[-1] for asset in ASSETS]
        first = {"daily": "day", "hourly": "hour"}[cadence]
        assert [heading.replace("-", "").replace("_", "") for heading in headings] == [
            first,
            *(name.replace("_", "") for name in names),
        ]
        (row,) = (line for line in lines[rule:] if "25" in line.split())
        assert row.split()[:4] == ["2026-11-02" + ("-08:00" if cadence == "hourly" else ""), "25", "25", "25"]
        assert row.index("25 ") + 2 == ends[1]
        assert lines[-1].startswith("2 lines were set aside, see the table rejected_conversations: 2026-11-02")


@pytest.mark.usefixtures("two_analysed")
def test_missing_runs_what_is_not_done_in_batches_and_names_what_failed(kura, land, settings, monkeypatch):
    monkeypatch.setenv("KURA_PARTITIONS_PER_RUN", "1")
    land("2026-11-04", 2)
    unreadable = settings.conversations / "2026-11-06.jsonl"
    unreadable.symlink_to("/proc/self/mem")
    asked = ("run", "--from", "2026-11-02", "--to", "2026-11-05", "--missing")
    ran = kura(*asked)
    assert ran.exit_code == 1
    said = [line for line in ran.stdout.splitlines() if line.startswith("Analysing")]
    assert said == [f"Analysing 2026-11-0{day} …" for day in (3, 4, 5)]
    assert "2026-11-05: OSError: 2026-11-06.jsonl cannot be read" in ran.stderr
    assert "1 of 3 runs failed: 2026-11-05." in ran.stderr
    unreadable.unlink()
    again = kura(*asked)
    assert again.exit_code == 0, again.output
    assert [line for line in again.stdout.splitlines() if line.startswith("Analysing")] == ["Analysing 2026-11-05 …"]
    assert "nothing is missing" in kura(*asked).stdout


@pytest.mark.usefixtures("two_analysed")
def test_status_in_a_pipe_is_plain_and_names_the_assets_in_one_line(kura, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    lines = kura("status").stdout.splitlines()
    assert lines[0].split() == [
        "day",
        "conversations",
        "summaries",
        "embeddings",
        "base_clusters",
        "meta_clusters",
        "projections",
        "conversation_projections",
    ]
    assert lines[2].split() == ["2026-11-02", "2", "2", "2", "1", "1", "1", "2"]
    assert "\x1b" not in "".join(lines)


@pytest.mark.usefixtures("two_analysed")
def test_status_shows_what_is_missing_of_a_day(kura, settings, monkeypatch):
    import duckdb

    with duckdb.connect(str(settings.database)) as connection:
        connection.execute("DELETE FROM projections")
    shown = kura("status").stdout.splitlines()[2].split()
    assert shown == ["2026-11-02", "2", "2", "2", "1", "1", "0", "2"]
    monkeypatch.delenv("DAGSTER_HOME")
    assert kura("status").stdout.splitlines()[2].split() == ["2026-11-02", "2", "2", "2", "1", "1", "–", "2"]


def missing_by_status(kura) -> str:
    """What status says of days that are missing, "" where it says nothing."""
    return "".join(line for line in kura("status").stdout.splitlines() if line.startswith("Missing: "))


@pytest.mark.usefixtures("two_analysed")
def test_status_names_what_is_missing_since_the_first_day_and_how_to_analyse_it(kura, land, monkeypatch):
    assert kura("run", "2026-11-05").exit_code == 0
    land("2026-11-03", 2)
    with freeze_time(datetime(2026, 11, 9, 2, tzinfo=UTC)):
        assert missing_by_status(kura).startswith("Missing: 2026-11-03 to 2026-11-04, 2026-11-06 to 2026-11-07. ")
    with freeze_time(datetime(2026, 11, 9, 12, tzinfo=UTC)):
        said = missing_by_status(kura)
        assert said.startswith("Missing: 2026-11-03 to 2026-11-04, 2026-11-06 to 2026-11-08. "), "now it is due"
    with open_instance() as instance:
        job = build_defs(Settings.load(), **own_models()).resolve_job_def(JOB_NAME)
        under_way = instance.create_run_for_job(
            job, status=dg.DagsterRunStatus.STARTED, tags=partition_tags(["2026-11-04", "2026-11-06"])
        )
        assert missing_by_status(kura).startswith("Missing: 2026-11-03, 2026-11-07 to "), "a run makes the others"
        instance.report_run_canceled(under_way)
    with freeze_time(datetime(2026, 11, 9, 12, tzinfo=UTC)):
        assert kura(*said.partition("kura-dagster ")[2].split()).exit_code == 0
        assert missing_by_status(kura) == ""
        monkeypatch.setenv("KURA_START_DATE", "2026-11-01")
        assert missing_by_status(kura) == "", "what was before the first is history"
        monkeypatch.delenv("DAGSTER_HOME")
        assert missing_by_status(kura) == "", "without a run history nothing was begun"


def test_status_of_nothing(kura):
    shown = kura("status")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-1].startswith("0 of ")


@pytest.mark.parametrize(
    ("home", "yaml", "fault"),
    [
        ("nowhere", None, "must be an absolute path"),
        ("{tmp}/nowhere", None, "is not a directory or does not exist"),
        ("{tmp}", "storage: [", "expected the node content"),
        ("{tmp}", "storag: 3", 'unexpected config entry "storag"'),
    ],
)
@pytest.mark.parametrize("command", [["status"], ["run", "2026-11-02"], ["tree", "2026-11-02"]])
def test_a_run_history_that_cannot_be_opened_is_one_line(kura, monkeypatch, tmp_path, home, yaml, fault, command):
    monkeypatch.setenv("DAGSTER_HOME", home.format(tmp=tmp_path))
    if yaml:
        (tmp_path / "dagster.yaml").write_text(yaml)
    result = kura(*command)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error Dagster's run history cannot be opened: ")
    assert fault in line
    assert len(line) < 400


@pytest.mark.parametrize(
    "command",
    [["status"], ["tree"], ["tree", "2026-11-02"], ["run", "2026-11-02"], ["export", "--from", "2026-11-02", "out"]],
    ids=" ".join,
)
@pytest.mark.parametrize("is_folder", [True, False])
def test_a_database_that_is_none_is_a_line_and_no_traceback(kura, land, settings, command, is_folder):
    land("2026-11-02", 2)
    if is_folder:
        settings.database.mkdir()
    else:
        settings.database.write_text("a text that somebody called a database. " * 200)
    result = kura(*command)
    assert result.exit_code == 1
    said = [line for line in result.stderr.splitlines() if "error " in line or " failed: " in line]
    assert len(said) == 1
    assert settings.database.name in said[0]
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("two_analysed")
def test_a_database_of_another_cadence_is_not_shown_as_this_one_s(kura, monkeypatch):
    monkeypatch.setenv("KURA_CADENCE", "hourly")
    for command in (["status"], ["tree"], ["tree", "2026-11-02"], ["export", "--from", "2026-11-02", "out"]):
        result = kura(*command)
        assert result.exit_code == 1
        assert "KURA_CADENCE" in result.stderr


@pytest.mark.usefixtures("two_analysed")
def test_an_export_without_clusters_says_so(kura, settings, tmp_path):
    import duckdb

    with duckdb.connect(str(settings.database)) as connection:
        connection.execute("DELETE FROM base_clusters")
    result = kura("export", "--from", "2026-11-02", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "warning clusters.jsonl is empty: nothing is stored in base_clusters"
    assert "what is stored of 2026-11-02 does not belong together" in result.stderr


def test_an_export_names_the_days_whose_assets_are_of_other_conversations(kura, land, settings, tmp_path):
    import duckdb

    for day in ("2026-11-02", "2026-11-03"):
        land(day, 4)
    assert kura("run", "--from", "2026-11-02", "--to", "2026-11-03").exit_code == 0
    assert kura("export", "--from", "2026-11-02", "--to", "2026-11-03", str(tmp_path / "out")).exit_code == 0
    with duckdb.connect(str(settings.database)) as connection:
        connection.execute("DELETE FROM conversations WHERE chat_id = '2026-11-03-0001'")
    result = kura("export", "--from", "2026-11-02", "--to", "2026-11-03", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert "what is stored of 2026-11-03 does not belong together" in result.stderr


def test_a_mistyped_setting_is_told_of_on_stderr_only(kura, monkeypatch):
    warn_of_unknown_variable.cache_clear()
    monkeypatch.setenv("KURA_CLUSTERNG", "hdbscan")
    result = kura("status")
    assert result.exit_code == 0
    assert "did you mean KURA_CLUSTERING?" in result.stderr
    assert "KURA_" not in result.stdout


class TestLanguageModels:
    """What the command line says of asking and paying, with the loopback server behind it."""

    @pytest.fixture(autouse=True)
    def asking(self, server, kura, land, monkeypatch):
        monkeypatch.setenv("KURA_LANGUAGE_MODEL", "openai/gpt-4o-mini")
        monkeypatch.setenv("KURA_EMBEDDING_MODEL", "openai/text-embedding-3-small")
        monkeypatch.setenv("KURA_CACHE", "kept")
        monkeypatch.setenv("KURA_PRICES", PRICES)
        land("2026-11-02", 8)

    def test_the_estimate_before_and_after_a_run_and_what_the_run_says_it_paid(self, kura, server):
        before = kura("estimate", "2026-11-02")
        assert before.exit_code == 0, before.output
        row = next(line for line in before.stdout.splitlines() if "summaries" in line)
        assert re.findall(r"[\w/.-]+", row)[:4] == ["summaries", "openai/gpt-4o-mini", "8", "0"]
        assert "This is an estimate" in before.stdout
        assert server.stats.chat == 0

        ran = kura("run", "2026-11-02")
        assert ran.exit_code == 0, ran.output
        calls = server.stats.chat + server.stats.embeddings
        assert f"{calls} calls (0 of them repeated), 0 answers from the cache, 0 failed; " in ran.stdout
        assert re.search(r"tokens in, [\d,]+ out; [\d.]+ USD\.", ran.stdout)
        after = kura("estimate", "--from", "2026-11-02").stdout
        assert "About 0 calls, 0.00 USD, for 2026-11-02." in after
        assert "0 calls (0 of them repeated)" in kura("run", "2026-11-02").stdout

    def test_an_unknown_price_is_said_to_be_unknown(self, kura, monkeypatch):
        monkeypatch.setenv("KURA_LANGUAGE_MODEL", "openai/our-own")
        shown = kura("estimate", "2026-11-02").stdout
        assert "unknown" in next(line for line in shown.splitlines() if "summaries" in line)
        assert "cost unknown" in shown
        assert 'The price of openai/our-own is unknown. Set KURA_PRICES={"openai/our-own": {"input": …' in shown

    def test_local_models_cost_nothing(self, kura, monkeypatch):
        monkeypatch.setenv("KURA_LANGUAGE_MODEL", "extractive")
        monkeypatch.setenv("KURA_EMBEDDING_MODEL", "minilm")
        assert kura("estimate", "2026-11-02").stdout == (
            "The run asks no provider and costs nothing: KURA_LANGUAGE_MODEL is extractive, KURA_EMBEDDING_MODEL is "
            "minilm.\n"
        )

    def test_an_estimate_needs_no_key_and_says_what_it_does_not_know(self, kura, server, monkeypatch):
        monkeypatch.delenv("OPENAI_API_KEY")
        result = kura("estimate", "2026-11-02")
        assert result.exit_code == 0, result.output
        assert server.stats.chat == 0
        for said in (result.stdout, kura("estimate", "--help").stdout):
            assert "a schema, prompts, extractors or models of your own" in " ".join(said.lower().split())
            assert "build_defs" in said

    @pytest.mark.parametrize("limit", [["--max-calls", "3"], ["--max-cost-usd", "0.001"]])
    def test_a_limit_of_a_run_stops_it_and_says_so_first(self, kura, server, monkeypatch, limit):
        monkeypatch.setenv("KURA_MAX_CALLS", "1000")
        monkeypatch.setenv("KURA_MAX_CONCURRENT_REQUESTS", "1")
        result = kura("run", "2026-11-02", *limit)
        assert result.exit_code == 1
        said = next(line for line in result.stderr.splitlines() if "failed:" in line)
        assert said.startswith("summaries failed: The ")
        assert "0 of 1 partitions are stored, 2026-11-02 is not done." in result.stderr
        assert server.stats.chat <= 3

    def test_what_is_waited_for_is_said_above_the_bars(self, kura, server):
        server.faults = Faults(status_every=3, status=429, retry_after="0.1")
        ran = kura("run", "2026-11-02")
        assert ran.exit_code == 0, ran.output
        assert "waiting openai/gpt-4o-mini: 1 × status 429; asked again in 0.1 s" in ran.stderr

    def test_looking_at_a_cache_that_is_not_there_does_not_make_it(self, kura):
        assert kura("cache").stdout.startswith("0 answers are kept, 0 B of at most 2.0 GB ")
        assert kura("cache", "clear", "--yes").stdout == "0 answers are forgotten.\n"
        assert not Path("kept").exists()

    def test_a_cache_above_a_lowered_limit_says_that_it_shrinks(self, kura, monkeypatch):
        kura("run", "2026-11-02")
        assert "shrinks" not in kura("cache").stdout
        monkeypatch.setenv("KURA_CACHE_SIZE_LIMIT", "10KB")
        assert "That is above the limit: it shrinks as new answers come, the oldest first." in kura("cache").stdout

    def test_the_cache_is_counted_and_cleared_after_asking(self, kura, server):
        assert kura("cache").stdout.startswith("0 answers are kept, ")
        kura("run", "2026-11-02")
        shown = kura("cache").stdout
        number = int(shown.split()[0])
        assert number >= server.stats.chat
        assert re.fullmatch(
            rf"{number} answers are kept, [\d.]+ [KM]B of at most 2\.0 GB \(.+\), in kept.answers\.\n", shown
        )
        refused = CliRunner().invoke(cli.app, ["cache", "clear"], input="n\n")
        assert refused.exit_code == 1
        assert f"Forget {number} answers? They would be paid for again." in refused.output
        assert kura("cache", "clear", "--yes").stdout == f"{number} answers are forgotten.\n"
        assert kura("cache").stdout.startswith("0 answers are kept, ")
        server.reset()
        kura("run", "2026-11-02")
        assert server.stats.chat > 0

    def test_a_cache_that_cannot_be_used_is_a_line(self, kura):
        Path("kept").write_text("no folder")
        for command in (["cache"], ["cache", "clear", "--yes"], ["estimate", "2026-11-02"]):
            result = kura(*command)
            assert result.exit_code == 1
            assert "kept" in result.stderr
            assert "Traceback" not in result.output

    def test_status_tells_of_what_failed(self, kura, server, monkeypatch):
        monkeypatch.setenv("KURA_FAILURE_LIMIT", "1")
        server.faults = Faults(fail_on="invoice for October", status=400)
        ran = kura("run", "2026-11-02")
        assert ran.exit_code == 0, ran.output
        assert "warning summaries: failures_below_limit: 2026-11-02: 1 of 8 conversations have no" in ran.stderr
        assert kura("status").stdout.splitlines()[-1] == (
            "1 items failed, see the table failed_summaries; run again: 2026-11-02 (1)."
        )

    def test_what_the_embedding_api_refused_is_told_and_exported_without(self, kura, server, monkeypatch):
        monkeypatch.setenv("KURA_FAILURE_LIMIT", "1")
        server.faults = Faults(embedding_fail_on="invoice", status=400)
        monkeypatch.setenv("KURA_SUMMARY_LANGUAGE_MODEL", "extractive")
        ran = kura("run", "2026-11-02")
        assert ran.exit_code == 0, ran.output
        assert kura("status").stdout.splitlines()[-1] == (
            "2 items failed, see the table failed_embeddings; run again: 2026-11-02 (2)."
        )
        exported = kura("export", "--from", "2026-11-02", "exported")
        assert exported.exit_code == 0, exported.output

    def test_under_the_bars_stands_how_far_it_is_and_the_latest_answer(self, kura, server, monkeypatch):
        server.latency = 0.3  # the display is drawn ten times a second
        monkeypatch.setenv("KURA_MAX_CONCURRENT_REQUESTS", "2")
        screen = io.StringIO()
        terminal = Console(file=screen, width=100, force_terminal=True, color_system=None)
        monkeypatch.setattr(screen_module, "errors", terminal)
        assert kura("run", "2026-11-02").exit_code == 0
        assert re.search(r"2026-11-02 summaries: \d of 8, 0 from cache, 0 failed, [\d.]+ USD", screen.getvalue())
        assert "The user asked about" in screen.getvalue()


def test_what_a_model_answered_neither_steers_the_terminal_nor_is_markup():
    screen = io.StringIO()
    hostile = "[red]gone[/red] \x1b[2Jand\nmore " + "x" * 500
    with runs._Bars(console=Console(file=screen, width=80, force_terminal=True, color_system=None)) as bars:
        bars.asking = RunProgress("2026-11-02", "summaries", 1, 2, 0, 0, 0.0, hostile)
        bars.refresh()
    shown = screen.getvalue()
    assert "[red]gone[/red] [2Jand more xxx" in shown
    assert "\x1b[2J" not in shown
    assert max(len(re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", line)) for line in shown.splitlines()) <= 80


COMMANDS = ["demo", "run", "estimate", "tree", "status", "export", "cache"]


def test_help_lists_every_command_and_where_settings_are(kura):
    text = kura("--help").stdout
    assert [command for command in COMMANDS if not re.search(rf"^│ {command} +[A-Z]", text, re.MULTILINE)] == []
    assert "KURA_" in text
    assert "README" in text


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", ["80", "120"])
def test_each_command_explains_itself(kura, monkeypatch, command, width):
    monkeypatch.setenv("COLUMNS", width)
    text = kura(command, "--help").stdout
    assert not re.search(r"<bool>|[{}]|%Y|…|\\b", text)
    assert max(map(len, text.splitlines())) <= int(width)

    parsed = typer.main.get_command(cli.app).commands[command]
    words = " ".join(re.sub("[│─╭╮╰╯]", " ", text).split())
    assert " ".join(parsed.help.replace("`", "").split()) in words
    for parameter in parsed.params:
        assert parameter.help, f"{parameter.name} is not explained"
        assert parameter.help in words
        assert (parameter.metavar if parameter.param_type_name == "argument" else parameter.opts[0]) in words

    # The examples are real: each is a command line that this command takes.
    examples = re.findall(r"^ +kura-dagster (.+?) *$", text, re.MULTILINE)
    assert examples
    for example in examples:
        name, *arguments = shlex.split(example)
        assert name == command
        taking = parsed
        if arguments and arguments[0] in getattr(parsed, "commands", {}):
            taking = parsed.commands[arguments.pop(0)]
        taking.make_context(name, arguments)


def test_the_usage_line_shows_what_must_be_given_as_it_is_typed(kura):
    usage = {
        command: re.search(r"Usage: root (.+?) *$", kura(command, "--help").stdout, re.M)[1] for command in COMMANDS
    }
    assert usage == {
        "demo": "demo [OPTIONS]",
        "run": "run [OPTIONS] [DAY]",
        "estimate": "estimate [OPTIONS] [DAY]",
        "tree": "tree [OPTIONS] [DAY]",
        "status": "status [OPTIONS]",
        "export": "export [OPTIONS] FOLDER",
        "cache": "cache [OPTIONS] COMMAND [ARGS]...",
    }


def test_days_that_ctrl_c_left_are_named_like_those_that_failed(monkeypatch, settings):
    began = []

    def run_keys(_, keys, first_asset):
        assert first_asset is None
        began.extend(keys)
        if len(began) > 1:
            raise typer.Exit(screen_module.INTERRUPTED if len(began) == 3 else 1)

    monkeypatch.setattr(forget, "run_keys", run_keys)
    keys = [f"2026-11-{day:02}" for day in range(2, 6)]
    assert forget._analyse_again(settings, keys) == keys[1:]
    assert began == keys[:3]


def test_a_full_disk_under_the_run_history_is_said_in_a_line_without_what_was_to_be_written(tmp_path, capsys):
    history = create_engine(f"sqlite:///{tmp_path / 'runs.db'}")

    def write() -> None:
        with screen_module.errors_explained(), history.connect() as connection:
            connection.execute(text("PRAGMA max_page_count = 3"))
            connection.execute(text("CREATE TABLE runs (body)"))
            connection.execute(text("INSERT INTO runs VALUES (:body)"), {"body": "private" * 5000})

    with pytest.raises(typer.Exit):
        write()
    said = capsys.readouterr().err
    assert "Dagster's run history cannot be used: database or disk is full" in said
    assert "private" not in said
