"""Runs in this process, with a bar for each asset and what the run cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from kura_dagster.cli.project import days_text, opened_instance
from kura_dagster.cli.screen import INTERRUPTED, print_error, print_lines
from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kura_dagster.orchestration.materialise import RunReport
    from kura_dagster.orchestration.progress import RunProgress, RunWatch
    from kura_dagster.pipeline.language_model.ledger import Spent


def run_keys(settings: Settings, keys: Sequence[str]) -> dict[str, float]:
    """Analyse the partitions of these keys, given in order, as `run_stretches` does with neighbours in one run."""
    from kura_dagster.orchestration.partitions import partitions_from, stretches

    in_order = partitions_from(settings).get_partition_keys()
    return run_stretches(settings, list(stretches(set(keys), in_order, settings.partitions_per_run)))


def run_stretches(settings: Settings, stretches: Sequence[list[str]]) -> dict[str, float]:
    """Analyse each stretch of neighbouring partitions in a run of its own, one after the other, and say how it went.

    What fails in one run keeps no other from being analysed. The limits of the settings hold for all of them together.

    Returns:
        Seconds by asset, of all runs.

    Raises:
        typer.Exit: a run failed, when all were tried, or was stopped, at once.
    """
    seconds: Counter[str] = Counter()
    failed: list[str] = []
    for keys in stretches:
        said = days_text(settings, keys)
        print_lines([f"Analysing {said} …"])
        report = _run(settings, keys)
        if report.interrupted:
            raise typer.Exit(INTERRUPTED)
        if not report.success:
            failed.append(said)
        seconds.update(report.seconds_by_asset)
        settings = _with_what_is_left(settings, report.spent)
    if failed and len(stretches) > 1:
        print_error(
            "[red]error[/red]",
            f"{len(failed):,} of {len(stretches):,} runs failed: {', '.join(failed)}. What is stored is kept; once "
            "what is named above is mended, kura-dagster run … --missing does what is not done.",
        )
    if failed:
        raise typer.Exit(1)
    return dict(seconds)


def _with_what_is_left(settings: Settings, spent: Spent) -> Settings:
    """Return the settings with the limits that are left after what was spent: they hold for the command as a whole."""
    left: dict[str, float] = {}
    if settings.max_calls is not None:
        left["max_calls"] = max(0, settings.max_calls - spent.calls)
    if settings.max_cost_usd is not None:
        left["max_cost_usd"] = max(0.0, settings.max_cost_usd - spent.known_usd)
    return settings.model_copy(update=left)


def _run(settings: Settings, keys: list[str]) -> RunReport:
    """Analyse the partitions from the first key to the last in one run, with progress, what it cost and what failed."""
    from kura_dagster.orchestration.code_location import definitions_from
    from kura_dagster.orchestration.materialise import materialise
    from kura_dagster.orchestration.progress import RunWatch, watched_by

    watch = RunWatch()
    defs = definitions_from(settings)
    with opened_instance() as instance, _progress(len(keys), watch) as on_event, watched_by(watch):
        report = materialise(defs, keys, instance, on_event, _say_stopping)
    report.spent = watch.spent
    _print_spent(watch)
    if report.interrupted:
        return report
    for check, fault in report.failed_checks.items():
        print_error("[yellow]warning[/yellow]", f"{check}: {fault}")
    for step, cause in report.failures.items():
        print_error(f"[red]{step} failed[/red]:", cause)
    return report


def _say_stopping() -> None:
    print_error("[yellow]stopping[/yellow]", "what is stored is kept; kura-dagster run … --missing goes on")


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
