"""The hierarchy over the day's clusters."""

from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_meta_clusters
from kura_dagster.orchestration.assets.common import asset_of, one_row_an_item
from kura_dagster.orchestration.partition_loop import EachPartition
from kura_dagster.orchestration.resources import RunModels
from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
from kura_dagster.pipeline.types import FailedItem
from kura_dagster.storage.io_manager import PartitionRows
from kura_dagster.storage.tables import FAILED_META_CLUSTERS, META_CLUSTERS


@asset_of(META_CLUSTERS, group="clusters", kinds={"duckdb", "scikitlearn"})
def meta_clusters(
    context: dg.AssetExecutionContext, models: dg.ResourceParam[RunModels], base_clusters: PartitionRows
) -> Any:
    """A row is one cluster of the hierarchy: every base cluster, and every broader theme above it.

    Computed from `base_clusters`, merged round by round until at most `KURA_MAX_CLUSTERS` themes have no parent.
    Each parent has at least two children and holds exactly their conversations.

    A cluster that a language model could not place or name is placed or named without it, and set aside in
    `failed_meta_clusters` with the error.

    Re-running costs nothing with the local models. With a language model it costs about one call a base cluster and
    two a theme, as far as their answers are not kept yet.
    """

    def merge(key: str) -> dict[str, list[Any]]:
        failures: list[FailedItem] = []
        clusters = models.run(
            reduce_clusters_from_base_clusters(
                base_clusters[key], model=models.models.meta_cluster_model, failures=failures
            )
        )
        return {META_CLUSTERS.name: clusters, FAILED_META_CLUSTERS.name: one_row_an_item(failures)}

    return EachPartition(context, merge, describe_meta_clusters, models.meter_for(META_CLUSTERS))
