"""``mel privacy``: what is held about people, erasing a person, removing what is too old."""

from __future__ import annotations

from typing import Annotated

import typer

from mel_pipeline.cli.publication import opened

app = typer.Typer(help="What is held about people, and its removal.", no_args_is_help=True)


@app.command()
def held() -> None:
    """List what is held about people, why, and for how long."""
    from mel_pipeline.ingest.privacy.holdings import holdings

    warehouse, _ = opened()
    for item in holdings(warehouse):
        kept = f"kept {item.keep_months} months" if item.keep_months else "kept as long as figures rest on it"
        typer.secho(f"{item.source} {item.entity}: {item.what}", bold=True)
        typer.echo(f"  {item.why}")
        if item.keys:
            typer.echo(
                f"  people as pseudonyms in {', '.join(item.keys)}; no name, address or number is ever asked for"
            )
        if item.texts:
            typer.echo(f"  text that may tell about people in {', '.join(item.texts)}, {kept}")
        since = f" since {item.oldest}" if item.oldest else ""
        typer.echo(f"  {item.rows:,} rows{since}, {item.versions:,} earlier versions ({kept})")


@app.command()
def erase(
    person: Annotated[str, typer.Argument(help="The source's own id of the person; of an answer TOOL|ID.")],
    source: Annotated[
        str, typer.Option(help="Where the person is known: zoho_crm, zoho_people, survey_files ...")
    ] = "zoho_crm",
    reason: Annotated[
        str, typer.Option(help="Such as: request of 3 November. No name.")
    ] = "request of the person",
) -> None:
    """Remove a person from raw data, history, quarantine and derived tables. Published figures stay."""
    from mel_pipeline.ingest.privacy import load_pseudonyms
    from mel_pipeline.ingest.privacy.erasure import erase as remove

    warehouse, settings = opened()
    done = remove(warehouse, load_pseudonyms(settings), source, person, reason)
    typer.echo(done.sentence)
    typer.echo("Erase the person at the source as well, and in exports that lie in drop folders and backups.")


@app.command()
def retain() -> None:
    """Remove text, earlier versions and quarantined rows that are older than their source allows."""
    from mel_pipeline.core.clock import utc_now
    from mel_pipeline.ingest.privacy.holdings import remove_expired

    warehouse, _ = opened()
    removed = remove_expired(warehouse, utc_now())
    for table, count in removed.items():
        typer.echo(f"  {table}: {count:,}")
    typer.echo("Removed." if removed else "Nothing is older than it may be.")
