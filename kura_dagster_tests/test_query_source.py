"""Queries of the user's own as a source of conversations."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from kura_dagster.pipeline.sources.columns import read_rows
from kura_dagster.storage.query_source import QueryError, rows_of_query
from kura_dagster_tests.sources import OPTIONS, SAMPLES, conversations


def test_queries_on_files(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("id,prompt\n1,How do I cancel?\n2,Why?\n")
    assert list(rows_of_query(f"SELECT id AS chat_id, prompt FROM '{tmp_path}/*.csv' ORDER BY id DESC")) == [
        {"chat_id": 2, "prompt": "Why?"},
        {"chat_id": 1, "prompt": "How do I cancel?"},
    ]
    rows = rows_of_query(f"FROM read_json('{SAMPLES}/fine_tuning.jsonl')")
    found = conversations(list(read_rows(rows, "query", OPTIONS)))
    assert [len(conversation.messages) for conversation in found] == [3, 2]


def test_a_query_on_another_database_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """CREATE TABLE messages AS SELECT 'c' || i % 2 AS thread_id, 'user' AS sender, 'text ' || i AS body,
            now() - INTERVAL (i) MINUTE AS sent_at FROM range(4) AS t(i)"""
        )
    before = path.read_bytes()
    sql = f"ATTACH '{path}' AS app (READ_ONLY); SELECT * FROM app.messages;"
    rows = list(rows_of_query(sql))
    assert len(rows) == 4
    assert rows[0]["thread_id"] == "c0"
    found = conversations(list(read_rows(rows_of_query(sql.replace("*", "thread_id, sender, body")), "query", OPTIONS)))
    assert [conversation.chat_id for conversation in found] == ["c0", "c1"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("", "the query is empty"),
        ("SELEC 1", "the query is no SQL: Parser Error"),
        ("SELECT * FROM 'missing.csv'", "IO Error"),
        ("SELECT 1 AS a, 2 AS a", "the column a comes twice"),
        ("CREATE TABLE t AS SELECT 1", "the query has to be a SELECT"),
        ("COPY (SELECT 1) TO 'out.csv'", "the query has to be a SELECT"),
        ("ATTACH 'new.duckdb' AS n; SELECT 1", r"before the query only ATTACH"),
        ("ATTACH 'new.duckdb' AS n (READ_ONLY false); SELECT 1", r"before the query only ATTACH"),
        ("ATTACH 'new.duckdb' AS n (READ_ONLY); SELECT 1", "Cannot open|does not exist|IO Error"),
        ("SET memory_limit = '9GB'; SELECT 1", "before the query only ATTACH"),
        ("SELECT error('told')", "told"),
    ],
)
def test_what_is_no_query(sql: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QueryError, match=fault):
        list(rows_of_query(sql))
    assert list(tmp_path.iterdir()) == []
