"""One message, or one item of a list, as APIs of language models write it: who said what, and when.

Only the step from an object to the turns that it is belongs here. Where a log keeps its lists is `openai_messages`'
knowledge, and `traces`'.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kura_dagster.pipeline.sources.loose_content import ContentError, text_of
from kura_dagster.pipeline.sources.normalise import LooseMessage, required_object
from kura_dagster.pipeline.sources.record import UnusableRecordError

TIMES = (
    *("created_at", "created", "timestamp", "create_time", "time", "start_time"),
    *("createdAt", "startTime", "request_created_at"),
)
"""What APIs and logs call a time, the likeliest first."""

_ROLES = ("role", "from", "sender")
_CONTENTS = ("content", "value", "text", "refusal")
_TOOLS = frozenset(["tool", "function"])
# LangChain's messages say by their type, or their class, who speaks.
_SPEAKERS = frozenset(["human", "ai", "user", "assistant", "system", "developer", "tool", "function"])
_CLASSES = {"HumanMessage": "human", "AIMessage": "ai", "AIMessageChunk": "ai", "SystemMessage": "system"}
_CLASSES |= {"ToolMessage": "tool", "FunctionMessage": "tool"}

# The model's own work on its answer, in the Responses API: no part of what was said.
_SILENT = frozenset(["reasoning", "item_reference", "compaction", "mcp_list_tools"])
_SILENT_ENDINGS = ("_call", "_approval_request", "_approval_response")
# A list of these is the content of one message.
_PARTS = frozenset(
    """text input_text output_text refusal image image_url input_image input_file file document input_audio tool_use
    server_tool_use web_search_tool_result thinking redacted_thinking""".split()
)


def is_users(message: LooseMessage) -> bool:
    """Whether a message is the user's, by the names that APIs have for one."""
    return message.role == "user" or message.role == "human"


def turns_of(message: dict[str, Any], time: Any = None) -> Iterator[LooseMessage]:
    """Yield the turns of a message: one, or two where the user's words came with what a tool answered.

    Args:
        message: as OpenAI's, Anthropic's or LangChain's APIs write it, or ShareGPT.
        time: of a message that tells none.
    """
    message = _unwrapped(message)
    role, content, created_at = (_first(message, names) for names in (_ROLES, _CONTENTS, TIMES))
    if role is None and _kind(message) in _SPEAKERS:
        role = _kind(message)
    if content is None and isinstance(audio := message.get("audio"), dict):
        content = audio.get("transcript")
    created_at = time if created_at is None else created_at
    if role == "user" and isinstance(content, list):
        # Anthropic's API has no role for tools: their results are sent as the user's.
        results = [part for part in content if isinstance(part, dict) and part.get("type") == "tool_result"]
        if results:
            yield LooseMessage("tool", [_result(part) for part in results], created_at)
            content = [part for part in content if not any(part is result for result in results)]
    if isinstance(role, str) and role in _TOOLS:
        content = _told(content)
    if content != [] or role != "user":
        yield LooseMessage(role, content, created_at)


def turns_of_items(items: Sequence[Any], name: str, role: str, time: Any = None) -> Iterator[LooseMessage]:
    """Yield the turns of a list of items, as the Responses API has them and traces keep them.

    Items are messages, calls of tools and thinking (left out), and what tools answered (their turns). A list of parts
    is one message.

    Args:
        items: the list.
        name: of the list, for reasons.
        role: who says what tells no role.
        time: of items that tell none.

    Raises:
        UnusableRecordError: an item is nothing of these.
    """
    if items and all(isinstance(item, dict) and "role" not in item and _kind(item) in _PARTS for item in items):
        yield LooseMessage(role, list(items), time)
        return
    for position, each in enumerate(items):
        item = _unwrapped(required_object(each, f"{name}.{position}"))
        kind = _kind(item)
        if _first(item, _ROLES) is not None or kind in _SPEAKERS:
            yield from turns_of(item, time)
        elif kind == "message":
            yield from turns_of(item | {"role": role}, time)
        elif kind.endswith(("_call", "_call_output")) and isinstance(item.get("output"), (str, list, dict)):
            yield LooseMessage("tool", _told(item["output"]), time)
        elif kind in _PARTS:
            yield LooseMessage(role, [item], time)
        elif kind not in _SILENT and not kind.endswith(_SILENT_ENDINGS):
            raise UnusableRecordError(f"{name}.{position}: an object in which no message can be told")


def _unwrapped(message: dict[str, Any]) -> dict[str, Any]:
    """Return LangChain's message without what its serialisation puts around it."""
    inside = message.get("kwargs")
    if not isinstance(inside, dict):
        return message
    where = message.get("id")
    name = where[-1] if isinstance(where, list) and where else None
    speaker = _CLASSES.get(name) if isinstance(name, str) else None
    return inside if speaker is None else {"type": speaker} | inside


def _first(message: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((value for name in names if (value := message.get(name)) is not None), None)


def _kind(item: dict[str, Any]) -> str:
    kind = item.get("type")
    return kind if isinstance(kind, str) else ""


def _told(content: Any) -> Any:
    """Return what a tool answered as something with a text: tools answer in any JSON."""
    try:
        text_of(content)
    except ContentError:
        return json.dumps(content, ensure_ascii=False, default=str)
    return content


def _result(part: dict[str, Any]) -> Any:
    content = part.get("content")
    if isinstance(content, list):
        texts = (each.get("text") for each in content if isinstance(each, dict))
        return "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None
