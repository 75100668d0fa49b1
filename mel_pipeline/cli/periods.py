"""Quarters and years as arguments of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from mel_pipeline.core.periods import Quarter, parse_period


def quarter_of(text: str) -> Quarter:
    try:
        return Quarter.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def period_of(text: str) -> Quarter | int:
    try:
        found = parse_period(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return Quarter.parse(found) if "-" in found else int(found)


QuarterOption = Annotated[
    Quarter, typer.Option("--quarter", "-q", parser=quarter_of, metavar="2024-Q4", help="Quarter to work on.")
]
