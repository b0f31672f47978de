"""The command line `kura-dagster`. Each command reads settings, calls one thing of the project and shows the result."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, date, datetime
from datetime import time as clock_time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ByteSize
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.table import Table as RichTable
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from kura_dagster.pipeline.plain_text import plain_line, plain_lines
from kura_dagster.pipeline.sources.detection import Format
from kura_dagster.pipeline.sources.loose_times import DateOrder
from kura_dagster.settings import Cadence, Settings, SettingsError

if TYPE_CHECKING:
    import numpy as np
    from rich.console import RenderableType

    from kura_dagster.orchestration.materialise import RunReport
    from kura_dagster.orchestration.progress import RunProgress, RunWatch
    from kura_dagster.pipeline.conversations import RejectedConversation
    from kura_dagster.pipeline.ingest import IngestReport
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
    from kura_dagster.pipeline.sources.options import SourceOptions
    from kura_dagster.pipeline.sources.record import Record
    from kura_dagster.pipeline.types import Conversation
    from kura_dagster.storage.database import Database

# Dagster, DuckDB and the pipeline are imported inside the commands: --help should not wait for them.


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


class _Command(_PlainHelp, TyperCommand):
    pass


class _Group(_PlainHelp, TyperGroup):
    pass


INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""

app = typer.Typer(cls=_Group, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown")
console = Console()
errors = Console(stderr=True)


def _day(text: str) -> date:
    # fromisoformat alone takes 20261115 and 2026-W46-7 as well, which no landing file is called.
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r} is no day; write it as YYYY-MM-DD, for example 2026-11-15.")


def _examples(*commands: str) -> str:
    """Return the epilog of a command's help: what one would type."""
    lines = "\n".join(f"kura-dagster {command}" for command in commands)
    return f"Example{'s' if len(commands) > 1 else ''}:\n\n```\n{lines}\n```"


Day = Annotated[
    date | None, typer.Argument(parser=_day, metavar="DAY", help="One day, as YYYY-MM-DD.", show_default=False)
]
From = Annotated[date | None, typer.Option("--from", parser=_day, metavar="DAY", help="The first day of a range.")]
To = Annotated[
    date | None,
    typer.Option("--to", parser=_day, metavar="DAY", help="The last day, included. Without it, the first is the last."),
]


class TreeStyle(StrEnum):
    """How a tree is drawn."""

    BASIC = "basic"
    ENHANCED = "enhanced"
    RICH = "rich"


