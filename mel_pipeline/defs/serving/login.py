"""Who is asking: the proxy in front has signed people in, and says so with a secret. Pure ASGI, knows nothing of Dagster.

A name in a header is believed from the proxy alone; what a role may open is in ``roles``. The secret and the name end here:
nothing behind sees the headers.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from mel_pipeline.core.errors import LoginError
from mel_pipeline.core.logins import LOGIN, Person, Role, Users
from mel_pipeline.defs.serving.guard import App, Message, Receive, Scope, Send, refuse
from mel_pipeline.defs.serving.roles import refusal_of_path

SECRET, USER = b"x-mel-proxy", b"x-mel-user"
PERSON = "mel.person"  # key of the scope


def person_of(scope: Scope) -> Person | None:
    """Who sent a request; None where no login is set up."""
    found = scope.get(PERSON)
    return found if isinstance(found, Person) else None


@dataclass(frozen=True)
class _Refused:
    status: int
    words: str


class Login:
    """Lets people in whom the proxy has signed in and who have a role; each request is checked.

    Args:
        app: sees ``scope["mel.person"]``.
        secret: shared with the proxy.
        address: where people sign in, for the sentence.
    """

    def __init__(self, app: App, users: Users, secret: str, address: str) -> None:
        self.app = app
        self.users = users
        self.secret = _digest(secret.encode())
        self.address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        found = self._person(scope)
        if isinstance(found, Person) and scope["type"] == "http":
            words = refusal_of_path(Role(found.role), str(scope["method"]), str(scope["path"]))
            found = _Refused(403, words) if words else found
        if isinstance(found, _Refused) and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": found.words})
        elif isinstance(found, _Refused):
            await refuse(send, found.words, found.status)
        else:
            scope = {**_without_headers(scope), PERSON: found}
            if scope["type"] == "websocket":
                send = self._while_allowed(found, send)
            await self.app(scope, receive, send)

    def _person(self, scope: Scope) -> Person | _Refused:
        given = [value for name, value in scope["headers"] if name.lower() == SECRET]
        names = [value for name, value in scope["headers"] if name.lower() == USER]
        if len(given) != 1 or not hmac.compare_digest(_digest(given[0]), self.secret):
            return _Refused(403, f"Sign in at {self.address}: nothing is shown without it.")
        if not names or not names[0]:
            return _Refused(401, f"Nobody is signed in. Open {self.address}.")
        login = names[0].decode("latin-1")
        if len(names) != 1 or not LOGIN.fullmatch(login):
            return _Refused(403, "The name of who is signed in cannot be read.")
        try:
            role = self.users.role_of(login)
        except LoginError as error:
            return _Refused(503, str(error))
        if role is None:
            return _Refused(403, "You are signed in and have no role here. Ask the operator for one.")
        return Person(login, role.value)

    def _while_allowed(self, person: Person, send: Send) -> Send:
        """A websocket stays open for hours: it ends with the first message after its person's role has changed."""

        async def send_while_allowed(message: Message) -> None:
            if message["type"] == "websocket.send" and not self._still(person):
                message = {"type": "websocket.close", "code": 1008, "reason": "Your role has changed."}
            await send(message)

        return send_while_allowed

    def _still(self, person: Person) -> bool:
        try:
            return self.users.role_of(person.login) == person.role
        except LoginError:
            return False


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(
        value
    ).digest()  # of one length, so that comparing takes the same time for any secret


def _without_headers(scope: Scope) -> Scope:
    return {**scope, "headers": [item for item in scope["headers"] if item[0].lower() not in (SECRET, USER)]}
