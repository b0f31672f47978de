"""Which of a run's partitions a step leaves alone: those that something upstream has failed for in the same run.

Dagster knows of steps that fail, not of partitions: left to itself it would skip everything downstream of a failed
step, and one bad day would leave a month without clusters. So the executor in `running` lets steps go on with what an
upstream step has put out, also where that step has failed; its failure names the partitions it failed for, and a failed
blocking check names them in its metadata. Here is what the run has said of that so far. Only its own log is asked, so
it holds in any process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from kura_dagster.storage.io_manager import FAILED_PARTITIONS

LEFT_ALONE = "left_alone"
"""The metadata of the failure of a step that had nothing left to do: what it waited for has failed by itself."""

_SAID = {
    dg.DagsterEventType.STEP_START,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}


@dataclass
class _RunSoFar:
    """Of each asset, the partitions that this run has stored; of blocking checks that failed, the asset and theirs.

    A failed check that does not list its partitions has failed for all, which is None. `cursor` is how far the run's
    log has been read.
    """

    cursor: str | None = None
    started: set[str] = field(default_factory=set)
    stored: dict[dg.AssetKey, set[str]] = field(default_factory=dict)
    failed_checks: list[tuple[dg.AssetKey, str, set[str] | None]] = field(default_factory=list)


def held_back(
    instance: dg.DagsterInstance, run_id: str, upstream: Iterable[dg.AssetKey], keys: Sequence[str]
) -> dict[str, str]:
    """Return the partitions that an asset with these upstream assets has to leave alone in the run, with the reason.

    What is upstream but not in the run holds nothing back: then what is stored counts.
    """
    run = _run_so_far(instance, run_id)
    reasons: dict[str, str] = {}
    for asset in upstream:
        name = asset.to_user_string()
        if name in run.started:
            stored = run.stored.get(asset, set())
            reasons |= {key: f"{name} was not made in this run" for key in keys if key not in stored}
    for asset, check, failed in run.failed_checks:
        if asset in upstream:
            reasons |= {
                key: f"check {check} of {asset.to_user_string()} failed"
                for key in keys
                if key not in reasons and (failed is None or key in failed)
            }
    return reasons


def stored_by_run(instance: dg.DagsterInstance, run_id: str, asset: dg.AssetKey, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that the run has stored for an asset, all where the asset is not in the run."""
    run = _run_so_far(instance, run_id)
    if asset.to_user_string() not in run.started:
        return list(keys)
    return [key for key in keys if key in run.stored.get(asset, set())]


def nothing_left(description: str) -> dg.Failure:
    """Return the failure of a step for which no partition is left; what it waited for says why."""
    return dg.Failure(description, metadata={LEFT_ALONE: True}, allow_retries=False)


_runs: dict[str, _RunSoFar] = {}
"""The run that this process has asked of last: a log is read once, and not from its beginning by every step."""


def _run_so_far(instance: dg.DagsterInstance, run_id: str) -> _RunSoFar:
    if run_id not in _runs:
        _runs.clear()
        _runs[run_id] = _RunSoFar()
    run = _runs[run_id]
    found = instance.get_records_for_run(run_id, run.cursor, _SAID)
    run.cursor = found.cursor
    for record in found.records:
        event: Any = record.event_log_entry.dagster_event
        if event.is_step_start:
            run.started.add(event.step_key)
        elif event.is_step_materialization:
            run.stored.setdefault(event.asset_key, set()).add(event.partition)
        else:
            check = event.asset_check_evaluation_data
            if check.blocking and not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
                listed = check.metadata.get(FAILED_PARTITIONS)
                failed = None if listed is None else set(listed.value)
                run.failed_checks.append((check.asset_key, check.check_name, failed))
    return run
