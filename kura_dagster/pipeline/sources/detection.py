"""Which format a source is in, told by its beginning.

Only the telling belongs here. A record's own fields decide, not the file's name, except between texts that any table
could be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import PurePath

from kura_dagster.pipeline.sources.json_records import BYTE_ORDER_MARK, WHITESPACE
from kura_dagster.pipeline.sources.options import ColumnMapping
from kura_dagster.pipeline.sources.record import SourceError

HEAD_BYTES = 1 << 18
"""So much of a source's beginning is enough to tell its format."""


class Format(StrEnum):
    """The formats that can be read; `json` is a table whose rows are JSON objects."""

    KURA = "kura"
    KURA_CHECKPOINTS = "kura_checkpoints"
    CLAUDE = "claude"
    CHATGPT = "chatgpt"
    OPENAI = "openai"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


# A text, its colon where it is a field's name; a quote alone, where a text does not end; or a bracket.
_TOKEN = re.compile(rb'"(?:([^"\\]*(?:\\.[^"\\]*)*)"(\s*+:)?)?|[\[\]{}]', re.DOTALL)
_LINES_LOOKED_AT = 100
_VALUE_LOOKED_AT = 64  # bytes; values begin sooner, behind a blank
# What tells a format where an object or a list stands under it; in a table the same names are columns of texts.
_KNOWN_KEYS = (
    ("chat_messages", Format.CLAUDE),
    ("mapping", Format.CHATGPT),
    ("request", Format.OPENAI),
    ("response", Format.OPENAI),
    ("body", Format.OPENAI),
    ("request_body", Format.OPENAI),
    ("properties", Format.OPENAI),
    ("conversations", Format.OPENAI),
    ("conversation", Format.OPENAI),
    ("messages", Format.OPENAI),
    *((name, Format.OPENAI) for name in ("input", "output", "inputs", "outputs")),
)
_STRUCTURED = frozenset([b"{", b"[", b""])  # nothing follows where the beginning ends
_VENDORS = frozenset([Format.CLAUDE, Format.CHATGPT])  # which keep null where there was nothing
_BODIES = frozenset(["request", "response", "body", "request_body"])  # some logs keep them as they were sent, as texts
_LIST_FIELDS = frozenset(["data", "conversations", "items", "results", "records", "chats", "threads", "rows"])
_TABLE_SUFFIXES = (".csv", ".tsv")


def detect(head: bytes, name: str, columns: ColumnMapping | None = None) -> Format:
    """Return the format of a source.

    Args:
        head: its beginning, `HEAD_BYTES` of it or all there is.
        name: the file's name, for the message and for its ending.
        columns: what the reader says of tables; JSON with all of these columns is one.

    Raises:
        SourceError: it is in no known format. The message names the file, says what was found and what can be forced.
    """
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    suffix = PurePath(name.removesuffix(".gz")).suffix.lower()
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip(WHITESPACE)
    if text[:1] in (b"{", b"["):
        found = _list_field(text, columns)
        keys = _keys(text) if found is None else found[1]
        if columns is not None and columns.is_of(keys):
            return Format.JSON
        if (told := _told_by(keys)) is not None:
            return told
        if b"".join(text.split()) == b"[]":
            return Format.KURA
        with suppress(SourceError):
            ColumnMapping.guessed(keys, name)
            return Format.JSON
        shown = ", ".join(sorted(key for key in keys if key.isidentifier())[:10])
        if text.startswith(b"{") and shown:
            shown += " (where one of them holds a list of the records, take it out, as jq does: jq '.FIELD' FILE)"
        raise _unknown(name, f"JSON with the fields {shown}" if shown else "JSON without fields")
    if suffix in _TABLE_SUFFIXES:
        return Format.CSV
    raise _unknown(name, _described(text))


def _told_by(keys: Mapping[str, set[bytes]]) -> Format | None:
    """Return the format whose fields these are, other than a table's."""
    for key, format in _KNOWN_KEYS:
        values = keys.get(key, set())
        if any(
            value[:1] in _STRUCTURED
            or (value == b'"{' and key in _BODIES)
            or (value[:1] == b"n" and format in _VENDORS)
            for value in values
        ):
            return Format.KURA if key == "messages" and "chat_id" in keys else format
    return Format.OPENAI if "output_text" in keys else None


