"""How a database's rows are cut into partitions, kept in the database itself so that two ways never mix.

A week and its Monday have the same `partition_date`, and so have a day in Berlin and one in Tokyo: what the dates mean
is written down by the first write and compared by every later access. What is done about a difference is the
database's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from kura_dagster.storage.tables import PARTITION_COLUMN

if TYPE_CHECKING:
    import duckdb

TABLE = "partitioning"
CREATE = f"CREATE TABLE IF NOT EXISTS {TABLE} (cadence VARCHAR NOT NULL, timezone VARCHAR NOT NULL)"


@dataclass(frozen=True)
class Partitioning:
    """How much time a partition covers (hourly, daily, weekly or monthly) and the time zone it is cut in."""

    cadence: str
    timezone: str

    @property
    def column_type(self) -> str:
        """DuckDB type of `partition_date`: a date says which partition, unless a day has several."""
        return "TIMESTAMPTZ" if self.cadence == "hourly" else "DATE"

    def as_variables(self) -> dict[str, str]:
        """Return the settings that choose this, by their environment variable."""
        return {f"KURA_{name.upper()}": value for name, value in asdict(self).items()}


DAILY_IN_UTC = Partitioning("daily", "UTC")


def stored_partitioning(connection: duckdb.DuckDBPyConnection) -> Partitioning | None:
    """Return what the database's rows were cut by; None where nobody wrote it down yet."""
    import duckdb

    try:
        found = connection.execute(f"SELECT cadence, timezone FROM {TABLE}").fetchone()
    except duckdb.CatalogException:
        return None
    return Partitioning(*found) if found else None


def store_partitioning(connection: duckdb.DuckDBPyConnection, partitioning: Partitioning) -> None:
    """Write down what the database's rows are cut by."""
    connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?)", [partitioning.cadence, partitioning.timezone])


def partition_column_types(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> set[str]:
    """Return the DuckDB types that `partition_date` has in these tables, as far as they exist."""
    found = connection.execute(
        "SELECT DISTINCT data_type FROM duckdb_columns() WHERE column_name = ? AND table_name = ANY(?)",
        [PARTITION_COLUMN, list(tables)],
    ).fetchall()
    return {"TIMESTAMPTZ" if name == "TIMESTAMP WITH TIME ZONE" else name for (name,) in found}
