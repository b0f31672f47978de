"""`kura-dagster export`: a day in the files that Kura's viewer opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.arguments import To, a_day
from kura_dagster.cli.project import a_partition, database_of, dates_by_key
from kura_dagster.cli.screen import errors_explained, fail, print_error, print_lines
from kura_dagster.settings import Settings


@app.command(
    cls=Command,
    epilog=examples("export --from 2026-11-20 exported", "export --from 2026-11-18 --to 2026-11-20 exported"),
)
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; made if missing.")],
    first: Annotated[date, typer.Option("--from", parser=a_day, metavar="DAY", help="The first day, as YYYY-MM-DD.")],
    last: To = None,
) -> None:
    """Write a day or a range as Kura's checkpoint files.

    The folder then holds conversations.json, summaries.jsonl, clusters.jsonl, meta_clusters.jsonl and
    dimensionality.jsonl, which Kura's own viewer opens.
    """
    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager, write_conversations
    from kura_dagster.storage.tables import (
        BASE_CLUSTERS,
        CONVERSATIONS,
        FAILED_EMBEDDINGS,
        FAILED_SUMMARIES,
        META_CLUSTERS,
        PROJECTIONS,
        SUMMARIES,
    )

    with errors_explained():
        settings = Settings.load()
        keys = partition_keys_between(settings, first, last or first)
        dates, database = dates_by_key(settings), database_of(settings)
        files = {
            "summaries": SUMMARIES,
            "clusters": BASE_CLUSTERS,
            "meta_clusters": META_CLUSTERS,
            "dimensionality": PROJECTIONS,
        }
        tables = [CONVERSATIONS, *files.values(), FAILED_SUMMARIES, FAILED_EMBEDDINGS]
        # A partition at a time, all of its tables at once: a run that stores meanwhile waits for one, and comes between
        # none.
        stored = {key: database.load_together(tables, dates[key]) for key in keys}

        def rows(table: Any) -> list[Any]:
            return [row for of_key in stored.values() for row in of_key[table.name]]

        conversations = rows(CONVERSATIONS)
        if not conversations:
            fail(
                f"nothing is stored for {keys[0]} to {keys[-1]}; run: kura-dagster run --from {keys[0]} --to {keys[-1]}"
            )
        checkpoints = JSONLCheckpointManager(folder)
        write_conversations(folder / "conversations.json", conversations)
        for filename, table in files.items():
            found = rows(table)
            checkpoints.save_checkpoint(filename, found)
            if not found:
                print_error("[yellow]warning[/yellow]", f"{filename}.jsonl is empty: nothing is stored in {table.name}")
        noun = f"{a_partition(settings)}{'' if len(keys) == 1 else 's'}"
        print_lines([f"{len(conversations):,} conversations of {len(keys)} {noun} are in {folder}."])
        if incomplete := [key for key in keys if not _is_whole(stored[key])]:
            fail(
                f"what is stored of {', '.join(incomplete)} does not belong together: some conversations are in no "
                "summary or no cluster, or the other way round. Run those again, and then export again"
            )


def _is_whole(rows: Mapping[str, Sequence[Any]]) -> bool:
    """Whether the rows of a partition's assets, by table name, were all made of its conversations."""
    from kura_dagster.storage.tables import (
        BASE_CLUSTERS,
        CONVERSATIONS,
        FAILED_EMBEDDINGS,
        FAILED_SUMMARIES,
        PROJECTIONS,
        SUMMARIES,
    )

    stored, summarised = ({row.chat_id for row in rows[table.name]} for table in (CONVERSATIONS, SUMMARIES))
    unsummarised, unembedded = (
        {row.item_id for row in rows[table.name]} for table in (FAILED_SUMMARIES, FAILED_EMBEDDINGS)
    )
    clustered, projected = (
        {chat_id for row in rows[table.name] for chat_id in row.chat_ids} for table in (BASE_CLUSTERS, PROJECTIONS)
    )
    return stored == summarised | unsummarised and summarised == clustered | unembedded and clustered == projected
