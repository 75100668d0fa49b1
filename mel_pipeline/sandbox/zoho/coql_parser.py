"""Parse COQL into a query with sqlglot. The subset: columns or COUNT(column) of one module, conditions, order, limit.

Comparators are =, !=, >, >=, <, <=, in, is null, is not null. As Zoho does, more than two conditions on
one level of brackets are refused: ``(A and B) and C``. Joins, subqueries, GROUP BY and LIKE are not supported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.dialects import MySQL
from sqlglot.errors import ParseError, SqlglotError

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.criteria import Comparison, Condition, Group, columns_of

MOST_COLUMNS, MOST_CRITERIA, MOST_ORDERS, MOST_VALUES = 50, 25, 10, 100
LIMIT, MOST_ROWS, REACH = 200, 2_000, 100_000
_SIGNS = {exp.EQ: "=", exp.NEQ: "!=", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_CLAUSES = {"from_": "from", "where": "where", "order": "order by", "limit": "limit", "offset": "offset"}
_PARTS = {"kind", "expressions", *_CLAUSES}
_NOT_COQL = {";", "<>", "nulls"}
_KEYWORDS = {"from", "where", "order", "limit", "offset"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class _Coql(MySQL):  # type: ignore[misc]  # sqlglot leaves its dialects untyped
    """MySQL's texts in either quotation mark and its ``limit offset, n``; ``$approved`` is a name."""

    class Tokenizer(MySQL.Tokenizer):  # type: ignore[misc]
        VAR_SINGLE_TOKENS = {"$"}  # noqa: RUF012 - as sqlglot declares it
        COMMENTS: list[str] = []  # noqa: RUF012
        STRING_ESCAPES = ["'", '"']  # noqa: RUF012 - a doubled mark; no backslashes


@dataclass(frozen=True)
class Query:
    columns: list[str]
    counted: str | None  # the column of COUNT(column)
    module: str
    where: Condition
    order: list[tuple[str, bool]]  # column, whether descending
    limit: int
    offset: int

    @property
    def credits(self) -> int:
        return 1 if self.limit <= 200 else 2 if self.limit <= 1_000 else 3


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        RefusedError: SYNTAX_ERROR, LIMIT_EXCEEDED or another of Zoho's error codes.
    """
    try:
        _only_coql(text)
        tree = sqlglot.parse_one(text, dialect=_Coql)
    except SqlglotError as error:
        near = (
            error.errors[0]["highlight"]
            if isinstance(error, ParseError) and error.errors
            else text.strip()[:20]
        )
        raise _syntax(str(near or "end of query")) from None
    if not isinstance(tree, exp.Select):
        raise _syntax(text.strip()[:20])
    for clause in ("from_", "where"):
        if not tree.args.get(clause):
            raise RefusedError("SYNTAX_ERROR", {"clause": _CLAUSES[clause]}, message="missing clause")
    if other := next((key for key, value in tree.args.items() if value and key not in _PARTS), None):
        raise _syntax(other)
    columns, counted = _columns(tree.expressions)
    limit, offset = _limit(tree)
    order = [(_name(one.this), bool(one.args.get("desc"))) for one in _listed(tree.args.get("order"))]
    query = Query(
        columns,
        counted,
        _module(tree.args["from_"].this),
        _condition(tree.args["where"].this),
        order,
        limit,
        offset,
    )
    _within_limits(query)
    return query


def _only_coql(text: str) -> None:
    """Refuse what MySQL knows and Zoho does not."""
    for token in _Coql().tokenize(text):
        if token.token_type is not TokenType.STRING and token.text.lower() in _NOT_COQL:
            raise _syntax(token.text)


def _syntax(near: str, message: str = "error occured while parsing the query") -> RefusedError:
    return RefusedError("SYNTAX_ERROR", {"near": near}, message=message)


def _columns(listed: list[Any]) -> tuple[list[str], str | None]:
    if len(listed) == 1 and isinstance(listed[0], exp.Count):
        return [], _name(listed[0].this)
    return [_name(one) for one in listed], None


def _listed(order: exp.Expression | None) -> list[Any]:
    return order.expressions if order else []


def _module(table: exp.Expression) -> str:
    if not isinstance(table, exp.Table) or any(value for key, value in table.args.items() if key != "this"):
        raise _syntax(table.sql())
    return table.name


def _name(node: Any) -> str:
    """A name, with dots; quoted if it is also a keyword."""
    if isinstance(node, exp.Column) and node.name.lower() not in _KEYWORDS:
        return ".".join(part.name for part in node.parts)
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise _syntax(node.sql() if isinstance(node, exp.Expression) else str(node))


def _condition(node: Any) -> Condition:
    """One condition, or two joined; each may be a bracketed expression."""
    if isinstance(node, exp.Paren):
        return _condition(node.this)
    if isinstance(node, exp.And | exp.Or):
        for side in (node.left, node.right):
            if isinstance(side, exp.And | exp.Or):  # a third on one level of brackets
                raise _syntax(type(node).__name__.lower())
        return Group(type(node).__name__.lower(), (_condition(node.left), _condition(node.right)))
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return Comparison(_name(node.this), "is null")
    if (
        isinstance(node, exp.Not)
        and isinstance(node.this, exp.Is)
        and isinstance(node.this.expression, exp.Null)
    ):
        return Comparison(_name(node.this.this), "is not null")
    if isinstance(node, exp.In) and node.expressions and not node.args.get("query"):
        if len(node.expressions) > MOST_VALUES:
            raise RefusedError("LIMIT_EXCEEDED", {"limit": MOST_VALUES, "clause": "in"})
        return Comparison(_name(node.this), "in", [_literal(value) for value in node.expressions])
    if type(node) in _SIGNS:
        return Comparison(_name(node.this), _SIGNS[type(node)], _literal(node.expression))
    raise RefusedError("SYNTAX_ERROR", {"operator": node.sql()}, message="operator not supported")


def _literal(node: Any) -> str:
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return f"-{node.this.this}"
    if isinstance(node, exp.Literal) and (node.is_string or _NUMBER.fullmatch(node.this)):
        return str(node.this)
    if isinstance(node, exp.Boolean):
        return "true" if node.this else "false"
    raise _syntax(node.sql())


def _limit(tree: exp.Select) -> tuple[int, int]:
    """``limit n``, ``limit offset, n`` and ``limit n offset m``."""
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    return (
        _whole(limit.expression, "limit") if limit else LIMIT,
        _whole(offset.expression, "offset") if offset else 0,
    )


def _whole(node: Any, clause: str) -> int:
    if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdecimal():
        return int(node.this)
    message = f"{clause} given seems to be invalid"
    raise RefusedError("INVALID_QUERY", {clause: node.sql()}, message=message)


def _within_limits(query: Query) -> None:
    for name, count, most in (
        ("select", len(query.columns), MOST_COLUMNS),
        ("where", len(columns_of(query.where)), MOST_CRITERIA),
        ("order by", len(query.order), MOST_ORDERS),
        ("limit", query.limit, MOST_ROWS),
        ("offset", query.offset, REACH),
    ):
        if count > most:
            raise RefusedError("LIMIT_EXCEEDED", {"clause": name, "limit": most})
    if query.limit < 1:
        raise RefusedError("INVALID_DATA", message="limit should be greater than 0")
    for columns in (query.columns, [column for column, _ in query.order]):
        twice = next((column for column in columns if columns.count(column) > 1), None)
        if twice:
            raise RefusedError("DUPLICATE_DATA", {"column_name": twice}, message="duplicate select column")
