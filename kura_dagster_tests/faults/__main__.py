"""Run the scenarios one after the other and print what became of each: `python -m kura_dagster_tests.faults`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from kura_dagster_tests.faults import (
    clocks,
    damaged_files,
    disks,
    held_database,
    killed_services,
    killed_workers,
)
from kura_dagster_tests.faults.scenario import SCENARIOS, FaultError, NotPossibleError

MODULES = (killed_workers, killed_services, disks, held_database, damaged_files, clocks)
HEADINGS = ("fault", "what a user sees", "state after", "next run", "seconds")
WIDEST = 220


def main() -> None:
    """Print the table; exit with 1 where a scenario fails its checks."""
    parser = argparse.ArgumentParser(prog="python -m kura_dagster_tests.faults", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", help="only this scenario, or those that begin so")
    parser.add_argument("--list", action="store_true", help="print the scenarios' names")
    arguments = parser.parse_args()
    wanted = arguments.only or [""]
    names = [name for name in SCENARIOS if any(name == only or name.startswith(only) for only in wanted)]
    if not names:
        parser.error(f"no scenario begins with {' or '.join(wanted)}; --list names them")
    if arguments.list:
        print("\n".join(names))
        return
    # What a scenario started is ended also where somebody ends this. A shell has SIGINT ignored for what it starts in
    # the background, and Dagster's servers, which take SIGTERM as SIGINT, would inherit that.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.default_int_handler)
    rows = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows.append(_run(name))
        print(f"  {' | '.join(rows[-1][1:])}", file=sys.stderr, flush=True)
    _print_table(rows)
    failed = [name for name, _, state, *_ in rows if state.startswith("FAILED")]
    impossible = [name for name, _, state, *_ in rows if state == "not possible here"]
    stood = len(rows) - len(failed) - len(impossible)
    print(f"\n{stood} of {len(rows)} stood, {len(failed)} failed, {len(impossible)} not possible here.")
    sys.exit(bool(failed))


def _run(name: str) -> tuple[str, ...]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kura-faults-") as temporary:
        folder = Path(temporary) / "project"
        folder.mkdir()
        with contextlib.chdir(folder):
            try:
                outcome = SCENARIOS[name](folder)
                cells = (outcome.user_sees, outcome.state_after, outcome.next_run)
            except NotPossibleError as reason:
                cells = (str(reason), "not possible here", "–")
            except FaultError as fault:
                cells = ("–", f"FAILED: {fault}", "–")
            except Exception as error:
                traceback.print_exc()
                cells = ("–", f"FAILED: {type(error).__name__}: {error}", "–")
    return (name, *(_cell(cell) for cell in cells), f"{time.monotonic() - began:.0f}")


def _cell(text: str) -> str:
    line = " ".join(text.split()).replace("|", "/")
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def _print_table(rows: list[tuple[str, ...]]) -> None:
    print("| " + " | ".join(HEADINGS) + " |")
    print("|" + "---|" * len(HEADINGS))
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
