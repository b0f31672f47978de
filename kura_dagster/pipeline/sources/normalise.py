"""From what a format's reader found to a valid `Conversation`, or to the reason why there is none.

This is the one place that decides what is valid: ids, times, roles, texts and metadata of any source go through here.
Where a format keeps them is the business of its own module.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from kura_dagster.pipeline.sources.loose_content import ContentError, clean_text, kind_of, text_of
from kura_dagster.pipeline.sources.loose_metadata import typed_metadata
from kura_dagster.pipeline.sources.loose_times import TimeError, parse_time
from kura_dagster.pipeline.sources.options import ROLES, SourceOptions
from kura_dagster.pipeline.sources.record import UnusableRecordError
from kura_dagster.pipeline.types import Conversation

_ROLES = {
    name: role
    for role, names in {
        "user": """user human customer client visitor end-user end_user enduser requester guest lead contact""",
        "assistant": """assistant ai bot model gpt agent operator support representative advisor admin""",
        "system": "system",
        "developer": "developer",
        "tool": "tool function",
    }.items()
    for name in names.split()
}
_LONGEST_ID = 1_000  # characters
_ONE_DAY = timedelta(days=1)


class LooseMessage(NamedTuple):
    """A message as it was found, of any types."""

    role: Any
    content: Any
    created_at: Any = None


@dataclass
class LooseConversation:
    """A conversation as it was found: every value is of any type, and None where there is none.

    `messages` may raise `UnusableRecordError` while it is gone through; the error is then told with id and time.
    """

    messages: Iterable[LooseMessage]
    chat_id: Any = None
    created_at: Any = None
    metadata: Any = None


def normalise(loose: LooseConversation, options: SourceOptions) -> Conversation:
    """Return the conversation, with all times in UTC.

    Messages without text are left out. A conversation without a time of its own begins with its first message's, or at
    `options.default_created_at`; a message without one has the time of the message before it. A conversation without an
    id gets one that follows from its messages: what they say, who, and when where that is known.

    Raises:
        UnusableRecordError: something is no id, no time (or an absurd one), no known role or no text, or the user says
            nothing.
    """
    chat_id: str | None = None
    begun: datetime | None = None
    times: list[datetime | None] = []
    try:
        chat_id = _chat_id(loose.chat_id)
        begun = _time("created_at", loose.created_at, options)
        messages = list(loose.messages)
        for position, message in enumerate(messages):
            times.append(_time(f"messages.{position}.created_at", message.created_at, options))
        created_at = _first(begun, *times, options.default_created_at)
        if created_at is None:
            raise UnusableRecordError(
                "no time: neither the conversation nor a message has one; give a day with --created-at DAY, or say "
                "which column of a table it is with --column created_at=COLUMN"
            )
        spoken = _spoken(messages, times, options.roles)
        if chat_id is None:
            chat_id = _id_of(spoken, begun)
        metadata = {} if loose.metadata is None else required_object(loose.metadata, "metadata")
        return Conversation.model_validate(
            {
                "chat_id": chat_id,
                "created_at": created_at,
                "messages": _timed(spoken, created_at),
                "metadata": typed_metadata(metadata),
            }
        )
    except UnusableRecordError as error:
        known = _first(error.created_at, begun, *times)
        raise UnusableRecordError(str(error), chat_id=error.chat_id or chat_id, created_at=known) from None
    except RecursionError:
        raise UnusableRecordError("metadata: nested too deeply", chat_id=chat_id, created_at=begun) from None


def required_list(value: Any, name: str) -> list[Any]:
    """Return a value that has to be a list with something in it.

    Raises:
        UnusableRecordError: it is not. The reason names it as `name`.
    """
    if value is None:
        raise UnusableRecordError(f"{name}: missing")
    if not isinstance(value, list):
        raise UnusableRecordError(f"{name}: {kind_of(value)}, not a list")
    if not value:
        raise UnusableRecordError(f"{name}: there are none")
    return value


def required_object(value: Any, name: str) -> dict[str, Any]:
    """Return a value that has to be a JSON object.

    Raises:
        UnusableRecordError: it is not. The reason names it as `name`.
    """
    if not isinstance(value, dict):
        raise UnusableRecordError(f"{name}: {kind_of(value)}, not an object")
    return value


def _chat_id(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        text = clean_text(value).strip()
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        # Other types than JSON's come from tables: UUIDs, decimals.
        if isinstance(value, (bool, list, dict, bytes)):
            raise UnusableRecordError(f"chat_id: {kind_of(value)}, not a text or a number")
        text = str(value)
    elif isinstance(value, float):
        if not value.is_integer():
            raise UnusableRecordError("chat_id: a number with a fraction")
        text = str(int(value))
    else:
        text = str(value)
    if len(text) > _LONGEST_ID:
        raise UnusableRecordError(f"chat_id: longer than {_LONGEST_ID:,} characters")
    return text or None


def _time(name: str, value: Any, options: SourceOptions) -> datetime | None:
    try:
        return parse_time(value, tz=options.tz, latest=options.now + _ONE_DAY, dates=options.dates)
    except TimeError as error:
        raise UnusableRecordError(f"{name}: {error}") from None


class _Spoken(NamedTuple):
    role: str
    text: str
    created_at: datetime | None


def _spoken(messages: list[LooseMessage], times: list[datetime | None], roles: Mapping[str, str]) -> list[_Spoken]:
    """Return the messages that have a text, at least one of them the user's."""
    if not messages:
        raise UnusableRecordError("messages: there are none")
    spoken: list[_Spoken] = []
    for position, (message, time) in enumerate(zip(messages, times, strict=True)):
        role = _role(message.role, position, roles)
        try:
            text = text_of(message.content)
        except ContentError as error:
            raise UnusableRecordError(f"messages.{position}.content: {error}") from None
        if text and not text.isspace():
            spoken.append(_Spoken(role, text, time))
    if not any(message.role == "user" for message in spoken):
        raise UnusableRecordError("messages: the user says nothing")
    return spoken


def _role(value: Any, position: int, roles: Mapping[str, str]) -> str:
    role = None
    if isinstance(value, str):
        if not roles and (role := _ROLES.get(value)):
            return role
        name = value.strip().lower()
        role = roles.get(name) or _ROLES.get(name)
    if role is None:
        fault = "missing" if value is None else "unknown" if isinstance(value, str) else kind_of(value)
        raise UnusableRecordError(
            f"messages.{position}.role: {fault}; known are {', '.join(ROLES)} and their synonyms; for another say "
            "--role NAME=assistant"
        )
    return role


def _timed(spoken: Iterable[_Spoken], created_at: datetime) -> list[dict[str, Any]]:
    timed = []
    last = created_at
    for message in spoken:
        last = message.created_at or last
        timed.append({"role": message.role, "content": message.text, "created_at": last})
    return timed


def _id_of(spoken: list[_Spoken], begun: datetime | None) -> str:
    """Return 16 hex digits that follow from the messages.

    Known times are in it, so that two who both just say "hi" stay two. A default time is not: it changes no id.
    """
    said = [[message.role, message.text, _iso(message.created_at)] for message in spoken]
    return hashlib.sha256(json.dumps([_iso(begun), said]).encode()).hexdigest()[:16]


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _first(*times: datetime | None) -> datetime | None:
    return next((time for time in times if time is not None), None)
