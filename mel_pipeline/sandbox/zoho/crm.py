"""Records of Zoho CRM v8 over HTTP: lists, one record, counts, deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox.zoho.answers import RefusedError, choice, modified_since, whole_number
from mel_pipeline.sandbox.zoho.columns import Record, full_text_readers, list_readers, whole_readers
from mel_pipeline.sandbox.zoho.modules import Deleted, Module
from mel_pipeline.sandbox.zoho.orders import KEYS, ordered
from mel_pipeline.sandbox.zoho.page_tokens import LIFE
from mel_pipeline.sandbox.zoho.schema import USER, stamp

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account

BY_PAGE, BY_TOKEN, PER_PAGE, MOST_FIELDS, MOST_IDS, MOST_TEXTS = 2_000, 100_000, 200, 50, 100, 200


class Crm:
    """Lists are paged by position in the live order: a record that moves between pages appears twice or never."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def records(self, request: Request) -> Response:
        """``GET /crm/v8/{module}``: 200 records per page, by page number up to 2,000, by page token up to 100,000."""
        module = self._account.readable(request.path_params["module"])
        names = _field_names(request)
        if not names:
            raise RefusedError("REQUIRED_PARAM_MISSING", {"param_name": "fields"})
        per_page = whole_number(request, "per_page", PER_PAGE, most=PER_PAGE)
        backwards = choice(request, "sort_order", ("desc", "asc")) == "desc"
        since = self._since(request)
        chosen = self._chosen(module, request, since)
        start = self._start(request, per_page)
        if not chosen:
            return Response(status_code=204 if since is None else 304)
        if backwards:
            part = chosen[max(len(chosen) - start - per_page, 0) : max(len(chosen) - start, 0)][::-1]
        else:
            part = chosen[start : start + per_page]
        if not part:
            return Response(status_code=204)
        readers = list_readers(module.fields, names)
        data = [{name: read(record) for name, read in readers.items()} for record in part]
        return JSONResponse({"data": data, "info": self._info(request, start, per_page, part, len(chosen))})

    def _chosen(self, module: Module, request: Request, since: float | None) -> list[Record]:
        key = choice(request, "sort_by", tuple(KEYS))
        converted = choice(request, "converted", ("false", "true", "both"))
        if "ids" not in request.query_params:
            return module.view(key, converted, since)
        ids = request.query_params["ids"].split(",")
        if len(ids) > MOST_IDS:
            raise RefusedError("LIMIT_EXCEEDED", {"limit": MOST_IDS, "param_name": "ids"})
        found = {record.number: record for id in ids if (record := module.find(id.strip())) is not None}
        selected = [
            record
            for record in found.values()
            if (converted == "both" or record.converted == (converted == "true"))
            and (since is None or record.modified > since)
        ]
        return ordered(selected, key)

    def _since(self, request: Request) -> float | None:
        since = modified_since(request)
        return None if self._account.faults.ignore_if_modified_since else since

    def _start(self, request: Request, per_page: int) -> int:
        query = request.query_params
        if "page" in query and "page_token" in query:
            both = [{"param_name": "page"}, {"param_name": "page_token"}]
            raise RefusedError("AMBIGUITY_DURING_PROCESSING", {"ambiguity_due_to": both})
        if "page_token" not in query:
            start = (whole_number(request, "page", 1) - 1) * per_page
            if start + per_page > BY_PAGE:
                raise RefusedError("DISCRETE_PAGINATION_LIMIT_EXCEEDED", {"limit": BY_PAGE})
            return start
        tokens, user = self._account.page_tokens, request.state.user
        start = tokens.find(query["page_token"], _bound_to(request), user).position
        if start >= BY_TOKEN:
            raise RefusedError("PAGINATION_LIMIT_EXCEEDED", {"param_name": "page_token"})
        return start

    def _info(
        self, request: Request, start: int, per_page: int, part: list[Record], total: int
    ) -> dict[str, Any]:
        tokens, user, bound = self._account.page_tokens, request.state.user, _bound_to(request)
        end = start + len(part)
        following = tokens.issue(bound, user, end) if end < total else None
        before = tokens.issue(bound, user, max(start - per_page, 0)) if start else None
        expiry = stamp(self._account.clock.seconds() + LIFE) if following or before else None
        return {
            "per_page": per_page,
            "count": len(part),
            "page": start // per_page + 1,
            "more_records": end < total,
            "sort_by": request.query_params.get("sort_by", "id"),
            "sort_order": request.query_params.get("sort_order", "desc"),
            "next_page_token": following,
            "previous_page_token": before,
            "page_token_expiry": expiry,
        }

    async def record(self, request: Request) -> Response:
        """``GET /crm/v8/{module}/{id}``: one complete record, converted or not; 204 if missing."""
        module = self._account.readable(request.path_params["module"])
        id = request.path_params["record"]
        if not id.isdecimal():
            raise RefusedError(
                "INVALID_DATA", {"resource_path_index": 1}, message="the id given seems to be invalid"
            )
        record = module.find(id)
        if record is None:
            return Response(status_code=204)
        readers = whole_readers(module.fields, _field_names(request) or module.fields)
        whole: dict[str, Any] = {name: read(record) for name, read in readers.items()}
        if module.api_name == "Leads":
            whole["$converted"] = record.converted
        return JSONResponse({"data": [whole]})

    async def count(self, request: Request) -> Response:
        """``GET /crm/v8/{module}/actions/count``: converted leads are not counted, records in no list are."""
        module = self._account.readable(request.path_params["module"])
        return JSONResponse({"count": len(module.view("id", "false")) + len(module.unlisted)})

    async def full_texts(self, request: Request) -> Response:
        """``GET /crm/v8/{module}/actions/fetch_full_data``: rich texts of at most 200 records, uncut.

        https://www.zoho.com/crm/developer/docs/api/v8/get-rich-text-fields.html
        """
        module = self._account.readable(request.path_params["module"])
        names = _field_names(request)
        ids = [id.strip() for id in request.query_params.get("ids", "").split(",") if id.strip()]
        for parameter, given in (("ids", ids), ("fields", names)):
            if not given:
                raise RefusedError("REQUIRED_PARAM_MISSING", {"param_name": parameter})
        if len(ids) > MOST_TEXTS:
            raise RefusedError("LIMIT_EXCEEDED", {"limit": MOST_TEXTS, "param_name": "ids"})
        if any(name not in module.fields or not module.fields[name].is_rich_text for name in names):
            raise RefusedError("INVALID_DATA", {"param_name": "fields"})
        readers = full_text_readers(module.fields, names)
        found = [record for id in ids if (record := module.find(id)) is not None]
        data = [{name: read(record) for name, read in readers.items()} for record in found]
        return JSONResponse({"data": data}) if data else Response(status_code=204)

    async def deleted(self, request: Request) -> Response:
        """``GET /crm/v8/{module}/deleted``: latest first, 60 days for the recycle bin, 120 days for permanent deletions."""
        module = self._account.readable(request.path_params["module"])
        kind = request.query_params.get("type", "all")
        if kind not in ("all", "recycle", "permanent"):
            raise RefusedError("PATTERN_NOT_MATCHED", {"param_name": "type"})
        per_page = whole_number(request, "per_page", PER_PAGE, most=PER_PAGE)
        page = whole_number(request, "page", 1)
        since = self._since(request)
        rows = module.deletions(kind, since)
        part = rows[(page - 1) * per_page : page * per_page]
        if not part:
            return Response(status_code=304 if since is not None and not rows else 204)
        info = {
            "per_page": per_page,
            "count": len(part),
            "page": page,
            "more_records": page * per_page < len(rows),
        }
        return JSONResponse({"data": [_deleted_row(module, gone) for gone in part], "info": info})


def _deleted_row(module: Module, gone: Deleted) -> dict[str, Any]:
    """For permanent deletions, name and user are no longer returned."""
    known = gone.kind == "recycle"
    user = {"name": USER["name"], "id": USER["id"]} if known else None
    return {
        "deleted_by": user,
        "id": str(gone.record.number),
        "display_name": module.display_name(gone.record) if known else None,
        "type": gone.kind,
        "created_by": user,
        "deleted_time": stamp(gone.at),
    }


def _field_names(request: Request) -> list[str]:
    names = [name.strip() for name in request.query_params.get("fields", "").split(",") if name.strip()]
    if len(names) > MOST_FIELDS:
        raise RefusedError("LIMIT_EXCEEDED", {"limit": MOST_FIELDS, "param_name": "fields"})
    return names


def _bound_to(request: Request) -> str:
    """What a page token is bound to: the whole request except the position."""
    parameters = sorted((k, v) for k, v in request.query_params.items() if k not in ("page", "page_token"))
    return f"{request.url.path} {parameters} {request.headers.get('if-modified-since', '')}"
