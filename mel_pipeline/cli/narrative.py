"""`mel learning`: the small file in which the MEL lead writes what an edition says beside its figures."""

from __future__ import annotations

from typing import Annotated

import typer


def learning(
    period: Annotated[str, typer.Argument(help="Quarter or year of the edition, such as 2024-Q4 or 2024.")],
) -> None:
    """Make the file for an edition's main points, lessons, comments and decisions, or check what is in it."""
    from mel_pipeline.core.periods import parse_period
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.narrative import read_learning, start_learning

    settings = load_settings()
    try:
        period = parse_period(period)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    path = start_learning(settings, period)
    found = read_learning(settings, period)
    assert found is not None  # noqa: S101 - the line above has made it
    typer.echo(
        f"{path}: {len(found.main_points)} main points, {len(found.lessons)} lessons,"
        f" {len(found.comments)} themes of comments, {len(found.decisions)} decisions."
    )
    typer.echo("Edit it, then write the report again: the job quarterly_report, or `mel run`.")
