"""Fixtures that several test modules share."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import hypothesis
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tenacity import wait_exponential_jitter

from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
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


# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_configure() -> None:
    """Have Ctrl-C count also where the shell that started the tests in the background has it ignored.

    What tests start would inherit that, and Dagster's servers, which take SIGTERM as SIGINT, would then not stop.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`dagster dev` comes first: its tests mostly wait, and at the end there would be nothing to do meanwhile."""
    items.sort(key=lambda item: item.path.name != "test_dagster_dev.py")


@event.listens_for(Engine, "connect")
def do_not_wait_for_the_disk(connection: Any, _: Any) -> None:
    """Dagster commits some four hundred times a run, and each would wait for the disk: half of the time of a run.

    What that waiting is for, a power failure, no test has; a process that is killed loses nothing without it.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(autouse=True)
def ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say themselves how wide a console is and what it can; a dumb terminal would know better."""
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture(autouse=True)
def short_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that is away is given up after tenths of a second, and not after the minute that it deserves."""
    monkeypatch.setattr(gateway, "_back_off", wait_exponential_jitter(multiplier=0.01, max=0.1, jitter=0.01))


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_the_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests see no KURA_ variable, no .env and no Dagster instance of whoever runs them; nor do fixtures they share."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if name.startswith("KURA_") or name == "DAGSTER_HOME"]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path_factory.getbasetemp())
        yield


@pytest.fixture(autouse=True)
def no_settings_of_another_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test begins in an empty folder, and without what the command line wrote into the environment for another."""
    for name in [name for name in os.environ if name.startswith("KURA_") or name == "DAGSTER_HOME"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(
        database=tmp_path / "kura.duckdb", conversations=tmp_path / "conversations", start_date="2026-11-02"
    )


@pytest.fixture(scope="session")
def minilm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with MiniLM's graph, which takes a second to build and 90 MB to write."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    asyncio.run(MiniLMEmbeddingModel(folder).embed(["hello"]))
    return folder


@pytest.fixture
def with_minilm(minilm_cache: Path) -> Callable[[Path], None]:
    """Put MiniLM's graph into a cache folder of a test's own, as if it had been built there before."""

    def link(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for graph in minilm_cache.glob("*.onnx"):
            (folder / graph.name).hardlink_to(graph)

    return link


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def with_settings(settings: Settings, **changed: Any) -> Settings:
    """Return the settings with some changed, checked as those of the environment are."""
    return Settings.load(**settings.model_dump() | changed)


def land_day(folder: Path, day: str, count: int) -> None:
    """Write `count` conversations into the landing file of a day."""
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime.fromisoformat(day).replace(hour=8, tzinfo=UTC)
    with (folder / f"{day}.jsonl").open("w") as file:
        for number in range(count):
            when = start + timedelta(minutes=number)
            row = rows.conversation(number, REQUESTS[number % len(REQUESTS)], when).model_dump(mode="json")
            file.write(json.dumps(row | {"chat_id": f"{day}-{number:04}"}) + "\n")


@pytest.fixture
def land(settings: Settings) -> Callable[[str, int], None]:
    """Land days for the settings' database."""
    return partial(land_day, settings.conversations)
