"""Opening a source, whatever is around it, and reading it by its format.

Here compressed files are unpacked as a stream and formats meet their readers. What a format is, and what is valid, is
said in their own modules.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from kura_dagster.pipeline.sources import chatgpt, claude, native, openai_messages
from kura_dagster.pipeline.sources.columns import BadRow, Row, read_numbered_rows, read_rows
from kura_dagster.pipeline.sources.csv_rows import csv_rows
from kura_dagster.pipeline.sources.detection import HEAD_BYTES, Format, detect, list_field
from kura_dagster.pipeline.sources.exports import without_companions
from kura_dagster.pipeline.sources.json_records import BYTE_ORDER_MARK, WHITESPACE, RawRecord, raw_records
from kura_dagster.pipeline.sources.loose_content import kind_of
from kura_dagster.pipeline.sources.options import ColumnMapping, SourceOptions
from kura_dagster.pipeline.sources.record import (
    Read,
    Record,
    SourceError,
    Unusable,
    UnusableRecordError,
    beginning_of,
    of_source,
)
from kura_dagster.pipeline.strict_json import NotJSONError, parse_json
from kura_dagster.pipeline.types import Conversation

__all__ = ["ColumnMapping", "Format", "SourceError", "SourceOptions", "read_source"]

_READERS: dict[Format, Callable[[dict[str, Any], SourceOptions], Conversation]] = {
    Format.KURA: native.conversation_of,
    Format.KURA_CHECKPOINTS: native.conversation_of,
    Format.CLAUDE: claude.conversation_of,
    Format.CHATGPT: chatgpt.conversation_of,
    Format.OPENAI: openai_messages.conversation_of,
}

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_EMPTY_ZIP = b"PK\x05\x06"
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_BUFFER = 1 << 20
_UNPACKED_AT_ONCE = 1 << 14

# DEFLATE packs a thousand times at most, and logs that repeat themselves some fifty times.
_MOST_EXPANDED = 250
_ALWAYS_EXPANDED = 100_000_000  # bytes that anything may expand to

# What the standard library raises for damaged packs, found by fuzzing; a fault of the disk is an OSError and no such.
_UNPACKING_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, struct.error, ValueError)
_PACKED_AS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may take any amount of memory


def read_source(file: BinaryIO, name: str, options: SourceOptions, format: Format | None = None) -> Iterator[Record]:
    """Yield a record for every conversation of a file, one at a time.

    Files packed with gzip are unpacked on the way, and so are the zip files that vendors send: of these the
    `conversations.json` is read, or else every file in a known format, and numbers go on from one to the next.

    Args:
        file: open for reading bytes, at its beginning; zip and Parquet need one that can be sought in. It is not
            closed.
        name: the file's name, for messages and its ending; it is never opened.
        options: time zone, default time and columns.
        format: what the file is, where its beginning does not tell.

    Raises:
        SourceError: as the first record is asked for: the file is in no known format, or can't be read as the one it is
            said to be.
    """
    head = _head(file, len(_ZIP))
    if head in (_ZIP, _EMPTY_ZIP):
        yield from _read_zip(file, name, options, format)
        return
    stream = _Stream(head, file)
    if head.startswith(_GZIP):
        inside = gzip.GzipFile(fileobj=io.BufferedReader(stream, _BUFFER), mode="rb")
        unpacked = _Stream(b"", inside, most_bytes=_most_bytes(_size_of(file)))
        yield from _read_plain(unpacked, name, options, format)
    else:
        yield from _read_plain(stream, name, options, format, original=file)


def _read_plain(
    stream: _Stream,
    name: str,
    options: SourceOptions,
    format: Format | None,
    *,
    original: BinaryIO | None = None,
    numbered_from: int = 0,
) -> Iterator[Record]:
    head = stream.look_ahead(HEAD_BYTES)
    number = numbered_from
    if len(head) == HEAD_BYTES or head.removeprefix(BYTE_ORDER_MARK).strip(WHITESPACE):
        if format is None:
            format = detect(head, name, options.columns)
        source = _source_of(format) if options.source is None else options.source
        for found in _records(stream, name, options, format, original, list_field(head, options.columns)):
            record = of_source(found, source)
            # A row's number may be smaller than the last one's: conversations of rows come sorted.
            number = max(number, numbered_from + record.number)
            yield record._replace(number=numbered_from + record.number)
    if stream.fault is not None:
        yield Unusable(number + 1, stream.fault, None, "", None)


def _source_of(format: Format) -> str:
    """Return what stands before ids where nobody says: Kura's own formats keep theirs."""
    return "" if format in (Format.KURA, Format.KURA_CHECKPOINTS) else format.value


