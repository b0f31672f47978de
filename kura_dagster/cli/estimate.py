"""`kura-dagster estimate`: what a run would ask and cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column
from rich.table import Table as RichTable
from rich.text import Text

from kura_dagster.cli import screen
from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.arguments import Day, From, To, asked_range
from kura_dagster.cli.project import database_of, dates_by_key, days_text
from kura_dagster.cli.screen import errors_explained, print_lines
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    import numpy as np

    from kura_dagster.pipeline.types import Conversation


@app.command(cls=Command, epilog=examples("estimate 2026-11-20", "estimate --from 2026-11-18 --to 2026-11-20"))
def estimate(day: Day = None, first: From = None, last: To = None) -> None:
    """Say what a run would ask language models, and cost, before running it.

    Counts the calls, tokens and USD of each asset from the landed conversations, without the answers that are kept.
    Nothing is sent, and no key is needed. A schema, prompts, extractors or models of your own, as given to build_defs,
    are not counted.
    """
    import asyncio

    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.orchestration.progress import usd
    from kura_dagster.pipeline.estimate import estimate as estimate_of

    begin, end = asked_range(day, first, last)
    with errors_explained():
        settings = Settings.load()
        keys = partition_keys_between(settings, begin, end)
        estimates = asyncio.run(estimate_of(_landed(settings, keys), settings))
        if not estimates:
            print_lines(
                [
                    f"The run asks no provider and costs nothing: KURA_LANGUAGE_MODEL is {settings.language_model}, "
                    f"KURA_EMBEDDING_MODEL is {settings.embedding_model}."
                ]
            )
            return
        rows = [
            (
                each.asset,
                each.model,
                f"{each.calls:,}",
                f"{each.kept:,}",
                f"{each.input_tokens:,}",
                f"{each.output_tokens:,}",
                "unknown" if each.cost_usd is None else f"{each.cost_usd:,.4f}",
            )
            for each in estimates
        ]
        table = RichTable(
            "asset",
            Column("model", overflow="fold"),
            *(Column(name, justify="right", no_wrap=True) for name in ("calls", "kept", "tokens in", "out", "USD")),
        )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        # A pipe has no width that a table has to fit.
        (screen.console if screen.console.is_terminal else Console(file=screen.console.file, width=200)).print(table)
        calls = sum(each.calls for each in estimates)
        unknown = sorted({each.model for each in estimates if each.cost_usd is None})
        cost = None if unknown else sum(each.cost_usd or 0 for each in estimates)
        print_lines([f"About {calls:,} calls, {usd(cost)}, for {days_text(settings, keys)}."])
        for model in unknown:
            print_lines(
                [f'The price of {model} is unknown. Set KURA_PRICES={{"{model}": {{"input": …, "output": …}}}}.']
            )
        print_lines(
            [
                "This is an estimate, at 4 letters a token and answers of usual length. With new conversations, all "
                "clusters of their partition count as changed. Requests that fail and are sent again come on top.",
                "What is given to build_defs is not counted: a schema, prompts, extractors or models of your own.",
            ]
        )


def _landed(settings: Settings, keys: Sequence[str]) -> Iterator[tuple[list[Conversation], Mapping[str, np.ndarray]]]:
    """Yield of each partition the landed conversations, and what is stored of the configured model's vectors."""
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.pipeline.conversations import read_conversations
    from kura_dagster.storage.tables import EMBEDDINGS

    partitions_def, dates, database = partitions_from(settings), dates_by_key(settings), database_of(settings)
    for key in keys:
        window = partitions_def.time_window_for_partition_key(key)
        landed = read_conversations(settings.conversations, window.start, window.end, settings.tzinfo)
        rows = database.load(EMBEDDINGS, dates[key])
        yield (
            landed.conversations,
            {row.chat_id: row.embedding for row in rows if row.model == settings.embedding_model},
        )
