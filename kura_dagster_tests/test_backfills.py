"""However the days are done, at once, one by one in any order, or stopped and gone on with, the rows are the same."""

from __future__ import annotations

import signal

import dagster as dg
import pandas as pd
import pytest

from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.missing_partitions import missing_partitions
from kura_dagster.orchestration.run_requests import stretches
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import TABLES
from kura_dagster_tests.own_models import own_models

DAYS = [f"2026-11-{day:02}" for day in range(2, 6)]


def run(settings: Settings, instance: dg.DagsterInstance, keys: list[str], on_event=lambda entry: None):
    return materialise(build_defs(settings, **own_models()), keys, instance, on_event)


def assert_same(left: Settings, right: Settings) -> None:
    for table in TABLES.values():
        pd.testing.assert_frame_equal(Database(left.database).frame(table), Database(right.database).frame(table))


@pytest.fixture
def uninterrupted(settings, land, tmp_path) -> Settings:
    """Settings whose database holds all days from one run."""
    for number, day in enumerate(DAYS):
        land(day, number * 3)
    whole = settings.model_copy(update={"database": tmp_path / "whole.duckdb"})
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(whole, instance, DAYS).success
    return whole


def test_a_range_that_was_stopped_and_gone_on_with_gives_the_same_rows(settings, instance, uninterrupted):
    """Day by day in the order that nobody would choose, then a range that is stopped, then what is missing."""

    def stop_in_embeddings(entry):
        if entry.step_key == "embeddings" and "2026-11-03 done" in entry.user_message:
            signal.raise_signal(signal.SIGINT)

    assert run(settings, instance, [DAYS[3]]).success
    assert run(settings, instance, DAYS[:3], stop_in_embeddings).interrupted
    assert missing_partitions(instance, DAYS) == DAYS[:3]
    assert run(settings, instance, [DAYS[1]]).success
    assert missing_partitions(instance, DAYS) == [DAYS[0], DAYS[2]]
    for keys in stretches(missing_partitions(instance, DAYS), DAYS, settings.partitions_per_run):
        assert run(settings, instance, keys).success
    assert missing_partitions(instance, DAYS) == []
    assert_same(settings, uninterrupted)


def test_every_asset_has_the_policy_of_the_setting_so_that_a_batch_is_one_run(settings):
    defs = build_defs(settings.model_copy(update={"partitions_per_run": 7}))
    policies = [defs.resolve_assets_def(asset.key).backfill_policy for asset in ASSETS]
    assert [policy.max_partitions_per_run for policy in policies] == [7] * 7


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("abcdefg", ["abc", "def", "g"]),
        ("abdeg", ["ab", "de", "g"]),
        ("", []),
        ("xg", ["g"]),
    ],
)
def test_stretches_are_neighbours_and_no_longer_than_allowed(wanted, expected):
    assert list(map("".join, stretches(wanted, "abcdefg", 3))) == expected
