"""Cutting JSON files into records without parsing them: lines, the items of one list, or objects after one another.

Only where a record begins and ends belongs here, and only so much of it is ever in memory as a conversation may take.
What is in a record is parsed afterwards, one by one, so that a fault inside one costs no other.

A streaming JSON parser would do the same for lists, but not with these promises: ijson 3.6 ends the whole file at a
number that is too large or a lone surrogate, turns others into a question mark without a word, and took all the memory
of a machine for 100,000 brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import Any, NamedTuple

from kura_dagster.pipeline.sources.record import MAX_CONVERSATION_BYTES

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_BEGINNING = 8_000  # bytes kept of what is too large or broken
_CHUNK = 1 << 20
_DEEPEST = 1_000_000
WHITESPACE = b" \t\r\n"
_SPACE = re.compile(rb"[ \t\r\n]*+")
# Early releases of Python 3.11 forget what a possessive repetition of alternatives has matched. So texts are spelled
# without one, and what must not be given back is looked ahead at and then taken as it was found. Repetitions of groups
# are bounded: each round takes some 300 bytes, which made gigabytes of a record full of escapes.
_A_TEXT = rb'"[^"\\]*(?:\\.[^"\\]*){0,5000}"'
# What is in no bracket or in empty ones, and the next bracket where it follows at once.
_TO_BRACKET = re.compile(
    rb'(?=((?:[^"\[\]{}]+|' + _A_TEXT + rb"|\[[^\"\[\]{}]*\]|\{[^\"\[\]{}]*\}){0,50}))\1([\[\]{}])?", re.DOTALL
)
_ESCAPE_OR_QUOTE = re.compile(rb'\\.|"', re.DOTALL)
_PLAIN = re.compile(rb'[^\s,\[\]{}"]++')
_BRACKET_OR_QUOTE = re.compile(rb'["\[\]{}]')
_QUOTE_OR_BACKSLASH = re.compile(rb'["\\]')
_CLOSERS = {ord("{"): ord("}"), ord("["): ord("]")}
_QUOTE, _COMMA, _COLON, _OPEN_LIST, _END_OF_LIST, _OPEN_OBJECT, _END_OF_OBJECT = b'",:[]{}'

TOO_LARGE = f"larger than {MAX_CONVERSATION_BYTES // 1_000_000} MB"


class RawRecord(NamedTuple):
    """A record's bytes and its place from 1; with a `fault`, only its beginning and why it can't be used."""

    number: int
    content: bytes
    fault: str | None = None


def raw_records(stream: BufferedReader[Any], list_field: str | None = None) -> Iterator[RawRecord]:
    """Yield the records of a JSON file: the items of a list, or else its lines; blank lines only count.

    A file whose first line is nothing but an opening brace holds objects over several lines.

    Args:
        stream: at its beginning.
        list_field: the field whose list holds the records, where the file is an object around them, or several. A list
            beside it that could hold records too is a faulty one; other fields are passed over.
    """
    if stream.peek(len(BYTE_ORDER_MARK)).startswith(BYTE_ORDER_MARK):
        stream.read(len(BYTE_ORDER_MARK))
    # Blank lines before the first record count, where lines do.
    blank_lines = 0
    while (head := stream.peek(1)) and head[:1] in WHITESPACE:
        blank_lines += stream.read(1) == b"\n"
    if list_field is not None:
        yield from _until_broken(stream, lambda scanner: _fields(scanner, list_field))
    elif head[:1] == b"[":
        yield from _until_broken(stream, _list)
    elif _opens_alone(stream.peek(1)):
        yield from _until_broken(stream, _objects)
    else:
        yield from _lines(stream, blank_lines)


def _opens_alone(head: bytes) -> bool:
    line, newline, _ = head[:_BEGINNING].partition(b"\n")
    return bool(newline) and line.strip(WHITESPACE) == b"{"


def _lines(stream: BufferedReader[Any], number: int) -> Iterator[RawRecord]:
    while line := stream.readline(MAX_CONVERSATION_BYTES + 1):
        number += 1
        if len(line) > MAX_CONVERSATION_BYTES and not line.endswith(b"\n"):
            beginning = line[:_BEGINNING]
            while line and not line.endswith(b"\n"):
                line = stream.readline(_CHUNK)
            yield RawRecord(number, beginning, TOO_LARGE)
            continue
        if content := line.removeprefix(BYTE_ORDER_MARK).strip(WHITESPACE):
            yield RawRecord(number, content)


def _until_broken(
    stream: BufferedReader[Any], records_of: Callable[[_Scanner], Iterator[RawRecord]]
) -> Iterator[RawRecord]:
    """Yield the records that are found, and one faulty record for all that can't be cut."""
    scanner = _Scanner(stream)
    try:
        yield from records_of(scanner)
    except _BrokenError as error:
        beginning = scanner.buffer[error.at : error.at + _BEGINNING]
        place = scanner.offset + error.at + 1
        # Inside of a value the record has its number already.
        number = scanner.n_records + (not error.inside)
        yield RawRecord(number, beginning, f"not JSON from byte {place:,} on: {error}; what follows could not be read")


