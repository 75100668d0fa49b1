"""COQL, Zoho's query language: the part of it that is SQL, worked out record by record.

``select a, b from M where (...) order by x, y limit [offset,] n``; the where clause is required.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import sqlglot
from sqlglot import exp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.zoho.account import Account, Call, RefusalError
from mel_pipeline.sandbox.zoho.modules import Module, Record
from mel_pipeline.sandbox.zoho.schema import NEVER_LISTED

MOST_ROWS, MOST_OFFSET, MOST_COLUMNS, USUAL_ROWS = 2_000, 100_000, 50, 200


_COMPARISONS: dict[type[exp.Expression], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
}


def routes(account: Account) -> list[Route]:
    async def query(request: Request, call: Call) -> Response:
        body = await request.json()
        tree = _parsed(str(body.get("select_query", "")))
        limit, offset = _window(tree)
        credits = 1 if limit <= 200 else 2 if limit <= 1_000 else 3
        module_name = tree.args["from_"].this.name
        await account.permit(request, call, credits=credits, scope="ZohoCRM.coql.READ", module=module_name)
        module = account.module(module_name)
        where = tree.args["where"].this
        counted = [column for column in tree.expressions if isinstance(column.unalias(), exp.Count)]
        if counted:
            total = sum(_holds(module, record, where) for record in _candidates(module, where))
            return JSONResponse(
                {"data": [{counted[0].alias_or_name or "count": total}], "info": _info(1, False)}
            )
        names = [column.name for column in tree.expressions]
        _require_columns(module, names)
        found = _ordered(module, tree, where)
        rows = list(islice(found, offset, offset + limit + 1))
        if not rows:
            return Response(status_code=204)
        part = [module.in_list(record, names) for record in rows[:limit]]
        return JSONResponse({"data": part, "info": _info(len(part), len(rows) > limit)})

    return [Route("/crm/v8/coql", account.served(query), methods=["POST"])]


def _info(count: int, more: bool) -> dict[str, Any]:
    return {"count": count, "more_records": more}


def _parsed(text: str) -> exp.Select:
    try:
        tree = sqlglot.parse_one(text, dialect="mysql")
    except sqlglot.errors.SqlglotError:
        raise RefusalError("SYNTAX_ERROR") from None
    if not isinstance(tree, exp.Select) or tree.args.get("where") is None or tree.args.get("from_") is None:
        raise RefusalError("SYNTAX_ERROR", details={"near": "where"})
    return tree


def _window(tree: exp.Select) -> tuple[int, int]:
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    rows = int(limit.expression.name) if limit else USUAL_ROWS
    first = int(offset.expression.name) if offset else 0
    if rows > MOST_ROWS or first + rows > MOST_OFFSET:
        raise RefusalError("LIMIT_EXCEEDED")
    return rows, first


def _require_columns(module: Module, names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise RefusalError("LIMIT_EXCEEDED", details={"limit": MOST_COLUMNS})
    unknown = [n for n in names if n not in module.fields or module.fields[n].data_type in NEVER_LISTED]
    if unknown:
        raise RefusalError("INVALID_QUERY", details={"column_name": unknown[0]})


def _ordered(module: Module, tree: exp.Select, where: exp.Expression) -> Iterator[Record]:
    kept = (record for record in _candidates(module, where) if _holds(module, record, where))
    order = tree.args.get("order")
    keys = [(part.this.name, bool(part.args.get("desc"))) for part in order.expressions] if order else []
    if keys in ([], [("id", False)]):
        return kept  # by id, as they come
    rows = list(kept)
    for name, backwards in reversed(keys):
        rows.sort(key=lambda record: _comparable(module, name, record.get(name)), reverse=backwards)
    return iter(rows)


def _candidates(module: Module, where: exp.Expression) -> Iterable[Record]:
    """Records in the order of ids, from where ``id > n`` lets them begin. Converted leads are left out."""
    begin = 0
    for part in where.find_all(exp.GT):
        if part.this.name == "id" and part.find_ancestor(exp.Or) is None:
            begin = max(begin, int(part.expression.name))
    return (record for record in module.after(begin) if not record.get("Converted__s"))


def _holds(module: Module, record: Record, part: exp.Expression) -> bool:
    match part:
        case exp.Paren():
            return _holds(module, record, part.this)
        case exp.And():
            return _holds(module, record, part.this) and _holds(module, record, part.expression)
        case exp.Or():
            return _holds(module, record, part.this) or _holds(module, record, part.expression)
        case exp.Not():
            return not _holds(module, record, part.this)
        case exp.Is():
            return record.get(part.this.name) in (None, "")
        case exp.In():
            return str(_comparable(module, part.this.name, record.get(part.this.name))) in {
                str(_comparable(module, part.this.name, value.name)) for value in part.expressions
            }
        case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
            return _compared(module, record, part)
        case _:
            raise RefusalError("INVALID_QUERY")


def _compared(module: Module, record: Record, part: exp.Expression) -> bool:
    name = part.this.name
    have, want = (_comparable(module, name, value) for value in (record.get(name), part.expression.name))
    if have is None:
        return isinstance(part, exp.NEQ)
    return bool(_COMPARISONS[type(part)](have, want))


def _comparable(module: Module, name: str, value: Any) -> Any:
    """Numbers as numbers, moments as instants, lookups as their ids."""
    field = module.fields.get(name)
    if field is None:
        raise RefusalError("INVALID_QUERY", details={"column_name": name})
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return value.get("id")
    if field.data_type == "datetime":
        return datetime.fromisoformat(str(value))
    if field.data_type in ("bigint", "integer"):
        return int(value)
    return float(value) if field.data_type in ("double", "currency") else str(value)
