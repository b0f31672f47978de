"""Tables: rows that are conversations, or rows that are one message of a conversation.

Rows come from anywhere as mappings of column to value (`csv_rows`, a Parquet file, a query); what the columns mean is
said by a `ColumnMapping`. Messages of a conversation need not stand together: they are sorted in a file of their own,
so that a table may be larger than the memory.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from kura_dagster.pipeline.sources import openai_messages, traces
from kura_dagster.pipeline.sources.json_records import TOO_LARGE
from kura_dagster.pipeline.sources.loose_content import clean_text
from kura_dagster.pipeline.sources.loose_times import TimeError, parse_time
from kura_dagster.pipeline.sources.normalise import LooseConversation, LooseMessage, normalise
from kura_dagster.pipeline.sources.options import ColumnMapping, SourceOptions
from kura_dagster.pipeline.sources.record import (
    MAX_CONVERSATION_BYTES,
    Read,
    Record,
    Unusable,
    UnusableRecordError,
    beginning_of,
)
from kura_dagster.pipeline.strict_json import NotJSONError, parse_json
from kura_dagster.pipeline.types import Conversation

Row = Mapping[str, Any]

_ROWS_AT_ONCE = 1_000
_LATEST = datetime.max.replace(tzinfo=UTC)


class BadRow(dict[str, Any]):
    """A row that could not be read as such; it says why, and its only value is its beginning."""

    def __init__(self, reason: str, content: str = "") -> None:
        super().__init__({"": content})
        self.reason = reason


def read_rows(rows: Iterable[Row], name: str, options: SourceOptions) -> Iterator[Record]:
    """Yield the conversations of a table; `number` is the row's place from 1, or that of a conversation's first row.

    Conversations of a table with a row a message come in the order of their ids.

    Raises:
        SourceError: the columns do not fit `options.columns`, or their names do not tell what they are.
    """
    yield from read_numbered_rows(enumerate(rows, start=1), name, options)


def read_numbered_rows(
    rows: Iterable[tuple[int, Row]], name: str, options: SourceOptions, *, may_lack_columns: bool = False
) -> Iterator[Record]:
    """Do as `read_rows` does, with rows that bring their numbers.

    Args:
        rows: number and row.
        name: of the source, for messages.
        options: `columns` says what is what.
        may_lack_columns: a row without a column is no fault, as where rows are JSON objects.

    Raises:
        SourceError: as for `read_rows`.
    """
    rows = iter(rows)
    mapping: ColumnMapping | None = None
    pending: list[tuple[int, Row]] = []
    for number, row in rows:
        pending.append((number, row))
        if not isinstance(row, BadRow):
            mapping = options.columns or ColumnMapping.guessed(row, name)
            if not may_lack_columns:
                mapping.check(row, name)
            break
    numbered = chain(pending, rows)
    if mapping is not None and mapping.is_row_a_part:
        yield from _grouped(numbered, mapping, options)
        return
    for number, row in numbered:
        if isinstance(row, BadRow):
            yield _bad(number, row)
        else:
            assert mapping is not None
            yield _record(number, row, mapping, options)


def _bad(number: int, row: Row) -> Unusable:
    assert isinstance(row, BadRow)
    return Unusable(number, row.reason, None, beginning_of(row[""]), None)


def _record(number: int, row: Row, mapping: ColumnMapping, options: SourceOptions) -> Record:
    try:
        if _size(row) > MAX_CONVERSATION_BYTES:
            raise UnusableRecordError(TOO_LARGE)
        return Read(number, _conversation(row, mapping, options))
    except UnusableRecordError as error:
        return Unusable(number, str(error), error.chat_id, _shown(row), error.created_at)


def _size(row: Row) -> int:
    # Characters, not bytes: close enough for a limit that only guards the memory.
    return sum(len(value) for value in row.values() if isinstance(value, (str, bytes)))


def _shown(row: Row) -> str:
    shown = {column: value[:2_000] if isinstance(value, str) else value for column, value in row.items()}
    try:
        return beginning_of(json.dumps(shown, ensure_ascii=False, default=str))
    except (TypeError, ValueError, RecursionError):
        return beginning_of(", ".join(row))


def _value(row: Row, column: str | None) -> Any:
    return None if column is None else row.get(column)


def _conversation(row: Row, mapping: ColumnMapping, options: SourceOptions) -> Conversation:
    loose = LooseConversation(
        _messages(row, mapping),
        chat_id=_value(row, mapping.chat_id),
        created_at=_value(row, mapping.created_at),
        metadata=mapping.metadata_of(row),
    )
    return normalise(loose, options)


def _messages(row: Row, mapping: ColumnMapping) -> Iterator[LooseMessage]:
    if mapping.messages is None:
        assert mapping.prompt is not None
        asked = list(_asked(_of_trace(_value(row, mapping.prompt)), clean_text(mapping.prompt)))
        yield from asked
        response = _of_trace(_value(row, mapping.response))
        if _is_nested(response):
            yield from traces.answered(response, clean_text(mapping.response or ""), asked)
        else:
            yield LooseMessage("assistant", response)
        return
    messages = row.get(mapping.messages)
    if isinstance(messages, str):
        try:
            messages = parse_json(messages.encode("utf-8", "surrogatepass"), numbers_as_python_writes=True)
        except NotJSONError as error:
            raise UnusableRecordError(f"{clean_text(mapping.messages)}: {error}") from None
    yield from openai_messages.messages_of({"messages": messages})


def _asked(prompt: Any, name: str) -> Iterator[LooseMessage]:
    if _is_nested(prompt):
        yield from traces.asked(prompt, name)
    else:
        yield LooseMessage("user", prompt)


def _is_nested(value: Any) -> bool:
    """Whether a value holds objects, which say for themselves who speaks."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def _of_trace(value: Any) -> Any:
    """Return the messages that a text is, as traces are exported to CSV; any other value as it is, also other JSON."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        found = parse_json(value.encode("utf-8", "surrogatepass"), numbers_as_python_writes=True)
    except NotJSONError:
        return value
    items = found if isinstance(found, list) else [found]
    keys = [item.keys() if isinstance(item, dict) else frozenset() for item in items]
    if isinstance(found, dict) and isinstance(found.get("messages", found.get("choices")), list):
        return found
    return found if items and all(each >= {"role", "content"} for each in keys) else value


def _grouped(rows: Iterable[tuple[int, Row]], mapping: ColumnMapping, options: SourceOptions) -> Iterator[Record]:
    """Yield the conversations of rows that are messages, sorted on disk by conversation."""
    assert mapping.chat_id is not None
    with (
        tempfile.TemporaryDirectory(prefix="kura-rows-") as folder,
        closing(sqlite3.connect(Path(folder) / "rows.sqlite", isolation_level=None)) as kept,
    ):
        kept.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; BEGIN")
        kept.execute("CREATE TABLE rows (chat_id TEXT, number INTEGER, row TEXT)")
        batch: list[tuple[str, int, str]] = []
        for number, row in rows:
            if isinstance(row, BadRow):
                yield _bad(number, row)
                continue
            chat_id = row.get(mapping.chat_id)
            if chat_id is None or (isinstance(chat_id, str) and not chat_id.strip()):
                if mapping.is_row_a_message:
                    yield Unusable(number, f"{clean_text(mapping.chat_id)}: missing", None, _shown(row), None)
                else:
                    yield _record(number, row, mapping, options)
                continue
            try:
                written = json.dumps(_plain(row), default=str)
            except (TypeError, ValueError, RecursionError):
                yield Unusable(number, "a value is nested too deeply", None, _shown(row), None)
                continue
            if len(written) > MAX_CONVERSATION_BYTES:
                yield Unusable(number, TOO_LARGE, None, _shown(row), None)
                continue
            batch.append((json.dumps(clean_text(str(chat_id)).strip()), number, written))
            if len(batch) >= _ROWS_AT_ONCE:
                kept.executemany("INSERT INTO rows VALUES (?, ?, ?)", batch)
                batch.clear()
        kept.executemany("INSERT INTO rows VALUES (?, ?, ?)", batch)
        in_order = kept.execute("SELECT chat_id, number, row FROM rows ORDER BY chat_id, number")
        for _, group in groupby(in_order, key=lambda found: found[0]):
            yield _of_parts(group, mapping, options)


def _plain(row: Row) -> dict[str, Any]:
    return {column: value.isoformat() if hasattr(value, "isoformat") else value for column, value in row.items()}


def _of_parts(group: Iterable[tuple[str, int, str]], mapping: ColumnMapping, options: SourceOptions) -> Record:
    """Return the conversation of one id's rows; the first row's metadata is the conversation's."""
    numbers: list[int] = []
    rows: list[Row] = []
    size = 0
    for _, number, written in group:
        numbers.append(number)
        size += len(written)
        if size <= MAX_CONVERSATION_BYTES:
            rows.append(json.loads(written))
    first = rows[0]
    try:
        if size > MAX_CONVERSATION_BYTES:
            chat_id = str(_value(first, mapping.chat_id))
            raise UnusableRecordError(f"{TOO_LARGE} in its {len(numbers):,} rows", chat_id=chat_id)
        if len(rows) == 1 and not mapping.is_row_a_message:
            return _record(numbers[0], first, mapping, options)
        parts = [list(_part(row, mapping)) for row in rows]
        messages = _by_time(_joined(parts), options)
        loose = LooseConversation(messages, chat_id=_value(first, mapping.chat_id), metadata=mapping.metadata_of(first))
        return Read(numbers[0], normalise(loose, options))
    except UnusableRecordError as error:
        return Unusable(numbers[0], str(error), error.chat_id, _shown(first), error.created_at)


