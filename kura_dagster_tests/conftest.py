"""Fixtures that several test modules share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from tenacity import wait_exponential_jitter

from kura_dagster.pipeline.language_model import gateway
from kura_dagster.settings import Settings
from kura_dagster_tests import rows

REQUESTS = [
    "reset my password please",
    "reset the password of my account",
    "invoice for October is missing",
    "invoice has the wrong address",
    "refund the second payment",
    "cancel my subscription today",
    "cancel the order I made",
    "export all my data",
]


@pytest.fixture(autouse=True)
def ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say themselves how wide a console is and what it can; a dumb terminal would know better."""
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture(autouse=True)
def short_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that is away is given up after tenths of a second, and not after the minute that it deserves."""
    monkeypatch.setattr(gateway, "_back_off", wait_exponential_jitter(multiplier=0.01, max=0.1, jitter=0.01))


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests see no KURA_ variable, no .env and no Dagster instance of whoever runs them."""
    import os

    for name in [name for name in os.environ if name.startswith("KURA_") or name == "DAGSTER_HOME"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(
        database=tmp_path / "kura.duckdb", conversations=tmp_path / "conversations", start_date="2026-11-02"
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def land(settings: Settings) -> Callable[[str, int], None]:
    """Write `count` conversations into the landing file of a day."""

    def write(day: str, count: int) -> None:
        settings.conversations.mkdir(parents=True, exist_ok=True)
        start = datetime.fromisoformat(day).replace(hour=8, tzinfo=UTC)
        with (settings.conversations / f"{day}.jsonl").open("w") as file:
            for number in range(count):
                when = start + timedelta(minutes=number)
                row = rows.conversation(number, REQUESTS[number % len(REQUESTS)], when).model_dump(mode="json")
                file.write(json.dumps(row | {"chat_id": f"{day}-{number:04}"}) + "\n")

    return write
