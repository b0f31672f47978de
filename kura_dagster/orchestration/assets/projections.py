"""The day's map."""

from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_projections
from kura_dagster.orchestration.assets.common import asset_of
from kura_dagster.orchestration.partition_loop import EachPartition
from kura_dagster.orchestration.resources import RunModels
from kura_dagster.pipeline.projections import reduce_dimensionality_from_clusters
from kura_dagster.storage.io_manager import PartitionRows
from kura_dagster.storage.tables import PROJECTIONS


@asset_of(PROJECTIONS, group="clusters", kinds={"duckdb", "python"})
def projections(
    context: dg.AssetExecutionContext, models: dg.ResourceParam[RunModels], meta_clusters: PartitionRows
) -> Any:
    """A row is one cluster of the hierarchy with its place on a two-dimensional map and its level, 0 for a root.

    Computed from `meta_clusters` by the projection (`KURA_PROJECTION`): clusters that stand near each other on the
    map ask for similar things. The axes have no meaning of their own.

    Re-running costs nothing, and a few seconds once a process to load and compile UMAP. The same clusters give the
    same map.
    """
    return EachPartition(
        context,
        lambda key: models.run(
            reduce_dimensionality_from_clusters(meta_clusters[key], model=models.models.dimensionality_reduction)
        ),
        describe_projections,
    )
