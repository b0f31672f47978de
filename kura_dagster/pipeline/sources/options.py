"""What the one who reads a source decides: time zone, times, roles, encodings, and which column is what.

Only the choices and their validity belong here; `normalise` and `columns` act on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any

from kura_dagster.pipeline.sources.loose_times import DateOrder
from kura_dagster.pipeline.sources.record import SourceError

ROLES = ("user", "assistant", "system", "developer", "tool")
"""Who may speak in a conversation."""

_SYNONYMS = {
    "chat_id": (
        "chat_id",
        "conversation_id",
        "thread_id",
        "session_id",
        "conversation",
        "chat",
        "id",
        "ticket_id",
        "case_id",
    ),
    "created_at": (
        "created_at",
        "timestamp",
        "created",
        "time",
        "datetime",
        "date",
        "create_time",
        "sent_at",
        "created_on",
    ),
    "messages": ("messages", "conversation", "conversations", "turns"),
    "prompt": ("prompt", "question", "instruction", "input", "user_message"),  # "user" is mostly an id
    "response": ("response", "answer", "completion", "output", "assistant_message", "reply"),
    "role": ("role", "sender", "speaker", "author", "author_type", "author_role", "sender_type"),
    "content": ("content", "text", "message", "body", "message_body", "message_text", "comment_body"),
}


@dataclass(frozen=True)
class ColumnMapping:
    """Which column of a table holds what.

    A row is either a conversation (`messages`, a column of JSON), or a turn of it (`prompt`, with or without
    `response`), or one message of it (`role`, `content` and `chat_id`). The rows of a conversation need not stand
    together. `metadata`
    names the columns that are kept as metadata; None means all that are nothing else.

    Raises:
        SourceError: the columns make no conversation, or one stands for two things.
    """

    chat_id: str | None = None
    created_at: str | None = None
    messages: str | None = None
    prompt: str | None = None
    response: str | None = None
    role: str | None = None
    content: str | None = None
    metadata: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        ways = [
            self.messages is not None,
            self.prompt is not None or self.response is not None,
            self.role is not None or self.content is not None,
        ]
        if sum(ways) != 1:
            raise SourceError(
                "columns: name either messages, or prompt and response, or role and content (one row a message); "
                f"named are {', '.join(self._named()) or 'none'}"
            )
        if self.response is not None and self.prompt is None:
            raise SourceError("columns: response is named without prompt")
        if self.is_row_a_message and None in (self.role, self.content, self.chat_id):
            raise SourceError("columns: one row a message needs role, content and chat_id")
        used = list(self._named().values())
        if twice := sorted({column for column in used if used.count(column) > 1}):
            raise SourceError(f"columns: {', '.join(twice)} stands for two things")

    @property
    def is_row_a_message(self) -> bool:
        """Whether a row holds one message rather than a conversation."""
        return self.role is not None or self.content is not None

    @property
    def is_row_a_part(self) -> bool:
        """Whether a conversation may take several rows: one for each message, or for each prompt and response."""
        return self.is_row_a_message or (self.prompt is not None and self.chat_id is not None)

    @classmethod
    def of_pairs(cls, pairs: Mapping[str, str | Sequence[str]]) -> ColumnMapping:
        """Return the mapping of `name: column` pairs, as a file or a command line gives them.

        Raises:
            SourceError: a name is unknown, or the columns make no conversation.
        """
        allowed = [each.name for each in fields(cls)]
        if unknown := sorted(set(pairs) - set(allowed)):
            raise SourceError(f"columns: {', '.join(unknown)} is no name; allowed are {', '.join(allowed)}")
        given: dict[str, Any] = {name: column for name, column in pairs.items() if name != "metadata"}
        if wrong := sorted(name for name, column in given.items() if not isinstance(column, str) or not column):
            raise SourceError(f"columns: {', '.join(wrong)} needs the name of one column")
        metadata = pairs.get("metadata")
        if isinstance(metadata, str):
            metadata = [column for each in metadata.split(",") if (column := each.strip())]
        return cls(**given, metadata=None if metadata is None else tuple(metadata))

    @classmethod
    def guessed(cls, columns: Iterable[str], name: str) -> ColumnMapping:
        """Return the mapping that the columns' own names suggest.

        Raises:
            SourceError: they suggest none. The message lists them.
        """
        columns = list(columns)
        by_name = {column.strip().lower().replace(" ", "_"): column for column in reversed(columns)}

        def found(*wanted: str) -> dict[str, str]:
            columns_found: dict[str, str] = {}
            for each in wanted:
                for synonym in _SYNONYMS[each]:
                    column = by_name.get(synonym)
                    if column is not None and column not in columns_found.values():
                        columns_found[each] = column
                        break
            return columns_found

        row_a_message: dict[str, Any] = found("role", "content", "chat_id", "created_at")
        if row_a_message.keys() >= {"role", "content", "chat_id"}:
            return cls(**row_a_message)
        for way in (("messages",), ("prompt", "response")):
            taken: dict[str, Any] = found(*way, "chat_id", "created_at")
            if way[0] in taken:
                return cls(**taken)
        shown = ", ".join(columns[:_COLUMNS_SHOWN]) + (", …" if len(columns) > _COLUMNS_SHOWN else "")
        raise SourceError(
            f"{name} has the columns {shown or '(none)'}; say which is what: messages, or prompt and response, or "
            "role, content and chat_id"
        )

    def check(self, columns: Iterable[str], name: str) -> None:
        """Refuse columns that lack one of the mapping's.

        Raises:
            SourceError: one is missing.
        """
        known = dict.fromkeys(columns)
        if missing := [column for column in (*self._named().values(), *(self.metadata or ())) if column not in known]:
            shown = ", ".join(islice(known, _COLUMNS_SHOWN)) or "(none)"
            raise SourceError(f"{name} has no column {', '.join(missing)}; it has {shown}")

    def is_of(self, columns: Iterable[str]) -> bool:
        """Whether a table with these columns has all that hold what was said."""
        said = {self.messages, self.prompt, self.role, self.content} - {None}
        return said <= set(columns)

    def metadata_of(self, row: Mapping[str, object]) -> dict[str, object]:
        """Return what of a row is metadata."""
        if self.metadata is not None:
            return {column: row.get(column) for column in self.metadata}
        used = set(self._named().values())
        return {column: value for column, value in row.items() if column not in used}

    def _named(self) -> dict[str, str]:
        return {
            each.name: column
            for each in fields(self)
            if each.name != "metadata" and (column := getattr(self, each.name)) is not None
        }


_COLUMNS_SHOWN = 30


@dataclass(frozen=True)
class SourceOptions:
    """How a source is read.

    Args:
        tz: the time zone in which times without an offset are taken.
        now: the present, with an offset; a time more than a day after it is absurd.
        default_created_at: the time of records that have none, such as a fine-tuning file's; None makes them unusable.
        columns: which column of a table is what; None means that their names tell.
        source: stands before the ids, as `<source>:<id>`, so that those of two systems never clash. None means the
            name of the format, and nothing where the file is Kura's own.
        dates: what a date such as 05/11/2026 begins with; None makes those that do not tell unusable.
        encoding: of CSV that has no byte order mark, by Python's name for it; None means UTF-8.
        roles: what names of speakers stand for, as `{"agent": "assistant"}`, in any case; they come before the
            names that are known anyway.
        parquet_rows: yields the rows of the Parquet file at a path, and raises ValueError where it can't; without it,
            no Parquet file is read. The package `storage` has one: this one knows no database.

    Raises:
        ValueError: `now` or `default_created_at` has no offset from UTC.
        SourceError: `encoding` is none, or one of `roles` is to be what is no role.
    """

    tz: tzinfo = UTC
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    default_created_at: datetime | None = None
    columns: ColumnMapping | None = None
    source: str | None = None
    dates: DateOrder | None = None
    encoding: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    parquet_rows: Callable[[Path], Iterable[Mapping[str, Any]]] | None = None

    def __post_init__(self) -> None:
        for name in ("now", "default_created_at"):
            when = getattr(self, name)
            if when is not None and when.tzinfo is None:
                raise ValueError(f"{name} is {when}; it needs an offset from UTC")
        if self.encoding is not None and not _is_encoding(self.encoding):
            raise SourceError(
                f"{self.encoding!r} is no encoding of texts; known are cp1252, latin-1, utf-16, shift_jis, gb18030 and "
                "the others of Python's list of standard encodings"
            )
        for name, role in self.roles.items():
            if role not in ROLES:
                raise SourceError(f"roles: {name} is to be {role or 'nothing'}; known are {', '.join(ROLES)}")
        object.__setattr__(self, "roles", {name.strip().lower(): role for name, role in self.roles.items()})


def _is_encoding(name: str) -> bool:
    try:
        # Python's list also holds codecs between bytes, and ways of writing Python.
        return "escape" not in name.lower() and b"ab".decode(name) is not None
    except UnicodeDecodeError:
        return True
    except (LookupError, ValueError):
        return False
