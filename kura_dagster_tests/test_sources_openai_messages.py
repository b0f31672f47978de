"""Request logs, fine-tuning files, and other lists of messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kura_dagster.pipeline.sources.reading import Format, SourceOptions
from kura_dagster_tests.sources import NOW, SOME_DAY, conversations, only_conversation, read, read_sample, reasons, said


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


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1795172400,
    "model": "gpt-5-mini",
    "status": "completed",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "c", "name": "stock", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "12 pairs"},
        {"type": "web_search_call", "status": "completed"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yes.", "annotations": []}],
        },
    ],
}
ASKED = [
    {"role": "user", "content": [{"type": "input_text", "text": "Do these come in red?"}, {"type": "input_image"}]}
]
ANSWERED = [("user", "Do these come in red?\n[image]"), ("tool", "12 pairs"), ("assistant", "Yes.")]


class TestResponses:
    """OpenAI's newer API, whose requests hold `input` and whose responses hold `output`."""

    @pytest.mark.parametrize(
        "record",
        [
            RESPONSE | {"input": ASKED},
            {"request": {"input": ASKED}, "response": RESPONSE},
            {"body": {"input": ASKED}, "response": RESPONSE},
            {"body": {"input": ASKED}, "response": {"body": RESPONSE}, "custom_id": "resp_1"},
            {"request": json.dumps({"input": ASKED}), "response": json.dumps(RESPONSE)},
        ],
    )
    def test_every_way_of_logging_it(self, record: Any) -> None:
        conversation = only_conversation(record)
        assert said(conversation) == ANSWERED
        assert conversation.chat_id == "resp_1"
        assert conversation.created_at.isoformat() == "2026-11-20T11:00:00+00:00"
        assert conversation.metadata.items() >= {"model": "gpt-5-mini", "status": "completed"}.items()
        assert not conversation.metadata.keys() & {"input", "output", "request", "response", "role", "type"}

    def test_texts_for_lists_and_instructions(self) -> None:
        record = {"instructions": "Be brief.", "input": "Red?", "output_text": "Yes.", "output": []}
        conversation = only_conversation(record)
        assert said(conversation) == [("system", "Be brief."), ("user", "Red?"), ("assistant", "Yes.")]
        assert conversation.metadata == {}

    def test_the_text_that_repeats_the_output_is_said_once(self) -> None:
        record = RESPONSE | {"input": "Red?", "output_text": "Yes."}
        assert said(only_conversation(record))[-2:] == ANSWERED[1:]

    def test_earlier_turns_stand_in_the_input(self) -> None:
        record = RESPONSE | {
            "input": [
                {"role": "developer", "content": "Sell."},
                {"type": "message", "role": "user", "content": "Hi"},
                {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
                {"type": "item_reference", "id": "x"},
                {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "ok"}]},
                {"type": "message", "role": "user", "content": "Red?"},
            ]
        }
        assert said(only_conversation(record))[:5] == [
            ("developer", "Sell."),
            ("user", "Hi"),
            ("assistant", "No"),
            ("tool", "ok"),
            ("user", "Red?"),
        ]


def test_logs_of_anthropics_api() -> None:
    record = {
        "created_at": "2026-11-20T09:00:00Z",
        "request": {
            "model": "claude",
            "system": [{"type": "text", "text": "You sell shoes."}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Red?"}]}],
        },
        "response": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes."}],
            "stop_reason": "end_turn",
        },
    }
    conversation = only_conversation(record)
    assert said(conversation) == [("system", "You sell shoes."), ("user", "Red?"), ("assistant", "Yes.")]
    assert conversation.metadata == {"model": "claude", "stop_reason": "end_turn"}
    record["response"]["content"] = "Yes."  # type: ignore[index]
    assert only_conversation(record) == conversation
    record["response"]["content"] = [{"type": "tool_use", "name": "stock", "input": {}}]  # type: ignore[index]
    assert said(only_conversation(record)) == said(conversation)[:2]


def test_a_result_of_a_tool_and_the_users_words_in_one_message_are_two_turns() -> None:
    content = [{"type": "tool_result", "content": "4 °C"}, {"type": "text", "text": "And tomorrow?"}]
    messages = [{"role": "user", "content": "Weather?"}, {"role": "user", "content": content}]
    assert said(only_conversation({"messages": messages})) == [
        ("user", "Weather?"),
        ("tool", "4 °C"),
        ("user", "And tomorrow?"),
    ]


