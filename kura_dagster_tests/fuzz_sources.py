"""Fuzz the readers of conversations, guided by coverage: `make fuzz SECONDS=3600`.

No test by itself: what it breaks is kept as a test beside the reader's others. An input's first byte chooses the format
and how little is read at a time, the rest is the file. What is found is written into the folder that is named.
"""

from __future__ import annotations

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kura_dagster"]):
    from kura_dagster.pipeline.conversations import parsed_line
    from kura_dagster.pipeline.sources import json_records, reading
    from kura_dagster.pipeline.sources.detection import HEAD_BYTES, Format, list_field
    from kura_dagster.pipeline.sources.options import SourceOptions
    from kura_dagster.pipeline.sources.record import Read, Record, SourceError

SAMPLES = Path(__file__).parent / "samples"
OPTIONS = SourceOptions(now=datetime(2026, 12, 1, tzinfo=UTC), default_created_at=datetime(2026, 11, 1, tzinfo=UTC))
FORMATS = [None, *(format for format in Format if format is not Format.PARQUET)]  # Parquet is DuckDB's to read
RECORDS_OF_JSON = (Format.KURA, Format.CLAUDE, Format.CHATGPT, Format.OPENAI)
WORDS = [
    *("chat_messages", "mapping", "current_node", "parent", "message", "author", "role", "content", "parts", "text"),
    *("messages", "conversations", "from", "value", "human", "gpt", "user", "assistant", "system", "tool", "sender"),
    *("chat_id", "created_at", "create_time", "uuid", "conversation_id", "prompt", "completion", "timestamp", "id"),
    *("input", "output", "output_text", "instructions", "request", "response", "body", "choices", "kwargs", "type"),
]


def read_one(data: bytes) -> None:
    """Read an input, and hold what came out against what every reader promises."""
    if not data:
        return
    format, content = FORMATS[data[0] % len(FORMATS)], data[1:]
    json_records._CHUNK = 7 if data[0] & 128 else 1 << 20
    name = "file.csv" if data[0] & 64 else "file.json"
    try:
        records = list(reading.read_source(io.BytesIO(content), name, OPTIONS, format))
    except SourceError:
        return
    for record in records:
        _check(record)
    head = content.removeprefix(json_records.BYTE_ORDER_MARK).lstrip(json_records.WHITESPACE)
    packed = content.startswith((b"PK", b"\x1f\x8b"))
    if (
        format in RECORDS_OF_JSON
        and not packed
        and head[:1] not in (b"[", b"")
        and head.split(b"\n")[0].strip() != b"{"
        and list_field(content[:HEAD_BYTES]) is None
    ):
        lines = [line.removeprefix(json_records.BYTE_ORDER_MARK) for line in head.split(b"\n")]
        assert len(records) == sum(bool(line.strip(json_records.WHITESPACE)) for line in lines), "a line is lost"


def _check(record: Record) -> None:
    assert record.number >= 1
    if isinstance(record, Read):
        conversation = record.conversation
        assert conversation.chat_id
        assert any(message.role == "user" and message.content.strip() for message in conversation.messages)
        landed = conversation.model_dump_json().encode()
        assert parsed_line(landed, conversation.created_at.date(), UTC) == conversation, "it can't be read again"
    else:
        assert record.reason.encode()
        assert record.chat_id is None or record.chat_id.encode()
        assert len(record.content.encode()) <= 8_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--folder", type=Path, default=Path("data/fuzz"), help="Keeps the corpus and what broke.")
    arguments = parser.parse_args()
    corpus = arguments.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(sorted(path for path in SAMPLES.rglob("*") if path.is_file())):
        for first in range(len(FORMATS)):
            (corpus / f"sample-{number}-{first}").write_bytes(bytes([first]) + sample.read_bytes()[:6_000])
    words = arguments.folder / "words.txt"
    words.write_text("".join(f'"\\"{word}\\""\n' for word in WORDS))
    # So that a small input can expand too far.
    reading._ALWAYS_EXPANDED = 1_000_000
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={arguments.seconds}",
            f"-dict={words}",
            f"-artifact_prefix={arguments.folder}/broke-",
            "-max_len=6000",
            "-timeout=20",
            "-rss_limit_mb=2500",
            str(corpus),
        ],
        read_one,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
