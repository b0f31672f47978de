"""The seven assets, one module each, in the order in which data passes through them."""

from kura_dagster.orchestration.assets.base_clusters import base_clusters
from kura_dagster.orchestration.assets.conversation_projections import conversation_projections
from kura_dagster.orchestration.assets.conversations import conversations
from kura_dagster.orchestration.assets.embeddings import embeddings
from kura_dagster.orchestration.assets.meta_clusters import meta_clusters
from kura_dagster.orchestration.assets.projections import projections
from kura_dagster.orchestration.assets.summaries import summaries

ASSETS = [conversations, summaries, embeddings, base_clusters, meta_clusters, projections, conversation_projections]
