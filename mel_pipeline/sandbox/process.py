"""Serve the sample from its own process, so that answering does not slow the process that loads.

The child ends when its standard input does, so none is left behind however the parent ends.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core import errors
from mel_pipeline.core.errors import MelError, PortTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END_SECONDS = 10


@contextmanager
def running_apart(
    port: int,
    today: date,
    survey_dir: Path | None = None,
    fail: str = "",
    meanwhile: Callable[[], object] = lambda: None,
    *,
    attendance_dir: Path | None = None,
    fixed: bool = False,
    started: Callable[[subprocess.Popen[str]], object] = lambda _: None,
) -> Iterator[int]:
    """Serve the sample for as long as the block lasts; gives the port, a free one where ``port`` is taken.

    Args:
        meanwhile: called while the child starts.
        fixed: no other port will do.
        started: called with the child, for those who watch it.

    Raises:
        PortTakenError: the port is taken and ``fixed``.
        MelError: ``fail`` names no platform or way of failing, or the child ended before it answered.
    """
    arguments = {
        "port": port,
        "today": str(today),
        "survey_dir": survey_dir and str(survey_dir),
        "attendance_dir": attendance_dir and str(attendance_dir),
        "fail": fail,
        "fixed": fixed,
    }
    command = [sys.executable, "-m", __name__, json.dumps(arguments)]
    # Our own interpreter and module.
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            started(child)
            meanwhile()
            yield _port_of(child)
        finally:
            assert child.stdin is not None
            child.stdin.close()
            try:
                child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _port_of(child: subprocess.Popen[str]) -> int:
    assert child.stdout is not None
    line = child.stdout.readline()
    reply = json.loads(line) if line.startswith("{") else {}
    if "port" in reply:
        return int(reply["port"])
    if "error" in reply:
        kind: type[MelError] = getattr(errors, reply["error"])
        raise kind(reply["message"])
    raise MelError(
        "Starting the sample organisation: its process ended before it answered. What it said stands above;"
        " `mel sandbox` starts it alone."
    )


def _serve(
    port: int, today: date, folders: tuple[Path | None, Path | None], fail: str, *, fixed: bool
) -> None:
    from mel_pipeline.sandbox.server import running

    try:
        with running(port, today, folders[0], fail, folders[1]) as box:
            print(json.dumps({"port": box.port}), flush=True)
            sys.stdin.read()
    except PortTakenError:
        if fixed or port == 0:
            raise
        _serve(0, today, folders, fail, fixed=fixed)


def main() -> None:
    """The child: tells its port, or why it cannot serve, as a line of JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    arguments = json.loads(sys.argv[1])
    surveys, lists = (
        Path(arguments[name]) if arguments[name] else None for name in ("survey_dir", "attendance_dir")
    )
    try:
        today = date.fromisoformat(arguments["today"])
        _serve(arguments["port"], today, (surveys, lists), arguments["fail"], fixed=arguments["fixed"])
    except MelError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)


if __name__ == "__main__":
    main()
