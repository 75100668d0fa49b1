"""What people state in the workbook: projects, outcomes, partnerships, and figures counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mel_pipeline_tests.backtests.second_calculation.cells import Cell, count, missing
from mel_pipeline_tests.backtests.second_calculation.periods import Period

FOLDER = Path(__file__).parents[3] / "mel_pipeline" / "organisations" / "metropolis"
UNSAID = "Not stated"


def sheets() -> dict[str, pd.DataFrame]:
    """The rows of the organisation and of its sample, by sheet; texts, and None where a cell is empty."""
    found: dict[str, list[Any]] = {}
    for path in (FOLDER / "workbook.yml", FOLDER / "sample" / "workbook.yml"):
        for name, rows in yaml.safe_load(path.read_text("utf-8")).items():
            found.setdefault(name, []).extend(rows)
    frames = {name: pd.DataFrame(rows, dtype=object) for name, rows in found.items()}
    return {name: frame.where(frame.notna(), None) for name, frame in frames.items()}


def cells(stated: dict[str, pd.DataFrame], period: Period) -> Iterator[Cell]:
    yield from _outcomes(stated["outcomes"], period)
    yield from _under_way(stated["projects"], period)
    yield from _spending(stated["project_finances"], stated["projects"], period)
    yield from _agreements(stated["partnerships"], period)
    for indicator in stated["manual_indicators"].to_dict("records"):
        yield from _by_hand(indicator, stated["manual_figures"], period)


def _days(frame: pd.DataFrame, column: str) -> pd.Series:
    return frame[column].map(lambda text: date.fromisoformat(text) if text else None)


def _counted(indicator: str, period: Period, rows: pd.DataFrame, **by: pd.Series) -> Iterator[Cell]:
    yield count(indicator, period, "total", len(rows))
    for dimension, names in by.items():
        for name, part in rows.groupby(names.loc[rows.index]):
            yield count(indicator, period, f"{dimension}={name}", len(part))


def _outcomes(register: pd.DataFrame, period: Period) -> Iterator[Cell]:
    happened = register[period.contains(_days(register, "happened_on"))]
    yield from _counted(
        "OUT-01",
        period,
        happened,
        outcome_status=register["substantiated"].map(
            lambda said: "Substantiated" if said == "yes" else "Not yet substantiated"
        ),
        line_of_action=register["line"].fillna(UNSAID),
    )


def _under_way(projects: pd.DataFrame, period: Period) -> Iterator[Cell]:
    starts, ends = _days(projects, "starts_on"), _days(projects, "ends_on")
    begun = starts.map(lambda day: day is not None and day <= period.last)
    over = ends.map(lambda day: day is not None and day < period.last)
    active = projects[begun & ~over & (projects["status"] == "active")]
    yield from _counted(
        "PRJ-01",
        period,
        active,
        line_of_action=projects["line"].fillna(UNSAID),
        donor=projects["donor"].fillna(UNSAID),
    )


def _spending(finances: pd.DataFrame, projects: pd.DataFrame, period: Period) -> Iterator[Cell]:
    rows = finances[finances["year"] == period.name].astype({"budget": float, "spent": float})
    if rows.empty:
        yield missing("PRJ-02", period, "total")
        return
    lines = rows["project"].map(projects.set_index("code")["line"])
    for of, part in (
        ("total", rows),
        *((f"project={name}", part) for name, part in rows.groupby("project")),
        *((f"line_of_action={name}", part) for name, part in rows.groupby(lines)),
    ):
        spent, budget = part["spent"].sum(), part["budget"].sum()
        yield Cell("PRJ-02", period.name, of, 100 * spent / budget, spent, budget, float(len(part)))


def _agreements(agreements: pd.DataFrame, period: Period) -> Iterator[Cell]:
    signed = agreements["status"].isin(["agreed", "completed"]) & period.contains(
        _days(agreements, "agreed_on")
    )
    lines = agreements["line"].fillna(UNSAID)
    kinds = agreements["kind"].str.capitalize()
    new = agreements[signed & (agreements["kind"] != "grant")]
    yield from _counted("PAR-01", period, new, partnership_kind=kinds, line_of_action=lines)
    yield from _counted(
        "FND-02", period, agreements[signed & (agreements["kind"] == "grant")], line_of_action=lines
    )


def _by_hand(indicator: dict[str, Any], figures: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """The figure of the period itself; of a level, a year has that of its last quarter. None before the first one."""
    code = indicator["code"]
    mine = figures[figures["indicator"] == code].set_index("period")["value"]
    last = f"{period.name}-Q4"
    first = min(name if "-Q" in name else f"{name}-Q1" for name in mine.index)
    if period.name in mine:
        yield count(code, period, "total", float(mine[period.name]))
    elif indicator["aggregation"] == "stock" and last in mine:
        yield count(code, period, "total", float(mine[last]))
    elif first <= (period.name if "-Q" in period.name else last):
        yield missing(code, period, "total")
