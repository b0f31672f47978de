"""Reading conversations where DuckDB has to: a Parquet file, or a query of the user's own on files and databases.

Only the step from a file or a query to rows belongs here; what the rows mean is `pipeline.sources.columns`' business.
Nothing is written, nothing is fetched, no extension is loaded, and the project's own database is not involved.
"""

from __future__ import annotations

import json
import re
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_ROWS_AT_ONCE = 500
_LONGEST_ERROR = 500  # characters: DuckDB quotes the value that it can't take, which may be a whole conversation
_MEMORY = "2GB"  # a Parquet file is read by row groups, which some writers make of several hundred megabytes
_ATTACH = re.compile(
    r"""\s*ATTACH\s*('(?:[^']|'')*')\s*AS\s*("(?:[^"]|"")+"|\w+)\s*\(\s*READ_ONLY\s*\)\s*;?\s*""", re.IGNORECASE
)
_RUNS_SQL = "JSON_EXECUTE_SERIALIZED_SQL"
"""The one table function that runs a text as SQL without any look at it from here, and so may write."""
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
            raise QueryError(f"the query is no SQL: {_in_a_line(error)}") from None
        if not statements:
            raise QueryError("the query is empty")
        *attached, query = statements
        for statement in attached:
            parts = _ATTACH.fullmatch(statement.query) if statement.type == duckdb.StatementType.ATTACH else None
            if parts is None:
                raise QueryError("before the query only ATTACH '…' AS … (READ_ONLY) is allowed, without comments in it")
            # Put together again, so that it says no more than what was understood here.
            name = parts[2].removeprefix('"').removesuffix('"')
            _run(connection, f'ATTACH {parts[1]} AS "{name}" (READ_ONLY)')
        if query.type != duckdb.StatementType.SELECT:
            raise QueryError("the query has to be a SELECT")
        _refuse_writing(connection, query.query)
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


def _refuse_writing(connection: duckdb.DuckDBPyConnection, select: str) -> None:
    """Refuse a SELECT that would write: to DuckDB, one whose WITH clause holds a COPY is a SELECT too.

    Raises:
        QueryError: it would write, or DuckDB can't run it.
    """
    import duckdb

    quoted = select.replace("'", "''")
    try:
        # DuckDB itself allows such a clause on the outside only, and here all of the query is inside another.
        plans = connection.execute(f"EXPLAIN (FORMAT json) SELECT * FROM query('{quoted}')").fetchall()
    except duckdb.Error as error:
        if "must be at the top level" in str(error):
            raise QueryError("the query has to be a SELECT that writes nothing") from None
        raise QueryError(_in_a_line(error)) from None
    if _RUNS_SQL in {name for _, plan in plans for name in _operators(json.loads(plan))}:
        raise QueryError(f"the query has to be a SELECT that writes nothing, and what {_RUNS_SQL} does is not known")


def _operators(plan: Any) -> Iterator[str]:
    """Yield the name of each operator of a plan, wherever in it they stand."""
    if isinstance(plan, dict):
        if isinstance(plan.get("name"), str):
            yield plan["name"].strip().upper()
        plan = list(plan.values())
    if isinstance(plan, list):
        for each in plan:
            yield from _operators(each)


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
                # A table that does not exist is no variable of this program.
                "python_enable_replacements": "false",
            },
        ) as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        # Else a SELECT could have logs and profiles written to files.
        connection.execute("SET lock_configuration = true")
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
            raise QueryError(_in_a_line(error)) from None
        if not records:
            return
        for record in records:
            yield dict(zip(names, record, strict=True))


def _run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None) -> None:
    import duckdb

    try:
        connection.execute(sql, parameters)
    except duckdb.Error as error:
        raise QueryError(_in_a_line(error)) from None


def _in_a_line(error: Exception) -> str:
    """Return what DuckDB says of an error before it quotes the query, or the whole line of a file, and gives advice."""
    said = str(error).partition("\n\n")[0].splitlines()
    return textwrap.shorten("; ".join(line for line in said if not line.startswith("Original Line:")), _LONGEST_ERROR)
