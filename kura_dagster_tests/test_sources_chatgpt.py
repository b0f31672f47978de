"""ChatGPT's export."""

from __future__ import annotations

from typing import Any

import pytest

from kura_dagster_tests.sources import conversations, only_conversation, read, read_sample, reasons, said


def test_the_sample() -> None:
    records = read_sample("chatgpt_conversations.json")
    assert reasons(records) == {4: "messages: there are none"}
    marathon, mushroom, voice = conversations(records)
    assert said(marathon) == [
        ("user", "Give me a marathon plan for 16 weeks, three runs a week"),
        ("tool", "weeks = range(16)"),
        ("tool", "range(0, 16)"),
        ("assistant", "Tuesday easy, Thursday tempo, Sunday long."),
    ]
    assert marathon.chat_id == "68e0a1b2-0001"
    assert marathon.created_at.isoformat() == "2026-10-05T09:00:00.250000+00:00"
    assert marathon.metadata == {"title": "Plan for a marathon", "model": "gpt-5"}
    assert said(mushroom)[0] == ("user", "[image]\nWelcher Pilz ist das?")
    assert mushroom.created_at == mushroom.messages[0].created_at
    assert mushroom.metadata["gpt"] == "g-pilze"
    assert said(voice) == [("user", "東京の天気はどうですか"), ("assistant", "晴れです。")]
    assert voice.chat_id == "68e0a1b2-0003"


def a_node(role: str, text: Any, parent: str | None, time: float | None = None, **message: Any) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]} if isinstance(text, str) else text
    return {"parent": parent, "message": {"author": {"role": role}, "content": content, "create_time": time} | message}


def a_chat(mapping: Any, **changes: Any) -> dict[str, Any]:
    return {"conversation_id": "c", "create_time": 1795172400.0, "mapping": mapping} | changes


def test_without_a_current_node_the_last_message_leads() -> None:
    mapping = {
        "old": a_node("user", "first try", None, 1795172400),
        "new": a_node("user", "second try", None, 1795172500),
    }
    assert said(only_conversation([a_chat(mapping)])) == [("user", "second try")]
    assert said(only_conversation([a_chat(mapping, current_node="gone")])) == [("user", "second try")]


def test_a_circle_of_parents_ends() -> None:
    mapping = {"a": a_node("user", "a", "b"), "b": a_node("assistant", "b", "a")}
    assert said(only_conversation([a_chat(mapping, current_node="b")])) == [("user", "a"), ("assistant", "b")]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"content_type": "tether_quote", "url": "x", "text": "quoted"}, "quoted"),
        ({"content_type": "tether_browsing_display", "result": "L0: found"}, "L0: found"),
        ({"content_type": "system_error", "name": "e", "text": "timed out"}, "timed out"),
        ({"content_type": "something_new", "data": 1}, "[something_new]"),
        ({"content_type": [], "parts": ["x"]}, "x"),
        ({"content_type": "multimodal_text", "parts": [{"content_type": "audio_asset_pointer"}]}, "[audio]"),
    ],
)
def test_contents_of_other_kinds(content: Any, text: str) -> None:
    mapping = {"u": a_node("user", "hi", None), "t": a_node("tool", content, "u")}
    assert said(only_conversation([a_chat(mapping, current_node="t")]))[1] == ("tool", text)


def test_content_of_no_kind_is_told() -> None:
    mapping = {"u": a_node("user", "hi", None), "t": a_node("tool", {"content_type": 7}, "u")}
    (reason,) = reasons(read([a_chat(mapping, current_node="t")])).values()
    assert reason == "messages.1.content: a list in which no text can be told"


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        (None, "mapping: missing"),
        ([], "mapping: a list, not an object"),
        ({}, "mapping: there are no messages"),
        ({"a": None}, "messages: there are none"),
        ({"a": {"message": 5}}, "messages: there are none"),
        ({"a": {"message": {"author": "me", "content": "x"}}}, "messages.0.role: missing"),
        ({"a": a_node("critic", "x", None)}, "messages.0.role: unknown"),
    ],
)
def test_what_is_unusable(mapping: Any, reason: str) -> None:
    assert reasons(read([a_chat(mapping)]))[1].startswith(reason)


def test_marks_of_citations_are_left_out_of_what_the_user_did_not_write() -> None:
    marks = "In 1889 \ue200cite\ue202turn0search1\ue202turn0news2\ue201.【12†source】【4:0†p.pdf】 \ue206 【Note】 † 【"
    mapping = {"u": a_node("user", marks, None), "a": a_node("assistant", marks, "u"), "t": a_node("tool", marks, "a")}
    conversation = only_conversation([a_chat(mapping, current_node="t")])
    assert said(conversation) == [
        ("user", marks),
        ("assistant", "In 1889 .  【Note】 † 【"),
        ("tool", "In 1889 .  【Note】 † 【"),
    ]


@pytest.mark.parametrize("repeated", ["\ue200", "【", "【†", "【a†", "†】"])
def test_marks_that_do_not_end_are_looked_at_once(repeated: str) -> None:
    mapping = {"u": a_node("user", "hi", None), "a": a_node("assistant", repeated * 300_000, "u")}
    assert only_conversation([a_chat(mapping, current_node="a")])


def test_the_note_about_instructions_that_were_deleted_is_no_turn() -> None:
    note = a_node("system", "Original custom instructions no longer available", None)
    mapping = {"n": note, "u": a_node("user", "hi", "n")}
    assert said(only_conversation([a_chat(mapping, current_node="u")])) == [("user", "hi")]