@app.callback()
def kura_dagster() -> None:
    """What people ask your assistant for, day by day.

    Start with `kura-dagster demo`: two weeks of sample conversations, no key needed. Then put your own conversations
    into data/conversations/YYYY-MM-DD.jsonl and `run` those days. Settings are environment variables that begin with
    KURA_, also read from .env; the README lists them.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Names are in any script, and not every terminal or pipe takes all of them.
            stream.reconfigure(errors="replace")


@app.command(cls=_Command, epilog=_examples("demo"))
def demo() -> None:
    """Generate the sample conversations, analyse all fourteen days and show the last one.

    Needs no key and no network. It writes to the landing folder and the database that the settings name, and stops
    where other conversations are in the way.
    """
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
        console.print()
        _print_tree(settings, partition_keys_between(settings, LAST_DAY, LAST_DAY), TreeStyle.BASIC)
        console.print()
        _print_seconds(seconds | report.seconds_by_asset)
        console.print(
            "\nNext:\n"
            "  make dev                                   this run in the Dagster UI\n"
            "  .venv/bin/kura-dagster tree --style rich   descriptions and shares\n"
            "  .venv/bin/kura-dagster status              what is materialised\n"
            "  .venv/bin/kura-dagster --help              everything else\n"
            "README.md tells how to add your own conversations and how to use a language model.",
            highlight=False,
        )


@app.command(
    cls=_Command,
    epilog=_examples(
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
        typer.Option(parser=_day, metavar="DAY", help="The day of records that have no time, as YYYY-MM-DD."),
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
    with _errors_explained():
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
                    settings.conversations, settings.tzinfo, today=now.astimezone(settings.tzinfo).date()
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
            _fail(str(error))
        except SourceError as error:
            _fail(str(error), code=2)
        _print_ingest(settings, report)
        for name in report.empty:
            _print_error("[yellow]empty[/yellow]", f"{name}: it holds no record")
        for each in report.not_read:
            _print_error("[red]not read[/red]", f"{each.name}: {each.reason}")
        if report.not_read or not report.n_usable:
            raise typer.Exit(1)


@app.command(cls=_Command, epilog=_examples("forget web:4711", "forget web:4711 --yes"))
def forget(
    chat_id: Annotated[str, typer.Argument(metavar="CHAT_ID", help="The conversation, by its id in the tables.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a conversation: landing folder, tables, kept answers, run history; then analyse its days without it.

    What it says is gone cannot be brought back. The file or bucket it was landed from is not touched: landed again from
    there, it is back. Copies that you made (backups, exports) are yours to clean.
    """
    from kura_dagster.orchestration.code_location import definitions_from, kept_answers_of
    from kura_dagster.orchestration.erasure import erase
    from kura_dagster.pipeline.landing import forget as forget_landed
    from kura_dagster.pipeline.landing import landed_ids

    with _errors_explained():
        settings = Settings.load()
        defs = definitions_from(settings)
        if not yes:
            typer.confirm(f"Erase conversation {plain_line(chat_id)} for good?", abort=True)
        lines = forget_landed(settings.conversations, chat_id)
        with kept_answers_of(defs) as kept_answers, _open_instance() as instance:
            erased = erase(
                [chat_id],
                kept_answers=kept_answers,
                database=_database(settings),
                instance=instance,
                dates_by_key=_dates_by_key(settings),
            )
        counts = {**lines, **erased.counts}
        _print_lines([f"{what}: {number:,}" for what, number in counts.items()])
        if not counts and not erased.left:
            meant = landed_ids(settings.conversations, without_source=chat_id)
            also = f"; is it {' or '.join(map(plain_line, meant[:5]))}?" if meant else ""
            _fail(f"nothing is known of a conversation {plain_line(chat_id)}{also}")
        not_analysed = _analyse_again(settings, erased.partition_keys)
        for each in erased.left:
            _print_error("[red]left[/red]", plain_line(each))
        if not_analysed:
            _fail(
                f"conversation {plain_line(chat_id)} is erased, but {', '.join(not_analysed)} could not be analysed "
                f"without it, and has no clusters now; once that is mended: kura-dagster run {not_analysed[0][:10]}"
            )
        if erased.left:
            raise typer.Exit(1)
        _print_lines([f"Conversation {plain_line(chat_id)} is erased."])


@app.command(cls=_Command, epilog=_examples("rejected", "rejected 2026-11-20", "rejected --clear"))
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
    with _errors_explained():
        settings = Settings.load()
        if clear:
            number = count_rejected(settings.conversations, day)
            if number and not yes:
                of_day = f" of {day}" if day else ""
                typer.confirm(f"Take {_counted(number, 'record', 'records')}{of_day} off the list?", abort=True)
            cleared = clear_rejected(settings.conversations, day)
            _print_lines([f"{_counted(cleared, 'record is', 'records are')} off the list."])
            if left := sum(1 for _ in _set_aside(settings, day)):
                stay = _counted(left, "line that stands", "lines that stand")
                _print_lines(
                    [f"{stay} in the landing folder itself {'stays' if left == 1 else 'stay'}: mend it there."]
                )
            return
        reasons: Counter[str] = Counter()
        for each, row in _set_aside(settings, day):
            reasons[kind_of_reason(row.reason)] += 1
            _print_lines([plain_line(f"{each}  {row.file}:{row.line}  {row.chat_id or '–'}  {row.reason}")])
        _print_lines([f"Set aside{f' on {day}' if day else ''}: {reasons.total():,}.", *_reason_lines(reasons)])


