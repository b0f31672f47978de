"""`kura-dagster ingest`: conversations from anywhere into the landing folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.table import Table as RichTable

from kura_dagster.cli import screen
from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.arguments import a_day
from kura_dagster.cli.reasons import reason_lines
from kura_dagster.cli.screen import counted, errors_explained, fail, print_error, print_lines
from kura_dagster.pipeline.sources.detection import Format
from kura_dagster.pipeline.sources.loose_times import DateOrder
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from kura_dagster.pipeline.ingest import IngestReport
    from kura_dagster.pipeline.sources.options import SourceOptions
    from kura_dagster.pipeline.sources.record import Record

_REASONS_SHOWN = 5


@app.command(
    cls=Command,
    epilog=examples(
        "ingest ~/Downloads/conversations.json",
        "ingest exports/ s3://bucket/logs/*.jsonl.gz --source web",
        "ingest tickets.csv --column chat_id=ticket --column prompt=question --column response=reply",
        "ingest --query \"SELECT * FROM 'logs/*.parquet' WHERE NOT test\"",
    ),
)
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH…", help="Files, folders, patterns, or addresses such as s3://….", show_default=False
        ),
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="What all files are, where their beginning does not tell.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Stands before the ids, as NAME:id. Without it, the format's name does, and nothing in Kura's own.",
        ),
    ] = None,
    created_at: Annotated[
        date | None,
        typer.Option(parser=a_day, metavar="DAY", help="The day of records that have no time, as YYYY-MM-DD."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=COLUMN",
            help="Which column of a table is chat_id, created_at, messages, prompt, response, role, content or "
            "metadata (several, with commas). Repeat it; without it, the columns' names tell.",
        ),
    ] = None,
    columns: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same as a JSON file, {NAME: COLUMN}.", dir_okay=False)
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=ROLE",
            help="What a speaker's name stands for: user, assistant, system, developer or tool. Repeat it.",
        ),
    ] = None,
    dates: Annotated[
        DateOrder | None, typer.Option(help="What dates such as 05/11/2026 begin with, where they do not tell.")
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of CSV that is not UTF-8, for example cp1252, in which Excel saves it."),
    ] = None,
    query: Annotated[
        str | None, typer.Option(metavar="SQL", help="Land the rows of a query that DuckDB runs on files, not files.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Land a Hugging Face data set; needs the extra huggingface.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which split of the data set.")] = "train",
    own_class: Annotated[
        str | None,
        typer.Option("--class", metavar="MODULE:CLASS", help="Land what a BaseConversationSource of yours yields."),
    ] = None,
) -> None:
    """Put conversations into the landing folder, each into the file of its day.

    Reads Kura's own form, exports of Claude and ChatGPT (also zipped), logs, traces and fine-tuning files of APIs, CSV
    and Parquet; docs/conversations.md tells how to get each. What is landed again changes nothing; a conversation that
    has grown takes its older version's place. A record that can't be used is set aside with file, number and reason:
    see kura-dagster rejected. Exits with 1 where a file could not be read, after landing the others, and where nothing
    could be used.
    """
    from kura_dagster.pipeline.ingest import ingest as ingest_files
    from kura_dagster.pipeline.ingest import ingest_records
    from kura_dagster.pipeline.landing import Landing
    from kura_dagster.pipeline.sources.options import ColumnMapping, SourceOptions
    from kura_dagster.pipeline.sources.own_class import OwnClassError
    from kura_dagster.pipeline.sources.places import find_places
    from kura_dagster.pipeline.sources.record import SourceError
    from kura_dagster.storage.query_source import rows_of_parquet

    if sum(map(bool, (paths, query, dataset, own_class))) != 1:
        raise typer.BadParameter("say one of PATH…, --query, --dataset or --class")
    with errors_explained():
        settings = Settings.load()
        now = datetime.now(UTC)
        try:
            options = SourceOptions(
                tz=settings.tzinfo,
                now=now,
                default_created_at=None
                if created_at is None
                else datetime.combine(created_at, clock_time(), settings.tzinfo),
                columns=ColumnMapping.of_pairs(pairs) if (pairs := _pairs(columns, column or [])) else None,
                source=source,
                dates=dates,
                encoding=encoding,
                roles=_parted(role or [], "--role", "NAME=ROLE", "agent=assistant"),
                parquet_rows=rows_of_parquet,
            )
            with (
                Landing(
                    settings.conversations,
                    settings.tzinfo,
                    today=now.astimezone(settings.tzinfo).date(),
                    since=_kept_since(settings, now),
                ) as landing,
                _reading_bar(in_bytes=bool(paths)) as on_progress,
            ):
                if paths:
                    places = find_places(paths)
                    report = ingest_files(places, landing, options, format=format, on_progress=on_progress(places))
                else:
                    records, name, prefix = _records_of(query, dataset, split, own_class, options)
                    report = ingest_records(
                        records,
                        name,
                        landing,
                        source=source or prefix,
                        one_source=source is not None,
                        on_progress=on_progress([]),
                    )
        except OwnClassError as error:
            fail(str(error))
        except SourceError as error:
            fail(str(error), code=2)
        _print_ingest(settings, report)
        for name in report.empty:
            print_error("[yellow]empty[/yellow]", f"{name}: it holds no record")
        for each in report.not_read:
            print_error("[red]not read[/red]", f"{each.name}: {each.reason}")
        if report.not_read or not report.n_usable:
            raise typer.Exit(1)


def _kept_since(settings: Settings, now: datetime) -> datetime | None:
    """Return from when on conversations are landed; None where messages are kept for ever."""
    if settings.keep_messages_days is None:
        return None  # without importing Dagster, which takes longer than most of what is landed
    from kura_dagster.orchestration.retention import kept_since

    return kept_since(settings, now)


def _pairs(file: Path | None, columns: Sequence[str]) -> dict[str, Any]:
    """Return which column is what, from a file and from the command line, which wins."""
    of_file: Any = {}
    if file is not None:
        try:
            of_file = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise typer.BadParameter(f"{file} is no JSON: {error}") from None
        if not isinstance(of_file, dict):
            raise typer.BadParameter(f"{file} is no JSON object; write {{NAME: COLUMN}}")
    return of_file | _parted(columns, "--column", "NAME=COLUMN", "chat_id=ticket")


def _parted(pairs: Sequence[str], option: str, form: str, for_example: str) -> dict[str, str]:
    """Return what stands before and behind the equals signs of an option that is given several times."""
    parted = [each.partition("=") for each in pairs]
    if wrong := [name for name, equals, _ in parted if not equals]:
        raise typer.BadParameter(f"{option} is {wrong[0]!r}; write {form}, for example {for_example}")
    return {name.strip(): value.strip() for name, _, value in parted}


def _records_of(
    query: str | None, dataset: str | None, split: str, own_class: str | None, options: SourceOptions
) -> tuple[Iterator[Record], str, str]:
    """Return the records of what is no file, what it is called, and what stands before its ids."""
    from kura_dagster.pipeline.sources.columns import read_rows
    from kura_dagster.pipeline.sources.huggingface import from_hf_dataset
    from kura_dagster.pipeline.sources.own_class import records_of, source_called
    from kura_dagster.storage.query_source import rows_of_query

    if query:
        # Two queries are two files to what is set aside.
        name = f"query {hashlib.sha256(query.encode('utf-8', 'replace')).hexdigest()[:8]}"
        return read_rows(rows_of_query(query), "the query", options), name, "query"
    if dataset:
        return from_hf_dataset(dataset, split, options=options), dataset, dataset
    own = source_called(own_class or "")
    return records_of(own, options), own.name, own.name


@contextmanager
def _reading_bar(*, in_bytes: bool) -> Iterator[Callable[[Sequence[Any]], Callable[[str, int, int], None]]]:
    """Yield what makes, for the files that are read, the listener that moves a bar of their bytes.

    What is no file has no bytes to count: there only the number of records is shown.
    """
    bytes_read = (BarColumn(), DownloadColumn()) if in_bytes else ()
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), *bytes_read, TimeElapsedColumn(), console=screen.errors
    ) as bar:

        def listener(places: Sequence[Any]) -> Callable[[str, int, int], None]:
            sizes = {place.name: getattr(place, "n_bytes", None) or 0 for place in places}
            task = bar.add_task("reading", total=sum(sizes.values()) or None)
            done: dict[str, int] = {}

            def heard(name: str, n_bytes: int, n_records: int) -> None:
                done[name] = min(n_bytes, sizes.get(name, n_bytes))
                bar.update(task, completed=sum(done.values()), description=counted(n_records, "record", "records"))

            return heard

        yield listener


def _print_ingest(settings: Settings, report: IngestReport) -> None:
    """Print what became of the records, by day, and what to do next."""
    total = report.total
    names = list(vars(total))
    table = RichTable("day", *(Column(name, justify="right") for name in names))
    for day, of_day in report.days.items():
        table.add_row(str(day), *(f"{number:,}" for number in vars(of_day).values()))
    if len(report.days) > 1:
        table.add_section()
        table.add_row("all", *(f"{number:,}" for number in vars(total).values()))
    if report.days:
        screen.console.print(table)
    were_read = counted(report.n_read, "record was", "records were") + " read"
    if not report.n_read:
        print_lines(["Nothing was read."])
    elif report.n_usable:
        print_lines([f"{were_read}; the conversations are in {settings.conversations}."])
    else:
        print_lines([f"{were_read}, and none can be used."])
    if total.rejected:
        print_lines([f"Set aside: {total.rejected:,}; see which: kura-dagster rejected"])
        print_lines(reason_lines(report.reasons, most=_REASONS_SHOWN))
    changed = [day for day, of_day in report.days.items() if of_day.new or of_day.updated]
    if changed and min(changed) < settings.start_date:
        print_lines([f"The first is of {min(changed)}: set KURA_START_DATE to that day or one before it."])
        print_lines([f"Next: KURA_START_DATE={min(changed)} kura-dagster run --landed"])
    elif changed:
        print_lines(["Next: kura-dagster run --landed"])