def _list(scanner: _Scanner) -> Iterator[RawRecord]:
    """Yield the items of a list that is all there is."""
    scanner.next_byte()
    yield from _items(scanner)
    if scanner.next_byte() is not None:
        raise _BrokenError("something follows the end of the list", scanner.at)


def _items(scanner: _Scanner) -> Iterator[RawRecord]:
    """Yield the items of the list whose bracket is next."""
    scanner.at += 1
    while (byte := scanner.next_byte()) != _END_OF_LIST:
        if byte is None:
            raise _BrokenError("the file ends before its list does", scanner.at)
        yield scanner.record()
        byte = scanner.next_byte()
        if byte == _COMMA:
            scanner.at += 1
        elif byte not in (_END_OF_LIST, None):
            raise _BrokenError("a comma is missing between two items", scanner.at)
    scanner.at += 1


def _objects(scanner: _Scanner) -> Iterator[RawRecord]:
    """Yield values that follow each other, with commas or without."""
    while scanner.next_byte() is not None:
        yield scanner.record()
        if scanner.next_byte() == _COMMA:
            scanner.at += 1


def _fields(scanner: _Scanner, list_field: str) -> Iterator[RawRecord]:
    """Yield the items of a field's list, for each of the objects that follow each other."""
    while (byte := scanner.next_byte()) is not None:
        if byte != _OPEN_OBJECT:
            raise _BrokenError(f"something follows the object around {list_field}", scanner.at)
        scanner.at += 1
        while (byte := scanner.next_byte()) != _END_OF_OBJECT:
            if byte == _COMMA:
                scanner.at += 1
                continue
            if byte != _QUOTE:
                raise _BrokenError("the file ends inside of an object" if byte is None else "no field", scanner.at)
            name, _ = scanner.value_beside()
            if scanner.next_byte() != _COLON:
                raise _BrokenError("a colon is missing after a field's name", scanner.at)
            scanner.at += 1
            byte = scanner.next_byte()
            if byte is None:
                raise _BrokenError("the file ends inside of an object", scanner.at)
            if byte == _OPEN_LIST and name == f'"{list_field}"'.encode():
                yield from _items(scanner)
                continue
            content, fault = scanner.value_beside()
            if fault is None and byte == _OPEN_LIST and b"{" in content:
                fault = f"a list beside {list_field}, whose items were read; put it into a file of its own, as with jq"
            if fault is not None:
                scanner.n_records += 1
                yield RawRecord(scanner.n_records, content[:_BEGINNING], fault)
        scanner.at += 1


def _end_of_text(buffer: bytes, start: int) -> int | None:
    """Return where the text ends whose quote stands at `start`; None where the buffer ends before."""
    for found in _ESCAPE_OR_QUOTE.finditer(buffer, start + 1):
        if found.end() - found.start() == 1:
            return found.end()
    return None


def _end_of_plain(buffer: bytes, start: int) -> int | None:
    found = _PLAIN.match(buffer, start)
    return None if found is None else found.end()


class _BrokenError(Exception):
    """The values can't be told apart from here on; `at` is a place in the buffer."""

    def __init__(self, reason: str, at: int, *, inside: bool = False) -> None:
        super().__init__(reason)
        self.at = at
        self.inside = inside


