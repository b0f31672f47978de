"""The place of each conversation on the day's map, and the map as a picture."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_conversation_projections
from kura_dagster.orchestration.assets.common import asset_of
from kura_dagster.orchestration.partition_loop import EachPartition, require_same_conversations
from kura_dagster.pipeline.conversation_projections import place_conversations
from kura_dagster.pipeline.hierarchy import get_leaf_clusters
from kura_dagster.pipeline.types import ProjectedCluster, ProjectedConversation
from kura_dagster.storage.io_manager import PartitionRows
from kura_dagster.storage.tables import CONVERSATION_PROJECTIONS


@asset_of(CONVERSATION_PROJECTIONS, group="clusters", kinds={"duckdb", "python"})
def conversation_projections(
    context: dg.AssetExecutionContext, embeddings: PartitionRows, projections: PartitionRows
) -> Any:
    """A row is one conversation with its base cluster and its place on the map, near that cluster's.

    Computed from `projections`, which has the places of the clusters, and from `embeddings`: within its cluster a
    conversation stands towards the clusters that it is also like, and the ones it differs from stand apart. What the
    clustering left out stands between the themes it is most like. The picture of the map is in the metadata.

    Re-running costs nothing, and less than a second with the picture; eight seconds for 100,000 conversations. The same
    clusters and embeddings give the same places.
    """
    clusters: list[ProjectedCluster] = []  # of the partition that was computed last

    def describe(rows: Sequence[ProjectedConversation]) -> dict[str, Any]:
        return describe_conversation_projections(clusters, rows)

    def place(key: str) -> list[ProjectedConversation]:
        clusters[:] = projections[key]
        vectors = embeddings[key]
        clustered = [chat_id for leaf in get_leaf_clusters(clusters) for chat_id in leaf.chat_ids]
        require_same_conversations(key, [row.chat_id for row in vectors], clustered, upstream="projections")
        return place_conversations(clusters, vectors)

    return EachPartition(context, place, describe)
