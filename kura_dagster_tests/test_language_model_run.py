"""The seven assets with a language model and API embeddings, over real sockets: what is stored, set aside and paid."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import RunReport, materialise
from kura_dagster.orchestration.progress import RunWatch, watched_by
from kura_dagster.orchestration.questions import LANGUAGE_MODEL_POOL
from kura_dagster.pipeline.hierarchy import check_tree, get_root_clusters
from kura_dagster.pipeline.types import ExtractedProperty
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    EMBEDDINGS,
    FAILED,
    FAILED_EMBEDDINGS,
    FAILED_SUMMARIES,
    META_CLUSTERS,
    PROJECTIONS,
    SUMMARIES,
)
from kura_dagster_tests import rows
from kura_dagster_tests.conftest import REQUESTS, with_settings
from kura_dagster_tests.loopback_server import Faults
from kura_dagster_tests.own_models import OpeningTurns, own_models

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]
MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
DAYS = ["2026-11-02", "2026-11-03"]
ASKING = ["summaries", "embeddings", "base_clusters", "meta_clusters"]
SUBJECTS = "kettles violins bicycles tulips invoices telescopes passports sourdough kayaks beehives".split()
DOINGS = "repairing selling painting storing comparing cleaning insuring photographing".split()
POISON = "the question that is never answered"
PRICES = {"openai/gpt-4o-mini": {"input": 1, "output": 10}, "openai/text-embedding-3-small": {"input": 0.5}}

Land = Callable[..., None]


@pytest.fixture
def language_model_settings(settings: Settings) -> Settings:
    return with_settings(
        settings,
        language_model="openai/gpt-4o-mini",
        embedding_model="openai/text-embedding-3-small",
        projection="pca",
        clusters_per_group=2,
        max_clusters=3,
        prices=PRICES,
    )


@pytest.fixture
def land_texts(settings: Settings) -> Land:
    """Land a day of conversations that all differ; the first `poisoned` hold a text that the server knows."""

    def write(day: str, count: int, *, poisoned: int = 0) -> None:
        settings.conversations.mkdir(parents=True, exist_ok=True)
        with (settings.conversations / f"{day}.jsonl").open("w") as file:
            for number in range(count):
                when = datetime.fromisoformat(day).replace(hour=8, tzinfo=UTC) + timedelta(minutes=number)
                about = f"{DOINGS[number // 10 % 8]} {SUBJECTS[number % 10]}, case {number} of {when:%A}"
                text = f"Help me with {about}{f': {POISON}' if number < poisoned else ''}"
                row = rows.conversation(number, text, when).model_dump(mode="json")
                file.write(json.dumps(row | {"chat_id": f"{day}-{number:04}"}) + "\n")

    return write


def run(settings: Settings, instance: dg.DagsterInstance, days: list[str] = DAYS[:1], **options: Any) -> RunReport:
    return materialise(build_defs(settings, **options), days, instance)


def figures(instance: dg.DagsterInstance, report: RunReport) -> dict[tuple[str, str], dict[str, Any]]:
    """The metadata of the run's materialisations, by asset and partition."""
    found = {}
    for entry in instance.all_logs(report.run_id):
        event = entry.dagster_event
        if event is not None and event.is_step_materialization:
            materialisation = event.step_materialization_data.materialization
            found[(materialisation.asset_key.path[-1], materialisation.partition)] = {
                name: value.value for name, value in materialisation.metadata.items()
            }
    return found


def failed_checks(report: RunReport) -> dict[str, str]:
    """What checks warned of but for the names, which are alike where the server makes them of texts that are."""
    return {name: said for name, said in report.failed_checks.items() if "names_tell" not in name}


def log_lines(instance: dg.DagsterInstance, report: RunReport) -> list[str]:
    return [entry.user_message for entry in instance.all_logs(report.run_id) if entry.dagster_event is None]


