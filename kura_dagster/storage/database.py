"""The DuckDB file: opening it politely, replacing partitions whole, reading them back.

DuckDB lets one process write at a time and keeps everybody else out meanwhile, so every access takes a file lock,
attaches the database, does its work and detaches it again. Nothing outside this package imports duckdb, and none of its
exceptions leaves it.

A file of an older version of the project is brought forward by the first access, a reader's too: what is read is in the
form that it has now. One of a newer version is refused.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel

from kura_dagster.pipeline.conversations import id_pattern
from kura_dagster.storage.dropped_messages import (
    MADE_OF_MESSAGES,
    dropped_partitions,
    messages_before,
    refuse_dropped,
    remember_dropped,
    take_out_messages,
)
from kura_dagster.storage.partitioning import DAILY_IN_UTC, Partitioning, partition_column_types, store_partitioning
from kura_dagster.storage.schema_version import SCHEMA_VERSION, WrittenDown, bring_forward, written_down
from kura_dagster.storage.tables import (
    CONVERSATIONS,
    FAILED,
    PARTITION_COLUMN,
    REJECTED_CONVERSATIONS,
    TABLES,
    Table,
    create_statement,
)

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# duckdb, pandas and tenacity are imported where they are used: a code location loads this module without needing them.

PartitionDate = date | datetime
PartitionedRows = Mapping[PartitionDate, Sequence[BaseModel]]
Found = TypeVar("Found")

logger = logging.getLogger(__name__)


_DATABASE = "kura"
"""What the file is called while it is attached."""

_ROWS_AT_ONCE = 10_000
"""How many rows are read before others have their turn: of vectors, the largest, that takes a fifth of a second."""


class DatabaseError(RuntimeError):
    """The database can't be used. The message names the file, says why and what to do."""


class DatabaseBusyError(DatabaseError):
    """Somebody else held the database for longer than we were willing to wait."""