class _Scanner:
    """Finds the ends of values in a stream; `buffer` holds the part under way, `at` is the place in it."""

    def __init__(self, stream: BufferedReader[Any]) -> None:
        self.stream = stream
        self.buffer = b""
        self.at = 0
        self.n_records = 0
        self.offset = 0
        """Bytes of the stream before the buffer."""

    def next_byte(self) -> int | None:
        """Skip what is blank and return the next byte, without taking it; None at the end."""
        while True:
            found = _SPACE.match(self.buffer, self.at)
            assert found is not None
            self.at = found.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self._more(self.at):
                return None

    def record(self) -> RawRecord:
        """Take the value that begins here as the next record."""
        self.n_records += 1
        return RawRecord(self.n_records, *self.value())

    def value_beside(self) -> tuple[bytes, str | None]:
        """Take the value that begins here, which is no record."""
        try:
            return self.value()
        except _BrokenError as error:
            error.inside = False
            raise

    def value(self) -> tuple[bytes, str | None]:
        """Take the value that begins here: its bytes, or its beginning and a fault where it is too large."""
        first = self.buffer[self.at]
        if first in _CLOSERS:
            return self._container()
        start = self.at
        while True:
            end = _end_of_text(self.buffer, start) if first == _QUOTE else _end_of_plain(self.buffer, start)
            # A number may go on in the next chunk; only a text says where it ends.
            if end is not None and (first == _QUOTE or end < len(self.buffer)):
                break
            if end is None and first != _QUOTE:
                raise _BrokenError("a value is missing", start, inside=True)
            if len(self.buffer) - start > MAX_CONVERSATION_BYTES:
                raise _BrokenError(f"a value is {TOO_LARGE}", start, inside=True)
            if not self._more(start):
                if end is None:
                    raise _BrokenError("a text does not end", start, inside=True)
                break
            start = 0
        self.at = end
        return self.buffer[start:end], None

    def _container(self) -> tuple[bytes, str | None]:
        start, at, buffer = self.at, self.at + 1, self.buffer
        closers = bytearray([_CLOSERS[buffer[start]]])
        # In line and without `_is_end`: this loop is half of the time that a large list takes.
        while True:
            found = _TO_BRACKET.match(buffer, at)
            assert found is not None
            if found.lastindex == 1:
                if found.end() > at:
                    at = found.end()
                    continue
                # A text of more escapes than the pattern takes, or one that goes on in what is not read yet.
                if at < len(buffer) and (end := _end_of_text(buffer, at)) is not None:
                    at = end
                    continue
                self.at = at
                if len(buffer) - start > MAX_CONVERSATION_BYTES:
                    return self._beyond(start, closers), TOO_LARGE
                if not self._more(start):
                    raise _BrokenError("the file ends inside of this record", start, inside=True)
                start, at, buffer = 0, self.at, self.buffer
                continue
            at = found.end()
            bracket = buffer[at - 1]
            if bracket in _CLOSERS:
                closers.append(_CLOSERS[bracket])
                if len(closers) > _DEEPEST:
                    raise _BrokenError("nested too deeply", start, inside=True)
            elif closers.pop() != bracket:
                raise _BrokenError("a bracket closes that is not open", at - 1, inside=True)
            elif not closers:
                self.at = at
                if at - start > MAX_CONVERSATION_BYTES:
                    return buffer[start : start + _BEGINNING], TOO_LARGE
                return buffer[start:at], None

    def _beyond(self, start: int, closers: bytearray) -> bytes:
        """Pass over a container that is too large, holding no more than a chunk of it; return its beginning."""
        beginning = self.buffer[start : start + _BEGINNING]
        in_text = False
        while True:
            found = (_QUOTE_OR_BACKSLASH if in_text else _BRACKET_OR_QUOTE).search(self.buffer, self.at)
            if found is None:
                self.at = len(self.buffer)
                if not self._more(self.at):
                    raise _BrokenError("the file ends inside of this record", self.at, inside=True)
                continue
            self.at = found.end()
            if found.group() == b'"':
                in_text = not in_text
            elif in_text:  # a backslash and what it stands before
                if self.at == len(self.buffer) and not self._more(self.at):
                    raise _BrokenError("the file ends inside of this record", self.at, inside=True)
                self.at += 1
            elif self._is_end(closers, self.at - 1):
                return beginning

    def _is_end(self, closers: bytearray, start: int) -> bool:
        """Take account of the bracket before `at`; True where it closes the container."""
        bracket = self.buffer[self.at - 1]
        if bracket in _CLOSERS:
            closers.append(_CLOSERS[bracket])
            if len(closers) > _DEEPEST:
                raise _BrokenError("nested too deeply", start, inside=True)
            return False
        if closers.pop() != bracket:
            raise _BrokenError("a bracket closes that is not open", self.at - 1, inside=True)
        return not closers

    def _more(self, keep: int) -> bool:
        """Read on, forgetting what is before `keep`; False at the end of the stream."""
        # As much again as is kept: what is looked through once more stays in proportion to the record.
        read = self.stream.read(max(_CHUNK, len(self.buffer) - keep))
        if not read:
            return False
        self.buffer = self.buffer[keep:] + read
        self.offset += keep
        self.at -= keep
        return True
