"""What `mel dev` says while it starts: what it waits for, its address once it answers, and why it could not."""

from __future__ import annotations

import http.client
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ServingError
from mel_pipeline.defs.serving.health import PATH

if TYPE_CHECKING:
    from dagster._core.workspace.context import WorkspaceProcessContext

PIPELINE, SERVER = "the pipeline to be loaded", "the web server to answer"
SAID_EVERY, ASKED_EVERY = 15.0, 0.5  # seconds
_LATE = ("Timed out waiting", "DagsterUserCodeUnreachable")
_LONGEST = 400  # characters of a reason


class Starting:
    """Says where the UI is as soon as its port answers, and until then what is waited for.

    Args:
        say: prints a line.
        answers: whether the UI works; asks its port by default.
    """

    def __init__(
        self,
        port: int,
        address: str,
        say: Callable[[str], object],
        *,
        answers: Callable[[int], bool] | None = None,
        said_every: float = SAID_EVERY,
    ) -> None:
        self.waits_for = PIPELINE
        self._port, self._address, self._say = port, address, say
        self._answers, self._said_every = answers or works_at, said_every

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While the block lasts, in a thread of its own."""
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,), name="starting", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, over: threading.Event) -> None:
        self._say("Dagster is starting …")
        begun = said = time.monotonic()
        while not over.wait(ASKED_EVERY):
            if self.waits_for == SERVER and self._answers(self._port):
                self._say(f"Dagster: {self._address}  (Ctrl-C stops it)")
                return
            now = time.monotonic()
            if now - said >= self._said_every:
                said = now
                self._say(f"Still starting after {now - begun:.0f} s: waiting for {self.waits_for}.")


def works_at(port: int) -> bool:
    """Whether the UI at a port of this machine says that it works."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def without_tracebacks() -> Iterator[None]:
    """Dagster warns with the whole traceback where the pipeline cannot be loaded; ``require_loaded`` says it once."""
    before: Any = warnings.showwarning

    def show(message: Warning | str, *rest: Any, **named: Any) -> None:
        if not str(message).startswith("Error loading repository location"):
            before(message, *rest, **named)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


def require_loaded(context: WorkspaceProcessContext, say: Callable[[str], object]) -> None:
    """Say in a sentence why the pipeline is not there.

    Raises:
        ServingError: it was not loaded in time. Other reasons stand in the UI, where it can be loaded again.
    """
    for error in context.create_request_context().code_location_errors():
        chain = [error]
        while chain[-1].cause is not None:
            chain.append(chain[-1].cause)
        if any(word in part.message for part in chain for word in _LATE):
            seconds = context.instance.code_server_process_startup_timeout
            raise ServingError(
                f"Starting Dagster: the pipeline was not loaded within {seconds} s. The machine is busy, or short of memory."
                " End other programs or wait until they are done, then start `mel dev` again. Nothing was changed."
            )
        reason = chain[-1].message.strip().splitlines()[-1][:_LONGEST]
        say(
            f"The pipeline could not be loaded: {reason} Correct it, then start again, or press Reload in the UI."
        )
