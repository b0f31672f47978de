"""How Dagster's assets reach the database: what an asset returns is stored, what it takes is loaded, by partition.

Everything about files, locks and SQL is in `kura_dagster.storage.database`; only Dagster's side belongs here.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import BaseModel, PrivateAttr, ValidationError

from kura_dagster.pipeline.failures import StopAsking
from kura_dagster.storage.database import Database, DatabaseError, PartitionDate
from kura_dagster.storage.materialisations import StoredPartitions
from kura_dagster.storage.partitioning import DAILY_IN_UTC, Partitioning
from kura_dagster.storage.snapshot import Snapshot
from kura_dagster.storage.tables import PARTITION_COLUMN, REJECTED_CONVERSATIONS, TABLES, Table

_MADE_INTO_NOTHING = (REJECTED_CONVERSATIONS.name,)
"""Tables that no asset takes: a change of theirs alone puts nothing downstream out of date."""

FAILED_PARTITIONS = "failed_partitions"
"""Metadata that names the partitions that failed: of a step the reason of each by key, of a check their keys."""

Rows = Sequence[BaseModel] | Mapping[str, Sequence[BaseModel]]
"""What one partition holds: the rows of the asset's own table, or of several tables by name."""


class PartitionRows(Mapping[str, list[Any]]):
    """The rows of an upstream asset by partition key, each partition read when it is asked for."""

    def __init__(self, database: Database, table: Table, dates: Mapping[str, PartitionDate]) -> None:
        self._database = database
        self._table = table
        self._dates = dates

    def __getitem__(self, partition_key: str) -> list[Any]:
        return self._database.load(self._table, self._dates[partition_key])

    def beside(self, table: Table, partition_key: str) -> list[Any]:
        """Return the partition's rows of another table that the upstream asset fills."""
        return self._database.load(table, self._dates[partition_key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._dates)

    def __len__(self) -> int:
        return len(self._dates)


class DuckDBIOManager(dg.ConfigurableIOManager):
    """Stores each asset in the table of its name.

    An asset returns a mapping from partition key to rows; where it fills more than one table, to a mapping from table
    name to rows. It may be a plain dictionary, or a mapping that computes each partition when it is asked for. Where it
    leaves partitions of the run out, they are the keys of its attribute `held_back`. It also
    calls `report_each_partition`. An asset takes `PartitionRows`, or a pandas frame of the whole range where its
    annotation says `pandas.DataFrame`. When a run that stored anything ends, the snapshot is published.
    """

    database: str
    cadence: str = DAILY_IN_UTC.cadence
    timezone: str = DAILY_IN_UTC.timezone
    _has_stored: bool = PrivateAttr(default=False)

    def handle_output(  # type: ignore[override]  # Dagster takes a generator as well
        self, context: dg.OutputContext, obj: Mapping[str, Rows]
    ) -> Iterator[dg.DagsterEvent]:
        """Ask for the run's partitions one after the other and store each, in one transaction, before the next.

        A partition that cannot be computed or stored keeps what it held before, and the others are still done; the step
        then fails. What was stored counts as materialised all the same, also where the run is interrupted. Two things
        end the step at once: a database that can't be used, because computing what can't be stored may cost money, and
        a language model that can't be asked any more in this run, because the next partition would fare no better.

        Each partition is reported as soon as it is stored, with its row counts and a data version that follows its own
        content: what is downstream of a partition that came out as it was before is not out of date.

        Raises:
            ValueError: the asset did not return exactly the partitions of the run but for those it holds back, has no
                table, or did not call `report_each_partition`.
            dg.Failure: some partitions failed, each named with its reason, or a language model can't be asked any more.
            DatabaseError: the database can't be used.
        """
        from kura_dagster.storage.rows import content_digest

        database = self._open_database()
        own_table = _table_of(context.asset_key)
        dates = partition_dates(context.asset_partitions_def, context.asset_partition_keys, database.partition_type)
        held_back = set(getattr(obj, "held_back", ()))
        if set(obj) | held_back != set(dates):
            raise ValueError(
                f"{context.asset_key.to_user_string()} returned {sorted(obj)}, but the run covers {sorted(dates)}"
            )

        wanted = [key for key in dates if key not in held_back]
        reporting = StoredPartitions(context)

        def store(key: str) -> dg.DagsterEvent:
            # A function of its own: its end lets go of the rows before the next partition is computed.
            rows = obj[key]
            by_name = rows if isinstance(rows, Mapping) else {own_table.name: rows}
            row_counts = {
                "dagster/partition_row_count": len(by_name[own_table.name]),
                **{f"{name}_rows": len(each) for name, each in by_name.items() if name != own_table.name},
            }
            database.replace_partitions({TABLES[name]: {dates[key]: each} for name, each in by_name.items()})
            self._has_stored = True
            context.step_context.add_asset_metadata(row_counts, partition_key=key)
            content = {TABLES[name]: each for name, each in by_name.items() if name not in _MADE_INTO_NOTHING}
            return reporting.event(key, content_digest(content))

        stored: list[str] = []
        reasons: dict[str, str] = {}
        for key in wanted:
            try:
                event = store(key)
            except DatabaseError:
                raise
            except StopAsking as error:
                raise _stopped(error, key, stored, reasons, wanted) from None
            except Exception as error:
                # Only text is kept: the error itself holds on to the partition's rows.
                reasons[key] = _reason(error)
                # The places alone: texts of the errors behind this one may quote a conversation, and run history
                # outlives its deletion.
                places = "".join(traceback.format_tb(error.__traceback__))
                context.log.error(f"{key} failed; what it held before is unchanged\n{places}{reasons[key]}")
            else:
                stored.append(key)
                yield event
        if reasons:
            raise _failure(reasons, len(wanted))

    def load_input(self, context: dg.InputContext) -> Any:
        """Return the upstream partitions that the run needs.

        Raises:
            ValueError: the upstream asset has no table.
            DatabaseError: the database can't be used.
        """
        import pandas as pd

        database = self._open_database()
        table = _table_of(context.asset_key)
        dates = partition_dates(context.asset_partitions_def, context.asset_partition_keys, database.partition_type)
        if context.dagster_type.typing_type is pd.DataFrame:
            return database.frame(table, min(dates.values()), max(dates.values()))
        return PartitionRows(database, table, dates)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Publish the snapshot when a run ends, also one that failed or was stopped, where it stored anything.

        What the run stored is in the database whether the snapshot can be published or not, so its run does not fail
        for that: it has a warning in its log.
        """
        if not self._has_stored:
            return
        try:
            Snapshot(self._open_database()).publish()
        except DatabaseError as error:
            assert context.log is not None  # a run has one
            context.log.warning(str(error))

    def _open_database(self) -> Database:
        return Database(self.database, Partitioning(self.cadence, self.timezone))


def _table_of(asset_key: dg.AssetKey) -> Table:
    if asset_key.path[-1] not in TABLES:
        raise ValueError(f"{asset_key.to_user_string()} has no table; assets with one are {', '.join(TABLES)}")
    return TABLES[asset_key.path[-1]]


def _reason(error: Exception) -> str:
    """Return an error's text, and its kind where it is not our own.

    Of pydantic's errors, which quote what they refuse, only places and kinds.
    """
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False, include_input=False)
        places = (f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in found)
        return f"{error.title} can't be made: {'; '.join(places)}"
    ours = type(error).__module__.startswith("kura_dagster.")
    return str(error) if ours else f"{type(error).__name__}: {error}"


def reason_to_share(reason: str) -> str:
    """Return the reason of a failed partition as it may leave the machine.

    Of an error that is not our own that is only its kind: what it says may quote a conversation.
    """
    kind = re.match(r"\w+(?=: )", reason)
    return f"{kind[0]}; the run's log has what it says" if kind else reason


def _failure(reasons: Mapping[str, str], partitions: int) -> dg.Failure:
    """Return the failure that names the partitions by their reason."""
    return dg.Failure(
        "\n".join([f"{len(reasons)} of {partitions} partitions failed.", *_lines(reasons)]),
        metadata={FAILED_PARTITIONS: dg.MetadataValue.json(dict(reasons))},
    )


def _stopped(
    error: StopAsking, at: str, stored: Sequence[str], reasons: Mapping[str, str], keys: Sequence[str]
) -> dg.Failure:
    """Return the failure that says first why nothing more is asked, and then which partitions are not done."""
    left = keys[keys.index(at) :]
    rest = f"{left[0]} to {left[-1]} are" if len(left) > 1 else f"{left[0]} is"
    lines = [str(error), f"{len(stored)} of {len(keys)} partitions are stored, {rest} not done.", *_lines(reasons)]
    return dg.Failure(
        "\n".join(lines),
        metadata={FAILED_PARTITIONS: dg.MetadataValue.json({**reasons, **dict.fromkeys(left, str(error))})},
        # Nothing would be different a moment later.
        allow_retries=False,
    )


def keys_by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the partitions that failed for each reason, for a reason is often common to all."""
    found: dict[str, list[str]] = {}
    for key, reason in reasons.items():
        found.setdefault(reason, []).append(key)
    return found


def _lines(reasons: Mapping[str, str]) -> list[str]:
    return [f"{', '.join(keys)}: {reason}" for reason, keys in keys_by_reason(reasons).items()]


def partition_dates(
    partitions_def: dg.PartitionsDefinition, keys: Sequence[str], partition_type: str
) -> dict[str, PartitionDate]:
    """Return the value of `partition_date` for each key: the window's first day, or its start where it is shorter."""
    if not isinstance(partitions_def, dg.TimeWindowPartitionsDefinition):
        raise TypeError("the tables are partitioned by time; give the asset a time-window partitions definition")
    starts = {key: partitions_def.time_window_for_partition_key(key).start for key in keys}
    return {key: partition_date_of(start, partition_type) for key, start in starts.items()}


def partition_date_of(start: datetime, partition_type: str) -> PartitionDate:
    """Return the value of `partition_date` of the partition that begins then, in the project's time zone."""
    # In UTC: where the clock is put back an hour, two partitions have the same local time.
    return start.date() if partition_type == "DATE" else start.astimezone(UTC)


def column_schema(table: Table, partition_type: str) -> dg.TableSchema:
    """Return the table's columns as the UI shows them."""
    partition = dg.TableColumn(PARTITION_COLUMN, partition_type, "The partition the row belongs to.")
    columns = [dg.TableColumn(column.name, column.type, column.description) for column in table.columns]
    return dg.TableSchema(columns=[partition, *columns])
