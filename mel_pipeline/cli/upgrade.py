"""``mel upgrade``: the warehouse in this version's layout, or what that would change."""

from __future__ import annotations

from typing import Annotated

import typer


def upgrade(
    check: Annotated[
        bool, typer.Option("--check", help="Try it on a copy and say what it changes; nothing is changed.")
    ] = False,
) -> None:
    """Bring the warehouse up to this version; the first run that writes does the same. Try it with `--check` first.

    `--check` migrates a copy and recalculates every quarter in it. It exits with 1 where a published figure would be
    restated.
    """
    if check:
        _rehearse()
        return
    from mel_pipeline.cli.publication import opened
    from mel_pipeline.warehouse.migrating import ensure_tables, version_of

    warehouse, _ = opened()
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        typer.echo(f"The warehouse has schema version {version_of(connection)}, the latest.")


def _rehearse() -> None:
    from mel_pipeline.backup.rehearsal import rehearse
    from mel_pipeline.cli.doctor import organisation_finding
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.tables import HEAD

    settings = load_settings()
    typer.echo("Settings: this version knows every name and can use every value.")
    typer.echo(organisation_finding(settings).line)
    found = rehearse(Warehouse(settings.database_url, settings.lock_wait_seconds), settings)
    layout = f"is migrated from {found.layout} to {HEAD}" if found.migrates else f"stays at {HEAD}"
    typer.echo(f"Layout: {layout}. Quarters recalculated on a copy: {len(found.quarters)}.")
    if found.differences:
        typer.echo(f"Published figures that this version would restate: {len(found.differences)}.")
        for sentence in found.differences:
            typer.echo(f"  {sentence}")
        raise typer.Exit(1)
    typer.echo(f"Published quarters whose figures stay as they are: {len(found.published)}.")
