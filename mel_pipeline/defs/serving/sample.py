"""The sample organisation answers while a command runs, or from the first step of a run on, when settings ask for it."""

from __future__ import annotations

import atexit
import http.client
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import PortTakenError
from mel_pipeline.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from mel_pipeline.sandbox import Sandbox

NOTE = (
    "The sample organisation answers on 127.0.0.1:{port} for this run. Started without `mel dev`, the Dagster UI has"
    " no guard against requests from other web pages."
)
_LOCK = threading.Lock()
_RUNNING: list[Sandbox] = []  # at most one a process


@contextmanager
def sample_sources(settings: Settings) -> Iterator[Settings]:
    """Settings whose sources answer. Real accounts are left alone; the sample is served for the block.

    A free port is taken when the usual one is in use. Processes started within the block learn the port
    through the environment.
    """
    if not settings.sample:
        yield settings
        return
    before = os.environ.get("MEL_SANDBOX_PORT")
    with ExitStack() as stack:
        try:
            box = _start(stack, settings, settings.sandbox_port)
        except PortTakenError:
            box = _start(stack, settings, 0)
        os.environ["MEL_SANDBOX_PORT"] = str(box.port)
        try:
            yield load_settings()
        finally:
            if before is None:
                del os.environ["MEL_SANDBOX_PORT"]
            else:
                os.environ["MEL_SANDBOX_PORT"] = before


def answering(settings: Settings, say: Callable[[str], None]) -> Settings:
    """Settings whose sources answer until the process ends: `dagster dev` and `dg dev` start no sandbox themselves.

    Args:
        say: told in one line when a sandbox had to be started, on a free port.
    """
    if not settings.sample or _answers(settings.sandbox_port):
        return settings
    with _LOCK:
        if not _RUNNING:
            stack = ExitStack()
            _RUNNING.append(_start(stack, settings, 0))
            atexit.register(stack.close)
            say(NOTE.format(port=_RUNNING[0].port))
    return load_settings(_RUNNING[0].port)


def _start(stack: ExitStack, settings: Settings, port: int) -> Sandbox:
    from mel_pipeline.sandbox import running

    return stack.enter_context(
        running(port, settings.current_day, settings.survey_folder, settings.sandbox_fail)
    )


def _answers(port: int) -> bool:
    """Whether a sandbox, and not somebody else's server, listens there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().getheader("X-Sample-Data") == "true"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
