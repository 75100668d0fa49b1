"""GEN: shares of women, and the two bodies that are counted on a day."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mel_pipeline_tests.backtests.second_calculation.cells import Cell, share
from mel_pipeline_tests.backtests.second_calculation.periods import Period, plain_day

UNDISCLOSED = "Undisclosed"
CATEGORIES = {
    "Woman": "Woman",
    "Female": "Woman",
    "Man": "Man",
    "Male": "Man",
    "Non-binary": "Non-binary",
    "Self-described": "Non-binary",
}


def category(stated: object) -> str:
    """As the person stated it; without a statement, or if the person prefers not to say, undisclosed."""
    return CATEGORIES.get(stated, UNDISCLOSED) if isinstance(stated, str) else UNDISCLOSED


def cells(indicator: str, period: Period, genders: pd.Series) -> Iterator[Cell]:
    """Women over those who stated a gender; every gender over the same; the undisclosed over all."""
    stated = genders[genders != UNDISCLOSED]
    yield share(indicator, period, "total", (stated == "Woman").sum(), len(stated))
    for name in ("Woman", "Man", "Non-binary"):
        yield share(indicator, period, f"gender={name}", (stated == name).sum(), len(stated))
    yield share(indicator, period, f"gender={UNDISCLOSED}", len(genders) - len(stated), len(genders))


def bodies(
    staff: pd.DataFrame, seats: pd.DataFrame, contacts: pd.DataFrame, period: Period
) -> Iterator[Cell]:
    """GEN-03 and GEN-04, on the last day of the period; the last day of a contract or term counts."""
    joined, left = (
        plain_day(staff[name].replace("", None), "%d-%b-%Y") for name in ("Date_of_joining", "Date_of_exit")
    )
    in_post = (joined <= period.last) & (left.isna() | (left >= period.last))
    counted = staff[in_post & staff["Employment_Type"].isin(["Staff", "Secondee"])]
    yield from cells("GEN-03", period, counted["Gender"].map(category))
    begun, ended = plain_day(seats["Term_Start"]), plain_day(seats["Term_End"])
    holders = seats[(begun <= period.last) & (ended.isna() | (ended >= period.last))]["Contact"].unique()
    stated = contacts.set_index("id")["Gender"].reindex(holders)
    yield from cells("GEN-04", period, stated.map(category))
