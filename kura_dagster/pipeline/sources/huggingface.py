"""Hugging Face data sets as conversations; needs the extra `huggingface`.

Only the way from a data set's rows to records belongs here. Rows are streamed: nothing but what is read is downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kura_dagster.pipeline.sources.normalise import LooseConversation, LooseMessage, normalise
from kura_dagster.pipeline.sources.openai_messages import messages_of
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.sources.record import (
    Read,
    Record,
    SourceError,
    Unusable,
    UnusableRecordError,
    beginning_of,
)

Field = str | Callable[[dict[str, Any]], Any]
"""A column's name, or a function of the row."""

_OPTIONAL = {"chat_id": "chat_id", "created_at": "created_at", "messages": "messages"}


def from_hf_dataset(
    name: str | Iterable[Mapping[str, Any]],
    split: str = "train",
    max_conversations: int | None = None,
    *,
    chat_id: Field = "chat_id",
    created_at: Field = "created_at",
    messages: Field = "messages",
    metadata: Field | Sequence[str] | None = None,
    options: SourceOptions | None = None,
) -> Iterator[Record]:
    """Yield a record for each row of a data set.

        from_hf_dataset(
            "allenai/WildChat-nontoxic",
            max_conversations=2000,
            chat_id="conversation_hash",
            created_at="timestamp",
            messages="conversation",
            metadata=lambda row: {"model": row["model"], "toxic": row["toxic"]},
        )

    Args:
        name: a data set on the hub, a folder of data files, or an opened data set.
        split: which of its splits.
        max_conversations: at most so many rows are read.
        chat_id: where the id is; rows without one get one that follows from their messages.
        created_at: where the time is.
        messages: where the messages are, a list of role, content and, where they have one, created_at.
        metadata: a column, several, or a function that returns a mapping; None keeps nothing.
        options: time zone, and the time of rows without one.

    Raises:
        SourceError: the library is missing, the data set can't be opened, or a named column is not in it.
    """
    options = options or SourceOptions()
    where = {"chat_id": chat_id, "created_at": created_at, "messages": messages}
    rows = _opened(name, split) if isinstance(name, str) else name
    for number, row in enumerate(rows, start=1):
        if max_conversations is not None and number > max_conversations:
            return
        row = dict(row)
        if number == 1:
            _check_columns(row, where, metadata)
        try:
            loose = LooseConversation(
                _messages(messages, row),
                chat_id=_found(chat_id, row, "chat_id"),
                created_at=_found(created_at, row, "created_at"),
                metadata=_metadata(metadata, row),
            )
            yield Read(number, normalise(loose, options))
        except UnusableRecordError as error:
            yield Unusable(number, str(error), error.chat_id, _shown(row), error.created_at)


def _opened(name: str, split: str) -> Iterable[Mapping[str, Any]]:
    try:
        from datasets import load_dataset
    except ImportError:
        raise SourceError(
            "reading Hugging Face data sets needs the library datasets: pip install 'kura_dagster[huggingface]'"
        ) from None
    try:
        opened: Iterable[Mapping[str, Any]] = load_dataset(name, split=split, streaming=True)
    except Exception as error:  # the library's own errors have no common base
        first_line = str(error).partition("\n")[0]
        raise SourceError(f"the data set {name} ({split}) can't be opened: {first_line}") from error
    return opened


def _check_columns(row: dict[str, Any], where: Mapping[str, Field], metadata: Any) -> None:
    named = {column for name, column in where.items() if isinstance(column, str) and column != _OPTIONAL[name]}
    named |= {metadata} if isinstance(metadata, str) else set(metadata) if isinstance(metadata, Sequence) else set()
    if missing := sorted(named - row.keys()):
        raise SourceError(f"the data set has no column {', '.join(missing)}; it has {', '.join(row)}")


def _found(field: Field, row: dict[str, Any], name: str) -> Any:
    if isinstance(field, str):
        return row.get(field)
    try:
        return field(row)
    except Exception as error:  # the caller's own function: one row's fault is that row's
        raise UnusableRecordError(f"{name}: its function raised {type(error).__name__}") from error


def _messages(field: Field, row: dict[str, Any]) -> Iterator[LooseMessage]:
    found = _found(field, row, "messages")
    yield from messages_of({"messages": list(found) if isinstance(found, tuple) else found})


def _metadata(field: Field | Sequence[str] | None, row: dict[str, Any]) -> Any:
    if field is None:
        return None
    if isinstance(field, str):
        return {field: row.get(field)}
    if isinstance(field, Sequence):
        return {column: row.get(column) for column in field}
    return _found(field, row, "metadata")


def _shown(row: dict[str, Any]) -> str:
    return beginning_of(str({column: str(value)[:500] for column, value in row.items()}))
