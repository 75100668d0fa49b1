"""A guard in front of a web application that has no login: pure ASGI, knows nothing of Dagster.

The Dagster web server takes commands from any page open in the same browser: a foreign page can post to
``/graphql`` and start a run, and a foreign name can be pointed at 127.0.0.1 (DNS rebinding). So:

- the ``Host`` must be this machine's (on any port: an SSH tunnel may begin at another one) or the one outer address;
- an ``Origin``, where the browser sends one, must be that of the same address, on websockets as well;
- commands are JSON POSTs only: a form or a link cannot send one without a preflight request; the forms of the page
  ``/workbook`` are let through there, with an ``Origin``, and that page asks them for a token;
- no page may be framed: a click meant for another page would land on a button of ours;
- what may hold another's HTML (notebooks) is not served, and no answer's type is guessed by the browser.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# A foreign name can be pointed at this machine, but no page can make a browser send one of these for it.
THIS_MACHINE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
SAFE_METHODS = {"GET", "HEAD"}
PREVIEW, ACCEPT, LIST, LIST_EVENT = (
    "/workbook/preview", "/workbook/accept", "/workbook/list", "/workbook/list/event",
)  # fmt: skip
FORMS = {
    PREVIEW: "multipart/form-data",
    ACCEPT: "application/x-www-form-urlencoded",
    LIST: "multipart/form-data",
    LIST_EVENT: "application/x-www-form-urlencoded",
}
NOTEBOOKS = {"/notebook", "/dagit/notebook"}  # Dagster shows any notebook file as a page of its own origin
HEADERS = (
    (b"content-security-policy", b"frame-ancestors 'none'"),  # adds to a policy that is there already
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Guard:
    """Refuses requests that could be commands from another site; passes everything else on.

    Args:
        app: the application behind the guard.
        outer: the one address for others, behind a proxy, such as ``https://mel.example.org``.
    """

    def __init__(self, app: App, outer: str = "") -> None:
        self.app = app
        self.outer = outer.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        reason = self._reason_to_refuse(scope)
        if reason is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await refuse(_with_headers(send), reason)

    def _reason_to_refuse(self, scope: Scope) -> str | None:
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.decode("latin-1").strip().lower())
        hosts = headers.get(b"host", [])
        allowed = self._origins(hosts[0]) if len(hosts) == 1 else set()
        if not allowed:
            return "This address is not served here. Open the one that `mel dev` printed."
        allowed |= {"null"} if _is_font(scope) else set()
        if any(origin not in allowed for origin in headers.get(b"origin", [])):
            return "The request came from another site and was refused."
        if scope["type"] == "websocket":
            # Browsers always send the origin of a websocket; without it the request cannot be checked.
            return None if headers.get(b"origin") else "A websocket without an origin is refused."
        return self._reason_to_refuse_command(scope, headers)

    def _origins(self, host: str) -> set[str]:
        """Of pages that may send a request to this host; none if it is not served."""
        if self.outer and host == self.outer.partition("://")[2]:
            return {self.outer}
        return {f"http://{host}", f"https://{host}"} if THIS_MACHINE.fullmatch(host) else set()

    def _reason_to_refuse_command(self, scope: Scope, headers: dict[bytes, list[str]]) -> str | None:
        path = str(scope["path"]).lower()
        if path.rstrip("/") in NOTEBOOKS:
            return "Notebooks are not shown here."
        takes_commands = "/graphql" in path or "/report_" in path
        if scope["method"] in SAFE_METHODS and not takes_commands:
            return None
        content_type = headers.get(b"content-type", [""])[0].split(";")[0].strip()
        is_form = FORMS.get(str(scope["path"])) == content_type and bool(headers.get(b"origin"))
        if scope["method"] == "POST" and (content_type == "application/json" or is_form):
            return None
        return "Commands are taken as JSON POST requests only."


def _is_font(scope: Scope) -> bool:
    """A report has no origin, and browsers name the origin with each font they fetch."""
    is_read = scope["type"] == "http" and scope["method"] in SAFE_METHODS
    return is_read and str(scope["path"]).startswith("/reports/assets/") and scope["path"].endswith(".woff2")


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
        await send(message)

    return send_with_headers


async def refuse(send: Send, reason: str, status: int = 403) -> None:
    """Answer with a sentence."""
    body = reason.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
