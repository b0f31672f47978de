"""How Dagster's assets reach the database: what an asset returns is stored, what it takes is loaded, by partition.

Everything about files, locks and SQL is in `kura_dagster.storage.database`; only Dagster's side belongs here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import dagster as dg
from pydantic import BaseModel

from kura_dagster.storage.database import Database, PartitionDate
from kura_dagster.storage.tables import PARTITION_COLUMN, TABLES, Table


class PartitionRows(Mapping[str, list[Any]]):
    """The rows of an upstream asset by partition key, each partition read when it is asked for.

    What is read is thus held a partition at a time; what an asset returns is held for the whole run.
    """

    def __init__(self, database: Database, table: Table, dates: Mapping[str, PartitionDate]) -> None:
        self._database = database
        self._table = table
        self._dates = dates

    def __getitem__(self, partition_key: str) -> list[Any]:
        return self._database.load(self._table, self._dates[partition_key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._dates)

    def __len__(self) -> int:
        return len(self._dates)


class DuckDBIOManager(dg.ConfigurableIOManager):
    """Stores each asset in the table of its name.

    An asset returns a mapping from partition key to rows; where it fills more than one table, to a mapping from table
    name to rows. All tables and partitions of a run are replaced in one transaction. An asset takes `PartitionRows`, or
    a pandas frame of the whole range where its annotation says `pandas.DataFrame`.
    """

    database: str
    partition_type: str = "DATE"

    def handle_output(
        self, context: dg.OutputContext, obj: Mapping[str, Sequence[BaseModel] | Mapping[str, Sequence[BaseModel]]]
    ) -> None:
        """Replace the run's partitions and report each one's row counts and the table's columns.

        Raises:
            ValueError: the asset did not return exactly the partitions of the run.
        """
        dates = partition_dates(context.asset_partitions_def, context.asset_partition_keys, self.partition_type)
        if set(obj) != set(dates):
            raise ValueError(
                f"{context.asset_key.to_user_string()} returned {sorted(obj)}, but the run covers {sorted(dates)}"
            )
        own_name = context.asset_key.path[-1]
        rows_by_table: dict[Table, dict[PartitionDate, Sequence[BaseModel]]] = {}
        for key, rows in obj.items():
            by_name = rows if isinstance(rows, Mapping) else {own_name: rows}
            for name, table_rows in by_name.items():
                rows_by_table.setdefault(TABLES[name], {})[dates[key]] = table_rows
            context.step_context.add_asset_metadata(
                {
                    "dagster/partition_row_count": len(by_name[own_name]),
                    **{f"{name}_rows": len(other) for name, other in by_name.items() if name != own_name},
                },
                partition_key=key,
            )
        self._open_database().replace_partitions(rows_by_table)

    def load_input(self, context: dg.InputContext) -> Any:
        """Return the upstream partitions that the run needs."""
        import pandas as pd

        table = TABLES[context.asset_key.path[-1]]
        dates = partition_dates(context.asset_partitions_def, context.asset_partition_keys, self.partition_type)
        if context.dagster_type.typing_type is pd.DataFrame:
            return self._open_database().frame(table, min(dates.values()), max(dates.values()))
        return PartitionRows(self._open_database(), table, dates)

    def _open_database(self) -> Database:
        return Database(self.database, partition_type=self.partition_type)


def partition_dates(
    partitions_def: dg.PartitionsDefinition, keys: Sequence[str], partition_type: str
) -> dict[str, PartitionDate]:
    """Return the value of `partition_date` for each key: the window's first day, or its start where it is shorter."""
    if not isinstance(partitions_def, dg.TimeWindowPartitionsDefinition):
        raise TypeError("the tables are partitioned by time; give the asset a time-window partitions definition")
    starts = {key: partitions_def.time_window_for_partition_key(key).start for key in keys}
    # In UTC: where the clock is put back an hour, two partitions have the same local time.
    return {key: start.date() if partition_type == "DATE" else start.astimezone(UTC) for key, start in starts.items()}


def column_schema(table: Table) -> dg.TableSchema:
    """Return the table's columns as the UI shows them."""
    partition = dg.TableColumn(PARTITION_COLUMN, "DATE", "The partition the row belongs to.")
    columns = [dg.TableColumn(column.name, column.type, column.description) for column in table.columns]
    return dg.TableSchema(columns=[partition, *columns])
