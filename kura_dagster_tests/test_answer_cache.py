"""Kept answers: keys, files that processes share, kills, damage, and a Redis server where there is one."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.pipeline.language_model.answer_cache import (
    CacheError,
    DiskCacheStrategy,
    RedisCacheStrategy,
    answer_key,
)
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster.settings import Settings
from kura_dagster_tests.loopback_server import LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

ASKED = {"provider": "openai", "model": "m", "url": "https://one.example/v1", "prompt": "p", "temperature": 0.2}


class Answer(BaseModel):
    summary: str


@pytest.fixture
def cache(tmp_path: Path):
    strategy = DiskCacheStrategy(tmp_path / "answers")
    yield strategy
    strategy.close()


def test_the_key_is_everything_that_changes_the_answer() -> None:
    keys = {answer_key("chat", **ASKED), answer_key("embedding", **ASKED)}
    for name, other in (
        ("provider", "groq"),
        ("model", "n"),
        ("url", "https://two.example/v1"),
        ("url", "https://one.example:8443/v1"),
        ("prompt", "q"),
        ("temperature", 0.3),
        ("schema", {"type": "object"}),
    ):
        keys.add(answer_key("chat", **{**ASKED, name: other}))
    assert len(keys) == 9
    # The way there is not: a path, a user and a key in the address
    assert answer_key("chat", **{**ASKED, "url": "https://me:secret@one.example/openai"}) in keys
    assert answer_key("chat", **{**ASKED, "url": "https://one.example:443/v1"}) in keys
    assert answer_key("chat", **{**ASKED, "url": "https://one.example:80/v1"}) not in keys


def test_what_is_set_is_there_for_the_next_process(cache: DiskCacheStrategy) -> None:
    assert cache.get("k") is None
    cache.set("k", {"answer": {"summary": "é\u2028", "score": 3}})
    cache.close()
    again = DiskCacheStrategy(cache.folder)
    assert again.get("k") == {"answer": {"summary": "é\u2028", "score": 3}}
    assert again.statistics().n_answers == 1
    assert again.delete("k")
    assert not again.delete("k")
    again.set("a", 1)
    again.set("b", 2)
    assert again.clear() == 2
    assert again.get("a") is None
    again.close()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    strategy = DiskCacheStrategy(tmp_path_factory.getbasetemp() / "any-json")
    strategy.set("k", {"answer": value})
    assert strategy.get("k") == {"answer": value}


def test_large_answers_go_to_files_and_come_back(cache: DiskCacheStrategy) -> None:
    cache.set("k", {"answer": "x" * 200_000})
    assert cache.get("k") == {"answer": "x" * 200_000}


def test_a_pickle_in_the_files_is_never_loaded(cache: DiskCacheStrategy, tmp_path: Path) -> None:
    cache.set("k", "text")
    cache.close()

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    with sqlite3.connect(cache.folder / "cache.db") as database:
        database.execute("UPDATE Cache SET mode = 4, value = ?", [pickle.dumps(Trap())])
    assert cache.get("k") is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", ["{half of it", "", 5])
def test_what_is_no_json_is_no_answer(cache: DiskCacheStrategy, value: object) -> None:
    cache.set("k", "text")
    cache.close()
    with sqlite3.connect(cache.folder / "cache.db") as database:
        database.execute("UPDATE Cache SET value = ?", [value])
    assert cache.get("k") is None


def test_the_oldest_answers_go_when_the_limit_is_reached(tmp_path: Path) -> None:
    strategy = DiskCacheStrategy(tmp_path / "small", size_limit=300_000)
    for number in range(40):
        strategy.set(f"k{number}", "x" * 20_000)
    assert strategy.get("k39") is not None
    assert strategy.get("k0") is None
    assert strategy.statistics().n_bytes < 600_000
    strategy.close()


WRITER = """
import sys
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
cache = DiskCacheStrategy(sys.argv[1])
for number in range(100_000):
    cache.set(f"{sys.argv[2]}-{number}", {"answer": number})
    print(number, flush=True)
