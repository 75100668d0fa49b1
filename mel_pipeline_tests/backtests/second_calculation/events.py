"""LAB and GEN-01, GEN-02: events of the CRM and who took part in them."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mel_pipeline_tests.backtests.second_calculation import gender
from mel_pipeline_tests.backtests.second_calculation.cells import Cell, count, share
from mel_pipeline_tests.backtests.second_calculation.members import REGIONS, by_region, on_day
from mel_pipeline_tests.backtests.second_calculation.periods import Period, local_day

TOPICS = {"programme": "Programme", "theme": "Themes", "line_of_action": "Line_of_Action"}
NO_PROGRAMME = "Not stated"


def events_of(crm: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Events by id, each with the day it began in the organisation's time zone."""
    frame = crm["Network_Events"].set_index("id")
    frame["day"] = local_day(frame["Start_Time"])
    frame["held"] = frame["Event_Status"] == "Held"
    frame["is_lab"] = frame["Event_Type"] == "Solutions Lab"
    frame["Lab"] = frame["Lab"].fillna(frame["Name"])  # a session without a lab's name is one of its own
    frame["Programme"] = frame["Programme"].fillna(NO_PROGRAMME)
    return frame


def participations_of(
    crm: dict[str, pd.DataFrame], events: pd.DataFrame, organisations: pd.DataFrame
) -> pd.DataFrame:
    """Participations with their event, the gender of the person and whether the organisation was a member that day."""
    columns = [
        "day",
        "held",
        "is_lab",
        "Event_Type",
        "Event_Status",
        "Organised_By_Network",
        *TOPICS.values(),
    ]
    frame = crm["Participations"].join(events[columns], on="Event", how="inner")
    frame["gender"] = frame["Contact"].map(crm["Contacts"].set_index("id")["Gender"]).map(gender.category)
    kind = frame["Account"].map(organisations["Member_Type"])
    joined, left = (frame["Account"].map(organisations[name]) for name in ("joined", "left"))
    begun = joined.isna() | (joined <= frame["day"])
    ended = left.notna() & (left <= frame["day"])
    frame["was_member"] = (kind == "Member") & begun & ~ended
    return frame


def cells(
    events: pd.DataFrame, participations: pd.DataFrame, organisations: pd.DataFrame, period: Period
) -> Iterator[Cell]:
    sessions = events[events["held"] & events["is_lab"] & period.contains(events["day"])]
    yield count("LAB-01", period, "total", sessions["Lab"].nunique())
    for topic, column in TOPICS.items():
        labs = sessions.explode(column).groupby(column)["Lab"].nunique()
        for name, number in labs.items():
            yield count("LAB-01", period, f"{topic}={name}", number)
    mine = participations[participations["held"] & period.contains(participations["day"])]
    attended = mine[mine["Attended"] & mine["is_lab"]]
    yield from _engaged(attended[attended["was_member"]], sessions, organisations, period)
    yield from _participants(attended, period)
    speaking = mine[
        mine["Role"].isin(["Speaker", "Moderator"]) & mine["Attended"] & mine["Organised_By_Network"]
    ]
    yield from gender.cells("GEN-02", period, speaking["gender"])
    yield from _women_by_programme("GEN-02", speaking, period)
    ours = mine[mine["Attended"] & mine["Organised_By_Network"]]
    people = ours["Contact"].fillna(ours["id"])
    yield count("RCH-04", period, "total", people.nunique())
    for name, number in people.groupby(ours["Programme"]).nunique().items():
        yield count("RCH-04", period, f"programme={name}", number)
    yield from _conferences(events[events["held"] & period.contains(events["day"])], mine, period)


def _conferences(held: pd.DataFrame, mine: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """EVT-01: hosted, or organised by others and attended by somebody."""
    attended = held.index.isin(mine[mine["Attended"]]["Event"])
    chosen = held[
        held["Event_Type"].isin(["Conference", "Panel"]) & (held["Organised_By_Network"] | attended)
    ]
    chosen = chosen.assign(
        organiser=chosen["Organised_By_Network"].map(
            {True: "Organised by the network", False: "Organised by others"}
        )
    )
    yield count("EVT-01", period, "total", len(chosen))
    for dimension, column in (
        ("organiser", "organiser"), ("activity_type", "Event_Type"), ("programme", "Programme"),
        ("line_of_action", "Line_of_Action"),
    ):  # fmt: skip
        for name, number in chosen.explode(column)[column].value_counts().items():
            yield count("EVT-01", period, f"{dimension}={name}", number)


def _engaged(
    attended: pd.DataFrame, sessions: pd.DataFrame, organisations: pd.DataFrame, period: Period
) -> Iterator[Cell]:
    """LAB-02 and LAB-03: cities, each once."""
    engaged = organisations[organisations.index.isin(attended["Account"])]
    yield from by_region("LAB-02", period, engaged)
    for topic, column in TOPICS.items():
        cities = attended.explode(column).groupby(column)["Account"].nunique()
        for name in sessions.explode(column)[column].dropna().unique():
            yield count("LAB-02", period, f"{topic}={name}", cities.get(name, 0))
    members = on_day(organisations, "Member", period.last)
    yield share("LAB-03", period, "total", len(engaged), len(members))
    for region in REGIONS:
        here = [(frame["region"] == region).sum() for frame in (engaged, members)]
        yield share("LAB-03", period, f"region={region}", *here)


def _participants(attended: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """GEN-01: people, each once; a participation without a person is one of its own."""
    mine = attended[attended["Role"] == "Participant"]
    people = mine["Contact"].fillna(mine["id"])
    yield from gender.cells("GEN-01", period, mine["gender"][~people.duplicated()])
    once = mine.assign(person=people).drop_duplicates(["person", "Programme"])
    yield from _women_by_programme("GEN-01", once, period)


def _women_by_programme(indicator: str, cases: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """Women over the cases of a programme with a stated gender."""
    for name, genders in cases.groupby("Programme")["gender"]:
        stated = genders[genders != gender.UNDISCLOSED]
        yield share(indicator, period, f"programme={name}", (stated == "Woman").sum(), len(stated))
