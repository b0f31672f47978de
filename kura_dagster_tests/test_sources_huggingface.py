"""Hugging Face data sets; the library is an extra, and the data sets are made here."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kura_dagster.pipeline.sources.huggingface import from_hf_dataset
from kura_dagster.pipeline.sources.record import SourceError, Unusable
from kura_dagster_tests.sources import OPTIONS, SOME_DAY, conversations, reasons, said

ROWS = [
    {
        "conversation_hash": f"h{number}",
        "timestamp": datetime(2026, 11, 20, 9, number, tzinfo=UTC),
        "conversation": [{"role": "user", "content": f"question {number}"}, {"role": "assistant", "content": "answer"}],
        "model": "m",
        "toxic": number == 1,
    }
    for number in range(3)
]
WHERE: dict[str, Any] = {
    "chat_id": "conversation_hash",
    "created_at": "timestamp",
    "messages": "conversation",
    "options": OPTIONS,
}


def test_columns_and_functions_say_where_things_are() -> None:
    by_columns = list(from_hf_dataset(ROWS, **WHERE, metadata=["model", "toxic"]))
    assert conversations(by_columns)[1].metadata == {"model": "m", "toxic": True}
    by_functions = from_hf_dataset(
        ROWS,
        chat_id=lambda row: row["conversation_hash"],
        created_at=lambda row: row["timestamp"],
        messages=lambda row: row["conversation"],
        metadata=lambda row: {"model": row["model"], "toxic": row["toxic"]},
        options=OPTIONS,
    )
    assert list(by_functions) == by_columns


def test_messages_may_be_made_by_a_function() -> None:
    def messages(row: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            message | {"created_at": row["timestamp"] + timedelta(minutes=5 * turn)}
            for turn, message in enumerate(row["conversation"])
        ]

    first = conversations(list(from_hf_dataset(ROWS, **WHERE | {"messages": messages})))[0]
    assert first.messages[1].created_at - first.messages[0].created_at == timedelta(minutes=5)


def test_no_more_are_read_than_asked_for() -> None:
    def endless() -> Any:
        while True:
            yield ROWS[0]

    assert len(list(from_hf_dataset(endless(), max_conversations=2, **WHERE))) == 2


def test_a_function_that_fails_costs_its_row_only() -> None:
    def picky(row: dict[str, Any]) -> str:
        return {"h0": "a", "h2": "c"}[row["conversation_hash"]]

    records = list(from_hf_dataset(ROWS, **WHERE | {"chat_id": picky}))
    assert reasons(records) == {2: "chat_id: its function raised KeyError"}
    assert isinstance(records[1], Unusable)


def test_columns_that_are_not_there() -> None:
    with pytest.raises(SourceError, match="has no column hash; it has conversation_hash"):
        list(from_hf_dataset(ROWS, **WHERE | {"chat_id": "hash"}))
    with pytest.raises(SourceError, match="has no column plan"):
        list(from_hf_dataset(ROWS, **WHERE, metadata="plan"))


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(SourceError, match=r"pip install 'kura_dagster\[huggingface\]'"):
        list(from_hf_dataset("someone/something"))


def test_a_data_set_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra huggingface is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "chats"
    folder.mkdir()
    datasets.Dataset.from_list(ROWS).to_parquet(str(folder / "train.parquet"))
    records = list(from_hf_dataset(str(folder), max_conversations=2, **WHERE, metadata="model"))
    assert [conversation.chat_id for conversation in conversations(records)] == ["h0", "h1"]
    assert said(conversations(records)[0]) == [("user", "question 0"), ("assistant", "answer")]
    assert conversations(records)[0].created_at == ROWS[0]["timestamp"]
    timeless = datasets.Dataset.from_list(ROWS).remove_columns("timestamp")
    assert (
        conversations(list(from_hf_dataset(timeless, **WHERE | {"created_at": "created_at"})))[0].created_at == SOME_DAY
    )
    with pytest.raises(SourceError, match="can't be opened"):
        list(from_hf_dataset(str(tmp_path / "nowhere")))
