"""The pipeline as a library: conversations to summaries, base clusters, a hierarchy and a map. It knows no Dagster.

Names are imported when they are first used, so that importing the package loads none of the models' libraries. The four
stages with the embedded models, which need no key:

    import asyncio
    from pathlib import Path

    from kura_dagster.pipeline import (
        HDBUMAP,
        Conversation,
        ExtractiveSummaryModel,
        JSONLCheckpointManager,
        WardMetaClusterModel,
        generate_base_clusters_from_conversation_summaries,
        reduce_clusters_from_base_clusters,
        reduce_dimensionality_from_clusters,
        summarise_conversations,
        visualise_pipeline_results,
    )

    async def analyse(conversations: list[Conversation], folder: Path):
        kept = JSONLCheckpointManager(folder)
        summaries = await summarise_conversations(
            conversations, model=ExtractiveSummaryModel(), checkpoint_manager=kept
        )
        clusters = await generate_base_clusters_from_conversation_summaries(summaries, checkpoint_manager=kept)
        hierarchy = await reduce_clusters_from_base_clusters(
            clusters, model=WardMetaClusterModel(max_clusters=10), checkpoint_manager=kept
        )
        return await reduce_dimensionality_from_clusters(hierarchy, model=HDBUMAP(), checkpoint_manager=kept)

    projected = asyncio.run(analyse(conversations, Path("checkpoints")))
    visualise_pipeline_results(projected, style="enhanced")

With a language model, `SummaryModel`, `ClusterDescriptionModel` and `MetaClusterModel` take the place of the embedded
ones; any of them may be a subclass of the abstract bases of one's own.
"""

# ruff: noqa: F401 - the imports below tell type checkers what __getattr__ returns; a test compares the two lists
from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kura_dagster.pipeline.base_classes import (
        BaseCheckpointManager,
        BaseClusterDescriptionModel,
        BaseClusteringMethod,
        BaseConversationSource,
        BaseDimensionalityReduction,
        BaseEmbeddingModel,
        BaseMetaClusterModel,
        BaseSummaryModel,
        CacheStrategy,
    )
    from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
    from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager, write_conversations
    from kura_dagster.pipeline.clustering import (
        AgglomerativeClusteringMethod,
        HDBSCANClusteringMethod,
        KmeansClusteringModel,
        MiniBatchKmeansClusteringMethod,
    )
    from kura_dagster.pipeline.conversation_projections import place_conversations
    from kura_dagster.pipeline.conversations import LandedConversations, RejectedConversation, read_conversations
    from kura_dagster.pipeline.embedded.extractive_naming import ExtractiveClusterDescriptionModel
    from kura_dagster.pipeline.embedded.extractive_summary import ExtractiveSummaryModel
    from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
    from kura_dagster.pipeline.embedded.ward_hierarchy import WardMetaClusterModel
    from kura_dagster.pipeline.embeddings import embed_summaries
    from kura_dagster.pipeline.failures import (
        BudgetError,
        LanguageModelError,
        SetupError,
        SomeFailed,
        SomeTextsFailed,
        StopAsking,
    )
    from kura_dagster.pipeline.hierarchy import (
        check_tree,
        get_all_conversations,
        get_children,
        get_depth,
        get_leaf_clusters,
        get_levels,
        get_root_clusters,
        get_root_of,
    )
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy, RedisCacheStrategy
    from kura_dagster.pipeline.language_model.client import LanguageModel
    from kura_dagster.pipeline.language_model.cluster_description_model import ClusterDescriptionModel
    from kura_dagster.pipeline.language_model.embedding_models import (
        CohereEmbeddingModel,
        OpenAIEmbeddingModel,
        SentenceTransformerEmbeddingModel,
    )
    from kura_dagster.pipeline.language_model.ledger import Ledger, Spent
    from kura_dagster.pipeline.language_model.meta_cluster_model import MetaClusterModel
    from kura_dagster.pipeline.language_model.summary_model import ExtractorError, SummaryModel
    from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
    from kura_dagster.pipeline.prices import Price, Prices
    from kura_dagster.pipeline.privacy.redaction import Redaction
    from kura_dagster.pipeline.projections import HDBUMAP, PCAProjection, reduce_dimensionality_from_clusters
    from kura_dagster.pipeline.summaries import summarise_conversations
    from kura_dagster.pipeline.tree import (
        render_markdown,
        render_tree,
        render_tree_enhanced,
        visualise_clusters,
        visualise_clusters_enhanced,
        visualise_clusters_rich,
        visualise_pipeline_results,
    )
    from kura_dagster.pipeline.types import (
        Cluster,
        Conversation,
        ConversationEmbedding,
        ConversationSummary,
        ExtractedProperty,
        FailedItem,
        GeneratedCluster,
        GeneratedSummary,
        Message,
        ProjectedCluster,
        ProjectedConversation,
    )

