"""`kura-dagster run`: days analysed, those asked for or those that something was landed for."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.arguments import Day, From, To, asked_range
from kura_dagster.cli.project import a_partition, opened_instance
from kura_dagster.cli.runs import run_keys, run_stretches
from kura_dagster.cli.screen import errors_explained, fail, print_lines, print_seconds
from kura_dagster.settings import Settings


@app.command(
    cls=Command,
    epilog=examples(
        "run 2026-11-20",
        "run --from 2026-01-01 --to 2026-11-20 --missing",
        "run --from 2026-11-18 --to 2026-11-20 --max-cost-usd 5",
        "run --landed --max-calls 500",
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
    missing: Annotated[
        bool,
        typer.Option("--missing", help="Only the days that are not done: never run to the end, failed or stopped."),
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
    """Analyse a day, every day of a range, or the days of what was landed, neighbours in one run.

    A run has at most KURA_PARTITIONS_PER_RUN days; a longer range is several, one after the other. A day that fails is
    named and keeps no other from getting to the map. After a failure or Ctrl-C, `--missing` does what is not done.

    What was stored for those days is replaced. Lines that cannot be used are set aside and reported. Answers of
    language models are kept: what was asked before costs nothing. Exits with 1 when an asset or a blocking check fails,
    with 2 when the days or a setting are not allowed.
    """
    if landed and (day or first or last):
        raise typer.BadParameter("--landed chooses the days itself: say no DAY, --from or --to")
    if landed and missing:
        raise typer.BadParameter("--landed has its own days, whether they are done or not: say it without --missing")
    begin, end = (None, None) if landed else asked_range(day, first, last)
    with errors_explained():
        limits = {"max_cost_usd": max_cost_usd, "max_calls": max_calls}
        settings = Settings.load(**{name: limit for name, limit in limits.items() if limit is not None})
        if begin and end:
            keys = _between(settings, begin, end, only_missing=missing)
            if not keys:
                print_lines([f"Every {a_partition(settings)} of these is done: nothing is missing."])
                return
            print_seconds(run_keys(settings, keys))
            return
        stretches = _landed_since_analysed(settings)
        if not stretches:
            since = f" and not before KURA_START_DATE, {settings.start_date}," if _has_earlier(settings) else ""
            print_lines([f"No {a_partition(settings)} that is over{since} has anything landed since it was analysed."])
            return
        print_seconds(run_stretches(settings, stretches))


def _between(settings: Settings, first: date, last: date, *, only_missing: bool) -> list[str]:
    """Return the keys of the partitions that hold any moment of these days, all or those that are not done.

    Partitions whose messages were dropped are none of the latter: nobody can analyse them any more.
    """
    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.orchestration.missing_partitions import missing_partitions
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.orchestration.running import report_abandoned_runs
    from kura_dagster.orchestration.sensors import dropped_keys

    keys = partition_keys_between(settings, first, last)
    if only_missing:
        with opened_instance() as instance:
            report_abandoned_runs(instance)  # what they left is missing as well
            dropped = dropped_keys(partitions_from(settings), settings)
            return [key for key in missing_partitions(instance, keys) if key not in dropped]
    return keys


def _has_earlier(settings: Settings) -> bool:
    from kura_dagster.pipeline.conversations import day_files

    return any(day < settings.start_date for day, _ in day_files(settings.conversations))


def _landed_since_analysed(settings: Settings) -> list[list[str]]:
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.orchestration.sensors import landed_since_analysed

    with opened_instance() as instance:
        if not settings.conversations.is_dir():
            fail(f"the landing folder {settings.conversations} does not exist; put conversations into it with ingest")
        return landed_since_analysed(instance, partitions_from(settings), settings)
