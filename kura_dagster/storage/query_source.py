"""Reading conversations where DuckDB has to: a Parquet file, or a query of the user's own on files and databases.

Only the step from a file or a query to rows belongs here; what the rows mean is `pipeline.sources.columns`' business.
Nothing is written, no extension is downloaded, and the project's own database is not involved.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_ROWS_AT_ONCE = 500
_MEMORY = "2GB"  # a Parquet file is read by row groups, which some writers make of several hundred megabytes
_READ_ONLY = re.compile(r"\(\s*(?:TYPE\s+\w+\s*,\s*)?READ_ONLY(?:\s+(?:TRUE|1))?\s*\)\s*;?\s*$", re.IGNORECASE)
_GLOB = re.compile(r"[*?\[]")


class QueryError(ValueError):
    """A query or a file can't be read. The message says why."""


def rows_of_query(sql: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query, each by its columns' names.

    The query is one SELECT on files (`FROM 'logs/*.parquet'`, CSV, JSON) or on other DuckDB files; these are attached
    before it, in the same text: `ATTACH 'app.duckdb' AS app (READ_ONLY); SELECT … FROM app.messages`.

    Raises:
        QueryError: it is no such query, or DuckDB can't run it.
    """
    import duckdb

    with _connected() as connection:
        try:
            statements = connection.extract_statements(sql)
        except duckdb.Error as error:
            raise QueryError(f"the query is no SQL: {_first_line(error)}") from None
        if not statements:
            raise QueryError("the query is empty")
        *attached, query = statements
        for statement in attached:
            if statement.type != duckdb.StatementType.ATTACH or not _READ_ONLY.search(statement.query.strip()):
                raise QueryError("before the query only ATTACH '…' AS … (READ_ONLY) is allowed")
            _run(connection, statement.query)
        if query.type != duckdb.StatementType.SELECT:
            raise QueryError("the query has to be a SELECT")
        yield from _rows(connection, query.query)


def rows_of_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of one Parquet file in their order, each by its columns' names.

    Raises:
        QueryError: it is no Parquet file, or a damaged one.
    """
    with _connected() as connection:
        # DuckDB takes a path for a pattern; no file's name is one here.
        plain = _GLOB.sub(lambda found: f"[{found.group()}]", str(path.absolute()))
        yield from _rows(connection, "SELECT * FROM read_parquet(?)", [plain])


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    with (
        tempfile.TemporaryDirectory(prefix="kura-query-") as folder,
        duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "memory_limit": _MEMORY,
                "threads": "1",
                "temp_directory": folder,
            },
        ) as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None
) -> Iterator[dict[str, Any]]:
    import duckdb

    _run(connection, sql, parameters)
    names = [column[0] for column in connection.description or ()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise QueryError(f"the column {twice[0]} comes twice")
    while True:
        try:
            records = connection.fetchmany(_ROWS_AT_ONCE)
        except duckdb.Error as error:
            raise QueryError(_first_line(error)) from None
        if not records:
            return
        for record in records:
            yield dict(zip(names, record, strict=True))


def _run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None) -> None:
    import duckdb

    try:
        connection.execute(sql, parameters)
    except duckdb.Error as error:
        raise QueryError(_first_line(error)) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
