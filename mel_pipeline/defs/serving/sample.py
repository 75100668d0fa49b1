"""Start the sample organisation for a command, or from the first step of a run, if the settings use it."""

from __future__ import annotations

import atexit
import http.client
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from subprocess import Popen

from mel_pipeline.core.settings import Settings, load_settings

NOTE = (
    "The sample organisation answers on 127.0.0.1:{port} for this run. Started without `mel dev`, the Dagster UI has"
    " no guard against requests from other web pages."
)
_LOCK = threading.Lock()
_PORTS: list[int] = []  # of the sandbox started by this process


@contextmanager
def sample_sources(
    settings: Settings,
    while_starting: Callable[[], object] = lambda: None,
    *,
    fixed: bool = False,
    started: Callable[[Popen[str]], object] = lambda _: None,
) -> Iterator[Settings]:
    """Settings whose sources answer. Real accounts are used as they are; the sample is served for the block.

    A free port is taken when the usual one is in use, unless it is ``fixed``. Processes started within the block learn
    the port through the environment.

    Args:
        while_starting: called while the sample starts, which takes a second or two.
        started: called with the sample's process.

    Raises:
        PortTakenError: another program has the port, and it is ``fixed``.
    """
    if not settings.sample:
        yield settings
        return
    before = os.environ.get("MEL_SANDBOX_PORT")
    with _sandbox(settings, settings.sandbox_port, while_starting, fixed=fixed, started=started) as port:
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
    settings: Settings,
    port: int,
    while_starting: Callable[[], object] = lambda: None,
    *,
    fixed: bool = False,
    started: Callable[[Popen[str]], object] = lambda _: None,
) -> AbstractContextManager[int]:
    from mel_pipeline.sandbox.process import running_apart

    return running_apart(
        port, settings.current_day, settings.survey_folder, settings.sandbox_fail, while_starting,
        attendance_dir=settings.attendance_folder, fixed=fixed, started=started,
    )  # fmt: skip


def _answers(port: int) -> bool:
    """Whether a sandbox, and not another server, listens there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().getheader("X-Sample-Data") == "true"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
