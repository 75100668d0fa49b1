"""Write one model: as a view, as a table, or the part of a table with its keys.

Readers on a server must never find a table missing, so on PostgreSQL a table whose columns are unchanged is emptied
and refilled within the transaction instead of being dropped; its grants and views survive, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ModelError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from mel_pipeline.transform.project import Model

VERBATIM = {"no_parameters": True}  # a colon or a percent sign in a model is SQL


def write_model(
    connection: sa.Connection, model: Model, sql: str, existing: str | None, grows: bool, part: str = ""
) -> int:
    """Write the model and count its rows (of the replaced part, when it grows).

    Args:
        existing: kind of the existing relation of that name, ``view`` or ``table``.
        part: the value of the key that is built, whose old rows go even if no new ones come.

    Raises:
        ModelError: it grows, and its columns have changed.
    """
    name = model.name
    kind = "view" if model.config.materialized == "view" else "table"
    if grows:
        return _replace_part(connection, model, sql, part)
    if existing and connection.dialect.name == "postgresql":
        _replace_in_place(connection, name, kind, sql, existing)
    else:
        if existing:
            execute(connection, f"drop {existing} {name}")
        execute(connection, f"create {kind} {name} as {sql}")
    if kind == "table":
        _analyze(connection, name)
    return _count(connection, name)


def execute(connection: sa.Connection, sql: str) -> None:
    connection.exec_driver_sql(sql, execution_options=VERBATIM)


def _replace_in_place(connection: sa.Connection, name: str, kind: str, sql: str, existing: str) -> None:
    incoming = f"_incoming_{name}"
    if kind == existing == "table":
        execute(connection, f"create temporary table {incoming} as {sql}")
        if _columns(connection, name) == _columns(connection, incoming):
            execute(connection, f"delete from {name}")  # noqa: S608
            execute(connection, f"insert into {name} select * from {incoming}")  # noqa: S608
            execute(connection, f"drop table {incoming}")
            return
        execute(connection, f"drop table {incoming}")
    elif kind == existing == "view" and _keeps_columns(connection, name, sql):
        execute(connection, f"create or replace view {name} as {sql}")
        return
    allowed = _grants(connection, name)
    # Drops dependent views, too: they are other models, rebuilt after it.
    execute(connection, f"drop {existing} if exists {name} cascade")
    execute(connection, f"create {kind} {name} as {sql}")
    for privilege, role in allowed:
        execute(connection, f"grant {privilege} on {name} to {role}")


def _grants(connection: sa.Connection, name: str) -> list[tuple[str, str]]:
    """Privileges on a table other than the owner's."""
    import sqlalchemy as sa

    rows = connection.execute(
        sa.text(
            "select g.privilege_type, quote_ident(g.grantee) from information_schema.role_table_grants as g"
            " join pg_tables as t on t.schemaname = g.table_schema and t.tablename = g.table_name"
            " where g.table_name = :name and g.table_schema = current_schema() and g.grantee <> t.tableowner"
        ),
        {"name": name},
    )
    return [(str(row[0]), str(row[1])) for row in rows]


def _keeps_columns(connection: sa.Connection, name: str, sql: str) -> bool:
    incoming = f"_incoming_{name}"
    execute(connection, f"create temporary view {incoming} as {sql}")
    same = _columns(connection, name) == _columns(connection, incoming)
    execute(connection, f"drop view {incoming}")
    return same


def _replace_part(connection: sa.Connection, model: Model, sql: str, part: str) -> int:
    """Delete the rows of the part and those whose key the new rows carry, then insert the new ones."""
    import sqlalchemy as sa

    name, key, incoming = model.name, model.config.unique_key, f"_incoming_{model.name}"
    execute(connection, f"create temporary table {incoming} as {sql}")
    old, new = dict(_columns(connection, name)), dict(_columns(connection, incoming))
    if old != new:
        differing = ", ".join(
            sorted({f"{column} {kind}" for column, kind in set(old.items()) ^ set(new.items())})
        )
        raise ModelError(
            f"The columns of {name} have changed ({differing}). Quarters stored earlier lack them:"
            " `mel recalculate` rebuilds every quarter. Nothing was changed."
        )
    listed = ", ".join(new)
    execute(connection, f"delete from {name} where {key} in (select distinct {key} from {incoming})")  # noqa: S608
    if part:
        connection.execute(sa.text(f"delete from {name} where {key} = :part"), {"part": part})  # noqa: S608
    execute(connection, f"insert into {name} ({listed}) select {listed} from {incoming}")  # noqa: S608
    rows = _count(connection, incoming)
    execute(connection, f"drop table {incoming}")
    return rows


def _analyze(connection: sa.Connection, name: str) -> None:
    """PostgreSQL analyzes a new table only minutes later, and until then plans joins as if for ten rows."""
    if connection.dialect.name == "postgresql":
        execute(connection, f"analyze {name}")


def _columns(connection: sa.Connection, table: str) -> list[tuple[str, str]]:
    """Names and types in order. Not from the information schema, which inspects every view first."""
    query = f"describe {table}"
    if connection.dialect.name == "postgresql":
        query = (
            "select attname, format_type(atttypid, null) from pg_attribute"  # noqa: S608
            f" where attrelid = cast('{table}' as regclass) and attnum > 0 and not attisdropped order by attnum"
        )
    return [(str(row[0]), str(row[1])) for row in connection.exec_driver_sql(query)]


def _count(connection: sa.Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar() or 0)  # noqa: S608
