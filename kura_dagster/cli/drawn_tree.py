"""A day's tree as it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from kura_dagster.cli import screen
from kura_dagster.cli.project import database_of, dates_by_key, materialised_keys, opened_instance
from kura_dagster.cli.screen import fail, print_lines
from kura_dagster.settings import Settings


class TreeStyle(StrEnum):
    """How a tree is drawn."""

    BASIC = "basic"
    ENHANCED = "enhanced"
    RICH = "rich"


def print_tree(settings: Settings, keys: Sequence[str], style: TreeStyle, which: str = "") -> None:
    """Print the tree of each partition under its key; `which` says beside it why this one is shown."""
    from kura_dagster.pipeline.tree import visualise_pipeline_results
    from kura_dagster.storage.tables import META_CLUSTERS

    database, dates = database_of(settings), dates_by_key(settings)
    for key in keys:
        clusters = database.load(META_CLUSTERS, dates[key])
        if not clusters:
            with opened_instance() as instance:
                if key not in materialised_keys(instance, META_CLUSTERS.name):
                    fail(f"{key} is not materialised; run: kura-dagster run {key[:10]}")
            print_lines([f"{key} has no conversations."])
            continue
        print_lines([f"{key}{which}"], style="bold")
        visualise_pipeline_results(clusters, style=style.value, console=screen.console)
