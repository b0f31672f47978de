"""From settings to the models that do the work, and their life together.

Adding a provider means a line here. The models themselves are in `embedded`, `language_model`, `clustering` and
`projections`; making one is cheap, because each loads its libraries, weights or client when it is first asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, get_type_hints

from kura_dagster.pipeline.base_classes import (
    BaseClusterDescriptionModel,
    BaseClusteringMethod,
    BaseDimensionalityReduction,
    BaseEmbeddingModel,
    BaseMetaClusterModel,
    BaseSummaryModel,
    CacheStrategy,
)
from kura_dagster.settings import EXTRACTIVE, MINILM, Clustering, Projection, Settings

if TYPE_CHECKING:
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
    from kura_dagster.pipeline.language_model.client import LanguageModel
    from kura_dagster.pipeline.language_model.ledger import Ledger
    from kura_dagster.pipeline.language_model.summary_model import Extractor
    from kura_dagster.pipeline.privacy.redaction import Redaction


EMBEDDING_APIS = ("openai/", "cohere/")
"""How the names of embedding models begin that are asked over a network, and paid for."""

ANSWERS_FOLDER = "answers"
"""Of the folder that `KURA_CACHE` names: where what models answered is kept."""


_ASSETS = {
    "summary_model": "summaries",
    "cluster_description_model": "base_clusters",
    "meta_cluster_model": "meta_clusters",
}


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
    """The six models of a run, the language models behind them, and the ledger that all of them share."""

    summary_model: BaseSummaryModel
    embedding_model: BaseEmbeddingModel
    clustering_method: BaseClusteringMethod
    cluster_description_model: BaseClusterDescriptionModel
    meta_cluster_model: BaseMetaClusterModel
    dimensionality_reduction: BaseDimensionalityReduction
    ledger: Ledger
    language_models: tuple[LanguageModel, ...]


@asynccontextmanager
async def open_models(
    settings: Settings,
    overrides: ModelOverrides | None = None,
    *,
    extractors: Sequence[Extractor] = (),
    clients: Mapping[str, Any] | None = None,
    concurrent_requests: Mapping[str, int] | None = None,
    cache: CacheStrategy | None = None,
    ledger: Ledger | None = None,
) -> AsyncIterator[Models]:
    """Make the models of a run, share one client among those that ask the same model, and close all at the end.

    Args:
        settings: choose what is not overridden.
        overrides: models of the user's own.
        extractors: for the language model's `SummaryModel`, as `clients` and `concurrent_requests` are.
        clients: by the names that extractors know them under; a provider string is opened for the run.
        concurrent_requests: limits by client.
        cache: keeps what models answer; None means files in the folder that `KURA_CACHE` names.
        ledger: counts and limits; None means a new one with the settings' limits and prices.

    Raises:
        TypeError: an override has an unknown name or is not of the base class it stands for.
        ValueError: there are extractors, and no language model writes the summaries.
        LanguageModelError: a language model can't be opened, or there is a limit of cost and one has no known price.
    """
    chosen: dict[str, Any] = dict(overrides or {})
    bases = get_type_hints(ModelOverrides)
    for name, model in chosen.items():
        if name not in bases:
            raise TypeError(f"{name!r} is no model of the pipeline; allowed are {', '.join(bases)}")
        if not isinstance(model, bases[name]):
            raise TypeError(f"{name} is a {type(model).__name__}; allowed is a subclass of {bases[name].__name__}")
    if ledger is None:
        from kura_dagster.pipeline.language_model.ledger import Ledger
        from kura_dagster.pipeline.prices import Prices

        ledger = Ledger(settings.max_calls, settings.max_cost_usd, Prices(settings.prices))
    async with AsyncExitStack() as stack:
        asked = {stage: model for stage, model in stage_models(settings).items() if stage not in chosen}
        clients = dict(clients or {}) if extractors else {}
        at_once: dict[str, int] = {model: settings.max_concurrent_requests for model in asked.values() if model}
        for name, client in clients.items():
            if isinstance(client, str):
                own_limit = (concurrent_requests or {}).get(name, settings.max_concurrent_requests)
                at_once[client] = max(own_limit, at_once.get(client, 0))
        embeds_by_api = "embedding_model" not in chosen and settings.embedding_model.startswith(EMBEDDING_APIS)
        # Before anything is paid, and not when the first question of the last stage is asked.
        for model in sorted({*at_once, *([settings.embedding_model] if embeds_by_api else [])}):
            ledger.require_price(model)
        if cache is None and (any(asked.values()) or settings.embedding_model != MINILM):
            cache = stack.enter_context(closing(answers_in_files(settings)))
        if "embedding_model" not in chosen:
            chosen["embedding_model"] = embedding_model_from(settings, cache, ledger)
        makers = _makers(settings, chosen["embedding_model"])
        opened = {
            model: await stack.enter_async_context(_language_model(settings, model, at_once[model], cache, ledger))
            for model in sorted(at_once)
        }
        for stage, model in asked.items():
            if model is not None:
                own_maker = partial(_LANGUAGE_MODEL_MAKERS[stage], settings, opened[model], chosen["embedding_model"])
                makers[stage] = own_maker
        if extractors:
            writer = asked.get("summary_model")
            if writer is None:
                raise ValueError(
                    "extractors need a language model that writes the summaries; set KURA_LANGUAGE_MODEL, or give your "
                    "own summary model the extractors"
                )
            makers["summary_model"] = partial(
                _summary_model,
                settings,
                opened[writer],
                chosen["embedding_model"],
                extractors=extractors,
                # Opened once for the run: what one learns of its provider's pace holds for the next partition.
                clients={name: opened[each] if isinstance(each, str) else each for name, each in clients.items()},
                concurrent_requests=concurrent_requests,
            )
        for name, make in makers.items():
            if name not in chosen:
                chosen[name] = make()
        for model in chosen.values():
            if hasattr(model, "__aenter__"):
                await stack.enter_async_context(model)
        yield Models(**chosen, ledger=ledger, language_models=tuple(opened.values()))


def stage_models(settings: Settings) -> dict[str, str | None]:
    """Return the language model of each stage that can have one, by the name of its model; None for the local one."""
    models = {stage: settings.language_model_for(asset) for stage, asset in _ASSETS.items()}
    return {stage: None if model == EXTRACTIVE else model for stage, model in models.items()}


def _language_model(
    settings: Settings, model: str, at_once: int, cache: CacheStrategy | None, ledger: Ledger
) -> LanguageModel:
    from kura_dagster.pipeline.language_model.client import LanguageModel

    return LanguageModel(
        model,
        max_concurrent_requests=at_once,
        timeout=settings.request_timeout,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        cache=cache,
        ledger=ledger,
    )


def answers_in_files(settings: Settings) -> DiskCacheStrategy:
    """Return what keeps answers in the folder that `KURA_CACHE` names, which is made with the first one."""
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy

    return DiskCacheStrategy(settings.cache / ANSWERS_FOLDER, settings.cache_size_limit)


def embedding_model_from(
    settings: Settings, cache: CacheStrategy | None = None, ledger: Ledger | None = None
) -> BaseEmbeddingModel:
    """Return the embedding model that `KURA_EMBEDDING_MODEL` names; an API's keeps its vectors in `cache`."""
    if settings.embedding_model == MINILM:
        from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel

        return MiniLMEmbeddingModel(cache_folder=settings.cache)
    from kura_dagster.pipeline.language_model import embedding_models

    provider, _, name = settings.embedding_model.partition("/")
    if provider == "sentence-transformers":
        return embedding_models.SentenceTransformerEmbeddingModel(model_name=name)
    shared: dict[str, Any] = {
        "cache": cache,
        "ledger": ledger,
        "timeout": settings.request_timeout,
        "requests_per_minute": settings.requests_per_minute,
        "tokens_per_minute": settings.tokens_per_minute,
    }
    if provider == "cohere":
        return embedding_models.CohereEmbeddingModel(model_name=name, **shared)
    return embedding_models.OpenAIEmbeddingModel(
        model_name=name, n_concurrent_jobs=settings.max_concurrent_requests, **shared
    )


