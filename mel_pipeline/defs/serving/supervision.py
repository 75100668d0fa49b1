"""The processes behind `mel dev`: when one ends, all end with a sentence, so that a service manager can restart them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import Popen, TimeoutExpired
from typing import Any

from mel_pipeline.core.errors import ServingError

EVERY_SECONDS = 0.5
END_SECONDS = 20


class Parts:
    """Processes that are needed as long as this one serves."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, Popen[Any]]] = []

    def add(self, name: str, process: Popen[Any]) -> None:
        """``name`` stands at the beginning of a sentence."""
        self._parts.append((name, process))

    def ended(self) -> str | None:
        """What has ended, in a sentence."""
        for name, process in self._parts:
            if (code := process.poll()) is not None:
                return f"{name} has ended ({how(code)})"
        return None

    @contextmanager
    def watched(self, stop: Callable[[], object]) -> Iterator[None]:
        """Call ``stop`` as soon as a part ends within the block.

        Raises:
            ServingError: at the end of the block, if one did.
        """
        over, seen = threading.Event(), []

        def watch() -> None:
            while not over.wait(EVERY_SECONDS):
                if sentence := self.ended():
                    seen.append(sentence)
                    stop()
                    return

        thread = threading.Thread(target=watch, name="parts", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if seen:
            raise ServingError(
                f"{seen[0]}, so `mel dev` has ended as well. Its last words stand above. Start it again; under systemd,"
                " `Restart=always` does."
            )


def how(code: int) -> str:
    """How a process ended, by its exit code."""
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def end(process: Popen[Any], seconds: float = END_SECONDS) -> None:
    """Ask a process to end; kill it if it does not."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except TimeoutExpired:  # on a busy machine; its work continues at the next start
        process.kill()
        process.wait()
