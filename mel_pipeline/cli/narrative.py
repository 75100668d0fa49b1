"""`mel narrative`: what the workbook states for an edition besides its figures."""

from __future__ import annotations

from typing import Annotated

import typer

PeriodArgument = Annotated[
    str, typer.Argument(help="Quarter or year of the edition, such as 2024-Q4 or 2024.")
]


def narrative(period: PeriodArgument) -> None:
    """Count an edition's main points, lessons, comments and decisions in the workbook."""
    from mel_pipeline.core.periods import parse_period
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.edition import Narrative
    from mel_pipeline.reporting.inputs.narrative import read_narrative

    try:
        period = parse_period(period)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    found = read_narrative(load_settings(), period) or Narrative()
    typer.echo(
        f"{period}: {len(found.main_points)} main points, {len(found.lessons)} lessons,"
        f" {len(found.comments)} themes of comments, {len(found.decisions)} decisions."
    )
    typer.echo(
        "Write them into the workbook: `mel workbook get`, sheets Main points, Lessons and themes, Decisions."
    )
