"""Reading the landing folder: which conversations began in a time window, and which lines could not be used.

The folder holds one file a day, `YYYY-MM-DD.jsonl`, with one conversation a line in Kura's form. Whoever writes it may
cut days in another time zone than the project, write late, and write a conversation again when it has grown. What is
made of the conversations afterwards is the other stages' work.

Each conversation belongs to the window that holds its `created_at`. Each line that can't be used is reported in exactly
one window: the one that holds the beginning of its file's day.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from kura_dagster.pipeline.strict_json import NotJSONError, parse_json
from kura_dagster.pipeline.types import Conversation

CONTENT_CHARACTERS = 2_000
"""So much of a line that was set aside is kept."""

_ONE_DAY = timedelta(days=1)
_FAULTS_IN_REASON = 3
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TIMESTAMP = TypeAdapter(datetime)
_DAY_FILE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.rejected)?\.jsonl", re.ASCII)


REJECTED_SUFFIX = ".rejected.jsonl"
"""What the files end with, beside those of the days, that hold what could not be landed at all."""


ID_FIELDS = (
    *("chat_id", "conversation_id", "thread_id", "session_id", "id", "uuid", "custom_id", "request_id"),
    *("requestId", "conversation_hash", "chat", "conversation", "ticket_id", "case_id"),
)
"""What formats call the field of a conversation's id."""


class RejectedConversation(BaseModel):
    """A record that could not be used, and why.

    `file` is a file of the landing folder, without the folder, or the one that was to be landed, as it was named;
    `line` is the record's place in it, from 1.
    """

    file: str
    line: int = Field(ge=1)
    chat_id: str | None = None
    reason: str
    content: str


@dataclass(frozen=True)
class LandedConversations:
    """What a time window holds: conversations sorted by chat_id, rejected lines by file and line.

    `missing` are the names of the window's own files that do not exist; days before and after may have none.
    """

    conversations: list[Conversation]
    rejected: list[RejectedConversation]
    missing: list[str]


def landing_file(folder: Path, day: date) -> Path:
    """Return the file of a day."""
    return folder / f"{day.isoformat()}.jsonl"


def rejected_file(folder: Path, day: date) -> Path:
    """Return the file that holds what could not be landed of a day."""
    return folder / f"{day.isoformat()}{REJECTED_SUFFIX}"


def day_of_file(path: Path) -> date | None:
    """Return the day of a landing file, or of a file of rejected records; None for any other file."""
    found = _DAY_FILE.fullmatch(path.name)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def day_files(folder: Path) -> Iterator[tuple[date, Path]]:
    """Yield the files that hold conversations, with their days, in order."""
    yield from _files_by_day(folder, rejected=False)


def rejected_files(folder: Path) -> Iterator[tuple[date, Path]]:
    """Yield the files that hold what could not be landed, with their days, in order."""
    yield from _files_by_day(folder, rejected=True)


def _files_by_day(folder: Path, *, rejected: bool) -> Iterator[tuple[date, Path]]:
    for path in sorted(folder.iterdir()):
        day = day_of_file(path)
        if day is not None and path.name.endswith(REJECTED_SUFFIX) == rejected and path.is_file():
            yield day, path


