"""The command line `kura-dagster`. Each command reads settings, calls one thing of the project and shows the result."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.table import Table as RichTable

from kura_dagster.settings import Settings, SettingsError

if TYPE_CHECKING:
    from kura_dagster.orchestration.materialise import RunReport
    from kura_dagster.storage.database import Database

# Dagster, DuckDB and the pipeline are imported inside the commands: --help should not wait for them.

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="What people ask your assistant for, day by day.\n\n"
    "Start with [bold]kura-dagster demo[/bold]: two weeks of sample conversations, no key needed. Then put your own "
    "conversations into data/conversations/YYYY-MM-DD.jsonl and [bold]run[/bold] those days. Settings are KURA_… "
    "environment variables, also read from .env; the README lists them.",
)
console = Console()
errors = Console(stderr=True)

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A day, as YYYY-MM-DD.")]
From = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, as YYYY-MM-DD.", metavar="DAY")
]
To = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included; the first by default.", metavar="DAY"),
]


class TreeStyle(StrEnum):
    """How a tree is drawn."""

    BASIC = "basic"
    ENHANCED = "enhanced"
    RICH = "rich"


@app.command()
def demo() -> None:
    """Generate the sample conversations, analyse all fourteen days and show the last one."""
    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.sample.generator import FIRST_DAY, LAST_DAY, SampleConflictError, write_sample

    with _errors_explained():
        settings = Settings.load()
        partition_keys_between(settings, FIRST_DAY, LAST_DAY)  # before anything is written
        started = time.perf_counter()
        try:
            sample = write_sample(settings.conversations, settings.conversations.parent / "sample_truth.jsonl")
        except SampleConflictError as error:
            _fail(str(error))
        seconds = {"sample conversations": time.perf_counter() - started}
        console.print(
            f"{sample.conversations:,} sample conversations of {sample.days} days are in {settings.conversations}."
        )
        report = _run(settings, FIRST_DAY, LAST_DAY)
        _print_tree(_database(settings), settings, LAST_DAY, TreeStyle.BASIC)
        _print_seconds(seconds | report.seconds_by_asset)
        console.print(
            "\nNext:\n"
            "  make dev                                  this run in the Dagster UI\n"
            f"  .venv/bin/kura-dagster tree {LAST_DAY} --style rich   descriptions and shares\n"
            "  .venv/bin/kura-dagster status             what is materialised\n"
            "  .venv/bin/kura-dagster --help             everything else\n"
            "README.md tells how to add your own conversations and how to use a language model.",
            highlight=False,
        )


@app.command()
def run(
    day: Annotated[
        datetime | None, typer.Argument(formats=["%Y-%m-%d"], help="One day; or use --from and --to.")
    ] = None,
    first: From = None,
    last: To = None,
) -> None:
    """Materialise the six assets for a day, or for every day of a range, in one run.

    What was stored for those days is replaced. Lines that cannot be used are set aside and reported. Exits with 1 when
    an asset or a blocking check fails, with 2 when the days or a setting are not allowed.
    """
    if (day is None) == (first is None) or (last is not None and first is None):
        raise typer.BadParameter("say either DAY or --from DAY [--to DAY]")
    with _errors_explained():
        settings = Settings.load()
        begin = (day or first).date()  # type: ignore[union-attr]
        report = _run(settings, begin, last.date() if last else begin)
        _print_seconds(report.seconds_by_asset)


@app.command()
def tree(
    day: Day,
    style: Annotated[TreeStyle, typer.Option(help="How much of each cluster to show.")] = TreeStyle.BASIC,
) -> None:
    """Print the cluster tree of a day."""
    with _errors_explained():
        settings = Settings.load()
        _print_tree(_database(settings), settings, day.date(), style)


@app.command()
def status() -> None:
    """Show which partitions are materialised, with the rows in each table; – is not materialised."""
    from kura_dagster.orchestration.materialise import open_instance
    from kura_dagster.orchestration.partitions import partition_type, partitions_from
    from kura_dagster.storage.io_manager import partition_dates
    from kura_dagster.storage.tables import CONVERSATIONS, REJECTED_CONVERSATIONS, TABLES

    with _errors_explained(), open_instance() as instance:
        settings = Settings.load()
        counts = _database(settings).row_counts()
        keys = partitions_from(settings).get_partition_keys()
        dates = partition_dates(partitions_from(settings), keys, partition_type(settings))
        done = {name: _materialised(instance, name) for name in TABLES}
        shown = [key for key in keys if any(dates[key] in counts[name] or key in done[name] for name in TABLES)]
        # A table that only fills when something was wrong is shown only then.
        names = [name for name in TABLES if counts[name] or name != REJECTED_CONVERSATIONS.name]
        table = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("partition", no_wrap=True)
        for name in names:
            table.add_column(name.replace("_", "_\n"), justify="right", overflow="fold")
        for key in shown:
            cells = []
            for name in names:
                count = counts[name].get(dates[key])
                filled_by = CONVERSATIONS.name if name == REJECTED_CONVERSATIONS.name else name
                materialised = key in done[filled_by]
                cells.append(f"{count:,}" if count is not None else "0" if materialised else "–")
            table.add_row(key, *cells)
        console.print(table)
        missing = len(keys) - len(shown)
        console.print(
            f"{len(shown)} of {len(keys)} partitions are materialised, {missing} are not."
            + (f" The last is {keys[-1]}." if keys else "")
        )


@app.command()
def export(
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, as YYYY-MM-DD.", metavar="DAY")
    ],
    folder: Annotated[Path, typer.Argument(help="Where to write; made if missing.")],
    last: To = None,
) -> None:
    """Write a day or a range as Kura's checkpoint files.

    The folder then holds conversations.json, summaries.jsonl, clusters.jsonl, meta_clusters.jsonl and
    dimensionality.jsonl, which Kura's own viewer opens.
    """
    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.orchestration.partitions import partition_type, partitions_from
    from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager, write_conversations
    from kura_dagster.storage.io_manager import partition_dates
    from kura_dagster.storage.tables import BASE_CLUSTERS, CONVERSATIONS, META_CLUSTERS, PROJECTIONS, SUMMARIES

    with _errors_explained():
        settings = Settings.load()
        keys = partition_keys_between(settings, first.date(), (last or first).date())
        dates = partition_dates(partitions_from(settings), keys, partition_type(settings)).values()
        database = _database(settings)

        def rows(table: Any) -> list[Any]:
            return [row for when in dates for row in database.load(table, when)]

        conversations = rows(CONVERSATIONS)
        if not conversations:
            _fail(
                f"nothing is stored for {keys[0]} to {keys[-1]}; run: kura-dagster run --from {keys[0]} --to {keys[-1]}"
            )
        checkpoints = JSONLCheckpointManager(folder)
        write_conversations(folder / "conversations.json", conversations)
        for filename, table in {
            "summaries": SUMMARIES,
            "clusters": BASE_CLUSTERS,
            "meta_clusters": META_CLUSTERS,
            "dimensionality": PROJECTIONS,
        }.items():
            checkpoints.save_checkpoint(filename, rows(table))
        console.print(f"{len(conversations):,} conversations of {len(keys)} partitions are in {folder}.")


def _run(settings: Settings, first: date, last: date) -> RunReport:
    from kura_dagster.orchestration.build import build_defs
    from kura_dagster.orchestration.materialise import materialise, open_instance, partition_keys_between

    keys = partition_keys_between(settings, first, last)
    with open_instance() as instance, _progress(len(keys)) as on_event:
        report = materialise(build_defs(settings), keys, instance, on_event)
    for check, fault in report.failed_checks.items():
        errors.print(f"[yellow]check failed[/yellow] {check}: ", end="")
        errors.print(_plain(fault), markup=False)
    if not report.success:
        for step, cause in report.failures.items():
            errors.print(f"[red]{step} failed[/red]: ", end="")
            errors.print(_plain(cause), markup=False)
        raise typer.Exit(1)
    return report


@contextmanager
def _progress(partitions: int) -> Iterator[Any]:
    """Yield the listener that moves a bar for each asset, a step a partition."""
    from kura_dagster.orchestration.materialise import ASSET_NAMES
    from kura_dagster.orchestration.partition_loop import PARTITION_DONE

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
    ) as progress:
        tasks: dict[str, Any] = {}

        def on_event(entry: Any) -> None:
            step = entry.step_key
            if entry.dagster_event is not None and entry.dagster_event.is_step_start and step in ASSET_NAMES:
                tasks[step] = progress.add_task(step, total=partitions)
            elif entry.dagster_event is None and step in tasks and PARTITION_DONE.search(entry.user_message):
                progress.advance(tasks[step])

        yield on_event


def _print_tree(database: Database, settings: Settings, day: date, style: TreeStyle) -> None:
    from kura_dagster.orchestration.materialise import open_instance, partition_keys_between
    from kura_dagster.orchestration.partitions import partition_type, partitions_from
    from kura_dagster.pipeline.tree import visualise_pipeline_results
    from kura_dagster.storage.io_manager import partition_dates
    from kura_dagster.storage.tables import META_CLUSTERS

    for key in partition_keys_between(settings, day, day):
        when = partition_dates(partitions_from(settings), [key], partition_type(settings))[key]
        clusters = database.load(META_CLUSTERS, when)
        if not clusters:
            with open_instance() as instance:
                if key not in _materialised(instance, META_CLUSTERS.name):
                    _fail(f"{key} is not materialised; run: kura-dagster run {day}")
            console.print(f"{key} has no conversations.")
            continue
        visualise_pipeline_results(clusters, style=style.value, console=console)


def _print_seconds(seconds: dict[str, float]) -> None:
    table = RichTable("stage", Column("seconds", justify="right"))
    for stage, value in seconds.items():
        table.add_row(stage, f"{value:.1f}")
    table.add_row("total", f"{sum(seconds.values()):.1f}")
    console.print(table)


def _materialised(instance: Any, name: str) -> set[str]:
    import dagster as dg

    return set(instance.get_materialized_partitions(dg.AssetKey(name)))


def _database(settings: Settings) -> Database:
    from kura_dagster.orchestration.partitions import partition_type
    from kura_dagster.storage.database import Database

    return Database(settings.database, partition_type=partition_type(settings))


@contextmanager
def _errors_explained() -> Iterator[None]:
    """Turn the errors a user can mend into a message and an exit code; others keep their traceback."""
    from kura_dagster.orchestration.materialise import PartitionRangeError
    from kura_dagster.storage.database import DatabaseBusyError

    try:
        yield
    except (SettingsError, PartitionRangeError) as error:
        _fail(str(error), code=2)
    except (DatabaseBusyError, OSError) as error:
        _fail(str(error))


def _fail(message: str, code: int = 1) -> None:
    errors.print("[red]error[/red] ", end="")
    errors.print(_plain(message), markup=False, highlight=False)
    raise typer.Exit(code)


def _plain(text: str) -> str:
    """The text without control characters: messages quote files that others wrote, and a terminal obeys those."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)