def list_field(head: bytes, columns: ColumnMapping | None = None) -> str | None:
    """Return the field whose list holds the records, where a source is an object around them.

    Args:
        head: the source's beginning, as for `detect`.
        columns: which columns were named; an object that has them is a record itself.
    """
    found = _list_field(head.removeprefix(BYTE_ORDER_MARK).lstrip(WHITESPACE), columns)
    return None if found is None else found[0]


def _list_field(text: bytes, columns: ColumnMapping | None) -> tuple[str, dict[str, set[bytes]]] | None:
    """Return that field, and the fields of the records in its list as `_keys` does."""
    if not text.startswith(b"{"):
        return None
    open_brackets, name = bytearray(), ""
    outside: dict[str, set[bytes]] = {}
    inside: dict[str, dict[str, set[bytes]]] = {}
    for token in _TOKEN.finditer(text):
        opener = token.group()[:1]
        if opener == b'"':
            if token[1] is None:
                break
            if not token[2]:
                continue
            if open_brackets == b"{":
                name = token[1].decode("utf-8", "replace")
                outside.setdefault(name, set()).add(_value_after(token, text))
            elif open_brackets == b"{[{":
                fields = inside.setdefault(name, {})
                fields.setdefault(token[1].decode("utf-8", "replace"), set()).add(_value_after(token, text))
        elif opener in (b"{", b"["):
            open_brackets += opener
        else:
            del open_brackets[-1:]
            if not open_brackets:
                break  # More objects follow, which are as this one.
    if columns is not None and columns.is_of(outside):
        return None
    # The name is ShareGPT's for its messages, too.
    if _told_by({name: values for name, values in outside.items() if name != "conversations"}) is not None:
        return None
    return next(
        (
            (name, fields)
            for name, fields in inside.items()
            if name in _LIST_FIELDS and _are_records(name, fields, columns)
        ),
        None,
    )


def _are_records(name: str, fields: Mapping[str, set[bytes]], columns: ColumnMapping | None) -> bool:
    if _told_by(fields) is not None or (columns is not None and columns.is_of(fields)):
        return True
    # ShareGPT's conversations are lists of messages, which look like rows of a table.
    with suppress(SourceError):
        return name != "conversations" and ColumnMapping.guessed(fields, "") is not None
    return False


def _unknown(name: str, found: str) -> SourceError:
    formats = ", ".join(format for format in Format if format is not Format.KURA_CHECKPOINTS)
    return SourceError(f"{name} is in no known format: it holds {found}. Say which it is; known are {formats}")


def _described(text: bytes) -> str:
    if not text:
        return f"nothing in its first {HEAD_BYTES // 1024} KB"
    if text.startswith(b"<"):
        return "HTML or XML"
    if text.startswith(b"%PDF"):
        return "a PDF"
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16, which only CSV may be; save it as UTF-8"
    if b"\x00" in text:
        return "binary data"
    return "text that is not JSON"


def _keys(text: bytes) -> dict[str, set[bytes]]:
    """Return the fields of the objects at the top: of the file, of its lines, or of its list.

    Each comes with the first two bytes of its values.
    """
    if text.startswith(b"["):
        return _keys_at([text], depth=2)
    lines = text.split(b"\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT]
    if lines[0].strip() == b"{":
        return _keys_at([text], depth=1)
    # Line by line: a broken one hides no other.
    return _keys_at(lines, depth=1)


def _keys_at(texts: list[bytes], depth: int) -> dict[str, set[bytes]]:
    keys: dict[str, set[bytes]] = {}
    for text in texts:
        level = 0
        for token in _TOKEN.finditer(text):
            opener = token.group()[:1]
            if opener == b'"' and token[1] is None:
                break  # The beginning stops inside of this text, so what looks like fields and brackets is none.
            if opener in (b"{", b"["):
                level += 1
            elif opener in (b"}", b"]"):
                level -= 1
            elif level == depth and token[2]:
                keys.setdefault(token[1].decode("utf-8", "replace"), set()).add(_value_after(token, text))
    return keys


def _value_after(key: re.Match[bytes], text: bytes) -> bytes:
    return text[key.end() : key.end() + _VALUE_LOOKED_AT].lstrip(WHITESPACE)[:2]
