"""Files whose bytes are not what was written: the database and the landing folder."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kura_dagster.storage.database import Database, DatabaseError
from kura_dagster_tests.faults.project import Project, check_mended, check_whole
from kura_dagster_tests.faults.scenario import Outcome, check, scenario

DAY, NEXT_DAY = "2026-11-02", "2026-11-03"
MANY = 1000


def random_bytes(file: Path) -> None:
    """Overwrite the middle third with noise."""
    third = file.stat().st_size // 3
    with file.open("r+b") as opened:
        opened.seek(third)
        opened.write(random.Random(0).randbytes(third))


def half(file: Path) -> None:
    """Cut the second half off."""
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def nothing(file: Path) -> None:
    """Cut everything off."""
    file.write_bytes(b"")


def zeros(file: Path) -> None:
    """Overwrite all with zeros, as some file systems leave a file after a power failure."""
    file.write_bytes(bytes(file.stat().st_size))


def damage_the_database(damage: Callable[[Path], None], folder: Path) -> Outcome:
    """A run over a damaged database says so; moved away, it is made again from what is landed."""
    project = Project(folder, {DAY: MANY, NEXT_DAY: 12})
    undisturbed = project.undisturbed()
    project.run(DAY)
    damage(project.database)
    run = project.command("run", NEXT_DAY)
    check(not run.has_traceback, f"a user sees a traceback: {run.said}")
    check(run.code in (0, 1), f"the run ended with {run.code}: {run.said}")
    said, left = run.said, "refused, nothing wrong is read"
    if run.code == 0:
        # Where the damage is in rows that this day does not touch, whoever reads those is told.
        try:
            said = f"nothing; {check_whole(project.state(), undisturbed)}"
        except DatabaseError as error:
            said, left = f"the run succeeds, who reads the other day: {error}", "one day is stored, the other refused"
    project.check_no_run_is_left()
    project.database.rename(folder / "damaged.duckdb")
    project.run(DAY, NEXT_DAY)
    check_mended(project.state(), undisturbed)
    return Outcome(said, left, "file moved away, both days run: as undisturbed")


for damage in (random_bytes, half, nothing, zeros):
    scenario(f"database-{damage.__name__.replace('_', '-')}")(partial(damage_the_database, damage))


@scenario("landing-file-random-bytes")
def damage_a_landing_file(folder: Path) -> Outcome:
    """Lines that can't be used are set aside with their reason; so many of them stop the day, and no other."""
    project = Project(folder, {DAY: 60, NEXT_DAY: 12})
    undisturbed = project.undisturbed()
    file = project.landing / f"{DAY}.jsonl"
    whole = file.read_bytes()
    random_bytes(file)
    usable = len(set(file.read_bytes().splitlines()) & set(whole.splitlines()))
    run = project.command("run", "--from", DAY, "--to", NEXT_DAY)
    check(run.code == 1 and "most_lines_were_read" in run.err, f"the day is not stopped: {run.said}")
    stored = _count(project, "conversations")
    check(stored == usable + 12, f"{stored} conversations are stored, {usable + 12} can be used")
    aside = _count(project, "rejected_conversations")
    check(aside > 0, "no line is set aside")
    state = project.state()
    for table, day in undisturbed:
        if day == NEXT_DAY:
            check(state[table, day] == undisturbed[table, day], f"{table} of the other day is not as undisturbed")
        elif table not in ("conversations", "rejected_conversations"):
            check((table, day) not in state, f"{table} is made of a day that is stopped")
    file.write_bytes(whole)
    project.run(DAY)
    check_mended(project.state(), undisturbed)
    project.check_no_run_is_left()
    return Outcome(
        run.said,
        f"{usable} of 60 conversations, {aside} lines set aside; the other day is done",
        "file mended: as undisturbed",
    )


def _count(project: Project, table: str) -> int:
    return sum(Database(project.database).row_counts()[table].values())
