from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kura_dagster_tests import loopback_server
from kura_dagster_tests.loopback_server import (
    ANSWER_FAULTS,
    FAULT_KINDS,
    TRANSPORT_FAULTS,
    Faults,
    LoopbackServer,
    loopback_subprocess,
    question_key,
    read_stats,
    set_faults,
)

SCHEMA = {
    "type": "object",
    "properties": {"summary": {"type": "string"}, "score": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["summary", "score"],
}


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


def post(server: LoopbackServer, path: str, body: dict[str, Any], timeout: float = 5) -> dict[str, Any]:
    request = urllib.request.Request(
        server.base_url + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)


def chat(server: LoopbackServer, prompt: str = "violet kettle", *, timeout: float = 5, **more: Any) -> dict[str, Any]:
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": prompt}, *more.pop("then", [])],
        "response_format": {"type": "json_schema", "json_schema": {"name": "Answer", "schema": SCHEMA}},
    }
    return post(server, "/chat/completions", body | more, timeout)


def content_of(completion: dict[str, Any]) -> str:
    return completion["choices"][0]["message"]["content"]


def until_idle(server: LoopbackServer) -> None:
    deadline = time.monotonic() + 5
    while server.stats.in_flight and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("kind", "status", "code", "retry_after"),
    [
        ("rate_limited", 429, None, None),
        ("rate_limited_retry_after", 429, None, "7"),
        ("server_error", 500, None, None),
        ("overloaded", 503, None, None),
        ("unauthorized", 401, None, None),
        ("unknown_model", 404, "model_not_found", None),
        ("quota", 429, "insufficient_quota", None),
    ],
)
def test_status_faults(server: LoopbackServer, kind: str, status: int, code: str, retry_after: str | None) -> None:
    server.faults = Faults(shares={kind: 1}, retry_after="7")
    for ask in (chat, lambda server: post(server, "/embeddings", {"model": "e", "input": ["a"]})):
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(server)
        assert caught.value.code == status
        assert json.load(caught.value)["error"]["code"] == code
        assert caught.value.headers["retry-after"] == retry_after
    assert server.stats.answers == {kind: 2}
    assert (server.stats.chat, server.stats.embeddings, server.stats.input_tokens) == (1, 1, 0)


def test_dropped_connection_gives_no_byte(server: LoopbackServer) -> None:
    server.faults = Faults(shares={"dropped": 1})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        chat(server)
    until_idle(server)
    assert server.stats.answers == {"dropped": 1}
    server.faults = Faults()
    assert "violet" in content_of(chat(server))


def test_stalled_answer_waits_for_the_client_to_give_up(server: LoopbackServer) -> None:
    server.faults = Faults(shares={"stalled": 1})
    with pytest.raises(TimeoutError):
        chat(server, timeout=0.2)
    until_idle(server)
    assert server.stats.answers == {"stalled": 1}
    assert not server.stats.paid_by_question


def test_truncated_body_ends_before_its_length(server: LoopbackServer) -> None:
    server.faults = Faults(shares={"truncated_body": 1})
    with pytest.raises(http.client.IncompleteRead):
        chat(server)
    with pytest.raises(http.client.IncompleteRead):
        post(server, "/embeddings", {"model": "e", "input": ["a"]})
    until_idle(server)
    assert server.stats.answers == {"truncated_body": 2}


@pytest.mark.parametrize("kind", sorted(ANSWER_FAULTS.keys() - {"wrong_label"}))
def test_answer_faults_arrive_with_status_200(server: LoopbackServer, kind: str) -> None:
    server.faults = Faults(shares={kind: 1})
    choice = chat(server)["choices"][0]
    content = choice["message"]["content"]
    if kind == "refusal":
        assert content is None
        assert choice["message"]["refusal"]
    elif kind in ("missing_field", "wrong_type"):
        found = json.loads(content)
        assert "summary" not in found if kind == "missing_field" else isinstance(found["summary"], dict)
    else:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever the parser says of it
            json.loads(content)
    assert (choice["finish_reason"] == "length") == (kind == "cut_off")
    assert server.stats.answers == {kind: 1}
    assert server.stats.input_tokens > 0


