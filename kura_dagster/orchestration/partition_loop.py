"""What every asset returns: the run's partitions, each computed, timed, logged and described when it is asked for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_spending
from kura_dagster.orchestration.held_back import held_back, nothing_left
from kura_dagster.orchestration.progress import Meter
from kura_dagster.storage.materialisations import report_each_partition

PARTITION_DONE = re.compile(r" done in [\d.]+ s \(\d+ of \d+\)$")
"""What a progress display looks for in the run's log."""

Rows = TypeVar("Rows", bound=Sequence[Any] | Mapping[str, Sequence[Any]])


class EachPartition(Mapping[str, Rows]):
    """`compute(key)` for each partition key of the run, anew whenever it is asked for; nothing is kept.

    Without those that something upstream has failed for in the same run, which are in `held_back` with the reason.

    The IO manager asks once for each, stores it and lets go of it: a run over many partitions holds one at a time. What
    `describe(rows)` returns becomes the partition's metadata, beside the seconds that computing it took and, where a
    `meter` is given, what was asked and paid.

    Raises:
        dg.Failure: every partition is held back.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        compute: Callable[[str], Rows],
        describe: Callable[[Rows], Mapping[str, Any]],
        meter: Meter | None = None,
    ) -> None:
        self._context = context
        self._compute = compute
        self._describe = describe
        self._meter = meter
        upstream = context.assets_def.keys_by_input_name.values()
        self.held_back = held_back(context.instance, context.run.run_id, upstream, context.partition_keys)
        left = [key for key in context.partition_keys if key not in self.held_back]
        for key, reason in self.held_back.items():
            context.log.warning(f"{key} is left as it was: {reason}")
        if not left:
            raise nothing_left(f"Nothing is left to be made: {', '.join(sorted(set(self.held_back.values())))}.")
        self._positions = {key: position for position, key in enumerate(left, start=1)}
        report_each_partition(context)

    def __getitem__(self, partition_key: str) -> Rows:
        position = self._positions[partition_key]
        started = time.perf_counter()
        figures: dict[str, Any] = {}
        if self._meter is None:
            rows = self._compute(partition_key)
        else:
            with self._meter.partition(partition_key, self._context.log.info) as spent:
                rows = self._compute(partition_key)
            figures = describe_spending(spent())
        seconds = time.perf_counter() - started
        try:
            described = self._describe(rows)
        except Exception as error:
            # Rows that cost hours and money are not given up for a picture of them.
            described = {"not_described": f"{type(error).__name__} while the rows were described"}
            self._context.log.warning(f"{partition_key}: its metadata lacks a description", exc_info=True)
        # What it cost stands first: long tables follow.
        self._context.add_asset_metadata(
            {"seconds": round(seconds, 3), **figures, **described}, partition_key=partition_key
        )
        self._context.log.info(f"{partition_key} done in {seconds:.1f} s ({position} of {len(self)})")
        return rows

    def __contains__(self, partition_key: object) -> bool:
        return partition_key in self._positions

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


def require_same_conversations(key: str, expected: Iterable[str], found: Iterable[str], *, upstream: str) -> None:
    """Refuse to go on where an upstream asset was materialised from other conversations than its neighbour.

    Raises:
        ValueError: the two differ; the message says what to materialise.
    """
    if set(expected) != set(found):
        raise ValueError(
            f"{upstream} of {key} are of other conversations than are stored now; materialise {upstream} first"
        )
