"""Check of `base_clusters` that the clusters say something by their sizes: no giant, not all crumbs, few left out."""

from __future__ import annotations

from typing import Any

from kura_dagster.orchestration.checks.check import Check, Columns, Found, PartitionCheck, first_of
from kura_dagster.settings import Settings
from kura_dagster.storage.tables import BASE_CLUSTERS

LEAST_CONVERSATIONS = 50
"""Of fewer, clusters are what chance made them."""


def cluster_size_check(settings: Settings) -> Check:
    """Return the check."""
    largest_limit = settings.check_largest_cluster_share
    single_limit = settings.check_single_member_share
    unclustered_limit = settings.check_unclustered_share

    def find(tables: Columns) -> Found:
        rows = tables[BASE_CLUSTERS.name]
        themes = [row for row in rows if not row.is_outlier]
        total = sum(row.count for row in rows)
        if total < LEAST_CONVERSATIONS:
            return Found(not_judged=f"fewer than {LEAST_CONVERSATIONS} conversations have a vector")
        largest = max(themes, key=lambda row: row.count, default=None)
        largest_share = largest.count / total if largest else 0.0
        single = [row for row in themes if row.count == 1]
        single_share = len(single) / len(themes) if themes else 0.0
        left_out = [row for row in rows if row.is_outlier]
        unclustered_share = sum(row.count for row in left_out) / total
        faults = []
        if largest and largest_share > largest_limit:
            faults.append(
                f"{_named(largest)} holds {largest.count:,} of {total:,} conversations ({largest_share:.2g}, more than "
                f"KURA_CHECK_LARGEST_CLUSTER_SHARE={largest_limit:g})"
            )
        if single_share > single_limit:
            faults.append(
                f"{len(single):,} of {len(themes):,} clusters have one member ({single_share:.2g}, more than "
                f"KURA_CHECK_SINGLE_MEMBER_SHARE={single_limit:g}): {first_of([_named(row) for row in single])}"
            )
        if unclustered_share > unclustered_limit:
            faults.append(
                f"{first_of([_named(row) for row in left_out])} holds {unclustered_share:.2g} of {total:,} "
                f"conversations, which are in no cluster, more than KURA_CHECK_UNCLUSTERED_SHARE={unclustered_limit:g}"
            )
        figures = {
            "largest_share": round(largest_share, 4),
            "single_member_share": round(single_share, 4),
            "unclustered_share": round(unclustered_share, 4),
        }
        return Found(faults, figures)

    return PartitionCheck(
        table=BASE_CLUSTERS,
        name="cluster_sizes_are_useful",
        description=f"In partitions of {LEAST_CONVERSATIONS} conversations and more, no cluster holds more than "
        f"KURA_CHECK_LARGEST_CLUSTER_SHARE ({largest_limit:g}) of them, of the clusters no more than "
        f"KURA_CHECK_SINGLE_MEMBER_SHARE ({single_limit:g}) have one member, and no more than "
        f"KURA_CHECK_UNCLUSTERED_SHARE ({unclustered_limit:g}) of the conversations are in no cluster.",
        columns={BASE_CLUSTERS: ["cluster_id", "name", "count", "is_outlier"]},
        blocking=False,
        find=find,
        remedy="Look at the partition's tree and at some of these conversations; KURA_CLUSTERING and "
        "KURA_CLUSTERS_PER_GROUP decide how they are grouped.",
    )


def _named(cluster: Any) -> str:
    return f'cluster {cluster.cluster_id} ("{cluster.name}")'
