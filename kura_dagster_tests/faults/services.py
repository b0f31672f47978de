"""`dagster dev` of a scenario's project: its processes by name, runs launched in it, and what became of them."""

from __future__ import annotations

import time

import dagster as dg

from kura_dagster.orchestration.running import PROCESS_TAG
from kura_dagster_tests.dagster_dev import DagsterDev
from kura_dagster_tests.faults.project import LOCATION, SECONDS, Project, processes_of_session, wait_for
from kura_dagster_tests.faults.scenario import check

RELOAD = "mutation Reload($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"
PROCESSES = {
    "webserver": "-m dagster_webserver",
    "daemon": "-m dagster._daemon run",
    "code server": "code-server start",
    "code server's own server": "api grpc",
}
"""What stands in the command line of each process of `dagster dev`."""


class Services(DagsterDev):
    """`dagster dev` over a project, for the length of a with block. The project's folder has to be the current one."""

    def __init__(self, project: Project) -> None:
        super().__init__(project.folder, project.settings, "-m", LOCATION)
        self.project = project

    def pid(self, name: str) -> int:
        """Return the process id of one of `PROCESSES`."""
        found = [pid for pid, command in processes_of_session(self.process.pid).items() if PROCESSES[name] in command]
        check(found, f"dagster dev has no {name}")
        return min(found)

    def reload(self) -> None:
        """Reload the code location, as the button of that name does on the UI's page of deployments."""
        self.query(RELOAD, name=LOCATION)

    def launch(self, day: str) -> str:
        """Launch a run of all assets for a day, and return its id."""

        def answer() -> str | None:
            try:
                job = self.analysis_job()
            except (OSError, KeyError, ValueError):
                return None  # the code server is being started again
            return self.launch_run(job, day)

        return str(wait_for(answer, "the launch of a run", pause=0.5))

    def ended(self, run_id: str, seconds: float = SECONDS) -> dg.DagsterRun:
        """Wait until a run is recorded as finished."""
        return ended(self.project, run_id, seconds)


def ended(project: Project, run_id: str, seconds: float = SECONDS) -> dg.DagsterRun:
    """Wait until a run is recorded as finished."""
    with project.history() as instance:

        def finished() -> dg.DagsterRun | None:
            run = instance.get_run_by_id(run_id)
            return run if run is not None and run.is_finished else None

        found: dg.DagsterRun = wait_for(finished, "the end of a run", seconds)
    return found


def worker_in(project: Project, run_id: str, asset: str) -> int:
    """Wait until a run is in an asset's step, and return the process id of its worker."""
    with project.history() as instance:

        def started() -> bool:
            logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_START)
            return any(entry.step_key == asset for entry in logs)

        wait_for(started, f"the step {asset}", pause=0.005)
        run = instance.get_run_by_id(run_id)
    assert run is not None
    return int(run.tags[PROCESS_TAG].rpartition(" ")[2])


REASONS = ("unexpectedly", "has ended", "terminated", "timed out", "interrupt")


def last_words(project: Project, run_id: str) -> str:
    """Return what stands in the log of a run as the reason of its end."""
    with project.history() as instance:
        said = [entry.message for entry in instance.all_logs(run_id)]
    return next((line for line in said if any(reason in line for reason in REASONS)), said[-1] if said else "(nothing)")


def unfinished_steps(project: Project, run_id: str) -> set[str]:
    """Return the steps that began and never ended."""
    with project.history() as instance:
        events = [entry.dagster_event for entry in instance.all_logs(run_id) if entry.dagster_event is not None]
    began = {str(event.step_key) for event in events if event.is_step_start}
    return began - {str(event.step_key) for event in events if event.is_step_success or event.is_step_failure}


def seconds_since(began: float) -> str:
    """Return a duration as the table shows it."""
    return f"{time.monotonic() - began:.0f} s"
