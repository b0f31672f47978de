"""The files under deploy/ are true: what they name exists, nothing listens beyond the machine, and the units work."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import pytest
import yaml
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.workspace.load import location_origins_from_yaml_paths

from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster_tests.conftest import land_day

PROJECT = Path(__file__).parents[1]
DEPLOY = PROJECT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = Path(sys.executable).parent
INSTALLED = "/opt/kura_dagster"


def values(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def here(text: str, runtime: Path) -> str:
    """What a unit says, with this checkout and its environment in place of the server's folders."""
    text = text.replace(f"{INSTALLED}/.venv/bin", str(BIN)).replace("/run/kura-dagster", str(runtime))
    return text.replace(INSTALLED, str(PROJECT))


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text())


class TestUnits:
    def test_there_are_three(self):
        assert [unit.stem for unit in UNITS] == [f"kura-dagster-{name}" for name in ("code", "daemon", "webserver")]

    @pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
    def test_what_it_starts_and_where_exists(self, unit, tmp_path):
        (command,) = values(unit, "ExecStart")
        binary, *arguments = here(command, tmp_path).split()
        assert os.access(binary, os.X_OK)
        assert values(unit, "WorkingDirectory") == [INSTALLED]
        assert f"DAGSTER_HOME={INSTALLED}" in values(unit, "Environment")
        group = [argument for argument in arguments[:2] if not argument.startswith("--")]
        told = subprocess.run([binary, *group, "--help"], capture_output=True, text=True, timeout=120).stdout
        assert [option for option in arguments if option.startswith("--") and option not in told] == []

    @pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
    def test_it_can_write_the_data_and_no_more(self, unit):
        assert values(unit, "User") == ["kura-dagster"]
        assert values(unit, "UMask") == ["0077"]
        assert values(unit, "ProtectSystem") == ["strict"]
        assert values(unit, "NoNewPrivileges") == ["yes"]
        assert values(unit, "ReadWritePaths") == [f"{INSTALLED}/data"]
        written = [value.split("=")[1] for value in values(unit, "Environment") if "CACHE" in value or "MPL" in value]
        assert all(path.startswith(f"{INSTALLED}/data/") for path in written)

    def test_systemd_takes_them(self, tmp_path):
        if not shutil.which("systemd-analyze"):
            pytest.skip("systemd-analyze is not installed")
        for unit in (DEPLOY / "systemd").glob("kura-dagster*"):
            (tmp_path / unit.name).write_text(here(unit.read_text(), tmp_path))
        command = ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")

    def test_the_command_for_root_has_the_environment_of_the_runs(self):
        exported = re.findall(r"^export (\w+=.*)$", (DEPLOY / "systemd" / "kura-as-service").read_text(), re.MULTILINE)
        of_runs = values(DEPLOY / "systemd" / "kura-dagster-code.service", "Environment")
        assert set(exported) == set(of_runs) - {"PYTHONUNBUFFERED=1"}

    def test_the_target_starts_all(self):
        wanted = values(DEPLOY / "systemd" / "kura-dagster.target", "Wants")[0].split()
        assert sorted(wanted) == [unit.name for unit in UNITS]


class TestCompose:
    def test_ports_are_published_on_this_machine_only(self):
        published = [port for service in compose()["services"].values() for port in service.get("ports", [])]
        assert published == ["127.0.0.1:3000:3000"]

    def test_commands_and_health_checks_exist(self):
        dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
        commands = [service["command"] for service in compose()["services"].values() if "command" in service]
        commands += [
            service["healthcheck"]["test"][1:] for name, service in compose()["services"].items() if name != "webserver"
        ]
        commands += [json.loads(found) for found in re.findall(r"^ *CMD (\[.*\])$", dockerfile, re.MULTILINE)]
        assert len(commands) == 6
        for command in commands:
            if command[0] == "sh":
                assert re.findall(r"(?:^|&& exec )(\S+)", command[2]) == ["dagster", "dagster"]
                continue
            binary, *_ = [word for word in command if word != "env" and "=" not in word]
            assert os.access(BIN / binary, os.X_OK), command

    def test_every_service_keeps_to_the_data(self):
        for service in compose()["services"].values():
            assert service["volumes"] == ["data:/app/data"]
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["restart"] == "unless-stopped"
        assert "USER kura-dagster" in (DEPLOY / "docker" / "Dockerfile").read_text()

    def test_what_the_image_copies_is_there_and_reaches_the_build(self):
        allowed = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
        copied = set()
        for line in re.findall(r"^COPY (?!--from)(.*)$", (DEPLOY / "docker" / "Dockerfile").read_text(), re.MULTILINE):
            copied |= set(line.split()[:-1])
        assert sorted(copied) == sorted(allowed)
        assert all((PROJECT / path).exists() for path in copied)

    def test_secrets_stay_out_of_git_and_of_the_image(self):
        environment = "deploy/docker/environment"
        assert compose()["services"]["code"]["env_file"] == [Path(environment).name]
        assert environment in (PROJECT / ".gitignore").read_text().splitlines()
        assert (PROJECT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_the_example_names_settings_that_exist_and_no_secret():
    lines = (DEPLOY / "environment.example").read_text().splitlines()
    pairs = [line.removeprefix("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line)]
    assert {name for name, _ in pairs if name.startswith("KURA_")} <= {
        f"KURA_{n.upper()}" for n in Settings.model_fields
    }
    assert dict(pairs)["OPENAI_API_KEY"] == ""


@pytest.mark.parametrize("folder", ["systemd", "docker"])
def test_the_workspace_points_at_the_code_server(folder, tmp_path):
    (origin,) = location_origins_from_yaml_paths([str(DEPLOY / folder / "workspace.yaml")])
    assert isinstance(origin, GrpcServerCodeLocationOrigin)
    if folder == "systemd":
        command = values(DEPLOY / "systemd" / "kura-dagster-code.service", "ExecStart")[0].split()
        assert command[command.index("--socket") + 1] == origin.socket
    else:
        command = compose()["services"]["code"]["command"][-1].split()
        assert (origin.host, str(origin.port)) == ("code", command[command.index("--port") + 1])
    assert command[command.index("--location-name") + 1] == origin.location_name


LAUNCH = """
mutation Launch($execution: ExecutionParams!) {
  launchRun(executionParams: $execution) { __typename ... on PythonError { message } }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { id status endTime } } } }"
LOADED = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"
REPOSITORIES = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"


class Services:
    """The three services as their units start them, over a user's own fast models, in a folder of the test's."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.processes: dict[str, subprocess.Popen] = {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        shutil.copy(PROJECT / "dagster.yaml", folder)
        workspace = folder / "deploy" / "systemd" / "workspace.yaml"
        workspace.parent.mkdir(parents=True)
        workspace.write_text(here((DEPLOY / "systemd" / "workspace.yaml").read_text(), folder / "run"))
        (folder / "run").mkdir()

    def start(self, name: str) -> None:
        unit = DEPLOY / "systemd" / f"kura-dagster-{name}.service"
        command = (
            here(values(unit, "ExecStart")[0], self.folder / "run")
            .replace("--port 3000", f"--port {self.port}")
            .replace("--module-name kura_dagster.definitions", "--module-name kura_dagster_tests.own_location")
        )
        environment = {"DAGSTER_HOME": str(self.folder), "PYTHONPATH": str(PROJECT), "HOME": "/nonexistent"}
        environment |= {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        for before in values(unit, "ExecStartPre"):
            command_before = here(before, self.folder / "run").split()
            subprocess.run(command_before, cwd=self.folder, env=environment, check=True, timeout=120)
        self.processes[name] = subprocess.Popen(
            command.split(),
            cwd=self.folder,
            env=environment,
            stdout=(self.folder / f"{name}.log").open("a"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.stack.callback(self.stop, name)
        for until_ready in values(unit, "ExecStartPost"):
            subprocess.run(shlex.split(here(until_ready, self.folder / "run")), check=True, timeout=120)

    def stop(self, name: str, seconds: float = 60) -> int:
        """Stop a service as systemd does, all processes of it; return how its first process ended."""
        process = self.processes[name]
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        return process.wait(5)

    def query(self, query: str, **variables: object) -> dict:
        body = json.dumps({"query": query, "variables": variables}).encode()
        url = f"http://127.0.0.1:{self.port}/graphql"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]

    def wait_for(self, condition, seconds: float = 120):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if found := condition():
                    return found
            except OSError:
                pass
            logs = "\n".join(log.read_text()[-2000:] for log in self.folder.glob("*.log"))
            assert time.monotonic() < deadline, logs
            time.sleep(0.5)

    def wait_until_loaded(self) -> None:
        loaded = {
            "workspaceOrError": {"locationEntries": [{"locationOrLoadError": {"__typename": "RepositoryLocation"}}]}
        }
        self.wait_for(lambda: self.query(LOADED) == loaded)

    def analyse(self, day: str) -> str:
        """Launch a run of a day as the UI does, and return the status that it ended with."""
        before = len(self.query(RUNS)["runsOrError"]["results"])
        (repository,) = self.query(REPOSITORIES)["repositoriesOrError"]["nodes"]
        execution = {
            "selector": {
                "repositoryName": repository["name"],
                "repositoryLocationName": repository["location"]["name"],
                "jobName": JOB_NAME,
            },
            "executionMetadata": {"tags": [{"key": PARTITION_NAME_TAG, "value": day}]},
        }
        launched = self.query(LAUNCH, execution=execution)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched

        def ended():
            runs = self.query(RUNS)["runsOrError"]["results"]
            return len(runs) > before and runs[0]["endTime"] and runs[0]["status"]

        return self.wait_for(ended)


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    with ExitStack() as stack:
        yield Services(folder, stack)


def test_the_three_services_work_stop_cleanly_and_come_back(tmp_path):
    landing = tmp_path / "data" / "conversations"
    for day in ("2026-11-02", "2026-11-03"):
        land_day(landing, day, 4)
    with services(tmp_path) as running:
        running.start("code")
        running.start("webserver")
        running.start("daemon")
        running.wait_until_loaded()
        assert running.analyse("2026-11-02") == "SUCCESS"
        with socket.socket() as other:  # another address of this machine
            other.settimeout(2)
            with pytest.raises(ConnectionRefusedError):
                other.connect(("127.0.0.2", running.port))
        assert [running.stop(name) for name in ("daemon", "code")] == [0, 0]
        running.start("code")
        running.start("daemon")
        running.wait_until_loaded()
        assert running.analyse("2026-11-03") == "SUCCESS"
        assert [running.stop(name) for name in ("daemon", "webserver", "code")] == [0, 0, 0]
    counts = Database(tmp_path / "data" / "kura.duckdb").row_counts()["conversations"]
    assert counts == {date(2026, 11, 2): 4, date(2026, 11, 3): 4}
