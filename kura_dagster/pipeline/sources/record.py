"""What a source gives: a record for each conversation in it, usable or not.

Only these types and their limits belong here; what makes a record unusable is said in `normalise` and in the readers.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kura_dagster.pipeline.conversations import CONTENT_CHARACTERS
from kura_dagster.pipeline.types import Conversation

MAX_CONVERSATION_BYTES = 16_000_000
"""A record that takes more in its file is unusable: one conversation must never fill the memory."""


class Read(NamedTuple):
    """A conversation, with all its times in UTC; `number` is its record's place in the file, from 1."""

    number: int
    conversation: Conversation


class Unusable(NamedTuple):
    """A record that is no usable conversation.

    `number` is its place in the file from 1. `reason` says what is wrong and where, and never quotes the record;
    `content` is its beginning, at most 2,000 characters. `chat_id` and `created_at` (UTC) are there where the record
    could tell them.
    """

    number: int
    reason: str
    chat_id: str | None
    content: str
    created_at: datetime | None


Record = Read | Unusable


class SourceError(ValueError):
    """A source can't be read at all. The message names it, says what was found and what can be done."""


class UnusableRecordError(ValueError):
    """Why a record is no usable conversation, with its chat_id and its time where they could be told."""

    def __init__(self, reason: str, *, chat_id: str | None = None, created_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.chat_id = chat_id
        self.created_at = created_at


def beginning_of(content: bytes | str) -> str:
    """Return so much of a record as is kept of an unusable one."""
    if isinstance(content, bytes):
        # No character takes more than four bytes, and a byte that is none becomes one U+FFFD.
        content = content[: 4 * CONTENT_CHARACTERS].decode("utf-8", "replace")
    return content[:CONTENT_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def of_source(record: Record, source: str) -> Record:
    """Return the record with `<source>:` before its id, so that ids of two systems never clash; "" changes nothing."""
    if not source:
        return record
    if isinstance(record, Unusable):
        return record._replace(chat_id=f"{source}:{record.chat_id}") if record.chat_id else record
    chat_id = f"{source}:{record.conversation.chat_id}"
    return record._replace(conversation=record.conversation.model_copy(update={"chat_id": chat_id}))
