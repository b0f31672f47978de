"""Kura's own form: `chat_id`, `created_at`, `messages` of `role`, `content` and `created_at`, and `metadata`.

It comes as JSON lines or as one list, which is what Kura's `conversations.json` is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kura_dagster.pipeline.sources.normalise import (
    LooseConversation,
    LooseMessage,
    normalise,
    required_list,
    required_object,
)
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.types import Conversation


def conversation_of(fields: dict[str, Any], options: SourceOptions) -> Conversation:
    """Return the conversation of a record.

    Raises:
        UnusableRecordError: it is no usable one.
    """
    loose = LooseConversation(
        _messages(fields),
        chat_id=fields.get("chat_id"),
        created_at=fields.get("created_at"),
        metadata=fields.get("metadata"),
    )
    return normalise(loose, options)


def _messages(fields: dict[str, Any]) -> Iterator[LooseMessage]:
    for position, message in enumerate(required_list(fields.get("messages"), "messages")):
        message = required_object(message, f"messages.{position}")
        yield LooseMessage(message.get("role"), message.get("content"), message.get("created_at"))
