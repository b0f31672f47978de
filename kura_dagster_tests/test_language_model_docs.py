"""The page about language models says what is true: its examples run, and what it names exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kura_dagster.cli import app
from kura_dagster.settings import Settings
from kura_dagster.storage import tables
from kura_dagster_tests.loopback_server import LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

PAGE = (Path(__file__).parents[1] / "docs" / "language_models.md").read_text(encoding="utf-8")
CHATS, *EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(example: str, folder: Path) -> list[str]:
    """Return the lines that an example prints in a folder that holds `chats.py`."""
    (folder / "chats.py").write_text(CHATS, encoding="utf-8")
    environment = {**os.environ, "KURA_LANGUAGE_MODEL": "openai/gpt-4o-mini"}
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", example],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def example(marker: str) -> str:
    (found,) = [each for each in EXAMPLES if marker in each]
    return found


def test_every_example_is_run_here() -> None:
    assert len(EXAMPLES) == 12, "one came or went: its test should too"


def test_providers(server: LoopbackServer, tmp_path: Path) -> None:
    lines = run(example("summary.task"), tmp_path)
    assert [line.split()[0] for line in lines] == ["chat-0", "chat-1", "chat-2", "chat-3"]
    assert server.stats.chat == 4


def test_cache(server: LoopbackServer, tmp_path: Path) -> None:
    assert run(example('DiskCacheStrategy("answers")'), tmp_path) == ["the second time: 0 calls, 4 kept answers"]
    assert server.stats.chat == 4
    assert (tmp_path / "answers").is_dir()


def test_own_cache(server: LoopbackServer, tmp_path: Path) -> None:
    assert run(example("class InMemory(CacheStrategy)"), tmp_path) == ["4 answers kept"]


def test_limits(server: LoopbackServer, tmp_path: Path) -> None:
    message, first, second = run(example("BudgetError"), tmp_path)
    assert message.startswith("The limit of 3 calls (KURA_MAX_CALLS) is reached.")
    assert re.fullmatch(r"3 calls, 0 kept, 0\.000\d+ USD", first)
    assert re.fullmatch(r"1 calls, 3 kept, 0\.000\d+ USD", second)
    assert server.stats.chat == 4


def test_failures(server: LoopbackServer, tmp_path: Path) -> None:
    server.faults.fail_on, server.faults.status = "haiku", 422
    first, second = run(example("failures = []"), tmp_path)
    assert first == "3 summaries, 1 failed"
    assert second.startswith("chat-2 openai/gpt-4o-mini ")
    assert "status 422" in second


def test_shortening(server: LoopbackServer, tmp_path: Path) -> None:
    assert run(example("conversation_shortened"), tmp_path) == ["True"]
    assert len(server.stats.prompts[0]) < 11_000


def test_response_schema(server: LoopbackServer, tmp_path: Path) -> None:
    (line,) = run(example("SupportSummary"), tmp_path)
    sentiment, complexity = line.split()
    assert sentiment in ("positive", "neutral", "negative")
    assert int(complexity) in range(1, 11)


def test_own_prompt(server: LoopbackServer, tmp_path: Path) -> None:
    assert len(run(example("PROMPT ="), tmp_path)) == 4
    assert all(prompt.startswith("You read support chats") for prompt in server.stats.prompts)
    assert all('- plan: "pro"\n- seats: 5\n' in prompt for prompt in server.stats.prompts)


def test_extractors(server: LoopbackServer, tmp_path: Path) -> None:
    lines = run(example("extractors=[language, escalation, drift]"), tmp_path)
    assert len(lines) == 4
    for line in lines:
        metadata = eval(line)
        assert metadata | {"drift": 0} == {
            "plan": "pro",
            "seats": 5,
            "conversation_turns": 3,
            "language_code": "english",
            "wants_a_human": False,
            "drift": 0,
            "user_turns": 2,
        }
        assert 0 < metadata["drift"] < 2
    models = sorted(body["model"] for body in server.stats.bodies)
    assert models == ["gpt-4o"] * 4 + ["gpt-4o-mini"] * 8
    assert server.stats.embeddings == 4


def test_metadata(server: LoopbackServer, tmp_path: Path) -> None:
    assert run(example("org-7"), tmp_path) == ["org-7 False 3"] * 4
    assert not any("org-7" in str(body) for body in server.stats.bodies)


def test_model_of_each_stage(server: LoopbackServer, tmp_path: Path) -> None:
    (line,) = run(example("MetaClusterModel(model="), tmp_path)
    assert line == "{'openai/gpt-4o-mini'} {'openai/gpt-4o'}"


def test_own_code_location(server: LoopbackServer, tmp_path: Path) -> None:
    code = example("build_defs(") + "\nprint(len(list(defs.resolve_all_asset_specs())))"
    assert int(run(code, tmp_path)[0]) >= 6


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bKURA_[A-Z_]+\b", PAGE))))
def test_each_setting_exists(name: str) -> None:
    assert name.removeprefix("KURA_").lower() in Settings.model_fields


@pytest.mark.parametrize("words", sorted(set(re.findall(r"`kura-dagster ([a-z]+)", PAGE))))
def test_each_command_exists(words: str) -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert words in names | {group.name for group in app.registered_groups}


@pytest.mark.parametrize("name", re.findall(r"`(failed_[a-z_]+)`", PAGE))
def test_each_table_exists(name: str) -> None:
    assert name in {table.name for table in vars(tables).values() if isinstance(table, tables.Table)}