def failed(settings: Settings) -> dict[str, int]:
    database = Database(settings.database)
    return {asset: len(database.load(table, MONDAY)) for asset, table in FAILED.items()}


class TestARun:
    def test_two_days_go_through_the_language_model_on_one_client(
        self, server, language_model_settings, instance, land
    ):
        land("2026-11-02", 24)
        land("2026-11-03", 3)
        report = run(language_model_settings, instance, DAYS)
        assert report.success, report.failures
        assert report.failed_checks == {}
        database = Database(language_model_settings.database)
        summaries = database.load(SUMMARIES, MONDAY)
        assert len(summaries) == 24
        assert {row.model for row in summaries} == {"openai/gpt-4o-mini"}
        assert all(row.user_frustration is not None and row.request for row in summaries)
        assert {row.metadata["channel"] for row in summaries} == {"web"}
        assert {row.model for row in database.load(EMBEDDINGS, MONDAY)} == {"openai/text-embedding-3-small"}
        base, meta = database.load(BASE_CLUSTERS, MONDAY), database.load(META_CLUSTERS, MONDAY)
        assert {row.model for row in base} == {"openai/gpt-4o-mini"}
        assert len({row.name for row in base}) == len(base)
        assert check_tree(meta) == []
        assert len(get_root_clusters(meta)) <= 3
        assert server.stats.by_schema["GeneratedSummary"] == len(REQUESTS), "the same conversation is asked about once"
        assert len(database.load(SUMMARIES, TUESDAY)) == 3
        deadline = time.monotonic() + 5
        while server.open_connections and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.open_connections == 0, "the run left clients open"

    def test_neither_ids_nor_metadata_reach_the_provider(self, server, language_model_settings, instance, land):
        land("2026-11-02", 12)
        assert run(language_model_settings, instance).success
        sent = "\n".join(server.stats.prompts) + str(list(server.stats.bodies))
        assert "reset my password please" in sent
        for hidden in ("2026-11-02-00", "channel", "web"):
            assert hidden not in sent

    def test_a_missing_key_says_which_variable_to_set(
        self, server, language_model_settings, instance, land, monkeypatch
    ):
        monkeypatch.delenv("OPENAI_API_KEY")
        land("2026-11-02", 2)
        report = run(language_model_settings, instance)
        assert not report.success
        assert "OPENAI_API_KEY" in " ".join(report.failures.values())

    def test_a_stage_may_ask_another_model_or_none(self, server, language_model_settings, instance, land_texts):
        land_texts("2026-11-02", 12)
        settings = with_settings(
            language_model_settings,
            summary_language_model="extractive",
            cluster_language_model="openai/gpt-4.1-mini",
        )
        report = run(settings, instance)
        assert report.success, report.failures
        database = Database(settings.database)
        assert {row.model for row in database.load(SUMMARIES, MONDAY)} == {"extractive"}
        assert {row.model for row in database.load(BASE_CLUSTERS, MONDAY)} == {"openai/gpt-4.1-mini"}
        base = {row.cluster_id for row in database.load(BASE_CLUSTERS, MONDAY)}
        parents = [row for row in database.load(META_CLUSTERS, MONDAY) if row.cluster_id not in base]
        assert {row.model for row in parents} == {"openai/gpt-4o-mini"}
        assert "calls" not in figures(instance, report)["summaries", "2026-11-02"]

    def test_extractors_find_their_clients_and_land_in_the_metadata(
        self, server, language_model_settings, instance, land_texts
    ):
        async def length(conversation, sems, clients):
            async with sems["measure"]:
                return ExtractedProperty(name="length", value=clients["measure"](conversation.messages[0].content))

        land_texts("2026-11-02", 5)
        report = run(
            language_model_settings,
            instance,
            extractors=[length],
            clients={"measure": len},
            concurrent_requests={"measure": 2},
        )
        assert report.success, report.failures
        stored = Database(language_model_settings.database).load(SUMMARIES, MONDAY)
        assert [row.metadata["length"] > 20 for row in stored] == [True] * 5

    def test_extractors_without_a_language_model_are_refused(self, settings):
        with pytest.raises(ValueError, match="set KURA_LANGUAGE_MODEL or KURA_SUMMARY_LANGUAGE_MODEL"):
            build_defs(settings, extractors=[print])


