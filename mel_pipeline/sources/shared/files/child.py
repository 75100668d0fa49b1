"""Run one of this package's scripts on an untrusted file, in a process with limits on memory, time and output."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline.sources.shared.files.table import FileRefusedError

_REFUSED, _NO_MEMORY, _TOO_LONG = 3, 4, 6  # exit codes of a script


def run_limited(
    script: Path, file: BinaryIO, out: BinaryIO, limits: Limits, what: str, again: str
) -> list[tuple[str, int]]:
    """Names of the parts that the script wrote to ``out``, one after another, and where each ends.

    Args:
        what: the kind of file, for messages: "workbook".
        again: what to do when it cannot be read.

    Raises:
        FileRefusedError: the script refuses the file, or the file is damaged or exceeds a limit.
    """
    too_long = FileRefusedError(
        f"Reading the {what} took longer than {limits.seconds} seconds and was stopped. {again}"
    )
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the file is passed as a handle
            [sys.executable, "-I", str(script), json.dumps(asdict(limits))],
            stdin=file,
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=limits.seconds,
            env={},  # the process that reads an untrusted file gets no secrets
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise too_long from None
    if done.returncode == _REFUSED:
        raise FileRefusedError(done.stderr.decode("utf-8", "replace").strip())
    if done.returncode == -signal.SIGXCPU:
        raise FileRefusedError(
            f"Reading the {what} took longer than a {what} of its size may take and was stopped. {again}"
        )
    if done.returncode == _TOO_LONG:
        raise FileRefusedError(
            f"The text of the {what} is much longer than the {what} itself, because cells repeat long texts. {again}"
        )
    if done.returncode == _NO_MEMORY:
        raise FileRefusedError(f"The {what} needs more than {limits.memory >> 20} MB of memory. {again}")
    if done.returncode:
        raise FileRefusedError(f"The {what} is damaged and cannot be read. {again}")
    return [(str(name), int(end)) for name, end in json.loads(done.stderr)]
