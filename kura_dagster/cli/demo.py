"""`kura-dagster demo`: sample conversations all the way to the map."""

from __future__ import annotations

import time

from kura_dagster.cli import screen
from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.drawn_tree import TreeStyle, print_tree
from kura_dagster.cli.runs import run_keys
from kura_dagster.cli.screen import errors_explained, fail, print_seconds
from kura_dagster.settings import Settings


@app.command(cls=Command, epilog=examples("demo"))
def demo() -> None:
    """Generate the sample conversations, analyse all fourteen days and show the last one.

    Needs no key and no network. It writes to the landing folder and the database that the settings name, and stops
    where other conversations are in the way.
    """
    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.sample.generator import FIRST_DAY, LAST_DAY, SampleConflictError, write_sample

    with errors_explained():
        settings = Settings.load()
        keys = partition_keys_between(settings, FIRST_DAY, LAST_DAY)  # before anything is written
        started = time.perf_counter()
        try:
            sample = write_sample(settings.conversations, settings.conversations.parent / "sample_truth.jsonl")
        except SampleConflictError as error:
            fail(str(error))
        seconds = {"sample conversations": time.perf_counter() - started}
        screen.console.print(
            f"{sample.conversations:,} sample conversations of {sample.days} days are in {settings.conversations}."
        )
        seconds |= run_keys(settings, keys)
        screen.console.print()
        print_tree(settings, partition_keys_between(settings, LAST_DAY, LAST_DAY), TreeStyle.BASIC)
        screen.console.print()
        print_seconds(seconds)
        screen.console.print(
            "\nNext:\n"
            "  make dev                                   this run in the Dagster UI\n"
            "  .venv/bin/kura-dagster tree --style rich   descriptions and shares\n"
            "  .venv/bin/kura-dagster status              what is materialised\n"
            "  .venv/bin/kura-dagster --help              everything else\n"
            "README.md tells how to add your own conversations and how to use a language model.",
            highlight=False,
        )