def _records(
    stream: _Stream,
    name: str,
    options: SourceOptions,
    format: Format,
    original: BinaryIO | None,
    around: str | None,
) -> Iterator[Record]:
    if format is Format.PARQUET:
        with _on_disk(stream, original) as path:
            yield from read_rows(_parquet_rows(path, name, options), name, options)
        return
    buffered: io.BufferedReader[Any] = io.BufferedReader(stream, _BUFFER)
    if format is Format.CSV:
        yield from read_rows(csv_rows(buffered, name, options.encoding), name, options)
        return
    if format is Format.JSON:
        rows = ((raw.number, _row(raw)) for raw in raw_records(buffered, around))
        yield from read_numbered_rows(rows, name, options, may_lack_columns=True)
        return
    reader = _READERS[format]
    for raw in raw_records(buffered, around):
        yield _record(raw, reader, options)


def _record(
    raw: RawRecord, reader: Callable[[dict[str, Any], SourceOptions], Conversation], options: SourceOptions
) -> Record:
    try:
        return Read(raw.number, reader(_object(raw), options))
    except UnusableRecordError as error:
        return Unusable(raw.number, str(error), error.chat_id, beginning_of(raw.content), error.created_at)


def _row(raw: RawRecord) -> Row:
    try:
        return _object(raw)
    except UnusableRecordError as error:
        return BadRow(str(error), beginning_of(raw.content))


def _object(raw: RawRecord) -> dict[str, Any]:
    """Return the JSON object that a record is.

    Raises:
        UnusableRecordError: it is none.
    """
    if raw.fault is not None:
        raise UnusableRecordError(raw.fault)
    try:
        fields = parse_json(raw.content, numbers_as_python_writes=True)
    except NotJSONError as error:
        raise UnusableRecordError(str(error)) from None
    if not isinstance(fields, dict):
        raise UnusableRecordError(f"not a conversation: {kind_of(fields)}, no JSON object")
    return fields


def _parquet_rows(path: Path, name: str, options: SourceOptions) -> Iterable[Row]:
    if options.parquet_rows is None:
        raise SourceError(f"{name} is a Parquet file, and nothing was given to read those: SourceOptions.parquet_rows")
    begun = False
    try:
        for row in options.parquet_rows(path):
            begun = True
            yield row
    except ValueError as error:
        if not begun:
            raise SourceError(f"{name} can't be read as Parquet: {error}") from None
        yield BadRow("the file is damaged here; what follows could not be read")


