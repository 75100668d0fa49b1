"""Puts the simulated services behind one loopback server and runs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mel_pipeline.errors import MelError
from mel_pipeline.sandbox.organisation import Organisation, build
from mel_pipeline.sandbox.public_apis import Instagram, Matomo
from mel_pipeline.sandbox.survey_exports import write_survey_exports
from mel_pipeline.sandbox.zoho import Account


@dataclass(frozen=True)
class Sandbox:
    """A running sample organisation."""

    port: int
    organisation: Organisation
    zoho: Account

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def create_app(organisation: Organisation) -> tuple[ASGIApp, Account]:
    """The application and the state of its Zoho account."""

    async def about(_: Request) -> Response:
        return JSONResponse(
            {"sample_data": True, "organisation": "Metropolis (sample)", "today": str(organisation.today)}
        )

    zoho = Account.of(organisation)
    routes = [
        Route("/", about),
        *zoho.routes(),
        *Instagram(organisation).routes(),
        *Matomo(organisation).routes(),
    ]
    return _labelled(Starlette(routes=routes)), zoho


@contextmanager
def running(port: int = 0, today: date | None = None, survey_dir: Path | None = None) -> Iterator[Sandbox]:
    """Serve the sample from a thread for as long as the block lasts; port 0 takes a free one.

    Raises:
        MelError: the port is taken.
    """
    organisation = build(today or date.today())
    if survey_dir is not None:
        write_survey_exports(survey_dir, organisation)
    app, zoho = create_app(organisation)
    with _serving(app, port) as taken:
        yield Sandbox(taken, organisation, zoho)


@dataclass(frozen=True)
class AccountServer:
    """A Zoho account alone, served on loopback."""

    port: int
    account: Account

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_account(account: Account, port: int = 0) -> Iterator[AccountServer]:
    """Serve one Zoho account from a thread for as long as the block lasts; port 0 takes a free one."""
    with _serving(_labelled(Starlette(routes=account.routes())), port) as taken:
        yield AccountServer(taken, account)


@contextmanager
def _serving(app: ASGIApp, port: int) -> Iterator[int]:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level="error",
        access_log=False,
        ws="none",
        lifespan="off",
        date_header=False,  # a service writes the date of its own clock
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run, args=(server,), name="sandbox", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    if not server.started:
        raise MelError(
            f"Starting the sample organisation on port {port}: the port is taken. Set MEL_SANDBOX_PORT to a free one."
        )
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def serve(port: int, today: date | None = None, survey_dir: Path | None = None) -> None:
    """Serve until interrupted."""
    with running(port, today, survey_dir) as box:
        print(
            f"The sample organisation answers on {box.url} (sample data, nobody is real). Stop it with Ctrl-C.",
            flush=True,
        )
        threading.Event().wait()


def _run(server: uvicorn.Server) -> None:
    try:
        server.run()
    except SystemExit:
        return  # uvicorn exits the thread when the port is taken; `running` says so


def _labelled(app: ASGIApp) -> ASGIApp:
    """Every answer says that it is sample data."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def labelled_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"x-sample-data", b"true")]
            await send(message)

        await app(scope, receive, labelled_send)

    return wrapped