HI = {"role": "user", "content": "hi"}
HELLO = {"role": "assistant", "content": "hello"}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({"messages": [HI]}, HELLO),
        ({"messages": [HI]}, "hello"),
        ({"messages": [HI]}, {"messages": [HELLO]}),
        ({"messages": [HI]}, {"messages": [HI, HELLO]}),
        ({"messages": [HI]}, {"choices": [{"message": HELLO}]}),
        ({"messages": [HI]}, {"content": "hello"}),
        ({"messages": [HI]}, {"content": [{"type": "text", "text": "hello"}]}),
        ({"messages": [HI]}, {"message": HELLO}),
        ({"messages": [HI]}, [{"type": "text", "text": "hello"}]),
        ({"messages": [[HI]]}, {"generations": [[{"text": "hello"}]]}),
        ([HI], [HELLO]),
        (HI, {"output": "hello"}),
        ("hi", {"answer": "hello"}),
        ({"question": "hi"}, {"answer": "hello"}),
        ({"messages": [{"type": "human", "content": "hi"}]}, {"messages": [{"type": "ai", "content": "hello"}]}),
        (
            {"messages": [{"lc": 1, "type": "constructor", "kwargs": {"content": "hi", "type": "human"}}]},
            {"generations": [[{"message": {"lc": 1, "kwargs": {"content": "hello", "type": "ai"}}}]]},
        ),
    ],
)
def test_traces(asked: Any, answered: Any) -> None:
    for names in (("input", "output"), ("inputs", "outputs")):
        record = {"id": "t", "start_time": "2026-11-20T09:00:00Z", **dict(zip(names, (asked, answered), strict=True))}
        conversation = only_conversation(record, format=Format.OPENAI)
        assert said(conversation) == [("user", "hi"), ("assistant", "hello")]
        assert conversation.metadata == {}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"input": {"a": "x", "b": "y"}, "output": "z"}, "input: an object in which no messages can be told"),
        ({"input": 7, "output": "z"}, "input: a number in which no messages can be told"),
        ({"input": [{"a": "x"}]}, "input.0: an object in which no message can be told"),
        ({"inputs": "hi", "outputs": {"a": "x", "b": "y"}}, "outputs: an object in which no messages can be told"),
        ({"input": "hi", "output": {"messages": ["x"]}}, "output.messages.0: a text, not an object"),
        (
            {"input": "hi", "output": {"messages": [HI | {"content": "who"}, HELLO]}},
            "output.messages: what the user says",
        ),
        ({"input": "hi", "output": [{"type": "hologram"}]}, "output.0: an object in which no message can be told"),
        ({"messages": [HI, {"role": "assistant", "content": {"a": "x"}}]}, "messages.1.content: an object in which no"),
    ],
)
def test_traces_in_which_messages_can_not_be_told(record: Any, reason: str) -> None:
    assert reasons(read(record, format=Format.OPENAI))[1].startswith(reason)


def test_an_output_that_is_no_answer_does_not_spoil_messages_that_have_one() -> None:
    for output in ({"score": 1, "label": "good"}, 0.5, "hello", [HELLO]):
        assert said(only_conversation({"messages": [HI, HELLO], "output": output})) == [
            ("user", "hi"),
            ("assistant", "hello"),
        ]
    assert reasons(read({"messages": [HI], "output": {"score": 1}}))[1].startswith("output: an object in which no")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"celsius": 4}, '{"celsius": 4}'),
        ([{"title": "Łódź"}], '[{"title": "Łódź"}]'),
        ([{"text": "a"}], "a"),
        (4, "4"),
    ],
)
def test_what_a_tool_answers_may_be_any_json(content: Any, text: str) -> None:
    asked = [HI, {"role": "tool", "content": content}]
    assert said(only_conversation({"messages": asked}))[1] == ("tool", text)
    if content != 4:
        asked = [HI, {"type": "function_call_output", "output": content}]
        assert said(only_conversation({"input": asked}))[1] == ("tool", text)


def test_logs_of_azure_and_bedrock() -> None:
    azure = {
        "time": "2026-11-20T09:00:00Z",
        "properties": {"request": {"messages": [HI]}, "response": {"choices": [{"message": HELLO}]}},
    }
    bedrock = {
        "timestamp": "2026-11-20T09:00:00Z",
        "requestId": "r",
        "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}},
        "output": {"outputBodyJson": {"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}}}},
    }
    for record in (azure, bedrock):
        assert said(only_conversation(record)) == [("user", "hi"), ("assistant", "hello")]
    assert only_conversation(bedrock).chat_id == "r"


def test_a_batchs_requests_need_a_day() -> None:
    record = {"custom_id": "b", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [HI]}}
    assert "--created-at DAY" in reasons(read(record, options=SourceOptions(now=NOW)))[1]
    assert only_conversation(record).chat_id == "b"


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
        ({"choices": [{"message": {"role": "assistant", "content": None, "refusal": "no"}}]}, 2),
        ({"choices": [{"message": {"role": "assistant", "content": None, "audio": {"transcript": "said"}}}]}, 2),
        ({"choices": [{"text": "hello"}]}, 2),
        ("hello", 2),
        ({"content": "hello"}, 2),
        ({"message": {"role": "assistant", "content": "hello"}}, 2),
        ([{"type": "text", "text": "hello"}], 2),
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
        (
            {"custom_id": "b", "response": {"body": {"choices": [{"message": {"content": "hello"}}]}}, "error": None},
            "messages: missing; the record holds only an answer, as the output of a batch does: land the file of the "
            "requests",
        ),
        ({"error": {"code": 429}}, "messages: missing"),
        ({"messages": "hi"}, "messages: a text, not a list"),
        ({"messages": [None]}, "messages.0: null, not an object"),
        ({"request": None, "response": []}, "messages: missing"),
    ],
)
def test_what_is_unusable(record: Any, reason: str) -> None:
    assert reasons(read(record, format=Format.OPENAI)) == {1: reason}
