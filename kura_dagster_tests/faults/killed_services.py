"""kill -9 of the processes of `dagster dev` while a run is going on, and SIGTERM of the whole."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

from kura_dagster_tests.faults.held_models import HOLD
from kura_dagster_tests.faults.project import Project, check_mended, check_whole, lines_with, processes_of_session
from kura_dagster_tests.faults.scenario import Outcome, check, scenario
from kura_dagster_tests.faults.services import PROCESSES, Services, last_words, seconds_since, worker_in

DAY = "2026-11-02"
OTHER_DAYS = ("2026-11-03", "2026-11-04")
ONLY_RELOADED = "code server's own server"
"""Dagster starts this one again only when a person reloads the code location; until then nothing is launched."""
WORDS = (
    "unexpectedly",
    "exited with code",
    "Interrupt",
    "Error loading",
    "Shutting down",
    "unreachable",
    "Could not reach",
)


def kill_service(name: str, folder: Path) -> Outcome:
    """Kill one process of `dagster dev` with a run going on; start `dagster dev` again where that ended it."""
    project = Project(folder, {DAY: 12})
    undisturbed = project.undisturbed()
    (HOLD / "base_clusters").touch()
    with Services(project) as dagster_dev:
        run_id = dagster_dev.launch(DAY)
        worker_in(project, run_id, "base_clusters")
        os.kill(dagster_dev.pid(name), signal.SIGKILL)
        began = time.monotonic()
        # Long enough for what is left to notice.
        _wait_until_ended(dagster_dev, 15)
        gone = dagster_dev.process.poll() is not None
        said = lines_with(dagster_dev.log.read_text(), WORDS)
        state = check_whole(project.state(), undisturbed)
        (HOLD / "base_clusters").unlink()
        if not gone:
            if name == ONLY_RELOADED:
                dagster_dev.reload()
            outcome = _finish(project, dagster_dev, run_id, began)
    if gone:
        with Services(project) as dagster_dev:
            outcome = _finish(project, dagster_dev, run_id, began)
    check_mended(project.state(), undisturbed)
    project.check_no_run_is_left()
    what = "dagster dev ended, started again" if gone else "dagster dev goes on"
    if name == ONLY_RELOADED:
        what += " once its code location is reloaded by hand"
    return Outcome(said[0] if said else "(nothing)", f"{state}; {what}; {outcome}", "rows as undisturbed")


def _wait_until_ended(dagster_dev: Services, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while dagster_dev.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)


def _finish(project: Project, dagster_dev: Services, run_id: str, began: float) -> str:
    """Wait for the end of the run that was disturbed, run the day once more, and say what became of the first."""
    disturbed = dagster_dev.ended(run_id)
    after = seconds_since(began)
    check(dagster_dev.ended(dagster_dev.launch(DAY)).is_success, "the next run failed")
    return f"run is {disturbed.status.value} after {after}"


for service in PROCESSES:
    scenario(f"{service.replace(' ', '-').replace(chr(39), '')}-killed")(partial(kill_service, service))


@scenario("dagster-dev-terminated")
def terminate(folder: Path) -> Outcome:
    """SIGTERM to `dagster dev` with a run going on, as an init system sends it."""
    project = Project(folder, {DAY: 12})
    undisturbed = project.undisturbed()
    (HOLD / "base_clusters").touch()
    with Services(project) as dagster_dev:
        run_id = dagster_dev.launch(DAY)
        worker = worker_in(project, run_id, "base_clusters")
        dagster_dev.process.terminate()
        began = time.monotonic()
        _wait_until_ended(dagster_dev, 60)
        check(dagster_dev.process.poll() is not None, "dagster dev did not end within 60 s of SIGTERM")
        stopped = seconds_since(began)
        goes_on = worker in processes_of_session(dagster_dev.process.pid)
        said = lines_with(dagster_dev.log.read_text(), WORDS)
        state = check_whole(project.state(), undisturbed)
        (HOLD / "base_clusters").unlink()
    with Services(project) as dagster_dev:
        outcome = _finish(project, dagster_dev, run_id, began)
    check_mended(project.state(), undisturbed)
    project.check_no_run_is_left()
    worker_does = "the worker went on" if goes_on else "the worker ended too"
    return Outcome(
        said[0] if said else "(nothing)",
        f"{state}; stopped in {stopped}, {worker_does}; {outcome}",
        "rows as undisturbed",
    )


@scenario("everything-killed")
def kill_everything(folder: Path) -> Outcome:
    """Kill all processes of `dagster dev` at once, as a power failure does, with as many runs as may go on at once."""
    project = Project(folder, dict.fromkeys((DAY, *OTHER_DAYS), 12))
    undisturbed = project.undisturbed()
    (HOLD / "base_clusters").touch()
    with Services(project) as dagster_dev:
        killed = [dagster_dev.launch(day) for day in (DAY, OTHER_DAYS[0])]
        for run_id in killed:
            worker_in(project, run_id, "base_clusters")
        os.killpg(dagster_dev.process.pid, signal.SIGSTOP)  # none of them notices that another has ended
        for pid in processes_of_session(dagster_dev.process.pid):
            os.kill(pid, signal.SIGKILL)
        dagster_dev.process.wait()
    state = check_whole(project.state(), undisturbed)
    (HOLD / "base_clusters").unlink()
    with Services(project) as dagster_dev:
        began = time.monotonic()
        last = dagster_dev.launch(OTHER_DAYS[1])
        statuses = {dagster_dev.ended(run_id).status.value for run_id in killed}
        recovered = seconds_since(began)
        check(dagster_dev.ended(last).is_success, "the run that waited in the queue failed")
        for day in (DAY, OTHER_DAYS[0]):
            check(dagster_dev.ended(dagster_dev.launch(day)).is_success, "the next run failed")
    check_mended(project.state(), undisturbed)
    project.check_no_run_is_left()
    said = last_words(project, killed[0])
    recovery = f"both runs are {' and '.join(statuses)} {recovered} after the start (run monitoring), queue is free"
    return Outcome(said, f"{state}; {recovery}", "rows as undisturbed")
