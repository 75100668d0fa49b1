"""Zoho CRM v8 over HTTP: records, deleted records, metadata. The rules of the API; no data is made here."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.crm_module import CrmModule
from mel_pipeline.sandbox.oauth import Tokens
from mel_pipeline.sandbox.zoho_paging import Asked, Refusal, page_of, read_instant, whole_number

Handler = Callable[[Request], Awaitable[Response]]
JSON = "application/json;charset=UTF-8"


class CrmApi:
    """One CRM organisation behind the v8 paths."""

    def __init__(self, modules: Mapping[str, CrmModule], tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._modules = modules
        self._tokens = tokens
        self._clock = clock

    def routes(self) -> list[Route]:
        paths = [
            ("/crm/v8/settings/modules", self._settings_modules),
            ("/crm/v8/settings/fields", self._settings_fields),
            ("/crm/v8/{module}/deleted", self._deleted),
            ("/crm/v8/{module}", self._records),
        ]
        return [Route(path, self._guarded(handler), methods=["GET"]) for path, handler in paths]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                self._check_token(request)
                return await handler(request)
            except Refusal as refusal:
                return JSONResponse(refusal.body(), status_code=refusal.status)

        return guarded

    def _check_token(self, request: Request) -> None:
        problem = self._tokens.problem(request)
        if problem == "INVALID_TOKEN":
            raise Refusal(401, problem, "invalid oauth token")
        if problem:
            raise Refusal(401, problem, "Authentication failed")

    def _module(self, name: str) -> CrmModule:
        module = self._modules.get(name)
        if module is None:
            raise Refusal(
                400, "INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0}
            )
        return module

    async def _records(self, request: Request) -> Response:
        module = self._module(request.path_params["module"])
        asked = Asked.read(module, dict(request.query_params), request.headers.get("if-modified-since"))
        order = module.order(asked.sort_by, asked.descending, asked.since)
        if not order:
            return Response(status_code=304 if asked.since is not None else 204)
        page, info = page_of(asked, len(order), self._clock())
        if not page:
            return Response(status_code=204)
        rows = ",".join(module.rendered(order[position], asked.fields) for position in page)
        return Response(f'{{"data":[{rows}],"info":{info}}}', media_type=JSON)

    async def _deleted(self, request: Request) -> Response:
        module = self._module(request.path_params["module"])
        kind = request.query_params.get("type", "all")
        if kind not in ("all", "recycle", "permanent"):
            raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "type"})
        per_page = whole_number(dict(request.query_params), "per_page", 200, maximum=200)
        page = whole_number(dict(request.query_params), "page", 1)
        header = request.headers.get("if-modified-since")
        since = read_instant(header).timestamp() if header else None
        found = [
            row
            for row in module.deleted
            if kind in ("all", row.kind) and (since is None or row.deleted_at.timestamp() > since)
        ]
        rows = found[(page - 1) * per_page : page * per_page]
        if not rows:
            return Response(status_code=304 if since is not None and not found else 204)
        info = {
            "per_page": per_page,
            "count": len(rows),
            "page": page,
            "more_records": page * per_page < len(found),
        }
        return JSONResponse({"data": [row.body() for row in rows], "info": info})

    async def _settings_modules(self, request: Request) -> Response:
        return JSONResponse({"modules": [module.description() for module in self._modules.values()]})

    async def _settings_fields(self, request: Request) -> Response:
        name = request.query_params.get("module")
        if not name:
            raise Refusal(
                400,
                "REQUIRED_PARAM_MISSING",
                "One of the expected parameter is missing",
                {"param_name": "module"},
            )
        return JSONResponse({"fields": [field.description() for field in self._module(name).fields.values()]})
