"""kill -9 of the process that works on a run: in each asset, from the command line, and in the middle of a write."""

from __future__ import annotations

import os
import re
import signal
import time
from functools import partial
from pathlib import Path

from filelock import FileLock

from kura_dagster.orchestration.materialise import ASSET_NAMES
from kura_dagster.storage import database
from kura_dagster_tests.faults.held_models import HOLD, PLACE_FILE
from kura_dagster_tests.faults.project import Project, check_mended, check_whole, ended, land, wait_for
from kura_dagster_tests.faults.scenario import Outcome, check, scenario
from kura_dagster_tests.faults.services import Services, last_words, seconds_since, unfinished_steps, worker_in

DAY = "2026-11-02"


def kill_worker_in(asset: str, folder: Path) -> Outcome:
    """Kill a worker of `dagster dev` in an asset, then launch the same run again."""
    project = Project(folder, {DAY: 12})
    undisturbed = project.undisturbed()
    # Assets without a model are held at the database, or caught while the map is drawn.
    (HOLD / asset).touch()
    lock = FileLock(f"{project.database}.lock")
    if asset == "conversations":
        lock.acquire()
    with Services(project) as dagster_dev:
        killed = dagster_dev.launch(DAY)
        os.kill(worker_in(project, killed, asset), signal.SIGKILL)
        began = time.monotonic()
        lock.release()
        (HOLD / asset).unlink()
        status = dagster_dev.ended(killed).status.value
        recovered = seconds_since(began)
        check(unfinished_steps(project, killed) == {asset}, f"the kill missed {asset}")
        state = check_whole(project.state(), undisturbed)
        check(dagster_dev.ended(dagster_dev.launch(DAY)).is_success, "the next run failed")
        check_mended(project.state(), undisturbed)
        project.check_no_run_is_left()
        said = last_words(project, killed)
    return Outcome(said, f"{state}; run is {status} after {recovered} (code server)", "rows as undisturbed")


for name in ASSET_NAMES:
    scenario(f"worker-killed-in-{name}")(partial(kill_worker_in, name))


@scenario("command-killed")
def kill_command(folder: Path) -> Outcome:
    """Kill `kura-dagster run` in the clustering; the next one reports its run."""
    project = Project(folder, {DAY: 12, "2026-11-03": 9})
    undisturbed = project.undisturbed()
    (HOLD / "base_clusters").touch()
    process = project.start("run", "--from", DAY, "--to", "2026-11-03")
    run_id = str(wait_for(lambda: _only_run(project), "the run"))
    os.kill(worker_in(project, run_id, "base_clusters"), signal.SIGKILL)
    ended(process)
    (HOLD / "base_clusters").unlink()
    state = check_whole(project.state(), undisturbed)
    project.run(DAY, "2026-11-03")
    check_mended(project.state(), undisturbed)
    project.check_no_run_is_left()
    return Outcome(
        f"Killed (the shell's); in the UI then: {last_words(project, run_id)}",
        f"{state}; run is FAILURE when the next begins",
        "rows as undisturbed",
    )


def _only_run(project: Project) -> str | None:
    with project.history() as instance:
        runs = instance.get_runs()
    return runs[0].run_id if runs else None


MANY = 12_000
INSERTING = re.compile(rf'File "{re.escape(database.__file__)}", line (\d+) in replace_partitions')


@scenario("worker-killed-in-a-write")
def kill_in_a_write(folder: Path) -> Outcome:
    """Kill a run between its DELETE and its COMMIT, with rows of an earlier run in the partition."""
    project = Project(folder, {DAY: MANY})
    project.run(DAY)
    before = project.state()
    land(project.landing, DAY, MANY + 1)
    after = project.undisturbed()
    check(before["conversations", DAY] != after["conversations", DAY], "the landed day did not change")
    process = project.start("run", DAY)
    place = project.folder / PLACE_FILE
    source = Path(database.__file__).read_text().splitlines()

    def inserts() -> bool:
        check(process.poll() is None, "the run ended before it was caught in a write")
        if not _has_open(process.pid, project.database):
            return False
        # The process writes down where it is even while DuckDB works.
        written = place.stat().st_size
        os.kill(process.pid, signal.SIGUSR1)
        wait_for(lambda: place.stat().st_size > written, "its place", 10, pause=0.0005)
        found = INSERTING.findall(place.read_text()[written:])
        return any("INSERT INTO" in " ".join(source[int(line) - 1 : int(line) + 2]) for line in found)

    wait_for(inserts, "an INSERT", pause=0.001)
    os.kill(process.pid, signal.SIGKILL)
    ended(process)
    state = project.state()
    check_whole(state, before)
    check(state == before, "what the earlier run stored is not all there")
    project.run(DAY)
    check_mended(project.state(), after)
    project.check_no_run_is_left()
    return Outcome(
        "Killed (the shell's)", "all rows of the run before, none of the killed one's", "rows as undisturbed"
    )


def _has_open(pid: int, path: Path) -> bool:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if descriptor.readlink() == path:
                return True
        except OSError:
            continue  # closed meanwhile
    return False
