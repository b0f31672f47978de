"""Request logs, fine-tuning files, and other lists of messages."""

from __future__ import annotations

from typing import Any

import pytest

from kura_dagster.pipeline.sources.reading import Format
from kura_dagster_tests.sources import SOME_DAY, conversations, only_conversation, read, read_sample, reasons, said


def test_the_sample_of_a_log() -> None:
    records = read_sample("request_log.jsonl")
    assert list(reasons(records)) == [4]
    shoes, weather, batch = conversations(records)
    assert said(shoes) == [
        ("system", "You sell shoes."),
        ("user", "Do these come in red?\n[image]"),
        ("assistant", "Yes, in sizes 36 to 44."),
    ]
    assert [message.created_at.second for message in shoes.messages] == [0, 0, 2]
    assert shoes.metadata == {"model": "gpt-4o-mini", "temperature": 0.2, "shop": "berlin"}
    # The call itself has no text and is left out.
    assert [role for role, _ in said(weather)] == ["user", "tool", "assistant"]
    assert weather.created_at.isoformat() == "2026-11-20T08:40:00+00:00"
    assert weather.metadata == {"model": "gpt-4o", "user": "u-8"}
    assert batch.chat_id == "batch-3"
    assert said(batch) == [("developer", "Translate."), ("user", "Guten Morgen")]


def test_the_sample_of_a_fine_tuning_file_has_the_default_time_and_ids_of_its_contents() -> None:
    records = read_sample("fine_tuning.jsonl")
    marv, faust = conversations(records)
    assert marv.created_at == faust.created_at == SOME_DAY
    assert len({marv.chat_id, faust.chat_id}) == 2
    assert records == read_sample("fine_tuning.jsonl")


def test_the_sample_of_sharegpt() -> None:
    first, second = conversations(read_sample("sharegpt.json"))
    assert first.chat_id == "QWJhYvA_0"
    assert said(first)[0] == ("user", "Summarise the main ideas of Jeff Walker's book")
    assert said(second) == [("system", "Answer in verse."), ("user", "मौसम कैसा है?"), ("assistant", "धूप है।")]


def test_results_of_tools_that_are_sent_as_the_users_are_the_tools() -> None:
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "4 °C"}]}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Four."}]},
    ]
    assert said(only_conversation({"messages": messages})) == [
        ("user", "Weather?"),
        ("tool", "4 °C"),
        ("assistant", "Four."),
    ]


@pytest.mark.parametrize(
    ("answer", "n_messages"),
    [
        ({"choices": [{"message": {"role": "assistant", "content": "hello"}}]}, 2),
        ({"choices": [{"message": {"content": "hello"}}]}, 2),
        ({"body": {"choices": [{"message": {"content": "hello"}}]}}, 2),
        ({"choices": [{"message": {"role": "assistant", "content": None, "refusal": "no"}}]}, 1),
        ({"choices": []}, 1),
        ({"choices": [None]}, 1),
        ({"error": {"code": 429}}, 1),
        (None, 1),
    ],
)
def test_the_answer_is_the_last_message(answer: Any, n_messages: int) -> None:
    record = {"request": {"messages": [{"role": "user", "content": "hi"}]}, "response": answer}
    assert len(only_conversation(record).messages) == n_messages


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"custom_id": "b", "response": {"body": {"choices": []}}}, "messages: missing"),
        ({"messages": "hi"}, "messages: a text, not a list"),
        ({"messages": [None]}, "messages.0: null, not an object"),
        ({"request": None, "response": []}, "messages: missing"),
    ],
)
def test_what_is_unusable(record: Any, reason: str) -> None:
    assert reasons(read(record, format=Format.OPENAI)) == {1: reason}
