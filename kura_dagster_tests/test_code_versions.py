"""The code version of each asset: what changes it, what does not, and that Dagster then shows what is out of date."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from functools import partial
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from pydantic import Field, field_validator

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.code_versions import code_versions
from kura_dagster.orchestration.materialise import ASSET_NAMES, materialise
from kura_dagster.orchestration.questions import Questions
from kura_dagster.pipeline.language_model import cluster_description_model, meta_cluster_model, prompts
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import Settings
from kura_dagster_tests.own_models import ByFirstWord, OpeningTurns, own_models

ALL = {"summaries", "embeddings", "base_clusters", "meta_clusters", "projections", "conversation_projections"}


class WithProduct(GeneratedSummary):
    product: str = Field(description="The product.")


class Strict(WithProduct):
    @field_validator("product")
    @classmethod
    def _is_known(cls, product: str) -> str:
        if product not in ("kettle", "violin"):
            raise ValueError("is no product of ours")
        return product


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


OWN_SCHEMA = """
from typing import Annotated
from pydantic import AfterValidator, BaseModel, field_validator
from kura_dagster.pipeline.types import GeneratedSummary

def shouted(text):
    return text.upper()

class Part(BaseModel):
    score: int
    @field_validator("score")
    @classmethod
    def _checked(cls, score):
        return score + 0

class Parts(BaseModel):
    parts: list[Part] | None

class Base(GeneratedSummary):
    rating: int
    @field_validator("rating")
    @classmethod
    def _rated(cls, rating):
        return rating * 1

class Own(Base):
    word: Annotated[str, AfterValidator(shouted)]
    parts: dict[str, Parts]
    @field_validator("word")
    @classmethod
    def _said(cls, word):
        return word.strip()
