"""Every setting of the project, from environment variables and `.env`.

A setting is a field here, an environment variable `KURA_<FIELD>` and a row of the README's table, all of one name.
Secrets are no settings: API keys and base URLs are read by the providers' own libraries from their own variables.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


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

    model_config = SettingsConfigDict(
        env_prefix="KURA_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

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
    clusters_per_group: int = Field(10, ge=1, description="Conversations to a base cluster, on average.")
    meta_clusters_per_group: int = Field(
        12, ge=2, description="Clusters that a language model sees at once when it forms their parents."
    )
    max_clusters: int = Field(10, ge=1, description="The most roots the hierarchy may have.")

    projection: Projection = Field(Projection.UMAP, description="What places clusters on the map: umap or pca.")
    umap_n_neighbors: int | None = Field(
        None, ge=2, description="UMAP's neighbourhood size; unset means min(15, number of clusters - 1)."
    )
    umap_min_dist: float = Field(0.1, ge=0, le=1, description="UMAP's least distance between points.")
    umap_metric: Literal["cosine", "euclidean", "manhattan", "chebyshev"] = Field(
        "cosine", description="UMAP's distance between vectors."
    )

    cadence: Cadence = Field(
        Cadence.DAILY, description="How much time a partition covers: hourly, daily, weekly or monthly."
    )
    start_date: date = Field(date(2026, 11, 2), description="The first day that has a partition, as YYYY-MM-DD.")
    timezone: str = Field("UTC", description="The IANA time zone that days are cut in.")

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

        Raises:
            SettingsError: a value is not allowed; every wrong one is named.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            lines = []
            for fault in error.errors():
                name = "KURA_" + "_".join(str(part) for part in fault["loc"]).upper()
                if fault["type"].startswith("date_"):
                    fault["msg"] = "a day, as YYYY-MM-DD"
                what = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
                allowed = what if what.startswith("allowed are") else f"allowed is {what}"
                lines.append(f"{name} is {fault['input']!r}; {allowed}.")
            raise SettingsError("\n".join(lines)) from None
