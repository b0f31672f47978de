"""ChatGPT's export: `conversations.json`, a list of conversations, each a tree of messages in its `mapping`.

Read is the branch that was open last, from the root to `current_node`. What the interface hides (the system's message,
custom instructions, the model's thinking, marks of citations) is left out; what the model sent to a tool, and the
tool's answer, is the tool's turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kura_dagster.pipeline.sources.branches import way_to
from kura_dagster.pipeline.sources.normalise import (
    LooseConversation,
    LooseMessage,
    normalise,
    required_object,
)
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.sources.record import UnusableRecordError
from kura_dagster.pipeline.types import Conversation

# Custom instructions and memory, sent with every conversation; and the model's thinking.
_HIDDEN_CONTENT = frozenset(["user_editable_context", "model_editable_context", "thoughts", "reasoning_recap"])

# Shown in their place, where they were deleted since.
_NO_INSTRUCTIONS = "Original custom instructions no longer available"

# What the interface shows as a link: private-use characters around names of results, or 【12†source】.
_CITATION = re.compile("\ue200[^\ue200\ue201]*\ue201|【[^【】†]{0,100}†[^【】†]{0,300}】|[\ue200-\ue2ff]")

_WORDS = "audio_transcription"
_RECORDINGS = ("audio_asset_pointer", "real_time_user_audio_video_asset_pointer")


def conversation_of(fields: dict[str, Any], options: SourceOptions) -> Conversation:
    """Return the conversation of a record; its title, model and custom GPT are metadata.

    Raises:
        UnusableRecordError: it is no usable one.
    """
    loose = LooseConversation(
        _messages(fields),
        chat_id=fields.get("conversation_id") or fields.get("id"),
        created_at=fields.get("create_time"),
        metadata={
            name: value
            for name, key in (("title", "title"), ("model", "default_model_slug"), ("gpt", "gizmo_id"))
            if (value := fields.get(key)) not in (None, "")
        },
    )
    return normalise(loose, options)


def _messages(fields: dict[str, Any]) -> Iterator[LooseMessage]:
    mapping = fields.get("mapping")
    if mapping is None:
        raise UnusableRecordError("mapping: missing")
    nodes = required_object(mapping, "mapping")
    if not nodes:
        raise UnusableRecordError("mapping: there are no messages")
    for name in _open_branch(nodes, fields.get("current_node")):
        node = nodes[name]
        message = node.get("message") if isinstance(node, dict) else None
        if isinstance(message, dict) and not _is_hidden(message):
            role, content = _role(message), _content(message.get("content"))
            yield LooseMessage(
                role, _without_citations(content) if role != "user" else content, message.get("create_time")
            )


def _open_branch(nodes: dict[str, Any], leaf: Any) -> list[str]:
    def parent_of(name: str) -> str | None:
        node = nodes[name]
        parent = node.get("parent") if isinstance(node, dict) else None
        return parent if isinstance(parent, str) and parent in nodes else None

    if isinstance(leaf, str) and leaf in nodes:
        return way_to(leaf, parent_of)
    # Without a current node the branch of the last message is the one that was open last.
    return way_to(max(nodes, key=lambda name: _time(nodes[name])), parent_of)


def _time(node: Any) -> float:
    message = node.get("message") if isinstance(node, dict) else None
    time = message.get("create_time") if isinstance(message, dict) else None
    return float(time) if isinstance(time, (int, float)) and abs(time) < 1e15 else 0.0


def _is_hidden(message: dict[str, Any]) -> bool:
    metadata, content = message.get("metadata"), message.get("content")
    if isinstance(metadata, dict) and metadata.get("is_visually_hidden_from_conversation") is True:
        return True
    if not isinstance(content, dict):
        return False
    kind = content.get("content_type")
    return (isinstance(kind, str) and kind in _HIDDEN_CONTENT) or content.get("parts") == [_NO_INSTRUCTIONS]


def _role(message: dict[str, Any]) -> Any:
    author = message.get("author")
    role = author.get("role") if isinstance(author, dict) else None
    return "tool" if role == "assistant" and message.get("recipient") not in (None, "all") else role


def _content(content: Any) -> Any:
    """Return the content as a text or parts."""
    if not isinstance(content, dict):
        return content
    parts = content.get("parts")
    if isinstance(parts, list):  # text and multimodal_text
        kinds = [part.get("content_type") if isinstance(part, dict) else None for part in parts]
        # A spoken turn comes as its words and as a recording of them.
        return [part for part, kind in zip(parts, kinds, strict=True) if not (kind in _RECORDINGS and _WORDS in kinds)]
    for key in ("text", "result"):  # code, execution_output, tether_quote; tether_browsing_display
        if isinstance(content.get(key), str):
            return content[key]
    kind = content.get("content_type")
    return [{"type": kind}]


def _without_citations(content: Any) -> Any:
    if isinstance(content, str):
        return _CITATION.sub("", content)
    if isinstance(content, list):
        return [_without_citations(part) for part in content]
    if isinstance(content, dict) and isinstance(text := content.get("text"), str):
        return content | {"text": _CITATION.sub("", text)}
    return content