class TestWhatFails:
    def test_below_the_limit_the_day_goes_on_without_it_and_the_next_run_mends_it(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40, poisoned=1)
        server.faults = Faults(fail_on=POISON, status=400)
        report = run(language_model_settings, instance)
        assert report.success, report.failures
        (said,) = failed_checks(report).items()
        assert said[0] == "summaries: failures_below_limit"
        for part in ("2026-11-02: 1 of 40 conversations have no summary", "KURA_FAILURE_LIMIT=0.05", "status 400"):
            assert part in said[1]
        database = Database(language_model_settings.database)
        (row,) = database.load(FAILED_SUMMARIES, MONDAY)
        assert (row.item_id, row.model) == ("2026-11-02-0000", "openai/gpt-4o-mini")
        assert POISON not in row.error
        for table in (SUMMARIES, EMBEDDINGS):
            assert len(database.load(table, MONDAY)) == 39
        assert sum(cluster.count for cluster in database.load(BASE_CLUSTERS, MONDAY)) == 39
        assert figures(instance, report)["summaries", "2026-11-02"]["failed_summaries_rows"] == 1
        assert figures(instance, report)["summaries", "2026-11-02"]["failures"] == 1

        server.reset()
        again = run(language_model_settings, instance)
        assert again.success, again.failures
        assert failed_checks(again) == {}
        assert server.stats.by_schema["GeneratedSummary"] == 1, "only what failed is asked again"
        assert set(failed(language_model_settings).values()) == {0}
        assert len(database.load(EMBEDDINGS, MONDAY)) == 40

    def test_a_text_that_the_embedding_api_refuses_is_set_aside_and_the_day_goes_on(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40)
        extractive = with_settings(language_model_settings, summary_language_model="extractive")
        server.faults = Faults(embedding_fail_on="case 7 ", status=400)
        report = run(extractive, instance)
        assert report.success, report.failures
        (said,) = failed_checks(report).items()
        assert said[0] == "embeddings: failures_below_limit"
        for part in ("2026-11-02: 1 of 40 conversations have no embedding", "status 400", "failed_embeddings"):
            assert part in said[1]
        database = Database(extractive.database)
        (row,) = database.load(FAILED_EMBEDDINGS, MONDAY)
        assert (row.item_id, row.model) == ("2026-11-02-0007", "openai/text-embedding-3-small")
        assert len(database.load(EMBEDDINGS, MONDAY)) == 39
        clustered = [chat_id for cluster in database.load(BASE_CLUSTERS, MONDAY) for chat_id in cluster.chat_ids]
        assert len(clustered) == 39
        assert row.item_id not in clustered
        found = figures(instance, report)["embeddings", "2026-11-02"]
        assert (found["failed_embeddings_rows"], found["failures"], found["dimensions"]) == (1, 1, 384)

        server.reset()
        server.faults = Faults(embedding_fail_on="case 7 ", status=400)
        assert run(extractive, instance).success
        assert server.stats.embedded_texts == 1, "only what was refused is asked again"
        server.reset()
        assert failed_checks(run(extractive, instance)) == {}
        assert len(database.load(EMBEDDINGS, MONDAY)) == 40

    def test_too_many_refused_texts_fail_the_asset_after_storing_the_rest(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40)
        extractive = with_settings(language_model_settings, summary_language_model="extractive")
        server.faults = Faults(embedding_fail_on="case 1", status=400)  # and 10 to 19
        report = run(extractive, instance)
        assert list(report.failures) == ["embeddings: failures_below_limit"]
        database = Database(extractive.database)
        assert len(database.load(EMBEDDINGS, MONDAY)) == 29
        assert database.load(BASE_CLUSTERS, MONDAY) == []

    @pytest.mark.parametrize("damaged", [EMBEDDINGS, FAILED_EMBEDDINGS])
    def test_a_missing_vector_that_is_not_among_the_failed_fails_the_checks(
        self, server, language_model_settings, instance, land_texts, damaged
    ):
        land_texts("2026-11-02", 40)
        extractive = with_settings(language_model_settings, summary_language_model="extractive")
        server.faults = Faults(embedding_fail_on="case 7 ", status=400)
        assert run(extractive, instance).success
        name = "every_conversation_has_an_embedding"
        assert run_check(extractive, instance, "embeddings", name).passed
        database = Database(extractive.database)
        database.replace_partitions({damaged: {MONDAY: database.load(damaged, MONDAY)[1:]}})
        evaluation = run_check(extractive, instance, "embeddings", name)
        assert not evaluation.passed
        assert "is missing from embeddings" in evaluation.description

    def test_above_the_limit_the_asset_fails_after_storing_the_rest(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40, poisoned=10)
        server.faults = Faults(fail_on=POISON, status=400)
        report = run(language_model_settings, instance)
        assert list(report.failures) == ["summaries: failures_below_limit"]
        (said,) = report.failures.values()
        for part in ("10 of 40 conversations", "(0.25)", "more than KURA_FAILURE_LIMIT=0.05", "10 times: ", "again"):
            assert part in said
        database = Database(language_model_settings.database)
        assert len(database.load(SUMMARIES, MONDAY)) == 30
        assert failed(language_model_settings)["summaries"] == 10
        assert database.load(EMBEDDINGS, MONDAY) == []

        # With a higher limit the same day goes on without them.
        lenient = with_settings(language_model_settings, failure_limit=0.25)
        report = run(lenient, instance)
        assert report.success, report.failures
        assert list(failed_checks(report)) == ["summaries: failures_below_limit"]
        assert len(database.load(PROJECTIONS, MONDAY)) > 0

    def test_clusters_that_cannot_be_named_are_set_aside_too(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40)
        assert run(language_model_settings, instance).success
        renamed = with_settings(
            language_model_settings,
            cluster_language_model="openai/gpt-4.1-mini",
            meta_cluster_language_model="openai/gpt-4.1-mini",
            failure_limit=1.0,
        )
        server.faults = Faults(fail_on="group", status=400)
        report = run(renamed, instance)
        assert report.success, report.failures
        assert set(failed_checks(report)) == {
            "base_clusters: failures_below_limit",
            "meta_clusters: failures_below_limit",
        }
        assert "because it was given no name" in report.failed_checks["base_clusters: names_tell_clusters_apart"]
        assert "clusters have no name" in report.failed_checks["base_clusters: failures_below_limit"]
        database = Database(language_model_settings.database)
        named = {cluster.cluster_id: cluster.name for cluster in database.load(BASE_CLUSTERS, MONDAY)}
        aside = [row.item_id for row in database.load(FAILED["base_clusters"], MONDAY)]
        assert aside
        assert all(named[cluster_id].startswith("Unnamed cluster") for cluster_id in aside)
        assert failed(language_model_settings)["meta_clusters"] > 0
        assert check_tree(database.load(META_CLUSTERS, MONDAY)) == []

    def test_a_missing_summary_that_is_not_among_the_failed_fails_the_check(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40, poisoned=1)
        server.faults = Faults(fail_on=POISON, status=400)
        assert run(language_model_settings, instance).success
        database = Database(language_model_settings.database)
        for damage in ({FAILED_SUMMARIES: []}, {SUMMARIES: database.load(SUMMARIES, MONDAY)[1:]}):
            kept = {table: database.load(table, MONDAY) for table in damage}
            database.replace_partitions({table: {MONDAY: rows} for table, rows in damage.items()})
            evaluation = run_check(language_model_settings, instance, "summaries", "every_conversation_has_a_summary")
            assert not evaluation.passed
            assert "is missing from summaries" in evaluation.description
            database.replace_partitions({table: {MONDAY: rows} for table, rows in kept.items()})
        assert run_check(language_model_settings, instance, "summaries", "every_conversation_has_a_summary").passed


