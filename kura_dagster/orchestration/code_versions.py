"""Which code each asset's rows come from, as one short text: where it changes, the UI shows them as out of date.

It follows the method, the models, their prompts and schemas, and the settings that shape the rows. `conversations` has
none: its input is outside, and Dagster would take rows of the same code for the same rows.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from typing import Any

from kura_dagster.orchestration.questions import STAGES, Questions, asked_models
from kura_dagster.pipeline.language_model.prompts import prompt_fingerprint
from kura_dagster.pipeline.providers import ModelOverrides
from kura_dagster.settings import EXTRACTIVE, Settings
from kura_dagster.storage.tables import BASE_CLUSTERS, EMBEDDINGS, META_CLUSTERS, PROJECTIONS, SUMMARIES

METHODS = {
    SUMMARIES.name: 2,
    EMBEDDINGS.name: 1,
    BASE_CLUSTERS.name: 2,
    META_CLUSTERS.name: 1,
    PROJECTIONS.name: 1,
}
"""Raised by one whenever our own code makes other rows of the same input. Prompts need no raise: they are compared."""

_SHAPING_SETTINGS = {
    SUMMARIES.name: ("redaction",),
    EMBEDDINGS.name: ("embedding_model", "redaction"),
    BASE_CLUSTERS.name: ("clustering", "clusters_per_group"),
    META_CLUSTERS.name: ("max_clusters",),
    PROJECTIONS.name: ("projection", "umap_n_neighbors", "umap_min_dist", "umap_metric"),
}
_SHAPING_QUESTIONS = {
    SUMMARIES.name: ("temperature",),
    EMBEDDINGS.name: (),
    BASE_CLUSTERS.name: ("temperature", "max_contrastive_examples"),
    META_CLUSTERS.name: ("temperature", "meta_clusters_per_group"),
}
_OWN_MODELS: dict[str, tuple[str, ...]] = {
    **{asset: (model,) for asset, model in STAGES.items()},
    BASE_CLUSTERS.name: (STAGES[BASE_CLUSTERS.name], "clustering_method"),
    PROJECTIONS.name: ("dimensionality_reduction",),
}


def code_versions(settings: Settings, overrides: ModelOverrides, questions: Questions) -> dict[str, str]:
    """Return the code version of each asset but `conversations`, by its name: who makes it and a hash of what counts.

    A user's own models and extractors count by their source code.
    """
    asked = asked_models(settings, overrides)
    prompts = {SUMMARIES.name: questions.summary_prompt, BASE_CLUSTERS.name: questions.cluster_prompt}
    local = {
        EMBEDDINGS.name: settings.embedding_model,
        META_CLUSTERS.name: "ward",
        PROJECTIONS.name: settings.projection,
    }
    versions = {}
    for asset, method in METHODS.items():
        own = [type(overrides[name]) for name in _OWN_MODELS[asset] if name in overrides]  # type: ignore[literal-required]
        maker = own[0].__name__ if own else asked.get(asset, local.get(asset, EXTRACTIVE))
        parts: list[Any] = [method, maker, [str(getattr(settings, name)) for name in _SHAPING_SETTINGS[asset]]]
        parts += [_source_of(each) for each in own]
        if asset in asked:
            parts.append([str(getattr(settings, name)) for name in _SHAPING_QUESTIONS[asset]])
        if asset in asked and asset != EMBEDDINGS.name:
            schema = questions.response_schema if asset == SUMMARIES.name else None
            parts.append(prompt_fingerprint(asset, prompts.get(asset), schema))
        if asset == SUMMARIES.name:
            parts += [_source_of(extractor) for extractor in questions.extractors]
        versions[asset] = f"{maker} {hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]}"
    return versions


def _source_of(thing: Any) -> str:
    """Return what tells a version of a class or function from another one: its source where that can be read."""
    thing = getattr(thing, "func", thing)  # of a functools.partial
    if not hasattr(thing, "__qualname__"):
        thing = type(thing)
    name = f"{thing.__module__}.{thing.__qualname__}"
    try:
        return name + inspect.getsource(thing)
    except (OSError, TypeError):
        return name
