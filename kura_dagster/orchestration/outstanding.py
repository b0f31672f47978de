"""Which partitions wait for a run, told from the run history and the tables of what failed.

Partitions that something was landed for are told by `sensors.landed_since_analysed`; when to ask is the schedules'
business.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG

from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.missing_partitions import tried_in_vain
from kura_dagster.orchestration.run_requests import partition_ends
from kura_dagster.storage.database import Database
from kura_dagster.storage.io_manager import partition_dates
from kura_dagster.storage.tables import CONVERSATION_PROJECTIONS, CONVERSATIONS, FAILED

CATCH_UP_REACH = timedelta(days=31)
"""So far back missed partitions are caught up without being asked for: a month away is made good, and nobody pays for
a year because of one old day that was tried out."""
TRUSTED_FOR = timedelta(hours=12)
"""A run that was asked for longer ago and has not ended counts for nothing: its machine may have been switched off
under it, and Dagster would wait for it for ever."""

_BEGINNING, _END = dg.AssetKey(CONVERSATIONS.name), dg.AssetKey(CONVERSATION_PROJECTIONS.name)


def begun(instance: dg.DagsterInstance) -> set[str]:
    """Return the partitions that some run has read the conversations of, also those without any."""
    return set(instance.get_materialized_partitions(_BEGINNING))


def finished(instance: dg.DagsterInstance) -> set[str]:
    """Return the partitions that some run has taken all the way to the map, also those without conversations."""
    return set(instance.get_materialized_partitions(_END))


def stopped_half_way(instance: dg.DagsterInstance, keys: Sequence[str]) -> dict[str, bool]:
    """Return which of these partitions a run set out to take to the map and did not get there.

    Returns:
        For each of them, whether that run was over several partitions, any of which may have stopped it.
    """
    newest: dict[str, tuple[int, dg.AssetKey]] = {}
    for asset in ASSETS:
        stored = instance.event_log_storage.get_latest_storage_id_by_partition(
            asset.key, dg.DagsterEventType.ASSET_MATERIALIZATION, set(keys)
        )
        for key, storage_id in stored.items():
            newest[key] = max(newest.get(key, (-1, asset.key)), (storage_id, asset.key), key=lambda pair: pair[0])
    to_the_end = finished(instance)
    stopped = {}
    for key in keys:
        _, asset_key = newest.get(key, (-1, _END))
        if asset_key == _END:
            continue
        filters = dg.AssetRecordsFilter(asset_key, asset_partitions=[key])
        (record,) = instance.fetch_materializations(filters, limit=1).records
        run = instance.get_run_by_id(record.run_id)
        # Who materialises some assets by hand and succeeds has what was wanted.
        if key not in to_the_end or run is None or run.status is not dg.DagsterRunStatus.SUCCESS:
            stopped[key] = run is not None and ASSET_PARTITION_RANGE_START_TAG in run.tags
    # What a run stored says nothing of what it did not even begin, as one that was killed in its first asset.
    for asset in ASSETS:
        for key, tried in tried_in_vain(instance, asset.key).items():
            if key in keys:
                stopped.setdefault(key, ASSET_PARTITION_RANGE_START_TAG in tried.tags)
    return stopped


def has_failed(instance: dg.DagsterInstance, key: str) -> bool:
    """Whether the last run that was to read the partition's conversations has ended without, alone or with others."""
    return key in tried_in_vain(instance, _BEGINNING)


def with_failed_items(
    database: Database, partitions_def: dg.TimeWindowPartitionsDefinition, keys: Sequence[str]
) -> set[str]:
    """Return which of these partitions have something that a model failed at.

    Raises:
        DatabaseError: the database can't be read.
    """
    dates = partition_dates(partitions_def, keys, database.partition_type)
    rows = database.load_columns({table: ["item_id"] for table in FAILED.values()}, list(dates.values()))
    return {key for key, when in dates.items() if any(rows[when].values())}


@dataclass(frozen=True)
class RunUnderWay:
    """A run over the whole job that waits or goes on: its first and last partition, and when it began.

    `started` is in seconds since the epoch, and infinite of a run that waits: it will read what is there then.
    """

    first: str
    last: str
    started: float

    def covers(self, key: str) -> bool:
        """Whether a partition is among the run's."""
        return self.first <= key <= self.last


def runs_under_way(instance: dg.DagsterInstance) -> list[RunUnderWay]:
    """Return the runs that wait or go on and take partitions all the way to the map."""
    filters = dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES), created_after=datetime.now(UTC) - TRUSTED_FOR)
    return [
        RunUnderWay(*ends, math.inf if record.start_time is None else record.start_time)
        for record in instance.get_run_records(filters)
        if (ends := partition_ends(record.dagster_run)) and _goes_all_the_way(record.dagster_run)
    ]


def _goes_all_the_way(run: dg.DagsterRun) -> bool:
    selected: Collection[dg.AssetKey] | None = run.asset_selection
    return run.job_name == JOB_NAME if selected is None else {_BEGINNING, _END} <= set(selected)
