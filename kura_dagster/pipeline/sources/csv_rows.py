"""CSV files as rows: encodings, delimiters, and rows that do not fit their header.

Only the step from bytes to a row of texts belongs here; what the columns mean is `columns`' business.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any

from kura_dagster.pipeline.sources.columns import BadRow, Row
from kura_dagster.pipeline.sources.json_records import TOO_LARGE
from kura_dagster.pipeline.sources.record import MAX_CONVERSATION_BYTES, SourceError

_DELIMITERS = ",;\t|"
_ENDLESS = "not CSV: a field is too large, as where a quote does not end; what follows could not be read"
_WHICH_ENCODING = "say which encoding it is with --encoding"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def csv_rows(stream: io.BufferedReader[Any], name: str, encoding: str | None = None) -> Iterator[Row]:
    """Yield the rows after the header, each by the header's names.

    The delimiter is a comma, semicolon, tab or bar, whichever the header has most of. A row with other than the
    header's number of fields, or with bytes that are not of the encoding, is a `BadRow`; so is the rest of the file
    behind a quote that does not end.

    Args:
        stream: the file, at its beginning.
        name: of the file, for messages.
        encoding: of a file that does not say by a byte order mark that it is UTF-8 or UTF-16; None means UTF-8.

    Raises:
        SourceError: there is no header, or it has a name twice.
    """
    # The limit belongs to the whole process; raising it harms no one.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CONVERSATION_BYTES))
    lines = _lines(stream, encoding)
    try:
        header_line = next((line for line in lines if line.strip()), "")
    except _TooLongError:
        raise SourceError(f"{name} has no header: its first line is {TOO_LARGE}") from None
    delimiter = max(_DELIMITERS, key=header_line.count)

    def from_header() -> Iterator[str]:
        yield header_line
        yield from lines

    rows = csv.reader(from_header(), delimiter=delimiter)
    try:
        header = next(rows, [])
    except (csv.Error, _TooLongError):
        raise SourceError(f"{name} has no header: its first line is no CSV") from None
    columns = [column.strip() for column in header]
    if not any(columns):
        raise SourceError(f"{name} has no header: a CSV file begins with the names of its columns")
    if any(_undecoded(column) for column in columns):
        raise SourceError(f"{name} has a header that is {_not_in(encoding)}")
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise SourceError(f"{name} has the column {twice[0] or '(without a name)'} twice")
    while True:
        try:
            fields = next(rows, None)
        except csv.Error as error:
            if "larger" not in str(error):
                yield BadRow("not CSV: a line break inside of a field without quotes")
                continue
            yield BadRow(_ENDLESS)
            return
        except _TooLongError:
            yield BadRow(_ENDLESS)
            return
        if fields is None:
            return
        if not fields:
            continue
        if any(_undecoded(text) for text in fields):
            yield BadRow(_not_in(encoding), _shown(fields, delimiter))
        elif len(fields) != len(columns):
            yield BadRow(_mismatch(len(fields), len(columns)), _shown(fields, delimiter))
        else:
            yield dict(zip(columns, fields, strict=True))


class _TooLongError(Exception):
    """A line is longer than a conversation may be."""


def _lines(stream: io.BufferedReader[Any], encoding: str | None) -> Iterator[str]:
    head = stream.peek(3)
    if head.startswith(_UTF_16):
        yield from _decoded_lines(stream, "utf-16", "replace")
        return
    if head.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    elif encoding is not None:
        yield from _decoded_lines(stream, encoding, _MARK)
        return
    while line := stream.readline(MAX_CONVERSATION_BYTES + 1):
        if len(line) > MAX_CONVERSATION_BYTES:
            raise _TooLongError
        # What can't be decoded is told row by row.
        yield line.decode("utf-8", "surrogateescape")


def _decoded_lines(stream: io.BufferedReader[Any], encoding: str, errors: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding, errors=errors, newline="")
    while line := text.readline(MAX_CONVERSATION_BYTES + 1):
        if len(line) > MAX_CONVERSATION_BYTES:
            raise _TooLongError
        yield line


def _marked(error: UnicodeError) -> tuple[str, int]:
    """Stand in for bytes that are not of the encoding; `surrogateescape` refuses those below 128."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udc80", error.end


_MARK = "kura_dagster.mark_undecoded"
codecs.register_error(_MARK, _marked)


def _not_in(encoding: str | None) -> str:
    if encoding is None:
        return f"not UTF-8; {_WHICH_ENCODING}, for example cp1252, in which Excel saves plain CSV"
    return f"not {encoding}; {_WHICH_ENCODING}"


def _mismatch(n_fields: int, n_columns: int) -> str:
    return f"{n_fields} field{'s' * (n_fields != 1)}, and {n_columns} column{'s' * (n_columns != 1)}"


def _undecoded(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text)


def _shown(fields: list[str], delimiter: str) -> str:
    return delimiter.join(field[:2_000] for field in fields[:100])
