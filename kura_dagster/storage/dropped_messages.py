"""The messages of old partitions: where a database holds them, taking them out, and which partitions had them.

A conversation's row stays without its messages, for its summary and its place in a cluster are still there; so does the
row of a line that was set aside, without its content. Rewriting the file, so that what was taken out is in none of its
blocks, is the database's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from kura_dagster.pipeline.types import USER_WORDS
from kura_dagster.storage.tables import CONVERSATIONS, PARTITION_COLUMN, REJECTED_CONVERSATIONS, SUMMARIES, Table

if TYPE_CHECKING:
    import duckdb

TABLE = "dropped_messages"

MADE_OF_MESSAGES: tuple[Table, ...] = (CONVERSATIONS, REJECTED_CONVERSATIONS, SUMMARIES)
"""The tables that nobody can fill for a partition without messages."""

# Of each table that holds what users wrote: which rows do, and what they become.
_HELD = {
    CONVERSATIONS: ("messages IS NOT NULL", "messages = NULL"),
    REJECTED_CONVERSATIONS: ("content <> ''", "content = ''"),
    SUMMARIES: (
        f"json_exists(metadata, '$.{USER_WORDS}')",
        f"""metadata = json_merge_patch(metadata, '{{"{USER_WORDS}": null}}')""",
    ),
}


class MessagesDroppedError(ValueError):
    """The messages of a partition were dropped, so nothing can be made of them. The message says what can be done."""


def create_statement(partition_type: str) -> str:
    """Return the DDL of the table that remembers it."""
    return (
        f"CREATE TABLE IF NOT EXISTS {TABLE} ({PARTITION_COLUMN} {partition_type} NOT NULL, "
        "dropped_at TIMESTAMPTZ NOT NULL)"
    )


def dropped_partitions(connection: duckdb.DuckDBPyConnection) -> dict[Any, datetime]:
    """Return when the messages of a partition were dropped, by its `partition_date`, in order."""
    return dict(
        connection.execute(
            f"SELECT {PARTITION_COLUMN}, min(dropped_at) FROM {TABLE} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    )


def refuse_dropped(
    connection: duckdb.DuckDBPyConnection, partition_dates: Iterable[date | datetime], partition_type: str
) -> None:
    """Refuse partitions whose messages were dropped.

    Raises:
        MessagesDroppedError: one of them is such.
    """
    found = connection.execute(
        f"SELECT {PARTITION_COLUMN}, dropped_at FROM {TABLE} "
        f"WHERE {PARTITION_COLUMN} = ANY(CAST(? AS {partition_type}[])) ORDER BY ALL LIMIT 1",
        [[when.isoformat() for when in partition_dates]],
    ).fetchone()
    if found:
        when, dropped_at = found
        raise MessagesDroppedError(
            f"the messages of {when} were dropped on {dropped_at:%Y-%m-%d} (KURA_KEEP_MESSAGES_DAYS), so "
            f"{', '.join(table.name for table in MADE_OF_MESSAGES)} and embeddings stay as they are. Clusters can be "
            "made again, from base_clusters on. To begin such a partition anew from its source, delete its row from "
            f"the table {TABLE} and land it again"
        )


def messages_before(
    connection: duckdb.DuckDBPyConnection, before: date | datetime, partition_type: str
) -> dict[str, dict[Any, int]]:
    """Return how many rows of each table, by its name, hold what users wrote, by partition, before one."""
    return {
        table.name: dict(
            connection.execute(
                f"SELECT {PARTITION_COLUMN}, count(*) FROM {table.name} "
                f"WHERE {PARTITION_COLUMN} < CAST(? AS {partition_type}) AND {holds} GROUP BY ALL ORDER BY ALL",
                [before.isoformat()],
            ).fetchall()
        )
        for table, (holds, _) in _HELD.items()
    }


def take_out_messages(connection: duckdb.DuckDBPyConnection, before: date | datetime, partition_type: str) -> None:
    """Take what users wrote out of every partition before one."""
    for table, (holds, emptied) in _HELD.items():
        connection.execute(
            f"UPDATE {table.name} SET {emptied} WHERE {PARTITION_COLUMN} < CAST(? AS {partition_type}) AND {holds}",
            [before.isoformat()],
        )


def remember_dropped(
    connection: duckdb.DuckDBPyConnection, partition_dates: Iterable[date | datetime], partition_type: str
) -> None:
    """Write down that the messages of these partitions are dropped now; what is written down already stays."""
    connection.execute(
        f"INSERT INTO {TABLE} SELECT DISTINCT each, CAST(? AS TIMESTAMPTZ) "
        f"FROM (SELECT unnest(CAST(? AS {partition_type}[])) AS each) "
        f"WHERE each NOT IN (SELECT {PARTITION_COLUMN} FROM {TABLE})",
        [datetime.now(UTC).isoformat(), [when.isoformat() for when in partition_dates]],
    )
