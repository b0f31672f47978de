"""`kura-dagster forget`: a conversation out of everything that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.project import database_of, dates_by_key, opened_instance
from kura_dagster.cli.runs import run_keys
from kura_dagster.cli.screen import INTERRUPTED, errors_explained, fail, print_error, print_lines
from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.settings import Settings


@app.command(cls=Command, epilog=examples("forget web:4711", "forget web:4711 --yes"))
def forget(
    chat_id: Annotated[str, typer.Argument(metavar="CHAT_ID", help="The conversation, by its id in the tables.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a conversation: landing folder, tables, snapshot, kept answers, run history; then analyse its days again.

    What it says is gone cannot be brought back. The file or bucket it was landed from is not touched: landed again from
    there, it is back. Copies that you made (backups, exports) are yours to clean.
    """
    from kura_dagster.orchestration.code_location import definitions_from, kept_answers_of
    from kura_dagster.orchestration.erasure import erase
    from kura_dagster.orchestration.partitions import partitions_from
    from kura_dagster.pipeline.landing import forget as forget_landed
    from kura_dagster.pipeline.landing import landed_ids

    if not chat_id.strip():
        raise typer.BadParameter("CHAT_ID is empty")
    with errors_explained():
        settings = Settings.load()
        defs = definitions_from(settings)
        if not yes:
            typer.confirm(f"Erase conversation {plain_line(chat_id)} for good?", abort=True)
        lines = forget_landed(settings.conversations, chat_id)
        with kept_answers_of(defs) as kept_answers, opened_instance() as instance:
            erased = erase(
                [chat_id],
                kept_answers=kept_answers,
                database=database_of(settings),
                instance=instance,
                partitions_def=partitions_from(settings),
            )
        counts = {**lines, **erased.counts}
        print_lines([f"{what}: {number:,}" for what, number in counts.items()])
        if not counts and not erased.left:
            meant = landed_ids(settings.conversations, without_source=chat_id)
            also = f"; is it {' or '.join(map(plain_line, meant[:5]))}?" if meant else ""
            fail(f"nothing is known of a conversation {plain_line(chat_id)}{also}")
        in_range = [key for key in erased.partition_keys if key in dates_by_key(settings)]
        not_analysed = _analyse_again(settings, in_range)
        if outside := sorted(set(erased.partition_keys) - set(in_range)):
            print_error(
                "[yellow]warning[/yellow]",
                f"{', '.join(outside)} has no clusters now: it is before KURA_START_DATE, {settings.start_date}",
            )
        for each in erased.left:
            print_error("[red]left[/red]", plain_line(each))
        if not_analysed:
            fail(
                f"conversation {plain_line(chat_id)} is erased, but {', '.join(not_analysed)} could not be analysed "
                f"without it, and has no clusters now; once that is mended: kura-dagster run {not_analysed[0][:10]}"
            )
        if erased.left:
            raise typer.Exit(1)
        print_lines([f"Conversation {plain_line(chat_id)} is erased."])


def _analyse_again(settings: Settings, keys: Sequence[str]) -> list[str]:
    """Analyse each of the partitions in a run of its own, and return those that failed, or were not come to."""
    from kura_dagster.storage.tables import BASE_CLUSTERS

    dates, dropped = dates_by_key(settings), database_of(settings).dropped_partitions()
    failed: list[str] = []
    if keys:
        print_lines(["What is left of its days is analysed again."])
    for number, key in enumerate(keys):
        try:
            # Without messages there is nothing to begin with but what was made of them.
            run_keys(settings, [key], first_asset=BASE_CLUSTERS.name if dates[key] in dropped else None)
        except typer.Exit as ended:
            if ended.exit_code == INTERRUPTED:
                return [*failed, *keys[number:]]
            failed.append(key)
    return failed