"""


def start_writer(folder: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )


def test_processes_write_at_once_and_a_kill_loses_nothing_that_was_set(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path, name) for name in ("a", "b")]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline()
    time.sleep(0.3)
    said = {}
    for name, writer in zip("ab", writers, strict=True):
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        said[name] = [0] + [int(line) for line in writer.stdout.read().splitlines() if line]  # type: ignore[union-attr]
    strategy = DiskCacheStrategy(tmp_path)
    for name, numbers in said.items():
        assert len(numbers) > 10
        assert all(strategy.get(f"{name}-{number}") == {"answer": number} for number in numbers[:-1])
    strategy.set("after", 1)
    assert strategy.get("after") == 1
    strategy.close()


def test_a_folder_that_cannot_be_used_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CacheError, match="writable"):
        DiskCacheStrategy(tmp_path / "file" / "answers").get("k")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "cache.db").write_bytes(b"not a database " * 100)
    with pytest.raises(CacheError, match="delete the folder"):
        DiskCacheStrategy(damaged).get("k")


def test_what_is_no_json_is_refused(cache: DiskCacheStrategy) -> None:
    with pytest.raises(TypeError):
        cache.set("k", object())


class TestRedis:
    """Against a real server: that of KURA_TEST_REDIS_URL, or one of the tests' own where redis-server is installed."""

    @pytest.fixture
    def own_server(self, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("no redis-server is installed here (Debian: apt install redis-server)")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", tmp_path]
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _wait_for_redis(url)
            yield url, process
        finally:
            process.kill()
            process.wait()

    @pytest.fixture
    def url(self, request: pytest.FixtureRequest) -> str:
        pytest.importorskip("redis", reason="the extra redis is not installed")
        given = os.environ.get("KURA_TEST_REDIS_URL")
        if given is None:
            return request.getfixturevalue("own_server")[0]  # type: ignore[no-any-return]
        _wait_for_redis(given)
        return given

    def test_answers_are_json_that_every_machine_finds(self, url: str) -> None:
        redis = pytest.importorskip("redis")
        strategy = RedisCacheStrategy(url, prefix=f"kura:test:{os.getpid()}:")
        assert strategy.get("k") is None
        strategy.set("k", {"answer": "é"})
        assert RedisCacheStrategy(url, prefix=strategy.prefix).get("k") == {"answer": "é"}
        assert json.loads(redis.Redis.from_url(url).get(f"{strategy.prefix}k")) == {"answer": "é"}
        redis.Redis.from_url(url).delete(f"{strategy.prefix}k")

    def test_a_question_that_is_being_asked_is_marked_until_it_is_answered_or_given_up(self, url: str) -> None:
        pytest.importorskip("redis")
        strategy = RedisCacheStrategy(url, prefix=f"kura:test:{os.getpid()}:lease:")
        assert strategy.lease("k", 0.2)
        assert not strategy.lease("k", 0.2)
        assert strategy.get("k") is None
        strategy.renew("k", 0.5)
        time.sleep(0.25)
        assert not strategy.lease("k", 0.2)
        strategy.release("k")
        assert strategy.lease("k", 0.2)
        time.sleep(0.25)
        assert strategy.lease("k", 30)
        strategy.set("k", {"answer": 1})
        strategy.release("k")
        strategy.renew("k", 0.01)
        time.sleep(0.05)
        assert strategy.get("k") == {"answer": 1}
        strategy._client.delete(f"{strategy.prefix}k")

    def test_a_run_of_another_machine_pays_nothing(
        self, url: str, server: LoopbackServer, settings: Settings, land: Any, tmp_path: Path
    ) -> None:
        land("2026-11-02", 12)
        prefix = f"kura:test:{os.getpid()}:{tmp_path.name}:"
        paid = []
        for machine in ("one", "two"):
            own = settings.model_dump() | {
                "database": tmp_path / machine / "kura.duckdb",
                "cache": tmp_path / machine,
                "language_model": "openai/gpt-4o-mini",
                "embedding_model": "openai/text-embedding-3-small",
                "projection": "pca",
            }
            server.reset()
            with dg.DagsterInstance.ephemeral() as instance:
                defs = build_defs(Settings.load(**own), cache=RedisCacheStrategy(url, prefix=prefix))
                report = materialise(defs, ["2026-11-02"], instance)
            assert report.success, report.failures
            paid.append((server.stats.chat, server.stats.embeddings))
        assert paid[0][0] > 8
        assert paid[0][1] > 0
        assert paid[1] == (0, 0)
        assert not list(tmp_path.rglob("cache.db")), "nothing is kept on the machine itself"

    def test_a_server_that_goes_away_stops_the_asking(
        self, own_server: tuple[str, subprocess.Popen[bytes]], server: LoopbackServer
    ) -> None:
        url, process = own_server

        async def run() -> None:
            async with LanguageModel(cache=RedisCacheStrategy(url), max_concurrent_requests=1) as language_model:
                await language_model.ask("violet kettle", Answer)
                process.kill()
                process.wait()
                await language_model.ask("green door", Answer)

        with pytest.raises(CacheError, match=r"Redis at 127\.0\.0\.1 can't be asked"):
            asyncio.run(run())
        assert server.stats.chat == 1


def _wait_for_redis(url: str) -> None:
    import redis

    for _ in range(100):
        try:
            redis.Redis.from_url(url, socket_connect_timeout=1).ping()
            return
        except redis.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the Redis server does not answer")


def test_a_redis_server_that_is_away_is_an_error_without_its_password() -> None:
    pytest.importorskip("redis", reason="the extra redis is not installed")
    with pytest.raises(CacheError) as caught:
        RedisCacheStrategy("redis://:hunter2@127.0.0.1:1/0").get("k")
    assert "127.0.0.1" in str(caught.value)
    assert "hunter2" not in str(caught.value)
