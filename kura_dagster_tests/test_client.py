from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from kura_dagster.pipeline.failures import SetupError, SomeFailed
from kura_dagster.pipeline.language_model import gateway
from kura_dagster.pipeline.language_model.client import LanguageModel, LanguageModelError, answer_all, opened
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster_tests.loopback_server import Faults, LoopbackServer, loopback_subprocess, read_stats
from kura_dagster_tests.scripted_server import Reply, completion, scripted

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

SECRET = "sk-loopback-0123456789"
PRIVATE = "Zanzibar's diary says that the violet kettle sings at night"


class Answer(BaseModel):
    summary: str
    score: int = Field(ge=1, le=5)


class Impossible(BaseModel):
    """The server answers strings with text, never with a number in them."""

    summary: str = Field(pattern=r"^\d+$")


def ask_once(prompt: str = "What is this about?", schema: type[BaseModel] = Answer, **options: Any) -> Any:
    async def ask() -> Any:
        async with LanguageModel(**options) as language_model:
            return await language_model.ask(prompt, schema)

    return asyncio.run(ask())


def failure_of(prompt: str = "What is this about?", schema: type[BaseModel] = Answer, **options: Any) -> str:
    with pytest.raises(LanguageModelError) as caught:
        ask_once(prompt, schema, **options)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert PRIVATE not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def accepted(listener: socket.socket) -> Iterator[None]:
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return
        yield


