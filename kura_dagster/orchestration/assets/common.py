"""What every asset of the project has in common. What depends on the settings is set in `build`."""

import warnings
from typing import Any

import dagster as dg

from kura_dagster.storage.tables import Table

IO_MANAGER_KEY = "duckdb"

# The backfill policy is marked beta; the pinned range of Dagster is tested with it, and users can't act on the warning.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)


def asset_options(table: Table, *, group: str, kinds: set[str]) -> dict[str, Any]:
    """Return the arguments of `dagster.asset` for the asset that fills `table`."""
    return {
        "group_name": group,
        "kinds": kinds,
        "owners": ["team:conversation-analysis"],
        "metadata": {"dagster/table_name": table.name},
        "io_manager_key": IO_MANAGER_KEY,
        # One run for a whole range of partitions: starting a run costs more than a day of conversations does.
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }
