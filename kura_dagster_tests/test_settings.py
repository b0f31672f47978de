"""Settings from the environment and .env, and what a wrong one says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kura_dagster.pipeline.prices import Price
from kura_dagster.settings import STAGE_MODELS, Cadence, Settings, SettingsError, warn_of_unknown_variable


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
    assert (settings.clusters_per_group, settings.meta_clusters_per_group, settings.max_clusters) == (None, 12, 10)
    assert (settings.umap_n_neighbors, settings.umap_min_dist, settings.umap_metric) == (None, 0.1, "cosine")


def test_the_environment_wins_over_env_file(monkeypatch):
    Path(".env").write_text("KURA_CADENCE=hourly\nKURA_MAX_CLUSTERS=7\nOPENAI_API_KEY=elsewhere\n")
    monkeypatch.setenv("KURA_MAX_CLUSTERS", "8")
    settings = Settings.load()
    assert (settings.cadence, settings.max_clusters) == (Cadence.HOURLY, 8)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("KURA_CLUSTERING", "k-means", "'kmeans', 'minibatch_kmeans', 'agglomerative' or 'hdbscan'"),
        ("KURA_CLUSTERS_PER_GROUP", "0", "greater than or equal to 1"),
        ("KURA_MAX_CLUSTERS", "many", "a valid integer"),
        ("KURA_CADENCE", "yearly", "'hourly', 'daily', 'weekly' or 'monthly'"),
        ("KURA_START_DATE", "2026-13-01", "a day, as YYYY-MM-DD"),
        ("KURA_START_DATE", "0001-01-01", "greater than or equal to 1970-01-01"),
        ("KURA_START_DATE", "9999-12-31", "less than or equal to 2999-12-31"),
        ("KURA_SCHEDULES", "yes", "'off' or 'on'"),
        ("KURA_SCHEDULE_TIME", "24:00", "times of day as HH:MM, for example '04:00'"),
        ("KURA_SCHEDULE_TIME", "4:00", "times of day as HH:MM, for example '04:00'"),
        ("KURA_TRAILING_DAYS", "-1", "greater than or equal to 0"),
        ("KURA_TIMEZONE", "Mars/Olympus", "IANA names, for example 'UTC' or 'Europe/Berlin'"),
        (
            "KURA_LANGUAGE_MODEL",
            "gpt-4o-mini",
            "'extractive' or '<provider>/<model>', for example 'openai/gpt-4o-mini'",
        ),
        ("KURA_EMBEDDING_MODEL", "word2vec/news", "'minilm' or '<provider>/<model>' with one of openai"),
        ("KURA_CLUSTER_LANGUAGE_MODEL", "gpt-4o-mini", "'extractive' or '<provider>/<model>'"),
        ("KURA_MAX_CALLS", "-1", "greater than or equal to 0"),
        ("KURA_MAX_COST_USD", "inf", "a finite number"),
        ("KURA_MAX_COST_USD", "nan", "a finite number"),
        ("KURA_REQUESTS_PER_MINUTE", "0", "greater than or equal to 1"),
        ("KURA_TOKENS_PER_MINUTE", "0.5", "a valid integer"),
        ("KURA_REQUEST_TIMEOUT", "0", "greater than 0"),
        ("KURA_FAILURE_LIMIT", "5", "less than or equal to 1"),
        ("KURA_CACHE_SIZE_LIMIT", "much", "sizes, for example '500MB', '2GB' or a number of bytes"),
        ("KURA_CACHE_SIZE_LIMIT", "2GB and more", "sizes, for example '500MB', '2GB' or a number of bytes"),
        ("KURA_CACHE_SIZE_LIMIT", "0", "greater than 0"),
        ("KURA_PRICES", "prices.json", "per million tokens or a file of it, and no such file can be read"),
        ("KURA_PRICES", "{", "per million tokens or a file of it, and this is no JSON"),
        ("KURA_UI_URL", "127.0.0.1:3000", "URLs that begin with https:// or http:// and name a host"),
        ("KURA_ALERT_SEVERITY", "fatal", "'error' or 'warn'"),
        ("KURA_PRICES", '{"my-model": {"input": 1}}', '{"<provider>/<model>": {"input": USD, "output": USD}}'),
    ],
)
def test_a_wrong_value_names_the_variable_the_value_and_what_is_allowed(monkeypatch, variable, value, allowed):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(refused.value).startswith(f"{variable} is '{value}'; allowed ")
    assert allowed in str(refused.value)


@pytest.mark.parametrize(
    ("prices", "place"),
    [
        ('{"openai/m": {"inputs": 1}}', "openai/m input (Field required)"),
        ('{"openai/m": {"input": -1}}', "openai/m input (Input should be greater than or equal to 0)"),
        ('{"openai/m": 3}', "openai/m (Input should be a valid dictionary"),
    ],
)
def test_a_wrong_price_is_named_by_its_place(monkeypatch, prices, place):
    monkeypatch.setenv("KURA_PRICES", prices)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(refused.value).startswith(f"KURA_PRICES is wrong at {place}")
    assert "allowed are {" in str(refused.value)


@pytest.mark.parametrize("in_a_file", [True, False])
def test_prices_are_json_or_a_file_of_it(monkeypatch, in_a_file):
    prices = '{"openai/my-model": {"input": 0.15, "output": 0.6}, "openai/my-embeddings": {"input": 0.02}}'
    Path("prices.json").write_text(prices)
    monkeypatch.setenv("KURA_PRICES", "prices.json" if in_a_file else prices)
    assert Settings.load().prices == {
        "openai/my-model": Price(input=0.15, output=0.6),
        "openai/my-embeddings": Price(input=0.02, output=0),
    }


@pytest.mark.parametrize(("text", "size"), [("2GB", 2 * 10**9), ("1.5 gib", 3 * 2**29), ("4096", 4096)])
def test_a_size_has_a_unit_or_none(monkeypatch, text, size):
    monkeypatch.setenv("KURA_CACHE_SIZE_LIMIT", text)
    assert Settings.load().cache_size_limit == size


def test_each_stage_asks_its_own_language_model_or_the_common_one():
    settings = Settings.load(language_model="openai/a", cluster_language_model="anthropic/b")
    assert [settings.language_model_for(asset) for asset in STAGE_MODELS] == ["openai/a", "anthropic/b", "openai/a"]
    local = Settings.load(language_model="openai/a", summary_language_model="extractive")
    assert local.language_model_for("summaries") == "extractive"


def test_every_wrong_value_is_named_at_once(monkeypatch):
    monkeypatch.setenv("KURA_CADENCE", "yearly")
    monkeypatch.setenv("KURA_MAX_CLUSTERS", "0")
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert len(str(refused.value).splitlines()) == 2


def test_a_start_date_is_a_date(monkeypatch):
    monkeypatch.setenv("KURA_START_DATE", "2026-02-28")
    assert Settings.load().start_date == date(2026, 2, 28)


UNSET = [name for name, field in Settings.model_fields.items() if field.default is None]
MAY_BE_EMPTY = [*UNSET, "temperature"]


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name not in MAY_BE_EMPTY])
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


@pytest.mark.parametrize("name", MAY_BE_EMPTY)
@pytest.mark.parametrize("value", ["", " "])
def test_empty_means_none_where_none_is_allowed(monkeypatch, name, value):
    monkeypatch.setenv(f"KURA_{name.upper()}", value)
    assert getattr(Settings.load(), name) is None


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


@pytest.mark.parametrize(
    "value",
    [
        "hooks.example/T0KEN",
        "ftp://hooks.example/T0KEN",
        "https:///T0KEN",
        "https://hooks.example:99999/T0KEN",
        "https://hooks.example/T0KEN /x",
        "https://hooks.example/T0KEN\nHost: elsewhere",
        "https://[hooks.example/T0KEN",
    ],
)
def test_a_wrong_webhook_is_named_and_not_repeated(monkeypatch, value):
    monkeypatch.setenv("KURA_ALERT_WEBHOOK", value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(refused.value) == (
        "KURA_ALERT_WEBHOOK is refused and, as a secret, not repeated; allowed are URLs that begin with https:// or "
        "http:// and name a host."
    )


def test_a_webhook_shows_itself_nowhere():
    settings = Settings.load(alert_webhook="https://hooks.example/T0KEN")
    assert "T0KEN" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.alert_webhook.get_secret_value() == "https://hooks.example/T0KEN"


def test_the_address_of_the_ui_ends_without_a_slash():
    assert Settings.load(ui_url="https://dagster.example/").ui_url == "https://dagster.example"
