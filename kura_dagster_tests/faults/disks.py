"""Full disks and read-only folders: real ones, mounted where only the scenario's processes see them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kura_dagster_tests.faults.project import Ended, Project, check_mended, check_whole, land
from kura_dagster_tests.faults.scenario import NotPossibleError, Outcome, check, scenario

DAY, NEXT_DAY = "2026-11-02", "2026-11-03"
MANY = 4000
LARGE = "64m"


class Mount:
    """A disk, or a folder that is mounted again, in a mount namespace of a process that only waits."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self._enter = ["nsenter", "--target", str(process.pid), "--mount"]
        self.root = Path(f"/proc/{process.pid}/root")

    def put_under(self, project: Project) -> None:
        """Have the project's commands see it."""
        # The folder is entered again: the one that a command begins in is outside.
        project.prefix = [*self._enter, "--", "sh", "-c", 'cd "$0" && exec "$@"', str(project.folder)]
        project.root = self.root

    def remount(self, options: str) -> None:
        """Change its size, or whether it can be written."""
        subprocess.run([*self._enter, "--", "mount", "-o", f"remount,{options}", self.folder], check=True)

    @property
    def used_kilobytes(self) -> int:
        """How much of it is used."""
        return shutil.disk_usage(self.root / self.folder.relative_to("/")).used // 1024


@contextmanager
def mounted(folder: Path, how: str) -> Iterator[Mount]:
    """Mount over a folder with `mount <how> <folder>` where nobody else sees it.

    Raises:
        NotPossibleError: this user may not mount, or this system has no namespaces.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = f"mount {how} '{folder}' && echo mounted && exec sleep 3600"
    try:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError:
        raise NotPossibleError("needs unshare and nsenter, of Linux") from None
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline() != "mounted\n":
            raise NotPossibleError(f"needs the right to mount: {process.stderr.read().strip()}")
        yield Mount(folder, process)
    finally:
        process.kill()
        process.communicate()


@scenario("disk-full-under-the-database")
def fill_the_databases_disk(folder: Path) -> Outcome:
    """A day that finds no room beside one that is stored."""
    project = Project(folder, {DAY: 12}, KURA_DATABASE="data/database/kura.duckdb")
    with mounted(folder / "data" / "database", f"-t tmpfs -o size={LARGE} tmpfs") as disk:
        disk.put_under(project)
        project.run(DAY)
        before = project.state()
        land(project.landing, NEXT_DAY, MANY)
        disk.remount(f"size={disk.used_kilobytes + 300}k")
        full = project.command("run", NEXT_DAY)
        check(full.code == 1 and not full.has_traceback, f"a full disk ended with {full.code}: {full.said}")
        disk.remount(f"size={LARGE}")
        undisturbed = project.undisturbed()
        state = project.state()
        found = check_whole(state, undisturbed)
        check(before.items() <= state.items(), "the day that was stored before is not whole")
        project.run(NEXT_DAY)
        check_mended(project.state(), undisturbed)
        project.check_no_run_is_left()
    return Outcome(full.said, f"{found}; the earlier day is whole", "rows as undisturbed")


def fill_the_historys_disk(kilobytes_left: int, folder: Path) -> Outcome:
    """Dagster can't write down that a run begins, or what it does."""
    project = Project(folder, {DAY: 12, NEXT_DAY: 12})
    with mounted(folder / "data" / "dagster", f"-t tmpfs -o size={LARGE} tmpfs") as disk:
        disk.put_under(project)
        project.run(DAY)
        disk.remount(f"size={disk.used_kilobytes + kilobytes_left}k")
        full = project.command("run", NEXT_DAY)
        check(full.code != 0, "a run succeeded whose history could not be written")
        check(not full.has_traceback, f"a user sees a traceback: {full.said}")
        disk.remount(f"size={LARGE}")
        undisturbed = project.undisturbed()
        state = check_whole(project.state(), undisturbed)
        project.run(NEXT_DAY)
        check_mended(project.state(), undisturbed)
        project.check_no_run_is_left()
    return Outcome(full.said, f"{state}; the broken run is FAILURE when the next begins", "rows as undisturbed")


for when, kilobytes_left in {"before-a-run": 60, "in-a-run": 500}.items():
    scenario(f"disk-full-under-the-run-history-{when}")(partial(fill_the_historys_disk, kilobytes_left))


@scenario("disk-full-under-the-landing-folder")
def fill_the_landing_disk(folder: Path) -> Outcome:
    """An export that does not fit is landed."""
    project = Project(folder, {})
    export = folder / "export"
    land(export, DAY, 100)
    land(export, NEXT_DAY, MANY)
    with mounted(project.landing, f"-t tmpfs -o size={LARGE} tmpfs") as disk:
        disk.put_under(project)
        check(project.command("ingest", str(export / f"{DAY}.jsonl")).code == 0, "an export could not be landed")
        landed = _lines(project)
        disk.remount(f"size={disk.used_kilobytes + 200}k")
        full = project.command("ingest", str(export / f"{NEXT_DAY}.jsonl"))
        check(full.code == 1 and not full.has_traceback, f"a full disk ended with {full.code}: {full.said}")
        check(_lines(project) == landed, "a file of the landing folder is half written")
        disk.remount(f"size={LARGE}")
        check(project.command("ingest", str(export / f"{NEXT_DAY}.jsonl")).code == 0, "landing again failed")
        check({day: len(ids) for day, ids in _lines(project).items()} == {DAY: 100, NEXT_DAY: MANY}, "lines are lost")
        left = [path.name for path in project.seen_from_here(project.landing).iterdir() if "unfinished" in path.name]
        check(not left, f"{left} is left")
    return Outcome(full.said, "the landing folder is as before", "all conversations are landed")


def _lines(project: Project) -> dict[str, list[str]]:
    files = project.seen_from_here(project.landing).glob("*.jsonl")
    return {
        file.name.removesuffix(".jsonl"): [json.loads(line)["chat_id"] for line in file.read_text().splitlines()]
        for file in files
    }


def forbid_writing(name: str, below: str, folder: Path) -> Outcome:
    """A folder of the project is mounted read-only, as after a disk's error."""
    project = Project(folder, {DAY: 12, NEXT_DAY: 12}, KURA_DATABASE="data/database/kura.duckdb")
    undisturbed = project.undisturbed()
    target = folder / below
    target.mkdir(exist_ok=True)
    with mounted(target, f"--bind '{target}'") as disk:
        disk.put_under(project)
        project.run(DAY)
        before = project.state()
        disk.remount("bind,ro")
        refused = project.command("run", NEXT_DAY)
        check(not refused.has_traceback, f"a user sees a traceback: {refused.said}")
        said = _of_read_only(name, refused, project)
        disk.remount("bind,rw")
        state = project.state()
        found = check_whole(state, undisturbed)
        check(before.items() <= state.items(), "the day that was stored before is not whole")
        project.run(NEXT_DAY)
        check_mended(project.state(), undisturbed)
        project.check_no_run_is_left()
    return Outcome(said, found, "rows as undisturbed")


def _of_read_only(name: str, ended: Ended, project: Project) -> str:
    """Check how a command ended that could not write, and return what it said."""
    if name == "landing-folder":
        check(ended.code == 0, f"a run needs to write into the landing folder: {ended.said}")
        return "nothing: a run only reads it"
    check(ended.code == 1, f"it ended with {ended.code}: {ended.said}")
    return ended.said


for name, below in {
    "database-folder": "data/database",
    "landing-folder": "data/conversations",
    "run-history": "data/dagster",
}.items():
    scenario(f"read-only-{name}")(partial(forbid_writing, name, below))
