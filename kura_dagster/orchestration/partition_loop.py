"""The loop that every asset's body is: the run's partitions one after the other, each timed, logged and described."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import dagster as dg

PARTITION_DONE = re.compile(r" done in [\d.]+ s \(\d+ of \d+\)$")
"""What a progress display looks for in the run's log."""

Rows = TypeVar("Rows", bound=Sequence[Any] | Mapping[str, Sequence[Any]])


def each_partition(
    context: dg.AssetExecutionContext,
    compute: Callable[[str], Rows],
    describe: Callable[[Rows], Mapping[str, Any]],
) -> dict[str, Rows]:
    """Return `compute(key)` for each partition key of the run; attach `describe(rows)` to that partition's metadata."""
    keys = context.partition_keys
    partitions: dict[str, Rows] = {}
    for position, key in enumerate(keys, start=1):
        started = time.perf_counter()
        partitions[key] = compute(key)
        seconds = time.perf_counter() - started
        context.add_asset_metadata(
            {**describe(partitions[key]), "seconds": round(seconds, 3)},
            partition_key=key,
        )
        context.log.info(f"{key} done in {seconds:.1f} s ({position} of {len(keys)})")
    return partitions


def require_same_conversations(key: str, expected: Iterable[str], found: Iterable[str], *, upstream: str) -> None:
    """Refuse to go on where an upstream asset was materialised from other conversations than its neighbour.

    Raises:
        ValueError: the two differ; the message says what to materialise.
    """
    if set(expected) != set(found):
        raise ValueError(
            f"{upstream} of {key} are of other conversations than are stored now; materialise {upstream} first"
        )
