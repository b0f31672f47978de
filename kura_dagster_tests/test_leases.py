"""Several processes on one cache: no question is paid for twice, and one that is killed holds up nobody for long."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kura_dagster.pipeline.language_model import leases
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.pipeline.language_model.client import LanguageModel, LanguageModelError, answer_all
from kura_dagster_tests.loopback_server import Faults, LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

QUESTIONS = 120
ASKING = """
import asyncio, json, sys
from pydantic import BaseModel
from kura_dagster.pipeline.language_model import leases
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.pipeline.language_model.client import LanguageModel, answer_all
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel

class Answer(BaseModel):
    summary: str

async def main(folder, number, lease_seconds):
    leases.LEASE_SECONDS = lease_seconds
    cache = DiskCacheStrategy(folder)
    async with (
        LanguageModel("openai/m", cache=cache, max_concurrent_requests=10) as model,
        OpenAIEmbeddingModel("e", model_batch_size=7, n_concurrent_jobs=3, cache=cache, ledger=model.ledger) as vectors,
    ):
        questions = [f"question {each}" for each in range(number)]
        await model.ask("this process is ready", Answer)
        print("ready", flush=True)
        sys.stdin.readline()
        answers = await answer_all(
            questions, lambda each: model.ask(each, Answer), at_once=10, what="questions", names=questions
        )
        await vectors.embed(questions)
        spent = model.ledger.spent
        print(json.dumps({"answers": len(answers), "calls": spent.calls, "kept": spent.cache_hits}), flush=True)
    cache.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
"""


class Answer(BaseModel):
    summary: str


@pytest.fixture
def cache(tmp_path: Path) -> DiskCacheStrategy:
    return DiskCacheStrategy(tmp_path / "answers")


def started(folder: Path, lease_seconds: float = 30) -> subprocess.Popen[str]:
    """Start a process that asks as soon as a line is written to it."""
    command = [sys.executable, "-c", ASKING, str(folder), str(QUESTIONS), str(lease_seconds)]
    home = Path(__file__).parent.parent
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=home)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(output)
    return found


def test_two_processes_pay_for_each_question_once_and_share_the_work(server: LoopbackServer, tmp_path: Path) -> None:
    server.latency = 0.05
    processes = [started(tmp_path), started(tmp_path)]
    began = time.monotonic()
    go(*processes)
    found = [said(process) for process in processes]
    seconds = time.monotonic() - began
    assert [each["answers"] for each in found] == [QUESTIONS, QUESTIONS]
    assert len(server.stats.paid_by_question) == QUESTIONS + 1, "a text to embed has the key of the same question"
    assert server.stats.chat == QUESTIONS + 1
    assert server.stats.embedded_texts == QUESTIONS
    assert sum(each["calls"] for each in found) == server.stats.chat + server.stats.embeddings
    assert min(each["calls"] for each in found) > 0.2 * QUESTIONS, "one did nearly all, and the other waited"
    print(f"two processes: {found}, {seconds:.2f} s")


def test_what_a_killed_process_was_asking_is_asked_by_the_other(server: LoopbackServer, tmp_path: Path) -> None:
    server.latency = 1.5
    killed, living = started(tmp_path, 2), started(tmp_path, 2)
    go(killed)
    deadline = time.monotonic() + 30
    while server.stats.in_flight < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=10)
    in_flight = server.stats.in_flight  # only now: until it was dead it asked more
    killed.communicate()
    assert in_flight >= 5
    server.latency = 0.0
    began = time.monotonic()
    go(living)
    found = said(living)
    assert found["answers"] == QUESTIONS
    assert time.monotonic() - began < 60
    # A text to embed has the key of the same question: each is paid twice, and what was in flight once more.
    again = [key for key, times in server.stats.paid_by_question.items() if times > 2]
    assert len(again) <= in_flight
    assert server.stats.chat <= QUESTIONS + 1 + in_flight


def test_a_question_that_fails_is_free_for_others_at_once(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    server.faults = Faults(refuse_on="question")

    async def run() -> None:
        async with LanguageModel(cache=cache) as first, LanguageModel(cache=cache) as second:
            with pytest.raises(LanguageModelError):
                await first.ask("question", Answer)
            server.faults = Faults()
            await asyncio.wait_for(second.ask("question", Answer), 1)

    asyncio.run(run())
    assert cache.statistics().n_answers == 1


def test_a_long_question_keeps_its_lease(
    server: LoopbackServer, cache: DiskCacheStrategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.3)
    server.latency = 1.0

    async def run() -> None:
        async with LanguageModel(cache=cache) as first, LanguageModel(cache=cache) as second:
            asked = asyncio.create_task(first.ask("question", Answer))
            await asyncio.sleep(0.1)
            await second.ask("question", Answer)
            await asked

    asyncio.run(run())
    assert server.stats.chat == 1


def test_others_are_asked_while_one_waits_for_another_process(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    questions = [f"question {number}" for number in range(6)]

    async def run() -> None:
        async with LanguageModel(cache=cache) as elsewhere, LanguageModel(cache=cache) as here:
            server.latency = 4.0
            asked = [asyncio.create_task(elsewhere.ask(each, Answer)) for each in questions[:2]]
            while server.stats.in_flight < 2:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)  # for both to have begun to wait
            server.latency = 0.0
            done: list[str] = []

            async def ask(question: str) -> None:
                await here.ask(question, Answer)
                done.append(question)

            await answer_all(questions, ask, at_once=2, what="questions", names=questions)
            assert set(done[:4]) == set(questions[2:])
            await asyncio.gather(*asked)

    asyncio.run(run())
    assert server.stats.chat == 6


def test_a_kept_answer_that_does_not_fit_any_more_is_asked_for(
    server: LoopbackServer, cache: DiskCacheStrategy
) -> None:
    async def run() -> None:
        async with LanguageModel(cache=cache) as model:
            await model.ask("question", Answer)
            assert cache._opened is not None
            (key,) = cache._opened.iterkeys()
            cache.set(key, {"answer": {"nothing": "that fits"}})
            await asyncio.wait_for(model.ask("question", Answer), 2)

    asyncio.run(run())
    assert server.stats.chat == 2


def test_a_lease_is_no_answer_ends_by_itself_and_is_never_taken_for_one(cache: DiskCacheStrategy) -> None:
    assert cache.lease("key", 0.2)
    assert not cache.lease("key", 0.2)
    assert cache.get("key") is None
    cache.renew("key", 0.4)
    time.sleep(0.3)
    assert not cache.lease("key", 0.2)
    time.sleep(0.2)
    assert cache.statistics().n_answers == 0
    assert cache.lease("key", 60)
    cache.set("key", {"answer": 1})
    cache.release("key")
    cache.renew("key", 0.01)
    time.sleep(0.02)
    assert cache.get("key") == {"answer": 1}
    assert not cache.lease("key", 60)
