"""``/healthz``: whether this installation works, in one word and without a login. For monitors and containers."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

from mel_pipeline.defs.serving.guard import SAFE_METHODS, App, Receive, Scope, Send

PATH = "/healthz"
FOR_SECONDS = 5.0  # an answer counts that long: anybody may ask


def with_health(app: App, works: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> App:
    """``app``, with ``/healthz``: 200 and ``ok``, or 503 and ``not ok``.

    Args:
        works: asked every five seconds at most; an error counts as no.
    """
    asked = _Asked(works, clock)

    async def app_with_health(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] not in SAFE_METHODS:
            await app(scope, receive, send)
            return
        well = await run_in_threadpool(asked)
        headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        await PlainTextResponse("ok" if well else "not ok", 200 if well else 503, headers)(
            scope, receive, send
        )

    return app_with_health


class _Asked:
    def __init__(self, works: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._works, self._clock = works, clock
        self._lock, self._until, self._answer = Lock(), float("-inf"), False

    def __call__(self) -> bool:
        with self._lock:
            if self._clock() >= self._until:
                try:
                    self._answer = self._works()
                except Exception:  # whatever is broken: it does not work
                    self._answer = False
                self._until = self._clock() + FOR_SECONDS
            return self._answer
