"""`mel dev` as an operator starts it: settings in a file, Dagster on PostgreSQL, and no process that dies unnoticed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pytest
import requests
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import PythonFileTarget

from mel_pipeline.cli.serving import dev
from mel_pipeline.core.errors import PortTakenError, ReportError, ServingError
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.serving import webserver
from mel_pipeline.defs.serving.instance import SHIPPED, open_instance
from mel_pipeline.defs.serving.left_runs import HOST, mark_left_runs, said_of
from mel_pipeline.defs.serving.supervision import Parts, end
from mel_pipeline.defs.serving.webserver import serve_ui
from mel_pipeline.sandbox.server import running_account
from mel_pipeline_tests.fixtures.zoho_account import Account

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
ASSET = "raw_matomo__accounts"
LAUNCH = """mutation { launchRun(executionParams: {selector: {repositoryLocationName: "mel", repositoryName: "__repository__",
 jobName: "__ASSET_JOB", assetSelection: [{path: ["%s"]}]}}) { __typename ... on LaunchRunSuccess { run { id } }
 ... on PythonError { message } } }"""
STATUS = '{ runOrError(runId: "%s") { ... on Run { status } } }'


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def mel_dev(folder: Path, settings: dict[str, str], port: int) -> Iterator[subprocess.Popen[str]]:
    """`mel dev`, started in the folder of its `.env`, as in a clone: Dagster's own programs read that file too."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("MEL_", "DAGSTER_", "PG"))
    }
    command = [
        sys.executable,
        "-c",
        "from mel_pipeline.cli.main import main; main()",
        "dev",
        "--port",
        str(port),
    ]
    environment = {**own, "MEL_ENV_FILE": ".env", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server
        finally:
            if server.poll() is None:
                end(server)


def until(seconds: float, look: Callable[[], T], what: str) -> T:
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        try:
            if got := look():
                return got
        except requests.ConnectionError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds} seconds: {what}")


