"""Least-privilege roles on PostgreSQL: who writes the warehouse, and who reads what is public.

Two roles that cannot log in; people and programs log in as roles of their own that are members. The writer owns every
table, whichever member created it. The reader sees the tables listed for readers, and none added later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.warehouse.tables import metadata

WRITER, READER = "mel_writer", "mel_reader"
# Of the package's own tables: what was published. Drafts, and what the data give now, are for the MEL lead: a reader who
# compares them from night to night learns what is withheld.
FOR_READERS = ("published_figures", "publication_ledger")
WITHHELD = {"publication_ledger": "details"}  # a column of it: where people sign in it names who did what


def role_statements(
    connection: sa.Connection,
    for_readers: Iterable[str],
    writers: Sequence[str] = (),
    readers: Sequence[str] = (),
) -> list[str]:
    """SQL that creates or updates the roles; run it as the owner of the database.

    Args:
        for_readers: models that readers may see.
        writers, readers: login roles, created without a password where missing.

    Raises:
        WarehouseError: the warehouse is not a PostgreSQL database.
    """
    if connection.dialect.name != "postgresql":
        raise WarehouseError(
            "Creating roles: this warehouse is a DuckDB file, and anyone who may read the file reads all of it. Protect"
            " the file, or use PostgreSQL (MEL_WAREHOUSE_URL)."
        )
    quote = connection.dialect.identifier_preparer.quote
    place = connection.exec_driver_sql("select current_database(), current_schema()").one()
    database, schema = quote(place[0]), quote(place[1])
    relations = connection.exec_driver_sql(
        "select c.relname, c.relkind = 'v' from pg_class c where c.relnamespace = current_schema()::regnamespace"
        " and c.relkind in ('r', 'v', 'p') order by 1"
    ).all()
    names = {str(name) for name, _ in relations}
    shown = sorted(names & {*FOR_READERS, *for_readers})
    seen = [quote(name) for name in shown if name not in WITHHELD]
    in_part = [name for name in shown if name in WITHHELD]
    sql = [_role(role, "nologin") for role in (WRITER, READER)]
    sql += [
        f"grant {WRITER} to current_user",
        f"grant connect on database {database} to {WRITER}, {READER}",
        f"revoke all on schema {schema} from public",
        f"grant usage, create on schema {schema} to {WRITER}",
        f"grant usage on schema {schema} to {READER}",
        f"revoke all on all tables in schema {schema} from public, {READER}",
    ]
    for name, is_view in relations:
        sql.append(f"alter {'view' if is_view else 'table'} {schema}.{quote(name)} owner to {WRITER}")
    if seen:
        sql.append(f"grant select on {', '.join(f'{schema}.{name}' for name in seen)} to {READER}")
    for name in in_part:
        columns = ", ".join(
            quote(column.name) for column in metadata.tables[name].columns if column.name != WITHHELD[name]
        )
        sql.append(f"grant select ({columns}) on {schema}.{quote(name)} to {READER}")
    for login in writers:
        sql += [_role(login, "login"), f"grant {WRITER} to {quote(login)}"]
        sql.append(f"alter role {quote(login)} in database {database} set role {WRITER}")
    for login in readers:
        sql += [_role(login, "login"), f"grant {READER} to {quote(login)}"]
    return sql


def _role(name: str, kind: str) -> str:
    """PostgreSQL has no "create role if not exists"."""
    text = name.replace("'", "''")
    return (
        f"do $mel$ begin if not exists (select 1 from pg_roles where rolname = '{text}') then"  # noqa: S608
        f" execute format('create role %I {kind}', '{text}'); end if; end $mel$"
    )
