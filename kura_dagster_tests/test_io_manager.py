"""The IO manager with assets of a user's own: dictionaries, lazy partitions, days that fail, what Dagster hears."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from datetime import date

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from kura_dagster.orchestration.partition_loop import PARTITION_DONE, EachPartition
from kura_dagster.pipeline.failures import BudgetError
from kura_dagster.storage.database import Database, DatabaseError
from kura_dagster.storage.io_manager import DuckDBIOManager
from kura_dagster.storage.materialisations import report_each_partition
from kura_dagster.storage.partitioning import Partitioning
from kura_dagster.storage.tables import CONVERSATIONS, REJECTED_CONVERSATIONS, SUMMARIES
from kura_dagster_tests import rows

DAYS = [f"2026-11-{day:02}" for day in range(2, 16)]
SUMMARIES_KEY = dg.AssetKey("summaries")


@pytest.fixture
def database(settings) -> Database:
    return Database(settings.database)


@pytest.fixture
def materialise_summaries(settings, instance):
    """Run an asset `summaries` whose body is the given function of its context, over some days."""

    def run(body, days=DAYS, *, name="summaries", raise_on_error=False, reported=True):
        @dg.asset(
            name=name,
            io_manager_key="duckdb",
            partitions_def=dg.DailyPartitionsDefinition("2026-11-02", end_date="2026-12-01"),
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def asset(context):
            if reported:
                report_each_partition(context)
            return body(context)

        @dg.asset_check(asset=name, name="ran")
        def ran() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        return (
            dg.Definitions(
                assets=[asset],
                asset_checks=[ran],
                jobs=[dg.define_asset_job("job", dg.AssetSelection.all())],
                resources={"duckdb": DuckDBIOManager(database=str(settings.database))},
            )
            .resolve_job_def("job")
            .execute_in_process(
                instance=instance,
                raise_on_error=raise_on_error,
                tags={"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]},
            )
        )

    return run


def lazily(compute):
    return lambda context: EachPartition(context, compute, lambda rows: {"characters": len(rows[0].summary)})


def summary_of(key: str):
    return [rows.summary(int(key[-2:]), f"what {key} was about")]


def failing_on(*days: str, error: BaseException):
    def compute(key: str):
        if key in days:
            raise error
        return summary_of(key)

    return lazily(compute)


def materialisations(instance: dg.DagsterInstance) -> dict[str, list[dict]]:
    """The metadata of each materialisation event by partition."""
    found: dict[str, list[dict]] = {}
    for record in instance.fetch_materializations(SUMMARIES_KEY, limit=1000).records:
        metadata = {name: value.value for name, value in record.asset_materialization.metadata.items()}
        found.setdefault(record.partition_key, []).append(metadata)
    return found


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str, dict]:
    (event,) = [event for event in result.all_node_events if event.is_step_failure]
    said = event.step_failure_data.user_failure_data
    return said.description, {name: value.value for name, value in said.metadata.items()}


class TestASuccessfulRange:
    @pytest.mark.parametrize(
        "body", [lazily(summary_of), lambda context: {key: summary_of(key) for key in context.partition_keys}]
    )
    def test_every_partition_is_stored_and_reported_once(self, materialise_summaries, instance, database, body):
        assert materialise_summaries(body).success
        assert database.row_counts()["summaries"] == {date.fromisoformat(day): 1 for day in DAYS}
        found = materialisations(instance)
        assert sorted(found) == DAYS
        assert all(len(events) == 1 for events in found.values())
        assert all(events[0]["dagster/partition_row_count"] == 1 for events in found.values())

    def test_a_partition_is_stored_before_the_next_is_computed(self, materialise_summaries, database):
        seen = []

        def compute(key: str):
            seen.append(len(database.row_counts()["summaries"]))
            return summary_of(key)

        assert materialise_summaries(lazily(compute)).success
        assert seen == list(range(len(DAYS)))

    def test_a_partition_is_reported_before_the_next_is_computed(self, materialise_summaries, instance):
        """A process that is killed has had reported what it stored."""
        seen = []

        def compute(key: str):
            seen.append(len(instance.get_materialized_partitions(SUMMARIES_KEY)))
            return summary_of(key)

        assert materialise_summaries(lazily(compute)).success
        assert seen == list(range(len(DAYS)))

    def test_each_partition_has_its_own_figures_and_its_line_in_the_log(self, materialise_summaries, instance):
        result = materialise_summaries(lazily(summary_of))
        for (metadata,) in materialisations(instance).values():
            assert metadata["characters"] == len("what 2026-11-02 was about")
            assert metadata["seconds"] >= 0
        lines = [entry.user_message for entry in instance.all_logs(result.run_id) if entry.dagster_event is None]
        done = [line for line in lines if PARTITION_DONE.search(line)]
        assert [line.split()[0] for line in done] == DAYS
        assert done[-1].endswith("(14 of 14)")

    @pytest.mark.parametrize("times", [1, 2], ids=["days that are stored", "days whose rows are refused"])
    def test_no_more_than_one_partitions_rows_are_held(self, materialise_summaries, times):
        rows_of_all, held = [], []

        def compute(key: str):
            gc.collect()
            held.append(sum(row() is not None for row in rows_of_all))
            computed = summary_of(key)
            rows_of_all.extend(map(weakref.ref, computed))
            return computed * times

        assert materialise_summaries(lazily(compute)).success == (times == 1)
        assert held == [0] * len(DAYS)


class TestDaysThatFail:
    def test_the_others_are_stored_and_the_step_names_the_failing_ones(self, materialise_summaries, instance, database):
        database.replace_partitions({SUMMARIES: {date(2026, 11, 5): [rows.summary(1, "what was there before")]}})
        bad = ("2026-11-05", "2026-11-09")
        result = materialise_summaries(failing_on(*bad, error=RuntimeError("the provider is down")))
        assert not result.success
        description, metadata = failure_of(result)
        assert description == ("2 of 14 partitions failed.\n2026-11-05, 2026-11-09: RuntimeError: the provider is down")
        assert metadata["failed_partitions"] == dict.fromkeys(bad, "RuntimeError: the provider is down")
        assert database.load(SUMMARIES, date(2026, 11, 5))[0].summary == "what was there before"
        good = [day for day in DAYS if day not in bad]
        for day in good:
            assert database.load(SUMMARIES, date.fromisoformat(day))[0].summary == f"what {day} was about"
        assert instance.get_materialized_partitions(SUMMARIES_KEY) == set(good)
        for (event,) in materialisations(instance).values():
            assert event["dagster/partition_row_count"] == 1
            assert event["characters"] == len("what 2026-11-02 was about")
            assert "seconds" in event

    def test_the_log_holds_the_traceback_of_each(self, materialise_summaries, instance):
        result = materialise_summaries(failing_on("2026-11-05", error=RuntimeError("the provider is down")))
        (line,) = [
            entry.user_message
            for entry in instance.all_logs(result.run_id)
            if entry.dagster_event is None and entry.user_message.startswith("2026-11-05 failed")
        ]
        assert "in compute" in line
        assert "RuntimeError: the provider is down" in line

    def test_rows_that_do_not_fit_fail_their_own_day_only(self, materialise_summaries, database):
        def compute(key: str):
            return summary_of(key) * (2 if key == "2026-11-03" else 1)

        description, _ = failure_of(materialise_summaries(lazily(compute), DAYS[:3]))
        assert description.startswith("1 of 3 partitions failed.\n2026-11-03: ValueError: summaries has two rows with")
        assert list(database.row_counts()["summaries"]) == [date(2026, 11, 2), date(2026, 11, 4)]

    def test_running_again_mends_it_and_reports_each_day_once_more(self, materialise_summaries, instance):
        materialise_summaries(failing_on("2026-11-05", error=RuntimeError("the provider is down")))
        assert materialise_summaries(lazily(summary_of)).success
        counts = {key: len(events) for key, events in materialisations(instance).items()}
        assert counts == dict.fromkeys(DAYS, 2) | {"2026-11-05": 1}

    def test_an_interrupted_run_has_what_it_stored(self, materialise_summaries, instance):
        interrupt = DagsterExecutionInterruptedError()
        assert not materialise_summaries(failing_on("2026-11-05", error=interrupt)).success
        assert instance.get_materialized_partitions(SUMMARIES_KEY) == set(DAYS[:3])

    def test_a_database_that_cannot_be_used_ends_the_step_at_once(self, materialise_summaries, instance, settings):
        computed = []

        def compute(key: str):
            computed.append(key)
            if key == "2026-11-04":
                settings.database.write_text("no database any more")
            return summary_of(key)

        result = materialise_summaries(lazily(compute))
        (event,) = [event for event in result.all_node_events if event.is_step_failure]
        assert "is no database that DuckDB" in event.step_failure_data.error.to_string()
        assert computed == DAYS[:3]
        assert instance.get_materialized_partitions(SUMMARIES_KEY) == set(DAYS[:2])

    def test_a_language_model_that_cannot_be_asked_any_more_ends_the_step_with_its_reason_first(
        self, materialise_summaries, instance, database
    ):
        computed = []

        def compute(key: str):
            computed.append(key)
            if key == "2026-11-03":
                raise RuntimeError("something of that day")
            if key == "2026-11-05":
                raise BudgetError("The limit of 20 calls is reached.")
            return summary_of(key)

        description, metadata = failure_of(materialise_summaries(lazily(compute)))
        assert description.splitlines() == [
            "The limit of 20 calls is reached.",
            "2 of 14 partitions are stored, 2026-11-05 to 2026-11-15 are not done.",
            "2026-11-03: RuntimeError: something of that day",
        ]
        assert set(metadata["failed_partitions"]) == {"2026-11-03", *DAYS[3:]}
        assert computed == DAYS[:4]
        assert instance.get_materialized_partitions(SUMMARIES_KEY) == {"2026-11-02", "2026-11-04"}
        assert len(database.row_counts()["summaries"]) == 2


class TestWhatAnAssetReturns:
    def test_partitions_other_than_the_runs_are_refused_and_nothing_is_stored(self, materialise_summaries, database):
        with pytest.raises(ValueError, match=r"returned \['2026-11-02'\], but the run covers .*'2026-11-03'\]"):
            materialise_summaries(lambda context: {DAYS[0]: summary_of(DAYS[0])}, DAYS[:2], raise_on_error=True)
        assert database.row_counts()["summaries"] == {}

    def test_several_tables_are_replaced_in_one_transaction(self, materialise_summaries, database):
        def two_tables(context):
            tables = {"summaries": summary_of(DAYS[0]), "conversations": [rows.conversation(2)]}
            return {DAYS[0]: tables | {"rejected_conversations": [rows.summary(1)]}}

        assert not materialise_summaries(two_tables, DAYS[:1]).success
        counts = Counter({name: len(each) for name, each in database.row_counts().items()})
        assert counts.total() == 0

    def test_an_asset_without_a_table_is_told_which_have_one(self, materialise_summaries):
        with pytest.raises(ValueError, match="topics has no table; assets with one are conversations,"):
            materialise_summaries(lambda context: {DAYS[0]: []}, DAYS[:1], name="topics", raise_on_error=True)

    def test_an_asset_that_dagster_would_report_as_well_is_refused(self, materialise_summaries, database):
        def body(context):
            return {key: summary_of(key) for key in context.partition_keys}

        with pytest.raises(ValueError, match=r"summaries has to call report_each_partition\(context\)"):
            materialise_summaries(body, raise_on_error=True, reported=False)
        assert database.row_counts()["summaries"] == {}

    def test_the_partitioning_of_the_settings_reaches_the_database(self, settings, materialise_summaries):
        Database(settings.database, Partitioning("weekly", "UTC")).replace_partitions(
            {CONVERSATIONS: {date(2026, 11, 2): []}, REJECTED_CONVERSATIONS: {date(2026, 11, 2): []}}
        )
        with pytest.raises(DatabaseError, match="of KURA_CADENCE=weekly, but now KURA_CADENCE=daily"):
            materialise_summaries(lazily(summary_of), DAYS[:2], raise_on_error=True)


def test_each_partition_is_computed_only_when_it_is_asked_for(materialise_summaries):
    computed, partitions = [], []

    def body(context):
        partitions.append(EachPartition(context, computed.append, len))
        raise RuntimeError("before anything is stored")

    materialise_summaries(body)
    assert list(partitions[0]) == DAYS
    assert DAYS[0] in partitions[0]
    assert len(partitions[0]) == 14
    assert computed == []


def test_a_refused_value_is_quoted_in_no_event(materialise_summaries, settings, instance, capfd):
    """Run history outlives the deletion of a conversation, so no text of one may stand in it."""

    said_by_a_user = " ".join(["private", "words"])  # put together here: log lines quote the code

    def compute(key: str):
        try:
            return [rows.summary(1).model_validate({"chat_id": [said_by_a_user]})]
        except ValueError as error:
            raise error from ValueError(said_by_a_user)

    result = materialise_summaries(lazily(compute), DAYS[:1])
    assert not result.success
    said = "".join(str(event) for event in instance.all_logs(result.run_id)) + capfd.readouterr().err
    assert said_by_a_user not in said
    assert "ConversationSummary can't be made: " in said


def test_rows_are_stored_where_only_their_description_fails(materialise_summaries, database, instance):
    def describe(_):
        raise OSError("no font")

    def body(context):
        return EachPartition(context, summary_of, describe)

    result = materialise_summaries(body, DAYS[:2])
    assert result.success
    assert [len(database.load(SUMMARIES, date.fromisoformat(day))) for day in DAYS[:2]] == [1, 1]
    event = instance.get_latest_materialization_event(SUMMARIES_KEY)
    assert "OSError" in event.asset_materialization.metadata["not_described"].value
