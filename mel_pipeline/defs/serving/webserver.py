"""The Dagster UI and its daemon, started together, the UI behind the guard."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING

from mel_pipeline.core.environment import pin_paths
from mel_pipeline.core.errors import PortTakenError
from mel_pipeline.core.logins import Users
from mel_pipeline.core.settings import Settings, path_settings
from mel_pipeline.defs.serving.guard import App, Guard
from mel_pipeline.defs.serving.health import with_health
from mel_pipeline.defs.serving.instance import open_instance
from mel_pipeline.defs.serving.left_runs import mark_left_runs, said_of
from mel_pipeline.defs.serving.login import Login
from mel_pipeline.defs.serving.report_files import with_reports
from mel_pipeline.defs.serving.starting import SERVER, Starting, require_loaded, without_tracebacks
from mel_pipeline.defs.serving.supervision import EVERY_SECONDS, Parts, end, how
from mel_pipeline.defs.serving.workbook_desk import desk_of
from mel_pipeline.defs.serving.workbook_page import with_workbook
from mel_pipeline.reporting.inputs.folders import editions_dir

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from dagster._core.workspace.context import WorkspaceProcessContext


def serve_ui(
    settings: Settings,
    port: int,
    parts: Parts,
    *,
    read_only: bool = False,
    with_daemon: bool = True,
    starting: Starting | None = None,
) -> None:
    """Serve until interrupted, on this machine only; with ``MEL_PUBLIC_URL`` a proxy with a login stands in front.

    Args:
        parts: processes that are needed as well; the daemon is added to them.
        read_only: readers can view, but not launch runs or report events.
        starting: says what is waited for, and the address once it answers.

    Raises:
        PortTakenError: another program has the port.
        LoginError: people sign in, and who may do what cannot be read.
        ReportError: the folder of the published reports contains ``MEL_HOME``.
        ServingError: a part has ended, or the pipeline could not be loaded in time.
    """
    import uvicorn

    if settings.has_login:
        Users(settings.home).by_login()
    readers = editions_dir(settings, published=True)  # never a folder that holds drafts, data and keys
    # uvicorn re-raises a signal once it has shut down; without a handler the daemon would keep running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    workspace = (settings.project_dir / "workspace.yaml").resolve()
    runs_work = with_daemon and not read_only
    starting = starting or Starting(port, "", lambda _: None)
    with _bound(port) as bound, starting.shown(), open_instance(settings) as instance:
        _leave_current_folder(settings)
        if runs_work and (marked := mark_left_runs(instance)):
            print(said_of(marked), file=sys.stderr)  # noqa: T201
        with (
            _daemon(workspace, parts, runs_work),
            _loaded(instance, workspace, read_only=read_only) as context,
        ):
            drafts = None if read_only else settings.drafts_dir  # readers are not shown any
            served = with_reports(
                _ui(settings, context),
                readers,
                settings.report_sources,
                drafts,
                behind_login=settings.has_login,
            )
            if not read_only:
                served = with_workbook(served, desk_of(settings))
            guarded = with_health(_guarded(settings, served), lambda: _works(context, parts))
            server = uvicorn.Server(uvicorn.Config(guarded, log_level="warning"))
            with (
                kept_alive(context),
                parts.watched(lambda: setattr(server, "should_exit", True)),
            ):
                starting.waits_for = SERVER
                server.run(sockets=[bound])


@contextmanager
def _loaded(
    instance: DagsterInstance, workspace: Path, *, read_only: bool
) -> Iterator[WorkspaceProcessContext]:
    """The pipeline in a code server of its own.

    Raises:
        ServingError: it is not there in time, or cannot be loaded.
    """
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.version import __version__

    with without_tracebacks(), ExitStack() as stack:
        target = WorkspaceFileTarget(paths=[str(workspace)])
        context = stack.enter_context(
            WorkspaceProcessContext(instance, target, version=__version__, read_only=read_only)
        )
        require_loaded(context, lambda words: print(words, file=sys.stderr))  # noqa: T201
        kept = stack.pop_all()
    with kept:
        yield context


def _ui(settings: Settings, context: WorkspaceProcessContext) -> App:
    """Dagster's application; where people sign in, each of them may do what their role may."""
    from dagster_webserver.app import create_app_from_workspace_process_context

    if not settings.has_login:
        return create_app_from_workspace_process_context(context)
    from mel_pipeline.defs.serving.role_server import RoleServer

    return RoleServer(context, settings.proxy_secret.get_secret_value()).create_asgi_app()


def _guarded(settings: Settings, app: App) -> App:
    if settings.has_login:
        secret = settings.proxy_secret.get_secret_value()
        app = Login(app, Users(settings.home), secret, settings.public_url)
    return Guard(app, settings.public_url)


def _works(context: WorkspaceProcessContext, parts: Parts) -> bool:
    """Whether every process runs and the history can be read."""
    context.instance.get_run_records(limit=1)
    return parts.ended() is None and all(server.poll() is None for server in code_servers(context))


def _leave_current_folder(settings: Settings) -> None:
    """Dagster's programs read ``.env`` of their folder and put it over the environment: give them one without."""
    pin_paths(path_settings())
    os.chdir(settings.dagster_home)


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    """The port is ours from here on; who connects is refused until the UI is ready."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"Opening the UI on port {port}: {error.strerror}. Stop the program that uses the port, or choose"
                " another with `mel dev --port`."
            ) from None
        yield taken


@contextmanager
def kept_alive(context: WorkspaceProcessContext) -> Iterator[None]:
    """Start the UI's code server again whenever it has ended: killed for lack of memory, or after the machine slept.

    The daemon does so for its own; the UI would go on showing everything and refuse to start runs.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY_SECONDS):
            ended = [code for server in code_servers(context) if (code := server.poll()) is not None]
            if not ended or over.is_set():
                continue
            print(f"The UI's code server has ended ({how(ended[0])}) and is started again.", file=sys.stderr)  # noqa: T201
            for name in context.create_request_context().code_location_names:
                context.reload_code_location(name)

    thread = threading.Thread(target=watch, name="code-servers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def code_servers(context: WorkspaceProcessContext) -> list[Popen[bytes]]:
    """Processes in which Dagster has loaded our code for the UI."""
    from dagster._core.remote_representation.grpc_server_registry import ServerRegistryEntry

    entries = context._grpc_server_registry._active_entries  # Dagster offers no other way; a test holds it
    return [
        entry.process.server_process for entry in entries.values() if isinstance(entry, ServerRegistryEntry)
    ]


@contextmanager
def _daemon(workspace: Path, parts: Parts, wanted: bool) -> Iterator[None]:
    """The daemon runs schedules, sensors and the queue; without it runs stay queued."""
    if not wanted:
        yield
        return
    command = [sys.executable, "-m", "mel_pipeline.defs.serving.daemon", str(workspace)]
    with Popen(command, stdin=PIPE) as daemon:  # noqa: S603 - our own program
        parts.add("Dagster's daemon", daemon)
        try:
            yield
        finally:
            end(daemon)
