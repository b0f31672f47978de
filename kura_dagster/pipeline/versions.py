"""What two records of one id make together: one conversation that has grown or came in pieces, or two that clash.

Only the deciding and the joining belong here; which records meet is `landing`'s business. What is compared is what user
and assistant said: an export may leave instructions and tools out, and times may be those of a request.
"""

from __future__ import annotations

import re
from datetime import datetime

from kura_dagster.pipeline.types import Conversation, Message

_UNIQUE_IN_THE_WORLD = re.compile(r"(?:.*:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.DOTALL)
_FEWEST_IN_COMMON = 2
"""Fewer turns in common, as a "hi", say nothing."""

_Said = list[tuple[str, str]]


def joined(landed: Conversation, arrived: Conversation, *, one_source: bool = False) -> Conversation | None:
    """Return what two records of one id make together, None where they are different conversations.

    Of a conversation that has grown it is the longer version; of two windows of a long one, both; of versions that
    begin alike and go on differently, as after an edit, the one whose last message is later. It begins when the earlier
    of them did, and a message has its earliest time. The order of records that are landed plays no part, but for
    versions that differ in nothing that tells them apart: of these the one that arrived counts.

    Args:
        landed: what is known.
        arrived: what has come.
        one_source: whether who lands it vouches for its ids, so that records without anything in common are turns of
            one conversation, where one follows the other. UUIDs vouch for themselves: there, the later version counts.
    """
    older, newer = sorted((landed, arrived), key=_age)
    before, now = _said(older), _said(newer)
    if _begins_with(now, before):
        return _begun_with(newer, older, _grown(older, newer))
    enough = 1 if one_source else _FEWEST_IN_COMMON
    if len(before) >= enough and _contains(now, before):
        return _begun_with(newer, older, newer.messages)
    if len(now) >= enough and before[:1] != now[:1] and _contains(before, now):
        return _begun_with(older, newer, older.messages)
    if (n_common := _overlap(before, now)) >= _FEWEST_IN_COMMON:
        return _begun_with(newer, older, [*older.messages, *_cut(newer, n_common)[1]])
    if before[:1] == now[:1] or _UNIQUE_IN_THE_WORLD.fullmatch(newer.chat_id):
        return _begun_with(newer, older, newer.messages)
    if one_source and newer.messages[0].created_at > older.messages[-1].created_at:
        return _begun_with(newer, older, [*older.messages, *newer.turns])
    return None


def last_message_at(conversation: Conversation) -> datetime:
    """Return when the last message was sent."""
    return max(message.created_at for message in conversation.messages)


def _age(conversation: Conversation) -> tuple[datetime, int]:
    return last_message_at(conversation), len(conversation.messages)


def _said(conversation: Conversation) -> _Said:
    return [(message.role, message.content) for message in conversation.turns]


def _begun_with(newer: Conversation, older: Conversation, messages: list[Message]) -> Conversation:
    return newer.model_copy(update={"created_at": min(older.created_at, newer.created_at), "messages": list(messages)})


def _begins_with(now: _Said, before: _Said) -> bool:
    return now[: len(before)] == before


def _overlap(before: _Said, now: _Said) -> int:
    """Return how many turns at the end of the one are those at the beginning of the other, at most."""
    return max((n for n in range(1, min(len(before), len(now)) + 1) if before[-n:] == now[:n]), default=0)


def _contains(now: _Said, before: _Said) -> bool:
    return any(now[start : start + len(before)] == before for start in range(len(now) - len(before) + 1))


def _grown(older: Conversation, newer: Conversation) -> list[Message]:
    """Return the messages of a version that begins as the older one does, each turn with its earlier time.

    Of what instructions and tools said, the version that has more of it counts.
    """
    n_turns = len(older.turns)
    (begun_before, rest_before), (begun, rest) = (_cut(each, n_turns) for each in (older, newer))
    earlier = iter(older.turns)
    later = iter(newer.turns)
    messages = []
    for message in begun_before if len(begun_before) >= len(begun) else begun:
        if _is_turn(message):
            message = min(next(earlier), next(later), key=lambda turn: turn.created_at)
        messages.append(message)
    return [*messages, *(rest or rest_before)]


def _cut(conversation: Conversation, n_turns: int) -> tuple[list[Message], list[Message]]:
    """Return the messages up to the last of so many turns, and those after it."""
    for position, message in enumerate(conversation.messages):
        n_turns -= _is_turn(message)
        if not n_turns:
            return conversation.messages[: position + 1], conversation.messages[position + 1 :]
    return conversation.messages, []


def _is_turn(message: Message) -> bool:
    return message.role in ("user", "assistant")
