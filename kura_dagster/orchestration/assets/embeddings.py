"""The vector of each conversation."""

from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_embeddings
from kura_dagster.orchestration.assets.common import asset_of, one_row_an_item
from kura_dagster.orchestration.partition_loop import EachPartition, require_same_conversations
from kura_dagster.orchestration.resources import RunModels
from kura_dagster.pipeline.embeddings import embed_summaries
from kura_dagster.pipeline.providers import redaction_from
from kura_dagster.pipeline.types import FailedItem
from kura_dagster.storage.io_manager import PartitionRows
from kura_dagster.storage.tables import EMBEDDINGS, FAILED_EMBEDDINGS, FAILED_SUMMARIES


@asset_of(EMBEDDINGS, group="understanding", kinds={"duckdb", "python"})
def embeddings(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[RunModels],
    conversations: PartitionRows,
    summaries: PartitionRows,
) -> Any:
    """A row is the vector that stands for one conversation's meaning; the `model` column says what made it.

    Computed from `summaries` by the embedding model (`KURA_EMBEDDING_MODEL`), or from the transcript in
    `conversations` where the summary model is the local one: a single sentence carries too little. Ids and metadata
    are never embedded, and with `KURA_REDACTION=on` personal data is not either. A conversation in `failed_summaries`
    has no vector.

    A conversation whose text an embedding API refuses is set aside in the table `failed_embeddings` with its error and
    is in no cluster; the rest of the partition goes on without it.

    Re-running takes about half a minute for 1,000 long conversations with the local `minilm` on two cores. With an
    API it costs that model's price for a few hundred tokens a conversation whose vector is not kept yet.
    """

    def embed(key: str) -> dict[str, list[Any]]:
        redaction = redaction_from(models.settings)
        given = conversations[key]
        by_chat_id = {each.chat_id: each for each in (redaction.redact_all(given) if redaction else given)}
        rows = summaries[key]
        failed = {row.item_id for row in summaries.beside(FAILED_SUMMARIES, key)}
        require_same_conversations(key, by_chat_id.keys() - failed, [row.chat_id for row in rows], upstream="summaries")
        for row in rows:
            row.embedding_text = models.models.summary_model.embedding_text(by_chat_id[row.chat_id], row)
        failures: list[FailedItem] = []
        vectors = models.run(embed_summaries(rows, models.models.embedding_model, failures=failures))
        return {EMBEDDINGS.name: vectors, FAILED_EMBEDDINGS.name: one_row_an_item(failures)}

    return EachPartition(context, embed, describe_embeddings, models.meter_for(EMBEDDINGS))
