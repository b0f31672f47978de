"""A code location of the user's own under the command line, in a folder with a module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from kura_dagster import cli
from kura_dagster_tests.loopback_server import Faults, LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

COMMAND = Path(sys.executable).with_name("kura-dagster")
OURS = {"KURA_LANGUAGE_MODEL": "openai/gpt-4o-mini", "KURA_PROJECTION": "pca"}
MODULE = """
import json
from pathlib import Path

from kura_dagster.orchestration.build import build_defs
from kura_dagster.pipeline import CacheStrategy
from kura_dagster.pipeline.types import GeneratedSummary


class Files(CacheStrategy):
    def get(self, key):
        path = Path("mine") / key
        return json.loads(path.read_text()) if path.exists() else None

    def set(self, key, value):
        Path("mine").mkdir(exist_ok=True)
        (Path("mine") / key).write_text(json.dumps(value))
FORGET

class WithTone(GeneratedSummary):
    tone: str


defs = build_defs(response_schema=WithTone, cache=Files())
"""
FORGET = """
    def forget(self, chat_id):
        from kura_dagster.pipeline.asked_about import ABOUT, hash_of

        about = [path for path in Path("mine").iterdir() if hash_of(chat_id) in json.loads(path.read_text())[ABOUT]]
        for path in about:
            path.unlink()
        return len(about)
"""


class Folder:
    """A user's folder with the module `ours`, two conversations, and the installed command."""

    def __init__(self, path: Path, forget: str = FORGET) -> None:
        self.path = path
        (path / "ours.py").write_text(MODULE.replace("FORGET", forget))
        (path / "workspace.yaml").write_text("load_from:\n  - python_module: ours\n")
        landing = path / "data" / "conversations"
        landing.mkdir(parents=True)
        lines = [
            {
                "chat_id": f"c-{word}",
                "created_at": "2026-11-02T09:00:00Z",
                "messages": [{"role": "user", "content": f"Where is my {word}?", "created_at": "2026-11-02T09:00:00Z"}],
            }
            for word in ("kettle", "parcel")
        ]
        (landing / "2026-11-02.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def kura(self, *arguments: str) -> Result:
        """Run the command line in this process, and leave none of its environment and no module behind."""
        with patch.dict(os.environ, OURS), pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.chdir(self.path)
            try:
                return CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
            finally:
                for name in ("ours", "nothing_of_ours"):
                    sys.modules.pop(name, None)

    def installed_kura(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("KURA_", "DAGSTER_"))}
        return subprocess.run(
            [str(COMMAND), *arguments],
            cwd=self.path,
            env={**plain, **OURS},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def kept(self) -> int:
        return len(list((self.path / "mine").glob("*")))


def test_the_installed_command_runs_and_erases_with_it(server: LoopbackServer, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    ran = folder.installed_kura("run", "2026-11-02")
    assert ran.returncode == 0, ran.stderr
    assert server.stats.by_schema["WithTone"] == 2
    assert folder.kept() == server.stats.chat
    assert not (tmp_path / "data" / "cache" / "answers").exists()
    gone = folder.installed_kura("forget", "c-kettle", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert "kept answers: 2" in gone.stdout
    assert server.stats.by_schema["WithTone"] == 2, "the other conversation's summary was kept"


def test_answers_that_cannot_be_erased_are_told_of(server: LoopbackServer, tmp_path: Path) -> None:
    folder = Folder(tmp_path, forget="")
    assert folder.kura("run", "2026-11-02").exit_code == 0
    gone = folder.kura("forget", "c-kettle", "--yes")
    assert gone.exit_code == 1
    assert "2026-11-02.jsonl: 1" in gone.stdout
    assert "Files has no forget: what it keeps is not erased" in gone.stderr


def test_limits_of_the_command_line_hold_for_it(server: LoopbackServer, tmp_path: Path) -> None:
    ran = Folder(tmp_path).kura("run", "2026-11-02", "--max-calls", "1")
    assert ran.exit_code == 1
    assert "The limit of 1 calls (KURA_MAX_CALLS) is reached" in ran.stderr
    assert server.stats.chat == 1


def test_limits_hold_for_all_runs_of_a_command_together(server: LoopbackServer, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    landing = tmp_path / "data" / "conversations"
    later = (landing / "2026-11-02.jsonl").read_text().replace("2026-11-02", "2026-11-05").replace("my ", "the ")
    (landing / "2026-11-05.jsonl").write_text(later)
    ran = folder.kura("run", "--landed", "--max-calls", "5")
    assert ran.exit_code == 1
    assert "Analysing 2026-11-05" in ran.stdout, "the first day took less"
    assert server.stats.chat == 5
    assert folder.kura("run", "--landed").exit_code == 0


def test_what_a_run_that_failed_spent_counts_too(server: LoopbackServer, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    landing = tmp_path / "data" / "conversations"
    later = (landing / "2026-11-02.jsonl").read_text().replace("2026-11-02", "2026-11-05").replace("my kettle", "it")
    (landing / "2026-11-05.jsonl").write_text(later)
    server.faults = Faults(refuse_on="kettle")
    ran = folder.kura("run", "--landed", "--max-calls", "6")
    assert ran.exit_code == 1
    assert "1 of 2 conversations" in ran.stderr
    assert "The limit of 1 calls (KURA_MAX_CALLS) is reached" in ran.stderr, "the refused one took four, the other one"
    assert server.stats.chat == 6


@pytest.mark.parametrize(
    "workspace",
    [
        "python_file: ours.py",
        "python_module: {module_name: ours, attribute: defs}",
        "python_module: nothing_of_ours\n  - python_module: ours",
    ],
)
def test_every_way_to_name_it(server: LoopbackServer, tmp_path: Path, workspace: str) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "nothing_of_ours.py").touch()
    (tmp_path / "workspace.yaml").write_text(f"load_from:\n  - {workspace}\n")
    assert folder.kura("run", "2026-11-02").exit_code == 0
    assert server.stats.by_schema["WithTone"] == 2


@pytest.mark.parametrize(
    ("workspace", "said"),
    [
        (
            "load_from: [{python_module: nowhere}]",
            "workspace.yaml names nowhere, which can't be loaded: No module named",
        ),
        ("load_from: [{python_file: no.py}]", "no.py, which can't be loaded:"),
        (
            "load_from: [{python_module: nothing_of_ours}]",
            "workspace.yaml names no module with `defs = build_defs(...)`",
        ),
        (
            "load_from: [{python_file: wrong.py}]",
            "wrong.py, which can't be loaded: ZeroDivisionError: division",
        ),
        (
            "load_from: [{python_module: {module_name: ours, attribute: nothere}}]",
            "AttributeError: module 'ours'",
        ),
        ("load_from: [{python: x}]", "workspace.yaml can't be read:"),
        ("- load_from: [", "workspace.yaml can't be read:"),
    ],
)
def test_what_is_no_code_location_is_refused(tmp_path: Path, workspace: str, said: str) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "workspace.yaml").write_text(workspace)
    (tmp_path / "wrong.py").write_text("1 / 0")
    (tmp_path / "nothing_of_ours.py").touch()
    ran = folder.kura("run", "2026-11-02")
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
