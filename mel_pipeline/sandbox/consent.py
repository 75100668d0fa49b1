"""The browser step of OAuth 2.0: a page that asks a person, and codes that live briefly and work once.

What a service asks, refuses and answers is in its simulator, not here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mel_pipeline.sandbox.zoho.clock import Clock

# Registered for the sample's apps at services that compare the whole address; a test may add its own.
REDIRECT_URIS = frozenset(f"http://{host}:8765/callback" for host in ("127.0.0.1", "localhost"))
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:16px/1.5 sans-serif;max-width:34em;margin:3em auto;padding:0 1em}} button{{font:inherit;padding:.4em 1.2em}}
li{{overflow-wrap:anywhere}} small{{color:#555}}</style></head>
<body><h1>{title}</h1>{body}
<p><small>A page of the sample organisation: no real account is involved.</small></p></body></html>"""
T = TypeVar("T")


class Code(NamedTuple):
    """An authorization code: the request that it answers, the scopes granted, its end in seconds since 1970."""

    asked: Mapping[str, str]
    scopes: tuple[str, ...]
    ends: float

    def fits(self, form: Mapping[str, str], *names: str) -> bool:
        """Whether the exchange repeats these parameters of the request."""
        return all(form.get(name) == self.asked.get(name) for name in names)


class Grant(NamedTuple):
    """What a token stands for; ``ends`` in seconds since 1970."""

    client: str
    scopes: tuple[str, ...]
    ends: float


class Codes:
    """Codes of one service, each valid for ``life`` seconds."""

    def __init__(self, clock: Clock, life: float) -> None:
        self._clock, self._life = clock, life
        self._issued: dict[str, Code] = {}

    def issue(self, text: str, asked: Mapping[str, str], scopes: Iterable[str]) -> str:
        self._issued[text] = Code(dict(asked), tuple(scopes), self._clock.seconds() + self._life)
        return text

    def redeem(self, text: str) -> Code | None:
        """Take a code away, whatever becomes of the exchange; None if there is none (any more)."""
        return self._issued.pop(text, None)

    def expired(self, code: Code) -> bool:
        return code.ends <= self._clock.seconds()


def decision(
    request: Request,
    asked: Mapping[str, str],
    service: str,
    scopes: list[str],
    *,
    buttons: tuple[str, str] = ("Accept", "Reject"),
    choose: bool = False,
) -> Response | list[str]:
    """The page that asks (GET), then the scopes granted on it (POST): none after a refusal.

    Args:
        choose: the person may untick some of the scopes.
    """
    if request.method == "POST":
        granted = [scope for scope in scopes if not choose or f"grant {scope}" in asked]
        return granted if asked.get("decision") == "accept" else []
    box = '<label><input type="checkbox" name="grant {0}" checked> {0}</label>' if choose else "{0}"
    items = "".join(f"<li>{box.format(escape(scope))}</li>" for scope in scopes)
    pressed = "".join(
        f'<button id="{name}" name="decision" value="{name}">{label}</button> '
        for name, label in zip(("accept", "reject"), buttons, strict=True)
    )
    body = f'<p>MEL pipeline asks for:</p><form method="post"><ul>{items}</ul><p>{pressed}</p></form>'
    return HTMLResponse(_PAGE.format(title=f"Access to your {service} account", body=body))


def error_page(service: str, status: int, error: str, words: str = "") -> Response:
    """For requests that name no address to be trusted: nobody is sent anywhere."""
    body = f"<p>{escape(error)}</p><p>{escape(words)}</p>"
    return HTMLResponse(_PAGE.format(title=f"{service} refused the request", body=body), status)


def send_back(asked: Mapping[str, str], **values: str) -> Response:
    """Redirect to the application, with the ``state`` that it sent."""
    state = {"state": asked["state"]} if "state" in asked else {}
    address = asked["redirect_uri"]
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}{urlencode(state | values)}", 302)


def keep_newest(tokens: dict[str, T], most: int, which: Callable[[T], bool]) -> list[str]:
    """Delete the oldest of some tokens until ``most`` are left; gives the deleted ones."""
    gone = [text for text, token in tokens.items() if which(token)][:-most]
    for text in gone:
        del tokens[text]
    return gone


def random_text(prefix: str, size: int = 24) -> str:
    return f"{prefix}{secrets.token_urlsafe(size)}"
