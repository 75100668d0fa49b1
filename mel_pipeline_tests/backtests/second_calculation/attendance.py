"""TRN and GEN-05: who came to trainings, from the attendance lists; time is counted second by second."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mel_pipeline_tests.backtests.second_calculation import gender
from mel_pipeline_tests.backtests.second_calculation.cells import Cell, count, missing
from mel_pipeline_tests.backtests.second_calculation.periods import Period

ENGLISH = {
    "Mujer": "Woman",
    "Hombre": "Man",
    "No binario": "Non-binary",
    "Prefiero no decirlo": "Prefers not to say",
}
FRENCH = {
    "Femme": "Woman",
    "Homme": "Man",
    "Non binaire": "Non-binary",
    "Je préfère ne pas répondre": "Prefers not to say",
}
HOST = "trainer@example.org"


class Row(NamedTuple):
    """A line of a list; ``first`` and ``last`` where it has times."""

    email: str
    gender: str
    first: datetime | None = None
    last: datetime | None = None


def trained_of(folder: Path, events: pd.DataFrame) -> pd.DataFrame:
    """One row a person and training that has a list: event, person, gender, came. The gender is the one stated last."""
    by_code = events.rename_axis("event").reset_index().set_index("Event_Code")["event"]
    found = []
    for path in sorted(folder.iterdir()):
        code, rows = _read(path, events)
        event = events.loc[by_code[code]]
        found += [
            {"event": by_code[code], "day": event["day"], "person": person, "gender": said, "came": came}
            for person, said, came in _came(rows, event)
        ]
    frame = pd.DataFrame(found).sort_values("day")
    frame["gender"] = frame["gender"].map(gender.category)
    said = frame[frame["gender"] != gender.UNDISCLOSED].groupby("person")["gender"].last()
    frame["gender"] = frame["person"].map(said).fillna(gender.UNDISCLOSED)
    return frame


def _read(path: Path, events: pd.DataFrame) -> tuple[str, list[Row]]:
    code = next(
        (part for part in path.stem.replace("_", " ").split(" ") if part.startswith("TRN-")), path.stem[-14:]
    )
    if path.name.startswith("attendee-report"):
        text = path.read_text("utf-8-sig")
        people = list(csv.DictReader(io.StringIO(text.partition("Attendee Details")[2].partition("\n")[2])))
        hosts = csv.DictReader(
            io.StringIO(text.partition("Host Details")[2].partition("\n")[2].partition("Attendee")[0])
        )
        rows = [
            Row(
                one["Email"],
                one.get("How do you describe your gender?", ""),
                *_times(one, "%b %d, %Y %H:%M:%S"),
            )
            for one in [*hosts, *people]
            if one["Attended"] == "Yes"
        ]
        return code, rows
    if path.name.startswith("Attendance report"):
        text = path.read_text("utf-16")
        title = next(line.split("\t")[1] for line in text.splitlines() if line.startswith("Meeting title"))
        table = text.partition("3. In-Meeting Activities\n")[2]
        people = list(csv.DictReader(io.StringIO(table), delimiter="\t"))
        rows = [Row(one["Email"], "", *_times(one, "%d/%m/%Y, %H:%M:%S")) for one in people]
        return str(events[events["Name"] == title]["Event_Code"].iloc[0]), rows
    if path.name.startswith("participants"):
        people = csv.DictReader(io.StringIO(path.read_text("utf-8-sig").split("\n", 3)[3]))
        stamp = "%m/%d/%Y %I:%M:%S %p"
        return code, [Row(one["Email"], "", *(datetime.strptime(one[at], stamp) for at in ("Join time", "Leave time"))) for one in people]  # fmt: skip
    if path.suffix == ".xlsx":
        table = pd.read_excel(path, header=None, dtype=str, engine="calamine").fillna("")
        return table.iloc[1, 1], [
            Row(one[2], ENGLISH.get(one[3], "")) for one in table.iloc[4:].itertuples(index=False)
        ]
    if path.name.startswith("eventbrite"):
        people = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
        return code, [
            Row(one["Email"], one["Gender"]) for one in people if one["Attendee Status"] == "Checked In"
        ]
    lines = csv.reader(io.StringIO(path.read_text("utf-8-sig")), delimiter=";")
    return code, [Row(one[2], FRENCH.get(one[3], "")) for one in lines if "@" in one[2]]


def _times(line: dict[str, str], stamp: str) -> tuple[datetime, datetime]:
    first, last = (datetime.strptime(line[name], stamp) for name in ("Join Time", "Leave Time"))
    return first, last


def _came(rows: list[Row], event: pd.Series) -> Iterator[tuple[str, str, bool]]:
    """Person, gender and whether there for half of the time; the host leads and is nobody."""
    there: dict[str, set[int]] = {}
    for row in rows:
        seconds = there.setdefault(row.email, set())
        if row.first is not None and row.last is not None:
            seconds |= set(range(int(row.first.timestamp()), int(row.last.timestamp())))
    planned = (pd.Timestamp(event["End_Time"]) - pd.Timestamp(event["Start_Time"])).total_seconds()
    length = min(planned, len(set().union(*there.values())))
    for email, said in {row.email: row.gender for row in rows}.items():
        if email != HOST:
            yield email, said, length == 0 or 2 * len(there[email]) >= length


def cells(trained: pd.DataFrame, events: pd.DataFrame, period: Period) -> Iterator[Cell]:
    trainings = events[
        (events["Event_Type"] == "Training") & events["held"] & events["Organised_By_Network"] & period.contains(events["day"])
    ]  # fmt: skip
    groups = {"total": trainings}
    groups |= {f"programme={name}": rows for name, rows in trainings.groupby("Programme")}
    for of, mine in groups.items():
        listed = trained[trained["event"].isin(mine.index)]
        if listed.empty:
            yield from (missing(indicator, period, of) for indicator in ("TRN-01", "TRN-02", "TRN-03"))
            continue
        came = listed[listed["came"]]
        people = came.drop_duplicates("person")
        yield count("TRN-01", period, of, len(people))
        yield count("TRN-02", period, of, len(came))
        women, stated = (people["gender"] == "Woman").sum(), (people["gender"] != gender.UNDISCLOSED).sum()
        if stated:
            yield Cell("TRN-03", period.name, of, float(women), float(women), float(stated), float(stated))
        else:
            yield missing("TRN-03", period, of)
        if of == "total":
            yield from gender.cells("GEN-05", period, people["gender"])
