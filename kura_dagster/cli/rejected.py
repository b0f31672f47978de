"""`kura-dagster rejected`: what was set aside, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.arguments import Day
from kura_dagster.cli.reasons import reason_lines
from kura_dagster.cli.screen import counted, errors_explained, print_lines
from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from kura_dagster.pipeline.conversations import RejectedConversation


@app.command(cls=Command, epilog=examples("rejected", "rejected 2026-11-20", "rejected --clear"))
def rejected(
    day: Day = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Take the list away, of the day or of all days, instead of showing it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --clear: do not ask.")] = False,
) -> None:
    """List what was set aside when conversations were landed or read, with file, number and reason.

    Without a day, every day that has any. The landing folder is read, so that it is shown before a day is run; the
    table rejected_conversations holds the same for the days that are materialised. With --clear what could not be
    landed is off the list, in the table once its day is run again; lines that cannot be used in the landing folder's
    own files stay on it until they are mended there.
    """
    from kura_dagster.pipeline.rejected import clear_rejected, count_rejected, kind_of_reason

    if yes and not clear:
        raise typer.BadParameter("--yes goes with --clear")
    with errors_explained():
        settings = Settings.load()
        if clear:
            number = count_rejected(settings.conversations, day)
            if number and not yes:
                of_day = f" of {day}" if day else ""
                typer.confirm(f"Take {counted(number, 'record', 'records')}{of_day} off the list?", abort=True)
            cleared = clear_rejected(settings.conversations, day)
            print_lines([f"{counted(cleared, 'record is', 'records are')} off the list."])
            if left := sum(1 for _ in _set_aside(settings, day)):
                stay = counted(left, "line that stands", "lines that stand")
                print_lines([f"{stay} in the landing folder itself {'stays' if left == 1 else 'stay'}: mend it there."])
            return
        reasons: Counter[str] = Counter()
        for each, row in _set_aside(settings, day):
            reasons[kind_of_reason(row.reason)] += 1
            print_lines([plain_line(f"{each}  {row.file}:{row.line}  {row.chat_id or '–'}  {row.reason}")])
        print_lines([f"Set aside{f' on {day}' if day else ''}: {reasons.total():,}.", *reason_lines(reasons)])


def _set_aside(settings: Settings, day: date | None) -> Iterator[tuple[date, RejectedConversation]]:
    """Yield what was set aside on a day, or with None on any, with its day."""
    from kura_dagster.pipeline.conversations import day_of_file, set_aside

    files = settings.conversations.glob("*.jsonl")
    days = {day} if day else {found for path in files if (found := day_of_file(path))}
    for each in sorted(days):
        for row in set_aside(settings.conversations, each, settings.tzinfo):
            yield each, row