def run_check(settings: Settings, instance: dg.DagsterInstance, asset: str, name: str) -> dg.AssetCheckEvaluation:
    selection = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(asset), name))
    job = dg.Definitions.merge(
        build_defs(settings), dg.Definitions(jobs=[dg.define_asset_job("one_check", selection=selection)])
    ).resolve_job_def("one_check")
    (evaluation,) = job.execute_in_process(instance=instance, raise_on_error=False).get_asset_check_evaluations()
    return evaluation


class TestMoney:
    def test_the_figures_add_up_to_the_servers_own(self, server, language_model_settings, instance, land_texts):
        for day in DAYS:
            land_texts(day, 12)
        report = run(language_model_settings, instance, DAYS)
        assert report.success, report.failures
        found = figures(instance, report)
        spent = {key: figure for key, figure in found.items() if "calls" in figure}
        assert set(spent) == {(asset, day) for asset in ASKING for day in DAYS}
        stats = server.stats
        assert sum(each["calls"] for each in spent.values()) == stats.chat + stats.embeddings
        assert sum(each["output_tokens"] for each in spent.values()) == stats.output_tokens
        assert sum(each["input_tokens"] for each in spent.values()) == stats.input_tokens
        by_summaries = [found["summaries", day] for day in DAYS]
        assert [each["calls"] for each in by_summaries] == [12, 12]
        for each in by_summaries:
            assert isinstance(each["cost_usd"], float)
            assert each["cost_usd"] == pytest.approx(
                (each["input_tokens"] + 10 * each["output_tokens"]) / 1e6, abs=1e-6
            )
        assert "calls" not in found["conversations", "2026-11-02"]

        server.reset()
        again = run(language_model_settings, instance, DAYS)
        assert again.success, again.failures
        assert (server.stats.chat, server.stats.embeddings) == (0, 0)
        for (asset, day), each in figures(instance, again).items():
            if asset in ASKING:
                assert (each["calls"], each["input_tokens"], each["cost_usd"]) == (0, 0, 0.0)
                assert each["cache_hits"] >= spent[asset, day]["calls"]

    def test_one_more_conversation_costs_its_summary_and_the_clusters_it_changed(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40)
        assert run(language_model_settings, instance).success
        server.reset()
        land_texts("2026-11-02", 41)
        report = run(language_model_settings, instance)
        assert report.success, report.failures
        assert figures(instance, report)["summaries", "2026-11-02"]["calls"] == 1
        assert server.stats.by_schema["GeneratedSummary"] == 1

    def test_an_unknown_price_is_no_number(self, server, language_model_settings, instance, land_texts):
        land_texts("2026-11-02", 4)
        settings = with_settings(language_model_settings, language_model="openai/our-own-model", prices=None)
        report = run(settings, instance)
        assert report.success, report.failures
        found = figures(instance, report)["summaries", "2026-11-02"]
        assert found["cost_usd_unknown_for"] == "openai/our-own-model"
        assert "cost_usd" not in found
        assert found["calls"] == 4

    def test_a_model_without_a_price_makes_only_its_own_costs_unknown(
        self, server, language_model_settings, instance, land_texts
    ):
        for day in DAYS:
            land_texts(day, 8)
        settings = with_settings(language_model_settings, cluster_language_model="openai/our-own-model")
        report = run(settings, instance, DAYS)
        assert report.success, report.failures
        found = figures(instance, report)
        for (asset, _), each in found.items():
            assert each.get("cost_usd_unknown_for") == ("openai/our-own-model" if asset == "base_clusters" else None)
            assert ("cost_usd" in each) == (asset in ASKING and asset != "base_clusters")
        again = run(settings, instance, DAYS)
        for (asset, _), each in figures(instance, again).items():
            assert each.get("cost_usd") == (0.0 if asset in ASKING else None)

    @pytest.mark.parametrize("asked", ["a stage", "embeddings", "an extractor"])
    def test_a_limit_of_cost_is_refused_before_anything_is_paid_where_a_price_is_missing(
        self, server, language_model_settings, instance, land_texts, asked
    ):
        async def nothing(conversation, sems, clients):
            return []

        land_texts("2026-11-02", 4)
        unknown = {"a stage": "meta_cluster_language_model", "embeddings": "embedding_model"}
        changed = {unknown[asked]: "openai/our-own-model"} if asked in unknown else {}
        options = {"extractors": [nothing], "clients": {"small": "openai/our-own-model"}} if not changed else {}
        report = run(with_settings(language_model_settings, max_cost_usd=5, **changed), instance, **options)
        assert not report.success
        assert "The price of openai/our-own-model is unknown" in " ".join(report.failures.values())
        assert (server.stats.chat, server.stats.embeddings) == (0, 0)

    @pytest.mark.parametrize("limit", [{"max_calls": 20}, {"max_cost_usd": 0.045}])
    def test_a_limit_keeps_what_was_bought_and_the_next_run_pays_only_the_rest(
        self, server, language_model_settings, instance, land_texts, limit
    ):
        for day in DAYS:
            land_texts(day, 15)
        watch = RunWatch()
        slowly = with_settings(language_model_settings, max_concurrent_requests=2)
        with watched_by(watch):
            report = run(with_settings(slowly, **limit), instance, DAYS)
        # What is made of the day that was stored asks too, and is refused as well.
        assert next(iter(report.failures)) == "summaries"
        assert all(f"KURA_{next(iter(limit)).upper()}" in said for said in report.failures.values())
        first, second, *_ = report.failures["summaries"].splitlines()
        assert f"KURA_{next(iter(limit)).upper()}" in first
        assert second == "1 of 2 partitions are stored, 2026-11-03 is not done."
        assert instance.get_materialized_partitions(dg.AssetKey("summaries")) == {"2026-11-02"}
        assert 15 <= server.stats.by_schema["GeneratedSummary"] < 30
        assert server.stats.chat + server.stats.embeddings == watch.spent.calls <= limit.get("max_calls", 30)
        assert watch.spent.cost_usd <= limit.get("max_cost_usd", 1)
        database = Database(language_model_settings.database)
        assert (len(database.load(SUMMARIES, MONDAY)), len(database.load(SUMMARIES, TUESDAY))) == (15, 0)

        report = run(slowly, instance, DAYS)
        assert report.success, report.failures
        assert server.stats.by_schema["GeneratedSummary"] == 30, "nothing is paid twice"

    def test_a_refused_key_stops_at_once(self, server, language_model_settings, instance, land_texts):
        for day in DAYS:
            land_texts(day, 100)
        server.faults = Faults(require_key="another one")
        report = run(language_model_settings, instance, DAYS)
        assert "OPENAI_API_KEY" in report.failures["summaries"].splitlines()[0]
        assert report.failures["summaries"].splitlines()[1] == (
            "0 of 2 partitions are stored, 2026-11-02 to 2026-11-03 are not done."
        )
        assert server.stats.chat <= 5

    def test_a_model_of_ones_own_has_no_figures_of_ours(self, server, language_model_settings, instance, land_texts):
        land_texts("2026-11-02", 4)
        report = run(language_model_settings, instance, summary_model=OpeningTurns())
        assert report.success, report.failures
        found = figures(instance, report)
        assert "cost_usd" not in found["summaries", "2026-11-02"]
        assert "cost_usd" in found["base_clusters", "2026-11-02"]


