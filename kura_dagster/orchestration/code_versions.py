"""Which code each asset's rows come from, as one short text: where it changes, the UI shows them as out of date.

It follows the method, the models and the host that is asked, their prompts and schemas, the user's validators and
extractors, and the settings that shape the rows. `conversations` has none: its input is outside, and Dagster would take
rows of the same code for the same rows.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel

from kura_dagster.orchestration.questions import STAGES, Questions, asked_models
from kura_dagster.pipeline.failures import BASE_URL_VARIABLES
from kura_dagster.pipeline.language_model.prompts import prompt_fingerprint
from kura_dagster.pipeline.providers import ModelOverrides
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import EXTRACTIVE, Settings
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    CONVERSATION_PROJECTIONS,
    EMBEDDINGS,
    META_CLUSTERS,
    PROJECTIONS,
    SUMMARIES,
)

METHODS = {
    SUMMARIES.name: 3,
    EMBEDDINGS.name: 2,
    BASE_CLUSTERS.name: 5,
    META_CLUSTERS.name: 3,
    PROJECTIONS.name: 2,
    CONVERSATION_PROJECTIONS.name: 1,
}
"""Raised by one whenever our own code makes other rows of the same input. Prompts need no raise: they are compared."""

_SHAPING_SETTINGS = {
    SUMMARIES.name: ("redaction",),
    EMBEDDINGS.name: ("embedding_model", "redaction"),
    BASE_CLUSTERS.name: ("clustering", "clusters_per_group"),
    META_CLUSTERS.name: ("max_clusters",),
    PROJECTIONS.name: ("projection", "umap_n_neighbors", "umap_min_dist", "umap_metric"),
    CONVERSATION_PROJECTIONS.name: (),
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
    CONVERSATION_PROJECTIONS.name: (),
}


def code_versions(settings: Settings, overrides: ModelOverrides, questions: Questions) -> dict[str, str]:
    """Return the code version of each asset but `conversations`, by its name: who makes it and a hash of what counts.

    A user's own models, validators and extractors count by their source code, as far as it can be read; extractors also
    by what a `functools.partial` gives them, and by their clients: a language model by its name, others by their type.
    Of addresses only host and port count, because the rest may hold a key.
    """
    asked = asked_models(settings, overrides)
    prompts = {SUMMARIES.name: questions.summary_prompt, BASE_CLUSTERS.name: questions.cluster_prompt}
    local = {
        EMBEDDINGS.name: settings.embedding_model,
        META_CLUSTERS.name: "ward",
        PROJECTIONS.name: settings.projection,
        CONVERSATION_PROJECTIONS.name: "places",
    }
    versions = {}
    for asset, method in METHODS.items():
        own = [type(overrides[name]) for name in _OWN_MODELS[asset] if name in overrides]  # type: ignore[literal-required]
        maker = own[0].__name__ if own else asked.get(asset, local.get(asset, EXTRACTIVE))
        parts: list[Any] = [method, maker, [str(getattr(settings, name)) for name in _SHAPING_SETTINGS[asset]]]
        parts += [_source_of(each) for each in own]
        if asset in asked:
            parts.append([str(getattr(settings, name)) for name in _SHAPING_QUESTIONS[asset]])
            parts.append(_host_of(asked[asset]))
        if asset in asked and asset != EMBEDDINGS.name:
            parts += [prompt_fingerprint(asset, prompts.get(asset), schema) for schema in _schemas(asset, questions)]
        if asset == SUMMARIES.name:
            if asset in asked:
                parts += list(_validator_sources(questions.response_schema))
            parts += [_described(extractor) for extractor in questions.extractors]
            if questions.extractors:
                parts.append({name: _client(client) for name, client in (questions.clients or {}).items()})
        versions[asset] = f"{maker} {hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]}"
    return versions


def _host_of(model: str) -> str:
    """Return host and port that the environment names for a model's provider, as the keys of kept answers do."""
    address = os.environ.get(BASE_URL_VARIABLES.get(model.partition("/")[0], ""), "")
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return f"{parts.hostname}:{parts.port}"
    except ValueError:
        return "no address"


def _schemas(asset: str, questions: Questions) -> list[type[BaseModel]]:
    """Return the schemas of what a language model answers for an asset."""
    # Imported here: a code location that asks no language model needs none of it.
    from kura_dagster.pipeline.language_model import cluster_description_model, meta_cluster_model

    schemas: dict[str, list[type[BaseModel]]] = {
        SUMMARIES.name: [questions.response_schema],
        BASE_CLUSTERS.name: [cluster_description_model.NamedGroup],
        META_CLUSTERS.name: [
            meta_cluster_model.NamedGroup,
            meta_cluster_model.CategoryLabel,
            meta_cluster_model.CandidateCategories,
        ],
    }
    return schemas[asset]


def _validator_sources(schema: type[BaseModel]) -> Iterator[str]:
    """Yield the sources of a user's schema, of its bases and of the models within it, which hold their validators."""
    found: list[type[BaseModel]] = [schema]
    for model in found:
        if model in GeneratedSummary.__mro__:
            continue
        yield _source_of(model)
        decorators = model.__pydantic_decorators__
        for validators in (decorators.field_validators, decorators.model_validators):
            # By themselves too: of two classes of one name in one place, inspect finds the same.
            yield from (_source_of(validator.func) for validator in validators.values())
        for field in model.model_fields.values():
            yield from (_source_of(each.func) for each in field.metadata if hasattr(each, "func"))
            found += [each for each in _models_in(field.annotation) if each not in found]
        found += [base for base in model.__mro__ if issubclass(base, BaseModel) and base not in found]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _client(client: Any) -> Any:
    """Return what tells an extractor's client from another one: the language model that it asks, or else its type."""
    if isinstance(client, str):
        return [client, _host_of(client)]
    named = client if hasattr(client, "__qualname__") else type(client)
    asks = getattr(client, "model", None)
    return [f"{named.__module__}.{named.__qualname__}", asks if isinstance(asks, str) else None]


def _described(value: Any) -> Any:
    """Return as JSON what tells an extractor, or something that one is given, from another one."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, partial):
        return [_source_of(value.func), _described(value.args), _described(value.keywords)]
    if isinstance(value, Mapping):
        return sorted(([str(name), _described(each)] for name, each in value.items()), key=json.dumps)
    if isinstance(value, list | tuple):
        return [_described(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((_described(each) for each in value), key=json.dumps)
    return _source_of(value)


def _source_of(thing: Any) -> str:
    """Return what tells a version of a class or function from another one: its source where that can be read."""
    if not hasattr(thing, "__qualname__"):
        thing = type(thing)
    name = f"{thing.__module__}.{thing.__qualname__}"
    try:
        return name + inspect.getsource(thing)
    except (OSError, TypeError):
        return name
