"""Which form the tables of a database have, kept in the database itself, and the steps from each form to the next.

Version 0 is every file from before this was written down. Its tables have had the same columns from the first on, but
those that came later may be missing: the table `partitioning`, those of what failed, `conversation_projections`.

A change of a table is a new step at the end of `MIGRATIONS`, and none that has been released is ever changed. A new
file goes through all of them, so a step finds tables as the one before left them or, where the first has just made
them, as `tables` has them now: it says IF EXISTS and IF NOT EXISTS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kura_dagster.storage import dropped_messages, partitioning
from kura_dagster.storage.partitioning import Partitioning, partition_column_types, stored_partitioning
from kura_dagster.storage.tables import TABLES, create_statement

if TYPE_CHECKING:
    import duckdb

_TABLE = "schema_version"


@dataclass(frozen=True)
class WrittenDown:
    """What a file says of itself.

    Args:
        version: its schema version; None where it has no table of the project's yet.
        partitioning: how its rows are cut into partitions; None where nobody wrote it down yet.
    """

    version: int | None
    partitioning: Partitioning | None


def written_down(connection: duckdb.DuckDBPyConnection) -> WrittenDown:
    """Return what a file says of itself; of a newer one that may be the version alone."""
    import duckdb

    try:
        # One row each, side by side: one query takes half of the time of two, and every access begins with it.
        version, *found = connection.execute(
            f"SELECT version, cadence, timezone FROM {_TABLE} POSITIONAL JOIN {partitioning.TABLE}"
        ).fetchone() or (None, None)
    except (duckdb.CatalogException, duckdb.BinderException):
        return _from_before(connection)
    return WrittenDown(version, Partitioning(*found) if found[0] else None)


def _from_before(connection: duckdb.DuckDBPyConnection) -> WrittenDown:
    """Return what a file says of itself that does not have both tables as they are now."""
    import duckdb

    try:
        (version,) = connection.execute(f"SELECT version FROM {_TABLE}").fetchone() or (0,)
    except duckdb.CatalogException:
        version = 0 if partition_column_types(connection, TABLES) else None
    if version is not None and version > SCHEMA_VERSION:
        return WrittenDown(version, None)
    return WrittenDown(version, stored_partitioning(connection))


def bring_forward(connection: duckdb.DuckDBPyConnection, version: int, partition_type: str) -> list[str]:
    """Take the steps from a version to `SCHEMA_VERSION` within the transaction that is under way.

    Args:
        connection: to the file.
        version: what it has, 0 for a new file.
        partition_type: DuckDB type of its `partition_date`.

    Returns:
        The names of the steps.
    """
    steps = MIGRATIONS[version:]
    for step in steps:
        step(connection, partition_type)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE} (version INTEGER NOT NULL)")
    connection.execute(f"DELETE FROM {_TABLE}")
    connection.execute(f"INSERT INTO {_TABLE} VALUES (?)", [SCHEMA_VERSION])
    return [step.__name__ for step in steps]


def create_missing_tables(connection: duckdb.DuckDBPyConnection, partition_type: str) -> None:
    """To version 1: every table is there, so that readers need not ask whether it is."""
    for table in TABLES.values():
        connection.execute(create_statement(table, partition_type))
    connection.execute(partitioning.CREATE)


def create_dropped_messages(connection: duckdb.DuckDBPyConnection, partition_type: str) -> None:
    """To version 2: which partitions have lost their messages, and when."""
    connection.execute(dropped_messages.create_statement(partition_type))


MIGRATIONS: tuple[Callable[[duckdb.DuckDBPyConnection, str], None], ...] = (
    create_missing_tables,
    create_dropped_messages,
)
"""The steps in order: the first takes a file from version 0 to 1."""

SCHEMA_VERSION = len(MIGRATIONS)
"""The version that this project reads and writes."""