def clustering_method_from(settings: Settings) -> BaseClusteringMethod:
    """Return the clustering method that `KURA_CLUSTERING` names."""
    from kura_dagster.pipeline import clustering

    if settings.clustering is Clustering.HDBSCAN:
        return clustering.HDBSCANClusteringMethod()
    if settings.clustering is Clustering.AGGLOMERATIVE:
        return clustering.AgglomerativeClusteringMethod()
    if settings.clustering is Clustering.MINIBATCH_KMEANS:
        return clustering.MiniBatchKmeansClusteringMethod(clusters_per_group=settings.clusters_per_group)
    return clustering.KmeansClusteringModel(clusters_per_group=settings.clusters_per_group)


def redaction_from(settings: Settings) -> Redaction | None:
    """Return what takes personal data out of conversations, None where `KURA_REDACTION` is off."""
    if settings.redaction == "off":
        return None
    from kura_dagster.pipeline.privacy.redaction import Redaction

    return Redaction()


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


def _summary_model(
    settings: Settings, language_model: LanguageModel, _: BaseEmbeddingModel, **extracting: Any
) -> BaseSummaryModel:
    from kura_dagster.pipeline.language_model.summary_model import SummaryModel

    return SummaryModel(language_model, **extracting)


def _cluster_description_model(
    settings: Settings, language_model: LanguageModel, embedding_model: BaseEmbeddingModel
) -> BaseClusterDescriptionModel:
    from kura_dagster.pipeline.language_model.cluster_description_model import ClusterDescriptionModel

    return ClusterDescriptionModel(language_model, temperature=settings.temperature, embedding_model=embedding_model)


def _meta_cluster_model(
    settings: Settings, language_model: LanguageModel, embedding_model: BaseEmbeddingModel
) -> BaseMetaClusterModel:
    from kura_dagster.pipeline.clustering import KmeansClusteringModel
    from kura_dagster.pipeline.language_model.meta_cluster_model import MetaClusterModel

    return MetaClusterModel(
        model=language_model,
        embedding_model=embedding_model,
        clustering_model=KmeansClusteringModel(clusters_per_group=settings.meta_clusters_per_group),
        max_clusters=settings.max_clusters,
        temperature=settings.temperature,
    )


_LANGUAGE_MODEL_MAKERS: dict[str, Callable[..., Any]] = {
    "summary_model": _summary_model,
    "cluster_description_model": _cluster_description_model,
    "meta_cluster_model": _meta_cluster_model,
}
