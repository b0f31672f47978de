"""Checks of what was stored: read back from the database, partition by partition, after the asset has been written.

A check covers the partitions of its run, or every stored one when it is run by itself. A failing check names the
partition and the rows. The four that would make everything downstream wrong are blocking.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import dagster as dg
import numpy as np

from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.pipeline.hierarchy import check_tree
from kura_dagster.storage.database import Database, PartitionDate
from kura_dagster.storage.io_manager import partition_dates
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    CONVERSATIONS,
    EMBEDDINGS,
    META_CLUSTERS,
    PROJECTIONS,
    REJECTED_CONVERSATIONS,
    SUMMARIES,
    Table,
)

SHOWN_FAULTS = 20


@dataclass(frozen=True)
class PartitionCheck:
    """A check of one table: `find_faults` returns a sentence for each thing that is wrong in a partition."""

    table: Table
    name: str
    description: str
    find_faults: Callable[[Database, PartitionDate], Iterable[str]]
    blocking: bool = True


def _rejected(database: Database, when: PartitionDate) -> Iterable[str]:
    for row in database.load(REJECTED_CONVERSATIONS, when):
        yield f"{row.file} line {row.line} is set aside in {REJECTED_CONVERSATIONS.name}: {row.reason}"


def _summarised(database: Database, when: PartitionDate) -> Iterable[str]:
    return _same_conversations(database, when, SUMMARIES)


def _embedded(database: Database, when: PartitionDate) -> Iterable[str]:
    yield from _same_conversations(database, when, EMBEDDINGS)
    rows = database.load(EMBEDDINGS, when)
    if len({len(row.embedding) for row in rows}) > 1:
        yield f"the vectors have different lengths: {sorted({len(row.embedding) for row in rows})}"
    for row in rows:
        if not np.isfinite(row.embedding).all():
            yield f"the vector of {row.chat_id} is not finite"


def _partitioned(database: Database, when: PartitionDate) -> Iterable[str]:
    clusters = database.load(BASE_CLUSTERS, when)
    members = [chat_id for cluster in clusters for chat_id in cluster.chat_ids]
    yield from _compare(database, when, members, "cluster")
    for cluster in clusters:
        if not cluster.name.strip():
            yield f"cluster {cluster.cluster_id} has no name"


def _tree(database: Database, when: PartitionDate) -> Iterable[str]:
    clusters = database.load(META_CLUSTERS, when)
    yield from check_tree(clusters)
    stored = {cluster.cluster_id for cluster in clusters}
    for cluster in database.load(BASE_CLUSTERS, when):
        if cluster.cluster_id not in stored:
            yield f"base cluster {cluster.cluster_id} ({cluster.name}) is not in the hierarchy"


def _placed(database: Database, when: PartitionDate) -> Iterable[str]:
    placed = database.load(PROJECTIONS, when)
    for row in placed:
        if not (np.isfinite(row.x_coord) and np.isfinite(row.y_coord)):
            yield f"cluster {row.cluster_id} ({row.name}) has coordinates {row.x_coord}, {row.y_coord}"
    expected = {cluster.cluster_id for cluster in database.load(META_CLUSTERS, when)}
    for cluster_id in sorted(expected ^ {row.cluster_id for row in placed}):
        yield f"cluster {cluster_id} is in only one of {META_CLUSTERS.name} and {PROJECTIONS.name}"


def _same_conversations(database: Database, when: PartitionDate, table: Table) -> Iterable[str]:
    return _compare(database, when, [row.chat_id for row in database.load(table, when)], table.name)


def _compare(database: Database, when: PartitionDate, chat_ids: list[str], what: str) -> Iterable[str]:
    expected = {row.chat_id for row in database.load(CONVERSATIONS, when)}
    found = set(chat_ids)
    for chat_id in sorted(expected - found):
        yield f"conversation {chat_id} is missing from {what}"
    for chat_id in sorted(found - expected):
        yield f"{what} holds {chat_id}, which is no conversation of the partition"
    if len(chat_ids) != len(found):
        yield f"{len(chat_ids) - len(found)} conversations are in {what} more than once"


CHECKS = (
    PartitionCheck(
        CONVERSATIONS,
        "every_line_was_read",
        "No landed line had to be set aside; look in table rejected_conversations for those that were.",
        _rejected,
        blocking=False,
    ),
    PartitionCheck(SUMMARIES, "every_conversation_has_a_summary", "Exactly one summary a conversation.", _summarised),
    PartitionCheck(
        EMBEDDINGS, "every_conversation_has_an_embedding", "Exactly one finite vector a conversation.", _embedded
    ),
    PartitionCheck(
        BASE_CLUSTERS,
        "clusters_partition_the_conversations",
        "Each conversation is in exactly one base cluster, and each cluster has a name.",
        _partitioned,
    ),
    PartitionCheck(
        META_CLUSTERS,
        "hierarchy_is_a_tree",
        "Every base cluster has a root, every parent at least two children, and the counts add up.",
        _tree,
    ),
    PartitionCheck(
        PROJECTIONS, "every_cluster_is_on_the_map", "Each cluster of the hierarchy has finite coordinates.", _placed
    ),
)


def asset_checks(
    partitions_def: dg.TimeWindowPartitionsDefinition, partition_type: str
) -> list[dg.AssetChecksDefinition]:
    """Return the Dagster checks for these partitions."""
    return [_asset_check(check, partitions_def, partition_type) for check in CHECKS]


def _asset_check(
    check: PartitionCheck, partitions_def: dg.TimeWindowPartitionsDefinition, partition_type: str
) -> dg.AssetChecksDefinition:
    asset = next(asset for asset in ASSETS if asset.key.path[-1] == check.table.name)

    @dg.asset_check(asset=asset.key, name=check.name, description=check.description, blocking=check.blocking)
    def run_check(context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        if context.has_partition_key or context.has_partition_key_range:
            whens = list(partition_dates(partitions_def, context.partition_keys, partition_type).values())
        else:
            whens = sorted(database.row_counts()[CONVERSATIONS.name])
        faults = [f"partition {when}: {fault}" for when in whens for fault in check.find_faults(database, when)]
        return dg.AssetCheckResult(
            passed=not faults,
            severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
            description=f"{len(faults)} found, the first in {faults[0]}" if faults else None,
            metadata={
                "partitions": len(whens),
                "faults": len(faults),
                **({"first_faults": dg.MetadataValue.json(faults[:SHOWN_FAULTS])} if faults else {}),
            },
        )

    return run_check
