"""`kura-dagster status`: what is materialised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kura_dagster.cli import screen
from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.project import a_partition, database_of, dates_by_key, materialised_keys, opened_instance
from kura_dagster.cli.screen import counted, errors_explained, print_error, print_lines
from kura_dagster.settings import Settings

if TYPE_CHECKING:
    from kura_dagster.storage.database import Database


@app.command(cls=Command, epilog=examples("status"))
def status() -> None:
    """Show which days are analysed, with the rows in each table, which are not, and how old the snapshot is.

    A day has a column for each of the seven assets; – is not materialised.
    """
    from kura_dagster.orchestration.assets import ASSETS
    from kura_dagster.orchestration.run_requests import told
    from kura_dagster.storage.tables import FAILED, REJECTED_CONVERSATIONS

    with errors_explained():
        settings = Settings.load()
        names = [asset.key.path[-1] for asset in ASSETS]
        database = database_of(settings)
        counts, dropped = database.row_counts(), database.dropped_partitions()
        dates = dates_by_key(settings)
        with opened_instance() as instance:
            done = {name: materialised_keys(instance, name) for name in names}
            missing = [key for key in _missing(instance, settings) if dates[key] not in dropped]
        rows = {}
        for key, when in dates.items():
            cells = []
            for name in names:
                count = counts[name].get(when, 0 if key in done[name] else None)
                cells.append("–" if count is None else f"{count:,}")
            if set(cells) != {"–"}:
                rows[key] = cells
        width = screen.console.width if screen.console.is_terminal else None
        print_lines(_status_table(a_partition(settings), names, rows, width))
        over = f" ({min(dates)} to {max(dates)})" if dates else ""
        print_lines([f"{len(rows):,} of {len(dates):,} {a_partition(settings)}s hold something{over}."])
        if missing:
            asked = f"--from {missing[0][:10]} --to {missing[-1][:10]} --missing"
            print_lines([f"Missing: {told(missing, list(dates))}. To analyse them: kura-dagster run {asked}"])
        if without := [key for key, when in dates.items() if when in dropped]:
            days = counted(len(without), a_partition(settings), f"{a_partition(settings)}s")
            print_lines([f"The messages of {days} were dropped ({without[0]} to {without[-1]})."])
        _print_snapshot(database, settings)
        aside = {key: counts[REJECTED_CONVERSATIONS.name].get(when, 0) for key, when in dates.items()}
        if total := sum(aside.values()):
            days = ", ".join(f"{key} ({count:,})" for key, count in aside.items() if count)
            print_lines([f"{total:,} lines were set aside, see the table {REJECTED_CONVERSATIONS.name}: {days}."])
        for table in FAILED.values():
            failed = {key: counts[table.name][when] for key, when in dates.items() if when in counts[table.name]}
            if failed:
                days = ", ".join(f"{key} ({count:,})" for key, count in failed.items())
                print_lines([f"{sum(failed.values()):,} items failed, see the table {table.name}; run again: {days}."])


def _missing(instance: Any, settings: Settings) -> list[str]:
    """Return what the check `no_partition_is_missing` calls missing and no run is about to make."""
    from dagster._time import get_current_datetime

    from kura_dagster.orchestration.freshness import freshness
    from kura_dagster.orchestration.outstanding import begun, runs_under_way
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.storage.tables import CONVERSATION_PROJECTIONS

    partitions_def = partitions_from(settings)
    found = freshness(instance, partitions_def, settings, CONVERSATION_PROJECTIONS.name, get_current_datetime())
    if found is None or not begun(instance):
        return []  # where nothing was ever begun the check expects the last partition
    under_way = runs_under_way(instance)
    return [key for key in found.missing if not any(run.covers(key) for run in under_way)]


def _print_snapshot(database: Database, settings: Settings) -> None:
    """Say what other programs find in the snapshot."""
    from kura_dagster.storage.snapshot import Snapshot, SnapshotError

    if not database.path.exists():
        return
    snapshot = Snapshot(database)
    try:
        published_at = snapshot.published_at()
    except SnapshotError as error:
        print_error("[yellow]warning[/yellow]", str(error))
        return
    if published_at is None:
        print_lines([f"There is no snapshot {snapshot.path} yet; the next run that stores anything publishes it."])
        return
    until = f"{published_at.astimezone(settings.tzinfo):%Y-%m-%d %H:%M} ({_age(datetime.now(UTC) - published_at)})"
    behind = "" if snapshot.is_current() else "; what was stored since is published when a run ends"
    print_lines([f"The snapshot {snapshot.path} has what was stored until {until}{behind}."])


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    if minutes < 120:
        return f"{counted(max(minutes, 0), 'minute', 'minutes')} ago"
    return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


# For windows that are too narrow for the names of the assets.
_HYPHENATED: dict[str, tuple[str, ...]] = {
    "conversations": ("conver-", "sations"),
    "summaries": ("summa-", "ries"),
    "embeddings": ("embed-", "dings"),
    "base_clusters": ("base", "clusters"),
    "meta_clusters": ("meta", "clusters"),
    "projections": ("projec-", "tions"),
    "conversation_projections": ("conver-", "sation_", "projec-", "tions"),
}


def _status_table(
    first_column: str, names: Sequence[str], rows: Mapping[str, Sequence[str]], width: int | None
) -> list[str]:
    """Return the lines of the table, in one line of headings where they fit into `width`, otherwise in several."""
    for headings in ([(name,) for name in names], [_HYPHENATED[name] for name in names]):
        height = max(map(len, headings))
        *above, last = zip(*(("",) * (height - len(heading)) + heading for heading in headings), strict=True)
        table = [*(("", *line) for line in above), (first_column, *last), *((key, *rows[key]) for key in rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        if width is None or sum(widths) + 2 * len(names) <= width:
            break
    lines = [
        "  ".join([f"{key:<{widths[0]}}", *(f"{cell:>{most}}" for cell, most in zip(cells, widths[1:], strict=True))])
        for key, *cells in table
    ]
    return [*lines[: len(above) + 1], "─" * len(lines[0]), *lines[len(above) + 1 :]]
