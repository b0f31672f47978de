"""What `build_defs` takes from a user besides models: a schema and prompts, on their way to a language model."""

from __future__ import annotations

from datetime import date

import dagster as dg
import pytest
from pydantic import Field

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import BASE_CLUSTERS, SUMMARIES

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]
MONDAY = date(2026, 11, 2)


class SummaryWithProduct(GeneratedSummary):
    """What our users' product managers want to know as well."""

    product: str = Field(description="The product the conversation is about.")
    urgent: bool = Field(description="Whether the user cannot go on working.")


@pytest.mark.parametrize("cadence", ["hourly", "daily", "weekly", "monthly"])
@pytest.mark.parametrize("language_model", [{}, {"language_model": "openai/gpt-4o-mini"}], ids=["embedded", "asked"])
def test_dagster_loads_all_that_settings_can_add(settings, cadence, language_model):
    """The whole repository at once: Dagster finds only then that two definitions have one name."""
    everything = settings.model_dump() | {
        "cadence": cadence,
        "schedules": "on",
        "keep_messages_days": 30,
        "alert_webhook": "http://127.0.0.1:9/alerts",
        **language_model,
    }
    defs = build_defs(Settings.load(**everything))
    dg.Definitions.validate_loadable(defs)
    repository = defs.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} >= {"analyse_conversations", "drop_old_messages"}
    assert len(repository.schedule_defs) == 3
    assert {sensor.name for sensor in repository.sensor_defs} >= {
        "landed_conversations",
        "failed_runs",
        "failed_checks",
        "missing_partitions",
    }


@pytest.fixture
def language_model_settings(settings):
    return Settings.load(**settings.model_dump() | {"language_model": "openai/gpt-4o-mini", "projection": "pca"})


def test_fields_of_an_own_schema_are_stored_in_the_metadata(server, language_model_settings, instance, land):
    land("2026-11-02", 6)
    defs = build_defs(language_model_settings, response_schema=SummaryWithProduct)
    report = materialise(defs, ["2026-11-02"], instance)
    assert report.success, report.failures
    assert server.stats.by_schema["SummaryWithProduct"] == 6
    stored = Database(language_model_settings.database).load(SUMMARIES, MONDAY)
    assert len(stored) == 6
    for row in stored:
        assert isinstance(row.metadata["product"], str)
        assert row.metadata["product"]
        assert isinstance(row.metadata["urgent"], bool)
        assert row.metadata["channel"] == "web"


def test_own_prompts_reach_the_language_model(server, language_model_settings, instance, land):
    land("2026-11-02", 6)
    defs = build_defs(
        language_model_settings,
        summary_prompt="Our own question about this chat:\n{conversation}",
        cluster_prompt="Our own question about this group:\n{positive_examples}",
    )
    report = materialise(defs, ["2026-11-02"], instance)
    assert report.success, report.failures
    of_chats = [prompt for prompt in server.stats.prompts if "Our own question about this chat:" in prompt]
    assert len(of_chats) == 6
    assert any("reset my password please" in prompt for prompt in of_chats)
    clusters = Database(language_model_settings.database).load(BASE_CLUSTERS, MONDAY)
    of_groups = [prompt for prompt in server.stats.prompts if "Our own question about this group:" in prompt]
    assert len(of_groups) >= len(clusters) >= 1


def test_a_prompt_without_its_placeholder_fails_the_asset_and_says_so(server, language_model_settings, instance, land):
    land("2026-11-02", 2)
    defs = build_defs(language_model_settings, summary_prompt="Summarise, please.")
    report = materialise(defs, ["2026-11-02"], instance)
    assert "{conversation}" in report.failures["summaries"]
    assert server.stats.chat == 0


def test_a_schema_that_is_none_is_refused_at_once(settings):
    with pytest.raises(TypeError, match=r"response_schema is .*dict.*; allowed is a subclass of GeneratedSummary"):
        build_defs(settings, response_schema=dict)


def test_schema_whose_answers_could_not_be_joined_is_refused(settings: Settings) -> None:
    class Scored(GeneratedSummary):
        concerning_score: int = 0

    with pytest.raises(ValueError, match="Scored gives the field 'concerning_score' another meaning"):
        build_defs(settings, response_schema=Scored)


def test_the_local_model_does_not_pass_over_a_schema_in_silence(settings, instance, land):
    land("2026-11-02", 2)
    report = materialise(build_defs(settings, response_schema=SummaryWithProduct), ["2026-11-02"], instance)
    assert "can't fill the fields of SummaryWithProduct" in report.failures["summaries"]
