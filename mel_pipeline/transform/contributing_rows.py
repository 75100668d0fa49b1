"""The records behind a count, read from the model that counts them. Imports sqlglot: import it only when used."""

from __future__ import annotations

from sqlglot import exp, parse_one

from mel_pipeline.core.errors import ModelError

DIALECT = "duckdb"


def contributing_query(sql: str, table: str, key: str, dialect: str = DIALECT) -> str:
    """The model's SQL with a different final select: the keys (``record``) in its table expression, by ``period``.

    Args:
        sql: of the model, as it runs.
        table: name of the common table expression whose rows are counted.
        key: its column that identifies a record.
        dialect: of the warehouse, as sqlglot names it.

    Raises:
        ModelError: the model has no such table expression.
    """
    tree = parse_one(sql, dialect=DIALECT)
    names = [cte.alias for cte in tree.find_all(exp.CTE)]
    if table not in names:
        raise ModelError(
            f"Listing the records behind a figure: the model has no '{table}' (it has {', '.join(names)})."
        )
    ending = (
        exp.select("period", exp.alias_(exp.column(key), "record"))
        .distinct()
        .from_(table)
        .where(exp.column(key).is_(exp.null()).not_())
        .order_by("period", "record")
    )
    clauses = tree.args.get("with_") or tree.args.get("with")
    if not isinstance(clauses, exp.With):
        raise ModelError("Listing the records behind a figure: the model has no table expressions.")
    ending.set("with_" if "with_" in ending.arg_types else "with", clauses.copy())
    return ending.sql(dialect=dialect)
