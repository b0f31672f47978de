"""Kura's own form, and the bad input that any format may hold, with the reason that each gets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kura_dagster.pipeline.checkpoints import write_conversations
from kura_dagster.pipeline.sources.checkpoints import conversations_file
from kura_dagster.pipeline.sources.reading import Format, SourceError, SourceOptions
from kura_dagster.pipeline.sources.record import Read, Unusable
from kura_dagster_tests.sources import (
    NOW,
    OPTIONS,
    a_conversation,
    conversations,
    only_conversation,
    read,
    read_sample,
    reasons,
    said,
)


def test_the_sample_of_lines() -> None:
    records = read_sample("kura.jsonl")
    assert [record.number for record in records] == [1, 3, 4, 5, 6]
    assert reasons(records) == {
        4: "messages: the user says nothing",
        6: "not JSON: Expecting value at character 71",
    }
    help_desk, spanish, half_a_pair = conversations(records)
    assert said(help_desk)[0] == ("system", "You are the help desk of Pailet.")
    assert help_desk.metadata == {"plan": "pro", "seats": 5, "tags": ["login", "email"], "sla": None}
    assert spanish.chat_id == "17"
    assert said(spanish)[1] == ("assistant", "En Facturación.\nPágina 2.")
    assert half_a_pair.messages[0].content == "half a pair \ufffd and a whole one \U0001f600"
    assert half_a_pair.messages[0].created_at == datetime(2026, 11, 20, 11, 0, 0, 123_000, tzinfo=UTC)
    assert half_a_pair.metadata == {"nested": '{"a": [1, 2]}', "mixed": '[1, "x"]', "scores": [1.0, 2.5]}


def test_the_sample_of_a_list_and_kuras_dump_of_what_was_read(tmp_path: Path) -> None:
    records = read_sample("kura_conversations.json")
    assert [conversation.chat_id for conversation in conversations(records)] == ["k-1", "k-2"]
    write_conversations(tmp_path / "conversations.json", conversations(records))
    path = conversations_file(tmp_path)
    assert read(path.read_bytes(), path.name, format=Format.KURA_CHECKPOINTS) == records


def test_a_folder_without_conversations_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no conversations\.json"):
        conversations_file(tmp_path)


NO_TIME = (
    "not a time; read are 2026-11-24T09:30:00Z and other ISO times, 24.11.2026 09:30, 24/11/2026 09:30, "
    "11/24/2026 9:30 PM, dates of e-mail, and seconds to nanoseconds since 1970"
)
A_USER = {"role": "user", "content": "hi"}
LATER = (NOW + timedelta(days=2)).isoformat()

BAD_INPUT: list[tuple[Any, str]] = [
    (b"{", "not JSON: Expecting property name enclosed in double quotes at character 2"),
    (b'{"chat_id": "a", "x": 1e999}', "not JSON: a number is too large"),
    (b'{"chat_id": ' + b"[" * 100_000, "not JSON: nested too deeply"),
    (b'{"chat_id": "caf\xe9"}', "not UTF-8: invalid continuation byte at byte 17"),
    (b'{"chat_id": "a\x00"}', "not UTF-8: it holds zero bytes, as UTF-16 does"),
    (b"3", "not a conversation: a number, no JSON object"),
    (b"null", "not a conversation: null, no JSON object"),
    (b'"text"', "not a conversation: a text, no JSON object"),
    (a_conversation(chat_id=True), "chat_id: a boolean, not a text or a number"),
    (a_conversation(chat_id=["a"]), "chat_id: a list, not a text or a number"),
    (a_conversation(chat_id=1.5), "chat_id: a number with a fraction"),
    (a_conversation(chat_id="a" * 1_001), "chat_id: longer than 1,000 characters"),
    (a_conversation(created_at="yesterday"), f"created_at: {NO_TIME}"),
    (a_conversation(created_at=True), f"created_at: {NO_TIME}"),
    (a_conversation(created_at={"seconds": 1}), f"created_at: {NO_TIME}"),
    (a_conversation(created_at="1999-12-31T23:59:59Z"), "created_at: a time before 2000-01-01"),
    (a_conversation(created_at=0), "created_at: a time before 2000-01-01"),
    (a_conversation(created_at=LATER), "created_at: a time in the future"),
    (a_conversation(created_at=10**20), "created_at: a time out of range"),
    (a_conversation(created_at="0001-01-01T00:00:00+14:00"), "created_at: a time out of range"),
    (a_conversation(created_at="9999-12-31T23:59:59-14:00"), "created_at: a time out of range"),
    (a_conversation(messages=...), "messages: missing"),
    (a_conversation(messages="hi"), "messages: a text, not a list"),
    (a_conversation(messages=[]), "messages: there are none"),
    (a_conversation(messages=["hi"]), "messages.0: a text, not an object"),
    (
        a_conversation(messages=[A_USER, {"content": "x"}]),
        "messages.1.role: missing; known are user, assistant, system, developer, tool and their synonyms; "
        "for another say --role NAME=assistant",
    ),
    (
        a_conversation(messages=[A_USER, {"role": "wizard", "content": "x"}]),
        "messages.1.role: unknown; known are user, assistant, system, developer, tool and their synonyms; "
        "for another say --role NAME=assistant",
    ),
    (
        a_conversation(messages=[{"role": 1, "content": "x"}]),
        "messages.0.role: a number; known are user, assistant, system, developer, tool and their synonyms; "
        "for another say --role NAME=assistant",
    ),
    (
        a_conversation(messages=[{"role": "user", "content": 7}]),
        "messages.0.content: a number, not a text or a list of parts",
    ),
    (a_conversation(messages=[A_USER | {"created_at": "soon"}]), f"messages.0.created_at: {NO_TIME}"),
    (a_conversation(messages=[{"role": "user", "content": " \n"}]), "messages: the user says nothing"),
    (a_conversation(messages=[{"role": "assistant", "content": "hi"}]), "messages: the user says nothing"),
    (a_conversation(messages=[{"role": "tool", "content": "hi"}]), "messages: the user says nothing"),
    (a_conversation(metadata=[1]), "metadata: a list, not an object"),
]


@pytest.mark.parametrize(("record", "reason"), BAD_INPUT)
def test_what_is_unusable_says_why(record: Any, reason: str) -> None:
    content = record if isinstance(record, bytes) else json.dumps(record).encode()
    good = json.dumps(a_conversation()).encode()
    as_lines = read(good + b"\n" + content + b"\n" + good, format=Format.KURA)
    assert reasons(as_lines) == {2: reason}
    assert [record.number for record in as_lines] == [1, 2, 3]


@pytest.mark.parametrize(("record", "reason"), [pair for pair in BAD_INPUT if not isinstance(pair[0], bytes)])
def test_it_says_the_same_in_a_list(record: Any, reason: str) -> None:
    assert reasons(read([a_conversation(), record, a_conversation()], format=Format.KURA)) == {2: reason}


def test_no_reason_quotes_the_record() -> None:
    secret = "hunter2"
    hiding_places = [
        a_conversation(chat_id=[secret]),
        a_conversation(created_at=secret),
        a_conversation(messages=secret),
        a_conversation(messages=[{"role": secret, "content": "x"}]),
        a_conversation(messages=[A_USER | {"created_at": secret}]),
        a_conversation(metadata=secret),
        f'{{"chat_id": {secret}}}',
    ]
    for record in hiding_places:
        (unusable,) = read(record, format=Format.KURA)
        assert isinstance(unusable, Unusable)
        assert secret not in unusable.reason
        assert secret in unusable.content


def test_an_unusable_record_keeps_what_it_could_tell() -> None:
    (unusable,) = read(a_conversation(messages=[]))
    assert isinstance(unusable, Unusable)
    assert unusable.chat_id == "a"
    assert unusable.created_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    (unusable,) = read(a_conversation(created_at=..., messages=[A_USER | {"created_at": 1795172400, "role": "x"}]))
    assert isinstance(unusable, Unusable)
    assert unusable.created_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    (unusable,) = read(a_conversation(chat_id="b", created_at="soon"))
    assert isinstance(unusable, Unusable)
    assert (unusable.chat_id, unusable.created_at) == ("b", None)


def test_only_the_beginning_of_an_unusable_record_is_kept() -> None:
    (unusable,) = read(a_conversation(messages=[], note="ä" * 5_000))
    assert isinstance(unusable, Unusable)
    assert len(unusable.content) == 2_000


@pytest.mark.parametrize(
    ("chat_id", "expected"), [(7, "7"), (7.0, "7"), (" a\x00b ", "ab"), ("\ud800", "\ufffd"), (2**70, str(2**70))]
)
def test_ids_become_texts(chat_id: Any, expected: str) -> None:
    assert only_conversation(a_conversation(chat_id=chat_id)).chat_id == expected


def test_a_missing_id_follows_from_what_was_said() -> None:
    nameless = a_conversation(chat_id=...)
    found = only_conversation(nameless).chat_id
    assert len(found) == 16
    assert int(found, 16)
    assert only_conversation(nameless | {"chat_id": None, "metadata": {"a": 1}}).chat_id == found
    assert only_conversation(nameless | {"created_at": "2026-11-20T10:00:00Z"}).chat_id != found
    # A default time is the reader's choice, not the record's.
    timeless = {"messages": [A_USER]}
    other_day = SourceOptions(now=NOW, default_created_at=datetime(2026, 10, 1, tzinfo=UTC), source="")
    assert only_conversation(timeless).chat_id == only_conversation(timeless, options=other_day).chat_id


def test_missing_times_follow_from_the_others() -> None:
    messages = [A_USER, A_USER | {"created_at": "2026-11-20T09:30:00Z"}, {"role": "assistant", "content": "hello"}]
    conversation = only_conversation(a_conversation(created_at=..., messages=messages))
    half_past = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert conversation.created_at == half_past
    assert [message.created_at for message in conversation.messages] == [half_past] * 3
    conversation = only_conversation(a_conversation(messages=messages))
    assert [message.created_at.hour for message in conversation.messages] == [9, 9, 9]
    assert conversation.messages[0].created_at.minute == 0


def test_without_any_time_there_is_the_default_or_none() -> None:
    timeless = a_conversation(created_at=..., messages=[A_USER])
    assert only_conversation(timeless).created_at == OPTIONS.default_created_at
    assert reasons(read(timeless, options=SourceOptions(now=NOW))) == {
        1: "no time: neither the conversation nor a message has one; give a day with --created-at DAY, or say which "
        "column of a table it is with --column created_at=COLUMN"
    }


def test_times_without_an_offset_are_local() -> None:
    berlin = SourceOptions(tz=ZoneInfo("Europe/Berlin"), now=NOW)
    conversation = only_conversation(a_conversation(created_at="2026-11-20 09:00:00"), options=berlin)
    assert conversation.created_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_duplicate_keys_and_huge_integers_are_read() -> None:
    content = json.dumps(a_conversation())[:-1] + ', "chat_id": "b", "metadata": {"n": ' + "9" * 5_000 + "}}"
    conversation = only_conversation(content)
    assert conversation.chat_id == "b"
    assert conversation.metadata == {"n": "9" * 5_000}


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("assistant", "Agent OPERATOR support representative Advisor admin Assistant bot"),
        ("user", "customer Client visitor end-user END_USER requester Guest lead contact User human"),
    ],
)
def test_roles_of_help_desks(role: str, names: str) -> None:
    for name in names.split():
        messages = [A_USER, {"role": f" {name} ", "content": "x"}]
        assert only_conversation(a_conversation(messages=messages)).messages[1].role == role


def test_roles_that_the_reader_names() -> None:
    messages = [{"role": "Mandant", "content": "hi"}, {"role": "agent", "content": "x"}]
    options = SourceOptions(now=NOW, roles={"mandant ": "user", "Agent": "tool"})
    conversation = only_conversation(a_conversation(messages=messages), options=options)
    assert said(conversation) == [("user", "hi"), ("tool", "x")]
    with pytest.raises(SourceError, match="roles: agent is to be robot; known are user, assistant"):
        SourceOptions(roles={"agent": "robot"})


def test_options_need_offsets() -> None:
    with pytest.raises(ValueError, match="now"):
        SourceOptions(now=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="default_created_at"):
        SourceOptions(default_created_at=datetime(2026, 1, 1))


def test_what_was_read_is_read_again_as_it_is() -> None:
    first = conversations(read_sample("kura.jsonl"))
    again = read(b"\n".join(conversation.model_dump_json().encode() for conversation in first))
    assert again == [Read(number, conversation) for number, conversation in enumerate(first, start=1)]


def test_nan_as_python_writes_it_costs_no_conversation() -> None:
    content = json.dumps([a_conversation(metadata={"score": float("nan"), "all": [float("-inf"), 1.5], "plan": "pro"})])
    assert only_conversation(content).metadata == {"score": None, "all": "[null, 1.5]", "plan": "pro"}
    assert reasons(read([a_conversation(created_at=float("inf"))]))[1] == "created_at: a time out of range"
    assert reasons(read([a_conversation(chat_id=float("inf"))]))[1] == "chat_id: a number with a fraction"
