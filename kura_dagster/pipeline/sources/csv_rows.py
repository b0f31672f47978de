"""CSV files as rows: encodings, delimiters, and rows that do not fit their header.

Only the step from bytes to a row of texts belongs here; what the columns mean is `columns`' business.
"""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from kura_dagster.pipeline.sources.columns import BadRow, Row
from kura_dagster.pipeline.sources.json_records import TOO_LARGE
from kura_dagster.pipeline.sources.record import MAX_CONVERSATION_BYTES, SourceError

_DELIMITERS = ",;\t|"
_MISQUOTED = (
    "not CSV: a quote that does not end, or one inside of a field that is not doubled; what follows its line is read on"
)
_WHICH_ENCODING = "say which encoding it is with --encoding"
_LINE_BREAK = "not CSV: a line break inside of a field without quotes"
_BEGINNING = 8_000  # bytes kept of what can't be cut
_CHUNK = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def csv_rows(stream: io.BufferedReader[Any], name: str, encoding: str | None = None) -> Iterator[Row]:
    """Yield the rows after the header, each by the header's names.

    The delimiter is a comma, semicolon, tab or bar, whichever the header has most of. A row that is too large, with
    other than the header's number of fields, or with bytes that are not of the encoding, is a `BadRow`. So is the line
    where a quote stands that does not end or is not doubled; the lines after it are rows of their own.

    Args:
        stream: the file, at its beginning.
        name: of the file, for messages.
        encoding: of a file that does not say by a byte order mark that it is UTF-8 or UTF-16; None means UTF-8.

    Raises:
        SourceError: there is no header, or it has a name twice.
    """
    # The limit belongs to the whole process; raising it harms no one.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CONVERSATION_BYTES))
    lines = _Lines(_lines(stream, encoding))
    header_line = lines.first_with_text()
    if len(header_line) > MAX_CONVERSATION_BYTES:
        raise SourceError(f"{name} has no header: its first line is {TOO_LARGE}")
    delimiter = max(_DELIMITERS, key=header_line.count)
    rows = _cut(lines, delimiter)
    header = next(rows, [])
    if isinstance(header, BadRow):
        raise SourceError(f"{name} has no header: its first line is no CSV")
    columns = [column.strip() for column in header]
    if not any(columns):
        raise SourceError(f"{name} has no header: a CSV file begins with the names of its columns")
    if any(_undecoded(column) for column in columns):
        raise SourceError(f"{name} has a header that is {_not_in(encoding)}")
    if twice := sorted(column for column, number in Counter(columns).items() if number > 1):
        raise SourceError(f"{name} has the column {twice[0] or '(without a name)'} twice")
    for fields in rows:
        if isinstance(fields, BadRow):
            yield fields
        elif any(_undecoded(text) for text in fields):
            yield BadRow(_not_in(encoding), _shown(fields, delimiter))
        elif len(fields) != len(columns):
            yield BadRow(_mismatch(len(fields), len(columns)), _shown(fields, delimiter))
        else:
            yield dict(zip(columns, fields, strict=True))


def _cut(lines: _Lines, delimiter: str) -> Iterator[list[str] | BadRow]:
    """Yield the fields of each row that has any; a `BadRow` for one that can't be cut into fields."""
    # Strictly: what a quote leads to that is not doubled is a guess, and one that is left open takes in other rows.
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_row()
        try:
            if fields := next(rows):
                yield fields
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(_LINE_BREAK if "new-line" in str(error) else _MISQUOTED, lines.first_of_row())
            lines.back_to_second()
        except _MisquotedError:
            yield BadRow(_MISQUOTED, lines.first_of_row())
            lines.back_to_second()
        except _TooLongError:
            try:
                lines.pass_over(delimiter)
            except _MisquotedError:
                yield BadRow(_MISQUOTED, lines.first_of_row())
                lines.back_to_second()
            else:
                yield BadRow(TOO_LARGE, lines.first_of_row())


class _TooLongError(Exception):
    """A row is longer than a conversation may be."""


class _MisquotedError(Exception):
    """A quote of this row does not end, or something other than a delimiter follows the one that ends a field."""


