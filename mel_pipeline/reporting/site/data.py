"""The data of the site, with disclosure control of the cities' presence. Reads nothing and draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from mel_pipeline.reporting.site.register import Register

if TYPE_CHECKING:
    from datetime import date

    from mel_pipeline.reporting.edition import Edition, Recall

KINDS = ("Solutions Lab", "Training", "Conference", "Panel", "Governing body")
SPEAKING, SEAT = "speaking", "seat"


@dataclass(frozen=True)
class Presence:
    """Where organisations were present, as far as it may be shown. Counts are of events, never of people.

    ``counts``: account_id, quarter, kind (one of ``KINDS``, ``speaking`` or ``seat``), events.
    ``labs``: account_id, year, lab. ``withheld``: quarter and kind whose counts are not shown for any organisation.
    ``recorded``: quarters with any record at all; in others a count is missing, not zero.
    """

    counts: pd.DataFrame
    labs: pd.DataFrame
    withheld: frozenset[tuple[str, str]]
    recorded: frozenset[str]


@dataclass(frozen=True)
class Site:
    """Everything the site shows.

    ``edition``: the latest one, with the figures of every period.
    ``standings``: period → version and day, for published periods only.
    ``cities``: account_id, part_of_account_id, account_name, member_type, region, country_code; one row each.
    ``spells``: account_id, began_on, ended_on (first day no longer a member); empty where not known or not ended.
    ``donors``: account_id, donor: the name under which the released figures print the organisation's contribution.
    ``recalls``: period → the recall of its published version, which nothing has replaced.
    ``workbook``: address of the page where people state things, for the MEL lead's site only.
    """

    edition: Edition
    standings: dict[str, tuple[int, date]]
    cities: pd.DataFrame
    spells: pd.DataFrame
    presence: Presence
    donors: pd.DataFrame
    register: Register = field(default_factory=Register)
    workbook: str = ""
    recalls: dict[str, Recall] = field(default_factory=dict)


def protected_presence(attended: pd.DataFrame, seats: pd.DataFrame, min_cell: int) -> Presence:
    """Counts of events by organisation, quarter and kind.

    Knowing which cities were present reveals the minimum number of people. Where fewer than ``min_cell``
    organisations were present, that could disclose a withheld figure about people: the kind is then shown for no
    organisation in that quarter, not even that a city was absent.

    Args:
        attended: account_id, quarter, event_id, event_type, lab, spoke; one row per organisation and event.
        seats: account_id, quarter; an organisation with a seat at the end of the quarter.
    """
    recorded = frozenset(attended["quarter"])
    withheld = _too_few(attended.rename(columns={"event_type": "kind"}), min_cell)
    shown = _without(attended, "event_type", withheld)
    # A speaker in a quarter would disclose a withheld event they spoke at.
    unseen = set(attended.loc[attended["spoke"] & ~attended.index.isin(shown.index), "quarter"])
    spoke = shown[shown["spoke"]].assign(kind=SPEAKING)
    withheld |= _too_few(spoke, min_cell) | {(quarter, SPEAKING) for quarter in unseen}
    held = seats.assign(kind=SEAT, event_id=SEAT)
    withheld |= _too_few(held, min_cell)
    rows = pd.concat(
        [shown.rename(columns={"event_type": "kind"}), spoke.drop(columns="event_type"), held],
        ignore_index=True,
    )
    counts = (
        _without(rows, "kind", withheld)
        .groupby(["account_id", "quarter", "kind"], as_index=False)
        .agg(events=("event_id", "nunique"))
    )
    return Presence(counts, _labs(shown, min_cell), frozenset(withheld), recorded)


def _too_few(rows: pd.DataFrame, min_cell: int) -> set[tuple[str, str]]:
    found = rows.groupby(["quarter", "kind"], as_index=False).agg(many=("account_id", "nunique"))
    few = found[found["many"] < min_cell]
    return set(zip(few["quarter"], few["kind"], strict=True))


def _without(rows: pd.DataFrame, column: str, withheld: set[tuple[str, str]]) -> pd.DataFrame:
    pairs = zip(rows["quarter"], rows[column], strict=True)
    return rows.loc[pd.Series([pair not in withheld for pair in pairs], index=rows.index, dtype=bool)]


def _labs(shown: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    rows = shown[shown["lab"].notna()].assign(year=lambda frame: frame["quarter"].str[:4])
    rows = rows[["account_id", "year", "lab"]].drop_duplicates()
    crowd = rows.groupby(["year", "lab"])["account_id"].transform("nunique")
    return rows[crowd >= min_cell].sort_values(["account_id", "year", "lab"], ignore_index=True)
