"""The code version of each asset: what changes it, what does not, and that Dagster then shows what is out of date."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from pydantic import Field

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.code_versions import code_versions
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.questions import Questions
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import Settings
from kura_dagster_tests.own_models import ByFirstWord, OpeningTurns, own_models

ALL = {"summaries", "embeddings", "base_clusters", "meta_clusters", "projections"}


class WithProduct(GeneratedSummary):
    product: str = Field(description="The product.")


async def a_length(conversation, sems, clients):
    return None


def versions(settings: Settings, questions: Questions | None = None, **overrides) -> dict[str, str]:
    return code_versions(settings, overrides, questions or Questions())


@pytest.fixture
def asking(settings: Settings) -> Settings:
    return settings.model_copy(update={"language_model": "openai/gpt-4o-mini"})


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys() == ALL
    return {asset for asset in before if before[asset] != after[asset]}


@pytest.mark.parametrize(
    ("setting", "value", "assets"),
    [
        ("language_model", "openai/gpt-4.1-mini", {"summaries", "base_clusters", "meta_clusters"}),
        ("summary_language_model", "openai/gpt-4.1-mini", {"summaries"}),
        ("cluster_language_model", "extractive", {"base_clusters"}),
        ("temperature", 0.7, {"summaries", "base_clusters", "meta_clusters"}),
        ("embedding_model", "openai/text-embedding-3-small", {"embeddings"}),
        ("redaction", "on", {"summaries", "embeddings"}),
        ("clusters_per_group", 20, {"base_clusters"}),
        ("max_clusters", 5, {"meta_clusters"}),
        ("umap_n_neighbors", 5, {"projections"}),
        ("max_concurrent_requests", 3, set()),
        ("max_cost_usd", 3.0, set()),
        ("failure_limit", 0.5, set()),
    ],
)
def test_settings_that_shape_rows_change_their_asset_and_others_do_not(asking, setting, value, assets):
    assert changed(versions(asking), versions(asking.model_copy(update={setting: value}))) == assets


@pytest.mark.parametrize(
    ("question", "assets"),
    [
        (Questions(response_schema=WithProduct), {"summaries"}),
        (Questions(summary_prompt="Say something of {conversation}"), {"summaries"}),
        (Questions(cluster_prompt="Name {positive_examples}"), {"base_clusters"}),
        (Questions(extractors=(a_length,)), {"summaries"}),
        (Questions(extractors=(partial(a_length, clients=None),)), {"summaries"}),
    ],
)
def test_questions_of_ones_own_change_the_asset_that_asks_them(asking, question, assets):
    assert changed(versions(asking), versions(asking, question)) == assets


def test_another_wording_of_ours_changes_it(asking, monkeypatch):
    before = versions(asking)
    monkeypatch.setattr(prompts, "_NAMING", prompts._NAMING + "\n- one word more")
    assert "summaries" not in changed(before, versions(asking))
    assert "meta_clusters" in changed(before, versions(asking))


def test_models_of_ones_own_change_it(asking):
    assert changed(versions(asking), versions(asking, summary_model=OpeningTurns())) == {"summaries"}
    assert changed(versions(asking), versions(asking, clustering_method=ByFirstWord())) == {"base_clusters"}
    assert versions(asking, summary_model=OpeningTurns())["summaries"].startswith("OpeningTurns ")


def test_it_names_the_model_and_is_the_same_in_another_process(asking):
    assert versions(asking)["summaries"].startswith("openai/gpt-4o-mini ")
    assert versions(asking.model_copy(update={"language_model": "extractive"}))["summaries"].startswith("extractive ")
    code = (
        "from kura_dagster.orchestration.code_versions import code_versions\n"
        "from kura_dagster.orchestration.questions import Questions\n"
        "from kura_dagster.settings import Settings\n"
        "print(code_versions(Settings.load(language_model='openai/gpt-4o-mini'), {}, Questions()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(versions(asking))


class TestInDagster:
    def stale(self, defs: dg.Definitions, instance: dg.DagsterInstance, day: str) -> set[str]:
        graph = defs.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return {
            key.path[-1] for key in graph.get_all_asset_keys() if resolver.get_status(key, day) is StaleStatus.STALE
        }

    def test_what_another_model_made_is_shown_as_out_of_date(self, settings, instance, land):
        land("2026-11-02", 6)
        defs = build_defs(settings, **own_models())
        assert materialise(defs, ["2026-11-02"], instance).success
        assert self.stale(defs, instance, "2026-11-02") == set()
        other = build_defs(settings.model_copy(update={"umap_n_neighbors": 7}), **own_models())
        assert self.stale(other, instance, "2026-11-02") == {"projections"}

    def test_conversations_that_were_landed_again_make_the_rest_out_of_date(self, settings, instance, land):
        land("2026-11-02", 6)
        defs = build_defs(settings, **own_models())
        assert materialise(defs, ["2026-11-02"], instance).success
        job = dg.Definitions.merge(
            defs, dg.Definitions(jobs=[dg.define_asset_job("reading", dg.AssetSelection.assets("conversations"))])
        ).resolve_job_def("reading")
        assert job.execute_in_process(instance=instance, partition_key="2026-11-02").success
        assert "summaries" in self.stale(defs, instance, "2026-11-02")
