"""What a check is: the rows it reads, what it finds in each partition, and how that is told.

What the checks look for is in the modules beside this one, and how Dagster runs them in `steps`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import dagster as dg

from kura_dagster.storage.database import Database, PartitionDate
from kura_dagster.storage.io_manager import FAILED_PARTITIONS
from kura_dagster.storage.tables import Table

SHOWN_FAULTS = 20
TOLD_FAULTS = 3
"""So many stand in the sentence that a terminal or an alert shows; the others are in the metadata."""
SHOWN_PARTITIONS = 100
"""Of so many partitions, the last ones, the figures are kept in run history."""

Columns = Mapping[str, Sequence[Any]]
"""Of one partition the rows of each table by its name, with at least the columns that the check asked for."""


@dataclass(frozen=True)
class CheckedPartitions:
    """What a step of checks is about: its partitions, in order, and where the others can be looked up."""

    dates: Mapping[str, PartitionDate]
    partitions_def: dg.TimeWindowPartitionsDefinition
    database: Database
    instance: dg.DagsterInstance


class Examination(Protocol):
    """One run of a check: it is shown each partition once, in order, and then asked."""

    def look_at(self, partition: str, tables: Columns) -> None:
        """Take in one partition."""

    def result(self) -> dg.AssetCheckResult:
        """Return what Dagster is told of all of them."""


@dataclass(frozen=True, kw_only=True)
class Check(ABC):
    """A check of one asset's table.

    Args:
        table: the asset's.
        name: says what holds when the check passes.
        description: for the UI: what is looked at, and the limit in force.
        columns: what `Examination.look_at` has to be shown; whole transcripts are never read.
        blocking: whether a failure is an error, which keeps the partitions that it names from what is downstream in the
            same run, or else a warning.
        remedy: what to do about a failure, in whole sentences.
    """

    table: Table
    name: str
    description: str
    columns: Mapping[Table, Sequence[str]]
    blocking: bool
    remedy: str

    @abstractmethod
    def begin(self, checked: CheckedPartitions) -> Examination:
        """Return a run of the check over these partitions."""


@dataclass(frozen=True)
class Found:
    """What a check found in one partition.

    Args:
        faults: a sentence for each thing that is wrong, with the row it is about.
        figures: what was measured, by name, for the UI to plot.
        not_judged: why there was nothing to judge it by, where there was not.
    """

    faults: Sequence[str] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    not_judged: str | None = None


@dataclass(frozen=True, kw_only=True)
class PartitionCheck(Check):
    """A check that needs to know a partition and nothing else."""

    find: Callable[[Columns], Found]

    def begin(self, checked: CheckedPartitions) -> Examination:
        """Return a run of the check over these partitions."""
        return Findings(self, lambda _, tables: self.find(tables))


class Findings:
    """Collects what `find(partition, tables)` finds, and tells it: the first faults in words, figures as numbers.

    Of several partitions the numbers are the last one's, so that a plot over many runs follows the days.
    """

    def __init__(self, check: Check, find: Callable[[str, Columns], Found]) -> None:
        self._check = check
        self._find = find
        self._found: dict[str, Found] = {}

    def look_at(self, partition: str, tables: Columns) -> None:
        """Take in one partition."""
        self._found[partition] = self._find(partition, tables)

    def result(self) -> dg.AssetCheckResult:
        """Return what Dagster is told of all of them."""
        faults = [f"partition {key}: {fault}" for key, found in self._found.items() for fault in found.faults]
        figures = {key: dict(found.figures) for key, found in self._found.items() if found.figures}
        last = list(self._found.values())[-1:]
        metadata: dict[str, Any] = {"partitions": len(self._found), "faults": len(faults)}
        for found in last:
            metadata |= found.figures
        if len(figures) > 1:
            shown = list(figures)[-SHOWN_PARTITIONS:]
            metadata["by_partition"] = dg.MetadataValue.json({key: figures[key] for key in shown})
        if faults:
            metadata["first_faults"] = dg.MetadataValue.json(faults[:SHOWN_FAULTS])
            failed = [key for key, found in self._found.items() if found.faults]
            metadata[FAILED_PARTITIONS] = dg.MetadataValue.json(failed)
        told = first_of(faults)
        said = (
            [f"{len(faults)} found: {told}{'' if told.endswith('?') else '.'} {self._check.remedy}"] if faults else []
        )
        return dg.AssetCheckResult(
            check_name=self._check.name,
            passed=not faults,
            severity=dg.AssetCheckSeverity.ERROR if self._check.blocking else dg.AssetCheckSeverity.WARN,
            description=" ".join(map(_sentence, [*said, *self._not_judged()])) or None,
            metadata=metadata,
        )

    def _not_judged(self) -> list[str]:
        by_reason: dict[str, list[str]] = {}
        for key, found in self._found.items():
            if found.not_judged:
                by_reason.setdefault(found.not_judged, []).append(key)
        return [
            f"Not judged: {keys[0] if len(keys) == 1 else f'{len(keys)} partitions from {keys[0]} to {keys[-1]}'}, "
            f"{reason}"
            for reason, keys in by_reason.items()
        ]


def first_of(sentences: Sequence[str]) -> str:
    """Return the first few sentences in a line, and how many more there are."""
    more = f" (and {len(sentences) - TOLD_FAULTS} more)" if len(sentences) > TOLD_FAULTS else ""
    return "; ".join(sentences[:TOLD_FAULTS]) + more


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
