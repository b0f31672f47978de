"""`kura-dagster cache`: the answers that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ByteSize

from kura_dagster.cli.app import Command, Group, app, examples
from kura_dagster.cli.screen import errors_explained, print_lines
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy


cache_app = typer.Typer(cls=Group, invoke_without_command=True)
app.add_typer(cache_app, name="cache")


@cache_app.callback(epilog=examples("cache", "cache clear", "cache clear --yes"))
def cache(context: typer.Context) -> None:
    """Show how many answers of language models are kept, and how much room they take."""
    if context.invoked_subcommand is not None:
        return
    with errors_explained(), _open_cache() as kept:
        found = kept.statistics()
        print_lines(
            [
                f"{found.n_answers:,} answers are kept, {_size(found.n_bytes)} of at most {_size(found.size_limit)} "
                f"(KURA_CACHE_SIZE_LIMIT), in {kept.folder}."
            ]
        )
        if found.n_bytes > found.size_limit:
            print_lines(["That is above the limit: it shrinks as new answers come, the oldest first."])


@cache_app.command(cls=Command, epilog=examples("cache clear", "cache clear --yes"))
def clear(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget every kept answer. The next run asks, and pays, for all of them again."""
    with errors_explained(), _open_cache() as kept:
        number = kept.statistics().n_answers
        if number and not yes:
            typer.confirm(f"Forget {number:,} answers? They would be paid for again.", abort=True)
        print_lines([f"{kept.clear():,} answers are forgotten."])


@contextmanager
def _open_cache() -> Iterator[DiskCacheStrategy]:
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
    from kura_dagster.pipeline.providers import ANSWERS_FOLDER

    settings = Settings.load()
    with closing(DiskCacheStrategy(settings.cache / ANSWERS_FOLDER, settings.cache_size_limit)) as kept:
        yield kept


def _size(n_bytes: int) -> str:
    return ByteSize(n_bytes).human_readable(decimal=True, separator=" ")