def read_conversations(folder: Path, start: datetime, end: datetime, tz: tzinfo) -> LandedConversations:
    """Read the conversations that began in the window [start, end), with all times in UTC.

    The files of the window's days in `tz` are read, and those of a day before and after for files that were cut in
    another time zone, line by line; a missing file is an empty one. Times without an offset are taken in `tz`. Byte
    order marks, CRLF and blank lines are skipped over, and lone surrogates become U+FFFD.

    Set aside is a line that is no JSON or not UTF-8, lacks a field, has no messages or an unknown role, or begins more
    than a day from its file's. Where a chat_id comes more than once in the window, the line whose last message is the
    latest wins, of equals the one that was written last; the others are set aside as superseded, in this window. What
    `landing` could not land of the window's days is reported with them.

    Args:
        folder: the landing folder.
        start: first instant of the window, with an offset.
        end: first instant after it, with an offset.
        tz: the time zone that the project's days are cut in.

    Raises:
        FileNotFoundError: the folder is missing. An empty result would replace what was stored from it.
        ValueError: `start` or `end` has no offset from UTC, or the window is empty.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError(f"the window is {start} to {end}; both need an offset from UTC")
    start, end = start.astimezone(UTC), end.astimezone(UTC)  # times of one zone compare without their offsets
    if start >= end:
        raise ValueError(f"the window is {start} to {end}; its end must come after its start")
    if not folder.is_dir():
        raise FileNotFoundError(f"the landing folder {folder} does not exist; it holds a file YYYY-MM-DD.jsonl a day")

    window = _Window(start, end)
    winners: dict[str, _Landed] = {}
    losers: list[tuple[str, _Position]] = []
    rejected: list[RejectedConversation] = []
    missing: list[str] = []
    for day in _days_around(start, end, tz):
        path = landing_file(folder, day)
        reports_here = _to_utc(datetime(day.year, day.month, day.day), tz) in window
        if reports_here:
            rejected.extend(rejected_in(rejected_file(folder, day)))
        if not path.is_file():
            if reports_here:
                missing.append(path.name)
            continue
        for number, offset, content in landed_lines(path):
            position = _Position(path, number, offset)
            try:
                conversation = _conversation(content, day, tz, window=None if reports_here else window)
            except UnusableLineError as error:
                if reports_here:
                    rejected.append(_rejected(position, content, error.chat_id, str(error)))
                continue
            if conversation is None or conversation.created_at not in window:
                continue
            landed = _Landed(position, conversation, max(message.created_at for message in conversation.messages))
            earlier = winners.get(conversation.chat_id)
            if earlier is not None and landed.last_message_at < earlier.last_message_at:
                losers.append((conversation.chat_id, position))
                continue
            if earlier is not None:
                losers.append((conversation.chat_id, earlier.position))
            winners[conversation.chat_id] = landed
    rejected.extend(_superseded(chat_id, position, winners[chat_id].position) for chat_id, position in losers)
    return LandedConversations(
        conversations=[winners[chat_id].conversation for chat_id in sorted(winners)],
        rejected=sorted(rejected, key=lambda row: (row.file, row.line)),
        missing=missing,
    )


def set_aside(folder: Path, day: date, tz: tzinfo) -> list[RejectedConversation]:
    """Return what is reported of a day: what could not be landed, and the lines of its file that can't be used."""
    begin = datetime(day.year, day.month, day.day, tzinfo=tz)
    return read_conversations(folder, begin, begin + _ONE_DAY, tz).rejected


class LandedLine(NamedTuple):
    """A line of a landing file: its number from 1, its first byte, and its content without the line's end."""

    number: int
    offset: int
    content: bytes


def landed_lines(path: Path) -> Iterator[LandedLine]:
    """Yield the lines of a landing file that are not blank, one at a time.

    Raises:
        OSError: the file can't be opened, or not be read to its end; it is named.
    """
    offset = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                content = line.removeprefix(_BYTE_ORDER_MARK).strip(b" \t\r\n")
                if content:
                    yield LandedLine(number, offset, content)
                offset += len(line)
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(f"{path.name} cannot be read ({error}); see that its disk is in order") from error


def first_and_last_begun(path: Path, tz: tzinfo) -> tuple[datetime, datetime] | None:
    """Return when the conversations of a file's first and last line began, the earlier one first, in UTC.

    Days that were cut in another time zone begin or end with conversations of the day before or after. A line that does
    not say when it began counts for nothing; None where neither does.

    Raises:
        OSError: the file can't be read.
    """
    first = next(landed_lines(path), None)
    lines = [] if first is None else [first.content, _last_line(path)]
    found = sorted(moment for line in lines if (moment := _begun_at(line, tz)) is not None)
    return (found[0], found[-1]) if found else None


def _last_line(path: Path) -> bytes:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        wanted = 65_536
        while True:
            start = file.seek(max(end - wanted, 0))
            _, newline, line = file.read(end - start).rstrip(b" \t\r\n").rpartition(b"\n")
            if newline or start == 0:
                return line
            wanted *= 4


def _begun_at(line: bytes, tz: tzinfo) -> datetime | None:
    try:
        return _to_utc(_TIMESTAMP.validate_python(_json_object(line)["created_at"]), tz)
    except (UnusableLineError, ValidationError, KeyError, OverflowError):
        return None


def parsed_line(content: bytes, day: date, tz: tzinfo) -> Conversation:
    """Return the conversation of a line in the file of a day, with all times in UTC.

    Raises:
        UnusableLineError: the line can't be used.
    """
    conversation = _conversation(content, day, tz, window=None)
    assert conversation is not None  # only a window leaves one out
    return conversation


def rejected_in(path: Path) -> list[RejectedConversation]:
    """Return what a file of rejected records holds; [] where there is none. Lines that are no record are left out."""
    found = []
    for line in landed_lines(path) if path.is_file() else ():
        with suppress(ValidationError):  # somebody edited the file: what it tells of is in the source still
            found.append(RejectedConversation.model_validate_json(line.content))
    return found


