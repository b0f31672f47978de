"""What commands ask of the project: its tables, its partitions, its run history."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from kura_dagster.cli.screen import fail
from kura_dagster.settings import Cadence, Settings

if TYPE_CHECKING:
    from kura_dagster.storage.database import Database


def opened_instance() -> AbstractContextManager[Any]:
    """Open Dagster's run history; what is wrong with its folder or its dagster.yaml is said in a line.

    What its own database can't do, at once or later, `errors_explained` says.
    """
    import dagster as dg
    from yaml import YAMLError

    from kura_dagster.orchestration.materialise import open_instance

    try:
        return open_instance()
    except (dg.DagsterError, YAMLError, OSError) as error:
        # Dagster adds all that would be allowed, pages of it.
        reason = " ".join(str(error).partition(" Expected: ")[0].split())
        fail(f"Dagster's run history cannot be opened: {reason}")


def materialised_keys(instance: Any, name: str) -> set[str]:
    """Return the keys of an asset's partitions that were materialised."""
    import dagster as dg

    return set(instance.get_materialized_partitions(dg.AssetKey(name)))


def database_of(settings: Settings) -> Database:
    """Return the project's tables."""
    from kura_dagster.orchestration.partitions import partitioning_from
    from kura_dagster.storage.database import Database

    return Database(settings.database, partitioning_from(settings))


def dates_by_key(settings: Settings) -> dict[str, Any]:
    """Return the key of every partition that is over, in order, with its value of `partition_date`."""
    from kura_dagster.orchestration.partitions import partitioning_from, partitions_from
    from kura_dagster.storage.io_manager import partition_dates

    partitions_def = partitions_from(settings)
    column_type = partitioning_from(settings).column_type
    return dict(partition_dates(partitions_def, partitions_def.get_partition_keys(), column_type))


def a_partition(settings: Settings) -> str:
    """Return what one partition is called."""
    return {Cadence.HOURLY: "hour", Cadence.DAILY: "day", Cadence.WEEKLY: "week", Cadence.MONTHLY: "month"}[
        settings.cadence
    ]


def days_text(settings: Settings, keys: Sequence[str]) -> str:
    """Return neighbouring partitions as people read them."""
    return keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]} ({len(keys):,} {a_partition(settings)}s)"
