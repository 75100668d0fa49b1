"""The page ``/workbook``: download the workbook, give it back, see what it changes, accept it. No script runs on it.

Beside it: open comments to code, and attendance lists for the drop folder.

It is served behind the guard, which lets forms through to its addresses only. What a foreign page could still try:
a forged form lacks the token, which counts once; a frame is refused; a large file is refused before it is read; the
name of a workbook is never used, of that of a list only what no path has.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mel_pipeline.core.errors import MelError
from mel_pipeline.core.logins import Role
from mel_pipeline.defs.serving.guard import (
    ACCEPT,
    LIST,
    LIST_EVENT,
    PREVIEW,
    App,
    Message,
    Receive,
    Scope,
    Send,
)
from mel_pipeline.defs.serving.lists_page import ListsPage
from mel_pipeline.defs.serving.login import person_of
from mel_pipeline.defs.serving.once import Once
from mel_pipeline.defs.serving.roles import refusal_of_path
from mel_pipeline.defs.serving.spoken import preferred
from mel_pipeline.defs.serving.workbook_view import Desk, View
from mel_pipeline.sources.workbook.raw import LIMITS
from mel_pipeline.sources.workbook.said import said_in

if TYPE_CHECKING:
    from mel_pipeline.defs.serving.list_desk import ShownList
    from mel_pipeline.sources.workbook.model import Preview

PAGE, STYLE, DOWNLOAD, COMMENTS = (
    "/workbook", "/workbook/style.css", "/workbook/download", "/workbook/comments",
)  # fmt: skip
LARGEST = LIMITS.packed + (64 << 10)  # bytes of an upload: the largest workbook, and the form around it
AN_HOUR = 3600.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_ROLE = re.compile(r"[^@<>\r\n]{2,60}")


def with_workbook(app: App, desk: Desk) -> App:
    """``app``, with the page under ``/workbook``."""
    page = WorkbookPage(desk).app()

    async def app_with_workbook(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        is_ours = scope["type"] == "http" and (path == PAGE or path.startswith(f"{PAGE}/"))
        await (page if is_ours else app)(scope, receive, send)

    return app_with_workbook


@dataclass(frozen=True)
class _Shown:
    """A preview as it was shown; accepting it accepts exactly this."""

    preview: Preview
    language: str


class WorkbookPage:
    """Routes of the page. State: tokens of forms, and previews that wait to be accepted."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.view = View(desk)
        self.uploads: Once[bool] = Once(200, AN_HOUR)
        self.shown: Once[_Shown] = Once(8, AN_HOUR)
        self.lists = ListsPage(desk.lists, self.uploads, self._of_lists)

    def app(self) -> App:
        return Starlette(
            routes=[
                Route(PAGE, self._handled(self.start)),
                Route(STYLE, self._handled(self.style)),
                Route(DOWNLOAD, self._handled(self.download)),
                Route(COMMENTS, self._handled(self.comments)),
                Route(PREVIEW, self._handled(self.preview), methods=["POST"]),
                Route(LIST, self._handled(self.lists.give), methods=["POST"]),
                Route(LIST_EVENT, self._handled(self.lists.settle), methods=["POST"]),
                Route(ACCEPT, self._handled(self.accept), methods=["POST"]),
            ]
        )

    async def start(self, request: Request) -> Response:
        accepted = request.query_params.get("accepted", "")
        number = int(accepted) if accepted.isascii() and accepted.isdigit() and len(accepted) < 9 else None
        if name := request.query_params.get("list", ""):
            return await self.lists.look(request, name)
        return await self._front(
            self.language(request), accepted=number, may_code=_may(request, COMMENTS, "GET")
        )

    async def _of_lists(self, request: Request, **words: Any) -> Response:
        return await self._front(self.language(request), may_code=_may(request, COMMENTS, "GET"), **words)

    async def style(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        return Response(await run_in_threadpool(self.view.style), media_type="text/css")

    async def download(self, request: Request) -> Response:
        """The current version as a form, in the language asked for."""
        language = self.language(request)
        return _file(*await run_in_threadpool(self.desk.write, language))

    async def comments(self, request: Request) -> Response:
        """Open comments of surveys, to be given themes by one of the coders."""
        coder = request.query_params.get("coder", "")
        return _file(*await run_in_threadpool(self.desk.comments, self.language(request), coder))

    async def preview(self, request: Request) -> Response:
        language = self.language(request)
        async with request.form(max_files=1, max_fields=4) as form:
            token, file = str(form.get("token", "")), form.get("file")
            if self.uploads.take(token) is None:
                return await self._front(language, problem="workbook_page.used", status=403)
            if not isinstance(file, UploadFile) or not file.size:
                return await self._front(language, problem="workbook_page.no_file", status=422)
            content = await file.read()
        found = await run_in_threadpool(self.desk.preview, content)
        return await self._shown(request, found, language)

    async def accept(self, request: Request) -> Response:
        language = self.language(request)
        async with request.form(max_files=0, max_fields=8) as form:
            given = {name: str(form.get(name, "")).strip() for name in ("token", "role", "note", "remove")}
        shown = self.shown.take(given["token"])
        if shown is None:
            return await self._front(language, problem="workbook_page.used", status=403)
        if not _ROLE.fullmatch(given["role"]):
            return await self._shown(
                request, shown.preview, language, problem="workbook_page.role_needed", status=422
            )
        remove = given["remove"] == "yes"
        if shown.preview.needs_yes and not remove:
            return await self._shown(
                request, shown.preview, language, problem="workbook_page.yes_needed", status=422
            )
        version = await run_in_threadpool(
            self.desk.accept,
            shown.preview,
            given["role"],
            given["note"][:500],
            remove,
            person_of(request.scope),
        )
        return RedirectResponse(f"{PAGE}?accepted={version.number}&language={language}", 303)

    async def _front(
        self,
        language: str,
        *,
        accepted: int | None = None,
        problem: str = "",
        sentence: str = "",
        status: int = 200,
        may_code: bool = False,
        shown: ShownList | None = None,
        taken_out: str = "",
    ) -> Response:
        token = self.uploads.issue(True)
        words: dict[str, Any] = {
            "accepted": accepted,
            "problem": problem,
            "sentence": sentence,
            "may_code": may_code,
            "shown": shown,
            "taken_out": taken_out,
        }
        return _html(await run_in_threadpool(partial(self.view.front, language, token, **words)), status)

    async def _shown(
        self, request: Request, preview: Preview, language: str, problem: str = "", status: int = 200
    ) -> Response:
        may_accept = _may(request, ACCEPT, "POST")
        token = self.shown.issue(_Shown(preview, language))
        view = partial(self.view.preview, problem=problem, may_accept=may_accept)
        page = await run_in_threadpool(view, preview, language, token, self.uploads.issue(True))
        return _html(page, status)

    def language(self, request: Request) -> str:
        """Named in the address or by the browser; English otherwise."""
        known = self.view.languages
        named = request.query_params.get("language", "")
        return named if named in known else preferred(request.headers.get("accept-language", ""), known)

    def _handled(
        self, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Headers of every answer, the limit of what is read, and errors as pages."""

        async def handle(request: Request) -> Response:
            if _is_from_elsewhere(request):
                return _html(b"The request came from another site and was refused.", 403)
            language = self.language(request)
            try:
                response = await endpoint(_limited(request))
            except _TooLargeError:
                # What is still coming is not read: the connection ends with this answer.
                response = await self._front(language, problem="workbook_page.too_large", status=413)
                response.headers["connection"] = "close"
            except HTTPException:
                response = await self._front(language, problem="workbook_page.not_understood", status=400)
            except MelError as error:
                response = await self._front(language, sentence=said_in(error, language), status=422)
            response.headers["content-security-policy"] = POLICY
            response.headers["cache-control"] = "no-store"
            return response

        return handle


class _TooLargeError(Exception):
    """The body is larger than any workbook."""


def _limited(request: Request) -> Request:
    """The request, whose body ends with an error at ``LARGEST`` bytes; one that says so is refused unread.

    Raises:
        _TooLargeError: its length is announced.
    """
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length[:20]) > LARGEST:
        raise _TooLargeError
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST:
            raise _TooLargeError
        return message

    return Request(request.scope, receive)


def _is_from_elsewhere(request: Request) -> bool:
    """Browsers say from where a request comes. A link from elsewhere may open the page; nothing else may."""
    site, mode = request.headers.get("sec-fetch-site", ""), request.headers.get("sec-fetch-mode", "")
    if request.method == "POST":
        return not request.headers.get("origin") or site not in ("", "same-origin")
    return site in ("cross-site", "same-site") and mode != "navigate"


def _may(request: Request, path: str, method: str) -> bool:
    """Whether who is signed in may open an address; without logins everybody may."""
    person = person_of(request.scope)
    return person is None or not refusal_of_path(Role(person.role), method, path)


def _file(name: str, content: bytes) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=XLSX, headers=headers)


def _html(page: bytes, status: int = 200) -> Response:
    return Response(page, status, media_type="text/html; charset=utf-8")
