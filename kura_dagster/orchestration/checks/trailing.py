"""What is usual for a partition: the median of those before it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from kura_dagster.storage.database import PartitionDate

LEAST_BEFORE = 3
"""Of fewer partitions before one, nothing is known of what is usual."""


@dataclass(frozen=True)
class Usual:
    """What is usual, and of how many partitions it is the median."""

    median: float
    partitions: int


class TrailingPartitions:
    """Numbers of partitions, and for each partition what is usual by the last few before it that have one.

    Args:
        numbers: by the partitions' dates, in any order.
        most: so many partitions before one count.
        kind_of: partitions are compared with those of the same kind.
    """

    def __init__(
        self,
        numbers: Mapping[PartitionDate, float],
        most: int,
        kind_of: Callable[[PartitionDate], Any] = lambda when: None,
    ) -> None:
        self._most = most
        self._kind_of = kind_of
        self._by_kind: dict[Any, tuple[list[PartitionDate], list[float]]] = {}
        for when in sorted(numbers):
            dates, of_kind = self._by_kind.setdefault(kind_of(when), ([], []))
            dates.append(when)
            of_kind.append(numbers[when])

    def usual_at(self, when: PartitionDate) -> Usual | None:
        """Return the median of the partitions before this one, None where they are fewer than three."""
        dates, numbers = self._by_kind.get(self._kind_of(when), ([], []))
        end = bisect_left(dates, when)  # type: ignore[type-var]  # all are dates, or all are times
        before = numbers[max(0, end - self._most) : end]
        return Usual(median(before), len(before)) if len(before) >= LEAST_BEFORE else None
