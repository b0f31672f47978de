"""Reading the sources' samples and texts of the tests' own."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kura_dagster.pipeline.sources.reading import Format, SourceOptions, read_source
from kura_dagster.pipeline.sources.record import Read, Record, Unusable
from kura_dagster.pipeline.types import Conversation
from kura_dagster.storage.query_source import rows_of_parquet

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
SOME_DAY = datetime(2026, 11, 1, tzinfo=UTC)
OPTIONS = SourceOptions(now=NOW, default_created_at=SOME_DAY, source="", parquet_rows=rows_of_parquet)


def read(
    content: Any, name: str = "source.jsonl", options: SourceOptions = OPTIONS, format: Format | None = None
) -> list[Record]:
    """Read bytes or a text as they are, and anything else as its JSON."""
    if not isinstance(content, (bytes, str)):
        content = json.dumps(content)
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    return list(read_source(io.BytesIO(content), name, options, format))


def read_sample(name: str, options: SourceOptions = OPTIONS, format: Format | None = None) -> list[Record]:
    with (SAMPLES / name).open("rb") as file:
        return list(read_source(file, name, options, format))


def conversations(records: list[Record]) -> list[Conversation]:
    return [record.conversation for record in records if isinstance(record, Read)]


def only_conversation(content: Any, **kwargs: Any) -> Conversation:
    (record,) = read(content, **kwargs)
    assert isinstance(record, Read), record
    return record.conversation


def reasons(records: list[Record]) -> dict[int, str]:
    return {record.number: record.reason for record in records if isinstance(record, Unusable)}


def said(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in conversation.messages]


def a_conversation(**changes: Any) -> dict[str, Any]:
    """Return one in Kura's form; a change to `...` leaves the field out."""
    fields = {
        "chat_id": "a",
        "created_at": "2026-11-20T09:00:00Z",
        "messages": [{"role": "user", "content": "How do I reset my password?", "created_at": "2026-11-20T09:00:00Z"}],
        "metadata": {},
    } | changes
    return {name: value for name, value in fields.items() if value is not ...}