def children(pid: int) -> dict[int, str]:
    """Processes that this one has started, with their command."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[int(path.parent.name)] = (
                    path.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode()
                )
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.exhaustive
@pytest.mark.fault(53, 54)
def test_a_run_launched_by_the_daemon_succeeds_on_postgresql_from_the_env_file_and_sends_its_notice(
    postgres_url: str, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def ask(query: str) -> dict[str, dict[str, str]]:
        answer = requests.post(f"{url}/graphql", json={"query": query}, timeout=30).json()
        return dict(answer["data"])

    settings = {
        "MEL_HOME": "home",
        "MEL_SANDBOX_PORT": "0",
        "MEL_DAGSTER_STORAGE_URL": postgres_url,
        "MEL_TODAY": "2026-11-20",
    }
    with mel_dev(tmp_path, settings, port) as server:
        until(300, lambda: requests.get(f"{url}/server_info", timeout=5).ok, "the UI answers")
        launched = ask(LAUNCH % ASSET)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["id"]  # type: ignore[index]
        ended = ("SUCCESS", "FAILURE", "CANCELED")
        status = until(
            300,
            lambda: (got := ask(STATUS % run_id)["runOrError"]["status"]) in ended and got,
            "the run ends",
        )
        assert status == "SUCCESS"
        assert (tmp_path / "home" / "warehouse.duckdb").is_file(), "the path of the file, in every process"
        assert not list((tmp_path / "home" / "dagster").rglob("*.db"))

        parts = children(server.pid)
        [daemon] = [pid for pid, command in parts.items() if "serving.daemon" in command]
        os.kill(daemon, signal.SIGKILL)
        assert server.wait(30) == 1
        assert server.stderr
        said = server.stderr.read()
        assert "Error: Dagster's daemon has ended (by signal SIGKILL), so `mel dev` has ended as well" in said
        assert "NOTIFY" not in said and "Traceback" not in said
        until(20, lambda: all(map(is_gone, parts)), "its other parts end as well")


@pytest.mark.slow  # Dagster's daemon takes seconds to start
@pytest.mark.long
def test_the_daemon_does_not_outlive_the_one_that_started_it(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(SHIPPED.read_text())
    (tmp_path / "workspace.yaml").write_text("load_from: []\n")
    own = {**os.environ, "DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mel_pipeline.defs.serving.daemon", "workspace.yaml"]
    said = tmp_path / "said"
    with (
        said.open("w") as log,
        subprocess.Popen(
            command, cwd=tmp_path, env=own, stdin=subprocess.PIPE, stdout=log, stderr=log
        ) as daemon,
    ):
        try:
            until(300, lambda: "following daemons" in said.read_text(), "it is at work")
            assert daemon.stdin
            daemon.stdin.close()  # what the kernel does when the parent is killed
            daemon.wait(40)
        finally:
            daemon.kill()


@pytest.mark.slow
def test_a_part_that_ends_stops_the_rest_and_is_named() -> None:
    parts, stopped = Parts(), []
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as part:
        parts.add("The sample organisation", part)
        with (
            pytest.raises(ServingError, match=r"The sample organisation has ended \(with exit code 3\)"),
            parts.watched(lambda: stopped.append(True)),
        ):
            until(20, lambda: stopped, "it is noticed")
    with Parts().watched(lambda: stopped.append(False)):
        pass
    assert stopped == [True]


@pytest.mark.slow  # two code servers of Dagster, each an import
@pytest.mark.fault(54)
@pytest.mark.long
def test_the_uis_code_server_is_started_again_when_it_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "code.py").write_text("import dagster as dg\n\ndefs = dg.Definitions()\n")
    target = PythonFileTarget(str(tmp_path / "code.py"), None, str(tmp_path), "code")
    with (
        dg.instance_for_test(temp_dir=str(tmp_path)) as instance,
        WorkspaceProcessContext(instance, target) as context,
        webserver.kept_alive(context),
    ):
        [first] = webserver.code_servers(context)
        first.kill()
        until(60, lambda: webserver.code_servers(context) not in ([], [first]), "another one is there")
        [location] = until(60, lambda: reachable(context), "it answers")
    assert location == "code"
    assert (
        "The UI's code server has ended (by signal SIGKILL) and is started again." in capsys.readouterr().err
    )


def reachable(context: WorkspaceProcessContext) -> list[str]:
    try:
        locations = context.create_request_context().code_locations
        return [location.name for location in locations if location.client.ping("are you there")]
    except DagsterUserCodeUnreachableError:
        return []


@pytest.mark.slow  # imports the UI and starts the sample
@pytest.mark.fault(51)
def test_a_folder_that_contains_the_data_and_keys_is_not_served_to_readers(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", reports_dir=tmp_path)
    for folder in (tmp_path, settings.home):
        with pytest.raises(ReportError, match="does not contain MEL_HOME"):
            serve_ui(settings.model_copy(update={"reports_dir": folder}), 0, Parts())


@pytest.mark.long
def test_ports_that_another_program_has_are_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    with running_account(Account()) as other:
        monkeypatch.setenv("MEL_SANDBOX_PORT", str(other.port))
        with pytest.raises(
            PortTakenError, match=rf"on port {other.port}: the port is taken.* MEL_SANDBOX_PORT"
        ):
            dev(free_port())
    monkeypatch.setenv("MEL_SANDBOX_PORT", "0")
    monkeypatch.setenv("MEL_UI_URL", "http://localhost")
    before = signal.getsignal(signal.SIGTERM)
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(PortTakenError, match=r"Address already.*--port"),
    ):
        dev(taken.getsockname()[1])
    signal.signal(signal.SIGTERM, before)


# Runs left by a power cut

LEFT = """
import sys, time
from pathlib import Path
from typing import TypeVar
import dagster as dg
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.serving.instance import open_instance
from mel_pipeline.defs.serving.left_runs import HOST
import platform

@dg.op
def waits():
    Path(sys.argv[1], "waits").touch()
    time.sleep(600)

@dg.job
def left():
    waits()

with open_instance(Settings(home=Path(sys.argv[1]))) as instance:
    left.execute_in_process(instance=instance, tags={HOST: sys.argv[2] or platform.node()})
"""


@contextmanager
def run_in_a_process(home: Path, host: str = "") -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", LEFT, str(home), host], stderr=subprocess.DEVNULL
    ) as process:
        until(300, (home / "waits").exists, "the run is at work")
        (home / "waits").unlink()
        yield process
        process.kill()


@pytest.mark.slow  # Dagster is imported by each of the processes that are killed
@pytest.mark.fault(4)
@pytest.mark.long
def test_a_run_whose_process_was_killed_is_marked_at_the_next_start_and_a_living_one_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "1")  # restored afterwards; the instance sets its own
    with open_instance(Settings(home=tmp_path)) as instance:
        with run_in_a_process(tmp_path):
            [run] = instance.get_runs()
            assert mark_left_runs(instance) == [], "it lives"
        assert mark_left_runs(instance) == [run.run_id]
        assert said_of([run.run_id]).startswith(f"1 run was cut off when the process ended ({run.run_id[:8]}")
        [again] = instance.get_runs()
        assert again.status is dg.DagsterRunStatus.FAILURE
        last = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)[-1]
        assert last.dagster_event and "lost power" in (last.dagster_event.message or "")
        assert mark_left_runs(instance) == []

        with run_in_a_process(tmp_path, "another-machine"):
            pass
        assert mark_left_runs(instance) == [], "whether it lives cannot be seen from here"
        [other] = instance.get_runs(dg.RunsFilter(tags={HOST: "another-machine"}))
        assert other.status is dg.DagsterRunStatus.STARTED
