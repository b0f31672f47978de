"""From settings to the models that do the work, and their life together.

Adding a provider means a line here. The models themselves are in `embedded`, `language_model`, `clustering` and
`projections`; making one is cheap, because each loads its libraries, weights or client when it is first asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, get_type_hints

from kura_dagster.pipeline.base_classes import (
    BaseClusterDescriptionModel,
    BaseClusteringMethod,
    BaseDimensionalityReduction,
    BaseEmbeddingModel,
    BaseMetaClusterModel,
    BaseSummaryModel,
)
from kura_dagster.settings import EXTRACTIVE, MINILM, Clustering, Projection, Settings

if TYPE_CHECKING:
    from kura_dagster.pipeline.language_model.client import LanguageModel


LANGUAGE_MODEL_STAGES = {"summary_model", "cluster_description_model", "meta_cluster_model"}


class ModelOverrides(TypedDict, total=False):
    """A user's own models; each one given stands in for the one the settings would choose."""

    summary_model: BaseSummaryModel
    embedding_model: BaseEmbeddingModel
    clustering_method: BaseClusteringMethod
    cluster_description_model: BaseClusterDescriptionModel
    meta_cluster_model: BaseMetaClusterModel
    dimensionality_reduction: BaseDimensionalityReduction


@dataclass(frozen=True)
class Models:
    """The six models of a run."""

    summary_model: BaseSummaryModel
    embedding_model: BaseEmbeddingModel
    clustering_method: BaseClusteringMethod
    cluster_description_model: BaseClusterDescriptionModel
    meta_cluster_model: BaseMetaClusterModel
    dimensionality_reduction: BaseDimensionalityReduction


@asynccontextmanager
async def open_models(settings: Settings, overrides: ModelOverrides | None = None) -> AsyncIterator[Models]:
    """Make the models of a run, share one client among those that ask the same provider, and close all at the end.

    Raises:
        TypeError: an override has an unknown name or is not of the base class it stands for.
    """
    chosen: dict[str, Any] = dict(overrides or {})
    bases = get_type_hints(ModelOverrides)
    for name, model in chosen.items():
        if name not in bases:
            raise TypeError(f"{name!r} is no model of the pipeline; allowed are {', '.join(bases)}")
        if not isinstance(model, bases[name]):
            raise TypeError(f"{name} is a {type(model).__name__}; allowed is a subclass of {bases[name].__name__}")
    async with AsyncExitStack() as stack:
        if "embedding_model" not in chosen:
            chosen["embedding_model"] = embedding_model_from(settings)
        makers = _makers(settings, chosen["embedding_model"])
        if settings.language_model != EXTRACTIVE and not chosen.keys() >= LANGUAGE_MODEL_STAGES:
            from kura_dagster.pipeline.language_model.client import LanguageModel

            language_model = LanguageModel(
                settings.language_model, max_concurrent_requests=settings.max_concurrent_requests
            )
            await stack.enter_async_context(language_model)
            makers |= _language_model_makers(settings, language_model, chosen["embedding_model"])
        for name, make in makers.items():
            if name not in chosen:
                chosen[name] = make()
        for model in chosen.values():
            if hasattr(model, "__aenter__"):
                await stack.enter_async_context(model)
        yield Models(**chosen)


def embedding_model_from(settings: Settings) -> BaseEmbeddingModel:
    """Return the embedding model that `KURA_EMBEDDING_MODEL` names."""
    if settings.embedding_model == MINILM:
        from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel

        return MiniLMEmbeddingModel(cache_folder=settings.cache)
    from kura_dagster.pipeline.language_model import embedding_models

    provider, _, name = settings.embedding_model.partition("/")
    classes: dict[str, type[BaseEmbeddingModel]] = {
        "openai": embedding_models.OpenAIEmbeddingModel,
        "sentence-transformers": embedding_models.SentenceTransformerEmbeddingModel,
        "cohere": embedding_models.CohereEmbeddingModel,
    }
    return classes[provider](model_name=name)  # type: ignore[call-arg]


def clustering_method_from(settings: Settings) -> BaseClusteringMethod:
    """Return the clustering method that `KURA_CLUSTERING` names."""
    from kura_dagster.pipeline import clustering

    if settings.clustering is Clustering.HDBSCAN:
        return clustering.HDBSCANClusteringMethod()
    if settings.clustering is Clustering.MINIBATCH_KMEANS:
        return clustering.MiniBatchKmeansClusteringMethod(clusters_per_group=settings.clusters_per_group)
    return clustering.KmeansClusteringModel(clusters_per_group=settings.clusters_per_group)


def dimensionality_reduction_from(
    settings: Settings, embedding_model: BaseEmbeddingModel
) -> BaseDimensionalityReduction:
    """Return the projection that `KURA_PROJECTION` names."""
    from kura_dagster.pipeline import projections

    if settings.projection is Projection.PCA:
        return projections.PCAProjection(embedding_model)
    return projections.HDBUMAP(
        embedding_model,
        n_neighbors=settings.umap_n_neighbors,
        min_dist=settings.umap_min_dist,
        metric=settings.umap_metric,
    )


def _makers(settings: Settings, embedding_model: BaseEmbeddingModel) -> dict[str, Callable[[], Any]]:
    """How each model but the embedding model is made without a language model."""

    def summary_model() -> BaseSummaryModel:
        from kura_dagster.pipeline.embedded.extractive_summary import ExtractiveSummaryModel

        return ExtractiveSummaryModel()

    def cluster_description_model() -> BaseClusterDescriptionModel:
        from kura_dagster.pipeline.embedded.extractive_naming import ExtractiveClusterDescriptionModel

        return ExtractiveClusterDescriptionModel(embedding_model)

    def meta_cluster_model() -> BaseMetaClusterModel:
        from kura_dagster.pipeline.embedded.ward_hierarchy import WardMetaClusterModel

        return WardMetaClusterModel(max_clusters=settings.max_clusters, embedding_model=embedding_model)

    return {
        "summary_model": summary_model,
        "clustering_method": lambda: clustering_method_from(settings),
        "cluster_description_model": cluster_description_model,
        "meta_cluster_model": meta_cluster_model,
        "dimensionality_reduction": lambda: dimensionality_reduction_from(settings, embedding_model),
    }


def _language_model_makers(
    settings: Settings, language_model: LanguageModel, embedding_model: BaseEmbeddingModel
) -> dict[str, Callable[[], Any]]:
    """How the models of `LANGUAGE_MODEL_STAGES` are made, all on one client."""
    from kura_dagster.pipeline.clustering import KmeansClusteringModel
    from kura_dagster.pipeline.language_model.cluster_description_model import ClusterDescriptionModel
    from kura_dagster.pipeline.language_model.meta_cluster_model import MetaClusterModel
    from kura_dagster.pipeline.language_model.summary_model import SummaryModel

    return {
        "summary_model": lambda: SummaryModel(language_model),
        "cluster_description_model": lambda: ClusterDescriptionModel(language_model, temperature=settings.temperature),
        "meta_cluster_model": lambda: MetaClusterModel(
            model=language_model,
            embedding_model=embedding_model,
            clustering_model=KmeansClusteringModel(clusters_per_group=settings.meta_clusters_per_group),
            max_clusters=settings.max_clusters,
            temperature=settings.temperature,
        ),
    }
