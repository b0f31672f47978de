"""Checks that nothing was lost or made twice on the way, that the hierarchy is a tree, and vectors and places finite.

All of them block: what is made of a table with holes would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from kura_dagster.orchestration.checks.check import Columns, Found, PartitionCheck
from kura_dagster.pipeline.hierarchy import check_tree
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    CONVERSATION_PROJECTIONS,
    CONVERSATIONS,
    EMBEDDINGS,
    FAILED,
    FAILED_EMBEDDINGS,
    FAILED_SUMMARIES,
    META_CLUSTERS,
    PROJECTIONS,
    SUMMARIES,
    Table,
)


def _summarised(tables: Columns) -> Iterable[str]:
    yield from _made_or_set_aside(tables, SUMMARIES, _expected(tables))


def _embedded(tables: Columns) -> Iterable[str]:
    rows = tables[EMBEDDINGS.name]
    yield from _made_or_set_aside(tables, EMBEDDINGS, _expected(tables, FAILED_SUMMARIES))
    if len({len(row.embedding) for row in rows}) > 1:
        yield f"the vectors have different lengths: {sorted({len(row.embedding) for row in rows})}"
    for row in rows:
        if not np.isfinite(row.embedding).all():
            yield f"the vector of {row.chat_id} is not finite"


def _partitioned(tables: Columns) -> Iterable[str]:
    clusters = tables[BASE_CLUSTERS.name]
    expected = _expected(tables, FAILED_SUMMARIES, FAILED_EMBEDDINGS)
    chat_ids = [chat_id for cluster in clusters for chat_id in cluster.chat_ids]
    yield from _same_conversations(expected, chat_ids, "cluster")
    for cluster in clusters:
        if not cluster.name.strip():
            yield f"cluster {cluster.cluster_id} has no name"


def _tree(tables: Columns) -> Iterable[str]:
    clusters = tables[META_CLUSTERS.name]
    yield from check_tree(clusters)
    stored = {cluster.cluster_id for cluster in clusters}
    for cluster in tables[BASE_CLUSTERS.name]:
        if cluster.cluster_id not in stored:
            yield f"base cluster {cluster.cluster_id} ({cluster.name}) is not in the hierarchy"


def _placed(tables: Columns) -> Iterable[str]:
    placed = tables[PROJECTIONS.name]
    for row in placed:
        if not (np.isfinite(row.x_coord) and np.isfinite(row.y_coord)):
            yield f"cluster {row.cluster_id} ({row.name}) has coordinates {row.x_coord}, {row.y_coord}"
    expected = {cluster.cluster_id for cluster in tables[META_CLUSTERS.name]}
    for cluster_id in sorted(expected ^ {row.cluster_id for row in placed}):
        yield f"cluster {cluster_id} is in only one of {META_CLUSTERS.name} and {PROJECTIONS.name}"


def _conversations_placed(tables: Columns) -> Iterable[str]:
    placed = tables[CONVERSATION_PROJECTIONS.name]
    cluster_of = {chat_id: each.cluster_id for each in tables[BASE_CLUSTERS.name] for chat_id in each.chat_ids}
    yield from _same_conversations(set(cluster_of), [row.chat_id for row in placed], CONVERSATION_PROJECTIONS.name)
    for row in placed:
        if not (np.isfinite(row.x_coord) and np.isfinite(row.y_coord)):
            yield f"conversation {row.chat_id} has coordinates {row.x_coord}, {row.y_coord}"
        if row.cluster_id != cluster_of.get(row.chat_id, row.cluster_id):
            yield f"conversation {row.chat_id} stands in cluster {row.cluster_id}, not {cluster_of[row.chat_id]}"


_STRANGER = "which is no conversation of the partition or has nothing to be made from"


def _expected(tables: Columns, *set_aside: Table) -> set[str]:
    """Return the partition's conversations without those that are set aside."""
    failed = {row.item_id for table in set_aside for row in tables[table.name]}
    return {row.chat_id for row in tables[CONVERSATIONS.name]} - failed


