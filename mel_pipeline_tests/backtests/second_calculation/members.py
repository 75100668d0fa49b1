"""MEM: the memberships of the CRM's organisations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pandas as pd

from mel_pipeline_tests.backtests.second_calculation.cells import Cell, count, share
from mel_pipeline_tests.backtests.second_calculation.periods import Period, plain_day

NOT_STATED = "Not stated"
REGIONS = [
    "Africa",
    "Eurasia and Middle East",
    "Asia",
    "Europe",
    "Latin America and the Caribbean",
    "North America",
    NOT_STATED,
]


def organisations(accounts: pd.DataFrame) -> pd.DataFrame:
    """Organisations with their dates as days and a region each, 'Not stated' where the CRM has none.

    The sample's CRM was read once, so type and region of today are those of every earlier day.
    """
    frame = accounts.set_index("id")
    frame["joined"] = plain_day(frame["Joined_On"])
    frame["left"] = plain_day(frame["Left_On"])
    frame["region"] = frame["Region"].where(frame["Region"].isin(REGIONS), NOT_STATED)
    return frame


def on_day(frame: pd.DataFrame, kind: str, day: date) -> pd.DataFrame:
    """Organisations of a type whose membership covers the day. The leaving day is no day of membership."""
    begun = frame["joined"].isna() | (frame["joined"] <= day)
    ended = frame["left"].notna() & (frame["left"] <= day)
    return frame[(frame["Member_Type"] == kind) & begun & ~ended]


def in_period(frame: pd.DataFrame, kind: str, period: Period) -> pd.DataFrame:
    """Organisations of a type that were members on at least one day of the period."""
    begun = frame["joined"].isna() | (frame["joined"] <= period.last)
    ended = frame["left"].notna() & (frame["left"] <= period.first)
    empty = frame["joined"].notna() & frame["left"].notna() & (frame["left"] <= frame["joined"])
    return frame[(frame["Member_Type"] == kind) & begun & ~ended & ~empty]


def by_region(indicator: str, period: Period, chosen: pd.DataFrame) -> Iterator[Cell]:
    """The total and every region of the network, also those with none."""
    yield count(indicator, period, "total", len(chosen))
    for region in REGIONS:
        yield count(indicator, period, f"region={region}", (chosen["region"] == region).sum())


def cells(frame: pd.DataFrame, taking_part: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """All MEM indicators; ``taking_part`` has the attended participations in held events."""
    members = on_day(frame, "Member", period.last)
    yield from by_region("MEM-01", period, members)
    for kind, number in members["Jurisdiction_Type"].value_counts().items():
        yield count("MEM-01", period, f"jurisdiction_type={kind}", number)
    yield from by_region("MEM-04", period, on_day(frame, "Associate", period.last))
    spell = ~(frame["joined"].notna() & frame["left"].notna() & (frame["left"] < frame["joined"]))
    for indicator, kind, moment in (
        ("MEM-02", "Member", "joined"), ("MEM-07", "Associate", "joined"), ("MEM-08", "Member", "left"),
    ):  # fmt: skip
        chosen = frame[(frame["Member_Type"] == kind) & period.contains(frame[moment]) & spell]
        yield from by_region(indicator, period, chosen)
    yield from _active(frame, taking_part, period)
    yield from _retained(frame, members, period)


def _retained(frame: pd.DataFrame, members: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """MEM-03: of the members of the same day a year before, those that are members now."""
    before = on_day(frame, "Member", period.last.replace(year=period.last.year - 1))
    still = before[before.index.isin(members.index)]
    yield share("MEM-03", period, "total", len(still), len(before))
    for region in REGIONS:
        here = [(group["region"] == region).sum() for group in (still, before)]
        yield share("MEM-03", period, f"region={region}", *here)


def _active(frame: pd.DataFrame, taking_part: pd.DataFrame, period: Period) -> Iterator[Cell]:
    members = in_period(frame, "Member", period)
    mine = taking_part[period.contains(taking_part["day"]) & taking_part["was_member"]]
    active = members[members.index.isin(mine["Account"])]
    yield share("MEM-05", period, "total", len(active), len(members))
    for region in REGIONS:
        yield share(
            "MEM-05",
            period,
            f"region={region}",
            (active["region"] == region).sum(),
            (members["region"] == region).sum(),
        )
