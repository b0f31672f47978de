"""How partitions that wait for a run become runs, neighbours together, one run a stretch; and which ones a run is of.

Which partitions wait is the business of the sensor and the schedules that ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

TOLD_STRETCHES = 20


def stretches(wanted: Collection[str], in_order: Sequence[str], most: int) -> Iterator[list[str]]:
    """Yield the wanted partitions, those that are neighbours in `in_order` together, at most so many at once."""
    stretch: list[str] = []
    for key in in_order:
        if key in wanted and len(stretch) < most:
            stretch.append(key)
            continue
        if stretch:
            yield stretch
        stretch = [key] if key in wanted else []
    if stretch:
        yield stretch


def told(keys: Collection[str], in_order: Sequence[str]) -> str:
    """Return partitions for a person to read: neighbours as "first to last", the last `TOLD_STRETCHES` of these."""
    ends = [(stretch[0], stretch[-1]) for stretch in stretches(set(keys), in_order, len(in_order) or 1)]
    shown = [first if first == last else f"{first} to {last}" for first, last in ends[-TOLD_STRETCHES:]]
    more = len(ends) - len(shown)
    return ", ".join([*([f"{more} stretches before"] if more else []), *shown])


def run_request(keys: Sequence[str], run_key: str, assets: Sequence[dg.AssetKey] | None = None) -> dg.RunRequest:
    """Return the request for one run over neighbouring partitions, of all assets or some."""
    if len(keys) == 1:
        return dg.RunRequest(run_key=run_key, partition_key=keys[0], asset_selection=assets)
    return dg.RunRequest(run_key=run_key, tags=partition_tags(keys), asset_selection=assets)


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """Return the tags of a run over neighbouring partitions, by which Dagster knows them."""
    if len(keys) == 1:
        return {PARTITION_NAME_TAG: keys[0]}
    return {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}


def partition_ends(run: dg.DagsterRun) -> tuple[str, str] | None:
    """Return a run's first and last partition, None where it has none."""
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, run.tags.get(PARTITION_NAME_TAG))
    return None if first is None else (first, run.tags.get(ASSET_PARTITION_RANGE_END_TAG, first))
