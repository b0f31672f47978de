"""What several commands take: a day, or a range of days."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import typer


def a_day(text: str) -> date:
    """Return the day that a text names as YYYY-MM-DD, or refuse it."""
    # fromisoformat alone takes 20261115 and 2026-W46-7 as well, which no landing file is called.
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r} is no day; write it as YYYY-MM-DD, for example 2026-11-15.")


Day = Annotated[
    date | None, typer.Argument(parser=a_day, metavar="DAY", help="One day, as YYYY-MM-DD.", show_default=False)
]


From = Annotated[date | None, typer.Option("--from", parser=a_day, metavar="DAY", help="The first day of a range.")]


To = Annotated[
    date | None,
    typer.Option(
        "--to", parser=a_day, metavar="DAY", help="The last day, included. Without it, the first is the last."
    ),
]


def asked_range(day: date | None, first: date | None, last: date | None) -> tuple[date, date]:
    """Return the first and the last day that are asked for, either way of saying it."""
    begin = day or first
    if begin is None or (day is not None and first is not None) or (last is not None and first is None):
        raise typer.BadParameter("say either DAY or --from DAY [--to DAY]")
    return begin, last or begin
