"""`kura-dagster backup`: a copy of everything that is kept, taken while runs go on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ByteSize

from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.project import database_of, opened_instance
from kura_dagster.cli.screen import counted, errors_explained, fail, print_error, print_lines
from kura_dagster.settings import Settings


@app.command(cls=Command, epilog=examples("backup /var/backups/kura/2026-11-20"))
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; it must not exist yet.")],
) -> None:
    """Copy the tables, the landing folder, the kept answers and run history into a new folder.

    Runs may go on meanwhile. The folder is laid out as data/ is: docs/operations.md says how it is put back. It holds
    conversations; who may read it is yours to see to, and so is a conversation that is forgotten later.
    """
    from kura_dagster.orchestration.run_history import history_folder
    from kura_dagster.orchestration.running import lock_folder
    from kura_dagster.pipeline.providers import ANSWERS_FOLDER
    from kura_dagster.storage.backup import BackupError, back_up

    with errors_explained():
        settings = Settings.load()
        with opened_instance() as instance:
            history = history_folder(instance)
            locks = lock_folder(instance) if history else None
        try:
            parts = back_up(
                folder,
                database=database_of(settings),
                conversations=settings.conversations,
                answers=settings.cache / ANSWERS_FOLDER,
                history=history,
                locks=locks,
            )
        except BackupError as error:
            fail(str(error))
        for part, held in parts.items():
            size = ByteSize(held.n_bytes).human_readable(decimal=True, separator=" ")
            print_lines([f"{part}: {counted(held.n_files, 'file', 'files')}, {size}"])
        if history is None:
            print_error(
                "[yellow]warning[/yellow]",
                "run history is not in the backup: there is none in SQLite files here. Run this in the project's "
                "folder, or set DAGSTER_HOME; a server's has its own tools",
            )
        print_lines([f"The backup is in {folder}."])
