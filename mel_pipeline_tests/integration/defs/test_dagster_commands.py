"""Dagster's own commands work from a clone as their users know them: the sample answers without `mel`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from mel_pipeline.core.settings import PROJECT

pytestmark = pytest.mark.exhaustive
BIN = Path(sys.executable).parent
ASSET = "raw_matomo__accounts"
LAUNCH = """mutation { launchRun(executionParams: {selector: {repositoryLocationName: "mel", repositoryName:
 "__repository__", jobName: "__ASSET_JOB", assetSelection: [{path: ["%s"]}]}}) {
 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = """{ runOrError(runId: "%s") { ... on Run { status } }
 logsForRun(runId: "%s") { ... on EventConnection { events { ... on MessageEvent { message } } } } }"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty home, an unused port of the sandbox, and no running `mel`."""
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {"MEL_HOME": str(tmp_path / "mel"), "MEL_SANDBOX_PORT": str(port)}
    return {
        **os.environ,
        **own,
        "DAGSTER_HOME": str(tmp_path / "dagster"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "VIRTUAL_ENV": str(BIN.parent),
    }


@pytest.mark.parametrize(
    "command",
    [
        ["dagster", "asset", "materialize", "--select", ASSET, "-m", "mel_pipeline.definitions"],
        ["dg", "launch", "--assets", ASSET],
        ["dg", "check", "defs"],
    ],
    ids=" ".join,
)
def test_a_command_of_dagster_works_in_a_clone(command: list[str], environment: dict[str, str]) -> None:
    answer = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]


def test_a_run_in_dagsters_own_ui_finds_the_sample_and_says_that_there_is_no_guard(
    environment: dict[str, str],
) -> None:
    with _served(["dagster", "dev", "-w", "workspace.yaml"], environment) as url:
        launched = _ask(url, LAUNCH % ASSET)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run = launched["run"]["runId"]
        end = time.monotonic() + 300
        while (found := _ask(url, STATUS % (run, run)))["runOrError"]["status"] not in ("SUCCESS", "FAILURE"):
            assert time.monotonic() < end, found["runOrError"]
            time.sleep(0.5)
    messages = [event.get("message", "") for event in found["logsForRun"]["events"]]
    assert found["runOrError"]["status"] == "SUCCESS", messages
    assert [message for message in messages if "no guard" in message]


def test_dg_dev_serves_every_asset(environment: dict[str, str]) -> None:
    """It starts `dagster dev`: a run there is the same."""
    with _served(["dg", "dev"], environment) as url:
        assets = _ask(url, "{ assetNodes { assetKey { path } } }")["assetNodes"]
    assert [ASSET] in [node["assetKey"]["path"] for node in assets]


@contextmanager
def _served(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [str(BIN / command[0]), *command[1:], "--port", str(port)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 300
        while True:
            try:
                if requests.get(f"{url}/server_info", timeout=2).ok:
                    break
            except requests.RequestException:
                time.sleep(0.3)
            assert server.poll() is None and time.monotonic() < end, "the UI did not start"
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # it starts child processes
        server.wait(30)


def _ask(url: str, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.post(f"{url}/graphql", json={"query": query}, timeout=30).json()
    assert "errors" not in answer, answer
    return dict(answer["data"])
