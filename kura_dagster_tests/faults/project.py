"""A scenario's project folder: its landing folder, its commands as real processes, its rows and its run history."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from kura_dagster.storage.database import Database
from kura_dagster.storage.partitioning import DAILY_IN_UTC, Partitioning
from kura_dagster.storage.tables import TABLES
from kura_dagster_tests import rows
from kura_dagster_tests.conftest import REQUESTS
from kura_dagster_tests.dagster_dev import PROJECT
from kura_dagster_tests.faults.held_models import HOLD
from kura_dagster_tests.faults.scenario import FaultError, check

LOCATION = "kura_dagster_tests.faults.held_models"
COMMAND = [sys.executable, "-c", "from kura_dagster.cli import app; app()"]
SECONDS = 600
"""So long is waited for anything that ought to come."""

State = dict[tuple[str, str], str]
"""What is stored: a digest of the rows for each table and partition that has any."""

_undisturbed: dict[str, State] = {}
"""By settings and landed files: several scenarios begin alike."""

_SAID = re.compile(r"^(error|warning|stopping|waiting|stopped)\b|^\S+ failed:|^\w*Error\b|^[\w.]+(Error|Exception):")


class Ended(NamedTuple):
    """How a command ended: its exit code and what it printed to standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The first line that tells a user of trouble, otherwise of anything."""
        lines = [line.strip() for line in (self.err + "\n" + self.out).splitlines() if line.strip()]
        return next((line for line in lines if _SAID.search(line)), lines[0] if lines else "")

    @property
    def has_traceback(self) -> bool:
        """Whether a user was shown Python's inside."""
        return "Traceback (most recent call last)" in self.err


