"""Which columns a column comes from, read from the SQL. Imports sqlglot: import it only when used."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify

from mel_pipeline.core.errors import ModelError
from mel_pipeline.transform.project import SqlProject

DIALECT = "duckdb"
Schema = dict[str, object]


def column_lineage(project: SqlProject, name: str) -> dict[str, list[tuple[str, str]]]:
    """For each column of a model, the (table, column) pairs it is made of, one step upstream.

    Raises:
        ModelError: the model does not exist or its SQL cannot be read.
    """
    schema: Schema = {}
    columns: list[str] = []
    sql = project.compile(name)
    for model in project.order(project.upstream(name)):
        schema.update({table: dict(project.source_table(table).columns) for table in model.sources})
        columns = _output_columns(project, model.name, schema)
        schema[model.name] = dict.fromkeys(columns, "text")
    del schema[name]
    found: dict[str, list[tuple[str, str]]] = {}
    for column in columns:
        leaves = {
            (leaf.expression.name, _as_declared(project, leaf.expression.name, leaf.name))
            for leaf in lineage(column, sql, schema=schema, dialect=DIALECT).walk()
            if isinstance(leaf.expression, exp.Table)
        }
        found[column] = sorted(leaves)
    return found


def _as_declared(project: SqlProject, table: str, name: str) -> str:
    """The column as the raw table writes it: DuckDB, and so sqlglot, ignore case."""
    column = name.rsplit(".", 1)[-1].strip('"')
    if table in project.models:
        return column
    declared = project.source_table(table).columns
    return next((written for written in declared if written.lower() == column.lower()), column)


def _output_columns(project: SqlProject, name: str, schema: Schema) -> list[str]:
    try:
        tree = qualify(parse_one(project.compile(name), dialect=DIALECT), schema=schema, dialect=DIALECT)
    except SqlglotError as error:
        raise ModelError(f"Reading the SQL of {name}: {error}") from error
    if not isinstance(tree, exp.Query):
        raise ModelError(f"Reading the SQL of {name}: it is not a query.")
    return [column.alias_or_name for column in tree.selects]
