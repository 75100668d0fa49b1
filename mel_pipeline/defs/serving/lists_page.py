"""Attendance lists on the page ``/workbook``: give one, say of which event it is, take it out. No script runs on it.

A list that has arrived stays in the drop folder whatever is answered, so that nobody has to choose the file again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from mel_pipeline.defs.serving.list_desk import ShownList
from mel_pipeline.defs.serving.once import Once

if TYPE_CHECKING:
    from mel_pipeline.defs.serving.list_desk import Answer, ListDesk

AN_HOUR = 3600.0
Front = Callable[..., Awaitable[Response]]


@dataclass(frozen=True)
class _Asked:
    """A list whose event is asked for; ``said``: what was written as its code and no event has."""

    name: str
    said: str = ""


class ListsPage:
    """Routes of attendance lists.

    Args:
        uploads: tokens of forms that bring a file.
        front: answers with the page, given a request and what it is to show.
    """

    def __init__(self, desk: ListDesk, uploads: Once[bool], front: Front) -> None:
        self.desk, self.uploads, self.front = desk, uploads, front
        self.asked: Once[_Asked] = Once(200, AN_HOUR)

    async def give(self, request: Request) -> Response:
        """A list of who came to an event, into the drop folder."""
        async with request.form(max_files=1, max_fields=4) as form:
            token, file, code = str(form.get("token", "")), form.get("file"), str(form.get("code", ""))
            if self.uploads.take(token) is None:
                return await self.front(request, problem="workbook_page.used", status=403)
            if not isinstance(file, UploadFile) or not file.size:
                return await self.front(request, problem="workbook_page.no_file", status=422)
            name, content = file.filename or "", await file.read()
        answer = await run_in_threadpool(self.desk.give, name, content, code)
        return await self._shown(request, answer, said=code)

    async def look(self, request: Request, name: str) -> Response:
        """A list that is in the folder already."""
        return await self._shown(request, await run_in_threadpool(self.desk.look, name))

    async def settle(self, request: Request) -> Response:
        """The event of a list of the folder, or that it is to be taken out."""
        async with request.form(max_files=0, max_fields=6) as form:
            given = {
                name: str(form.get(name, "")).strip() for name in ("token", "list", "choice", "code", "do")
            }
        asked = self.asked.take(given["token"])
        if asked is None:
            answer = await run_in_threadpool(self.desk.look, given["list"])
            return await self._shown(request, answer, problem="workbook_page.list_used", status=403)
        if given["do"] == "out":
            was_there = await run_in_threadpool(self.desk.take_out, asked.name)
            return (
                await self._gone(request)
                if not was_there
                else await self.front(request, taken_out=asked.name)
            )
        code = given["code"] or given["choice"]
        if not code:
            answer = await run_in_threadpool(self.desk.look, asked.name)
            return await self._shown(
                request, answer, said=asked.said, problem="workbook_page.list_choose", status=422
            )
        answer = await run_in_threadpool(self.desk.name_event, asked.name, code, asked.said)
        return await self._shown(request, answer, said=code)

    async def _shown(self, request: Request, answer: Answer | None, said: str = "", **words: Any) -> Response:
        if answer is None:
            return await self._gone(request)
        twins = {twin.name: self.asked.issue(_Asked(twin.name)) for twin in answer.same}
        token = self.asked.issue(_Asked(answer.given.name, said))
        return await self.front(request, shown=ShownList(answer, token, twins), **words)

    async def _gone(self, request: Request) -> Response:
        return await self.front(request, problem="workbook_page.list_gone", status=404)
