"""Checks of how many items of an asset a model failed at: a few are warned of, too many block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from kura_dagster.orchestration.checks.check import (
    SHOWN_FAULTS,
    TOLD_FAULTS,
    Check,
    CheckedPartitions,
    Columns,
    Examination,
    first_of,
)
from kura_dagster.settings import Settings
from kura_dagster.storage.io_manager import FAILED_PARTITIONS
from kura_dagster.storage.tables import BASE_CLUSTERS, EMBEDDINGS, FAILED, META_CLUSTERS, SUMMARIES, Table


def failure_checks(settings: Settings) -> list[Check]:
    """Return a check for each asset that may ask a provider's model."""

    def check(table: Table, noun: str, column: str, items: Callable[[Columns], int]) -> Check:
        failed = FAILED[table.name]
        return FailureCheck(
            table=table,
            name="failures_below_limit",
            description=f"In no partition did a model fail at more than KURA_FAILURE_LIMIT "
            f"({settings.failure_limit:.3g}) of the items; those it failed at are in table {failed.name}.",
            columns={table: [column], failed: ["item_id", "error"]},
            blocking=True,
            remedy="Run these partitions again, which asks only for what failed.",
            noun=noun,
            items=items,
            limit=settings.failure_limit,
        )

    def made_or_failed(table: Table) -> Callable[[Columns], int]:
        return lambda tables: len(tables[table.name]) + len(tables[FAILED[table.name].name])

    return [
        check(SUMMARIES, "conversations have no summary", "chat_id", made_or_failed(SUMMARIES)),
        check(EMBEDDINGS, "conversations have no embedding", "chat_id", made_or_failed(EMBEDDINGS)),
        check(
            BASE_CLUSTERS,
            "clusters have no name",
            "is_outlier",
            lambda tables: sum(not row.is_outlier for row in tables[BASE_CLUSTERS.name]),
        ),
        check(
            META_CLUSTERS,
            "clusters were placed or named without the language model",
            "cluster_id",
            lambda tables: len(tables[META_CLUSTERS.name]),
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class FailureCheck(Check):
    """A check of what one asset's models failed at.

    Args:
        noun: what became of the failed items, as it is said after their number.
        items: how many items of a partition a model was asked for.
        limit: the share of failed items that is accepted.
    """

    noun: str
    items: Callable[[Columns], int]
    limit: float

    def begin(self, checked: CheckedPartitions) -> Examination:
        """Return a run of the check over these partitions."""
        return _Failures(self)


class _Failures:
    def __init__(self, check: FailureCheck) -> None:
        self._check = check
        self._failed = FAILED[check.table.name]
        self._partitions = 0
        self._above: list[str] = []
        self._blocked: list[str] = []
        self._below: list[str] = []
        self._shares: dict[str, float] = {}
        self._errors: Counter[str] = Counter()

    def look_at(self, partition: str, tables: Columns) -> None:
        self._partitions += 1
        failed = tables[self._failed.name]
        if not failed:
            return
        items = max(len(failed), self._check.items(tables))
        self._shares[partition] = round(len(failed) / items, 4)
        self._errors.update(row.error for row in failed)
        said = f"{len(failed):,} of {items:,} {self._check.noun} ({len(failed) / items:.2g})"
        is_above = len(failed) > self._check.limit * items
        (self._above if is_above else self._below).append(f"{partition}: {said}")
        if is_above:
            self._blocked.append(partition)

    def result(self) -> dg.AssetCheckResult:
        shown = {
            **({"shares": dg.MetadataValue.json(self._shares)} if self._shares else {}),
            **({FAILED_PARTITIONS: dg.MetadataValue.json(self._blocked)} if self._blocked else {}),
            **(
                {"commonest_errors": dg.MetadataValue.json(dict(self._errors.most_common(SHOWN_FAULTS)))}
                if self._errors
                else {}
            ),
        }
        return dg.AssetCheckResult(
            check_name=self._check.name,
            passed=not self._shares,
            # A failed check that is no error blocks nothing: the day goes on without what failed.
            severity=dg.AssetCheckSeverity.ERROR if self._above else dg.AssetCheckSeverity.WARN,
            description=self._advice() if self._shares else None,
            metadata={
                "partitions": self._partitions,
                "failed": sum(self._errors.values()),
                "largest_share": max(self._shares.values(), default=0.0),
                **shown,
            },
        )

    def _advice(self) -> str:
        """Return what failed, why mostly, and what to do."""
        why = " ".join(f"{count:,} times: {error}" for error, count in self._errors.most_common(TOLD_FAULTS))
        limit = f"KURA_FAILURE_LIMIT={self._check.limit:.3g}"
        against = f"more than {limit}" if self._above else f"within {limit}"
        otherwise = " Raise the limit to go on without it." if self._above else ""
        return (
            f"{first_of(self._above or self._below)}; {against}. {why} They are in table {self._failed.name}. "
            f"{self._check.remedy}{otherwise}"
        )