"""


@pytest.mark.parametrize(
    ("before", "after", "is_changed"),
    [
        ("word.strip()", "word.lstrip()", True),
        ("text.upper()", "text.lower()", True),
        ("score + 0", "score + 1", True),
        ("rating * 1", "rating * 2", True),
        ("from typing", "import sys\nfrom typing", False),
    ],
)
def test_validators_of_ones_own_schema_change_it(asking, tmp_path, monkeypatch, before, after, is_changed):
    def version(text: str) -> dict[str, str]:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location("own_schema", path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "own_schema", module)
        spec.loader.exec_module(module)
        return versions(asking, Questions(response_schema=module.Own))

    found = changed(version(OWN_SCHEMA), version(OWN_SCHEMA.replace(before, after)))
    assert found == ({"summaries"} if is_changed else set())


@pytest.mark.parametrize(
    ("module", "name", "assets"),
    [
        (cluster_description_model, "NamedGroup", {"base_clusters"}),
        (meta_cluster_model, "NamedGroup", {"meta_clusters"}),
        (meta_cluster_model, "CategoryLabel", {"meta_clusters"}),
        (meta_cluster_model, "CandidateCategories", {"meta_clusters"}),
    ],
)
def test_other_schemas_of_ours_change_it(asking, monkeypatch, module, name, assets):
    before = versions(asking)

    class Other(getattr(module, name)):
        also: str = Field(description="Something quite else.")

    monkeypatch.setattr(module, name, Other)
    assert changed(before, versions(asking)) == assets


def extracting(asking: Settings, extractor: Any = a_length, **clients: Any) -> dict[str, str]:
    return versions(asking, Questions(extractors=(extractor,), clients=clients or None))


@pytest.mark.parametrize(
    ("before", "after", "is_changed"),
    [
        ({}, {"careful": "openai/gpt-4o"}, True),
        ({"careful": "openai/gpt-4o"}, {"careful": "openai/gpt-4.1"}, True),
        ({"careful": "openai/gpt-4o"}, {"other": "openai/gpt-4o"}, True),
        ({"careful": LanguageModel("openai/gpt-4o")}, {"careful": LanguageModel("openai/gpt-4.1")}, True),
        ({"careful": LanguageModel("openai/gpt-4o")}, {"careful": LanguageModel("openai/gpt-4o")}, False),
        ({"careful": object()}, {"careful": object()}, False),
        ({"careful": object()}, {"careful": len}, True),
    ],
)
def test_clients_of_extractors_change_it_by_their_model_or_their_type(asking, before, after, is_changed):
    found = changed(extracting(asking, **before), extracting(asking, **after))
    assert found == ({"summaries"} if is_changed else set())


@pytest.mark.parametrize(
    ("before", "after", "is_changed"),
    [
        ({"n": 1}, {"n": 2}, True),
        ({"words": ["a", "b"]}, {"words": ["a", "c"]}, True),
        ({"words": {"a": {"b"}}}, {"words": {"a": {"c"}}}, True),
        ({"schema": WithProduct}, {"schema": Strict}, True),
        ({"any": object()}, {"any": object()}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
    ],
)
def test_what_an_extractor_is_given_changes_it(asking, before, after, is_changed):
    found = changed(extracting(asking, partial(a_length, **before)), extracting(asking, partial(a_length, **after)))
    assert found == ({"summaries"} if is_changed else set())
    assert changed(extracting(asking, partial(a_length, 1)), extracting(asking, partial(a_length, 2))) == {"summaries"}


def test_another_host_changes_what_is_asked_there_and_credentials_do_not_matter(asking, monkeypatch):
    for variable in ("OPENAI_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(variable, raising=False)
    everything = asking.model_copy(update={"embedding_model": "openai/text-embedding-3-small"})
    before, local = versions(everything), versions(asking)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:secret@one.example:8000/v1")
    of_one = versions(everything)
    assert changed(before, of_one) == {"summaries", "embeddings", "base_clusters", "meta_clusters"}
    assert "embeddings" not in changed(local, versions(asking))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://other:key@one.example:8000/v2?key=1")
    assert versions(everything) == of_one
    monkeypatch.setenv("OPENAI_BASE_URL", "http://one.example:8001/v1")
    assert changed(of_one, versions(everything)) == {"summaries", "embeddings", "base_clusters", "meta_clusters"}
    ollama = asking.model_copy(update={"language_model": "ollama/llama3.2"})
    without = versions(ollama)
    for host, is_changed in (("gpu.example", True), ("gpu.example:11434", True), ("http://[broken", True)):
        monkeypatch.setenv("OLLAMA_HOST", host)
        assert bool(changed(without, versions(ollama))) == is_changed
    with_client = extracting(asking, careful="ollama/llama3.2")
    monkeypatch.setenv("OLLAMA_HOST", "another.example")
    assert changed(with_client, extracting(asking, careful="ollama/llama3.2")) == {"summaries"}


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


class FailingOn(OpeningTurns):
    """Has no summaries for one day."""

    def __init__(self, day: str) -> None:
        super().__init__()
        self.day = day

    async def summarise(self, conversations, *arguments, **options):
        if conversations[0].chat_id.startswith(self.day):
            raise RuntimeError("the provider is down")
        return await super().summarise(conversations, *arguments, **options)


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

    def test_only_conversations_that_changed_make_the_rest_out_of_date(self, settings, instance, land):
        land("2026-11-02", 6)
        defs = build_defs(settings, **own_models())
        assert materialise(defs, ["2026-11-02"], instance).success
        job = dg.Definitions.merge(
            defs, dg.Definitions(jobs=[dg.define_asset_job("reading", dg.AssetSelection.assets("conversations"))])
        ).resolve_job_def("reading")
        assert job.execute_in_process(instance=instance, partition_key="2026-11-02").success
        assert self.stale(defs, instance, "2026-11-02") == set()
        land("2026-11-02", 7)
        assert job.execute_in_process(instance=instance, partition_key="2026-11-02").success
        assert "summaries" in self.stale(defs, instance, "2026-11-02")
        assert materialise(defs, ["2026-11-02"], instance).success
        assert self.stale(defs, instance, "2026-11-02") == set()

    @pytest.mark.parametrize("failing", [None, "2026-11-03"])
    def test_each_day_of_a_range_has_the_version_of_its_own_content(self, settings, instance, land, failing):
        days = ["2026-11-02", "2026-11-03", "2026-11-04"]
        for day in days:
            land(day, 6)
        defs = build_defs(settings, **own_models())
        if failing:
            faulty = build_defs(settings, **own_models(summary_model=FailingOn(failing)))
            assert not materialise(faulty, days, instance).success
        assert materialise(defs, days, instance).success
        assert [self.stale(defs, instance, day) for day in days] == [set()] * 3
        # One day alone, and the same again: nothing is out of date, neither after it nor beside it.
        in_range = self.tags(instance, "2026-11-03")
        assert materialise(defs, ["2026-11-03"], instance).success
        assert [self.stale(defs, instance, day) for day in days] == [set()] * 3
        assert self.tags(instance, "2026-11-03") == in_range
        read = in_range["conversations"]["dagster/data_version"]
        taken = in_range["summaries"]["dagster/input_data_version/conversations"]
        assert taken == hashlib.sha256(read.encode()).hexdigest()  # as in Dagster's `DataVersionCache`

    def test_a_changed_day_of_a_range_is_out_of_date_alone(self, settings, instance, land):
        days = ["2026-11-02", "2026-11-03", "2026-11-04"]
        for day in days:
            land(day, 6)
        defs = build_defs(settings, **own_models())
        assert materialise(defs, days, instance).success
        before = {day: self.tags(instance, day) for day in days}
        land("2026-11-03", 7)
        assert self.read_again(defs, instance, days).success
        stale = [self.stale(defs, instance, day) for day in days]
        assert "summaries" in stale[1]
        assert stale[::2] == [set(), set()]
        assert materialise(defs, days, instance).success
        assert [self.stale(defs, instance, day) for day in days] == [set()] * 3
        after = {day: self.tags(instance, day) for day in days}
        assert [after[day] == before[day] for day in days] == [True, False, True]

    def read_again(self, defs: dg.Definitions, instance: dg.DagsterInstance, days: list[str]):
        """Materialise `conversations` alone."""
        job = dg.Definitions.merge(
            defs, dg.Definitions(jobs=[dg.define_asset_job("reading", dg.AssetSelection.assets("conversations"))])
        ).resolve_job_def("reading")
        ends = {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}
        return job.execute_in_process(instance=instance, tags=ends)

    def tags(self, instance: dg.DagsterInstance, day: str) -> dict[str, dict[str, str]]:
        """The data versions on the latest materialisation of each asset for a day: its own, and of what it took."""
        found = {}
        for name in ASSET_NAMES:
            (record,) = instance.fetch_materializations(
                dg.AssetRecordsFilter(dg.AssetKey(name), asset_partitions=[day]), limit=1
            ).records
            tags = record.asset_materialization.tags
            found[name] = {tag: value for tag, value in tags.items() if "data_version" in tag}
        return found