class Project:
    """A project of its own in a folder that has none yet; `days` says how many conversations are landed for each."""

    def __init__(self, folder: Path, days: Mapping[str, int], **settings: str) -> None:
        self.folder = folder
        self.landing = folder / "data" / "conversations"
        self.landing.mkdir(parents=True)
        (folder / HOLD).mkdir()
        shutil.copy(PROJECT / "dagster.yaml", folder)
        workspace = (PROJECT / "workspace.yaml").read_text()
        (folder / "workspace.yaml").write_text(workspace.replace("kura_dagster.definitions", LOCATION))
        self.settings = {"KURA_START_DATE": "2026-11-02", "KURA_PROJECTION": "pca", **settings}
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("KURA_", "DAGSTER_"))}
        self.environment = {
            **ours,
            **self.settings,
            "DAGSTER_HOME": str(folder),
            "PYTHONPATH": str(PROJECT),
            "COLUMNS": "400",
        }
        self.prefix: list[str] = []
        """What stands before each command: where it has disks of its own."""
        self.root = Path("/")
        """What those disks are under, seen from here."""
        for day, count in days.items():
            land(self.landing, day, count)

    @property
    def database(self) -> Path:
        """The database file, as it is reached from here."""
        return self.seen_from_here(self.folder / self.settings.get("KURA_DATABASE", "data/kura.duckdb"))

    def seen_from_here(self, path: Path) -> Path:
        """Return where a file of the project's disks is reached from here."""
        return self.root / path.relative_to("/")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of `kura-dagster`."""
        return subprocess.Popen(
            [*self.prefix, *COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str, **environment: str) -> Ended:
        """Run a command of `kura-dagster` to its end."""
        return ended(self.start(*arguments, **environment))

    def run(self, *days: str) -> Ended:
        """Run a day, or the days from the first to the last, which has to succeed."""
        which = days if len(days) < 2 else ("--from", days[0], "--to", days[-1])
        result = self.command("run", *which)
        check(result.code == 0, f"kura-dagster run {' '.join(days)} failed: {result.said}")
        return result

    def state(self) -> State:
        """Return what is stored now, as a copy of the database has it: DuckDB knows no other's disks."""
        with tempfile.TemporaryDirectory() as copy:
            for file in self.database.parent.glob(f"{self.database.name}*"):
                if file.is_file():
                    shutil.copy(file, copy)
            return state_of(Path(copy) / self.database.name, self.partitioning)

    @property
    def partitioning(self) -> Partitioning:
        """How the settings cut the rows."""
        return Partitioning(
            self.settings.get("KURA_CADENCE", DAILY_IN_UTC.cadence),
            self.settings.get("KURA_TIMEZONE", DAILY_IN_UTC.timezone),
        )

    def undisturbed(self) -> State:
        """Return what runs that nothing disturbs store for all that is landed, in a project beside this one."""
        files = sorted(self.seen_from_here(self.landing).glob("*.jsonl"))
        asked = json.dumps(
            [self.settings, *((file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files)]
        )
        if asked in _undisturbed:
            return _undisturbed[asked]
        beside = Project(self.folder.with_name(f"{self.folder.name}-undisturbed"), {}, **self.settings)
        try:
            for file in files:
                shutil.copy(file, beside.landing)
            ended = beside.command("run", "--landed")
            check(ended.code == 0, f"the undisturbed run failed: {ended.said}")
            _undisturbed[asked] = beside.state()
            return _undisturbed[asked]
        finally:
            shutil.rmtree(beside.folder)

    @contextmanager
    def history(self) -> Iterator[dg.DagsterInstance]:
        """Open the run history. The current folder has to be the project's."""
        with dg.DagsterInstance.from_config(str(self.seen_from_here(self.folder))) as instance:
            yield instance

    def check_no_run_is_left(self) -> None:
        """Fail where a run counts as going on."""
        with self.history() as instance:
            left = [run.run_id for run in instance.get_runs() if not run.is_finished]
        check(not left, f"{len(left)} runs are left unfinished")


def land(folder: Path, day: str, count: int) -> None:
    """Write `count` conversations into the landing file of a day, one a second from eight o'clock in UTC."""
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime.fromisoformat(day).replace(hour=8, tzinfo=UTC)
    with (folder / f"{day}.jsonl").open("w") as file:
        for number in range(count):
            row = rows.conversation(number, REQUESTS[number % len(REQUESTS)], start + timedelta(seconds=number))
            file.write(json.dumps(row.model_dump(mode="json") | {"chat_id": f"{day}-{number:05}"}) + "\n")


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a command to end."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise FaultError(f"a command did not end in {SECONDS} s") from None
    return Ended(process.returncode, out, err)


def state_of(path: Path, partitioning: Partitioning = DAILY_IN_UTC) -> State:
    """Return a digest of the rows of each table and partition, in no order but that of their key."""
    database, state = Database(path, partitioning), {}
    for table in TABLES.values():
        for when, frame in database.frame(table).groupby("partition_date"):
            keys = list(map(tuple, frame[list(table.key)].astype(str).to_numpy()))
            check(len(keys) == len(set(keys)), f"{table.name} of {when} has a row twice")
            text = json.dumps(
                [[_plain(value) for value in row] for row in frame.itertuples(index=False)], sort_keys=True, default=str
            )
            state[table.name, _partition(when)] = hashlib.sha256(text.encode()).hexdigest()[:12]
    return state


def _partition(when: Any) -> str:
    text = str(when)
    return text.removesuffix(" 00:00:00")


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def check_whole(state: State, *versions: State) -> str:
    """Fail where a partition of a table is neither missing nor as one of the versions; return what there is."""
    for place, digest in state.items():
        known = [version.get(place) for version in versions]
        check(digest in known, f"{' of '.join(place)} is half of something")
    partitions = {partition for _, partition in state}
    return f"{len(state)} whole table partitions of {len(partitions)} days" if state else "nothing stored"


def check_mended(state: State, undisturbed: State) -> None:
    """Fail where what is stored is not what an undisturbed run stores."""
    wrong = [place for place in {*state, *undisturbed} if state.get(place) != undisturbed.get(place)]
    check(not wrong, f"{len(wrong)} table partitions differ from an undisturbed run's: {sorted(wrong)[:3]}")


def wait_for(condition: Callable[[], Any], what: str, seconds: float = SECONDS, pause: float = 0.05) -> Any:
    """Return what `condition` does once it is true, or fail the scenario."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        check(time.monotonic() < deadline, f"{what} did not come in {seconds:g} s")
        time.sleep(pause)
    return found


def processes_of_session(session: int) -> dict[int, str]:
    """Return the command lines of the processes that were started from one."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue  # it has ended meanwhile
            if int(fields[3]) == session and fields[0] != "Z":
                found[int(entry.name)] = command
    return found


def lines_with(text: str, words: Sequence[str]) -> list[str]:
    """Return the lines of a log that hold one of the words, without their time and colours."""
    plain = re.sub(r"\x1b\[\d*m", "", text)
    lines = [re.sub(r"^[\d-]+ [\d:]+ \+0000 - ", "", line.strip()) for line in plain.splitlines()]
    return [line for line in lines if any(word in line for word in words)]
