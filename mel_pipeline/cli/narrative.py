"""`mel narrative`: the file in which the MEL lead writes what an edition says besides its figures."""

from __future__ import annotations

from typing import Annotated

import typer

PeriodArgument = Annotated[
    str, typer.Argument(help="Quarter or year of the edition, such as 2024-Q4 or 2024.")
]


def narrative(period: PeriodArgument) -> None:
    """Create the file for an edition's main points, lessons, comments and decisions, or check its content."""
    from mel_pipeline.core.periods import parse_period
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.narrative import read_narrative, start_narrative

    settings = load_settings()
    try:
        period = parse_period(period)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    path = start_narrative(settings, period)
    found = read_narrative(settings, period)
    assert found is not None  # noqa: S101 - start_narrative has created it
    typer.echo(
        f"{path}: {len(found.main_points)} main points, {len(found.lessons)} lessons,"
        f" {len(found.comments)} themes of comments, {len(found.decisions)} decisions."
    )
    typer.echo("Edit it, then write the report again: the job quarterly_report, or `mel run`.")


def learning(period: PeriodArgument) -> None:
    """The old name of `mel narrative`."""
    typer.echo("`mel learning` is now `mel narrative`; the old name goes in the next version.", err=True)
    narrative(period)
