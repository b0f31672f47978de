"""Groups of conversations that ask for the same thing, each with a name."""

from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_base_clusters
from kura_dagster.orchestration.assets.common import asset_of, one_row_an_item
from kura_dagster.orchestration.partition_loop import EachPartition, require_same_conversations
from kura_dagster.orchestration.resources import RunModels
from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
from kura_dagster.pipeline.types import FailedItem
from kura_dagster.storage.io_manager import PartitionRows
from kura_dagster.storage.tables import BASE_CLUSTERS, FAILED_BASE_CLUSTERS, FAILED_EMBEDDINGS


@asset_of(BASE_CLUSTERS, group="clusters", kinds={"duckdb", "scikitlearn"})
def base_clusters(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[RunModels],
    summaries: PartitionRows,
    embeddings: PartitionRows,
) -> Any:
    """A row is one group of conversations that ask for the same thing, with a name a person can act on.

    Computed from `embeddings`, which the clustering method (`KURA_CLUSTERING`) groups, about
    `KURA_CLUSTERS_PER_GROUP` conversations to a cluster, and from `summaries`, from which each group is named. Groups
    that would get one name for one request are one row. The id follows from the members. Conversations that belong
    nowhere share one row marked `is_outlier`; those in
    `failed_embeddings` are in none.

    A cluster that a language model gave no name for is called "Unnamed cluster" and set aside in `failed_base_clusters`
    with its error.

    Re-running costs nothing with the local models, seconds for 1,000 conversations. With a language model it costs
    one call for each cluster whose answer is not kept yet: those whose members changed.
    """

    def cluster(key: str) -> dict[str, list[Any]]:
        vectors = {row.chat_id: row.embedding for row in embeddings[key]}
        failed = {row.item_id for row in embeddings.beside(FAILED_EMBEDDINGS, key)}
        rows = [row for row in summaries[key] if row.chat_id not in failed]
        require_same_conversations(key, [row.chat_id for row in rows], vectors, upstream="embeddings")
        for row in rows:
            row.embedding = vectors[row.chat_id]
        failures: list[FailedItem] = []
        clusters = models.run(
            generate_base_clusters_from_conversation_summaries(
                rows,
                embedding_model=models.models.embedding_model,
                clustering_method=models.models.clustering_method,
                clustering_model=models.models.cluster_description_model,
                max_contrastive_examples=models.settings.max_contrastive_examples,
                prompt=models.questions.cluster_prompt,
                failures=failures,
            )
        )
        return {BASE_CLUSTERS.name: clusters, FAILED_BASE_CLUSTERS.name: one_row_an_item(failures)}

    return EachPartition(context, cluster, describe_base_clusters, models.meter_for(BASE_CLUSTERS))
