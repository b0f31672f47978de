"""The same six assets with a language model and API embeddings, over real sockets."""

from __future__ import annotations

import time
from datetime import date

import pytest

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.pipeline.hierarchy import check_tree, get_root_clusters
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import BASE_CLUSTERS, EMBEDDINGS, META_CLUSTERS, SUMMARIES

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]
MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture
def language_model_settings(settings):
    return Settings.load(
        **settings.model_dump()
        | {
            "language_model": "openai/gpt-4o-mini",
            "embedding_model": "openai/text-embedding-3-small",
            "projection": "pca",
            "clusters_per_group": 2,
            "max_clusters": 3,
        }
    )


def test_two_days_go_through_the_language_model_on_one_client(server, language_model_settings, instance, land):
    land("2026-11-02", 24)
    land("2026-11-03", 3)
    report = materialise(build_defs(language_model_settings), ["2026-11-02", "2026-11-03"], instance)
    assert report.success, report.failures
    assert report.failed_checks == {}
    database = Database(language_model_settings.database)
    summaries = database.load(SUMMARIES, MONDAY)
    assert {row.model for row in summaries} == {"openai/gpt-4o-mini"}
    assert all(row.user_frustration is not None and row.request for row in summaries)
    assert {row.metadata["channel"] for row in summaries} == {"web"}
    assert {row.model for row in database.load(EMBEDDINGS, MONDAY)} == {"openai/text-embedding-3-small"}
    base, meta = database.load(BASE_CLUSTERS, MONDAY), database.load(META_CLUSTERS, MONDAY)
    assert {row.model for row in base} == {"openai/gpt-4o-mini"}
    assert len({row.name for row in base}) == len(base)
    assert check_tree(meta) == []
    assert len(get_root_clusters(meta)) <= 3
    assert server.stats.by_schema["GeneratedSummary"] == 27
    assert len(database.load(SUMMARIES, TUESDAY)) == 3
    deadline = time.monotonic() + 5
    while server.open_connections and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.open_connections == 0, "the run left clients open"


def test_neither_ids_nor_metadata_reach_the_provider(server, language_model_settings, instance, land):
    land("2026-11-02", 12)
    assert materialise(build_defs(language_model_settings), ["2026-11-02"], instance).success
    sent = "\n".join(server.stats.prompts) + str(list(server.stats.bodies))
    assert "reset my password please" in sent
    for hidden in ("2026-11-02-00", "channel", "web"):
        assert hidden not in sent


def test_a_missing_key_says_which_variable_to_set(server, language_model_settings, instance, land, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    land("2026-11-02", 2)
    report = materialise(build_defs(language_model_settings), ["2026-11-02"], instance)
    assert not report.success
    assert "OPENAI_API_KEY" in " ".join(report.failures.values())
