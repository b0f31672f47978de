"""Lists of messages as APIs of language models take them: request logs, traces, fine-tuning files, ShareGPT.

Logs nest what was asked in `request` or `body` and the answer in `response`; fine-tuning files have neither id nor
time. What one message looks like is `api_messages`' knowledge, what `input` and `output` may hold that of `traces`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kura_dagster.pipeline.sources.api_messages import TIMES, is_users, turns_of
from kura_dagster.pipeline.sources.normalise import (
    LooseConversation,
    LooseMessage,
    normalise,
    required_list,
    required_object,
)
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.sources.record import UnusableRecordError
from kura_dagster.pipeline.sources.traces import answered, asked, first_choice
from kura_dagster.pipeline.strict_json import NotJSONError, parse_json
from kura_dagster.pipeline.types import Conversation

_IDS = (
    "chat_id",
    "conversation_id",
    "thread_id",
    "session_id",
    "id",
    "custom_id",
    "request_id",
    "requestId",
    "conversation_hash",
)
_LISTS = ("messages", "conversations", "conversation")  # the second is ShareGPT's, the third WildChat's
_ASKED = ("input", "inputs", "prompt")  # the Responses API's and Langfuse's, LangSmith's, that of completions
_ANSWERED = ("output", "outputs", "output_text")
_NESTS = ("request", "body", "response", "params", "request_body", "response_body", "properties")
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
        created_at=_first(levels, TIMES),
        metadata=_metadata(levels),
    )
    return normalise(loose, options)


def _levels(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the record itself, and then the objects in it that logs nest requests and responses in."""
    levels = [fields]
    for _ in range(_DEEPEST_NEST):
        yield from levels
        levels = [nested for level in levels for name in _NESTS if (nested := _opened(level.get(name))) is not None]


def _opened(value: Any) -> dict[str, Any] | None:
    """Return the object that a body is, also where a log keeps it as it was sent, as a text; None where it is none."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = parse_json(value.encode("utf-8", "surrogatepass"), numbers_as_python_writes=True)
        except NotJSONError:
            return None
    return value if isinstance(value, dict) else None


def _first(levels: Sequence[dict[str, Any]], names: tuple[str, ...]) -> Any:
    return next(
        (value for level in levels for name in names if (value := level.get(name)) not in (None, "") and _flat(value)),
        None,
    )


def _flat(value: Any) -> bool:
    return not isinstance(value, (dict, list))


class _Asked(NamedTuple):
    """Where a record keeps what was asked: the object, and its field."""

    level: dict[str, Any]
    name: str


def _where_asked(levels: Sequence[dict[str, Any]]) -> _Asked | None:
    found = [_Asked(level, name) for level in levels for name in _LISTS if isinstance(level.get(name), list)]
    found = found or [_Asked(level, "messages") for level in levels if level.get("messages") is not None]
    found = found or [_Asked(level, name) for name in _ASKED for level in levels if level.get(name) is not None]
    return found[0] if found else None


def messages_of(*levels: dict[str, Any]) -> Iterator[LooseMessage]:
    """Yield the messages that were sent, of the first list among these objects or else of `input`, then the answer.

    Raises:
        UnusableRecordError: there are none, or something among them is no message.
    """
    where = _where_asked(levels)
    if where is None:
        raise UnusableRecordError(_missing(levels))
    before = list(_sent(where, levels))
    yield from before
    for depth, level in enumerate(levels):
        # The record's own time is that of its beginning.
        answer = list(_answer(level, before, _first([level], TIMES) if depth else None, is_nested=depth > 0))
        if answer:
            yield from answer
            return


def _missing(levels: Sequence[dict[str, Any]]) -> str:
    if any(_answer(level, [], None, is_nested=depth > 0) for depth, level in enumerate(levels)):
        return (
            "messages: missing; the record holds only an answer, as the output of a batch does: land the file of the "
            "requests"
        )
    return "messages: missing"


def _sent(where: _Asked, levels: Sequence[dict[str, Any]]) -> Iterator[LooseMessage]:
    value = where.level[where.name]
    if where.name in _ASKED:
        if isinstance(instructions := _instructions(levels), (str, list)):
            yield LooseMessage("system", instructions)
        yield from asked(value, where.name)
        return
    if _has_system(where.level):
        yield LooseMessage("system", where.level["system"])
    for position, message in enumerate(required_list(value, "messages")):
        yield from turns_of(required_object(message, f"messages.{position}"))


def _instructions(levels: Sequence[dict[str, Any]]) -> Any:
    return next((value for level in levels if (value := level.get("instructions")) is not None), None)


def _has_system(level: dict[str, Any]) -> bool:
    """Whether the messages' own object holds what Anthropic's API takes beside them."""
    return isinstance(level.get("system"), (str, list)) and any(isinstance(level.get(name), list) for name in _LISTS)


def _answer(level: dict[str, Any], before: list[LooseMessage], time: Any, *, is_nested: bool) -> list[LooseMessage]:
    """Return the answer that an object of a log holds, [] where it holds none."""
    if (choice := first_choice(level.get("choices"))) is not None:
        return answered({"choices": [{"message": choice}]}, "choices", before, time)
    if is_nested and _is_answer(level):
        return list(turns_of(level, time))
    for name in _ANSWERED:
        try:
            answer = answered(level.get(name), name, before, time)
        except UnusableRecordError:
            # Beside messages that end with an answer it is something else, such as a score.
            if not before or is_users(before[-1]):
                raise
            continue
        if answer:
            return answer
    response = level.get("response")
    is_told = isinstance(response, dict) and "role" not in response and bool(response.keys() & {"message", "content"})
    if is_told or isinstance(response, list) or (isinstance(response, str) and _opened(response) is None):
        return answered(response, "response", before)
    return []


def _is_answer(level: dict[str, Any]) -> bool:
    """Whether an object is the message that Anthropic's API answers with."""
    return level.get("role") == "assistant" and level.get("content") is not None


def _metadata(levels: list[dict[str, Any]]) -> dict[str, Any]:
    where = _where_asked(levels)
    metadata: dict[str, Any] = {}
    for depth, level in enumerate(levels):
        said = {*_IDS, *TIMES, *_LISTS, "input", "inputs", *_ANSWERED, "response", "instructions", "object"}
        if depth and "content" in level:
            said |= {"type", "role", "content"}
        if _has_system(level):
            said.add("system")
        if where is not None and where.level is level:
            said.add(where.name)
        for name, value in level.items():
            if name in said or value is None or not _flat(value):
                continue
            if isinstance(value, str) and (len(value) > _LONGEST_METADATA or (name in _NESTS and _opened(value))):
                continue
            metadata.setdefault(name, value)
    for level in levels:
        if isinstance(own := level.get("metadata"), dict):
            metadata |= own
    return metadata