_NAMES = {
    "types": (
        "Cluster",
        "Conversation",
        "ConversationEmbedding",
        "ConversationSummary",
        "ExtractedProperty",
        "FailedItem",
        "GeneratedCluster",
        "GeneratedSummary",
        "Message",
        "ProjectedCluster",
        "ProjectedConversation",
    ),
    "base_classes": (
        "BaseCheckpointManager",
        "BaseClusterDescriptionModel",
        "BaseClusteringMethod",
        "BaseConversationSource",
        "BaseDimensionalityReduction",
        "BaseEmbeddingModel",
        "BaseMetaClusterModel",
        "BaseSummaryModel",
        "CacheStrategy",
    ),
    "conversations": (
        "LandedConversations",
        "RejectedConversation",
        "read_conversations",
    ),
    "privacy.redaction": ("Redaction",),
    "summaries": ("summarise_conversations",),
    "embeddings": ("embed_summaries",),
    "base_clusters": ("generate_base_clusters_from_conversation_summaries",),
    "meta_clusters": ("reduce_clusters_from_base_clusters",),
    "projections": (
        "HDBUMAP",
        "PCAProjection",
        "reduce_dimensionality_from_clusters",
    ),
    "conversation_projections": ("place_conversations",),
    "clustering": (
        "AgglomerativeClusteringMethod",
        "HDBSCANClusteringMethod",
        "KmeansClusteringModel",
        "MiniBatchKmeansClusteringMethod",
    ),
    "embedded.minilm": ("MiniLMEmbeddingModel",),
    "embedded.extractive_summary": ("ExtractiveSummaryModel",),
    "embedded.extractive_naming": ("ExtractiveClusterDescriptionModel",),
    "embedded.ward_hierarchy": ("WardMetaClusterModel",),
    "language_model.client": ("LanguageModel",),
    "language_model.summary_model": ("ExtractorError", "SummaryModel"),
    "language_model.answer_cache": ("DiskCacheStrategy", "RedisCacheStrategy"),
    "failures": (
        "BudgetError",
        "LanguageModelError",
        "SetupError",
        "SomeFailed",
        "SomeTextsFailed",
        "StopAsking",
    ),
    "language_model.ledger": ("Ledger", "Spent"),
    "prices": ("Price", "Prices"),
    "language_model.cluster_description_model": ("ClusterDescriptionModel",),
    "language_model.meta_cluster_model": ("MetaClusterModel",),
    "language_model.embedding_models": (
        "CohereEmbeddingModel",
        "OpenAIEmbeddingModel",
        "SentenceTransformerEmbeddingModel",
    ),
    "hierarchy": (
        "check_tree",
        "get_all_conversations",
        "get_children",
        "get_depth",
        "get_leaf_clusters",
        "get_levels",
        "get_root_clusters",
        "get_root_of",
    ),
    "tree": (
        "render_markdown",
        "render_tree",
        "render_tree_enhanced",
        "visualise_clusters",
        "visualise_clusters_enhanced",
        "visualise_clusters_rich",
        "visualise_pipeline_results",
    ),
    "checkpoints": (
        "JSONLCheckpointManager",
        "write_conversations",
    ),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
