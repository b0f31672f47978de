"""Runs in this process, with a bar for each asset and what the run cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from kura_dagster.cli import screen
from kura_dagster.cli.project import opened_instance
from kura_dagster.cli.screen import INTERRUPTED, print_error, print_lines
from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kura_dagster.orchestration.materialise import RunReport
    from kura_dagster.orchestration.progress import RunProgress, RunWatch


class FailedRun(typer.Exit):
    """Ends the command after a run that failed or was stopped, of which everything is said."""

    def __init__(self, report: RunReport) -> None:
        super().__init__(INTERRUPTED if report.interrupted else 1)
        self.report = report


def run_days(settings: Settings, first: date, last: date) -> RunReport:
    """Analyse the partitions that hold any moment of these days, as `run_keys` does."""
    from kura_dagster.orchestration.materialise import partition_keys_between

    return run_keys(settings, partition_keys_between(settings, first, last))


def run_keys(settings: Settings, keys: list[str], *, first_asset: str | None = None) -> RunReport:
    """Analyse the partitions from the first key to the last in one run, with progress and what it cost.

    With `first_asset` only that asset and those after it.

    Raises:
        FailedRun: it failed, or was stopped.
    """
    from kura_dagster.orchestration.code_location import definitions_from
    from kura_dagster.orchestration.materialise import materialise
    from kura_dagster.orchestration.progress import RunWatch, watched_by

    watch = RunWatch()
    defs = definitions_from(settings)
    with opened_instance() as instance, _progress(len(keys), watch) as on_event, watched_by(watch):
        report = materialise(defs, keys, instance, on_event, _say_stopping, first_asset=first_asset)
    report.spent = watch.spent
    _print_spent(watch)
    if report.interrupted:
        raise FailedRun(report)
    for check, fault in report.failed_checks.items():
        print_error("[yellow]warning[/yellow]", f"{check}: {fault}")
    if not report.success:
        for step, cause in report.failures.items():
            print_error(f"[red]{step} failed[/red]:", cause)
        raise FailedRun(report)
    return report


def _say_stopping() -> None:
    print_error("[yellow]stopping[/yellow]", "what is stored is kept; run the same again to go on")


def _print_spent(watch: RunWatch) -> None:
    """Say what the run asked and paid, where it asked anything."""
    from kura_dagster.orchestration.progress import spending_line

    if watch.spent.calls or watch.spent.cache_hits:
        print_lines([f"{spending_line(watch.spent)}."])


class _Bars(Progress):
    """A bar an asset, and under them how far the questions to a language model are, with the latest answer."""

    asking: RunProgress | None = None

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if self.asking is not None:
            # As Text: what a model answered is no markup.
            yield Text(self.asking.line(), no_wrap=True, overflow="ellipsis")
            yield Text(plain_line(self.asking.latest), no_wrap=True, overflow="ellipsis", style="dim")


@contextmanager
def _progress(partitions: int, watch: RunWatch) -> Iterator[Any]:
    """Yield the listener that moves a bar for each asset, a step a partition; `watch` moves what stands under them."""
    from kura_dagster.orchestration.materialise import ASSET_NAMES
    from kura_dagster.orchestration.partition_loop import PARTITION_DONE

    with _Bars(
        SpinnerColumn(),
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen.errors,
    ) as progress:
        tasks: dict[str, Any] = {}

        def on_event(entry: Any) -> None:
            step = entry.step_key
            if entry.dagster_event is not None and entry.dagster_event.is_step_start and step in ASSET_NAMES:
                tasks[step] = progress.add_task(step, total=partitions)
            elif entry.dagster_event is None and step in tasks and PARTITION_DONE.search(entry.user_message):
                progress.advance(tasks[step])

        def on_progress(asking: RunProgress) -> None:
            progress.asking = asking

        watch.on_progress = on_progress
        # Above the bars, where it stays: it says why they stand still.
        watch.on_notice = lambda notice: print_error("[yellow]waiting[/yellow]", notice)
        yield on_event
        progress.asking = None
