"""``POST /crm/v8/coql``: queries on the records, including converted leads."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.columns import Record, list_readers, reader
from mel_pipeline.sandbox.zoho.coql_parser import Query, parse
from mel_pipeline.sandbox.zoho.criteria import predicate, span
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.orders import KEYS

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account


class Coql:
    """200 rows by default, 2,000 at most; 1, 2 or 3 credits depending on the limit."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def query(self, request: Request) -> Response:
        self._account.oauth.require("ZohoCRM.coql.READ")
        call = request.state.call
        call.body = await json_body(request)
        text = call.body.get("select_query")
        if not isinstance(text, str):
            missing = {"api_name": "select_query"}
            raise RefusedError("MANDATORY_NOT_FOUND", missing, message="mandatory key not found")
        query = parse(text)
        call.credits = query.credits
        module = self._account.readable(query.module)
        _known(query, module)
        if query.counted is not None:
            number = sum(1 for _ in _matching(query, module))
            return _answer([{f"COUNT({query.counted})": number}], more=False)
        found = list(islice(_ordered(query, module), query.offset, query.offset + query.limit + 1))
        if not found:
            return Response(status_code=204)
        readers = list_readers(module.fields, query.columns)
        data = [{name: read(record) for name, read in readers.items()} for record in found[: query.limit]]
        return _answer(data, more=len(found) > query.limit)


async def json_body(request: Request) -> dict[str, Any]:
    """The request body as JSON.

    Raises:
        RefusedError: INVALID_DATA, not a JSON object.
    """
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError("INVALID_DATA", {"expected_data_type": "jsonobject"})
    return body


def _answer(data: list[dict[str, Any]], *, more: bool) -> Response:
    return JSONResponse({"data": data, "info": {"count": len(data), "more_records": more}})


def _known(query: Query, module: Module) -> None:
    """Refuse unknown columns, subforms and multi-lookups."""
    columns = [
        *query.columns,
        *(column for column, _ in query.order),
        *([query.counted] if query.counted else []),
    ]
    for column in columns:
        field = module.fields.get(column)
        if field is None:
            message = "column given seems to be invalid"
            raise RefusedError("INVALID_QUERY", {"column_name": column}, message=message)
        if not field.in_lists:
            raise RefusedError("INVALID_QUERY", {"column_name": column}, message="unsupported column")


def _matching(query: Query, module: Module, key: str = "id", backwards: bool = False) -> Iterator[Record]:
    """Matching records in the order of a key, searched only within the possible range."""
    matches = predicate(query.where, module.fields)
    records, place = module.view(key, "both"), attrgetter(KEYS[key])
    low, high = span(query.where, key)
    start, end = bisect_left(records, low, key=place), bisect_right(records, high, key=place)
    places = range(end - 1, start - 1, -1) if backwards else range(start, end)
    return (record for record in map(records.__getitem__, places) if matches(record))


def _ordered(query: Query, module: Module) -> Iterator[Record]:
    """By ascending id by default; nulls first when ascending."""
    order = query.order or [("id", False)]
    key, backwards = order[0]
    if key in KEYS and order in ([(key, backwards)], [(key, backwards), ("id", backwards)]):
        # Records are already sorted this way, ties by id.
        return _matching(query, module, key, backwards)
    found = list(_matching(query, module))
    for column, falling in reversed(order):
        read = reader(module.fields[column], whole=True)
        if column in KEYS:
            found.sort(key=attrgetter(KEYS[column]), reverse=falling)
        else:
            found.sort(key=lambda record: _sortable(read(record)), reverse=falling)
    return iter(found)


def _sortable(value: Any) -> tuple[bool, Any]:
    if isinstance(value, dict):
        value = value.get("name")
    return (True, value) if isinstance(value, int | float) else (value is not None, str(value or ""))
