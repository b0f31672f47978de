"""`kura-dagster drop-old-messages`: messages older than they are to be kept, listed and dropped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.project import a_partition, database_of
from kura_dagster.cli.screen import counted, errors_explained, fail, print_error, print_lines
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from kura_dagster.orchestration.retention import OldMessages


@app.command(cls=Command, epilog=examples("drop-old-messages --dry-run", "drop-old-messages --yes"))
def drop_old_messages(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be dropped.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Drop messages older than KURA_KEEP_MESSAGES_DAYS, in tables and landing files; what was made of them stays.

    The job of the same name does this every day. What is dropped cannot be brought back: its days keep their summaries
    and clusters, and can't be read or summarised again. Copies that you made (backups, exports) are yours to clean.
    """
    from kura_dagster.orchestration import retention

    if dry_run and yes:
        raise typer.BadParameter("--yes does not go with --dry-run")
    with errors_explained():
        settings = Settings.load()
        before = retention.kept_since(settings, datetime.now(UTC))
        if before is None:
            fail("KURA_KEEP_MESSAGES_DAYS is unset, so messages are kept for ever; set it to a number of days", code=2)
        database = database_of(settings)
        found = retention.old_messages(settings, database, before)
        if not found:
            if not dry_run:
                # One that was killed between the database and the snapshot left them there.
                retention.drop_old_messages(settings, database, before)
            print_lines([f"Nothing from before {before:%Y-%m-%d %H:%M} has messages any more."])
            return
        _print_found(settings, found)
        if dry_run:
            print_lines(["Nothing is dropped."])
            return
        if not yes:
            typer.confirm("Drop these messages for good?", abort=True)
        retention.drop_old_messages(settings, database, before)
        print_lines([f"Messages from before {before:%Y-%m-%d %H:%M} are dropped."])


def _print_found(settings: Settings, found: OldMessages) -> None:
    keys = found.partition_keys
    if keys:
        number = counted(len(keys), a_partition(settings), f"{a_partition(settings)}s")
        print_lines([f"{number} with messages from before {found.before:%Y-%m-%d %H:%M}: {', '.join(keys)}"])
    print_lines([f"{table}: {counted(number, 'row', 'rows')}" for table, number in found.rows.items()])
    print_lines([f"{file}: {counted(number, 'line', 'lines')}" for file, number in found.lines.items()])
    if found.not_summarised:
        print_error("[yellow]warning[/yellow]", f"never summarised: {', '.join(found.not_summarised)}")
