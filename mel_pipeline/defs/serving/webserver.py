"""The Dagster UI and its daemon, started together, the UI behind the guard."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.serving.guard import App, Guard, Receive, Scope, Send
from mel_pipeline.defs.serving.instance import open_instance

REPORTS, DRAFTS = "/reports", "/drafts"


def serve_ui(settings: Settings, port: int, *, read_only: bool = False, with_daemon: bool = True) -> None:
    """Serve until interrupted. On this machine only: the UI has no login.

    Args:
        read_only: readers can view, but not launch runs or report events.
    """
    import uvicorn
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.version import __version__

    # uvicorn re-raises a signal once it has shut down; without a handler the daemon would keep running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    workspace = settings.project_dir / "workspace.yaml"
    with open_instance(settings) as instance, _daemon(workspace, with_daemon and not read_only):
        target = WorkspaceFileTarget(paths=[str(workspace)])
        with WorkspaceProcessContext(instance, target, version=__version__, read_only=read_only) as context:
            app = create_app_from_workspace_process_context(context)
            drafts = None if read_only else settings.drafts_dir  # readers are not shown any
            hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
            uvicorn.run(
                Guard(with_reports(app, settings.published_dir, drafts), hosts),
                host="127.0.0.1",
                port=port,
                log_level="warning",
            )


def with_reports(app: App, folder: Path, drafts: Path | None = None) -> App:
    """Published reports under ``/reports/``, drafts under ``/drafts/``.

    A browser opens no file:// link from a page it got over HTTP.
    """
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    folders = {REPORTS: folder} | ({DRAFTS: drafts} if drafts else {})
    reports = Starlette(
        routes=[
            Mount(address, StaticFiles(directory=place, html=True, check_dir=False))
            for address, place in folders.items()
        ]
    )

    async def app_with_reports(scope: Scope, receive: Receive, send: Send) -> None:
        is_report = scope["type"] == "http" and str(scope["path"]).startswith((f"{REPORTS}/", f"{DRAFTS}/"))
        await (reports if is_report else app)(scope, receive, send)

    return app_with_reports


@contextmanager
def _daemon(workspace: Path, wanted: bool) -> Iterator[None]:
    """The daemon runs schedules, sensors and the queue; without it runs stay queued."""
    if not wanted:
        yield
        return
    program = Path(sys.executable).with_name("dagster-daemon")
    daemon = subprocess.Popen([str(program), "run", "-w", str(workspace)])  # noqa: S603 - our own program
    try:
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(timeout=20)
        except subprocess.TimeoutExpired:  # on a busy machine; its work continues at the next start
            daemon.kill()
            daemon.wait()