def until(condition: Any, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_answer_is_an_instance_of_the_asked_schema(server: LoopbackServer) -> None:
    answer = ask_once("<conversation>violet kettle sings</conversation>")
    assert isinstance(answer, Answer)
    assert "violet" in answer.summary
    assert 1 <= answer.score <= 5
    body = server.stats.bodies[-1]
    assert body["model"] == "gpt-4o-mini"
    assert body["temperature"] == 0.2
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_prompt_reaches_the_provider_letter_for_letter(server: LoopbackServer) -> None:
    prompt = "{{ 7 * 7 }} {% raw %} {conversation} {# gone? #} \\n https://example.org/cat.png  \n   indented"
    ask_once(prompt)
    assert server.stats.prompts[-1] == prompt


def test_validators_get_the_context_and_the_prompt_stays_literal(server: LoopbackServer) -> None:
    seen = []

    class Checked(BaseModel):
        summary: str

        @field_validator("summary")
        @classmethod
        def note(cls, value: str, info: ValidationInfo) -> str:
            seen.append(info.context["word"])  # type: ignore[index]
            return value

    async def ask() -> None:
        async with LanguageModel() as language_model:
            prompt = "{{ word }} {{ kura_prompt }} {% endraw %} {% for x in y %}"
            await language_model.ask(prompt, Checked, context={"word": "secret"})

    asyncio.run(ask())
    assert seen == ["secret"]
    assert server.stats.prompts[-1] == "{{ word }} {{ kura_prompt }} {% endraw %} {% for x in y %}"


def test_requests_in_flight_stay_within_the_limit_and_reach_it(server: LoopbackServer) -> None:
    server.latency = 0.05

    async def ask() -> None:
        async with LanguageModel(max_concurrent_requests=7) as language_model:
            await asyncio.gather(*(language_model.ask(f"question {number}", Answer) for number in range(28)))

    asyncio.run(ask())
    assert server.stats.chat == 28
    assert server.stats.max_in_flight == 7


def test_no_socket_stays_open_after_the_end(server: LoopbackServer) -> None:
    async def ask() -> tuple[int, int]:
        async with LanguageModel() as language_model:
            await asyncio.gather(*(language_model.ask(f"question {number}", Answer) for number in range(20)))
            before = server.open_connections
        # The loop still runs: what is closed now was closed by us and not by the loop's end.
        await asyncio.sleep(0.2)
        return before, server.open_connections

    before, after = asyncio.run(ask())
    assert before >= 1
    assert after == 0


def test_model_can_be_opened_again_in_another_loop(server: LoopbackServer) -> None:
    language_model = LanguageModel(max_concurrent_requests=1)

    async def ask() -> None:
        async with language_model:
            await asyncio.gather(*(language_model.ask(f"question {number}", Answer) for number in range(3)))

    asyncio.run(ask())
    asyncio.run(ask())
    assert server.stats.chat == 6


def test_question_outside_of_async_with_is_refused(server: LoopbackServer) -> None:
    with pytest.raises(RuntimeError, match="is not open"):
        asyncio.run(LanguageModel().ask("?", Answer))
    assert server.stats.chat == 0


def test_opening_twice_is_refused(server: LoopbackServer) -> None:
    async def twice() -> None:
        async with LanguageModel() as language_model:
            await language_model.__aenter__()

    with pytest.raises(RuntimeError, match="open already"):
        asyncio.run(twice())


def test_bad_json_is_asked_for_again(server: LoopbackServer) -> None:
    server.faults = Faults(bad_json_every=2)

    async def ask() -> list[Answer]:
        async with LanguageModel(max_concurrent_requests=1) as language_model:
            return [await language_model.ask(f"question {number}", Answer) for number in range(4)]

    assert len(asyncio.run(ask())) == 4
    assert server.stats.chat == 7
    # What was wrong is in the repeated question.
    assert any("rror" in prompt and "question" in prompt for prompt in server.stats.prompts)


def test_answer_that_never_fits_is_given_up_after_three_repetitions(server: LoopbackServer) -> None:
    text = failure_of(f"<conversation>{PRIVATE}</conversation>", Impossible)
    assert "gave no fitting answer in 4 attempts" in text
    assert "summary: string pattern mismatch" in text
    assert server.stats.chat == 4


def test_failures_leave_nothing_private_in_the_logs(server: LoopbackServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    failure_of(f"<conversation>{PRIVATE}</conversation>", Impossible)
    server.faults = Faults(require_key="another")
    failure_of(PRIVATE)
    assert "violet" not in caplog.text
    assert SECRET not in caplog.text


def test_number_given_as_text_is_good_enough(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Loose(BaseModel):
        languages: list[str]
        score: float

    monkeypatch.setattr(
        "kura_dagster_tests.loopback_server._Answer.value", lambda *_: {"languages": ["english"], "score": "3"}
    )
    assert ask_once(schema=Loose).score == 3
    assert server.stats.chat == 1


def test_missing_key_names_the_variable(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    text = failure_of()
    assert "needs a key: set the environment variable OPENAI_API_KEY" in text
    assert "any value does" in text  # a base URL is set: it may be a server that asks for none
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert "any value does" not in failure_of()


def test_refused_key_says_what_to_set_and_not_the_key(server: LoopbackServer) -> None:
    server.faults = Faults(require_key="another")
    text = failure_of()
    assert "refused the key for openai/gpt-4o-mini (status 401)" in text
    assert "Set OPENAI_API_KEY" in text
    assert server.base_url in text


def test_unknown_model_says_what_to_set(server: LoopbackServer) -> None:
    server.faults = Faults(known_models=("llama",))
    text = failure_of(model="openai/gpt-9")
    assert "does not know the model 'gpt-9'" in text
    assert "'openai/<a model it serves>'" in text
    assert "OPENAI_BASE_URL" in text


def test_unknown_provider_lists_what_to_write() -> None:
    text = failure_of(model="opnai/gpt-4o-mini")
    assert "Unknown provider 'opnai'" in text
    assert "anthropic" in text
    assert "ollama" in text


def test_provider_whose_package_is_missing_names_it() -> None:
    assert "pip install groq" in failure_of(model="groq/llama")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "openai/", "/gpt", ""])
def test_model_without_provider_or_name_is_refused(model: str) -> None:
    with pytest.raises(ValueError, match="'<provider>/<model>'"):
        LanguageModel(model)


@pytest.mark.parametrize("options", [{"max_concurrent_requests": 0}, {"timeout": 0}])
def test_limits_below_their_least_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        LanguageModel(**options)


def test_server_that_does_not_run_is_named(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    text = failure_of()
    assert f"Cannot reach {url}" in text
    assert "is OPENAI_BASE_URL right?" in text


def test_silent_server_is_given_up_after_the_timeout(monkeypatch: pytest.MonkeyPatch, server: LoopbackServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}/v1")
        start = time.monotonic()
        assert "gave no answer within 0.2 s" in failure_of(timeout=0.2)
        assert time.monotonic() - start < 20
        # The request itself was given up and tried again: a single one would mean that only the question's limit held.
        deaf.setblocking(False)
        assert sum(1 for _ in accepted(deaf)) > 1


def test_an_answer_that_trickles_is_given_up_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.monotonic()
    with scripted(monkeypatch, lambda _: Reply(" " * 1000, seconds_a_byte=0.05)) as bodies:
        assert "gave no answer within 0.3 s" in failure_of(timeout=0.3)
    assert len(bodies) == 3
    assert time.monotonic() - start < 3 * 0.3 + 10


def test_each_request_of_a_question_has_the_whole_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    unfit = iter([{"score": 9}] * 3)

    def slow(body: dict[str, Any]) -> Reply:
        time.sleep(1)
        return completion(body, next(unfit, {"summary": "x", "score": 3}))

    with scripted(monkeypatch, slow) as bodies:
        assert ask_once(timeout=3).score == 3
    assert len(bodies) == 4


def test_server_error_is_reported_with_its_message(server: LoopbackServer) -> None:
    server.faults = Faults(fail_on="question", status=422)
    text = failure_of("question")
    assert "failed with status 422" in text
    assert "It says: The server was told to fail." in text


def test_message_that_quotes_the_question_is_left_out(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from kura_dagster_tests import loopback_server

    real = loopback_server._error
    monkeypatch.setattr(loopback_server, "_error", lambda status, *_: real(status, f"Input was {PRIVATE!r}"))
    server.faults = Faults(fail_on="kettle", status=400)
    text = failure_of(f"Describe: {PRIVATE}")
    assert "failed with status 400" in text
    assert "kettle" not in text


def test_rate_limit_that_stays_says_what_to_lower(server: LoopbackServer) -> None:
    server.faults = Faults(status_every=1, status=429, retry_after="0.01")
    assert "Lower max_concurrent_requests" in failure_of()


def test_passing_rate_limit_is_waited_out(server: LoopbackServer) -> None:
    server.faults = Faults(status_every=2, status=429, retry_after="0.01")
    ask_once()
    ask_once()
    assert server.stats.chat == 3


def test_ollama_is_looked_for_where_its_variable_says(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{server.port}")
    # A model that instructor takes for one without tools, so the schema travels in the text.
    answer = ask_once("<conversation>violet kettle</conversation>", model="ollama/phi")
    assert isinstance(answer, Answer)
    assert server.stats.bodies[-1]["response_format"]["type"] == "json_object"


def test_opened_gives_an_instance_as_it_is_and_closes_only_its_own(server: LoopbackServer) -> None:
    async def ask() -> None:
        async with LanguageModel() as shared:
            async with opened(shared, 3) as same:
                assert same is shared
            await shared.ask("still open?", Answer)
        async with opened("openai/gpt-4o-mini", 3) as own:
            assert own.max_concurrent_requests == 3
        with pytest.raises(RuntimeError, match="is not open"):
            await own.ask("?", Answer)

    asyncio.run(ask())


def test_answer_all_finishes_the_others_before_it_fails() -> None:
    finished = []

    async def answer(number: int) -> int:
        await asyncio.sleep(0.001 * number)
        if number in (1, 3):
            raise LanguageModelError(f"number {number} failed.")
        finished.append(number)
        return number

    with pytest.raises(LanguageModelError) as caught:
        asyncio.run(answer_all(range(6), answer, at_once=2, what="answers", names=list("abcdef")))
    assert str(caught.value) == "2 of 6 answers failed. The first: number 1 failed. Failed: b, d."
    assert finished == [0, 2, 4, 5]


def test_answer_all_keeps_the_order_and_its_limit() -> None:
    at_work = most = 0

    async def answer(number: int) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.001 * (5 - number % 5))
        at_work -= 1
        return number * number

    squares = asyncio.run(answer_all(range(40), answer, at_once=6, what="squares", names=["?"] * 40))
    assert squares == [number * number for number in range(40)]
    assert most == 6
    assert asyncio.run(answer_all([], answer, at_once=6, what="squares", names=[])) == []


def test_a_mistake_sets_aside_only_what_it_met_and_quotes_nothing() -> None:
    async def answer(number: int) -> int:
        if number == 1:
            raise KeyError(PRIVATE)
        return number

    with pytest.raises(SomeFailed) as caught:
        asyncio.run(answer_all(range(3), answer, at_once=1, what="answers", names=["a", "b", "c"]))
    assert re.fullmatch(r"It failed with KeyError in line \d+ of test_client\.py\.", caught.value.failures[1])
    assert caught.value.results == [0, None, 2]
    assert PRIVATE not in "".join(traceback.format_exception(caught.value))


def test_an_item_that_cannot_be_shown_is_failed_and_not_answered_as_well() -> None:
    async def answer(number: int) -> int:
        return number

    with pytest.raises(SomeFailed) as caught:
        asyncio.run(
            answer_all(
                range(2),
                answer,
                at_once=1,
                what="answers",
                names=["a", "b"],
                progress=lambda _: None,
                show=lambda number: "ab"[number + 1],
            )
        )
    assert list(caught.value.failures) == [1]
    assert caught.value.results == [0, None]


def test_a_reason_to_stop_that_is_wrapped_still_stops() -> None:
    async def answer(number: int) -> int:
        try:
            raise SetupError("no key")
        except SetupError as error:
            raise RuntimeError("wrapped") from error

    with pytest.raises(SetupError, match="no key"):
        asyncio.run(answer_all(range(2), answer, at_once=1, what="answers", names=["a", "b"]))


def test_interrupted_run_closes_its_sockets(server: LoopbackServer) -> None:
    server.latency = 5

    async def ask() -> None:
        async with LanguageModel() as language_model:
            await asyncio.gather(*(language_model.ask(f"question {number}", Answer) for number in range(5)))

    async def interrupted() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(), 0.3)
        await asyncio.sleep(0.2)
        assert server.open_connections == 0

    asyncio.run(interrupted())
    server.latency = 0


def test_loading_the_module_loads_no_client() -> None:
    import subprocess
    import sys

    package = "kura_dagster.pipeline.language_model"
    modules = ("client", "summary_model", "cluster_description_model", "meta_cluster_model", "embedding_models")
    code = (
        f"import sys, {', '.join(f'{package}.{module}' for module in modules)}; "
        "print([m for m in ('openai', 'instructor', 'sklearn', 'thefuzz', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_server_runs_from_the_command_line_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    with loopback_subprocess(latency=0.01) as base_url:
        monkeypatch.setenv("OPENAI_BASE_URL", base_url)
        ask_once()
        stats = read_stats(base_url)
    assert stats["chat"] == 1
    assert stats["by_schema"] == {"Answer": 1}
    assert stats["last"] - stats["first"] > 0.009


def test_server_stops_with_its_with() -> None:
    before = threading.active_count()
    with LoopbackServer() as server:
        port = server.port
        socket.create_connection(("127.0.0.1", port)).close()
    assert until(lambda: threading.active_count() <= before)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port))


def test_credentials_in_a_base_url_never_show(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:sekret@127.0.0.1:9/v1?token=sekret")

    async def ask():
        async with LanguageModel("openai/any") as model:
            await model.ask("hello", GeneratedSummary)

    with pytest.raises(LanguageModelError) as failed:
        asyncio.run(ask())
    assert "127.0.0.1:9" in str(failed.value)
    assert "sekret" not in str(failed.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/v1", "127.0.0.1:8000/v1", "localhost/v1", "http://", "ftp://x/v1", ""]
)
def test_an_impossible_address_is_refused_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(SetupError, match="OPENAI_BASE_URL is no address that can be asked; allowed are URLs"):
        ask_once()
    with pytest.raises(SetupError, match="OPENAI_BASE_URL"):
        asyncio.run(OpenAIEmbeddingModel().embed(["kettle"]))


def test_an_impossible_address_of_ollama_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:99999")
    with pytest.raises(SetupError, match="OLLAMA_HOST is no address"):
        ask_once(model="ollama/phi")


def test_requests_a_minute_hold_for_what_is_asked_again(server: LoopbackServer) -> None:
    async def ask() -> float:
        async with LanguageModel(requests_per_minute=240, timeout=1) as language_model:
            began = time.monotonic()
            questions = [language_model.ask(f"question {number}", Impossible) for number in range(12)]
            await asyncio.gather(*questions, return_exceptions=True)
            return time.monotonic() - began

    seconds = asyncio.run(ask())
    assert server.stats.chat == 48, "waiting for the pace is no part of a question's time limit"
    assert seconds > 1.5  # forty at once, four a second


def heard_while(ask: Any, **options: Any) -> tuple[list[str], Exception | None, float]:
    """Return the notices while questions are put, what ended them, and how long that took."""
    heard: list[str] = []

    async def run() -> Exception | None:
        async with LanguageModel(**options) as language_model:
            language_model.on_notice = heard.append
            try:
                await ask(language_model)
            except Exception as error:
                return error
            return None

    began = time.monotonic()
    failure = asyncio.run(run())
    return heard, failure, time.monotonic() - began


async def ask_ten(language_model: LanguageModel) -> None:
    await asyncio.gather(*(language_model.ask(f"question {number}", Answer) for number in range(10)))


def test_who_waits_hears_why(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.faults = Faults(status_every=2, status=429, retry_after="0.3")
    heard, failure, _ = heard_while(ask_ten, max_concurrent_requests=8)
    assert failure is None
    (notice,) = heard
    assert re.fullmatch(
        r"openai/gpt-4o-mini: 1 × status 429; asked again in 0\.3 s; at most 4 requests at once for now", notice
    )
    server.reset()
    monkeypatch.setattr(gateway, "SECONDS_BETWEEN_NOTICES", 0.1)
    server.faults = Faults(shares={"server_error": 0.4, "dropped": 0.3, "stalled": 0.1})
    heard, _, _ = heard_while(ask_ten, timeout=1)
    assert 1 < len(heard) < 20
    assert {"status 500", "connection broken off"} <= {kind for kind in KINDS if kind in " ".join(heard)}


KINDS = ("status 500", "connection broken off", "no answer in time", "cannot be reached")


def test_where_nobody_hears_notices_they_are_logged(server: LoopbackServer, caplog: pytest.LogCaptureFixture) -> None:
    server.faults = Faults(shares={"server_error": 0.5})
    ask_once("question 1")
    ask_once("question 2")
    assert "1 × status 500; asked again in" in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://nobody.invalid/v1"])
def test_an_address_where_nobody_is_stops_the_run_after_three_attempts(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    heard, failure, _ = heard_while(lambda language_model: language_model.ask("question", Answer))
    assert isinstance(failure, SetupError)
    assert "OPENAI_BASE_URL" in str(failure)
    assert len(heard) == 1
    assert "1 × cannot be reached" in heard[0]


def test_a_server_that_answered_and_is_gone_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with LoopbackServer() as first:
        port = first.port
        monkeypatch.setenv("OPENAI_BASE_URL", first.base_url)

        async def ask(language_model: LanguageModel) -> None:
            await language_model.ask("question", Answer)
            first.__exit__()
            await language_model.ask("another", Answer)

        heard, failure, _ = heard_while(ask)
    assert port
    assert isinstance(failure, LanguageModelError)
    assert not isinstance(failure, SetupError)
    assert "cannot be reached" in heard[0] or "broken off" in heard[0]
