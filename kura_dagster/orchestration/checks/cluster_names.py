"""Checks that clusters' names tell them apart: none is blank, stands for a missing one, or could be taken for another.

That a parent is no more than its only child is the tree's business, and what a name says the naming models'.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kura_dagster.orchestration.checks.check import Columns, Found, PartitionCheck
from kura_dagster.pipeline.base_clusters import NAMELESS
from kura_dagster.pipeline.cluster_names import near_duplicates
from kura_dagster.storage.tables import BASE_CLUSTERS, META_CLUSTERS, Table

_NUMBER = re.compile(r" \(\d+\)$")
"""What a name has behind it where another cluster was called the same: it tells them apart, but says nothing."""


def _base_clusters(tables: Columns) -> Iterator[str]:
    rows = [row for row in tables[BASE_CLUSTERS.name] if not row.is_outlier]
    yield from _indistinct(rows, rows)


def _parents(tables: Columns) -> Iterator[str]:
    """Tell of the clusters that have others below them; the base clusters have a check of their own."""
    rows = tables[META_CLUSTERS.name]
    parent_ids = {row.parent_id for row in rows}
    parents = [row for row in rows if row.cluster_id in parent_ids]
    yield from _indistinct(parents, [*(row for row in rows if row.cluster_id not in parent_ids), *parents])


def _indistinct(judged: Sequence[Any], in_order: Sequence[Any]) -> Iterator[str]:
    """Tell of each judged cluster that has no name of its own, or one that could be taken for an earlier one's."""
    judged_ids = {row.cluster_id for row in judged}
    names = [_NUMBER.sub("", row.name) for row in in_order]
    for row, name, at in zip(in_order, names, near_duplicates(names), strict=True):
        if row.cluster_id not in judged_ids:
            continue
        if not name.strip():
            yield f"cluster {row.cluster_id} has no name"
        elif name == NAMELESS:
            yield f'cluster {row.cluster_id} is called "{row.name}", because it was given no name'
        elif at is not None:
            other = in_order[at]
            yield f'cluster {row.cluster_id} ("{row.name}") could be taken for {other.cluster_id} ("{other.name}")'


def _check(
    table: Table, what: str, columns: Sequence[str], find_faults: Callable[[Columns], Iterator[str]]
) -> PartitionCheck:
    def find(tables: Columns) -> Found:
        faults = list(find_faults(tables))
        return Found(faults, {"indistinct_names": len(faults)})

    return PartitionCheck(
        table=table,
        name="names_tell_clusters_apart",
        description=f'{what} has a blank name, is called "{NAMELESS}", or has a name that is the one of another but '
        "for case, a few letters or a number behind it.",
        columns={table: columns},
        blocking=False,
        find=find,
        remedy="Where names are missing, run these partitions again, which asks only for those. Where names are "
        "alike, look at both clusters: they may be one theme, of which larger clusters (KURA_CLUSTERS_PER_GROUP) "
        "make one.",
    )


CLUSTER_NAME_CHECKS = (
    _check(BASE_CLUSTERS, "No base cluster", ["cluster_id", "name", "is_outlier"], _base_clusters),
    _check(META_CLUSTERS, "No cluster that has others below it", ["cluster_id", "name", "parent_id"], _parents),
)
