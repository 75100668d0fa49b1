"""Records, deletions and counts of CRM v8, page by page, held to the limits Zoho states.

Pages are offsets into the list as it is at that moment, by number and by token alike: a record that goes
moves the ones behind it onto the page before. Zoho does not say; this is the harsher reading.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.zoho.account import Account, Call, PageToken, RefusalError
from mel_pipeline.sandbox.zoho.modules import Module

BY_PAGE, BY_TOKEN, PER_PAGE, MOST_FIELDS, MOST_IDS = 2_000, 100_000, 200, 50, 100
PAGE_TOKEN_LIFE = 86_400
DELETED_CREDITS = 2


def routes(account: Account) -> list[Route]:
    async def records(request: Request, call: Call) -> Response:
        module = await _module(account, request, call)
        fields = _fields(request)
        per_page = whole_number(request, "per_page", PER_PAGE)
        if per_page > PER_PAGE:
            raise RefusalError("INVALID_DATA")
        if "ids" in request.query_params:
            return _answer(request, [module.in_list(r, fields) for r in _by_ids(module, request)])
        start = _start(account, request, per_page)
        chosen = _chosen(account, module, request)
        if not chosen:
            return Response(status_code=304 if "if-modified-since" in request.headers else 204)
        part = chosen[start : start + per_page]
        if not part:
            return Response(status_code=204)
        info = _info(account, request, start, per_page, len(part), len(chosen))
        return JSONResponse({"data": [module.in_list(record, fields) for record in part], "info": info})

    async def record(request: Request, call: Call) -> Response:
        module = await _module(account, request, call)
        found = _records(module, [request.path_params["id"]])
        names = [name for name in request.query_params.get("fields", "").split(",") if name]
        return _answer(request, [module.whole(r, names or list(module.fields)) for r in found])

    async def count(request: Request, call: Call) -> Response:
        module = await _module(account, request, call)
        alive = module.listed("id", backwards=False, since=None, converted="false")
        return JSONResponse({"count": len(alive)})

    async def deleted(request: Request, call: Call) -> Response:
        module = await _module(account, request, call, credits=DELETED_CREDITS)
        per_page, page = whole_number(request, "per_page", PER_PAGE), whole_number(request, "page", 1)
        kind = request.query_params.get("type", "all")
        if per_page > PER_PAGE or kind not in ("all", "recycle", "permanent"):
            raise RefusalError("INVALID_DATA")
        since = since_of(account, request)
        rows = module.deleted(kind, since)
        part = rows[(page - 1) * per_page : page * per_page]
        if not part:
            return Response(status_code=304 if since is not None and not rows else 204)
        more = page * per_page < len(rows)
        info = {"per_page": per_page, "count": len(part), "page": page, "more_records": more}
        return JSONResponse({"data": part, "info": info})

    return [
        Route("/crm/v8/{module}/deleted", account.served(deleted)),
        Route("/crm/v8/{module}/actions/count", account.served(count)),
        Route("/crm/v8/{module}/{id:int}", account.served(record)),
        Route("/crm/v8/{module}", account.served(records)),
    ]


async def _module(account: Account, request: Request, call: Call, credits: int = 1) -> Module:
    name = request.path_params["module"]
    await account.permit(request, call, credits=credits, module=name)
    return account.module(name)


def _fields(request: Request) -> list[str]:
    fields = [name for name in request.query_params.get("fields", "").split(",") if name]
    if not fields:
        raise RefusalError("REQUIRED_PARAM_MISSING", details={"param": "fields"})
    if len(fields) > MOST_FIELDS:
        raise RefusalError("LIMIT_EXCEEDED", details={"limit": MOST_FIELDS})
    return fields


def _by_ids(module: Module, request: Request) -> list[dict[str, Any]]:
    ids = request.query_params["ids"].split(",")
    if len(ids) > MOST_IDS:
        raise RefusalError("LIMIT_EXCEEDED", details={"limit": MOST_IDS})
    wanted = _converted(request)
    return [
        record
        for record in _records(module, ids)
        if wanted == "both" or bool(record.get("Converted__s")) is (wanted == "true")
    ]


def _records(module: Module, ids: Sequence[object]) -> list[dict[str, Any]]:
    found = []
    for identity in ids:
        try:
            found.append(module.get(str(identity)))
        except KeyError:
            continue  # as Zoho does: an unknown id is no error, it is not there
    return found


def _answer(request: Request, data: list[dict[str, Any]]) -> Response:
    if not data:
        return Response(status_code=204)
    info = {"per_page": PER_PAGE, "count": len(data), "page": 1, "more_records": False}
    return JSONResponse({"data": data, "info": info} if "ids" in request.query_params else {"data": data})


def _chosen(account: Account, module: Module, request: Request) -> Sequence[dict[str, Any]]:
    key = request.query_params.get("sort_by", "id")
    if key not in ("id", "Created_Time", "Modified_Time"):
        raise RefusalError("INVALID_DATA")
    backwards = request.query_params.get("sort_order", "desc") == "desc"
    since = since_of(account, request)
    return module.listed(key, backwards=backwards, since=since, converted=_converted(request))


def _converted(request: Request) -> str:
    wanted = request.query_params.get("converted", "false")
    if wanted not in ("true", "false", "both"):
        raise RefusalError("INVALID_DATA")
    return wanted


def _start(account: Account, request: Request, per_page: int) -> int:
    query = request.query_params
    if "page" in query and "page_token" in query:
        raise RefusalError("AMBIGUITY_DURING_PROCESSING")
    if "page_token" not in query:
        start = (whole_number(request, "page", 1) - 1) * per_page
        if start + per_page > BY_PAGE:
            raise RefusalError("DISCRETE_PAGINATION_LIMIT_EXCEEDED")
        return start
    token = account.page_tokens.get(query["page_token"])
    if token is None:
        raise RefusalError("INVALID_DATA")
    if account.now - token.issued > PAGE_TOKEN_LIFE:
        raise RefusalError("EXPIRED_VALUE")
    if token.parameters != _parameters(request):
        raise RefusalError("TOKEN_BOUND_DATA_MISMATCH")
    if token.start >= BY_TOKEN:
        raise RefusalError("PAGINATION_LIMIT_EXCEEDED")
    return token.start


def _info(
    account: Account, request: Request, start: int, per_page: int, count: int, total: int
) -> dict[str, Any]:
    end = start + count
    token = expiry = None
    if end < total:
        token = secrets.token_urlsafe(24)
        account.page_tokens[token] = PageToken(_parameters(request), end, account.now)
        moment = datetime.fromtimestamp(account.now + PAGE_TOKEN_LIFE, UTC)
        expiry = moment.isoformat(timespec="seconds")
    query = request.query_params
    return {
        "per_page": per_page,
        "count": count,
        "page": start // per_page + 1,
        "more_records": end < total,
        "sort_by": query.get("sort_by", "id"),
        "sort_order": query.get("sort_order", "desc"),
        "next_page_token": token,
        "previous_page_token": None,
        "page_token_expiry": expiry,
    }


def _parameters(request: Request) -> str:
    """What a page token is bound to."""
    kept = sorted((k, v) for k, v in request.query_params.items() if k not in ("page", "page_token"))
    return f"{request.url.path} {kept} {request.headers.get('if-modified-since', '')}"


def whole_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise RefusalError("INVALID_DATA")
    return int(text)


def since_of(account: Account, request: Request) -> datetime | None:
    text = request.headers.get("if-modified-since")
    if not text or account.faults.ignore_if_modified_since:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
