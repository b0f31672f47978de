"""Settings from the environment and .env, and what a wrong one says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kura_dagster.settings import Cadence, Settings, SettingsError, warn_of_unknown_variable


@pytest.fixture(autouse=True)
def warnings_not_given_yet():
    warn_of_unknown_variable.cache_clear()


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
        ("KURA_START_DATE", "0001-01-01", "greater than or equal to 1970-01-01"),
        ("KURA_START_DATE", "9999-12-31", "less than or equal to 2999-12-31"),
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


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name != "umap_n_neighbors"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_is_refused_and_named(monkeypatch, name, value):
    variable = f"KURA_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{variable} is {value!r}; allowed ")
    assert len(line) > len(f"{variable} is {value!r}; allowed are .")


def test_an_empty_value_in_env_file_is_refused_too():
    Path(".env").write_text("KURA_DATABASE=\n")
    with pytest.raises(SettingsError, match=r"KURA_DATABASE is ''; allowed are paths, for example 'data/kura\.duckdb'"):
        Settings.load()


@pytest.mark.parametrize("value", ["", " "])
def test_empty_means_unset_where_the_default_is_unset(monkeypatch, value):
    monkeypatch.setenv("KURA_UMAP_N_NEIGHBORS", value)
    assert Settings.load().umap_n_neighbors is None


def test_an_env_file_that_is_no_text_is_refused_by_name():
    Path(".env").write_bytes(b"KURA_CADENCE=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        Settings.load()


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        (
            "KURA_CLUSTERNG",
            "KURA_CLUSTERNG is no setting of kura_dagster and is ignored; did you mean KURA_CLUSTERING?",
        ),
        ("kura_timezon", "KURA_TIMEZON is no setting of kura_dagster and is ignored; did you mean KURA_TIMEZONE?"),
        ("KURA_CHECKPOINT_DIR", "KURA_CHECKPOINT_DIR is no setting of kura_dagster and is ignored."),
    ],
)
def test_a_mistyped_variable_is_told_of_once_with_the_nearest_name(monkeypatch, capsys, variable, said):
    monkeypatch.setenv(variable, "x")
    assert Settings.load() == Settings.load()
    assert capsys.readouterr().err.splitlines() == [f"warning: {said}"]


def test_a_mistyped_variable_in_env_file_is_told_of_too(capsys):
    Path(".env").write_text("KURA_MAX_CLUSTER=3\nKURA_MAX_CLUSTERS=4\nOTHER_CLUSTERING=x\n")
    assert Settings.load().max_clusters == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_real_variables_are_not_told_of(monkeypatch, capsys):
    for name, field in Settings.model_fields.items():
        if field.default is not None:
            monkeypatch.setenv(f"KURA_{name.upper()}", str(field.default))
    monkeypatch.setenv("kura_umap_n_neighbors", "7")
    assert Settings.load() == Settings.load(umap_n_neighbors=7)
    assert capsys.readouterr().err == ""


def test_what_steers_a_terminal_is_not_repeated(monkeypatch, capsys):
    monkeypatch.setenv("KURA_\x1b[31mX", "x")
    Settings.load()
    assert "\x1b" not in capsys.readouterr().err
