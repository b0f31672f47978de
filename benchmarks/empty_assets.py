"""The project's code location with empty bodies: what is left is what Dagster itself takes.

The same assets with the same dependencies, partitions and backfill policy, the same steps of the same checks, in one
process. An asset returns at once and stores nothing; a check passes. Of the project nothing is imported, for that takes
time too: the structure comes from a file that `many_days` writes and names in EMPTY_ASSETS. As a script it takes days'
keys and runs the job over them in its own process.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg


def empty_defs(structure: dict[str, Any]) -> dg.Definitions:
    """Return definitions as the project's, emptied."""
    partitions_def = dg.DailyPartitionsDefinition(structure["first_day"])
    assets = [_empty_asset(partitions_def, **each) for each in structure["assets"]]
    checks = [_empty_step(**each) for each in structure["check_steps"]]
    job = dg.define_asset_job(structure["job"], dg.AssetSelection.assets(*assets))
    return dg.Definitions(assets, asset_checks=checks, jobs=[job], executor=dg.in_process_executor)


def _empty_asset(
    partitions_def: dg.PartitionsDefinition, name: str, deps: list[str], partitions_per_run: int
) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        deps=deps,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.multi_run(partitions_per_run),
    )
    def empty(context: dg.AssetExecutionContext) -> None:
        assert context.partition_keys

    return empty


def _empty_step(name: str, asset: str, checks: list[str], blocking: bool) -> dg.AssetChecksDefinition:
    specs = [dg.AssetCheckSpec(check, asset=asset, blocking=blocking) for check in checks]

    @dg.multi_asset_check(name=name, specs=specs)
    def empty() -> Iterator[dg.AssetCheckResult]:
        for check in checks:
            yield dg.AssetCheckResult(passed=True, check_name=check, asset_key=asset)

    return empty


defs = empty_defs(json.loads(Path(os.environ["EMPTY_ASSETS"]).read_text()))


if __name__ == "__main__":
    first_to_last = {
        "dagster/asset_partition_range_start": sys.argv[1],
        "dagster/asset_partition_range_end": sys.argv[-1],
    }
    (job,) = defs.jobs or ()
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def(job.name).execute_in_process(instance=instance, tags=first_to_last)
    assert result.success