def _joined(parts: list[list[LooseMessage]]) -> list[LooseMessage]:
    """Return what rows say one after the other; a row of a trace may begin with all that was said before."""
    told: list[LooseMessage] = []
    for part in parts:
        if len(part) > len(told) and traces.texts_of(part[: len(told)]) == traces.texts_of(told):
            told = part
        else:
            told += part
    return told


def _part(row: Row, mapping: ColumnMapping) -> Iterator[LooseMessage]:
    """Yield what a row says: a message, or a prompt and its response."""
    created_at = _value(row, mapping.created_at)
    if mapping.is_row_a_message:
        yield LooseMessage(_value(row, mapping.role), _value(row, mapping.content), created_at)
        return
    for message in _messages(row, mapping):
        yield message._replace(created_at=created_at)


def _by_time(messages: list[LooseMessage], options: SourceOptions) -> list[LooseMessage]:
    """Return the messages in the order of their times where all have one, else as their rows came."""
    try:
        times = [
            parse_time(message.created_at, tz=options.tz, latest=_LATEST, dates=options.dates) for message in messages
        ]
    except TimeError:
        return messages  # which is told when they become a conversation
    if None in times:
        return messages
    order = sorted(range(len(messages)), key=lambda position: times[position])  # type: ignore[arg-type,return-value]
    return [messages[position] for position in order]