def _set_aside(settings: Settings, day: date | None) -> Iterator[tuple[date, RejectedConversation]]:
    """Yield what was set aside on a day, or with None on any, with its day."""
    from kura_dagster.pipeline.conversations import day_of_file, set_aside

    files = settings.conversations.glob("*.jsonl")
    days = {day} if day else {found for path in files if (found := day_of_file(path))}
    for each in sorted(days):
        for row in set_aside(settings.conversations, each, settings.tzinfo):
            yield each, row


@app.command(
    cls=_Command,
    epilog=_examples(
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
    begin, end = (None, None) if landed else _range(day, first, last)
    with _errors_explained():
        limits = {"max_cost_usd": max_cost_usd, "max_calls": max_calls}
        settings = Settings.load(**{name: limit for name, limit in limits.items() if limit is not None})
        if begin and end:
            _print_seconds(_run(settings, begin, end).seconds_by_asset)
            return
        stretches = _landed_since_analysed(settings)
        for keys in stretches:
            _print_lines([f"Analysing {_days(settings, keys)} …"])
            _print_seconds(_run_keys(settings, keys).seconds_by_asset)
        if not stretches:
            _print_lines([f"No {_a_partition(settings)} that is over has anything landed since it was analysed."])


@app.command(cls=_Command, epilog=_examples("estimate 2026-11-20", "estimate --from 2026-11-18 --to 2026-11-20"))
def estimate(day: Day = None, first: From = None, last: To = None) -> None:
    """Say what a run would ask language models, and cost, before running it.

    Counts the calls, tokens and USD of each asset from the landed conversations, without the answers that are kept.
    Nothing is sent, and no key is needed. A schema, prompts, extractors or models of your own, as given to build_defs,
    are not counted.
    """
    import asyncio

    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.orchestration.progress import usd
    from kura_dagster.pipeline.language_model.estimate import estimate as estimate_of

    begin, end = _range(day, first, last)
    with _errors_explained():
        settings = Settings.load()
        keys = partition_keys_between(settings, begin, end)
        estimates = asyncio.run(estimate_of(_landed(settings, keys), settings))
        if not estimates:
            _print_lines(
                [
                    f"The run asks no provider and costs nothing: KURA_LANGUAGE_MODEL is {settings.language_model}, "
                    f"KURA_EMBEDDING_MODEL is {settings.embedding_model}."
                ]
            )
            return
        rows = [
            (
                each.asset,
                each.model,
                f"{each.calls:,}",
                f"{each.kept:,}",
                f"{each.input_tokens:,}",
                f"{each.output_tokens:,}",
                "unknown" if each.cost_usd is None else f"{each.cost_usd:,.4f}",
            )
            for each in estimates
        ]
        table = RichTable(
            "asset",
            Column("model", overflow="fold"),
            *(Column(name, justify="right", no_wrap=True) for name in ("calls", "kept", "tokens in", "out", "USD")),
        )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        # A pipe has no width that a table has to fit.
        (console if console.is_terminal else Console(file=console.file, width=200)).print(table)
        calls = sum(each.calls for each in estimates)
        unknown = sorted({each.model for each in estimates if each.cost_usd is None})
        cost = None if unknown else sum(each.cost_usd or 0 for each in estimates)
        _print_lines([f"About {calls:,} calls, {usd(cost)}, for {_days(settings, keys)}."])
        for model in unknown:
            _print_lines(
                [f'The price of {model} is unknown. Set KURA_PRICES={{"{model}": {{"input": …, "output": …}}}}.']
            )
        _print_lines(
            [
                "This is an estimate, at 4 letters a token and answers of usual length. With new conversations, all "
                "clusters of their partition count as changed. Requests that fail and are sent again come on top.",
                "What is given to build_defs is not counted: a schema, prompts, extractors or models of your own.",
            ]
        )


cache_app = typer.Typer(cls=_Group, invoke_without_command=True)
app.add_typer(cache_app, name="cache")


@cache_app.callback(epilog=_examples("cache", "cache clear", "cache clear --yes"))
def cache(context: typer.Context) -> None:
    """Show how many answers of language models are kept, and how much room they take."""
    if context.invoked_subcommand is not None:
        return
    with _errors_explained(), _open_cache() as kept:
        found = kept.statistics()
        _print_lines(
            [
                f"{found.n_answers:,} answers are kept, {_size(found.n_bytes)} of at most {_size(found.size_limit)} "
                f"(KURA_CACHE_SIZE_LIMIT), in {kept.folder}."
            ]
        )
        if found.n_bytes > found.size_limit:
            _print_lines(["That is above the limit: it shrinks as new answers come, the oldest first."])


@cache_app.command(cls=_Command, epilog=_examples("cache clear", "cache clear --yes"))
def clear(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget every kept answer. The next run asks, and pays, for all of them again."""
    with _errors_explained(), _open_cache() as kept:
        number = kept.statistics().n_answers
        if number and not yes:
            typer.confirm(f"Forget {number:,} answers? They would be paid for again.", abort=True)
        _print_lines([f"{kept.clear():,} answers are forgotten."])


@app.command(cls=_Command, epilog=_examples("tree", "tree 2026-11-12 --style enhanced"))
def tree(
    day: Annotated[
        date | None,
        typer.Argument(parser=_day, metavar="DAY", help="As YYYY-MM-DD. Without it, the last day that has clusters."),
    ] = None,
    style: Annotated[
        TreeStyle,
        typer.Option(help="Names and numbers; or shares and descriptions as well; or those in colour."),
    ] = TreeStyle.BASIC,
) -> None:
    """Print the cluster tree of a day: its themes and how many conversations each has."""
    from kura_dagster.orchestration.materialise import partition_keys_between

    with _errors_explained():
        settings = Settings.load()
        if day is not None:
            _print_tree(settings, partition_keys_between(settings, day, day), style)
            return
        last = _last_with_clusters(settings)
        if last is None:
            _fail("no day has clusters yet; run: kura-dagster demo, or kura-dagster run DAY")
        _print_tree(settings, [last], style, f", the last {_a_partition(settings)} that has clusters")


@app.command(cls=_Command, epilog=_examples("status"))
def status() -> None:
    """Show which days are analysed, with the rows in each table.

    A day has a column for each of the six assets; – is not materialised.
    """
    from kura_dagster.orchestration.assets import ASSETS
    from kura_dagster.storage.tables import FAILED, REJECTED_CONVERSATIONS

    with _errors_explained():
        settings = Settings.load()
        names = [asset.key.path[-1] for asset in ASSETS]
        counts = _database(settings).row_counts()
        dates = _dates_by_key(settings)
        with _open_instance() as instance:
            done = {name: _materialised(instance, name) for name in names}
        rows = {}
        for key, when in dates.items():
            cells = []
            for name in names:
                count = counts[name].get(when, 0 if key in done[name] else None)
                cells.append("–" if count is None else f"{count:,}")
            if set(cells) != {"–"}:
                rows[key] = cells
        width = console.width if console.is_terminal else None
        _print_lines(_status_table(_a_partition(settings), names, rows, width))
        over = f" ({min(dates)} to {max(dates)})" if dates else ""
        _print_lines([f"{len(rows):,} of {len(dates):,} {_a_partition(settings)}s hold something{over}."])
        aside = {key: counts[REJECTED_CONVERSATIONS.name].get(when, 0) for key, when in dates.items()}
        if total := sum(aside.values()):
            days = ", ".join(f"{key} ({count:,})" for key, count in aside.items() if count)
            _print_lines([f"{total:,} lines were set aside, see the table {REJECTED_CONVERSATIONS.name}: {days}."])
        for table in FAILED.values():
            failed = {key: counts[table.name][when] for key, when in dates.items() if when in counts[table.name]}
            if failed:
                days = ", ".join(f"{key} ({count:,})" for key, count in failed.items())
                _print_lines([f"{sum(failed.values()):,} items failed, see the table {table.name}; run again: {days}."])


@app.command(
    cls=_Command,
    epilog=_examples("export --from 2026-11-20 exported", "export --from 2026-11-18 --to 2026-11-20 exported"),
)
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; made if missing.")],
    first: Annotated[date, typer.Option("--from", parser=_day, metavar="DAY", help="The first day, as YYYY-MM-DD.")],
    last: To = None,
) -> None:
    """Write a day or a range as Kura's checkpoint files.

    The folder then holds conversations.json, summaries.jsonl, clusters.jsonl, meta_clusters.jsonl and
    dimensionality.jsonl, which Kura's own viewer opens.
    """
    from kura_dagster.orchestration.materialise import partition_keys_between
    from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager, write_conversations
    from kura_dagster.storage.tables import BASE_CLUSTERS, CONVERSATIONS, META_CLUSTERS, PROJECTIONS, SUMMARIES

    with _errors_explained():
        settings = Settings.load()
        keys = partition_keys_between(settings, first, last or first)
        dates, database = _dates_by_key(settings), _database(settings)

        def rows(table: Any) -> list[Any]:
            return [row for key in keys for row in database.load(table, dates[key])]

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
            found = rows(table)
            checkpoints.save_checkpoint(filename, found)
            if not found:
                _print_error(
                    "[yellow]warning[/yellow]", f"{filename}.jsonl is empty: nothing is stored in {table.name}"
                )
        noun = f"{_a_partition(settings)}{'' if len(keys) == 1 else 's'}"
        _print_lines([f"{len(conversations):,} conversations of {len(keys)} {noun} are in {folder}."])
        if incomplete := [key for key in keys if not _is_whole(database, dates[key])]:
            _fail(
                f"what is stored of {', '.join(incomplete)} does not belong together: some conversations are in no "
                "summary or no cluster, or the other way round. Run those again, and then export again"
            )


def _is_whole(database: Any, when: Any) -> bool:
    """Whether a partition's assets were all made of the conversations that are stored now."""
    from kura_dagster.storage.tables import (
        BASE_CLUSTERS,
        CONVERSATIONS,
        FAILED_EMBEDDINGS,
        FAILED_SUMMARIES,
        PROJECTIONS,
        SUMMARIES,
    )

    columns = {table: ["chat_id"] for table in (CONVERSATIONS, SUMMARIES)}
    columns |= {table: ["item_id"] for table in (FAILED_SUMMARIES, FAILED_EMBEDDINGS)}
    columns |= {table: ["chat_ids"] for table in (BASE_CLUSTERS, PROJECTIONS)}
    rows = database.load_columns(columns, [when])[when]
    stored, summarised = ({row.chat_id for row in rows[table.name]} for table in (CONVERSATIONS, SUMMARIES))
    unsummarised, unembedded = (
        {row.item_id for row in rows[table.name]} for table in (FAILED_SUMMARIES, FAILED_EMBEDDINGS)
    )
    clustered, projected = (
        {chat_id for row in rows[table.name] for chat_id in row.chat_ids} for table in (BASE_CLUSTERS, PROJECTIONS)
    )
    return stored == summarised | unsummarised and summarised == clustered | unembedded and clustered == projected


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
        SpinnerColumn(), TextColumn("{task.description}"), *bytes_read, TimeElapsedColumn(), console=errors
    ) as bar:

        def listener(places: Sequence[Any]) -> Callable[[str, int, int], None]:
            sizes = {place.name: getattr(place, "n_bytes", None) or 0 for place in places}
            task = bar.add_task("reading", total=sum(sizes.values()) or None)
            done: dict[str, int] = {}

            def heard(name: str, n_bytes: int, n_records: int) -> None:
                done[name] = min(n_bytes, sizes.get(name, n_bytes))
                bar.update(task, completed=sum(done.values()), description=_counted(n_records, "record", "records"))

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
        console.print(table)
    were_read = _counted(report.n_read, "record was", "records were") + " read"
    if not report.n_read:
        _print_lines(["Nothing was read."])
    elif report.n_usable:
        _print_lines([f"{were_read}; the conversations are in {settings.conversations}."])
    else:
        _print_lines([f"{were_read}, and none can be used."])
    if total.rejected:
        _print_lines([f"Set aside: {total.rejected:,}; see which: kura-dagster rejected"])
        _print_lines(_reason_lines(report.reasons, most=_REASONS_SHOWN))
    changed = [day for day, of_day in report.days.items() if of_day.new or of_day.updated]
    if changed and min(changed) < settings.start_date:
        _print_lines([f"The first is of {min(changed)}: set KURA_START_DATE to that day or one before it."])
        _print_lines([f"Next: KURA_START_DATE={min(changed)} kura-dagster run --landed"])
    elif changed:
        _print_lines(["Next: kura-dagster run --landed"])


_REASONS_SHOWN = 5


def _reason_lines(reasons: Counter[str], most: int | None = None) -> list[str]:
    """Return the reasons with how many records have each, the most frequent first; at most so many are named."""
    shown = reasons.most_common(most)
    lines = [f"  {number:,} × {plain_line(reason)}" for reason, number in shown]
    if len(shown) < len(reasons):
        n_records = reasons.total() - sum(number for _, number in shown)
        others = _counted(len(reasons) - len(shown), "other reason", "other reasons")
        lines.append(f"  and {_counted(n_records, 'record', 'records')} for {others}")
    return lines


def _counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _range(day: date | None, first: date | None, last: date | None) -> tuple[date, date]:
    """Return the first and the last day that are asked for, either way of saying it."""
    begin = day or first
    if begin is None or (day is not None and first is not None) or (last is not None and first is None):
        raise typer.BadParameter("say either DAY or --from DAY [--to DAY]")
    return begin, last or begin


def _run(settings: Settings, first: date, last: date) -> RunReport:
    from kura_dagster.orchestration.materialise import partition_keys_between

    return _run_keys(settings, partition_keys_between(settings, first, last))


def _landed_since_analysed(settings: Settings) -> list[list[str]]:
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.orchestration.sensors import landed_since_analysed

    with _open_instance() as instance:
        return landed_since_analysed(instance, partitions_from(settings), settings)


def _run_keys(settings: Settings, keys: list[str]) -> RunReport:
    """Analyse the partitions from the first key to the last in one run, with progress and what it cost."""
    from kura_dagster.orchestration.code_location import definitions_from
    from kura_dagster.orchestration.materialise import materialise
    from kura_dagster.orchestration.progress import RunWatch, watched_by

    watch = RunWatch()
    defs = definitions_from(settings)
    with _open_instance() as instance, _progress(len(keys), watch) as on_event, watched_by(watch):
        report = materialise(defs, keys, instance, on_event, _say_stopping)
    _print_spent(watch)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    for check, fault in report.failed_checks.items():
        _print_error("[yellow]warning[/yellow]", f"{check}: {fault}")
    if not report.success:
        for step, cause in report.failures.items():
            _print_error(f"[red]{step} failed[/red]:", cause)
        raise typer.Exit(1)
    return report


def _analyse_again(settings: Settings, keys: Sequence[str]) -> list[str]:
    """Analyse each of the partitions in a run of its own, and return those that failed, or were not come to."""
    failed: list[str] = []
    for number, key in enumerate(keys):
        _print_lines([f"Analysing {key} again without it …"])
        try:
            _run_keys(settings, [key])
        except typer.Exit as ended:
            if ended.exit_code == INTERRUPTED:
                return [*failed, *keys[number:]]
            failed.append(key)
    return failed


def _say_stopping() -> None:
    _print_error("[yellow]stopping[/yellow]", "what is stored is kept; run the same again to go on")


def _print_spent(watch: RunWatch) -> None:
    """Say what the run asked and paid, where it asked anything."""
    from kura_dagster.orchestration.progress import spending_line

    if watch.spent.calls or watch.spent.cache_hits:
        _print_lines([f"{spending_line(watch.spent)}."])


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
        console=errors,
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
        watch.on_notice = lambda notice: _print_error("[yellow]waiting[/yellow]", notice)
        yield on_event
        progress.asking = None


def _landed(settings: Settings, keys: Sequence[str]) -> Iterator[tuple[list[Conversation], Mapping[str, np.ndarray]]]:
    """Yield of each partition the landed conversations, and what is stored of the configured model's vectors."""
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.pipeline.conversations import read_conversations
    from kura_dagster.storage.tables import EMBEDDINGS

    partitions_def, dates, database = partitions_from(settings), _dates_by_key(settings), _database(settings)
    for key in keys:
        window = partitions_def.time_window_for_partition_key(key)
        landed = read_conversations(settings.conversations, window.start, window.end, settings.tzinfo)
        rows = database.load(EMBEDDINGS, dates[key])
        yield (
            landed.conversations,
            {row.chat_id: row.embedding for row in rows if row.model == settings.embedding_model},
        )


@contextmanager
def _open_cache() -> Iterator[DiskCacheStrategy]:
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
    from kura_dagster.pipeline.providers import ANSWERS_FOLDER

    settings = Settings.load()
    with closing(DiskCacheStrategy(settings.cache / ANSWERS_FOLDER, settings.cache_size_limit)) as kept:
        yield kept


def _size(n_bytes: int) -> str:
    return ByteSize(n_bytes).human_readable(decimal=True, separator=" ")


def _days(settings: Settings, keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]} ({len(keys):,} {_a_partition(settings)}s)"


def _print_tree(settings: Settings, keys: Sequence[str], style: TreeStyle, which: str = "") -> None:
    """Print the tree of each partition under its key; `which` says beside it why this one is shown."""
    from kura_dagster.pipeline.tree import visualise_pipeline_results
    from kura_dagster.storage.tables import META_CLUSTERS

    database, dates = _database(settings), _dates_by_key(settings)
    for key in keys:
        clusters = database.load(META_CLUSTERS, dates[key])
        if not clusters:
            with _open_instance() as instance:
                if key not in _materialised(instance, META_CLUSTERS.name):
                    _fail(f"{key} is not materialised; run: kura-dagster run {key[:10]}")
            _print_lines([f"{key} has no conversations."])
            continue
        _print_lines([f"{key}{which}"], style="bold")
        visualise_pipeline_results(clusters, style=style.value, console=console)


def _last_with_clusters(settings: Settings) -> str | None:
    from kura_dagster.storage.tables import META_CLUSTERS

    counts = _database(settings).row_counts()[META_CLUSTERS.name]
    return next((key for key, when in reversed(_dates_by_key(settings).items()) if when in counts), None)


# For windows that are too narrow for the names of the assets.
_HYPHENATED = {
    "conversations": ("conver-", "sations"),
    "summaries": ("summa-", "ries"),
    "embeddings": ("embed-", "dings"),
    "base_clusters": ("base", "clusters"),
    "meta_clusters": ("meta", "clusters"),
    "projections": ("projec-", "tions"),
}


def _status_table(
    first_column: str, names: Sequence[str], rows: Mapping[str, Sequence[str]], width: int | None
) -> list[str]:
    """Return the lines of the table, in one line of headings where they fit into `width`, otherwise in two."""
    for headings in ([(name,) for name in names], [_HYPHENATED[name] for name in names]):
        *above, last = zip(*headings, strict=True)
        table = [*(("", *line) for line in above), (first_column, *last), *((key, *rows[key]) for key in rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        if width is None or sum(widths) + 2 * len(names) <= width:
            break
    lines = [
        "  ".join([f"{key:<{widths[0]}}", *(f"{cell:>{most}}" for cell, most in zip(cells, widths[1:], strict=True))])
        for key, *cells in table
    ]
    return [*lines[: len(above) + 1], "─" * len(lines[0]), *lines[len(above) + 1 :]]


def _print_lines(lines: Sequence[str], style: str | None = None) -> None:
    """Print text as it is: neither cut nor wrapped, and nothing in it read as markup."""
    console.print("\n".join(lines), style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _print_seconds(seconds: dict[str, float]) -> None:
    table = RichTable("stage", Column("seconds", justify="right"))
    for stage, value in seconds.items():
        table.add_row(stage, f"{value:.1f}")
    table.add_row("total", f"{sum(seconds.values()):.1f}")
    console.print(table)


def _open_instance() -> AbstractContextManager[Any]:
    """Open Dagster's run history; what is wrong with its folder or its dagster.yaml is said in a line."""
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError
    from yaml import YAMLError

    from kura_dagster.orchestration.materialise import open_instance

    try:
        return open_instance()
    except (dg.DagsterError, YAMLError, SQLAlchemyError, OSError) as error:
        # Dagster adds all that would be allowed, pages of it.
        reason = " ".join(str(error).partition(" Expected: ")[0].split())
        _fail(f"Dagster's run history cannot be opened: {reason}")


def _materialised(instance: Any, name: str) -> set[str]:
    import dagster as dg

    return set(instance.get_materialized_partitions(dg.AssetKey(name)))


def _database(settings: Settings) -> Database:
    from kura_dagster.orchestration.partitions import partitioning_from
    from kura_dagster.storage.database import Database

    return Database(settings.database, partitioning_from(settings))


def _dates_by_key(settings: Settings) -> dict[str, Any]:
    """Return the key of every partition that is over, in order, with its value of `partition_date`."""
    from kura_dagster.orchestration.partitions import partitioning_from, partitions_from
    from kura_dagster.storage.io_manager import partition_dates

    partitions_def = partitions_from(settings)
    column_type = partitioning_from(settings).column_type
    return dict(partition_dates(partitions_def, partitions_def.get_partition_keys(), column_type))


def _a_partition(settings: Settings) -> str:
    return {Cadence.HOURLY: "hour", Cadence.DAILY: "day", Cadence.WEEKLY: "week", Cadence.MONTHLY: "month"}[
        settings.cadence
    ]


@contextmanager
def _errors_explained() -> Iterator[None]:
    """Turn the errors a user can mend into a message and an exit code; others keep their traceback."""
    from kura_dagster.orchestration.code_location import CodeLocationError
    from kura_dagster.orchestration.materialise import PartitionRangeError
    from kura_dagster.pipeline.language_model.answer_cache import CacheError
    from kura_dagster.pipeline.language_model.failures import LanguageModelError
    from kura_dagster.storage.database import DatabaseError
    from kura_dagster.storage.query_source import QueryError

    try:
        yield
    except KeyboardInterrupt:
        # No run is under way that would have said so itself.
        errors.print("[yellow]stopped[/yellow]")
        raise typer.Exit(INTERRUPTED) from None
    except (SettingsError, CodeLocationError, PartitionRangeError) as error:
        _fail(str(error), code=2)
    except QueryError as error:
        _fail(f"{error}; nothing is landed")
    except (DatabaseError, CacheError, LanguageModelError, OSError) as error:
        _fail(str(error))


def _fail(message: str, code: int = 1) -> NoReturn:
    _print_error("[red]error[/red]", message)
    raise typer.Exit(code)


def _print_error(label: str, message: str) -> None:
    """Print to standard error; messages quote files that others wrote, and a terminal obeys what those hold."""
    errors.print(label, end=" ")
    errors.print(plain_lines(message), markup=False, highlight=False, emoji=False, soft_wrap=True)