def test_wrong_label_needs_labels_to_be_offered(server: LoopbackServer) -> None:
    server.faults = Faults(shares={"wrong_label": 1})
    schema = {"type": "object", "properties": {"higher_level_cluster": {"type": "string"}}}
    response_format = {"type": "json_schema", "json_schema": {"name": "Label", "schema": schema}}
    prompt = "<group>violet kettle</group>\n<candidates>\nBoil violet kettles\nPlay violins\n</candidates>"
    assert loopback_server.NEVER_OFFERED in content_of(chat(server, prompt, response_format=response_format))
    assert "violet" in content_of(chat(server))
    assert server.stats.answers == {"wrong_label": 1, "ok": 1}


def test_marked_prompt_is_refused_however_often_it_is_asked(server: LoopbackServer) -> None:
    server.faults = Faults(refuse_on="kettle")
    for _ in range(5):
        assert content_of(chat(server)) is None
    assert content_of(chat(server, "a violin")) is not None
    assert server.stats.answers == {"refusal": 5, "ok": 1}


def test_draw_depends_on_seed_question_and_attempt_only() -> None:
    faults = Faults(shares={"server_error": 0.2, "dropped": 0.1})
    drawn = [faults.drawn(str(number), 1) for number in range(2000)]
    assert drawn == [faults.drawn(str(number), 1) for number in range(2000)]
    assert 0.16 < drawn.count("server_error") / 2000 < 0.24
    assert 0.07 < drawn.count("dropped") / 2000 < 0.13
    assert drawn != [faults.drawn(str(number), 2) for number in range(2000)]
    other = Faults(shares=faults.shares, seed=1)
    assert drawn != [other.drawn(str(number), 1) for number in range(2000)]


def test_repetition_belongs_to_its_question(server: LoopbackServer) -> None:
    chat(server)
    chat(server, then=[{"role": "assistant", "content": "{}"}, {"role": "user", "content": "that was wrong"}])
    chat(server, "a violin")
    assert server.stats.calls_by_question == {question_key("violet kettle"): 2, question_key("a violin"): 1}
    assert server.stats.as_json()["unique_prompts"] == 2


def test_only_delivered_answers_count_as_paid(server: LoopbackServer) -> None:
    server.faults = Faults(shares={"server_error": 1})
    with pytest.raises(urllib.error.HTTPError):
        chat(server)
    assert not server.stats.paid_by_question
    server.faults = Faults()
    usage = chat(server)["usage"]
    assert server.stats.paid_by_question == {question_key("violet kettle"): 1}
    assert (server.stats.input_tokens, server.stats.output_tokens) == (
        usage["prompt_tokens"],
        usage["completion_tokens"],
    )


def test_answer_nobody_waits_for_is_noted(server: LoopbackServer) -> None:
    server.latency = 0.3
    with pytest.raises(TimeoutError):
        chat(server, timeout=0.1)
    until_idle(server)
    assert server.stats.abandoned == {question_key("violet kettle"): 1}


def test_capacity_refuses_what_is_above_it(server: LoopbackServer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    server.latency = 0.3
    server.faults = Faults(capacity=3, retry_after="2")

    def status_of(number: int) -> tuple[int, str | None]:
        try:
            chat(server, f"question {number}")
        except urllib.error.HTTPError as error:
            return error.code, error.headers["retry-after"]
        return 200, None

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(status_of, range(8)))
    assert Counter(statuses) == {(200, None): 3, (429, "2"): 5}
    assert server.stats.answers == {"ok": 3, "over_capacity": 5}


@pytest.mark.parametrize("shares", [{"sunshine": 0.1}, {"dropped": 0.6, "stalled": 0.6}, {"dropped": -0.1}])
def test_shares_that_cannot_be_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"shares|unknown faults"):
        Faults(shares=shares)


def test_counters_and_faults_of_a_server_in_another_process() -> None:
    with loopback_subprocess() as url:
        server = LoopbackServer(port=int(url.split(":")[2].partition("/")[0]))
        set_faults(url, shares={"missing_field": 1.0})
        chat(server)
        assert read_stats(url)["answers"] == {"missing_field": 1}
        loopback_server.reset(url)
        chat(server)
        assert read_stats(url)["answers"] == {"ok": 1}
        assert read_stats(url)["paid_by_question"] == {question_key("violet kettle"): 1}


def test_every_kind_is_a_transport_or_an_answer_fault() -> None:
    assert len(FAULT_KINDS) == len(TRANSPORT_FAULTS) + len(ANSWER_FAULTS)
