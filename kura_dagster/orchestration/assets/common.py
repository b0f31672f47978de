"""What every asset of the project has in common, and what it looks like before the settings are known."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from kura_dagster.pipeline.types import FailedItem
from kura_dagster.storage.tables import Table

IO_MANAGER_KEY = "duckdb"


@dataclass(frozen=True)
class AssetTemplate:
    """An asset without what the settings decide: its table, the function that fills it, and what never changes.

    Dagster takes a pool only where an asset is declared, and whether one is needed depends on the settings; so assets
    are declared in `build`.
    """

    table: Table
    compute: Callable[..., Any]
    options: Mapping[str, Any]

    @property
    def key(self) -> dg.AssetKey:
        """The asset's key: the name of its table."""
        return dg.AssetKey(self.table.name)

    def declare(self, **options: Any) -> dg.AssetsDefinition:
        """Return the asset with these arguments of `dagster.asset` added."""
        metadata = {"dagster/table_name": self.table.name, **options.pop("metadata", {})}
        with warnings.catch_warnings():
            # Marked beta; the pinned range of Dagster is tested with it, and users can't act on the warning.
            warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)
            return dg.asset(**self.options, **options, metadata=metadata)(self.compute)


def asset_of(table: Table, *, group: str, kinds: set[str]) -> Callable[[Callable[..., Any]], AssetTemplate]:
    """Decorate the function that fills `table`; its docstring describes the asset."""
    options = {
        "group_name": group,
        "kinds": kinds,
        "owners": ["team:conversation-analysis"],
        "io_manager_key": IO_MANAGER_KEY,
    }
    return lambda compute: AssetTemplate(table, compute, options)


def one_row_an_item(failures: Sequence[FailedItem]) -> list[FailedItem]:
    """Return the failures with those of the same item in one row: a cluster may fail at its label and at its name."""
    by_item: dict[str, list[FailedItem]] = {}
    for failure in failures:
        by_item.setdefault(failure.item_id, []).append(failure)
    return [
        FailedItem(
            item_id=item_id,
            error="; ".join(dict.fromkeys(each.error for each in of_item)),
            model=", ".join(dict.fromkeys(each.model for each in of_item)),
        )
        for item_id, of_item in by_item.items()
    ]