class _Lines:
    """The lines of a file; those of the row under way are kept, to be read again as rows of their own.

    A line longer than a conversation comes in pieces. What is kept goes to a file where it is larger than one.
    """

    def __init__(self, pieces: Iterator[str]) -> None:
        # The last source is read first.
        self._sources: list[Iterator[bytes]] = [(piece.encode("utf-8", "surrogateescape") for piece in pieces)]
        self._first = b""
        self._others = _kept_file()
        self._size = 0
        self._number = 0
        self._first_number = 0
        self._is_line_over = True
        # A row whose quote is open at the end of a line before this one is misquoted, as the one was that was read up
        # to here: both go on in the same way. Unknowing, each line of a file could be read to the file's end.
        self._misquoted_to = 0.0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not (piece := self._next_piece()):
            raise StopIteration
        if self._size > MAX_CONVERSATION_BYTES:
            raise _TooLongError
        return piece.decode("utf-8", "surrogateescape")

    def first_with_text(self) -> str:
        """Return the first line that is not blank, or its first piece, without taking it."""
        first = next((piece for piece in self._sources[0] if piece.strip()), b"")
        self._sources.append(piece for piece in [first] if piece)
        return first.decode("utf-8", "surrogateescape")

    def begin_row(self) -> None:
        """Forget the lines before."""
        if self._size > len(self._first):
            self._others.seek(0)
            self._others.truncate()
        self._size = 0
        self._first_number = self._number

    def first_of_row(self) -> str:
        """Return the beginning of the row's first line."""
        return self._first[:_BEGINNING].decode("utf-8", "replace")

    def pass_over(self, delimiter: str) -> None:
        """Read to the end of a row that is too large.

        Raises:
            _MisquotedError: it has none.
        """
        scanner = _Scanner(delimiter)
        scanner.feed(self._first)
        self._others.seek(0)
        while piece := self._others.read(_CHUNK):
            scanner.feed(piece)
        while scanner.is_quoted or not self._is_line_over:
            if not (piece := self._next_piece()):
                if scanner.is_quoted:
                    raise _MisquotedError
                return
            scanner.feed(piece)

    def back_to_second(self) -> None:
        """Go back to the line after the row's first one: in the line that was read last, the row is misquoted."""
        while not self._is_line_over and self._next_piece():
            pass
        self._misquoted_to = max(self._misquoted_to, self._number)
        self._is_line_over = True
        self._others.seek(0)
        piece, at = self._first, len(self._first)
        while at < self._size and not piece.endswith(b"\n"):
            piece = self._others.readline(_CHUNK)
            at += len(piece)
        if at < self._size:
            self._number = self._first_number + 1
            self._sources.append(_pieces(self._others))
            self._others = _kept_file()

    def _next_piece(self) -> bytes:
        """Return and keep the next line of the row, or a piece of one; nothing at the end of the file."""
        if self._size and self._is_line_over and self._number < self._misquoted_to:
            raise _MisquotedError
        while (piece := next(self._sources[-1], b"")) == b"" and len(self._sources) > 1:
            self._sources.pop()
        if not piece:
            if self._size:
                self._misquoted_to = float("inf")
            return piece
        if self._size:
            self._others.write(piece)
        else:
            self._first = piece
        self._size += len(piece)
        self._is_line_over = piece.endswith(b"\n")
        self._number += self._is_line_over
        return piece


def _kept_file() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(MAX_CONVERSATION_BYTES, prefix="kura-row-")


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.readline(MAX_CONVERSATION_BYTES + 1):
            yield piece


class _Scanner:
    """Follows the quotes of a row without keeping it; `is_quoted` says whether one is open."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        self._is_field_new = True
        self._is_closed = False
        self.is_quoted = False

    def feed(self, piece: bytes) -> None:
        """Go on with the next piece of the row.

        Raises:
            _MisquotedError: something other than a delimiter or a line's end follows a quote that ends a field.
        """
        at = 0
        while at < len(piece):
            byte = piece[at : at + 1]
            if self._is_closed:
                self._is_closed = False
                self.is_quoted = byte == b'"'
                self._is_field_new = byte == self._delimiter
                if not (self.is_quoted or self._is_field_new or byte in b"\r\n"):
                    raise _MisquotedError
            elif self.is_quoted:
                at = piece.find(b'"', at)
                if at < 0:
                    return
                self.is_quoted, self._is_closed = False, True
            elif self._is_field_new:
                self._is_field_new, self.is_quoted = byte == self._delimiter, byte == b'"'
            else:
                at = piece.find(self._delimiter, at)
                if at < 0:
                    return
                self._is_field_new = True
            at += 1


def _lines(stream: io.BufferedReader[Any], encoding: str | None) -> Iterator[str]:
    """Yield the lines of a file, and longer ones than a conversation in pieces."""
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
        # What can't be decoded is told row by row.
        yield line.decode("utf-8", "surrogateescape")


def _decoded_lines(stream: io.BufferedReader[Any], encoding: str, errors: str) -> Iterator[str]:
    # Lines as in UTF-8: what a carriage return alone ends is told as a fault.
    text = io.TextIOWrapper(stream, encoding, errors=errors, newline="\n")
    while line := text.readline(MAX_CONVERSATION_BYTES + 1):
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
