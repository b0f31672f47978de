"""What commands print: results to standard output, trouble to standard error, neither with markup from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Column
from rich.table import Table as RichTable

from kura_dagster.pipeline.plain_text import plain_lines
from kura_dagster.settings import SettingsError

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


console = Console()
errors = Console(stderr=True)


def print_lines(lines: Sequence[str], style: str | None = None) -> None:
    """Print text as it is: neither cut nor wrapped, and nothing in it read as markup."""
    console.print("\n".join(lines), style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_seconds(seconds: dict[str, float]) -> None:
    """Print how long each stage took."""
    table = RichTable("stage", Column("seconds", justify="right"))
    for stage, value in seconds.items():
        table.add_row(stage, f"{value:.1f}")
    table.add_row("total", f"{sum(seconds.values()):.1f}")
    console.print(table)


def counted(number: int, one: str, several: str) -> str:
    """Return a number with what it counts."""
    return f"{number:,} {one if number == 1 else several}"


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn the errors a user can mend into a message and an exit code; others keep their traceback."""
    try:
        yield
    except KeyboardInterrupt:
        # No run is under way that would have said so itself.
        errors.print("[yellow]stopped[/yellow]")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        _explain(error)
        raise


def _explain(error: Exception) -> None:
    """Say what a user can mend, and exit; return where that is nothing."""
    # Imported with an error: most of it comes with Dagster, which takes a second.
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from kura_dagster.orchestration.code_location import CodeLocationError
    from kura_dagster.orchestration.materialise import PartitionRangeError
    from kura_dagster.orchestration.run_history import HistoryError
    from kura_dagster.pipeline.failures import LanguageModelError
    from kura_dagster.pipeline.language_model.answer_cache import CacheError
    from kura_dagster.storage.database import DatabaseError
    from kura_dagster.storage.dropped_messages import MessagesDroppedError
    from kura_dagster.storage.query_source import QueryError

    if isinstance(error, (SettingsError, CodeLocationError, PartitionRangeError)):
        fail(str(error), code=2)
    if isinstance(error, SQLAlchemyError):
        # Only Dagster uses it. What it was to write stands in the error as well, and is left out.
        reason = error.orig if isinstance(error, DBAPIError) else error
        fail(
            f"Dagster's run history cannot be used: {reason}. See that its disk is not full and can be written, then "
            "run the same again."
        )
    if isinstance(error, QueryError):
        fail(f"{error}; nothing is landed")
    if isinstance(error, (DatabaseError, MessagesDroppedError, CacheError, HistoryError, LanguageModelError, OSError)):
        fail(str(error))


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong, and exit."""
    print_error("[red]error[/red]", message)
    raise typer.Exit(code)


def print_error(label: str, message: str) -> None:
    """Print to standard error; messages quote files that others wrote, and a terminal obeys what those hold."""
    errors.print(label, end=" ")
    errors.print(plain_lines(message), markup=False, highlight=False, emoji=False, soft_wrap=True)
