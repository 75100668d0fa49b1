"""``mel quality``: check results, quarantine and corrections, at a terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from mel_pipeline.cli.publication import opened

app = typer.Typer(help="Check results, the quarantine, and corrections.", invoke_without_command=True)
SHOWN = 10


@app.callback(invoke_without_command=True)
def quality(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="List every rule, not only broken ones.")] = False,
) -> None:
    """Rows in, quarantined, corrected and late by source; cells left empty; and every broken rule."""
    if context.invoked_subcommand:
        return
    from mel_pipeline.quality.scorecard import card, rules, worth_a_look

    warehouse, _ = opened()
    lines = card(warehouse)
    typer.secho(
        f"{'':<34}{'rows in':>10}{'quarantined':>13}{'empty cells':>13}{'corrected':>11}{'late':>7}",
        bold=True,
    )
    for line in lines:
        typer.echo(
            f"{line.title:<34.33}{line.rows:>10,}{line.quarantined:>13,}{line.cells:>13,}{line.corrected:>11,}"
            f"{line.late:>7,}  {line.status}"
        )
    if not lines:
        typer.echo("Nothing has been loaded yet.")
    for dimension, found in rules(warehouse).items():
        broken = [rule for rule in found if not rule["passed"]]
        typer.secho(f"{dimension}: {len(found) - len(broken)} of {len(found)} rules hold", bold=True)
        for rule in found if every else broken:
            mark = "✓" if rule["passed"] else "✗" if rule["severity"] == "error" else "!"
            typer.echo(f"  {mark} {rule['asset']}: {rule['sentence']}")
    if look := worth_a_look(warehouse):
        typer.secho(f"plausibility: {len(look)} totals are worth a second look", bold=True)
        for sentence in look:
            typer.echo(f"  ? {sentence}")


@app.command()
def quarantine(
    source: Annotated[str, typer.Option(help="One source only.")] = "",
) -> None:
    """List the quarantined rows and cells, with file or page, row and reason."""
    from mel_pipeline.quality.scorecard import quarantined_rows

    warehouse, _ = opened()
    rows = quarantined_rows(warehouse, source)
    for row in rows:
        typer.echo(
            f"{row['source']} {row['entity']} · {row['source_ref']} · {row['row_key'] or 'no key'}: {row['reason']}"
        )
    typer.echo(
        f"{len(rows):,} in quarantine. Correct them at the source, or in the workbook, sheet Corrections, and run"
        " `mel quality replay`."
    )


@app.command()
def corrections() -> None:
    """List the corrections with the number of rows each was applied to; those without a match are marked."""
    from mel_pipeline.ingest.replay import use_of_corrections

    warehouse, settings = opened()
    found = use_of_corrections(warehouse, settings)
    for correction, rows in found:
        mark = "✓" if rows else "!"
        typer.echo(
            f"{mark} {correction.sentence} Applied to {rows:,} rows."
            if rows
            else f"{mark} {correction.sentence} No match."
        )
    if not found:
        typer.echo("No corrections. Write them into the workbook, sheet Corrections (`mel workbook get`).")


@app.command()
def replay() -> None:
    """Apply the corrections to quarantined and stored rows, without calling any source."""
    from mel_pipeline.ingest.replay import replay as again

    warehouse, settings = opened()
    for table, result in again(warehouse, settings).items():
        typer.echo(f"{table}: {result.sentence}")
    typer.echo("Run the quarter again for its figures: `mel run --quarter ...`.")
