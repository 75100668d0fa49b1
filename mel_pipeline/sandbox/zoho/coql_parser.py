"""Parse COQL into a query. The subset: columns or COUNT(column) of one module, conditions, order, limit.

Comparators are =, !=, >, >=, <, <=, in, is null, is not null. As Zoho does, more than two conditions on
one level of brackets are refused: ``(A and B) and C``. Joins, subqueries, GROUP BY and LIKE are not supported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.criteria import Comparison, Condition, Group, columns_of

MOST_COLUMNS, MOST_CRITERIA, MOST_ORDERS, MOST_VALUES = 50, 25, 10, 100
LIMIT, MOST_ROWS, REACH = 200, 2_000, 100_000
_TOKEN = re.compile(
    r"""\s*(?: (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*") | (?P<number>-?\d+(?:\.\d+)?)
        | (?P<word>\$?[A-Za-z_][A-Za-z0-9_.]*) | (?P<sign><=|>=|!=|[=<>(),]) )""",
    re.VERBOSE,
)
_SIGNS = ("=", "!=", ">", ">=", "<", "<=")
_CLAUSES = ("from", "where", "order", "limit", "offset")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind != "text" else ""

    @property
    def literal(self) -> str:
        """The value, without its quotation marks; a doubled one is an escaped one."""
        mark = self.text[0]
        return self.text[1:-1].replace(mark * 2, mark) if self.kind == "text" else self.text


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
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[Token]:
    tokens, at, text = [], 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _syntax(text[at : at + 20].strip())
        tokens.append(Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


def _syntax(near: str, message: str = "error occured while parsing the query") -> RefusedError:
    return RefusedError("SYNTAX_ERROR", {"near": near}, message=message)


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        self._expect("select")
        columns, counted = self._columns()
        self._clause("from")
        module = self._name()
        self._clause("where")
        where = self._conditions()
        order = self._order()
        limit, offset = self._limit()
        if self._peek() is not None:
            raise _syntax(self._near())
        query = Query(columns, counted, module, where, order, limit, offset)
        _within_limits(query)
        return query

    # Clauses

    def _columns(self) -> tuple[list[str], str | None]:
        first = self._name()
        if first.lower() == "count" and self._accept("("):
            counted = self._name()
            self._expect(")")
            return [], counted
        columns = [first]
        while self._accept(","):
            columns.append(self._name())
        return columns, None

    def _conditions(self) -> Condition:
        """One condition, or two joined; each may be a bracketed expression."""
        first = self._condition()
        joined = self._accept("and", "or")
        if not joined:
            return first
        both = Group(joined, (first, self._condition()))
        if self._accept("and", "or"):
            raise _syntax(self._tokens[self._at - 1].text)
        return both

    def _condition(self) -> Condition:
        if self._accept("("):
            inside = self._conditions()
            self._expect(")")
            return inside
        column = self._name()
        if self._accept("is"):
            sign = "is not null" if self._accept("not") else "is null"
            self._expect("null")
            return Comparison(column, sign)
        if self._accept("in"):
            return Comparison(column, "in", self._listed())
        sign = self._accept(*_SIGNS)
        if not sign:
            found = self._near()
            raise RefusedError("SYNTAX_ERROR", {"operator": found}, message="operator not supported")
        return Comparison(column, sign, self._literal())

    def _listed(self) -> list[str]:
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        if len(values) > MOST_VALUES:
            raise RefusedError("LIMIT_EXCEEDED", {"limit": MOST_VALUES, "clause": "in"})
        return values

    def _order(self) -> list[tuple[str, bool]]:
        if not self._accept("order"):
            return []
        self._expect("by")
        order = [self._ordered()]
        while self._accept(","):
            order.append(self._ordered())
        return order

    def _ordered(self) -> tuple[str, bool]:
        column = self._name()
        return column, self._accept("asc", "desc") == "desc"

    def _limit(self) -> tuple[int, int]:
        """``limit n``, ``limit offset, n`` and ``limit n offset m``."""
        limit, offset = LIMIT, 0
        if self._accept("limit"):
            limit = self._whole("limit")
            if self._accept(","):
                limit, offset = self._whole("limit"), limit
        if self._accept("offset"):
            offset = self._whole("offset")
        return limit, offset

    # Words

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _near(self) -> str:
        token = self._peek()
        return token.text if token else "end of query"

    def _accept(self, *words: str) -> str:
        token = self._peek()
        if token is None or token.word not in words:
            return ""
        self._at += 1
        return token.word

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise _syntax(self._near())

    def _clause(self, word: str) -> None:
        token = self._peek()
        if token is None or (token.word in _CLAUSES and token.word != word):
            raise RefusedError("SYNTAX_ERROR", {"clause": word}, message="missing clause")
        self._expect(word)

    def _name(self) -> str:
        """A name; quoted if it is also a keyword."""
        token = self._peek()
        if token is None or token.kind not in ("word", "text") or token.word in _CLAUSES:
            raise _syntax(self._near())
        self._at += 1
        return token.literal

    def _literal(self) -> str:
        token = self._peek()
        if token is None or not (token.kind in ("text", "number") or token.word in ("true", "false")):
            raise _syntax(self._near())
        self._at += 1
        return token.literal

    def _whole(self, clause: str) -> int:
        token = self._peek()
        if token is None or not token.text.isdecimal():
            message = f"{clause} given seems to be invalid"
            raise RefusedError("INVALID_QUERY", {clause: self._near()}, message=message)
        self._at += 1
        return int(token.text)


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
