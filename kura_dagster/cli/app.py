"""The command line `kura-dagster` as a whole, and how its help looks. Each command is in a module of its own name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    pass


class _PlainHelp:
    """What typer's help would make look broken: braces round what is required, a type for what takes no value."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]  # type: ignore[misc]

    def get_params(self, ctx: Any) -> list[Any]:
        parameters = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
        return parameters


class Command(_PlainHelp, TyperCommand):
    """A command with plain help."""


class Group(_PlainHelp, TyperGroup):
    """A group of commands with plain help."""


app = typer.Typer(cls=Group, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown")


def examples(*commands: str) -> str:
    """Return the epilog of a command's help: what one would type."""
    lines = "\n".join(f"kura-dagster {command}" for command in commands)
    return f"Example{'s' if len(commands) > 1 else ''}:\n\n```\n{lines}\n```"


@app.callback()
def kura_dagster() -> None:
    """What people ask your assistant for, day by day.

    Start with `kura-dagster demo`: two weeks of sample conversations, no key needed. Then `ingest` your own, and
    `run --landed`. Settings are environment variables that begin with KURA_, also read from .env: the README has them.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Names are in any script, and not every terminal or pipe takes all of them.
            stream.reconfigure(errors="replace")
