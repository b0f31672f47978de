"""Claude's export: `conversations.json`, a list of conversations with their `chat_messages`.

Of a conversation with edited messages the branch that was open last is read, where the export says which; older
exports hold that branch alone. Attachments leave a mark in the message that they came with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kura_dagster.pipeline.sources.branches import way_to
from kura_dagster.pipeline.sources.loose_content import FILE, IMAGE
from kura_dagster.pipeline.sources.normalise import (
    LooseConversation,
    LooseMessage,
    normalise,
    required_list,
    required_object,
)
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.types import Conversation

_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic", ".bmp")


def conversation_of(fields: dict[str, Any], options: SourceOptions) -> Conversation:
    """Return the conversation of a record; its title and model are metadata.

    Raises:
        UnusableRecordError: it is no usable one.
    """
    loose = LooseConversation(
        _messages(fields),
        chat_id=fields.get("uuid"),
        created_at=fields.get("created_at"),
        metadata={
            name: value
            for name, value in (
                ("title", fields.get("name")),
                ("model", fields.get("model")),
                ("project", _uuid(fields.get("project")) or fields.get("project_uuid")),
                ("account", _uuid(fields.get("account"))),
            )
            if value not in (None, "")
        },
    )
    return normalise(loose, options)


def _messages(fields: dict[str, Any]) -> Iterator[LooseMessage]:
    messages = [
        required_object(message, f"chat_messages.{position}")
        for position, message in enumerate(required_list(fields.get("chat_messages"), "chat_messages"))
    ]
    for message in _open_branch(messages, fields.get("current_leaf_message_uuid")):
        yield LooseMessage(message.get("sender"), _parts(message), message.get("created_at"))


def _open_branch(messages: list[dict[str, Any]], leaf: Any) -> list[dict[str, Any]]:
    by_uuid = {uuid: message for message in messages if isinstance(uuid := message.get("uuid"), str)}
    if not isinstance(leaf, str) or leaf not in by_uuid:
        return messages

    def parent_of(uuid: str) -> str | None:
        # The root's parent is a uuid that no message has.
        parent = by_uuid[uuid].get("parent_message_uuid")
        return parent if isinstance(parent, str) and parent in by_uuid else None

    branch = way_to(leaf, parent_of)
    # Without parents there is no branch to follow, and the order is all there is.
    return [by_uuid[uuid] for uuid in branch] if len(branch) > 1 else messages


def _parts(message: dict[str, Any]) -> Any:
    """Return the message's content, its attachments after it; `text` where there are no parts of text."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [] if content is None else [content]
    if not any(_has_text(part) for part in parts):
        # `text` repeats the parts, with a placeholder for each that is no text; it is all that older exports have.
        parts = [text if isinstance(text := message.get("text"), str) else None, *parts]
    # Pasted texts are attachments, uploads are files; the newer files_v2 lists the same as files.
    attached = [*_list(message.get("attachments")), *(_list(message.get("files")) or _list(message.get("files_v2")))]
    return [*parts, *(_mark(each) for each in attached)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _has_text(part: Any) -> bool:
    if isinstance(part, str):
        return bool(part.strip())
    return isinstance(part, dict) and isinstance(text := part.get("text"), str) and bool(text.strip())


def _mark(attached: Any) -> str:
    if isinstance(attached, dict):
        name = attached.get("file_name")
        if attached.get("file_kind") == "image" or (isinstance(name, str) and name.lower().endswith(_IMAGE_ENDINGS)):
            return IMAGE
    return FILE


def _uuid(owner: Any) -> Any:
    return owner.get("uuid") if isinstance(owner, dict) else None
