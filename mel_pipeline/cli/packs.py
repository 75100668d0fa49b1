"""``mel pack`` and ``mel recall``: packs of an edition, and taking a wrong one back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mel_pipeline.cli.delivery import PeriodArgument
from mel_pipeline.cli.publication import QuarterArgument, opened


def pack(
    period: PeriodArgument,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="deck", help="deck, donors, iati or social; all by default. Can be repeated."
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Another folder; beside the drafts by default."),
    ] = None,
) -> None:
    """Make the board deck, the donor reports, the IATI file and pictures for social media from released figures."""
    from mel_pipeline.reporting.inputs.packs import write_packs

    warehouse, settings = opened()
    built = write_packs(warehouse, settings, period, only or [], to)
    for path in built.files:
        typer.echo(path.relative_to(built.folder))
    typer.echo(f"{len(built.files)} files in {built.folder}")
    for note in built.notes:
        typer.secho(f"  ! {note}", fg="yellow")


def recall(
    quarter: QuarterArgument,
    role: Annotated[str, typer.Option("--role", help="Role that decides, never a person's name.")] = "",
    reason: Annotated[
        str, typer.Option("--reason", help="Why: printed on every page and sent to everyone who received it.")
    ] = "",
) -> None:
    """Recall a published edition: mark its files and the site, write to its receivers, note who and why.

    Without role and reason: finish a recall that was interrupted. Publish a restated version afterwards.
    """
    from mel_pipeline.core.logins import acting
    from mel_pipeline.delivery.recalling import recall_edition

    warehouse, settings = opened()
    done = recall_edition(warehouse, settings, quarter, role, reason, acting(settings))
    typer.echo(done.sentence)
    for note in done.notes:
        typer.echo(f"  ! {note}")
    typer.echo(
        f"Correct the data or the workbook, then publish a restated version: mel publish {quarter} --role … --note …"
    )


def register(app: typer.Typer) -> None:
    app.command()(pack)
    app.command()(recall)
