"""``mel privacy``: data held about people, access and erasure, the record of processing, removal of expired data."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mel_pipeline.cli.publication import opened

app = typer.Typer(help="Data held about people, and its removal.", no_args_is_help=True)


Person = Annotated[str, typer.Argument(help="The source's id of the person; TOOL|ID for a survey answer.")]
Holder = Annotated[
    str, typer.Option(help="Source that holds the person: zoho_crm, zoho_people, survey_files ...")
]


@app.command()
def held() -> None:
    """List the data held about people, why, and for how long."""
    from mel_pipeline.ingest.privacy.holdings import holdings

    warehouse, _ = opened()
    for item in holdings(warehouse):
        retention = (
            f"kept {item.keep_months} months" if item.keep_months else "kept as long as figures depend on it"
        )
        typer.secho(f"{item.source} {item.entity}: {item.what}", bold=True)
        typer.echo(f"  {item.why}")
        if item.keys:
            typer.echo(
                f"  people as pseudonyms in {', '.join(item.keys)}; no name, address or number is ever requested"
            )
        if item.texts:
            typer.echo(f"  text that may identify people in {', '.join(item.texts)}, {retention}")
        since = f" since {item.oldest}" if item.oldest else ""
        typer.echo(f"  {item.rows:,} rows{since}, {item.versions:,} earlier versions ({retention})")


@app.command()
def erase(
    person: Person,
    source: Holder = "zoho_crm",
    reason: Annotated[
        str, typer.Option(help="For example: request of 3 November. No names.")
    ] = "request of the person",
) -> None:
    """Remove a person from raw data, history, quarantine and derived tables. Published figures stay."""
    from mel_pipeline.ingest.privacy import load_pseudonyms
    from mel_pipeline.ingest.privacy.erasure import erase as remove

    warehouse, settings = opened()
    done = remove(warehouse, load_pseudonyms(settings), source, person, reason)
    typer.echo(done.sentence)
    if settings.backup_dir and settings.backup_dir.is_dir():
        from mel_pipeline.backup.erasures import note

        note(warehouse, settings.backup_dir)
        typer.echo(
            f"Backups hold the person until they are removed, at the latest in {settings.backup_days} days; a restoration"
            " erases the person again."
        )
    typer.echo("Erase the person at the source as well, and in exports in drop folders and backups.")


@app.command()
def export(
    person: Person,
    source: Holder = "zoho_crm",
) -> None:
    """Print everything held about a person as JSON, with purpose and retention: for the person's right of access."""
    from mel_pipeline.ingest.privacy import load_pseudonyms
    from mel_pipeline.ingest.privacy.export import export as held_about

    warehouse, settings = opened()
    found = held_about(warehouse, load_pseudonyms(settings), source, person)
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


@app.command()
def register() -> None:
    """Print the record of processing as Markdown: what, why, on what legal ground, how long, who receives it."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.ingest.privacy.register import register as record

    typer.echo(record(load_settings().organisation_name), nl=False)


@app.command()
def retain() -> None:
    """Remove text, earlier versions and quarantined rows older than their source's contract allows."""
    from mel_pipeline.core.clock import utc_now
    from mel_pipeline.ingest.privacy.erasure import purge
    from mel_pipeline.ingest.privacy.holdings import remove_expired

    warehouse, _ = opened()
    removed = remove_expired(warehouse, utc_now())
    purge(warehouse)
    for table, count in removed.items():
        typer.echo(f"  {table}: {count:,}")
    typer.echo("Removed." if removed else "Nothing has expired.")
