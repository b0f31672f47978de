"""What a run asks of language models: the user's own schema, prompts and extractors, and which asset asks which model.

Nothing here opens a model or asks one; what is said to them is in `pipeline.language_model.prompts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kura_dagster.pipeline.providers import ModelOverrides
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import EXTRACTIVE, STAGE_MODELS, Settings
from kura_dagster.storage.tables import BASE_CLUSTERS, EMBEDDINGS, META_CLUSTERS, SUMMARIES

LANGUAGE_MODEL_POOL = "language_model"
"""Runs with an asset in this pool are started one after the other (dagster.yaml): each would ask at its full pace."""

STAGES = {
    SUMMARIES.name: "summary_model",
    EMBEDDINGS.name: "embedding_model",
    BASE_CLUSTERS.name: "cluster_description_model",
    META_CLUSTERS.name: "meta_cluster_model",
}
"""Which of a user's own models takes over an asset's questions, by the name it has in `ModelOverrides`."""

_EMBEDDING_APIS = ("openai", "cohere")


@dataclass(frozen=True)
class Questions:
    """What a language model is asked. A prompt that is None means the model's own."""

    response_schema: type[GeneratedSummary] = GeneratedSummary
    summary_prompt: str | None = None
    cluster_prompt: str | None = None
    extractors: Sequence[Any] = ()
    clients: Mapping[str, Any] | None = None
    concurrent_requests: Mapping[str, int] | None = None


def asked_models(settings: Settings, overrides: ModelOverrides) -> dict[str, str]:
    """Return the provider's model that each asset asks, by the asset's name; those that ask none are left out.

    What a user's own model asks is not known here.
    """
    asked = {asset: settings.language_model_for(asset) for asset in STAGE_MODELS}
    if settings.embedding_model.partition("/")[0] in _EMBEDDING_APIS:
        asked[EMBEDDINGS.name] = settings.embedding_model
    return {asset: model for asset, model in asked.items() if model != EXTRACTIVE and STAGES[asset] not in overrides}
