"""The sensor that sees what was landed and has exactly those days analysed.

Which runs are requested is decided here; what they do is the job's business, and how files are landed `landing`'s.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from kura_dagster.pipeline.conversations import day_of_file
from kura_dagster.settings import Settings
from kura_dagster.storage.tables import CONVERSATIONS

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

SENSOR_NAME = "landed_conversations"
SECONDS_BETWEEN_LOOKS = 30
SETTLED_AFTER = 5.0  # seconds without a write: somebody may still be writing the file
MOST_PARTITIONS_A_RUN = 31
"""A month of late days is one run; of a year that was landed at once, a failure repeats a month and not the year."""

_LONGEST_PARTITION = timedelta(days=31)


def landed_conversations_sensor(
    job: UnresolvedAssetJobDefinition, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> dg.SensorDefinition:
    """Return the sensor that requests a run for the partitions whose landing files changed, neighbours in one run.

    A file counts once it has not been written to for five seconds, and a partition once it is over. Each state of a
    file is asked for once. At its first look, partitions that were materialised after their file was written are left
    alone. It is off until switched on.
    """

    @dg.sensor(
        name=SENSOR_NAME,
        job=job,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        description="Analyses the partitions whose landing files changed, and only those.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if not settings.conversations.is_dir():
            return dg.SkipReason(f"the landing folder {settings.conversations} does not exist")
        seen: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        files = _files(settings.conversations)
        changed = {name: file for name, file in files.items() if seen.get(name) != file.stamp}
        # A file that was deleted took its conversations with it.
        gone = [day for name in seen.keys() - files.keys() if (day := day_of_file(Path(name)))]
        stamps: dict[str, list[str]] = {}
        pending: set[str] = set()
        for name, file in changed.items():
            if time.time() - file.written_at < SETTLED_AFTER:
                pending.add(name)
                continue
            keys, all_over = _partitions_of(file.day, partitions_def, settings)
            if not all_over:
                pending.add(name)
            for key in keys:
                if context.cursor or not _materialised_since(context.instance, key, file.written_at):
                    stamps.setdefault(key, []).append(f"{name} {file.stamp}")
        for day in gone:
            for key in _partitions_of(day, partitions_def, settings)[0]:
                stamps.setdefault(key, []).append(f"{day} is gone")
        cursor = {name: seen.get(name, "") if name in pending else file.stamp for name, file in files.items()}
        requests = list(_requests(stamps, partitions_def))
        return dg.SensorResult(
            run_requests=requests,
            cursor=json.dumps(cursor),
            skip_reason=None if requests else _nothing_to_do(pending),
        )

    return sensor


class _File:
    """A file of the landing folder: its day, when it was written (seconds since the epoch), and its state."""

    def __init__(self, path: Path, day: date) -> None:
        found = path.stat()
        self.day = day
        self.written_at = found.st_mtime
        self.stamp = f"{found.st_size}-{found.st_mtime_ns}"


def _files(folder: Path) -> dict[str, _File]:
    found: dict[str, _File] = {}
    for path in sorted(folder.iterdir()):
        if day := day_of_file(path):
            try:
                found[path.name] = _File(path, day)
            except FileNotFoundError:
                continue  # deleted meanwhile: the next look sees it is gone
    return found


def _partitions_of(
    day: date, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> tuple[list[str], bool]:
    """Return the partitions that hold any moment of the day and are over, and whether all that hold one are."""
    begin = datetime(day.year, day.month, day.day, tzinfo=settings.tzinfo)
    next_day = day + timedelta(days=1)
    end = datetime(next_day.year, next_day.month, next_day.day, tzinfo=settings.tzinfo)
    # Dagster gives those that begin in a window; a month or a week may have begun before the day.
    candidates = partitions_def.get_partition_keys_in_time_window(dg.TimeWindow(begin - _LONGEST_PARTITION, end))
    keys = [key for key in candidates if partitions_def.time_window_for_partition_key(key).end > begin]
    last = partitions_def.get_last_partition_window()
    return keys, last is not None and last.end.timestamp() >= end.timestamp()


def _materialised_since(instance: dg.DagsterInstance, partition_key: str, moment: float) -> bool:
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(CONVERSATIONS.name), asset_partitions=[partition_key]), limit=1
    ).records
    return bool(records) and records[0].timestamp >= moment


def _requests(
    stamps: Mapping[str, Sequence[str]], partitions_def: dg.TimeWindowPartitionsDefinition
) -> Iterator[dg.RunRequest]:
    """Yield a request for each stretch of neighbouring partitions, with a key that the same files give again."""
    for keys in _stretches(stamps, partitions_def.get_partition_keys()):
        of_files = sorted({stamp for key in keys for stamp in stamps[key]})
        digest = hashlib.sha256("\n".join([*keys, *of_files]).encode()).hexdigest()[:16]
        run_key = f"{keys[0]} {keys[-1]} {digest}"
        if len(keys) == 1:
            yield dg.RunRequest(run_key=run_key, partition_key=keys[0])
        else:
            ends = {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}
            yield dg.RunRequest(run_key=run_key, tags=ends)


def _stretches(wanted: Mapping[str, Any], in_order: Sequence[str]) -> Iterator[list[str]]:
    stretch: list[str] = []
    for key in in_order:
        if key in wanted and len(stretch) < MOST_PARTITIONS_A_RUN:
            stretch.append(key)
            continue
        if stretch:
            yield stretch
        stretch = [key] if key in wanted else []
    if stretch:
        yield stretch


def _nothing_to_do(pending: set[str]) -> str:
    if pending:
        return f"waiting for {', '.join(sorted(pending)[:3])}: still written to, or the partition is not over yet"
    return "no landing file has changed"