class TestProgress:
    LINE = re.compile(r"^2026-11-02 (.+): ([\d,]+) of ([\d,]+), ([\d,]+) from cache, ([\d,]+) failed, [\d.]+ USD$")

    def test_the_log_has_the_first_and_the_last_of_each_kind_of_question(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40, poisoned=1)
        server.faults = Faults(fail_on=POISON, status=400)
        report = run(language_model_settings, instance)
        found = [match.groups() for line in log_lines(instance, report) if (match := self.LINE.match(line))]
        of_summaries = [each[1:] for each in found if each[0] == "summaries"]
        assert of_summaries[0][:2] == ("1", "40")
        assert of_summaries[-1] == ("40", "40", "0", "1")
        assert len(of_summaries) <= 12
        assert len({each[0] for each in found}) >= 3

    def test_a_second_run_says_that_all_comes_from_the_cache(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40)
        assert run(language_model_settings, instance).success
        report = run(language_model_settings, instance)
        found = [match.groups() for line in log_lines(instance, report) if (match := self.LINE.match(line))]
        assert found
        assert [each for each in found if each[1] != each[3]] == []

    def test_who_watches_sees_every_answer(self, server, language_model_settings, instance, land_texts):
        land_texts("2026-11-02", 20)
        seen = []
        with watched_by(RunWatch(seen.append)):
            report = run(language_model_settings, instance)
        assert report.success, report.failures
        of_summaries = [each for each in seen if each.what == "summaries"]
        assert [each.done for each in of_summaries] == list(range(1, 21))
        assert all(each.latest for each in of_summaries)
        assert of_summaries[-1].cost_usd > 0

    def test_a_run_that_is_stopped_says_how_far_it_came_and_what_it_spent(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 40)
        server.latency = 0.01
        report = run(with_settings(language_model_settings, max_calls=25), instance)
        assert not report.success
        *_, progress, spending = [line for line in log_lines(instance, report) if line.startswith("2026-11-02 ")]
        assert self.LINE.match(progress)[2] == "25"
        tokens = f"{server.stats.input_tokens:,} tokens in, {server.stats.output_tokens:,} out"
        assert spending.startswith(
            "2026-11-02 asked: 25 calls (0 of them repeated), 0 answers from the cache, 0 failed"
        )
        assert tokens in spending

    def test_what_is_waited_for_is_in_the_log_and_seen_by_who_watches(
        self, server, language_model_settings, instance, land_texts
    ):
        land_texts("2026-11-02", 6)
        server.faults = Faults(status_every=4, status=429, retry_after="0.1")
        seen = []
        with watched_by(RunWatch(on_notice=seen.append)):
            report = run(language_model_settings, instance)
        assert report.success, report.failures
        assert any("1 × status 429; asked again in" in line for line in log_lines(instance, report))
        assert any("1 × status 429; asked again in" in notice for notice in seen)

    def test_embeddings_of_an_api_report_too(self, server, language_model_settings, instance, land_texts):
        land_texts("2026-11-02", 8)
        report = run(language_model_settings, instance)
        found = [match.groups() for line in log_lines(instance, report) if (match := self.LINE.match(line))]
        assert ("embeddings", "8", "8", "0", "0") in found


class TestPools:
    def test_assets_that_ask_a_language_model_are_in_its_pool(self, language_model_settings, settings):
        defs = build_defs(with_settings(language_model_settings, cluster_language_model="extractive"))
        pools = {asset.key.path[-1]: asset.op.pool for asset in defs.assets}
        assert {name for name, pool in pools.items() if pool == LANGUAGE_MODEL_POOL} == {"summaries", "meta_clusters"}
        assert {asset.op.pool for asset in build_defs(settings).assets} == {None}
        assert {asset.op.pool for asset in build_defs(language_model_settings, **own_models()).assets} == {None}
