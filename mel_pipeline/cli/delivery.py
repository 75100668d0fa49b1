"""``mel deliver``: send an edition to its readers."""

from __future__ import annotations

from typing import Annotated

import typer

from mel_pipeline.cli.publication import opened
from mel_pipeline.core.periods import Quarter


def _period(text: str) -> str:
    if len(text) == 4 and text.isdigit():
        return text
    try:
        return str(Quarter.parse(text))
    except ValueError as error:
        raise typer.BadParameter(f"{error} A year is written like 2024.") from None


PeriodArgument = Annotated[
    str, typer.Argument(metavar="2024-Q4", parser=_period, help="A quarter or a year.")
]


def deliver(
    period: PeriodArgument,
    draft: Annotated[
        bool,
        typer.Option("--draft", help="Only to the MEL lead, marked as a draft; also before publication."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also to recipients who already have this version.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent; send and copy nothing.")
    ] = False,
) -> None:
    """Send a published edition by e-mail and copy it to the folder of MEL_DELIVER_DIR, each version once."""
    from mel_pipeline.delivery.service import deliver as send

    warehouse, settings = opened()
    done = send(warehouse, settings, period, draft=draft, again=again, dry_run=dry_run)
    typer.echo(done.sentence)
    for note in done.notes:
        typer.echo(f"  ! {note}")


def register(app: typer.Typer) -> None:
    app.command()(deliver)
