"""Checks of what was stored: read back from the database, partition by partition, after the asset has been written.

A check covers the partitions that its run has stored, or every materialised one when it is run without any. A failing
check names the partition and the rows. Blocking are those that would make everything downstream wrong; they block the
partitions they name, and the run's others go on.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import numpy as np

from kura_dagster.orchestration.asset_metadata import is_superseded
from kura_dagster.orchestration.held_back import FAILED_PARTITIONS, nothing_left, stored_by_run
from kura_dagster.pipeline.hierarchy import check_tree
from kura_dagster.pipeline.personal_data import find_kinds
from kura_dagster.storage.database import Database, PartitionDate
from kura_dagster.storage.io_manager import partition_dates
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
    REJECTED_CONVERSATIONS,
    SUMMARIES,
    Table,
)

SHOWN_FAULTS = 20
SHOWN_ERRORS = 3
PARTITIONS_AT_ONCE = 7
"""So many partitions are read with one opening of the database, which takes longer than reading a small one."""

Columns = Mapping[str, Sequence[Any]]
"""Of one partition the rows of each table by its name, with the columns that the check asked for."""


@dataclass(frozen=True)
class PartitionCheck:
    """A check of one table: `find_faults` returns a sentence for each thing that is wrong in a partition.

    `columns` are what it has to know for that; whole transcripts are never read.
    """

    table: Table
    name: str
    description: str
    columns: Mapping[Table, Sequence[str]]
    find_faults: Callable[[Columns], Iterable[str]]
    blocking: bool = True


def _unusable(tables: Columns) -> Iterable[str]:
    for row in tables[REJECTED_CONVERSATIONS.name]:
        if not is_superseded(row.reason):
            yield f"{row.file} line {row.line} is set aside in {REJECTED_CONVERSATIONS.name}: {row.reason}"


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


def _impersonal(table: Table, row_id: str, columns: Sequence[str]) -> Callable[[Columns], Iterable[str]]:
    """Return what finds personal data in columns of texts; the value itself is never told, checks stay in the log."""

    def find_faults(tables: Columns) -> Iterable[str]:
        for row in tables[table.name]:
            for column in columns:
                value = getattr(row, column)
                kinds: Counter[str] = Counter()
                for text in value if isinstance(value, list) else [value or ""]:
                    kinds += find_kinds(text)
                for kind in sorted(kinds):
                    yield f"{table.name} {getattr(row, row_id)} has what looks like {_KIND_NAMES[kind]} in {column}"

    return find_faults


_KIND_NAMES = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "card": "the number of a card",
    "iban": "an IBAN",
    "ip": "an IP address",
    "secret": "a key or token",
    "password": "a password",
    "number": "the number of an account, an order or a paper",
}


def _personal_data_check(table: Table, row_id: str, columns: Sequence[str]) -> PartitionCheck:
    return PartitionCheck(
        table,
        "no_personal_data",
        f"No e-mail address, phone number, card, IBAN, IP address, key, password or number of a paper stands in "
        f"{', '.join(columns)}. Names of people are not looked for. A finding may be a false alarm; the rows say.",
        {table: [row_id, *columns]},
        _impersonal(table, row_id, columns),
        blocking=False,
    )


_CHAT_IDS = {CONVERSATIONS: ["chat_id"], FAILED_SUMMARIES: ["item_id"]}
_EMBEDDED_IDS = {**_CHAT_IDS, FAILED_EMBEDDINGS: ["item_id"]}

CHECKS = (
    PartitionCheck(
        CONVERSATIONS,
        "every_line_was_read",
        "Every landed line could be used; look in table rejected_conversations for those that could not. Lines that a "
        "later version of their conversation supersedes are normal.",
        {REJECTED_CONVERSATIONS: ["file", "line", "reason"]},
        _unusable,
        blocking=False,
    ),
    PartitionCheck(
        SUMMARIES,
        "every_conversation_has_a_summary",
        "Exactly one summary a conversation, but for those in table failed_summaries.",
        {**_CHAT_IDS, SUMMARIES: ["chat_id"]},
        _summarised,
    ),
    PartitionCheck(
        EMBEDDINGS,
        "every_conversation_has_an_embedding",
        "Exactly one finite vector a conversation that has a summary, but for those in table failed_embeddings.",
        {**_EMBEDDED_IDS, EMBEDDINGS: ["chat_id", "embedding"]},
        _embedded,
    ),
    PartitionCheck(
        BASE_CLUSTERS,
        "clusters_partition_the_conversations",
        "Each conversation that has an embedding is in exactly one base cluster, and each cluster has a name.",
        {**_EMBEDDED_IDS, BASE_CLUSTERS: ["cluster_id", "name", "chat_ids"]},
        _partitioned,
    ),
    PartitionCheck(
        META_CLUSTERS,
        "hierarchy_is_a_tree",
        "Every base cluster has a root, every parent at least two children, and the counts add up.",
        {META_CLUSTERS: ["cluster_id", "parent_id", "chat_ids"], BASE_CLUSTERS: ["cluster_id", "name"]},
        _tree,
    ),
    PartitionCheck(
        PROJECTIONS,
        "every_cluster_is_on_the_map",
        "Each cluster of the hierarchy has finite coordinates.",
        {PROJECTIONS: ["cluster_id", "name", "x_coord", "y_coord"], META_CLUSTERS: ["cluster_id"]},
        _placed,
    ),
    PartitionCheck(
        CONVERSATION_PROJECTIONS,
        "every_conversation_is_on_the_map",
        "Each conversation of a base cluster has finite coordinates once, and the cluster beside it is its own.",
        {
            CONVERSATION_PROJECTIONS: ["chat_id", "cluster_id", "x_coord", "y_coord"],
            BASE_CLUSTERS: ["cluster_id", "chat_ids"],
        },
        _conversations_placed,
    ),
    _personal_data_check(SUMMARIES, "chat_id", ["summary", "request", "topic", "task", "assistant_errors"]),
    _personal_data_check(BASE_CLUSTERS, "cluster_id", ["name", "description"]),
    _personal_data_check(META_CLUSTERS, "cluster_id", ["name", "description"]),
)


@dataclass(frozen=True)
class FailureCheck:
    """A check of how many items of one asset a model failed at. `items` are the rows that it was asked for."""

    table: Table
    noun: str
    columns: Sequence[str]
    items: Callable[[Columns], int]

    @property
    def failed(self) -> Table:
        """Where the failed items are."""
        return FAILED[self.table.name]


FAILURE_CHECKS = (
    FailureCheck(
        SUMMARIES,
        "conversations have no summary",
        ["chat_id"],
        lambda tables: len(tables[SUMMARIES.name]) + len(tables[FAILED_SUMMARIES.name]),
    ),
    FailureCheck(
        EMBEDDINGS,
        "conversations have no embedding",
        ["chat_id"],
        lambda tables: len(tables[EMBEDDINGS.name]) + len(tables[FAILED_EMBEDDINGS.name]),
    ),
    FailureCheck(
        BASE_CLUSTERS,
        "clusters have no name",
        ["is_outlier"],
        lambda tables: sum(not row.is_outlier for row in tables[BASE_CLUSTERS.name]),
    ),
    FailureCheck(
        META_CLUSTERS,
        "clusters were placed or named without the language model",
        ["cluster_id"],
        lambda tables: len(tables[META_CLUSTERS.name]),
    ),
)


def asset_checks(
    partitions_def: dg.TimeWindowPartitionsDefinition, failure_limit: float
) -> list[dg.AssetChecksDefinition]:
    """Return the Dagster checks for these partitions; `failure_limit` is the share of failed items that is accepted."""
    return [
        *(_asset_check(check, partitions_def) for check in CHECKS),
        *(_failure_check(check, partitions_def, failure_limit) for check in FAILURE_CHECKS),
    ]


def _asset_check(check: PartitionCheck, partitions_def: dg.TimeWindowPartitionsDefinition) -> dg.AssetChecksDefinition:
    key = dg.AssetKey(check.table.name)

    @dg.asset_check(asset=key, name=check.name, description=check.description, blocking=check.blocking)
    def run_check(context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        keys = _keys(context, key, partitions_def)
        dates = partition_dates(partitions_def, keys, database.partition_type)
        faults: list[str] = []
        failed: list[str] = []
        for partition, tables in _read(database, check.columns, dates):
            if found := [f"partition {partition}: {fault}" for fault in check.find_faults(tables)]:
                faults += found
                failed.append(partition)
        return dg.AssetCheckResult(
            passed=not faults,
            severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
            description=f"{len(faults)} found, the first in {faults[0]}" if faults else None,
            metadata={
                "partitions": len(keys),
                "faults": len(faults),
                **({"first_faults": dg.MetadataValue.json(faults[:SHOWN_FAULTS])} if faults else {}),
                **({FAILED_PARTITIONS: dg.MetadataValue.json(failed)} if failed else {}),
            },
        )

    return run_check


def _failure_check(
    check: FailureCheck, partitions_def: dg.TimeWindowPartitionsDefinition, limit: float
) -> dg.AssetChecksDefinition:
    key = dg.AssetKey(check.table.name)
    columns = {check.table: check.columns, check.failed: ["item_id", "error"]}

    @dg.asset_check(
        asset=key,
        name="failures_below_limit",
        description=f"In no partition did a model fail at more than KURA_FAILURE_LIMIT ({limit:.3g}) of the "
        f"items; those it failed at are in table {check.failed.name}.",
        blocking=True,
    )
    def run_check(context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        keys = _keys(context, key, partitions_def)
        dates = partition_dates(partitions_def, keys, database.partition_type)
        above: list[str] = []
        below: list[str] = []
        blocked: list[str] = []
        shares: dict[str, float] = {}
        errors: Counter[str] = Counter()
        for partition, tables in _read(database, columns, dates):
            failed = tables[check.failed.name]
            if not failed:
                continue
            items = max(len(failed), check.items(tables))
            shares[partition] = round(len(failed) / items, 4)
            errors.update(row.error for row in failed)
            said = f"{len(failed):,} of {items:,} {check.noun} ({len(failed) / items:.2g})"
            (above if len(failed) > limit * items else below).append(f"{partition}: {said}")
            if len(failed) > limit * items:
                blocked.append(partition)
        return dg.AssetCheckResult(
            passed=not shares,
            # A failed check that is no error blocks nothing: the day goes on without what failed.
            severity=dg.AssetCheckSeverity.ERROR if above else dg.AssetCheckSeverity.WARN,
            description=_advice(check, above or below, errors, limit, is_above=bool(above)) if shares else None,
            metadata={
                "partitions": len(keys),
                "failed": sum(errors.values()),
                "largest_share": max(shares.values(), default=0.0),
                **({"shares": dg.MetadataValue.json(shares)} if shares else {}),
                **({FAILED_PARTITIONS: dg.MetadataValue.json(blocked)} if blocked else {}),
                **(
                    {"commonest_errors": dg.MetadataValue.json(dict(errors.most_common(SHOWN_FAULTS)))}
                    if errors
                    else {}
                ),
            },
        )

    return run_check


def _advice(
    check: FailureCheck, partitions: Sequence[str], errors: Counter[str], limit: float, *, is_above: bool
) -> str:
    """Return what failed, why mostly, and what to do."""
    more = f" (and {len(partitions) - SHOWN_ERRORS} more)" if len(partitions) > SHOWN_ERRORS else ""
    what = "; ".join(partitions[:SHOWN_ERRORS]) + more
    why = " ".join(f"{count:,} times: {error}" for error, count in errors.most_common(SHOWN_ERRORS))
    against = f"more than KURA_FAILURE_LIMIT={limit:.3g}" if is_above else f"within KURA_FAILURE_LIMIT={limit:.3g}"
    remedy = "run these partitions again, which asks only for what failed"
    if is_above:
        remedy += ", or raise the limit to go on without it"
    return f"{what}; {against}. {why} They are in table {check.failed.name}; {remedy}."


def _keys(
    context: dg.AssetCheckExecutionContext, asset: dg.AssetKey, partitions_def: dg.TimeWindowPartitionsDefinition
) -> list[str]:
    if context.has_partition_key or context.has_partition_key_range:
        stored = stored_by_run(context.instance, context.run.run_id, asset, context.partition_keys)
        if not stored:
            raise nothing_left(f"Nothing is left to be checked: {asset.to_user_string()} was not made in this run.")
        return stored
    # Not the partitions that have rows: one that lost them all is the one to look at.
    materialised = context.instance.get_materialized_partitions(asset)
    return sorted(key for key in materialised if partitions_def.has_partition_key(key))


def _read(
    database: Database, columns: Mapping[Table, Sequence[str]], dates: Mapping[str, PartitionDate]
) -> Iterator[tuple[str, Columns]]:
    keys = list(dates)
    for start in range(0, len(keys), PARTITIONS_AT_ONCE):
        batch = keys[start : start + PARTITIONS_AT_ONCE]
        loaded = database.load_columns(columns, [dates[key] for key in batch])
        for key in batch:
            yield key, loaded[dates[key]]
