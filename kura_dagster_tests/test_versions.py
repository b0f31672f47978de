"""Two records of one id: what becomes of them, whichever comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kura_dagster.pipeline.types import Conversation, Message
from kura_dagster.pipeline.versions import joined, last_message_at

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def record(texts: str, hour: int = 0, *, chat_id: str = "7", system: str = "", one_time: bool = False) -> Conversation:
    """A letter is a message, of user and assistant in turn; each an hour after the other, or all at one time."""
    messages = [Message(role="system", content=system, created_at=NOON + timedelta(hours=hour))] if system else []
    for position, text in enumerate(texts):
        messages.append(
            Message(
                role="user" if text in "aceg" else "assistant",
                content=text,
                created_at=NOON + timedelta(hours=hour + (0 if one_time else position)),
            )
        )
    return Conversation(chat_id=chat_id, created_at=messages[0].created_at, messages=messages)


def texts(conversation: Conversation | None) -> str | None:
    return None if conversation is None else "".join(message.content for message in conversation.turns)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (record("ab"), record("abcd"), "abcd"),
        (record("ab", one_time=True), record("abcd", 5, one_time=True), "abcd"),
        (record("abcd"), record("cdef", 2), "abcdef"),
        (record("abcd", system="s"), record("cdef", 2, system="s"), "abcdef"),
        (record("abcd"), record("cd", 2), "abcd"),
        (record("abcd"), record("abef", 6), "abef"),
        (record("abcdef"), record("ab", 9), "ab"),
        (record("ab"), record("ef", 5), None),
        (record("abc"), record("cef", 2), None),
    ],
    ids=[
        "grown",
        "logged by request",
        "windows",
        "windows with instructions",
        "a part of it",
        "edited",
        "cut back",
        "other",
        "one in common",
    ],
)
def test_what_two_records_make(one: Conversation, other: Conversation, both: str | None) -> None:
    assert texts(joined(one, other)) == texts(joined(other, one)) == both
    if both is not None:
        found = joined(one, other)
        assert found == joined(other, one)
        assert found is not None
        assert found.created_at == NOON


def test_turns_in_records_of_their_own_are_joined_where_somebody_vouches_for_the_ids() -> None:
    one, other = record("ab"), record("ef", 5)
    assert texts(joined(one, other, one_source=True)) == texts(joined(other, one, one_source=True)) == "abef"
    at_once = record("ef", 1)
    assert joined(one, at_once, one_source=True) is None, "which turn follows which is not known"


def test_ids_that_are_unique_in_the_world_vouch_for_themselves() -> None:
    chat_id = "claude:0b0c7f0e-25ab-4c39-9a3e-0123456789ab"
    one, other = record("ab", chat_id=chat_id), record("ef", 5, chat_id=chat_id)
    assert texts(joined(one, other)) == texts(joined(other, one)) == "ef"


def test_each_message_has_its_earliest_time_and_what_tools_said_stays() -> None:
    logged = record("abcd", 5, one_time=True)
    logged.messages.insert(1, Message(role="tool", content="t", created_at=logged.created_at))
    found = joined(record("ab"), logged)
    assert found is not None
    hours = [(message.content, (message.created_at - NOON) / timedelta(hours=1)) for message in found.messages]
    assert hours == [("a", 0), ("t", 5), ("b", 1), ("c", 5), ("d", 5)]


def test_an_export_without_instructions_takes_nothing_from_what_was_landed() -> None:
    full, bare = record("ab", system="s"), record("ab")
    assert joined(full, bare) == joined(bare, full) == full


def test_a_corrected_record_counts_where_nothing_else_tells_them_apart() -> None:
    wrong, right = record("ab"), record("ab").model_copy(update={"metadata": {"plan": "pro"}})
    assert joined(wrong, right) == right
    assert joined(right, wrong) == wrong


RECORDS = st.builds(
    record, st.text("abcdef", min_size=1, max_size=6), st.integers(0, 4), system=st.sampled_from(["", "s"])
)


@given(RECORDS, RECORDS, st.booleans())
def test_what_is_joined_keeps_what_came_before(one: Conversation, other: Conversation, one_source: bool) -> None:
    # Of versions that nothing tells apart the one that arrives counts, whichever that is.
    assume(last_message_at(one) != last_message_at(other))
    both = joined(one, other, one_source=one_source)
    if both is not None:
        assert joined(both, one, one_source=one_source) == both, "landed again, it changes nothing"
        assert joined(both, other, one_source=one_source) == both
        assert both.created_at == min(one.created_at, other.created_at)
