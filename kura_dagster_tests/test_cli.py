"""The command line with the embedded default: what it prints, what it writes and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kura_dagster.cli import app
from kura_dagster.pipeline.types import Cluster, Conversation, ProjectedCluster

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def kura(monkeypatch, tmp_path, settings):
    """Run a command with the test's own database, landing folder and run history."""
    monkeypatch.setenv("KURA_DATABASE", str(settings.database))
    monkeypatch.setenv("KURA_CONVERSATIONS", str(settings.conversations))
    monkeypatch.setenv("KURA_PROJECTION", "pca")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").touch()

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, catch_exceptions=False)

    return invoke


def test_a_range_is_run_listed_drawn_and_exported(kura, land, tmp_path):
    land("2026-11-02", 25)
    land("2026-11-04", 2)
    ran = kura("run", "--from", "2026-11-02", "--to", "2026-11-04")
    assert ran.exit_code == 0, ran.output
    assert "projections" in ran.stdout

    status = kura("status")
    rows = {line.split()[0]: line.split()[1:] for line in status.stdout.splitlines() if line.strip().startswith("2026")}
    assert rows["2026-11-02"][:3] == ["25", "25", "25"]
    assert rows["2026-11-03"] == ["0"] * 6
    assert rows["2026-11-04"][:3] == ["2", "2", "2"]
    assert "3 of" in status.stdout

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
        (["run", "yesterday"], 2, "does not match"),
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
    assert "KURA_CLUSTERING is 'dbscan'; allowed is 'kmeans', 'minibatch_kmeans' or 'hdbscan'." in result.output


@pytest.mark.parametrize("command", ["demo", "run", "tree", "status", "export"])
def test_each_command_explains_itself(kura, command):
    result = kura(command, "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 6
