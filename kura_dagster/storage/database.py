"""The DuckDB file: opening it politely, replacing partitions whole, reading them back.

DuckDB lets one process write at a time and keeps everybody else out meanwhile, so every access takes a file lock, opens
the database, does its work and closes it again. Nothing outside this package imports duckdb.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from pydantic import BaseModel

from kura_dagster.storage.tables import PARTITION_COLUMN, TABLES, Table

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# duckdb, pandas and tenacity are imported where they are used: a code location loads this module without needing them.

PartitionDate = date | datetime
PartitionedRows = Mapping[PartitionDate, Sequence[BaseModel]]


class DatabaseBusyError(RuntimeError):
    """Somebody else held the database for longer than we were willing to wait."""


class Database:
    """One DuckDB file with the tables of `kura_dagster.storage.tables`.

    Args:
        path: the file; it and its folder are made by the first write.
        partition_type: DuckDB type of `partition_date`: DATE, or TIMESTAMPTZ for partitions shorter than a day.
        wait_seconds: how long to wait for others before `DatabaseBusyError`.
    """

    def __init__(self, path: Path | str, *, partition_type: str = "DATE", wait_seconds: float = 120) -> None:
        self.path = Path(path)
        self.partition_type = partition_type
        self.wait_seconds = wait_seconds

    def replace_partitions(self, rows_by_table: Mapping[Table, PartitionedRows]) -> None:
        """Replace the given partitions of the given tables, all of them in one transaction.

        Whatever happens in the middle, a reader finds either the old rows or the new ones.

        Raises:
            DatabaseBusyError: the database could not be had in time.
            TypeError, ValueError: the rows do not fit their table; nothing was written.
        """
        import pandas as pd

        from kura_dagster.storage.rows import insert_projection, to_frame

        frames = {
            table: pd.concat([to_frame(table, when, rows) for when, rows in partitions.items()], ignore_index=True)
            for table, partitions in rows_by_table.items()
            if partitions
        }
        with self._open(read_only=False) as connection:
            connection.execute("BEGIN")
            for table, frame in frames.items():
                connection.execute(_create_table(table, self.partition_type))
                self._refuse_other_partitions(connection, table)
                connection.execute(
                    f"DELETE FROM {table.name} WHERE {PARTITION_COLUMN} = ANY(CAST(? AS {self.partition_type}[]))",
                    [[_text(when) for when in rows_by_table[table]]],
                )
                if len(frame):
                    connection.register("incoming", frame)
                    connection.execute(
                        f"INSERT INTO {table.name} BY NAME SELECT {insert_projection(table)} FROM incoming"
                    )
                    connection.unregister("incoming")
            connection.execute("COMMIT")

    def load(self, table: Table, partition_date: PartitionDate) -> list[Any]:
        """Return the rows of one partition as objects of the table's row type, ordered by its key."""
        from kura_dagster.storage.rows import VECTOR, from_records

        plain = [column.name for column in table.columns if column.type != VECTOR]
        vectors = [column.name for column in table.columns if column.type == VECTOR]
        this_partition = f"{PARTITION_COLUMN} = CAST(? AS {self.partition_type})"
        source = f"FROM {table.name} WHERE {this_partition} ORDER BY {_names(table.key)}"
        with self._open(read_only=True) as connection:
            if connection is None or not _exists(connection, table):
                return []
            records = connection.execute(f"SELECT {_names(plain)} {source}", [_text(partition_date)]).fetchall()
            if vectors:
                arrays = connection.execute(f"SELECT {_names(vectors)} {source}", [_text(partition_date)]).fetchnumpy()
                records = [
                    (*record, *(arrays[name][position] for name in vectors)) for position, record in enumerate(records)
                ]
        return from_records(table, plain + vectors, records)

    def frame(
        self, table: Table, first: PartitionDate | None = None, last: PartitionDate | None = None
    ) -> pd.DataFrame:
        """Return the rows of the partitions from `first` to `last`, both included, as a typed frame.

        None leaves that side open. Without rows the frame is empty but has every column and its type.
        """
        query = f"""
            SELECT * FROM {table.name}
            WHERE ($first IS NULL OR {PARTITION_COLUMN} >= CAST($first AS {self.partition_type}))
            AND ($last IS NULL OR {PARTITION_COLUMN} <= CAST($last AS {self.partition_type}))
            ORDER BY {PARTITION_COLUMN}, {_names(table.key)}
        """
        with self._open(read_only=True) as connection:
            if connection is None or not _exists(connection, table):
                return self._empty_frame(table)
            return connection.execute(query, {"first": _text(first), "last": _text(last)}).df()

    def row_counts(self) -> dict[str, dict[PartitionDate, int]]:
        """Return, for each table, the number of rows in each partition that has any."""
        counts: dict[str, dict[PartitionDate, int]] = {name: {} for name in TABLES}
        with self._open(read_only=True) as connection:
            if connection is None:
                return counts
            for table in TABLES.values():
                if _exists(connection, table):
                    counts[table.name] = dict(
                        connection.execute(
                            f"SELECT {PARTITION_COLUMN}, count(*) FROM {table.name} GROUP BY ALL ORDER BY ALL"
                        ).fetchall()
                    )
        return counts

    def _refuse_other_partitions(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        found = connection.execute(
            "SELECT data_type FROM duckdb_columns() WHERE table_name = ? AND column_name = ?",
            [table.name, PARTITION_COLUMN],
        ).fetchone()
        stored = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}.get(found[0], found[0]) if found else None
        if stored != self.partition_type:
            raise ValueError(
                f"{self.path} was made with another KURA_CADENCE: its {PARTITION_COLUMN} is {stored}, and this cadence "
                f"needs {self.partition_type}; set KURA_DATABASE to another file"
            )

    def _empty_frame(self, table: Table) -> pd.DataFrame:
        import duckdb

        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(_create_table(table, self.partition_type))
            return connection.execute(f"SELECT * FROM {table.name}").df()

    @contextmanager
    def _open(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection | Any]:
        """Hold the lock and a connection for the length of the block; None in place of a file nobody wrote yet."""
        import duckdb
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

        if read_only and not self.path.exists():
            yield None
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{self.path}.lock", timeout=self.wait_seconds):
                # Our own processes queue at the lock; a notebook or the duckdb shell knows nothing of it.
                retrying = Retrying(
                    retry=retry_if_exception(_held_by_another_process),
                    wait=wait_random_exponential(multiplier=0.05, max=2),
                    stop=stop_after_delay(self.wait_seconds),
                    reraise=True,
                )
                connection = retrying(duckdb.connect, str(self.path), read_only=read_only)
                try:
                    connection.execute("SET TimeZone = 'UTC'")
                    yield connection
                finally:
                    connection.close()
        except Timeout:
            raise DatabaseBusyError(
                f"{self.path} stayed locked by another run of this project for {self.wait_seconds:g} s; "
                f"see what is running, then try again"
            ) from None
        except duckdb.IOException as error:
            if _held_by_another_process(error):
                raise DatabaseBusyError(
                    f"{self.path} is held open by another program ({error}); close it there, or open it with "
                    f"read_only=True and close it soon"
                ) from None
            raise


def _held_by_another_process(error: BaseException) -> bool:
    import duckdb

    return isinstance(error, duckdb.IOException) and "Could not set lock on file" in str(error)


def _create_table(table: Table, partition_type: str) -> str:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f"CREATE TABLE IF NOT EXISTS {table.name} ({PARTITION_COLUMN} {partition_type} NOT NULL, {columns})"


def _exists(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    found = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table.name]).fetchone()
    return found is not None


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _text(when: PartitionDate | None) -> str | None:
    return None if when is None else when.isoformat()
