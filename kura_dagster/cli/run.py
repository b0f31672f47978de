"""`kura-dagster run`: days analysed, those asked for or those that something was landed for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.arguments import Day, From, To, asked_range
from kura_dagster.cli.project import a_partition, days_text, opened_instance
from kura_dagster.cli.runs import FailedRun, run_days, run_keys
from kura_dagster.cli.screen import errors_explained, fail, print_lines, print_seconds
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from kura_dagster.pipeline.language_model.ledger import Spent


@app.command(
    cls=Command,
    epilog=examples(
        "run 2026-11-20", "run --from 2026-11-18 --to 2026-11-20 --max-cost-usd 5", "run --landed --max-calls 500"
    ),
)
def run(
    day: Day = None,
    first: From = None,
    last: To = None,
    landed: Annotated[
        bool,
        typer.Option("--landed", help="Every day that is over and has conversations landed since it was analysed."),
    ] = False,
    max_cost_usd: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="Stop before language models cost more than this. KURA_MAX_COST_USD."),
    ] = None,
    max_calls: Annotated[
        int | None,
        typer.Option(min=0, metavar="CALLS", help="Stop before more requests than this are sent. KURA_MAX_CALLS."),
    ] = None,
) -> None:
    """Analyse a day, or every day of a range in one run, or the days of what was landed, neighbours in one run.

    What was stored for those days is replaced. Lines that cannot be used are set aside and reported. Answers of
    language models are kept: what was asked before costs nothing. Exits with 1 when an asset or a blocking check fails,
    with 2 when the days or a setting are not allowed.
    """
    if landed and (day or first or last):
        raise typer.BadParameter("--landed chooses the days itself: say no DAY, --from or --to")
    begin, end = (None, None) if landed else asked_range(day, first, last)
    with errors_explained():
        limits = {"max_cost_usd": max_cost_usd, "max_calls": max_calls}
        settings = Settings.load(**{name: limit for name, limit in limits.items() if limit is not None})
        if begin and end:
            print_seconds(run_days(settings, begin, end).seconds_by_asset)
            return
        stretches = _landed_since_analysed(settings)
        failed = False
        for keys in stretches:
            print_lines([f"Analysing {days_text(settings, keys)} …"])
            try:
                report = run_keys(settings, keys)
            except FailedRun as ended:
                # Days that fail keep no others from being analysed; who stops the command means all of it.
                if ended.report.interrupted:
                    raise
                failed, report = True, ended.report
            else:
                print_seconds(report.seconds_by_asset)
            settings = _with_what_is_left(settings, report.spent)
        if failed:
            raise typer.Exit(1)
        if not stretches:
            since = f" and not before KURA_START_DATE, {settings.start_date}," if _has_earlier(settings) else ""
            print_lines([f"No {a_partition(settings)} that is over{since} has anything landed since it was analysed."])


def _has_earlier(settings: Settings) -> bool:
    from kura_dagster.pipeline.conversations import day_files

    return any(day < settings.start_date for day, _ in day_files(settings.conversations))


def _with_what_is_left(settings: Settings, spent: Spent) -> Settings:
    """Return the settings with the limits that are left after what was spent: they hold for the command as a whole."""
    left: dict[str, float] = {}
    if settings.max_calls is not None:
        left["max_calls"] = max(0, settings.max_calls - spent.calls)
    if settings.max_cost_usd is not None:
        left["max_cost_usd"] = max(0.0, settings.max_cost_usd - spent.known_usd)
    return settings.model_copy(update=left)


def _landed_since_analysed(settings: Settings) -> list[list[str]]:
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.orchestration.sensors import landed_since_analysed

    with opened_instance() as instance:
        if not settings.conversations.is_dir():
            fail(f"the landing folder {settings.conversations} does not exist; put conversations into it with ingest")
        return landed_since_analysed(instance, partitions_from(settings), settings)
