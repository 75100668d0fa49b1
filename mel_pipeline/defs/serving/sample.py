"""The sample organisation answers while a command runs, or from the first step of a run on, when settings ask for it."""

from __future__ import annotations

import atexit
import http.client
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from mel_pipeline.core.settings import Settings, load_settings

NOTE = (
    "The sample organisation answers on 127.0.0.1:{port} for this run. Started without `mel dev`, the Dagster UI has"
    " no guard against requests from other web pages."
)
_LOCK = threading.Lock()
_PORTS: list[int] = []  # of the one sandbox that this process has started


@contextmanager
def sample_sources(settings: Settings, meanwhile: Callable[[], object] = lambda: None) -> Iterator[Settings]:
    """Settings whose sources answer. Real accounts are left alone; the sample is served for the block.

    A free port is taken when the usual one is in use. Processes started within the block learn the port
    through the environment.

    Args:
        meanwhile: called while the sample starts, which takes a second or two.
    """
    if not settings.sample:
        yield settings
        return
    before = os.environ.get("MEL_SANDBOX_PORT")
    with _sandbox(settings, settings.sandbox_port, meanwhile) as port:
        os.environ["MEL_SANDBOX_PORT"] = str(port)
        try:
            yield load_settings()
        finally:
            if before is None:
                del os.environ["MEL_SANDBOX_PORT"]
            else:
                os.environ["MEL_SANDBOX_PORT"] = before


def answering(settings: Settings, log: Callable[[str], None]) -> Settings:
    """Settings whose sources answer until the process ends: `dagster dev` and `dg dev` start no sandbox themselves.

    Args:
        log: gets one line when a sandbox had to be started, on a free port.
    """
    if not settings.sample or _answers(settings.sandbox_port):
        return settings
    with _LOCK:
        if not _PORTS:
            stack = ExitStack()
            _PORTS.append(stack.enter_context(_sandbox(settings, 0)))
            atexit.register(stack.close)
            log(NOTE.format(port=_PORTS[0]))
    return load_settings(_PORTS[0])


def _sandbox(
    settings: Settings, port: int, meanwhile: Callable[[], object] = lambda: None
) -> AbstractContextManager[int]:
    from mel_pipeline.sandbox.process import running_apart

    return running_apart(port, settings.current_day, settings.survey_folder, settings.sandbox_fail, meanwhile)


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
