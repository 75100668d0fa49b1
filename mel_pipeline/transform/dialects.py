"""One SQL text for every engine: models are written for DuckDB and translated where an engine differs.

Imports sqlglot: import it only when an engine other than DuckDB is used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import SqlglotError

from mel_pipeline.core.errors import ModelError

WRITTEN = "duckdb"


@lru_cache(maxsize=2048)
def to_dialect(sql: str, dialect: str) -> str:
    """The same query in another engine's dialect; comments are dropped.

    Args:
        dialect: as sqlglot names it: ``spark``. ``duckdb`` returns the text unchanged.

    Raises:
        ModelError: the query cannot be parsed, or the engine has no equivalent for a part of it.
    """
    if dialect == WRITTEN:
        return sql
    try:
        tree = parse_one(sql, dialect=WRITTEN)
        for mend in _REWRITES.get(dialect, ()):
            tree = _rewritten(tree, mend)
        return tree.sql(dialect=dialect, comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise ModelError(
            f"Translating SQL for {dialect}: {str(error).splitlines()[0]}. Use SQL that both DuckDB and"
            f" {dialect} support."
        ) from error


def _rewritten(tree: exp.Expr, mend: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Rewrite every node, the innermost first."""
    for node in reversed(list(tree.walk())):
        new = mend(node)
        if node is tree:
            tree = new
        elif new is not node:
            node.replace(new)
    return tree


def _spark_days_between(node: exp.Expr) -> exp.Expr:
    """``cast(a as date) - cast(b as date)`` is a number of days; in Spark it would be an interval."""
    if isinstance(node, exp.Sub) and _is_date(node.this) and _is_date(node.expression):
        return exp.func("datediff", node.this, node.expression, dialect="spark")
    return node


def _is_date(node: exp.Expr) -> bool:
    return isinstance(node, exp.Cast) and node.is_type(exp.DataType.Type.DATE)


def _spark_timestamp(node: exp.Expr) -> exp.Expr:
    """One timestamp type, in a UTC session. A cast to one without zone drops the zone in a text."""
    zoneless = (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ)
    if not isinstance(node, exp.Cast) or node.to.this not in zoneless:
        return node
    plain = node.copy()
    plain.set("to", exp.DataType.build("timestampntz"))
    return type(node)(this=plain, to=exp.DataType.build("timestamptz"))


def _spark_series(node: exp.Expr) -> exp.Expr:
    """``from generate_series(...) as s(x)``: sqlglot writes the syntax of a lateral view without the view."""
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.GenerateSeries):
        return node
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias) or not alias.columns:
        return node
    exploded = exp.alias_(exp.Explode(this=node.this.copy()), alias.columns[0].copy())
    return exp.select(exploded).subquery(alias.this.copy())


_REWRITES: dict[str, tuple[Callable[[exp.Expr], exp.Expr], ...]] = {
    "spark": (_spark_days_between, _spark_timestamp, _spark_series),
}