def _made_or_set_aside(tables: Columns, table: Table, expected: set[str]) -> Iterable[str]:
    """Tell of each expected conversation that is not in exactly one of the table and that of what failed there."""
    failed_table = FAILED[table.name]
    chat_ids = [row.chat_id for row in tables[table.name]]
    failed = {row.item_id for row in tables[failed_table.name]}
    for chat_id in sorted(failed.intersection(chat_ids)):
        yield f"conversation {chat_id} is in {failed_table.name}, and in {table.name} as well"
    for chat_id in sorted(failed - expected):
        yield f"{failed_table.name} holds {chat_id}, {_STRANGER}"
    yield from _same_conversations(expected - failed, [each for each in chat_ids if each not in failed], table.name)


def _same_conversations(expected: set[str], chat_ids: list[str], what: str) -> Iterable[str]:
    """Tell of each conversation that is missing, doubled or a stranger."""
    found = set(chat_ids)
    for chat_id in sorted(expected - found):
        yield f"conversation {chat_id} is missing from {what}"
    for chat_id in sorted(found - expected):
        yield f"{what} holds {chat_id}, {_STRANGER}"
    if len(chat_ids) != len(found):
        yield f"{len(chat_ids) - len(found)} conversations are in {what} more than once"


def _check(
    table: Table,
    name: str,
    description: str,
    columns: Mapping[Table, Sequence[str]],
    find_faults: Callable[[Columns], Iterable[str]],
) -> PartitionCheck:
    return PartitionCheck(
        table=table,
        name=name,
        description=description,
        columns=columns,
        blocking=True,
        find=lambda tables: Found(list(find_faults(tables))),
        remedy=f"Materialise {table.name} of these partitions again, after what is upstream where that has changed.",
    )


_CHAT_IDS = {CONVERSATIONS: ["chat_id"], FAILED_SUMMARIES: ["item_id"]}
_EMBEDDED_IDS = {**_CHAT_IDS, FAILED_EMBEDDINGS: ["item_id"]}

COMPLETENESS_CHECKS = (
    _check(
        SUMMARIES,
        "every_conversation_has_a_summary",
        "Exactly one summary a conversation, but for those in table failed_summaries.",
        {**_CHAT_IDS, SUMMARIES: ["chat_id"]},
        _summarised,
    ),
    _check(
        EMBEDDINGS,
        "every_conversation_has_an_embedding",
        "Exactly one finite vector a conversation that has a summary, but for those in table failed_embeddings.",
        {**_EMBEDDED_IDS, EMBEDDINGS: ["chat_id", "embedding"]},
        _embedded,
    ),
    _check(
        BASE_CLUSTERS,
        "clusters_partition_the_conversations",
        "Each conversation that has an embedding is in exactly one base cluster, and each cluster has a name.",
        {**_EMBEDDED_IDS, BASE_CLUSTERS: ["cluster_id", "name", "chat_ids"]},
        _partitioned,
    ),
    _check(
        META_CLUSTERS,
        "hierarchy_is_a_tree",
        "Every base cluster has a root, every parent at least two children, and the counts add up.",
        {META_CLUSTERS: ["cluster_id", "parent_id", "chat_ids"], BASE_CLUSTERS: ["cluster_id", "name"]},
        _tree,
    ),
    _check(
        PROJECTIONS,
        "every_cluster_is_on_the_map",
        "Each cluster of the hierarchy has finite coordinates.",
        {PROJECTIONS: ["cluster_id", "name", "x_coord", "y_coord"], META_CLUSTERS: ["cluster_id"]},
        _placed,
    ),
    _check(
        CONVERSATION_PROJECTIONS,
        "every_conversation_is_on_the_map",
        "Each conversation of a base cluster has finite coordinates once, and the cluster beside it is its own.",
        {
            CONVERSATION_PROJECTIONS: ["chat_id", "cluster_id", "x_coord", "y_coord"],
            BASE_CLUSTERS: ["cluster_id", "chat_ids"],
        },
        _conversations_placed,
    ),
)
