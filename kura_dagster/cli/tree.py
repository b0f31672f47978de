"""`kura-dagster tree`: the themes of a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.arguments import a_day
from kura_dagster.cli.drawn_tree import TreeStyle, print_tree
from kura_dagster.cli.project import a_partition, database_of, dates_by_key
from kura_dagster.cli.screen import errors_explained, fail
from kura_dagster.settings import Settings


@app.command(cls=Command, epilog=examples("tree", "tree 2026-11-12 --style enhanced"))
def tree(
    day: Annotated[
        date | None,
        typer.Argument(parser=a_day, metavar="DAY", help="As YYYY-MM-DD. Without it, the last day that has clusters."),
    ] = None,
    style: Annotated[
        TreeStyle,
        typer.Option(help="Names and numbers; or shares and descriptions as well; or those in colour."),
    ] = TreeStyle.BASIC,
) -> None:
    """Print the cluster tree of a day: its themes and how many conversations each has."""
    from kura_dagster.orchestration.materialise import partition_keys_between

    with errors_explained():
        settings = Settings.load()
        if day is not None:
            print_tree(settings, partition_keys_between(settings, day, day), style)
            return
        last = _last_with_clusters(settings)
        if last is None:
            fail("no day has clusters yet; run: kura-dagster demo, or kura-dagster run DAY")
        print_tree(settings, [last], style, f", the last {a_partition(settings)} that has clusters")


def _last_with_clusters(settings: Settings) -> str | None:
    from kura_dagster.storage.tables import META_CLUSTERS

    counts = database_of(settings).row_counts()[META_CLUSTERS.name]
    return next((key for key, when in reversed(dates_by_key(settings).items()) if when in counts), None)