class Database:
    """One DuckDB file with the tables of `kura_dagster.storage.tables`.

    Every method raises `DatabaseError` where the file can't be used: it is no database of this DuckDB, it is damaged,
    its folder can't be written, its rows were cut into partitions another way, a newer version of the project wrote it,
    or (`DatabaseBusyError`) others keep it.

    Args:
        path: the file; it and its folder are made by the first write.
        partitioning: how the rows are cut. The first write stores it in the file, which then refuses any other.
        wait_seconds: how long to wait for others before `DatabaseBusyError`.
    """

    def __init__(
        self, path: Path | str, partitioning: Partitioning = DAILY_IN_UTC, *, wait_seconds: float = 120
    ) -> None:
        self.path = Path(path)
        self.partitioning = partitioning
        self.wait_seconds = wait_seconds

    @property
    def partition_type(self) -> str:
        """DuckDB type of `partition_date`: DATE, or TIMESTAMPTZ for partitions shorter than a day."""
        return self.partitioning.column_type

    def replace_partitions(self, rows_by_table: Mapping[Table, PartitionedRows]) -> None:
        """Replace the given partitions of the given tables, all of them in one transaction.

        Whatever happens in the middle, a reader finds either the old rows or the new ones.

        Raises:
            DatabaseError: the database can't be used; nothing was written.
            MessagesDroppedError: a table that is made of messages is to be filled for a partition that has lost them;
                nothing was written.
            TypeError, ValueError: the rows do not fit their table; nothing was written.
        """
        import pandas as pd

        from kura_dagster.storage.rows import insert_projection, to_frame

        frames = {
            table: pd.concat([to_frame(table, when, rows) for when, rows in partitions.items()], ignore_index=True)
            for table, partitions in rows_by_table.items()
            if partitions
        }
        of_messages = {when for table in MADE_OF_MESSAGES for when in rows_by_table.get(table, ())}
        with self._locked(), self._attached(read_only=False) as (connection, found):
            connection.execute("BEGIN")
            self._adopt(connection, found)
            if of_messages:
                refuse_dropped(connection, of_messages, self.partition_type)
            for table, frame in frames.items():
                connection.execute(
                    f"DELETE FROM {table.name} WHERE {self._is_one_of_these}",
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
        """Return the rows of one partition as objects of the table's row type, ordered by its key.

        Raises:
            MessagesDroppedError: they are conversations whose messages were dropped.
        """
        return self.load_together([table], partition_date)[table.name]

    def load_together(self, tables: Sequence[Table], partition_date: PartitionDate) -> dict[str, list[Any]]:
        """Return what `load` does for several tables, by name; nothing is written between the first and the last."""
        from kura_dagster.storage.rows import decoded

        names = {
            table: [column.name for column in table.columns if column.name not in table.row_type.model_computed_fields]
            for table in tables
        }
        with self._reading() as connection:
            if CONVERSATIONS in names and connection is not None:
                refuse_dropped(connection, [partition_date], self.partition_type)
            read = {table: self._records(connection, table, names[table], [partition_date]) for table in tables}
        return {
            table.name: [table.row_type.model_validate(decoded(table, names[table], record)) for _, *record in records]
            for table, records in read.items()
        }

    def load_columns(
        self, columns: Mapping[Table, Sequence[str]], partition_dates: Sequence[PartitionDate]
    ) -> dict[PartitionDate, dict[str, list[Any]]]:
        """Return only these columns of some tables, by partition and table name, opening the database once.

        Rows are named tuples of the columns asked for, ordered by the table's key. Partitions without rows have empty
        lists.
        """
        from kura_dagster.storage.rows import decoded

        with self._reading() as connection:
            read = {table: self._records(connection, table, names, partition_dates) for table, names in columns.items()}
        loaded: dict[PartitionDate, dict[str, list[Any]]] = {
            when: {table.name: [] for table in columns} for when in partition_dates
        }
        for table, records in read.items():
            row_type = namedtuple(table.name, columns[table])  # type: ignore[misc]
            for when, *record in records:
                loaded[when][table.name].append(row_type(**decoded(table, columns[table], record)))
        return loaded

    def frame(
        self, table: Table, first: PartitionDate | None = None, last: PartitionDate | None = None
    ) -> pd.DataFrame:
        """Return the rows of the partitions from `first` to `last`, both included, as a typed frame.

        None leaves that side open. Without rows the frame is empty but has every column and its type. A partition's
        rows are of one state; two partitions may be of two, because a year is not read in one go: writers would wait
        for seconds.
        """
        import pandas as pd

        counted = f"""
            SELECT {PARTITION_COLUMN}, count(*) FROM {table.name}
            WHERE ($first IS NULL OR {PARTITION_COLUMN} >= CAST($first AS {self.partition_type}))
            AND ($last IS NULL OR {PARTITION_COLUMN} <= CAST($last AS {self.partition_type}))
            GROUP BY ALL ORDER BY ALL
        """
        with self._reading() as connection:
            if connection is None:
                return self._empty_frame(table)
            counts = connection.execute(counted, {"first": _text(first), "last": _text(last)}).fetchall()
        source = f"FROM {table.name} WHERE {self._is_one_of_these} ORDER BY {PARTITION_COLUMN}, {_names(table.key)}"
        read = []
        for dates in _in_turns(counts):
            with self._reading() as connection:
                read.append(connection.execute(f"SELECT * {source}", [[_text(when) for when in dates]]).df())
        return pd.concat(read, ignore_index=True) if read else self._empty_frame(table)

    def partitions_with(self, chat_ids: Collection[str]) -> list[PartitionDate]:
        """Return the partitions that have rows of these conversations, in order."""
        with self._reading() as connection:
            held = {} if connection is None else self._rows_about(connection, chat_ids)
        return _partitions_of(held)

    def _rows_about(self, connection: Any, chat_ids: Collection[str]) -> dict[str, list[PartitionDate]]:
        """Return the partition of each row that holds one of the conversations, by the table's name."""
        held: dict[str, list[PartitionDate]] = {}
        for table in TABLES.values():
            condition, values = _is_about(table, chat_ids)
            found = connection.execute(
                f"SELECT {PARTITION_COLUMN} FROM {table.name} WHERE {condition}", values
            ).fetchall()
            if found:
                held[table.name] = [when for (when,) in found]
        return held

    def forget(self, chat_ids: Collection[str]) -> tuple[dict[str, int], list[PartitionDate]]:
        """Take conversations out of every table and out of the file's free blocks, or change nothing where that fails.

        Their own rows are deleted, and with them all clusters of their partitions, whose names and descriptions may
        quote them, and all places of conversations in these. The partitions that are returned have to be materialised
        again.

        Returns:
            How many rows that held one each table had, by name, and the partitions these are of.
        """

        def delete(connection: duckdb.DuckDBPyConnection, held: Mapping[str, list[PartitionDate]]) -> None:
            dates = [[_text(when) for when in _partitions_of(held)]]
            for table in TABLES.values():
                condition, values = _is_about(table, chat_ids)
                connection.execute(f"DELETE FROM {table.name} WHERE {condition}", values)
                if _is_of_clusters(table):
                    connection.execute(f"DELETE FROM {table.name} WHERE {self._is_one_of_these}", dates)

        held = self._erase(lambda connection: self._rows_about(connection, chat_ids), delete) or {}
        return {name: len(rows) for name, rows in held.items()}, _partitions_of(held)

    def messages_before(self, before: PartitionDate) -> dict[str, dict[PartitionDate, int]]:
        """Return how many rows of each table hold what users wrote, by partition, of those before one."""
        with self._reading() as connection:
            return {} if connection is None else messages_before(connection, before, self.partition_type)

    def drop_messages(self, before: PartitionDate, partition_dates: Collection[PartitionDate]) -> None:
        """Take what users wrote out of every partition before one, and out of the file's free blocks.

        Summaries, embeddings and clusters stay, and so does a row for each conversation. What needs the messages is
        refused from then on.

        Args:
            before: the first partition that keeps its messages.
            partition_dates: the partitions before it for which that is written down, those included whose messages
                were not here but elsewhere.
        """

        def delete(connection: duckdb.DuckDBPyConnection, _: object) -> None:
            remember_dropped(connection, partition_dates, self.partition_type)
            take_out_messages(connection, before, self.partition_type)

        def find(connection: duckdb.DuckDBPyConnection) -> bool:
            return any(messages_before(connection, before, self.partition_type).values())

        if not self._erase(find, delete) and partition_dates:
            with self._locked(), self._attached(read_only=False) as (connection, found):
                connection.execute("BEGIN")
                self._adopt(connection, found)
                remember_dropped(connection, partition_dates, self.partition_type)
                connection.execute("COMMIT")

    def dropped_partitions(self) -> dict[PartitionDate, datetime]:
        """Return when the messages of partitions were dropped, by partition, in order."""
        with self._reading() as connection:
            return {} if connection is None else dropped_partitions(connection)

    def require_messages(self, partition_date: PartitionDate) -> None:
        """Refuse a partition whose messages were dropped.

        Raises:
            MessagesDroppedError: it is one.
        """
        with self._reading() as connection:
            if connection is not None:
                refuse_dropped(connection, [partition_date], self.partition_type)

    def _erase(
        self,
        find: Callable[[duckdb.DuckDBPyConnection], Found],
        delete: Callable[[duckdb.DuckDBPyConnection, Found], None],
    ) -> Found | None:
        """Delete what is found from the file, its free blocks included, or change nothing where that fails.

        `delete` gets what `find` found, and is not called where that is nothing. None where there is no file.
        """
        if not self.path.exists():
            return None
        # Deleted rows stay readable in a database's free blocks. So they are deleted in a copy, and what the copy then
        # holds becomes the file.
        file = self.path.resolve()  # a link stays one
        copy, clean = (file.with_name(f".{file.name}.{what}") for what in ("copy", "clean"))
        with self._locked():
            try:
                # What a process that was killed here left is nobody's any more.
                for path in (copy, clean):
                    path.unlink(missing_ok=True)
                with self._attached(read_only=False) as (connection, written):
                    if written.version is None or not (found := find(connection)):
                        return None
                    if log_of(self.path).exists():  # it would be read into the file that takes this one's place
                        connection.execute("CHECKPOINT")
                    with _also_attached(connection, copied=copy, cleaned=clean):
                        connection.execute(f"COPY FROM DATABASE {_DATABASE} TO copied")
                        connection.execute("USE copied")
                        delete(connection, found)
                        connection.execute("COPY FROM DATABASE copied TO cleaned")
                shutil.copymode(file, clean)
                clean.replace(file)
            finally:
                for path in (copy, clean):
                    path.unlink(missing_ok=True)
        return found

    def copy_to(self, copy: Path) -> None:
        """Write a copy of the file as it is between two writes, complete without a log beside it.

        Raises:
            OSError: the copy can't be written.
        """
        with self._locked():
            if log_of(self.path).exists():  # of a process that was killed, or had a full disk
                with self._attached(read_only=False) as (connection, _):
                    connection.execute("CHECKPOINT")
            # Held open meanwhile: programs that know no lock can't write to it then.
            with self._attached(read_only=True):
                shutil.copyfile(self.path, copy)

    def row_counts(self, tables: Collection[Table] = tuple(TABLES.values())) -> dict[str, dict[PartitionDate, int]]:
        """Return, for each of the tables, the number of rows in each partition that has any."""
        counts: dict[str, dict[PartitionDate, int]] = {table.name: {} for table in tables}
        with self._reading() as connection:
            for table in tables if connection is not None else ():
                counts[table.name] = dict(
                    connection.execute(
                        f"SELECT {PARTITION_COLUMN}, count(*) FROM {table.name} GROUP BY ALL ORDER BY ALL"
                    ).fetchall()
                )
        return counts

    def _records(
        self,
        connection: duckdb.DuckDBPyConnection | None,
        table: Table,
        names: Sequence[str],
        partition_dates: Sequence[PartitionDate],
    ) -> list[tuple[Any, ...]]:
        """Return the partitions' rows, each its partition date and then the values of the named columns."""
        from kura_dagster.storage.rows import VECTOR

        if connection is None:
            return []
        vectors = [column.name for column in table.columns if column.name in names and column.type == VECTOR]
        plain = [PARTITION_COLUMN, *(name for name in names if name not in vectors)]
        source = f"FROM {table.name} WHERE {self._is_one_of_these} ORDER BY {PARTITION_COLUMN}, {_names(table.key)}"
        dates = [[_text(when) for when in partition_dates]]
        records = connection.execute(f"SELECT {_names(plain)} {source}", dates).fetchall()
        if not vectors:
            return records
        # As arrays: a list of Python floats takes ten times the memory.
        fetched = connection.execute(f"SELECT {_names(vectors)} {source}", dates).fetchnumpy()
        columns = {name: _none_where_null(column) for name, column in fetched.items()}
        columns |= {name: [record[position] for record in records] for position, name in enumerate(plain)}
        return list(zip(*(columns[name] for name in (PARTITION_COLUMN, *names)), strict=True))

    @property
    def _is_one_of_these(self) -> str:
        return f"{PARTITION_COLUMN} = ANY(CAST(? AS {self.partition_type}[]))"

    def _empty_frame(self, table: Table) -> pd.DataFrame:
        import duckdb

        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(create_statement(table, self.partition_type))
            return connection.execute(f"SELECT * FROM {table.name}").df()

    def _adopt(self, connection: duckdb.DuckDBPyConnection, found: WrittenDown) -> None:
        """Write down within a transaction what the file does not say of itself yet, and make a new file's tables."""
        if found.version is None:
            bring_forward(connection, 0, self.partition_type)
        if found.partitioning is not None:
            return
        types = partition_column_types(connection, TABLES)
        if types - {self.partition_type}:
            raise DatabaseError(
                f"{self.path} holds partitions of another KURA_CADENCE: its {PARTITION_COLUMN} is {types.pop()}, and "
                f"KURA_CADENCE={self.partitioning.cadence} needs {self.partition_type}. Set KURA_CADENCE to what it "
                "was, or KURA_DATABASE to another file."
            )
        store_partitioning(connection, self.partitioning)

    def _refuse_other_partitioning(self, stored: Partitioning | None) -> None:
        if stored is None or stored == self.partitioning:
            return
        asked = self.partitioning.as_variables()
        differing = {name: value for name, value in stored.as_variables().items() if asked[name] != value}
        before = " and ".join(f"{name}={value}" for name, value in differing.items())
        now = " and ".join(f"{name}={asked[name]}" for name in differing)
        raise DatabaseError(
            f"{self.path} holds partitions of {before}, but now {now}; the two can't share a file. Set {before} again, "
            "or set KURA_DATABASE to another file and materialise into that."
        )

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """Hold the lock and a connection for the length of the block; None where nobody has written yet."""
        if not self.path.exists():
            yield None
            return
        with self._locked(), self._attached(read_only=True) as (connection, found):
            yield None if found.version is None else connection

    @contextmanager
    def _attached(self, *, read_only: bool) -> Iterator[tuple[Any, WrittenDown]]:
        """Give a connection whose tables are the file's in the form of this version, and what the file says of itself.

        The lock has to be held for it. Where the file has an older form, it is brought forward, and opened again.
        """
        with ExitStack() as stack:
            connection, found = stack.enter_context(self._attached_as_it_is(read_only=read_only))
            if found.version is not None and found.version < SCHEMA_VERSION:
                stack.close()
                self._bring_forward(found.version)
                connection, found = stack.enter_context(self._attached_as_it_is(read_only=read_only))
            self._refuse_other_partitioning(found.partitioning)
            yield connection, found

    def _bring_forward(self, version: int) -> None:
        """Take the file to the form of this version, in one transaction."""
        try:
            with self._attached_as_it_is(read_only=False) as (connection, _):
                types = partition_column_types(connection, TABLES)
                connection.execute("BEGIN")
                # Who reads it does not decide how it is cut: of a file that does not say, its columns do.
                steps = bring_forward(connection, version, types.pop() if types else self.partition_type)
                connection.execute("COMMIT")
        except DatabaseBusyError:
            raise
        except (DatabaseError, ValueError) as error:
            # What DuckDB says of rows that do not fit quotes them.
            reason = str(error) if isinstance(error, DatabaseError) else "Some of its rows do not fit the new form."
            raise DatabaseError(
                f"{self.path} has schema version {version}, and could not be brought to {SCHEMA_VERSION}, which this "
                f"version of the project reads and writes; it is as it was. {reason}"
            ) from None
        logger.info(
            "%s is brought from schema version %d to %d: %s", self.path, version, SCHEMA_VERSION, ", ".join(steps)
        )

    @contextmanager
    def _attached_as_it_is(self, *, read_only: bool) -> Iterator[tuple[Any, WrittenDown]]:
        """Give a connection to the file whatever its form, unless that is a newer one."""
        import duckdb

        process = _duckdb_of_this_process(self.path)
        connection = process.cursor()
        try:
            self._attach(connection, read_only)
            try:
                connection.execute(f"USE {_DATABASE}")
                connection.execute("SET TimeZone = 'UTC'")
                found = written_down(connection)
                if found.version is not None and found.version > SCHEMA_VERSION:
                    raise DatabaseError(
                        f"{self.path} has schema version {found.version}, and this version of the project knows "
                        f"{SCHEMA_VERSION} at most: a newer one has written it. Upgrade the project, or set "
                        "KURA_DATABASE to another file."
                    )
                yield connection, found
            finally:
                connection.close()  # which ends its transaction
                # Where the disk is too full to tidy up, the file is let go of all the same, and what was committed is
                # in the log beside it.
                with process.cursor() as detaching, suppress(duckdb.IOException):
                    detaching.execute(f"DETACH {_DATABASE}")
        except (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException) as error:
            raise ValueError(f"DuckDB refuses the rows: {error}") from None
        except duckdb.Error as error:
            raise DatabaseError(
                f"{self.path} could not be {'read' if read_only else 'written'} ({error}). See that its disk is "
                "not full; if the file is damaged, move it away and materialise again."
            ) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(f"{self.path}.lock", timeout=self.wait_seconds)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise DatabaseBusyError(
                f"{self.path} stayed locked by another run of this project for {self.wait_seconds:g} s; "
                f"see what is running, then try again"
            ) from None
        except OSError as error:
            raise DatabaseError(
                f"{self.path} needs a folder in which files can be made, also to be read: {error}. Allow that, or set "
                "KURA_DATABASE to a file elsewhere."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _attach(self, connection: duckdb.DuckDBPyConnection, read_only: bool) -> None:
        import duckdb
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

        # Our own processes queue at the lock; a notebook or the duckdb shell knows nothing of it.
        retrying = Retrying(
            retry=retry_if_exception(_held_by_somebody_else),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            stop=stop_after_delay(self.wait_seconds),
            reraise=True,
        )
        options = "TYPE duckdb, READ_ONLY" if read_only else "TYPE duckdb"
        try:
            retrying(connection.execute, f"ATTACH '{_quoted(self.path)}' AS {_DATABASE} ({options})")
        except duckdb.Error as error:
            if _held_by_somebody_else(error):
                raise DatabaseBusyError(
                    f"{self.path} is held open by another program ({error}); close it there, or open it with "
                    f"read_only=True and close it soon"
                ) from None
            raise DatabaseError(
                f"{self.path} is no database that DuckDB {duckdb.__version__} can open ({error}). Set KURA_DATABASE to "
                "another file, or move this one away."
            ) from None


def log_of(path: Path) -> Path:
    """Return where DuckDB keeps what is committed and not yet in a database's file."""
    return Path(f"{path}.wal")


_duckdb_by_process: dict[int, tuple[Path, duckdb.DuckDBPyConnection]] = {}


def _duckdb_of_this_process(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB to attach the file to, the same as long as the file is.

    Setting one up takes twenty times as long as attaching a file, and a run opens its file thirty times a day. A
    process that was forked needs one of its own: the threads of its parent's were not forked with it.
    """
    import duckdb

    of_path, connection = _duckdb_by_process.get(os.getpid(), (None, None))
    if of_path != path or connection is None:
        connection = duckdb.connect(
            config={
                "temp_directory": f"{path}.tmp",
                # A table that a file lacks is no variable of this program.
                "python_enable_replacements": "false",
                # What a large partition took is given back when the file is let go of, and not kept for the next.
                "allocator_bulk_deallocation_flush_threshold": "0B",
            }
        )
        _duckdb_by_process[os.getpid()] = (path, connection)
    return connection


@contextmanager
def _also_attached(connection: duckdb.DuckDBPyConnection, **paths: Path) -> Iterator[None]:
    """Have files attached for the length of the block under the names that they are given by."""
    with ExitStack() as stack:
        for name, path in paths.items():
            connection.execute(f"ATTACH '{_quoted(path)}' AS {name}")
            stack.callback(connection.execute, f"DETACH {name}")
        stack.callback(connection.execute, f"USE {_DATABASE}")
        yield


def _held_by_somebody_else(error: BaseException) -> bool:
    """Whether another process has the file open, or somebody else in this one."""
    import duckdb

    return isinstance(error, duckdb.Error) and any(
        said in str(error) for said in ("Could not set lock on file", "Unique file handle conflict")
    )


def _quoted(path: Path) -> str:
    # ATTACH takes no parameters.
    return str(path).replace("'", "''")


def _partitions_of(held: Mapping[str, Collection[PartitionDate]]) -> list[PartitionDate]:
    """Return the partitions of all tables' rows, in order."""
    return sorted({when for partitions in held.values() for when in partitions})


def _holds_clusters(table: Table) -> bool:
    return any(column.name == "chat_ids" for column in table.columns)


def _is_of_clusters(table: Table) -> bool:
    """Whether rows hold clusters or stand in one: an id follows from all members, and places from all meanings."""
    return any(column.name == "cluster_id" for column in table.columns)


def _is_about(table: Table, chat_ids: Collection[str]) -> tuple[str, list[list[str]]]:
    """Return the condition that a row of the table holds one of the conversations, and its values."""
    ids = sorted(chat_ids)
    if _holds_clusters(table):
        return "list_has_any(chat_ids, ?)", [ids]
    if table is REJECTED_CONVERSATIONS:
        # A line that could not be parsed holds the id as it was written.
        patterns = [id_pattern(chat_id) for chat_id in ids]
        holds = "len(list_filter(?, lambda each: regexp_matches(content, each))) > 0"
        return f"list_contains(?, chat_id) OR (chat_id IS NULL AND {holds})", [ids, patterns]
    return f"list_contains(?, {'item_id' if table in FAILED.values() else 'chat_id'})", [ids]


def _in_turns(counts: Iterable[tuple[PartitionDate, int]]) -> Iterator[list[PartitionDate]]:
    """Yield partitions of which each has some rows, as many at a time as are read without keeping others waiting."""
    together: list[PartitionDate] = []
    rows = 0
    for when, count in counts:
        if together and rows + count > _ROWS_AT_ONCE:
            yield together
            together, rows = [], 0
        together.append(when)
        rows += count
    if together:
        yield together


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _text(when: PartitionDate | None) -> str | None:
    return None if when is None else when.isoformat()


def _none_where_null(column: Any) -> Any:
    """Return a fetched column with None where the database has NULL; DuckDB masks those rows."""
    mask = getattr(column, "mask", None)
    if mask is None:
        return column
    nulls = list(mask) if getattr(mask, "shape", ()) else [bool(mask)] * len(column)
    return [None if null else value for value, null in zip(column.data, nulls, strict=True)]
