"""Every setting of the project, from environment variables and `.env`.

A setting is a field here, an environment variable `KURA_<FIELD>` and a row of the README's table, all of one name.
Providers' secrets are no settings: API keys and base URLs are read by their own libraries from their own variables. The
one secret here is a `SecretStr`, which shows itself nowhere.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.pipeline.prices import Price

PREFIX = "KURA_"
_ENV_FILE = ".env"
_ALLOWED_PRICES = 'allowed are {"<provider>/<model>": {"input": USD, "output": USD}} per million tokens or a file of it'
_SECRETS = ("alert_webhook",)
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
    AGGLOMERATIVE = "agglomerative"
    HDBSCAN = "hdbscan"


class Projection(StrEnum):
    """The method that places clusters on the map."""

    UMAP = "umap"
    PCA = "pca"


EXTRACTIVE = "extractive"
MINILM = "minilm"
EMBEDDING_PROVIDERS = ("openai", "sentence-transformers", "cohere")
STAGE_MODELS = {
    "summaries": "summary_language_model",
    "base_clusters": "cluster_language_model",
    "meta_clusters": "meta_cluster_language_model",
}
"""The setting that names an asset's own language model, for each asset that may ask one."""


class Settings(BaseSettings):
    """The settings of a run; `Settings.load()` reads them and turns a wrong one into a `SettingsError`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=_ENV_FILE, extra="ignore", frozen=True)

    database: Path = Field(Path("data/kura.duckdb"), description="The DuckDB file that holds every table.")
    conversations: Path = Field(
        Path("data/conversations"), description="The landing folder, one YYYY-MM-DD.jsonl file a day."
    )
    cache: Path = Field(
        Path("data/cache"),
        description="Where MiniLM's graph and the answers of language models are kept; several processes may share it.",
    )

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
    summary_language_model: str | None = Field(
        None, description="What writes summaries, where that is not KURA_LANGUAGE_MODEL."
    )
    cluster_language_model: str | None = Field(
        None, description="What names base clusters, where that is not KURA_LANGUAGE_MODEL."
    )
    meta_cluster_language_model: str | None = Field(
        None, description="What forms the hierarchy, where that is not KURA_LANGUAGE_MODEL."
    )
    temperature: float | None = Field(
        0.2,
        ge=0,
        le=2,
        description="Sampling temperature of the language model; empty means that none is sent, for models without.",
    )

    redaction: Literal["off", "on"] = Field(
        "off",
        description="Whether personal data in conversations is replaced by its kind, as [email], before any model sees "
        "them: on or off.",
    )

    max_calls: int | None = Field(
        None,
        ge=0,
        description="The most requests to language models and embedding APIs in a run; unset means no limit.",
    )
    max_cost_usd: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="The most that a run may pay, in USD; unset means no limit."
    )
    prices: Annotated[dict[str, Price] | None, NoDecode] = Field(
        None,
        description='Prices in USD per million tokens that stand before the known ones: {"openai/my-model": '
        '{"input": 0.15, "output": 0.6}}, or the path of a JSON file that holds this.',
    )
    max_concurrent_requests: int = Field(50, ge=1, description="Language-model requests in flight at once.")
    requests_per_minute: int | None = Field(
        None, ge=1, description="The most requests a minute to a provider; unset means no limit."
    )
    tokens_per_minute: int | None = Field(
        None, ge=1, description="The most tokens a minute sent to a provider, about; unset means no limit."
    )
    request_timeout: float = Field(
        60,
        gt=0,
        allow_inf_nan=False,
        description="Seconds after which an unanswered request is given up and sent again.",
    )
    failure_limit: float = Field(
        0.05,
        ge=0,
        le=1,
        description="The share of a partition's items, 0 to 1, that may be set aside as failed before its asset fails.",
    )
    check_trailing_partitions: int = Field(
        7, ge=3, description="How many partitions before one say what volume and cost are usual for it."
    )
    check_volume_factor: float = Field(
        3,
        gt=1,
        allow_inf_nan=False,
        description="How many times as many conversations as usual, or as few, a partition may have without a warning.",
    )
    check_rejected_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="The share of a partition's landed lines, 0 to 1, that may be unusable before nothing more is made "
        "of it.",
    )
    check_largest_cluster_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The share of a partition's conversations, 0 to 1, that one cluster may hold without a warning.",
    )
    check_single_member_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The share of a partition's clusters, 0 to 1, that may have one member without a warning.",
    )
    check_unclustered_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The share of a partition's conversations, 0 to 1, that may be in no cluster without a warning.",
    )
    check_cost_factor: float = Field(
        3,
        gt=1,
        allow_inf_nan=False,
        description="How many times as much as usual a conversation may cost without a warning.",
    )
    cache_size_limit: ByteSize = Field(
        "2GB",
        gt=0,
        validate_default=True,
        description="How large the kept answers may become, in bytes or with a unit; the oldest go first.",
    )

    max_contrastive_examples: int = Field(
        10, ge=0, description="Summaries of the nearest other clusters shown when one is named."
    )

    clustering: Clustering = Field(
        Clustering.KMEANS, description="What forms base clusters: kmeans, minibatch_kmeans, agglomerative or hdbscan."
    )
    clusters_per_group: int | None = Field(
        None,
        ge=1,
        description="Conversations to a base cluster, on average; unset or empty means 10, and sqrt(n) / 2.5 on days "
        "of fewer than 625. agglomerative and hdbscan find the number.",
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
    partitions_per_run: int = Field(
        31,
        ge=1,
        description="The most partitions in a run of a backfill, a range or what has landed: what a killed run repeats "
        "at most, a month of days.",
    )

    schedules: Literal["off", "on"] = Field(
        "off",
        description="Whether the schedules and the freshness sensor start switched on: on or off. What was switched in "
        "the UI stays as it is there.",
    )
    schedule_time: str = Field(
        "04:00",
        description="When the partition that has ended is analysed, as HH:MM in KURA_TIMEZONE; of hourly partitions "
        "only the minute counts.",
    )
    trailing_days: int = Field(
        7,
        ge=0,
        description="How many days back the trailing run looks for late data, failed items and missed partitions, an "
        "hour after KURA_SCHEDULE_TIME; 0 means no trailing run.",
    )

    alert_webhook: SecretStr | None = Field(
        None,
        description="The URL that alerts of failed runs and checks are posted to, an incoming webhook of Slack, "
        "Mattermost or Discord (…/slack) or a server of your own; unset means no alerts.",
    )
    alert_severity: Literal["error", "warn"] = Field(
        "error",
        description="Which failed checks are worth an alert: error, or warn, which takes both.",
    )
    ui_url: str = Field(
        "http://127.0.0.1:3000",
        description="The address of the Dagster UI that links in alerts lead to, as their readers reach it.",
    )

    keep_messages_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="Days that messages are kept after their partition has ended, in landing files too; unset means "
        "for ever.",
    )

    @field_validator("database", "conversations", "cache", mode="before")
    @classmethod
    def _no_empty_path(cls, value: Any) -> Any:
        # An empty path would be the current folder.
        if isinstance(value, str) and not value.strip():
            raise ValueError("allowed are paths, for example 'data/kura.duckdb'")
        return value

    @field_validator(
        "temperature",
        "clusters_per_group",
        "umap_n_neighbors",
        "max_calls",
        "max_cost_usd",
        "requests_per_minute",
        "tokens_per_minute",
        "alert_webhook",
        "keep_messages_days",
        *STAGE_MODELS.values(),
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("prices", mode="before")
    @classmethod
    def _prices_from_json(cls, value: Any) -> Any:
        if value is None or isinstance(value, Mapping):
            return value
        text = str(value)
        if not text.strip():
            return None
        if not text.lstrip().startswith("{"):
            try:
                text = Path(text).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{_ALLOWED_PRICES}, and no such file can be read ({error})") from None
        try:
            decoded = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{_ALLOWED_PRICES}, and this is no JSON ({error})") from None
        if not isinstance(decoded, dict) or not all("/" in model for model in decoded):
            raise ValueError(_ALLOWED_PRICES)
        return decoded

    @field_validator("cache_size_limit", mode="before")
    @classmethod
    def _size_with_a_unit(cls, value: Any) -> Any:
        # pydantic takes "2GB and more" for 2 GB.
        if not re.fullmatch(r"\d+(\.\d+)?\s*([kmgt]?i?b)?", str(value).strip(), re.IGNORECASE | re.ASCII):
            raise ValueError("allowed are sizes, for example '500MB', '2GB' or a number of bytes")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones() or value == "localtime":
            raise ValueError("allowed are IANA names, for example 'UTC' or 'Europe/Berlin'")
        return value

    @field_validator("schedule_time")
    @classmethod
    def _time_of_day(cls, value: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII):
            raise ValueError("allowed are times of day as HH:MM, for example '04:00'")
        return value

    @field_validator("alert_webhook")
    @classmethod
    def _webhook_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_http_url(value.get_secret_value())
        return value

    @field_validator("ui_url")
    @classmethod
    def _ui_address(cls, value: str) -> str:
        _check_http_url(value)
        return value.rstrip("/")

    @field_validator("language_model", *STAGE_MODELS.values())
    @classmethod
    def _provider_string(cls, value: str | None) -> str | None:
        provider, _, model = (value or "").partition("/")
        if value not in (None, EXTRACTIVE) and not (provider and model):
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

    def language_model_for(self, asset: str) -> str:
        """Return what writes the texts of an asset in `STAGE_MODELS`: `extractive` or `<provider>/<model>`."""
        return getattr(self, STAGE_MODELS[asset]) or self.language_model

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
                field, *inside = (str(part) for part in fault["loc"])
                name = PREFIX + field.upper()
                if inside:
                    # Only the prices have anything inside.
                    lines.append(f"{name} is wrong at {' '.join(inside)} ({fault['msg']}); {_ALLOWED_PRICES}.")
                    continue
                if fault["type"].startswith("date_"):
                    fault["msg"] = "a day, as YYYY-MM-DD"
                what = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
                allowed = what if what.startswith("allowed are") else f"allowed is {what}"
                given = "refused and, as a secret, not repeated" if field in _SECRETS else repr(fault["input"])
                lines.append(f"{name} is {given}; {allowed}.")
            raise SettingsError("\n".join(lines)) from None


def _check_http_url(text: str) -> None:
    """Refuse what is no URL with a host, without repeating it."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise ValueError("allowed are URLs that begin with https:// or http:// and name a host")


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
