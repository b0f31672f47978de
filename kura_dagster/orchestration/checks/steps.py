"""How Dagster runs the checks: those of an asset in two steps, one of what blocks and one of what warns.

A step costs more than most checks, and so does opening the database. So the checks of a step share both. They are two,
because a warning that breaks must not stop what is downstream.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from kura_dagster.orchestration.checks.check import Check, CheckedPartitions, Columns
from kura_dagster.orchestration.held_back import nothing_left, stored_by_run
from kura_dagster.storage.database import Database, PartitionDate
from kura_dagster.storage.io_manager import partition_dates
from kura_dagster.storage.tables import Table

PARTITIONS_AT_ONCE = 7
"""So many partitions are read with one opening of the database, which takes longer than reading a small one."""


def check_steps(
    checks: Sequence[Check], partitions_def: dg.TimeWindowPartitionsDefinition
) -> list[dg.AssetChecksDefinition]:
    """Return the checks as Dagster takes them. Each can still be run alone."""
    by_step: dict[tuple[str, bool], list[Check]] = {}
    for check in checks:
        by_step.setdefault((check.table.name, check.blocking), []).append(check)
    return [
        _step(dg.AssetKey(name), f"{name}_{'blocking' if blocking else 'warning'}_checks", of_step, partitions_def)
        for (name, blocking), of_step in by_step.items()
    ]


def _step(
    asset: dg.AssetKey, name: str, checks: Sequence[Check], partitions_def: dg.TimeWindowPartitionsDefinition
) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(check.name, asset=asset, description=check.description, blocking=check.blocking)
        for check in checks
    ]

    @dg.multi_asset_check(name=name, specs=specs, can_subset=True)
    def run_checks(
        context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]
    ) -> Iterator[dg.AssetCheckResult]:
        chosen = [check for check in checks if dg.AssetCheckKey(asset, check.name) in context.selected_asset_check_keys]
        dates = partition_dates(partitions_def, _keys(context, asset, partitions_def), database.partition_type)
        checked = CheckedPartitions(dates, partitions_def, database, context.instance)
        examinations = [check.begin(checked) for check in chosen]
        for key, tables in _read(database, _columns_of(chosen), dates):
            for examination in examinations:
                examination.look_at(key, tables)
        for examination in examinations:
            yield examination.result()

    return run_checks


def _keys(
    context: dg.AssetCheckExecutionContext, asset: dg.AssetKey, partitions_def: dg.TimeWindowPartitionsDefinition
) -> list[str]:
    """Return the partitions that the run has stored, or every materialised one when the checks are run without any.

    Raises:
        dg.Failure: the run was to make the asset, and has stored none of its partitions.
    """
    if context.has_partition_key or context.has_partition_key_range:
        stored = stored_by_run(context.instance, context.run.run_id, asset, context.partition_keys)
        if not stored:
            raise nothing_left(f"Nothing is left to be checked: {asset.to_user_string()} was not made in this run.")
        return stored
    # Not the partitions that have rows: one that lost them all is the one to look at.
    materialised = context.instance.get_materialized_partitions(asset)
    return sorted(key for key in materialised if partitions_def.has_partition_key(key))


def _columns_of(checks: Sequence[Check]) -> dict[Table, list[str]]:
    wanted: dict[Table, dict[str, None]] = {}
    for check in checks:
        for table, names in check.columns.items():
            wanted.setdefault(table, {}).update(dict.fromkeys(names))
    return {table: list(names) for table, names in wanted.items()}


def _read(
    database: Database, columns: Mapping[Table, Sequence[str]], dates: Mapping[str, PartitionDate]
) -> Iterator[tuple[str, Columns]]:
    keys = list(dates)
    for start in range(0, len(keys), PARTITIONS_AT_ONCE):
        batch = keys[start : start + PARTITIONS_AT_ONCE]
        loaded = database.load_columns(columns, [dates[key] for key in batch]) if columns else {}
        for key in batch:
            yield key, loaded.get(dates[key], {})
