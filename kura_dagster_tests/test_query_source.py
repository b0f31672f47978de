"""Queries of the user's own as a source of conversations."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from kura_dagster.pipeline.sources.columns import read_rows
from kura_dagster.storage.query_source import QueryError, rows_of_query
from kura_dagster_tests.sources import OPTIONS, SAMPLES, conversations

QUOTE = "'"
# SQL as data, which DuckDB runs in a connection of its own.
EXECUTED = (
    "json_execute_serialized_sql(json_serialize_sql('WITH x AS (COPY (SELECT 1) TO ''out.csv'') SELECT * FROM x'))"
)


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


def test_names_and_texts_may_hold_what_looks_like_sql(tmp_path: Path) -> None:
    path = tmp_path / "it's; (READ_ONLY) -- \u2603.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    before = path.read_bytes()
    quoted = str(path).replace(QUOTE, 2 * QUOTE)
    sql = f"""attach '{quoted}'\n as "a; ""b" ( read_only ) ;
        WITH x AS (SELECT $$; COPY 'x' --$$ AS text) SELECT text, a /* ; */ FROM x, "a; ""b".t -- the end"""
    assert list(rows_of_query(sql)) == [{"text": "; COPY 'x' --", "a": 1}]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "source", ["read_csv('log.csv', all_varchar=true)", "'log.csv'", "'log.parquet'"], ids=["texts", "csv", "parquet"]
)
def test_a_query_that_fails_half_way_says_so_in_a_line(source, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text("n\n" + "1\n" * 150_000 + "one\n")
    duckdb.sql("COPY (FROM read_csv('log.csv', all_varchar=true)) TO 'log.parquet'")
    rows = rows_of_query(f"SELECT CAST(n AS INTEGER) AS n FROM {source}; -- the end")
    with pytest.raises(QueryError) as raised:
        list(rows)
    assert re.fullmatch("""Conversion Error: .*['"]one['"] to .*INT.*""", str(raised.value))


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
        ("ATTACH 'new.duckdb' AS n -- (READ_ONLY)\n; SELECT 1", r"before the query only ATTACH"),
        ("ATTACH 'new.duckdb' AS n /* ; */ -- (READ_ONLY)", r"has to be a SELECT"),
        ("ATTACH 'new.duckdb' AS n (READ_ONLY false) /* (READ_ONLY) */; SELECT 1", r"before the query only ATTACH"),
        ("ATTACH 'new.duckdb' AS \"n; (READ_ONLY)\"; SELECT 1", r"before the query only ATTACH"),
        ("ATTACH $$new.duckdb' AS n (READ_ONLY); --$$ AS n; SELECT 1", r"before the query only ATTACH"),
        ("ATTACH E'new.duckdb\\' AS n (READ_ONLY) ' AS n; SELECT 1", r"before the query only ATTACH"),
        ("ATTACH 'new.duckdb' AS n (READ_ONLY, ACCESS_MODE 'READ_WRITE'); SELECT 1", r"before the query only ATTACH"),
        ("ATTACH 'new.duckdb'\u00a0AS n --\u2028(READ_ONLY)\n; SELECT 1", r"before the query only ATTACH"),
        ("ATTACH ':memory:' AS n (READ_ONLY); SELECT 1", "Cannot launch in-memory"),
        ("ATTACH 'http://127.0.0.1:1/a.duckdb' AS n (READ_ONLY); SELECT 1", "httpfs"),
        ("SELECT * FROM 'http://127.0.0.1:1/a.csv'", "httpfs"),
        ("SELECT * FROM read_text('s3://bucket/a')", "httpfs"),
        ("SELECT getenv('HOME')", "getenv does not exist"),
        ("SELECT * FROM tempfile", "Table with name tempfile does not exist"),
        ("CALL enable_logging(storage='file', storage_path='logs')", "has to be a SELECT"),
        ("PRAGMA enable_profiling", "has to be a SELECT"),
        ("INSTALL httpfs; SELECT 1", "before the query only ATTACH"),
        ("LOAD httpfs; SELECT 1", "before the query only ATTACH"),
        ("EXPORT DATABASE 'all'", "has to be a SELECT"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'", "has to be a SELECT"),
        ("SELECT 1; COPY (SELECT 1) TO 'out.csv'", "before the query only ATTACH"),
        ("SELECT * FROM enable_logging(storage='file', storage_path='logs')", "configuration has been locked"),
        ("SELECT * FROM enable_profiling(save_location='out.json', format='json')", "configuration has been locked"),
        ("SELECT * FROM query('FROM enable_logging(storage=''file'', storage_path=''logs'')')", "has been locked"),
        ("WITH x AS (COPY (SELECT 1) TO 'out.csv') SELECT * FROM x", "a SELECT that writes nothing"),
        ("WITH x AS (COPY (SELECT 1) TO 'out.csv') SELECT * FROM x -- )", "a SELECT that writes nothing"),
        ("WITH x AS MATERIALIZED (COPY (SELECT 1) TO 'out.csv') FROM range(3)", "a SELECT that writes nothing"),
        ("SELECT * FROM query('WITH x AS (COPY (SELECT 1) TO ''out.csv'') FROM x')", "a SELECT that writes nothing"),
        (f"SELECT * FROM {EXECUTED}", "a SELECT that writes nothing"),
        (f"WITH x AS MATERIALIZED (FROM {EXECUTED}) SELECT (SELECT count(*) FROM x)", "a SELECT that writes nothing"),
        (f"SELECT * FROM query('FROM {EXECUTED.replace(QUOTE, 2 * QUOTE)}')", "a SELECT that writes nothing"),
    ],
)
def test_what_is_no_query(sql: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QueryError, match=fault):
        list(rows_of_query(sql))
    assert list(tmp_path.iterdir()) == []
