"""A day that fails in a run of several: the others get to the map, it is named, and --missing does just that one."""

from __future__ import annotations

from datetime import date

import dagster as dg
import pandas as pd
import pytest

from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import RunReport, materialise
from kura_dagster.orchestration.missing_partitions import missing_partitions
from kura_dagster.pipeline.failures import SomeFailed
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import FAILED_SUMMARIES, SUMMARIES, TABLES
from kura_dagster_tests.conftest import land_day
from kura_dagster_tests.own_models import OpeningTurns, own_models

DAYS = [f"2026-11-{day:02}" for day in range(2, 7)]
BAD = DAYS[2]
GOOD = {day for day in DAYS if day != BAD}


class FailingOnBadDay(OpeningTurns):
    async def summarise(self, conversations, *arguments, **options):
        if any(each.chat_id.startswith(BAD) for each in conversations):
            raise RuntimeError("the provider is down")
        return await super().summarise(conversations, *arguments, **options)


class RefusedOnBadDay(OpeningTurns):
    """Gives a text that no database holds: half a character."""

    async def summarise(self, conversations, *arguments, **options):
        found = await super().summarise(conversations, *arguments, **options)
        for each in found:
            if each.chat_id.startswith(BAD):
                each.summary = "\ud800"
        return found


def done(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    return {asset.key.path[-1]: instance.get_materialized_partitions(asset.key) for asset in ASSETS}


def run(settings: Settings, instance: dg.DagsterInstance, keys=DAYS, **models) -> RunReport:
    return materialise(build_defs(settings, **own_models(**models)), list(keys), instance)


@pytest.fixture
def landed(settings, land):
    for day in DAYS:
        land(day, 3)


def break_landing_file(settings: Settings) -> None:
    path = settings.conversations / f"{BAD}.jsonl"
    path.unlink()
    path.symlink_to("/proc/self/mem")  # reading its beginning is an I/O error, whoever reads


@pytest.mark.usefixtures("landed")
@pytest.mark.parametrize(
    ("asset", "bad", "reason", "model"),
    [
        # A file that was cut in another time zone holds conversations of its neighbours' days too.
        ("conversations", DAYS[1:4], f"OSError: {BAD}.jsonl cannot be read", OpeningTurns),
        ("summaries", [BAD], "RuntimeError: the provider is down", FailingOnBadDay),
        ("summaries", [BAD], "ValueError: DuckDB refuses the rows: ", RefusedOnBadDay),
    ],
    ids=["a landing file that cannot be read", "a model that fails", "rows that are refused"],
)
def test_the_other_days_get_to_the_map_and_missing_does_just_that_one(
    settings, instance, tmp_path, asset, bad, reason, model
):
    if asset == "conversations":
        break_landing_file(settings)
    report = run(settings, instance, summary_model=model())
    assert not report.success
    assert instance.get_run_by_id(report.run_id).status is dg.DagsterRunStatus.FAILURE
    assert list(report.failures) == [asset]
    assert report.failures[asset].startswith(f"{len(bad)} of 5 partitions failed.\n{', '.join(bad)}: {reason}")
    assert report.failed_checks == {}
    names = list(done(instance))
    before = names[: names.index(asset)]
    assert done(instance) == {name: set(DAYS) if name in before else set(DAYS) - set(bad) for name in names}

    assert missing_partitions(instance, DAYS) == bad
    if asset == "conversations":
        (settings.conversations / f"{BAD}.jsonl").unlink()
        land_day(settings.conversations, BAD, 3)
    assert run(settings, instance, missing_partitions(instance, DAYS)).success
    assert missing_partitions(instance, DAYS) == []
    uninterrupted = settings.model_copy(update={"database": tmp_path / "uninterrupted.duckdb"})
    with dg.DagsterInstance.ephemeral() as other:
        assert run(uninterrupted, other).success
    for table in TABLES.values():
        pd.testing.assert_frame_equal(
            Database(settings.database).frame(table), Database(uninterrupted.database).frame(table)
        )


@pytest.mark.usefixtures("landed")
def test_what_an_earlier_run_made_of_the_bad_day_is_left_as_it_was(settings, instance):
    assert run(settings, instance).success
    before = Database(settings.database).frame(TABLES["base_clusters"])
    land_day(settings.conversations, DAYS[0], 2)
    assert not run(settings, instance, summary_model=FailingOnBadDay()).success
    after = Database(settings.database).frame(TABLES["base_clusters"])
    bad = pd.Timestamp(BAD)
    of_bad = [frame[frame.partition_date == bad].reset_index(drop=True) for frame in (before, after)]
    pd.testing.assert_frame_equal(*of_bad)
    assert len(of_bad[0]) > 0
    assert len(after[after.partition_date == pd.Timestamp(DAYS[0])]) > 0
    assert missing_partitions(instance, DAYS) == [BAD], "failed, though an older run has done it"


@pytest.mark.usefixtures("landed")
def test_a_blocking_check_holds_back_the_days_that_it_names(settings, instance):
    class GivesUpOnBadDay(OpeningTurns):
        async def summarise(self, conversations, *arguments, **options):
            if conversations[0].chat_id.startswith(BAD):
                names = [each.chat_id for each in conversations]
                raise SomeFailed("some failed", [None] * 3, dict.fromkeys(range(3), "refused"), names, "m")
            return await super().summarise(conversations, *arguments, **options)

    report = run(settings, instance, summary_model=GivesUpOnBadDay())
    assert not report.success
    assert list(report.failures) == ["summaries: failures_below_limit"]
    assert report.failures["summaries: failures_below_limit"].startswith(f"{BAD}: 3 of 3 conversations have no summary")
    database = Database(settings.database)
    assert len(database.load(FAILED_SUMMARIES, date.fromisoformat(BAD))) == 3
    assert database.load(SUMMARIES, date.fromisoformat(BAD)) == []
    assert done(instance) == {
        name: set(DAYS) if name in ("conversations", "summaries") else GOOD for name in done(instance)
    }
    assert missing_partitions(instance, DAYS) == [BAD]


@pytest.mark.usefixtures("landed")
def test_where_no_day_is_left_only_the_cause_is_told_and_nothing_downstream_is_made(settings, instance):
    report = run(settings, instance, [BAD], summary_model=FailingOnBadDay())
    assert report.failures == {"summaries": f"1 of 1 partitions failed.\n{BAD}: RuntimeError: the provider is down"}
    assert report.failed_checks == {}
    events = [entry.dagster_event for entry in instance.all_logs(report.run_id) if entry.dagster_event]
    succeeded = {event.step_key for event in events if event.is_step_success}
    assert not {name for name in succeeded if not name.startswith("conversations")}
    evaluated = {event.step_key for event in events if event.event_type_value == "ASSET_CHECK_EVALUATION"}
    assert not {name for name in evaluated if not name.startswith("conversations_")}


@pytest.mark.usefixtures("landed")
def test_assets_that_run_alone_take_what_is_stored(settings, instance):
    assert run(settings, instance).success
    defs = build_defs(settings, **own_models())
    job = defs.resolve_job_def("analyse_conversations")
    ran = job.execute_in_process(
        instance=instance, partition_key=BAD, asset_selection=[dg.AssetKey("base_clusters")], raise_on_error=False
    )
    assert ran.success
