"""The database file held open by another program, for a while and for longer than a run waits."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kura_dagster_tests.faults.held_models import WAIT_VARIABLE
from kura_dagster_tests.faults.project import Project, check_mended, check_whole
from kura_dagster_tests.faults.scenario import Outcome, check, scenario

DAY, NEXT_DAY = "2026-11-02", "2026-11-03"
A_MINUTE = 60
HOLDER = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read-only")
connection.execute("SELECT count(*) FROM conversations").fetchone()
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


@contextmanager
def held_open(path: Path, how: str, seconds: float) -> Iterator[None]:
    """Have another process keep a connection to the database open for so long, or until the block ends."""
    command = [sys.executable, "-c", HOLDER, str(path), how, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            check(process.stdout.readline() == "held\n", "the other program could not open the database")
            yield
        finally:
            process.kill()


def hold_for_a_minute(how: str, folder: Path) -> Outcome:
    """A run waits until the other program has closed the file."""
    project = Project(folder, {DAY: 12, NEXT_DAY: 12})
    undisturbed = project.undisturbed()
    project.run(DAY)
    with held_open(project.database, how, A_MINUTE):
        began = time.monotonic()
        project.run(NEXT_DAY)
        waited = time.monotonic() - began
    check(waited >= A_MINUTE - 1, "the run did not wait")
    check_mended(project.state(), undisturbed)
    project.check_no_run_is_left()
    return Outcome(f"nothing: the run waits, {waited:.0f} s in all", "all whole", "not needed, rows as undisturbed")


for how in ("read-only", "read-write"):
    scenario(f"database-held-{how}")(partial(hold_for_a_minute, how))


@scenario("database-held-too-long")
def hold_for_too_long(folder: Path) -> Outcome:
    """A run gives up once it has waited for as long as it may, here three seconds."""
    project = Project(folder, {DAY: 12, NEXT_DAY: 12})
    undisturbed = project.undisturbed()
    project.run(DAY)
    before = project.state()
    with held_open(project.database, "read-only", 600):
        refused = project.command("run", NEXT_DAY, **{WAIT_VARIABLE: "3"})
    check(refused.code == 1 and not refused.has_traceback, f"it ended with {refused.code}: {refused.said}")
    state = project.state()
    found = check_whole(state, undisturbed)
    check(before.items() <= state.items(), "the day that was stored before is not whole")
    project.run(NEXT_DAY)
    check_mended(project.state(), undisturbed)
    project.check_no_run_is_left()
    return Outcome(refused.said, found, "rows as undisturbed")