def id_pattern(chat_id: str) -> str:
    """Return a regular expression, of Python's and of RE2's, for a record in JSON that can't be read and has this id.

    It finds the id as the value of a field that is one's name in some format, also as it was before it had its source,
    and as a number.
    """
    ids = [chat_id, *([bare] if (bare := chat_id.partition(":")[2]) else [])]
    written = {json.dumps(each, ensure_ascii=ascii_only) for each in ids for ascii_only in (True, False)}
    written |= {each for each in ids if each.isdecimal()}
    any_of_them = "|".join(re.escape(each).replace("\\ ", " ") for each in sorted(written))
    return rf'"(?:{"|".join(ID_FIELDS)})"[ \t\r\n]*:[ \t\r\n]*(?:{any_of_them})(?:[^\w.-]|$)'


def holds_id(text: str, chat_id: str) -> bool:
    """Whether a record that can't be read has this id, by its text."""
    return re.search(id_pattern(chat_id), text) is not None


class UnusableLineError(ValueError):
    """The reason why a line can't be used, and the conversation it is about where it can be told."""

    def __init__(self, reason: str, chat_id: str | None = None) -> None:
        super().__init__(reason)
        self.chat_id = chat_id


@dataclass(frozen=True)
class _Window:
    """The instants from `start` up to, not including, `end`, in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


class _Position(NamedTuple):
    """Where a line is: its file, its number from 1, and its first byte."""

    path: Path
    line: int
    offset: int


class _Landed(NamedTuple):
    position: _Position
    conversation: Conversation
    last_message_at: datetime


def _days_around(start: datetime, end: datetime, tz: tzinfo) -> Iterator[date]:
    """Yield the days in `tz` that the window touches, and one either side."""
    day = start.astimezone(tz).date() - _ONE_DAY
    last = (end - timedelta(microseconds=1)).astimezone(tz).date() + _ONE_DAY
    while day <= last:
        yield day
        day += _ONE_DAY


def _conversation(line: bytes, day: date, tz: tzinfo, *, window: _Window | None) -> Conversation | None:
    """Return the conversation of a line, with all times in UTC.

    Given a window, a conversation that began outside of it is None, and no more of it is looked at than that.

    Raises:
        UnusableLineError: the line can't be used.
    """
    fields = _json_object(line)
    chat_id = fields.get("chat_id")
    if not isinstance(chat_id, str) or not chat_id:
        chat_id = None
    try:
        if "created_at" not in fields:
            raise UnusableLineError("created_at: Field required")
        created_at = _to_utc(_TIMESTAMP.validate_python(fields["created_at"]), tz)
        began_on = created_at.astimezone(tz).date()
        if abs(began_on - day) > _ONE_DAY:
            raise UnusableLineError(f"created_at: began on {began_on}, more than a day from its file's")
        if window is not None and created_at not in window:
            return None
        conversation = Conversation.model_validate(fields)
        conversation.created_at = created_at
        for message in conversation.messages:
            message.created_at = _to_utc(message.created_at, tz)
    except UnusableLineError as error:
        raise UnusableLineError(str(error), chat_id) from None
    except ValidationError as error:
        raise UnusableLineError(_reason(error), chat_id) from None
    except OverflowError:
        raise UnusableLineError("created_at: a time is out of range", chat_id) from None
    return conversation


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        fields = parse_json(line)
    except NotJSONError as error:
        raise UnusableLineError(str(error)) from None
    if not isinstance(fields, dict):
        raise UnusableLineError(f"not a conversation: a JSON {type(fields).__name__}, no object")
    return fields


def _to_utc(time: datetime, tz: tzinfo) -> datetime:
    return (time.replace(tzinfo=tz) if time.tzinfo is None else time).astimezone(UTC)


def _reason(error: ValidationError) -> str:
    """Return where and why a line does not fit, without its content."""
    faults: dict[str, str] = {}
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        place, message = fault["loc"], fault["msg"]
        if place[:1] == ("metadata",) and len(place) > 2:
            place, message = (
                place[:2],
                "Input should be a text, a number, true, false, null or a list of texts or numbers",
            )
        faults.setdefault(".".join(str(part) for part in place) or "created_at", message)
    shown = [f"{place}: {message}" for place, message in list(faults.items())[:_FAULTS_IN_REASON]]
    more = len(faults) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _superseded(chat_id: str, position: _Position, winner: _Position) -> RejectedConversation:
    # The line is read again: keeping every line for the few that lose would hold the day in memory twice.
    with position.path.open("rb") as file:
        file.seek(position.offset)
        line = file.readline().removeprefix(_BYTE_ORDER_MARK).strip(b" \t\r\n")
    return _rejected(position, line, chat_id, f"superseded by {winner.path.name}:{winner.line}")


def _rejected(position: _Position, line: bytes, chat_id: str | None, reason: str) -> RejectedConversation:
    content = line.decode("utf-8", "replace")[:CONTENT_CHARACTERS]
    return RejectedConversation(
        file=position.path.name, line=position.line, chat_id=chat_id, reason=reason, content=content
    )
