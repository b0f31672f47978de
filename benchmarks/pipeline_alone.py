"""The pipeline without Dagster, database, checks or pictures: the functions that the assets call, over some days.

Run by `many_days` with the days' keys; the settings say where the conversations are. Nothing is stored.
"""

import asyncio
import sys
from datetime import date, datetime, time, timedelta

from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
from kura_dagster.pipeline.conversation_projections import place_conversations
from kura_dagster.pipeline.conversations import read_conversations
from kura_dagster.pipeline.embeddings import embed_summaries
from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
from kura_dagster.pipeline.projections import reduce_dimensionality_from_clusters
from kura_dagster.pipeline.providers import open_models
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.settings import Settings


async def analyse(keys: list[str]) -> None:
    """Take the days all the way to the map, one after the other."""
    settings = Settings.load()
    async with open_models(settings) as models:
        for key in keys:
            begin = datetime.combine(date.fromisoformat(key), time(), settings.tzinfo)
            landed = read_conversations(settings.conversations, begin, begin + timedelta(days=1), settings.tzinfo)
            by_chat_id = {each.chat_id: each for each in landed.conversations}
            rows = await summarise_conversations(landed.conversations, model=models.summary_model)
            for row in rows:
                row.embedding_text = models.summary_model.embedding_text(by_chat_id[row.chat_id], row)
            vectors = await embed_summaries(rows, models.embedding_model)
            for row, vector in zip(rows, vectors, strict=True):
                row.embedding = vector.embedding
            clusters = await generate_base_clusters_from_conversation_summaries(
                rows,
                embedding_model=models.embedding_model,
                clustering_method=models.clustering_method,
                clustering_model=models.cluster_description_model,
                max_contrastive_examples=settings.max_contrastive_examples,
            )
            hierarchy = await reduce_clusters_from_base_clusters(clusters, model=models.meta_cluster_model)
            places = await reduce_dimensionality_from_clusters(hierarchy, model=models.dimensionality_reduction)
            place_conversations(places, vectors)


if __name__ == "__main__":
    asyncio.run(analyse(sys.argv[1:]))