def _read_zip(file: BinaryIO, name: str, options: SourceOptions, format: Format | None) -> Iterator[Record]:
    try:
        file.seek(0)
        archive = zipfile.ZipFile(file)
    except (*_UNPACKING_ERRORS, OSError, NotImplementedError) as error:
        raise SourceError(f"{name} can't be read as a zip file; it may be cut off: send for it again") from error
    with archive:
        entries = _entries(archive)
        if not entries:
            raise SourceError(f"{name} holds no conversations.json, nor any file ending in {', '.join(_SUFFIXES)}")
        number = 0
        for entry in entries:
            entry_name = f"{name}/{PurePosixPath(entry.filename).name}"
            if entry.flag_bits & 1 or entry.compress_type not in _PACKED_AS:
                why = "encrypted" if entry.flag_bits & 1 else "packed in a way that is not read"
                raise SourceError(f"{entry_name} is {why}; unpack it yourself first")
            try:
                inside = archive.open(entry)
            except (RuntimeError, NotImplementedError, *_UNPACKING_ERRORS) as error:
                raise SourceError(f"{entry_name} is damaged; send for the file again") from error
            with inside:
                stream = _Stream(b"", inside, most_bytes=_most_bytes(entry.compress_size))
                for record in _read_plain(stream, entry_name, options, format, numbered_from=number):
                    yield record
                    number = max(number, record.number)


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files to read: the export itself, in several parts where it is large, or all that could be one."""
    # is_dir() fails for an entry without a name.
    named = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    files = [(PurePosixPath(entry.filename.replace("\\", "/")), entry) for entry in named]
    files = [(path, entry) for path, entry in files if path.parts[:1] != ("__MACOSX",) and path.name[:1] != "."]
    readable = [(path, entry) for path, entry in files if path.name.removesuffix(".gz").endswith(_SUFFIXES)]
    kept = set(without_companions([path for path, _ in readable]))
    return sorted((entry for path, entry in readable if path in kept), key=lambda entry: entry.filename)


def _most_bytes(packed: int | None) -> int | None:
    return None if packed is None else max(_ALWAYS_EXPANDED, _MOST_EXPANDED * packed)


def _size_of(file: BinaryIO) -> int | None:
    try:
        at = file.tell()
        size = file.seek(0, os.SEEK_END)
        file.seek(at)
    except (OSError, AttributeError):
        return None
    return size


def _head(file: BinaryIO, n_bytes: int) -> bytes:
    """Read exactly so many bytes, fewer only at the end: a pipe gives what it has."""
    head = b""
    while len(head) < n_bytes and (more := file.read(n_bytes - len(head))):
        head += more
    return head


class _Stream(io.RawIOBase):
    """A file whose beginning was read already, and which ends where it can't be unpacked any further.

    `fault` then says why. No more than `most_bytes` come out of it.
    """

    def __init__(self, head: bytes, file: Any, *, most_bytes: int | None = None) -> None:
        self._head = head
        # At most what one step unpacks: where a later step fails, what came before it is kept.
        self._read_some: Callable[[int], bytes] = getattr(file, "read1", file.read)
        # The step in which a zip file's checksum turns out to be wrong gives nothing; it should be a small one.
        self._step = _BUFFER if most_bytes is None else _UNPACKED_AT_ONCE
        self._left = most_bytes
        self.fault: str | None = None

    def look_ahead(self, n_bytes: int) -> bytes:
        """Return the next bytes without taking them."""
        while len(self._head) < n_bytes and (more := self._read(n_bytes - len(self._head))):
            self._head += more
        return self._head[:n_bytes]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._head:
            read, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        else:
            read = self._read(len(buffer))
        buffer[: len(read)] = read
        return len(read)

    def _read(self, n_bytes: int) -> bytes:
        if self.fault is not None:
            return b""
        try:
            read = self._read_some(min(n_bytes, self._step))
        except _UNPACKING_ERRORS:
            self.fault = "the file is cut off or damaged here; what follows could not be unpacked"
            return b""
        if self._left is not None:
            self._left -= len(read)
            if self._left < 0:
                self.fault = f"the file unpacks to more than {_MOST_EXPANDED} times its size; the rest was not read"
                return b""
        return read


@contextmanager
def _on_disk(stream: _Stream, original: BinaryIO | None) -> Iterator[Path]:
    """Give the path of the file that a stream reads; one that has none, or is packed, is copied to one."""
    path = _path_of(original)
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="kura-parquet-") as folder:
        copy = Path(folder) / "source.parquet"
        with copy.open("wb") as written:
            shutil.copyfileobj(stream, written, _BUFFER)  # type: ignore[misc]
        yield copy


def _path_of(file: BinaryIO | None) -> Path | None:
    """Return the path of an open file where it still leads to it."""
    name = getattr(file, "name", None)
    if file is None or not isinstance(name, (str, os.PathLike)):
        return None
    path = Path(name)
    try:
        str(path).encode()  # DuckDB takes no other names
        return path if os.path.samestat(os.fstat(file.fileno()), path.stat()) else None
    except (OSError, ValueError, io.UnsupportedOperation):
        return None
