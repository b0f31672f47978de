"""Which partitions are not done: what `--missing` runs, as the UI's "missing and failed only" does."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from kura_dagster.orchestration.assets import ASSETS


def missing_partitions(instance: dg.DagsterInstance, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that are not wholly materialised.

    That is where one of the seven assets never was, or where the last run that set out to make it has ended without.
    """
    missing: set[str] = set()
    for asset in ASSETS:
        missing.update(set(keys) - instance.get_materialized_partitions(asset.key))
        missing.update(tried_in_vain(instance, asset.key))
    return [key for key in keys if key in missing]


def tried_in_vain(instance: dg.DagsterInstance, asset_key: dg.AssetKey) -> dict[str, dg.DagsterRun]:
    """Return the partitions for which the last run that set out to make the asset has ended without, and that run."""
    tried = instance.event_log_storage.get_latest_asset_partition_materialization_attempts_without_materializations(
        asset_key
    )
    # Most partitions share their run with others.
    runs = {run_id: instance.get_run_by_id(run_id) for run_id in {run_id for run_id, _ in tried.values()}}
    return {key: run for key, (run_id, _) in tried.items() if (run := runs[run_id]) is not None and run.is_finished}
