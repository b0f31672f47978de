"""Lists of messages as APIs of language models take them: request logs, fine-tuning files, ShareGPT's conversations.

Logs nest the list in `request` or `body` and the answer in `response`; fine-tuning files have neither id nor time. The
answer in `response.choices[0].message` is the conversation's last message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from kura_dagster.pipeline.sources.normalise import (
    LooseConversation,
    LooseMessage,
    normalise,
    required_list,
    required_object,
)
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.types import Conversation

_IDS = ("chat_id", "conversation_id", "thread_id", "session_id", "id", "custom_id", "request_id", "conversation_hash")
_TIMES = ("created_at", "created", "timestamp", "create_time", "time", "start_time")
_LISTS = ("messages", "conversations", "conversation")  # the second is ShareGPT's, the third WildChat's
_ROLES = ("role", "from", "sender")
_CONTENTS = ("content", "value", "text")
_NESTS = ("request", "body", "response", "params")
_DEEPEST_NEST = 3  # the record, its response, and that one's body, as in OpenAI's batches
_LONGEST_METADATA = 1_000  # characters; longer texts beside the messages are prompts and answers once more


def conversation_of(fields: dict[str, Any], options: SourceOptions) -> Conversation:
    """Return the conversation of a record.

    Metadata are the entries of its `metadata`, `model` and `user`, and what else stands beside the messages and is no
    object or list.

    Raises:
        UnusableRecordError: it is no usable one.
    """
    levels = list(_levels(fields))
    loose = LooseConversation(
        messages_of(*levels),
        chat_id=_first(levels, _IDS),
        created_at=_first(levels, _TIMES),
        metadata=_metadata(levels),
    )
    return normalise(loose, options)


def _levels(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the record itself, and then the objects in it that logs nest requests and responses in."""
    levels = [fields]
    for _ in range(_DEEPEST_NEST):
        yield from levels
        levels = [nested for level in levels for name in _NESTS if isinstance(nested := level.get(name), dict)]


def _first(levels: list[dict[str, Any]], names: tuple[str, ...]) -> Any:
    return next(
        (value for level in levels for name in names if (value := level.get(name)) not in (None, "") and _flat(value)),
        None,
    )


def _flat(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def messages_of(*levels: dict[str, Any]) -> Iterator[LooseMessage]:
    """Yield the messages of the first list among these objects, then the answer of the first with `choices`.

    Raises:
        UnusableRecordError: there is no list, or something in it is no message.
    """
    found = next((value for level in levels for name in _LISTS if isinstance(value := level.get(name), list)), None)
    if found is None:
        found = next((value for level in levels if (value := level.get("messages")) is not None), None)
    for position, message in enumerate(required_list(found, "messages")):
        yield _message(required_object(message, f"messages.{position}"))
    for level in levels:
        choices = level.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            answer = choices[0].get("message")
            if isinstance(answer, dict):
                yield _message({"role": "assistant"} | answer, _first([level], _TIMES))
            return


def _message(message: dict[str, Any], time: Any = None) -> LooseMessage:
    role, content, created_at = (
        next((value for name in names if (value := message.get(name)) is not None), None)
        for names in (_ROLES, _CONTENTS, _TIMES)
    )
    if role == "user" and _only_tool_results(content):
        # Anthropic's API has no role for tools: their results are sent as the user's.
        return LooseMessage("tool", [_result(part) for part in content], created_at)
    return LooseMessage(role, content, time if created_at is None else created_at)


def _only_tool_results(content: Any) -> TypeGuard[list[dict[str, Any]]]:
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(part, dict) and part.get("type") == "tool_result" for part in content)
    )


def _result(part: dict[str, Any]) -> Any:
    content = part.get("content")
    if isinstance(content, list):
        texts = (each.get("text") for each in content if isinstance(each, dict))
        return "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def _metadata(levels: list[dict[str, Any]]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for level in levels:
        for name, value in level.items():
            if name in (*_IDS, *_TIMES, *_LISTS, "object") or value is None or not _flat(value):
                continue
            if isinstance(value, str) and len(value) > _LONGEST_METADATA:
                continue
            metadata.setdefault(name, value)
    for level in levels:
        if isinstance(own := level.get("metadata"), dict):
            metadata |= own
    return metadata
