"""The seven assets on Dagster: days of every size, ranges, checks, models of a user's own and what the UI is told."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import numpy as np
import pandas as pd
import pytest
import yaml

from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.assets.common import one_row_an_item
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.checks.completeness import COMPLETENESS_CHECKS
from kura_dagster.orchestration.freshness import CHECK_NAME
from kura_dagster.orchestration.materialise import RunReport, materialise, partition_keys_between
from kura_dagster.pipeline import clustering
from kura_dagster.pipeline.clustering import KmeansClusteringModel
from kura_dagster.pipeline.hierarchy import check_tree, get_root_clusters
from kura_dagster.pipeline.types import FailedItem
from kura_dagster.pipeline.vectors import cells, kmeans
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.partitioning import Partitioning
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    CONVERSATION_PROJECTIONS,
    CONVERSATIONS,
    EMBEDDINGS,
    META_CLUSTERS,
    PROJECTIONS,
    REJECTED_CONVERSATIONS,
    SUMMARIES,
    TABLES,
)
from kura_dagster_tests import rows
from kura_dagster_tests.conftest import land_day
from kura_dagster_tests.own_models import OpeningTurns, own_models

DAYS = [f"2026-11-0{day}" for day in range(2, 8)]
SIZES = dict(zip(DAYS, [0, 1, 2, 3, 30, 12], strict=True))


class Analysed(NamedTuple):
    """What a run made. Tests only look at it, or work on a `copy_of` the database."""

    settings: Settings
    instance: dg.DagsterInstance
    report: RunReport
    summary_model: OpeningTurns


def analysed(folder: Path, instance: dg.DagsterInstance, sizes: dict[str, int]) -> Analysed:
    settings = Settings.load(
        database=folder / "kura.duckdb", conversations=folder / "conversations", start_date="2026-11-02"
    )
    for day, size in sizes.items():
        if size:
            land_day(settings.conversations, day, size)
    summary_model = OpeningTurns()
    defs = build_defs(settings, **own_models(summary_model=summary_model))
    report = materialise(defs, list(sizes), instance)
    assert report.success, report.failures
    return Analysed(settings, instance, report, summary_model)


@pytest.fixture(scope="module")
def days_of_every_size(tmp_path_factory):
    with dg.DagsterInstance.ephemeral() as instance:
        yield analysed(tmp_path_factory.mktemp("days"), instance, SIZES)


@pytest.fixture(scope="module")
def one_day(tmp_path_factory):
    with dg.DagsterInstance.ephemeral() as instance:
        yield analysed(tmp_path_factory.mktemp("day"), instance, {"2026-11-02": 12})


def copy_of(made: Analysed, folder: Path) -> Settings:
    copy = shutil.copy(made.settings.database, folder / "copy.duckdb")
    return made.settings.model_copy(update={"database": Path(copy)})


def everything(database: Database) -> dict[str, pd.DataFrame]:
    return {name: database.frame(table) for name, table in TABLES.items()}


def assert_same_rows(left: dict[str, pd.DataFrame], right: dict[str, pd.DataFrame]) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(left[name], right[name])


class TestDaysOfEverySize:
    def test_each_day_goes_through_all_seven_assets_and_their_checks(self, days_of_every_size):
        report = days_of_every_size.report
        assert list(report.failed_checks) == ["conversations: volume_is_usual"]
        assert list(report.seconds_by_asset) == [asset.key.path[-1] for asset in ASSETS]
        database = Database(days_of_every_size.settings.database)
        for day, size in SIZES.items():
            when = date.fromisoformat(day)
            clusters = database.load(META_CLUSTERS, when)
            assert len(database.load(SUMMARIES, when)) == size
            assert sum(root.count for root in get_root_clusters(clusters)) == size
            assert check_tree(clusters) == []
            assert len(get_root_clusters(clusters)) <= 2
            assert len(database.load(PROJECTIONS, when)) == len(clusters)
            assert len(database.load(CONVERSATION_PROJECTIONS, when)) == size

    def test_a_range_gives_row_for_row_what_single_days_give(self, days_of_every_size, instance, tmp_path):
        settings = days_of_every_size.settings
        by_day = settings.model_copy(update={"database": tmp_path / "by_day.duckdb"})
        for day in reversed(DAYS):
            assert materialise(build_defs(by_day, **own_models()), [day], instance).success
        assert_same_rows(everything(Database(settings.database)), everything(Database(by_day.database)))

    def test_running_again_gives_the_same_rows(self, days_of_every_size, instance, tmp_path):
        settings = copy_of(days_of_every_size, tmp_path)
        before = everything(Database(settings.database))
        assert materialise(build_defs(settings, **own_models()), DAYS, instance).success
        assert_same_rows(before, everything(Database(settings.database)))

    def test_the_ui_is_told_each_partitions_own_figures(self, days_of_every_size):
        instance = days_of_every_size.instance
        for name in ("conversations", "summaries", "embeddings", "conversation_projections"):
            assert figures(instance, name, "dagster/partition_row_count") == SIZES
        assert figures(instance, "meta_clusters", "roots")["2026-11-06"] == 2
        tree = figures(instance, "meta_clusters", "hierarchy")["2026-11-06"]
        assert "reset my password please" in tree
        picture = figures(instance, "conversation_projections", "map")
        assert "data:image/png;base64," in picture["2026-11-06"]
        assert "2026-11-02" not in picture

    def test_models_of_a_users_own_are_opened_and_closed_once_a_run(self, days_of_every_size):
        summary_model = days_of_every_size.summary_model
        assert (summary_model.opened, summary_model.closed) == (1, 1)
        (row,) = Database(days_of_every_size.settings.database).load(SUMMARIES, date(2026, 11, 3))
        assert row.model == "opening turns"

    def test_a_run_over_two_weeks_holds_one_partition_at_a_time(self, settings, instance, land):
        landed, held = [], []

        class Watching(OpeningTurns):
            async def summarise(self, conversations, *arguments, **options):
                gc.collect()
                held.append(sum(row() is not None for row in landed))
                summaries = await super().summarise(conversations, *arguments, **options)
                landed.extend(map(weakref.ref, [*conversations, *summaries]))
                return summaries

        days = [f"2026-11-{day:02}" for day in range(2, 16)]
        for day in days:
            land(day, 4)
        models = own_models(summary_model=Watching())
        assert materialise(build_defs(settings, **models), days, instance).success
        assert len(landed) == 14 * 4 * 2
        assert held == [0] * 14


def figures(instance: dg.DagsterInstance, asset: str, name: str) -> dict[str, object]:
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=100).records
    found = {}
    for record in records:
        metadata = record.asset_materialization.metadata
        if name in metadata:
            found[record.partition_key] = metadata[name].value
    return dict(sorted(found.items()))


class TestBadInput:
    def test_a_bad_line_is_set_aside_with_its_reason_and_the_day_goes_on(self, settings, instance, land):
        land("2026-11-02", 3)
        with (settings.conversations / "2026-11-02.jsonl").open("a") as file:
            file.write('{"chat_id": "broken\n')
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert report.success
        assert list(report.failed_checks) == ["conversations: every_line_was_read"]
        (row,) = Database(settings.database).load(REJECTED_CONVERSATIONS, date(2026, 11, 2))
        assert (row.file, row.line) == ("2026-11-02.jsonl", 4)
        assert len(Database(settings.database).load(CONVERSATIONS, date(2026, 11, 2))) == 3

    def test_a_model_that_fails_leaves_what_was_stored_and_names_the_cause(self, settings, instance, land):
        class Failing(OpeningTurns):
            async def summarise(self, conversations, *arguments, **options):
                raise RuntimeError("the provider is down")

        land("2026-11-02", 3)
        materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        report = materialise(build_defs(settings, **own_models(summary_model=Failing())), ["2026-11-02"], instance)
        assert not report.success
        assert report.failures == {
            "summaries": "1 of 1 partitions failed.\n2026-11-02: RuntimeError: the provider is down"
        }
        assert len(Database(settings.database).load(SUMMARIES, date(2026, 11, 2))) == 3

    def test_a_file_that_is_no_database_is_named(self, settings, instance, land):
        land("2026-11-02", 3)
        settings.database.write_text("no database")
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert f"{settings.database} is no database that DuckDB" in report.failures["conversations"]


class TestSupersededLines:
    def test_they_are_counted_and_warn_nobody(self, settings, instance, land):
        land("2026-11-02", 3)
        again = (settings.conversations / "2026-11-02.jsonl").read_text().splitlines()[0]
        (settings.conversations / "2026-11-03.jsonl").write_text(again + "\n")
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert report.failed_checks == {}
        (row,) = Database(settings.database).load(REJECTED_CONVERSATIONS, date(2026, 11, 2))
        assert row.reason == "superseded by 2026-11-03.jsonl:1"
        assert figures(instance, "conversations", "superseded_lines") == {"2026-11-02": 1}
        assert figures(instance, "conversations", "unusable_lines") == {"2026-11-02": 0}
        assert not [entry for entry in instance.all_logs(report.run_id) if entry.level >= 30]

    def test_beside_them_an_unusable_line_still_warns(self, settings, instance, land):
        land("2026-11-02", 3)
        path = settings.conversations / "2026-11-02.jsonl"
        with path.open("a") as file:
            file.write(path.read_text().splitlines()[0] + "\n" + json.dumps({"chat_id": "broken"}) + "\n")
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance)
        assert report.failed_checks["conversations: every_line_was_read"].startswith(
            "1 found: partition 2026-11-02: 2026-11-02.jsonl line 5 is set aside"
        )
        assert figures(instance, "conversations", "superseded_lines") == {"2026-11-02": 1}
        assert figures(instance, "conversations", "unusable_lines") == {"2026-11-02": 1}


def run_checks(defs: dg.Definitions, instance: dg.DagsterInstance, selection: dg.AssetSelection):
    """Run checks by themselves, as from their page in the UI: without partitions."""
    checks = dg.Definitions(jobs=[dg.define_asset_job("checks", selection=selection)])
    job = dg.Definitions.merge(defs, checks).resolve_job_def("checks")
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    evaluations = result.get_asset_check_evaluations()
    looked_at = {check.name for check in COMPLETENESS_CHECKS}
    # Freshness is red: of the days since these nothing was analysed.
    assert all(each.passed for each in evaluations if each.check_name not in looked_at | {CHECK_NAME})
    return {each.asset_key.path[-1]: each for each in evaluations if each.check_name in looked_at}


ALL_CHECKS = dg.AssetSelection.all_asset_checks()


class TestChecks:
    @pytest.mark.parametrize(
        ("table", "asset", "damage"),
        [
            (SUMMARIES, "summaries", lambda rows: rows[1:]),
            (SUMMARIES, "summaries", lambda rows: []),
            (EMBEDDINGS, "embeddings", lambda rows: rows[1:]),
            (EMBEDDINGS, "embeddings", lambda rows: []),
            (EMBEDDINGS, "embeddings", lambda rows: [with_vector(rows[0], np.full(16, np.nan)), *rows[1:]]),
            (EMBEDDINGS, "embeddings", lambda rows: [with_vector(rows[0], np.ones(3)), *rows[1:]]),
            (BASE_CLUSTERS, "base_clusters", lambda rows: rows[1:]),
            (META_CLUSTERS, "meta_clusters", lambda rows: [row for row in rows if row.parent_id is not None]),
            (
                PROJECTIONS,
                "projections",
                lambda rows: [row.model_copy(update={"x_coord": float("inf")}) for row in rows],
            ),
            (CONVERSATION_PROJECTIONS, "conversation_projections", lambda rows: rows[1:]),
            (CONVERSATION_PROJECTIONS, "conversation_projections", lambda rows: []),
            (
                CONVERSATION_PROJECTIONS,
                "conversation_projections",
                lambda rows: [row.model_copy(update={"y_coord": float("inf")}) for row in rows],
            ),
            (
                CONVERSATION_PROJECTIONS,
                "conversation_projections",
                lambda rows: [row.model_copy(update={"cluster_id": rows[0].cluster_id}) for row in rows],
            ),
        ],
        ids=lambda value: getattr(value, "name", None),
    )
    def test_a_damaged_partition_fails_its_check(self, one_day, tmp_path, table, asset, damage):
        settings = copy_of(one_day, tmp_path)
        defs = build_defs(settings, **own_models())
        database = Database(settings.database)
        monday = date(2026, 11, 2)
        database.replace_partitions({table: {monday: damage(database.load(table, monday))}})
        (evaluation,) = run_checks(
            defs, one_day.instance, dg.AssetSelection.checks_for_assets(dg.AssetKey(asset))
        ).values()
        assert not evaluation.passed
        assert "2026-11-02" in evaluation.description

    def test_checks_run_by_themselves_cover_every_materialised_day_also_those_that_became_empty(
        self, settings, instance, land
    ):
        for day in ("2026-11-02", "2026-11-03"):
            land(day, 3)
        defs = build_defs(settings, **own_models())
        materialise(defs, ["2026-11-02", "2026-11-03"], instance)
        evaluations = run_checks(defs, instance, ALL_CHECKS)
        assert len(evaluations) == 6
        assert all(each.passed and each.metadata["partitions"].value == 2 for each in evaluations.values())
        Database(settings.database).replace_partitions({CONVERSATIONS: {date(2026, 11, 3): []}})
        evaluations = run_checks(defs, instance, ALL_CHECKS)
        assert {name for name, each in evaluations.items() if not each.passed} == {
            "summaries",
            "embeddings",
            "base_clusters",
        }
        assert "partition 2026-11-03: summaries holds" in evaluations["summaries"].description

    def test_no_check_loads_whole_rows(self, one_day, monkeypatch):
        defs = build_defs(one_day.settings, **own_models())
        read = []
        load_columns = Database.load_columns

        def watched(database, columns, dates):
            read.append({f"{table.name}.{name}" for table, names in columns.items() for name in names})
            return load_columns(database, columns, dates)

        monkeypatch.delattr(Database, "load")
        monkeypatch.setattr(Database, "load_columns", watched)
        assert all(each.passed for each in run_checks(defs, one_day.instance, ALL_CHECKS).values())
        assert len(read) == 11, "the checks of a step read together"
        assert not {"conversations.messages", "summaries.metadata"} & set().union(*read)


def with_vector(row, vector):
    return row.model_copy(update={"embedding": vector})


class TestCadence:
    def test_an_hour_holds_the_conversations_of_its_hour(self, settings, instance, land):
        land("2026-11-02", 90)
        hourly = Settings.load(**settings.model_dump() | {"cadence": "hourly"})
        assert materialise(
            build_defs(hourly, **own_models()), ["2026-11-02-08:00", "2026-11-02-09:00"], instance
        ).success
        counts = Database(settings.database, Partitioning("hourly", "UTC")).row_counts()["conversations"]
        assert list(counts.values()) == [60, 30]

    def test_a_week_holds_its_days(self, settings, instance, land):
        for day in ("2026-11-08", "2026-11-09", "2026-11-14"):
            land(day, 5)  # the first is a Sunday, and weeks begin on Mondays
        weekly = Settings.load(**settings.model_dump() | {"cadence": "weekly"})
        defs = build_defs(weekly, **own_models())
        assert materialise(defs, ["2026-11-02", "2026-11-09"], instance).success
        counts = Database(settings.database, Partitioning("weekly", "UTC")).row_counts()["conversations"]
        assert counts == {date(2026, 11, 2): 5, date(2026, 11, 9): 10}

    def test_the_hour_that_comes_twice_in_autumn_is_two_partitions(self, settings, instance):
        settings.conversations.mkdir()
        hourly = settings.model_dump() | {"cadence": "hourly", "timezone": "Europe/Berlin", "start_date": "2026-10-24"}
        berlin = Settings.load(**hourly)
        keys = partition_keys_between(berlin, date(2026, 10, 25), date(2026, 10, 25))
        assert len(keys) == 25
        row = rows.conversation(1, when=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
        (settings.conversations / "2026-10-25.jsonl").write_text(row.model_dump_json() + "\n")
        assert materialise(build_defs(berlin, **own_models()), keys, instance).success
        counts = Database(settings.database, Partitioning("hourly", "Europe/Berlin")).row_counts()["conversations"]
        assert list(counts.values()) == [1]

    @pytest.mark.parametrize(
        ("changed", "key", "said"),
        [
            ({"cadence": "hourly"}, "2026-11-02-08:00", "KURA_CADENCE=daily, but now KURA_CADENCE=hourly"),
            ({"cadence": "weekly"}, "2026-11-02", "KURA_CADENCE=daily, but now KURA_CADENCE=weekly"),
            (
                {"cadence": "monthly", "start_date": "2026-10-01"},
                "2026-10-01",
                "KURA_CADENCE=daily, but now KURA_CADENCE=monthly",
            ),
            ({"timezone": "Asia/Tokyo"}, "2026-11-02", "KURA_TIMEZONE=UTC, but now KURA_TIMEZONE=Asia/Tokyo"),
        ],
    )
    def test_a_database_of_another_cadence_or_timezone_is_refused(self, one_day, tmp_path, changed, key, said):
        settings = copy_of(one_day, tmp_path)
        other = Settings.load(**settings.model_dump() | changed)
        with dg.DagsterInstance.ephemeral() as fresh:
            report = materialise(build_defs(other, **own_models()), [key], fresh)
        assert said in report.failures["conversations"]
        assert len(Database(settings.database).load(CONVERSATIONS, date(2026, 11, 2))) == 12

    def test_another_start_date_is_no_other_partitioning(self, settings, instance, land):
        land("2026-11-02", 3)
        land("2026-11-03", 4)
        assert materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance).success
        later = Settings.load(**settings.model_dump() | {"start_date": "2026-11-03"})
        assert materialise(build_defs(later, **own_models()), ["2026-11-03"], instance).success
        assert len(Database(settings.database).frame(CONVERSATIONS)) == 7


class TestLineage:
    def test_the_assets_stand_in_the_order_of_the_pipeline(self, settings):
        graph = build_defs(settings, **own_models()).resolve_asset_graph()
        parents = {
            key.path[-1]: {parent.path[-1] for parent in graph.get(key).parent_keys}
            for key in graph.get_all_asset_keys()
        }
        assert parents == {
            "conversations": set(),
            "summaries": {"conversations"},
            "embeddings": {"conversations", "summaries"},
            "base_clusters": {"summaries", "embeddings"},
            "meta_clusters": {"base_clusters"},
            "projections": {"meta_clusters"},
            "conversation_projections": {"embeddings", "projections"},
        }

    def test_every_asset_tells_what_a_row_is_and_what_a_re_run_costs(self, settings):
        graph = build_defs(settings, **own_models()).resolve_asset_graph()
        for key in graph.get_all_asset_keys():
            node = graph.get(key)
            assert all(part in node.description for part in ("A row is", "Computed from", "Re-running"))
            assert node.group_name
            assert node.kinds
            assert node.owners
            (partition, *columns) = node.metadata["dagster/column_schema"].columns
            assert (partition.name, partition.type) == ("partition_date", "DATE")
            assert [column.name for column in columns] == [column.name for column in TABLES[key.path[-1]].columns]

    def test_the_schema_tells_the_partitions_type(self, settings):
        hourly = Settings.load(**settings.model_dump() | {"cadence": "hourly"})
        node = build_defs(hourly, **own_models()).resolve_asset_graph().get(dg.AssetKey("summaries"))
        assert node.metadata["dagster/column_schema"].columns[0].type == "TIMESTAMPTZ"

    def test_a_frame_is_loaded_where_the_annotation_asks_for_one(self, settings, instance, land):
        land("2026-11-09", 4)
        land("2026-11-10", 5)
        defs = build_defs(settings, **own_models())
        materialise(defs, ["2026-11-09", "2026-11-10"], instance)
        seen = []

        @dg.asset(
            partitions_def=dg.WeeklyPartitionsDefinition("2026-11-08"),
            ins={"summaries": dg.AssetIn(input_manager_key="duckdb")},
        )
        def requests_of_the_week(summaries: pd.DataFrame) -> None:
            seen.append(summaries)

        job = dg.define_asset_job("weekly", selection=dg.AssetSelection.assets(requests_of_the_week))
        merged = dg.Definitions.merge(defs, dg.Definitions(assets=[requests_of_the_week], jobs=[job]))
        merged.resolve_job_def("weekly").execute_in_process(partition_key="2026-11-08", instance=instance)
        assert len(seen[0]) == 9
        assert seen[0].partition_date.nunique() == 2


def test_a_cluster_that_failed_twice_is_one_row():
    failures = [
        FailedItem(item_id="a", error="no label", model="openai/m"),
        FailedItem(item_id="b", error="no label", model="openai/m"),
        FailedItem(item_id="a", error="no name", model="openai/m"),
        FailedItem(item_id="a", error="no label", model="openai/m"),
    ]
    assert [(row.item_id, row.error, row.model) for row in one_row_an_item(failures)] == [
        ("a", "no label; no name", "openai/m"),
        ("b", "no label", "openai/m"),
    ]


class TestListening:
    def test_the_listener_hears_the_run_and_nothing_after_it(self, settings, instance, land):
        land("2026-11-02", 1)
        heard = []
        report = materialise(build_defs(settings, **own_models()), ["2026-11-02"], instance, heard.append)
        assert heard
        heard.clear()
        instance.report_engine_event("afterwards", instance.get_run_by_id(report.run_id))
        assert heard == []

    def test_it_is_let_go_also_where_the_run_cannot_start(self, settings, instance):
        def listener(entry):
            pass

        reference = weakref.ref(listener)
        with pytest.raises(ValueError, match="no partition"):
            materialise(build_defs(settings, **own_models()), ["no partition"], instance, listener)
        del listener
        gc.collect()
        assert reference() is None


def test_how_a_large_day_is_clustered_stands_in_the_runs_log(settings, tmp_path, monkeypatch):
    logs = yaml.safe_load((Path(__file__).parents[1] / "dagster.yaml").read_text())["python_logs"]
    for module in (cells, kmeans, clustering):
        monkeypatch.setattr(module, "ROWS_UNCUT", 20)
    for module in (cells, clustering):
        monkeypatch.setattr(module, "CELL_ROWS", 4)
    land_day(settings.conversations, DAYS[0], 30)
    own = own_models(clustering_method=KmeansClusteringModel())
    with dg.instance_for_test(overrides={"python_logs": logs}) as instance:
        report = materialise(build_defs(settings, **own), [DAYS[0]], instance)
        messages = [entry.user_message for entry in instance.all_logs(report.run_id)]
    assert report.success, report.failures
    assert "30 conversations are cut into cells of about 4; k-means runs in each" in messages
