"""Every setting of the project, from environment variables and `.env`.

A setting is a field here, an environment variable `KURA_<FIELD>` and a row of the README's table, all of one name.
Secrets are no settings: API keys and base URLs are read by the providers' own libraries from their own variables.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from kura_dagster.pipeline.plain_text import plain_line

PREFIX = "KURA_"
_ENV_FILE = ".env"
_LIKELY_MEANT = 75
"""A setting at least this like an unknown variable (thefuzz's ratio, 0 to 100) is what was probably meant."""


class SettingsError(ValueError):
    """A setting has a value that is not allowed. The message names the variable, the value and what is allowed."""


class Cadence(StrEnum):
    """How much time a partition covers."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Clustering(StrEnum):
    """The method that forms base clusters."""

    KMEANS = "kmeans"
    MINIBATCH_KMEANS = "minibatch_kmeans"
    HDBSCAN = "hdbscan"


class Projection(StrEnum):
    """The method that places clusters on the map."""

    UMAP = "umap"
    PCA = "pca"


EXTRACTIVE = "extractive"
MINILM = "minilm"
EMBEDDING_PROVIDERS = ("openai", "sentence-transformers", "cohere")


class Settings(BaseSettings):
    """The settings of a run; `Settings.load()` reads them and turns a wrong one into a `SettingsError`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=_ENV_FILE, extra="ignore", frozen=True)

    database: Path = Field(Path("data/kura.duckdb"), description="The DuckDB file that holds every table.")
    conversations: Path = Field(
        Path("data/conversations"), description="The landing folder, one YYYY-MM-DD.jsonl file a day."
    )
    cache: Path = Field(Path("data/cache"), description="Where what can be rebuilt is kept, as MiniLM's graph.")

    language_model: str = Field(
        EXTRACTIVE,
        description="What writes summaries and names: 'extractive' (local, no key) or an instructor provider string, "
        "for example 'openai/gpt-4o-mini'.",
    )
    embedding_model: str = Field(
        MINILM,
        description="What turns texts into vectors: 'minilm' (local, no key), 'openai/<model>', "
        "'sentence-transformers/<model>' or 'cohere/<model>'.",
    )
    temperature: float = Field(0.2, ge=0, le=2, description="Sampling temperature of the language model.")
    max_concurrent_requests: int = Field(50, ge=1, description="Language-model requests in flight at once.")
    max_contrastive_examples: int = Field(
        10, ge=0, description="Summaries of the nearest other clusters shown when one is named."
    )

    clustering: Clustering = Field(
        Clustering.KMEANS, description="What forms base clusters: kmeans, minibatch_kmeans or hdbscan."
    )
    clusters_per_group: int = Field(
        10, ge=1, description="Conversations to a base cluster, on average; hdbscan ignores it."
    )
    meta_clusters_per_group: int = Field(
        12, ge=2, description="Clusters that a language model sees at once when it forms their parents."
    )
    max_clusters: int = Field(10, ge=1, description="The most roots the hierarchy may have.")

    projection: Projection = Field(Projection.UMAP, description="What places clusters on the map: umap or pca.")
    umap_n_neighbors: int | None = Field(
        None, ge=2, description="UMAP's neighbourhood size; unset or empty means min(15, number of clusters - 1)."
    )
    umap_min_dist: float = Field(0.1, ge=0, le=1, description="UMAP's least distance between points.")
    umap_metric: Literal["cosine", "euclidean", "manhattan", "chebyshev"] = Field(
        "cosine", description="UMAP's distance between vectors."
    )

    cadence: Cadence = Field(
        Cadence.DAILY, description="How much time a partition covers: hourly, daily, weekly or monthly."
    )
    start_date: date = Field(
        date(2026, 11, 2),
        ge=date(1970, 1, 1),
        le=date(2999, 12, 31),
        description="The first day that has a partition, as YYYY-MM-DD.",
    )
    timezone: str = Field("UTC", description="The IANA time zone that days are cut in.")

    @field_validator("database", "conversations", "cache", mode="before")
    @classmethod
    def _no_empty_path(cls, value: Any) -> Any:
        # An empty path would be the current folder.
        if isinstance(value, str) and not value.strip():
            raise ValueError("allowed are paths, for example 'data/kura.duckdb'")
        return value

    @field_validator("umap_n_neighbors", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones() or value == "localtime":
            raise ValueError("allowed are IANA names, for example 'UTC' or 'Europe/Berlin'")
        return value

    @field_validator("language_model")
    @classmethod
    def _provider_string(cls, value: str) -> str:
        provider, _, model = value.partition("/")
        if value != EXTRACTIVE and not (provider and model):
            raise ValueError("allowed are 'extractive' or '<provider>/<model>', for example 'openai/gpt-4o-mini'")
        return value

    @field_validator("embedding_model")
    @classmethod
    def _known_embedding_model(cls, value: str) -> str:
        provider, _, model = value.partition("/")
        if value != MINILM and not (provider in EMBEDDING_PROVIDERS and model):
            raise ValueError(
                f"allowed are 'minilm' or '<provider>/<model>' with one of {', '.join(EMBEDDING_PROVIDERS)}"
            )
        return value

    @property
    def tzinfo(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Read the settings; `overrides` win over the environment, which wins over `.env`.

        Variables that begin with KURA_ and are no setting are ignored, with a warning on standard error, once: Kura has
        some of its own.

        Raises:
            SettingsError: a value is not allowed, an empty one included; every wrong one is named.
        """
        try:
            of_file = DotEnvSettingsSource(cls, env_file=_ENV_FILE).env_vars
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{_ENV_FILE} cannot be read: {error}") from None
        names = {name.upper() for name in (*os.environ, *of_file)}
        known = {f"{PREFIX}{name}".upper() for name in cls.model_fields}
        for name in sorted(name for name in names - known if name.startswith(PREFIX)):
            warn_of_unknown_variable(name)
        try:
            return cls(**overrides)
        except ValidationError as error:
            lines = []
            for fault in error.errors():
                name = PREFIX + "_".join(str(part) for part in fault["loc"]).upper()
                if fault["type"].startswith("date_"):
                    fault["msg"] = "a day, as YYYY-MM-DD"
                what = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
                allowed = what if what.startswith("allowed are") else f"allowed is {what}"
                lines.append(f"{name} is {fault['input']!r}; {allowed}.")
            raise SettingsError("\n".join(lines)) from None


@cache
def warn_of_unknown_variable(name: str) -> None:
    """Say on standard error, once in a process, that a variable is no setting, and which one was probably meant."""
    # thefuzz takes 60 ms to import, and names are seldom mistyped.
    from thefuzz import fuzz, process

    known = [f"{PREFIX}{field}".upper() for field in Settings.model_fields]
    meant = process.extractOne(name, known, processor=None, scorer=fuzz.ratio, score_cutoff=_LIKELY_MEANT)
    print(
        f"warning: {plain_line(name)} is no setting of kura_dagster and is ignored"
        + (f"; did you mean {meant[0]}?" if meant else "."),
        file=sys.stderr,
    )
