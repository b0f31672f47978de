"""Settings from the environment and .env, and what a wrong one says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kura_dagster.settings import Cadence, Settings, SettingsError


def test_the_defaults_need_no_environment():
    settings = Settings.load()
    assert settings.database == Path("data/kura.duckdb")
    assert (settings.language_model, settings.embedding_model, settings.clustering) == (
        "extractive",
        "minilm",
        "kmeans",
    )
    assert (settings.temperature, settings.max_concurrent_requests, settings.max_contrastive_examples) == (0.2, 50, 10)
    assert (settings.clusters_per_group, settings.meta_clusters_per_group, settings.max_clusters) == (10, 12, 10)
    assert (settings.umap_n_neighbors, settings.umap_min_dist, settings.umap_metric) == (None, 0.1, "cosine")


def test_the_environment_wins_over_env_file(monkeypatch):
    Path(".env").write_text("KURA_CADENCE=hourly\nKURA_MAX_CLUSTERS=7\nOPENAI_API_KEY=elsewhere\n")
    monkeypatch.setenv("KURA_MAX_CLUSTERS", "8")
    settings = Settings.load()
    assert (settings.cadence, settings.max_clusters) == (Cadence.HOURLY, 8)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("KURA_CLUSTERING", "k-means", "'kmeans', 'minibatch_kmeans' or 'hdbscan'"),
        ("KURA_CLUSTERS_PER_GROUP", "0", "greater than or equal to 1"),
        ("KURA_MAX_CLUSTERS", "many", "a valid integer"),
        ("KURA_CADENCE", "yearly", "'hourly', 'daily', 'weekly' or 'monthly'"),
        ("KURA_START_DATE", "2026-13-01", "a day, as YYYY-MM-DD"),
        ("KURA_TIMEZONE", "Mars/Olympus", "IANA names, for example 'UTC' or 'Europe/Berlin'"),
        (
            "KURA_LANGUAGE_MODEL",
            "gpt-4o-mini",
            "'extractive' or '<provider>/<model>', for example 'openai/gpt-4o-mini'",
        ),
        ("KURA_EMBEDDING_MODEL", "word2vec/news", "'minilm' or '<provider>/<model>' with one of openai"),
    ],
)
def test_a_wrong_value_names_the_variable_the_value_and_what_is_allowed(monkeypatch, variable, value, allowed):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(refused.value).startswith(f"{variable} is '{value}'; allowed ")
    assert allowed in str(refused.value)


def test_every_wrong_value_is_named_at_once(monkeypatch):
    monkeypatch.setenv("KURA_CADENCE", "yearly")
    monkeypatch.setenv("KURA_MAX_CLUSTERS", "0")
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert len(str(refused.value).splitlines()) == 2


def test_a_start_date_is_a_date(monkeypatch):
    monkeypatch.setenv("KURA_START_DATE", "2026-02-28")
    assert Settings.load().start_date == date(2026, 2, 28)
