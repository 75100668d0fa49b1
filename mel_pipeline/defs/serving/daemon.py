"""Dagster's daemon, which ends with the process that started it, however that one ends."""

from __future__ import annotations

import os
import signal
import sys
import threading


def main() -> None:
    """``python -m mel_pipeline.defs.serving.daemon workspace.yaml``, with a pipe of the parent as standard input."""
    from dagster._daemon.cli import main as daemon

    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    sys.argv = ["dagster-daemon", "run", "-w", sys.argv[1]]
    daemon()


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing is written: it returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
