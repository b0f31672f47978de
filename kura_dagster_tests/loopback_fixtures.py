"""The loopback server as a fixture, for the test modules that name this one in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kura_dagster_tests.loopback_server import LoopbackServer


@pytest.fixture(scope="session")
def running_server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def server(running_server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> LoopbackServer:
    """The server with fresh counters and no faults, where OpenAI's client looks for OpenAI."""
    running_server.reset()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", running_server.base_url)
    return running_server
