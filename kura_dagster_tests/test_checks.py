"""Checks that tell an unusual partition from a usual one: its volume, unusable lines, clusters, names and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from kura_dagster.orchestration.asset_metadata import describe_spending
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.checks import cluster_names
from kura_dagster.orchestration.checks.check import CheckedPartitions
from kura_dagster.orchestration.checks.cluster_names import CLUSTER_NAME_CHECKS
from kura_dagster.orchestration.checks.cost import cost_checks
from kura_dagster.orchestration.checks.volume import is_unusual
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.partitions import partitions_from
from kura_dagster.orchestration.run_history import ERASED, forget_in_history
from kura_dagster.pipeline.base_clusters import NAMELESS, OUTLIERS_NAME
from kura_dagster.pipeline.language_model.ledger import Spent
from kura_dagster.pipeline.types import Cluster
from kura_dagster.sample.generator import generate_conversations
from kura_dagster.sample.rhythm import CLOSED_DAY, OUTAGE_DAY
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.partitioning import Partitioning
from kura_dagster.storage.tables import BASE_CLUSTERS, CONVERSATIONS, META_CLUSTERS
from kura_dagster_tests import rows
from kura_dagster_tests.conftest import with_settings
from kura_dagster_tests.own_models import own_models

MONDAY = date(2026, 11, 2)
PRICES = {"openai/gpt-4o-mini": {"input": 1, "output": 10}}


def evaluate(settings: Settings, instance: dg.DagsterInstance, asset: str, name: str) -> dg.AssetCheckEvaluation:
    """Run one check by itself, as from its page in the UI: over all materialised partitions."""
    selection = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(asset), name))
    job = dg.Definitions(jobs=[dg.define_asset_job("one_check", selection=selection)])
    defs = dg.Definitions.merge(build_defs(settings), job)
    result = defs.resolve_job_def("one_check").execute_in_process(instance=instance, raise_on_error=False)
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def faults(evaluation: dg.AssetCheckEvaluation) -> dict[str, str]:
    """What was found, by partition."""
    if "first_faults" not in evaluation.metadata:
        return {}
    told = evaluation.metadata["first_faults"].value
    return dict(each.removeprefix("partition ").split(": ", 1) for each in told)  # type: ignore[union-attr]


def store_days(settings: Settings, instance: dg.DagsterInstance, counts: Mapping[date, int]) -> None:
    """Store so many conversations a day, and say that `conversations` of these days was materialised."""
    Database(settings.database).replace_partitions(
        {CONVERSATIONS: {day: [rows.conversation(number) for number in range(count)] for day, count in counts.items()}}
    )
    for day in counts:
        instance.report_runless_asset_event(dg.AssetMaterialization("conversations", partition=day.isoformat()))


def days(*counts: int) -> dict[date, int]:
    return {MONDAY + timedelta(days=number): count for number, count in enumerate(counts)}


class TestVolume:
    def volume(self, settings: Settings, instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
        return evaluate(settings, instance, "conversations", "volume_is_usual")

    def test_of_the_samples_days_it_names_the_outage_and_the_closed_day_and_no_other(self, settings, instance):
        counts = Counter(each.conversation.created_at.date() for each in generate_conversations())
        store_days(settings, instance, {MONDAY + timedelta(days=each): 0 for each in range(14)} | dict(counts))
        evaluation = self.volume(settings, instance)
        assert not evaluation.passed
        assert evaluation.severity is dg.AssetCheckSeverity.WARN
        assert faults(evaluation) == {
            OUTAGE_DAY.isoformat(): "3 conversations; the median of the 3 partitions before is 219; is the landing "
            "folder complete?",
            CLOSED_DAY.isoformat(): "0 conversations; the median of the 6 partitions before is 216.5; is the landing "
            "folder complete?",
        }
        assert "Not judged: 3 partitions from 2026-11-02 to 2026-11-04" in evaluation.description
        figures = evaluation.metadata["by_partition"].value
        assert figures["2026-11-08"] == {"conversations": 0, "median_before": 216.5}

    def test_the_last_partitions_figures_are_numbers_to_plot(self, settings, instance):
        store_days(settings, instance, days(20, 24, 22, 21))
        evaluation = self.volume(settings, instance)
        assert evaluation.passed
        assert {name: evaluation.metadata[name].value for name in ("faults", "conversations", "median_before")} == {
            "faults": 0,
            "conversations": 21,
            "median_before": 22,
        }

    def test_a_partition_without_enough_before_it_passes_and_says_so(self, settings, instance):
        store_days(settings, instance, days(20, 24, 0))
        evaluation = self.volume(settings, instance)
        assert evaluation.passed
        assert evaluation.description == (
            "Not judged: 3 partitions from 2026-11-02 to 2026-11-04, fewer than 3 partitions before have conversations."
        )

    @pytest.mark.parametrize("weekend", [6, 0])
    def test_a_weekend_like_others_warns_the_first_time_only(self, settings, instance, weekend):
        store_days(settings, instance, days(*([30] * 5 + [weekend] * 2) * 4))
        assert list(faults(self.volume(settings, instance))) == ["2026-11-07", "2026-11-08"]

    def test_a_weekend_that_is_lost_is_unlike_others(self, settings, instance):
        store_days(settings, instance, days(*([30] * 5 + [8] * 2) * 2, 30, 30, 30, 30, 30, 0))
        (fault,) = [fault for key, fault in faults(self.volume(settings, instance)).items() if key > "2026-11-08"]
        assert fault == (
            "0 conversations; the median of the 7 partitions before is 30, that of the same weekday in the weeks "
            "before 8; is the landing folder complete?"
        )

    def test_an_outage_of_ten_days_warns_on_each(self, settings, instance):
        store_days(settings, instance, days(*[30] * 14, *[0] * 10, 30))
        assert list(faults(self.volume(settings, instance))) == [f"2026-11-{day}" for day in range(16, 26)]

    def test_what_landed_twice_is_too_many(self, settings, instance):
        store_days(settings, instance, days(10, 10, 10, 31))
        (fault,) = faults(self.volume(settings, instance)).values()
        assert fault.endswith("was something landed twice?")
        wider = with_settings(settings, check_volume_factor=3.2)
        assert self.volume(wider, instance).passed

    def test_so_many_partitions_before_count_as_the_setting_says(self, settings, instance):
        store_days(settings, instance, days(100, 100, 100, 100, 10, 10, 10, 100))
        assert "2026-11-09" not in faults(self.volume(settings, instance))
        fewer = with_settings(settings, check_trailing_partitions=3)
        # By its weekday a week before, it is usual; by the three days before it is not.
        assert "2026-11-09" not in faults(self.volume(fewer, instance))
        Database(settings.database).replace_partitions({CONVERSATIONS: {MONDAY: []}})
        assert "2026-11-09" in faults(self.volume(fewer, instance))

    def test_an_hour_is_compared_with_the_same_hour(self, settings, instance):
        hourly = with_settings(settings, cadence="hourly")
        traffic = {3: 1, 8: 20}  # conversations by hour of the day: the fifth day's eighth hour is lost
        counts = {
            datetime(2026, 11, day, hour, tzinfo=UTC): 0 if (day, hour) == (6, 8) else count
            for day in range(2, 7)
            for hour, count in traffic.items()
        }
        Database(settings.database, Partitioning("hourly", "UTC")).replace_partitions(
            {CONVERSATIONS: {when: [rows.conversation(each) for each in range(n)] for when, n in counts.items()}}
        )
        for when in counts:
            instance.report_runless_asset_event(
                dg.AssetMaterialization("conversations", partition=when.strftime("%Y-%m-%d-%H:%M"))
            )
        assert faults(self.volume(hourly, instance)) == {
            "2026-11-06-08:00": "0 conversations; the median of the 4 partitions at this hour before is 20; is the "
            "landing folder complete?"
        }

    def test_a_year_opens_the_database_once(self, settings, instance, monkeypatch):
        year = with_settings(settings, start_date="2025-01-01")
        store_days(year, instance, {date(2025, 1, 1) + timedelta(days=each): 6 for each in range(365)})
        opened = []
        original = Database._attached

        def counting(database: Database, **options: Any) -> Any:
            opened.append(options)
            return original(database, **options)

        monkeypatch.setattr(Database, "_attached", counting)
        evaluation = self.volume(year, instance)
        assert evaluation.metadata["partitions"].value == 365
        assert len(opened) == 1
        assert len(evaluation.metadata["by_partition"].value) == 100

    @pytest.mark.parametrize(
        ("count", "typical", "unusual"),
        [
            (0, 4, False),
            (0, 5, True),
            (33, 100, True),
            (34, 100, False),
            (300, 100, False),
            (301, 100, True),
            (5, 1, False),
            (6, 1, True),
            (0, 0, False),
        ],
    )
    def test_a_handful_more_or_less_is_chance(self, count, typical, unusual):
        assert is_unusual(count, typical, 3) is unusual


class TestUnusableLines:
    def land_bad_lines(self, settings: Settings, count: int) -> None:
        with (settings.conversations / "2026-11-02.jsonl").open("a") as file:
            file.write('{"chat_id": "broken"}\n' * count)

    def test_a_day_of_which_many_lines_cannot_be_read_goes_no_further(self, settings, instance, land):
        land("2026-11-02", 15)
        self.land_bad_lines(settings, 10)
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert not report.success
        (said,) = report.failures.values()
        assert list(report.failures) == ["conversations: most_lines_were_read"]
        assert said.startswith(
            "1 found: partition 2026-11-02: 10 of 25 landed lines (0.4) can't be used, more than "
            "KURA_CHECK_REJECTED_SHARE=0.3; the first is 2026-11-02.jsonl line 16:"
        )
        assert instance.get_materialized_partitions(dg.AssetKey("conversations")) == {"2026-11-02"}
        assert instance.get_materialized_partitions(dg.AssetKey("summaries")) == set()
        raised = with_settings(settings, check_rejected_share=0.5)
        again = materialise(build_defs(raised, **own_models()), ["2026-11-02"], instance)
        assert again.success, again.failures
        assert list(again.failed_checks) == ["conversations: every_line_was_read"]

    def test_a_few_lines_of_a_small_day_only_warn(self, settings, instance, land):
        land("2026-11-02", 1)
        self.land_bad_lines(settings, 9)
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert report.success, report.failures
        assert list(report.failed_checks) == ["conversations: every_line_was_read"]

    def test_superseded_lines_do_not_count(self, settings, instance, land):
        land("2026-11-02", 15)
        path = settings.conversations / "2026-11-02.jsonl"
        path.write_text(path.read_text() * 3)
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert (report.success, report.failures, report.failed_checks) == (True, {}, {})


def clusters_of(*sizes: int, outliers: int = 0) -> list[Cluster]:
    """Clusters of these sizes, no two with a conversation or a name in common."""
    made = []
    first = 0
    for size, name in zip((*sizes, outliers), names_for(len(sizes)), strict=True):
        if size:
            made.append(rows.cluster(*range(first, first + size), name=name))
        first += size
    if outliers:
        made[-1] = made[-1].model_copy(update={"name": OUTLIERS_NAME, "is_outlier": True})
    return made


def names_for(count: int) -> list[str]:
    return [f"{chr(65 + number % 26) * 12} {chr(97 + number // 26) * 12}" for number in range(count + 1)]


def store_clusters(settings: Settings, instance: dg.DagsterInstance, clusters: Sequence[Cluster]) -> None:
    Database(settings.database).replace_partitions({BASE_CLUSTERS: {MONDAY: clusters}})
    instance.report_runless_asset_event(dg.AssetMaterialization("base_clusters", partition="2026-11-02"))


class TestClusterSizes:
    def sizes(self, settings: Settings, instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
        return evaluate(settings, instance, "base_clusters", "cluster_sizes_are_useful")

    def test_useful_sizes_pass_and_are_figures(self, settings, instance):
        store_clusters(settings, instance, clusters_of(20, 20, 1, outliers=9))
        evaluation = self.sizes(settings, instance)
        assert evaluation.passed, evaluation.description
        assert {name: value.value for name, value in evaluation.metadata.items() if "share" in name} == {
            "largest_share": 0.4,
            "single_member_share": 0.3333,
            "unclustered_share": 0.18,
        }

    @pytest.mark.parametrize(
        ("clusters", "changed", "said"),
        [
            (
                clusters_of(30, 20),
                {"check_largest_cluster_share": 0.6},
                '("AAAAAAAAAAAA aaaaaaaaaaaa") holds 30 of 50 conversations (0.6, more than '
                "KURA_CHECK_LARGEST_CLUSTER_SHARE=0.5)",
            ),
            (
                clusters_of(25, 25, 1, 1, 1),
                {"check_single_member_share": 0.6},
                "3 of 5 clusters have one member (0.6, more than KURA_CHECK_SINGLE_MEMBER_SHARE=0.5): cluster ",
            ),
            (
                clusters_of(11, 11, outliers=28),
                {"check_unclustered_share": 0.56},
                f'("{OUTLIERS_NAME}") holds 0.56 of 50 conversations, which are in no cluster, more than '
                "KURA_CHECK_UNCLUSTERED_SHARE=0.5",
            ),
        ],
        ids=["a giant", "crumbs", "left out"],
    )
    def test_each_limit_warns_names_the_cluster_and_can_be_raised(self, settings, instance, clusters, changed, said):
        store_clusters(settings, instance, clusters)
        evaluation = self.sizes(settings, instance)
        (fault,) = faults(evaluation).values()
        assert said in fault
        assert any(cluster.cluster_id in fault for cluster in clusters)
        assert evaluation.severity is dg.AssetCheckSeverity.WARN
        assert self.sizes(with_settings(settings, **changed), instance).passed

    def test_of_a_small_day_nothing_is_said(self, settings, instance):
        store_clusters(settings, instance, clusters_of(48, 1))
        evaluation = self.sizes(settings, instance)
        assert evaluation.passed
        assert evaluation.description == "Not judged: 2026-11-02, fewer than 50 conversations have a vector."


class TestNames:
    def named(self, *names: str, outlier: str | None = None) -> list[Cluster]:
        clusters = [rows.cluster(number, name=name) for number, name in enumerate(names)]
        if outlier:
            clusters.append(rows.cluster(99, name=outlier).model_copy(update={"is_outlier": True}))
        return sorted(clusters, key=lambda cluster: cluster.cluster_id)

    @pytest.mark.parametrize(
        ("names", "told"),
        [
            (["Reset a password", "Cancel an order", "Get a refund"], []),
            (["Reset a password", "reset a PASSWORD"], ["could be taken for"]),
            (["Reset the password", "Reset the passwords"], ["could be taken for"]),
            (["Reset a password", "Reset a password (2)"], ["could be taken for"]),
            ([NAMELESS, f"{NAMELESS} (2)", "Get a refund"], ["was given no name", "was given no name"]),
            (["Get a refund", "  "], ["has no name"]),
        ],
    )
    def test_names_that_tell_nothing_apart_are_told_with_their_ids(self, settings, instance, names, told):
        clusters = self.named(*names, outlier=OUTLIERS_NAME)
        store_clusters(settings, instance, clusters)
        evaluation = evaluate(settings, instance, "base_clusters", "names_tell_clusters_apart")
        said = evaluation.metadata["first_faults"].value if told else []
        assert len(said) == len(told)
        for fault, part in zip(said, told, strict=True):
            assert part in fault
            assert any(cluster.cluster_id in fault for cluster in clusters)
        assert evaluation.passed is not bool(told)
        assert evaluation.metadata["indistinct_names"].value == len(told)

    def test_what_is_above_others_is_compared_with_all_of_the_hierarchy(self):
        below = [rows.cluster(1, name="Get a refund"), rows.cluster(2, name="get a refund")]
        other = rows.cluster(3, 4, name="Cancel the orders")
        first, second = (rows.cluster(1, 2, name="Cancel the order"), rows.cluster(3, 4, 5, name="Ask about money"))
        tree = [
            *(each.model_copy(update={"parent_id": first.cluster_id}) for each in below),
            other.model_copy(update={"parent_id": second.cluster_id}),
            first,
            second,
        ]
        (check,) = [check for check in CLUSTER_NAME_CHECKS if check.table is META_CLUSTERS]
        (fault,) = check.find({META_CLUSTERS.name: tree}).faults
        told, alike = fault.split(" could be taken for ")
        assert told == f'cluster {first.cluster_id} ("Cancel the order")'
        assert alike == f'{other.cluster_id} ("Cancel the orders")'

    def test_what_a_check_quoted_is_erased_from_run_history(self, settings, instance):
        clusters = self.named("Sell my zeppelin", "Sell my zeppelins")
        for day in (MONDAY + timedelta(days=1), MONDAY):
            Database(settings.database).replace_partitions({BASE_CLUSTERS: {day: clusters}})
            materialisation = dg.AssetMaterialization("base_clusters", partition=day.isoformat())
            instance.report_runless_asset_event(materialisation)
            evaluate(settings, instance, "base_clusters", "names_tell_clusters_apart")
        assert forget_in_history(instance, ["chat-0001"], ["2026-11-02"]) == 1
        of_both, of_tuesday = self.history(instance)
        assert of_both.description == ERASED
        assert "zeppelin" not in str(of_both)
        assert of_both.metadata["faults"].value == 2, "figures stay"
        assert "zeppelin" in of_tuesday.description
        newest, oldest = (str(instance.all_logs(run.run_id)) for run in instance.get_runs())
        assert "zeppelin" not in newest
        assert "zeppelin" in oldest

    def history(self, instance: dg.DagsterInstance) -> list[dg.AssetCheckEvaluation]:
        key = dg.AssetCheckKey(dg.AssetKey("base_clusters"), "names_tell_clusters_apart")
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
        return [record.event.dagster_event.event_specific_data for record in records]


def spent(usd: float | None, tokens: int, *, calls: int = 20, cache_hits: int = 0) -> Spent:
    unpriced = {} if usd is not None else {"openai/own": calls}
    return Spent(calls=calls, cache_hits=cache_hits, input_tokens=tokens, known_usd=usd or 0.0, unpriced_calls=unpriced)


KEPT = spent(0.0, 0, calls=0, cache_hits=20)


class TestCost:
    @pytest.fixture
    def asking(self, settings: Settings) -> Settings:
        return with_settings(settings, language_model="openai/gpt-4o-mini", prices=PRICES)

    def pay(self, instance: dg.DagsterInstance, day: date, *runs: Spent, asset: str = "summaries") -> None:
        """Record what runs of a day paid for an asset; the check is of the days of `meta_clusters`."""
        for name, figures in [(asset, describe_spending(each)) for each in runs] + [("meta_clusters", {})]:
            instance.report_runless_asset_event(
                dg.AssetMaterialization(name, partition=day.isoformat(), metadata=figures)
            )

    def cost(self, settings: Settings, instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
        return evaluate(settings, instance, "meta_clusters", "cost_is_usual")

    def test_a_dear_day_warns_with_what_most_of_it_was_for(self, asking, instance):
        store_days(asking, instance, days(10, 20, 40, 10))
        for day, count in list(days(10, 20, 40).items()):
            self.pay(instance, day, spent(0.002 * count, 300 * count))
            self.pay(instance, day, spent(0.001 * count, 100 * count), asset="base_clusters")
        thursday = MONDAY + timedelta(days=3)
        self.pay(instance, thursday, spent(0.084, 5000))
        self.pay(instance, thursday, spent(0.005, 500), asset="meta_clusters")
        assert self.cost(asking, instance).passed
        self.pay(instance, thursday, spent(0.011, 800), asset="meta_clusters")
        evaluation = self.cost(asking, instance)
        assert not evaluation.passed
        assert evaluation.severity is dg.AssetCheckSeverity.WARN
        assert faults(evaluation) == {
            "2026-11-05": "10 USD per 1,000 conversations; the median of the 3 partitions before is 3; 84% of it is "
            "for summaries"
        }
        assert evaluation.metadata["usd_per_1000_conversations"].value == 10
        assert evaluation.metadata["tokens_per_conversation"].value == 630
        assert self.cost(with_settings(asking, check_cost_factor=4), instance).passed

    def test_runs_that_found_all_answers_kept_do_not_lower_what_is_usual(self, asking, instance):
        counts = days(*[20] * 9)
        store_days(asking, instance, counts)
        *before, last = counts
        for day in before[:4]:
            self.pay(instance, day, spent(0.04, 8000), KEPT, KEPT)
        for day in before[4:]:
            self.pay(instance, day, KEPT)
        self.pay(instance, last, spent(0.05, 9000), KEPT)
        evaluation = self.cost(asking, instance)
        assert evaluation.passed
        # Of the first four days three have too few before them.
        assert evaluation.description == (
            "Not judged: 3 partitions from 2026-11-02 to 2026-11-04, fewer than 3 partitions before paid anything."
        )
        assert evaluation.metadata["usd_per_1000_conversations"].value == 2.5
        assert evaluation.metadata["median_usd_before"].value == 2

    def test_a_day_that_paid_nothing_is_as_usual(self, asking, instance):
        store_days(asking, instance, days(20, 20, 20, 20))
        for day in days(20, 20, 20):
            self.pay(instance, day, spent(0.04, 8000))
        self.pay(instance, MONDAY + timedelta(days=3), KEPT)
        assert self.cost(asking, instance).passed

    def test_without_a_price_tokens_are_compared(self, asking, instance):
        store_days(asking, instance, days(20, 20, 20, 20))
        for day in days(20, 20, 20):
            self.pay(instance, day, spent(None, 2000))
        self.pay(instance, MONDAY + timedelta(days=3), spent(None, 6020))
        evaluation = self.cost(asking, instance)
        assert faults(evaluation) == {
            "2026-11-05": "301 tokens a conversation; the median of the 3 partitions before is 100; 100% of it is for "
            "summaries"
        }
        assert "usd_per_1000_conversations" not in evaluation.metadata

    def test_days_of_a_few_conversations_are_not_judged_and_do_not_count(self, asking, instance):
        store_days(asking, instance, days(20, 20, 9, 20, 9))
        for day in days(20, 20, 9):
            self.pay(instance, day, spent(0.001, 200))
        for day in (MONDAY + timedelta(days=3), MONDAY + timedelta(days=4)):
            self.pay(instance, day, spent(9.0, 200))
        evaluation = self.cost(asking, instance)
        assert evaluation.passed
        assert evaluation.description == (
            "Not judged: 3 partitions from 2026-11-02 to 2026-11-05, fewer than 3 partitions before paid anything. "
            "Not judged: 2 partitions from 2026-11-04 to 2026-11-06, fewer than 10 conversations."
        )

    def test_days_that_paid_nothing_are_passed_over_to_earlier_ones(self, asking, instance):
        counts = days(*[20] * 12)
        store_days(asking, instance, counts)
        *before, last = counts
        for day in before:
            self.pay(instance, day, spent(0.04, 8000) if day in before[:4] else KEPT)
        self.pay(instance, last, spent(0.2, 9000))
        (check,) = cost_checks(asking, ["summaries"])
        one = {last.isoformat(): last}
        checked = CheckedPartitions(one, partitions_from(asking), Database(asking.database), instance)
        examination = check.begin(checked)
        examination.look_at(last.isoformat(), {})
        assert "the median of the 4 partitions before is 2;" in (examination.result().description or "")

    def test_it_stands_where_the_last_asset_asks_and_nowhere_where_none_does(self, settings, asking):
        def assets_with_it(chosen: Settings) -> list[str]:
            keys = build_defs(chosen).resolve_asset_graph().asset_check_keys
            return [key.asset_key.path[-1] for key in keys if key.name == "cost_is_usual"]

        assert assets_with_it(settings) == []
        assert assets_with_it(asking) == ["meta_clusters"]
        only_vectors = with_settings(settings, embedding_model="openai/text-embedding-3-small")
        assert assets_with_it(only_vectors) == ["embeddings"]


def test_a_warning_that_breaks_does_not_stop_what_is_downstream(settings, instance, land, monkeypatch):
    def broken(names: Sequence[str]) -> list[int | None]:
        raise RuntimeError("out of order")

    monkeypatch.setattr(cluster_names, "near_duplicates", broken)
    land("2026-11-02", 6)
    report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
    assert report.failures == {
        "base_clusters_warning_checks": "RuntimeError: out of order",
        "meta_clusters_warning_checks": "RuntimeError: out of order",
    }
    assert instance.get_materialized_partitions(dg.AssetKey("conversation_projections")) == {"2026-11-02"}


def test_the_ui_is_told_the_limits_in_force(settings):
    chosen = with_settings(settings, check_volume_factor=2.5, check_rejected_share=0.125, check_trailing_partitions=5)
    graph = build_defs(chosen).resolve_asset_graph()
    told = {key.name: graph.get(key).description or "" for key in graph.asset_check_keys}
    assert "1/2.5" in told["volume_is_usual"]
    assert "the 5 partitions before" in told["volume_is_usual"]
    assert "KURA_CHECK_REJECTED_SHARE (0.125)" in told["most_lines_were_read"]
    assert all(told.values())
