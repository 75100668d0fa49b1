"""``mel warehouse``: schema and roles of the database, for its administrator."""

from __future__ import annotations

from typing import Annotated

import typer

from mel_pipeline.cli.publication import opened
from mel_pipeline.core.errors import WarehouseError

app = typer.Typer(help="The database: copy or empty it, create roles.", no_args_is_help=True)


@app.command("same-account")
def same_account(
    source: Annotated[str, typer.Argument(help="The source whose account is now at another address.")],
) -> None:
    """Say that a source's new address or account ids belong to the account whose data are in the warehouse."""
    from mel_pipeline.ingest.origin import note_origin, require_kind

    warehouse, settings = opened()
    require_kind(warehouse, settings, source)
    note_origin(warehouse, settings, source, replace=True)
    typer.echo(f"{source}: the next load reads on where the last one ended.")


@app.command()
def copy(
    target: Annotated[
        str,
        typer.Argument(
            help="Empty database: postgresql://user:password@host/mel or duckdb:////data/mel.duckdb."
        ),
    ],
) -> None:
    """Copy everything into another, empty warehouse: data, history, published quarters, ledger. Then point to it."""
    from mel_pipeline.backup.restoring import verify, write_views
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.dump import copy as copy_all

    warehouse, settings = opened()
    other = Warehouse(target, settings.lock_wait_seconds)
    copied = copy_all(warehouse, other, settings.home)
    write_views(settings, other)
    typer.echo(f"{len(copied.tables)} tables with {copied.rows:,} rows copied and compared.")
    unsound = [step.sentence for step in verify(other) if not step.is_sound]
    if unsound:
        raise WarehouseError(f"Verifying the copy: {' '.join(unsound)}")
    typer.echo(
        "Every published quarter is verified there. Set MEL_WAREHOUSE_URL to it; on a server, create the roles."
    )


@app.command()
def empty(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    published: Annotated[
        bool, typer.Option("--published-too", help="Also where quarters have been published.")
    ] = False,
) -> None:
    """Remove every table: data, figures, ledgers. Settings, corrections, narratives and reports stay."""
    from mel_pipeline.warehouse.emptying import empty_warehouse

    warehouse, _ = opened()
    if not published and warehouse.has_table("published_figures"):
        frozen = warehouse.records("select count(distinct quarter) as n from published_figures")[0]["n"]
        if frozen:
            raise WarehouseError(
                f"Emptying the warehouse: it holds {frozen} published quarters, which nothing could restore. Nothing"
                " was changed. If they are not needed, add --published-too."
            )
    if not yes:
        typer.confirm("Remove every table of the warehouse?", abort=True)
    typer.echo(f"{empty_warehouse(warehouse)} tables removed. The next run loads everything again.")


@app.command()
def roles(
    writer: Annotated[
        list[str] | None, typer.Option(help="A role that logs in and runs the pipeline. May be repeated.")
    ] = None,
    reader: Annotated[
        list[str] | None, typer.Option(help="A role that logs in and reads what readers may see.")
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Show the SQL and change nothing.")] = False,
) -> None:
    """Create the roles `mel_writer` and `mel_reader` on PostgreSQL, or bring them up to date. Safe to repeat.

    Run it as the owner of the database. Login roles are created without a password: set one with
    `\\password NAME` in psql, so that it appears in no command or log.
    """
    from mel_pipeline.transform import SqlProject
    from mel_pipeline.transform.variables import sql_variables
    from mel_pipeline.warehouse.migrating import ensure_tables
    from mel_pipeline.warehouse.roles import role_statements

    warehouse, settings = opened()
    project = SqlProject.load(settings.sql_dir, sql_variables(settings, settings.open_quarter))
    seen = [name for name, model in project.models.items() if model.meta.get("for_readers")]
    with warehouse.transaction() as connection:
        if not only_print and connection.dialect.name == "postgresql":
            ensure_tables(connection)
        statements = role_statements(connection, seen, writer or (), reader or ())
        for statement in statements:
            if only_print:
                typer.echo(f"{statement};")
            else:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    if not only_print:
        typer.echo("mel_writer owns every table; mel_reader reads what readers may see.")
        for login in [*(writer or ()), *(reader or ())]:
            typer.echo(f"  {login} needs a password if it has none: \\password {login} in psql.")
