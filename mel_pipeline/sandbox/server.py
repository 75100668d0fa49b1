"""Runs the simulated services behind one loopback server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from email.utils import format_datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mel_pipeline.core.errors import PortTakenError
from mel_pipeline.sandbox.attendance_lists import write_attendance_lists
from mel_pipeline.sandbox.organisation import Organisation, build
from mel_pipeline.sandbox.platforms import Platforms, platforms_of, switch_on
from mel_pipeline.sandbox.survey_exports import write_survey_exports
from mel_pipeline.sandbox.zoho import Account, Clock
from mel_pipeline.sandbox.zoho.gate import HANG_UP
from mel_pipeline.sandbox.zoho.sample import account_of
from mel_pipeline.sandbox.zoho.service import routes


@dataclass(frozen=True)
class Served:
    """A served Zoho account."""

    port: int
    zoho: Account

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Sandbox(Served):
    """A running sample organisation."""

    organisation: Organisation
    platforms: Platforms


@contextmanager
def running(
    port: int = 0,
    today: date | None = None,
    survey_dir: Path | None = None,
    fail: str = "",
    attendance_dir: Path | None = None,
) -> Iterator[Sandbox]:
    """Serve the sample from a thread within the block; port 0 takes a free one.

    Args:
        fail: platforms that fail, and how: ``instagram=expired_token,matomo=down``.

    Raises:
        PortTakenError: the port is taken.
        MelError: ``fail`` names an unknown platform or failure.
    """
    organisation = build(today or date.today())
    if survey_dir is not None:
        write_survey_exports(survey_dir, organisation)
    if attendance_dir is not None:
        write_attendance_lists(attendance_dir, organisation)
    zoho = account_of(organisation)
    platforms = platforms_of(organisation, zoho.clock)
    switch_on(platforms, fail)
    with _serving(_routes(organisation, zoho, platforms), zoho.clock, port) as taken:
        yield Sandbox(taken, zoho, organisation, platforms)


@contextmanager
def running_account(account: Account, port: int = 0) -> Iterator[Served]:
    """Serve only one Zoho account; port 0 takes a free one.

    Raises:
        PortTakenError: the port is taken.
    """
    with _serving(routes(account), account.clock, port) as taken:
        yield Served(taken, account)


def serve(
    port: int,
    today: date | None = None,
    survey_dir: Path | None = None,
    fail: str = "",
    attendance_dir: Path | None = None,
) -> None:
    """Serve until interrupted."""
    with running(port, today, survey_dir, fail, attendance_dir) as box:
        print(
            f"The sample organisation runs on {box.url} (sample data, no real people). Stop it with Ctrl-C.",
            flush=True,
        )
        threading.Event().wait()


def _routes(organisation: Organisation, zoho: Account, platforms: Platforms) -> list[BaseRoute]:
    async def about(_: Request) -> Response:
        return JSONResponse(
            {"sample_data": True, "organisation": "Metropolis (sample)", "today": str(organisation.today)}
        )

    mounted = [platform.mount() for platform in platforms.values()]
    return [Route("/", about), *mounted, *routes(zoho)]


@contextmanager
def _serving(answers: Sequence[BaseRoute], clock: Clock, port: int) -> Iterator[int]:
    """Run a server in a thread; yields its port."""
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise PortTakenError(
            f"Starting the sample organisation on port {port}: the port is taken. Stop the program that has it, or set"
            " MEL_SANDBOX_PORT to a free one; 0 takes any."
        ) from error
    config = uvicorn.Config(
        _labelled(Starlette(routes=answers), clock),
        log_level="error",
        access_log=False,
        ws="none",
        lifespan="off",
        date_header=False,  # dates come from the account's clock, not the machine
    )
    server = uvicorn.Server(config)
    with listening:
        thread = threading.Thread(target=server.run, args=([listening],), name="sandbox", daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def _labelled(app: ASGIApp, clock: Clock) -> ASGIApp:
    """Mark every response as sample data, dated by the account's clock."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def labelled_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(clock.now(), usegmt=True).encode()
                own = [(b"x-sample-data", b"true"), (b"date", date)]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        # ASGI cannot drop a connection; uvicorn's `receive` has the transport that can.
        scope[HANG_UP] = getattr(receive, "__self__").transport.close  # noqa: B009
        await app(scope, receive, labelled_send)

    return wrapped
