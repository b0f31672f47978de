"""Claude's export."""

from __future__ import annotations

from typing import Any

import pytest

from kura_dagster_tests.sources import conversations, only_conversation, read, read_sample, reasons, said


def test_the_sample() -> None:
    records = read_sample("claude_conversations.json")
    assert reasons(records) == {2: "chat_messages: there are none"}
    pytest_fixture, soup, picture = conversations(records)
    assert pytest_fixture.chat_id == "0b0c7f0e-0d1d-4a53-9a5e-6f6a4a0f2b11"
    assert pytest_fixture.created_at.isoformat() == "2026-10-05T08:14:02.517203+00:00"
    assert said(pytest_fixture) == [
        ("user", "Why does my fixture fail every tenth run?\n[file]\n[image]"),
        ("assistant", "Let me look.\nThe port is fixed; ask for port 0."),
    ]
    assert pytest_fixture.metadata == {
        "title": "Fixing a flaky pytest fixture",
        "account": "a1b2c3d4-0000-4000-8000-000000000001",
    }
    assert said(soup) == [
        ("user", "Wie koche ich Linsensuppe ohne Zwiebeln? 🍲"),
        ("assistant", "Nimm Sellerie und etwas Kreuzkümmel."),
    ]
    assert said(picture)[0] == ("user", "[image]")
    assert picture.created_at.isoformat() == "2026-10-08T04:00:00+00:00"
    assert picture.metadata["project"] == "p-77"


def a_chat(messages: list[Any], **changes: Any) -> dict[str, Any]:
    return {"uuid": "c", "created_at": "2026-11-20T09:00:00Z", "chat_messages": messages} | changes


def a_message(uuid: str, text: str, parent: str | None = None, sender: str = "human") -> dict[str, Any]:
    return {"uuid": uuid, "sender": sender, "text": text, "parent_message_uuid": parent}


def test_parents_in_a_circle_end() -> None:
    chat = a_chat([a_message("1", "a", "2"), a_message("2", "b", "1")], current_leaf_message_uuid="2")
    assert said(only_conversation(chat)) == [("user", "a"), ("user", "b")]


def test_without_parents_the_order_is_kept() -> None:
    chat = a_chat([a_message("1", "a"), a_message("2", "b")], current_leaf_message_uuid="2")
    assert said(only_conversation(chat)) == [("user", "a"), ("user", "b")]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (None, "chat_messages: missing"),
        ({}, "chat_messages: an object, not a list"),
        ([[]], "chat_messages.0: a list, not an object"),
        ([a_message("1", "a", sender="claude")], "messages.0.role: unknown"),
        ([{"sender": "human", "content": "", "text": 5}], "messages: the user says nothing"),
        ([{"sender": "human", "content": None, "text": None}], "messages: the user says nothing"),
    ],
)
def test_what_is_unusable(messages: Any, reason: str) -> None:
    assert reasons(read([a_chat(messages)]))[1].startswith(reason)
