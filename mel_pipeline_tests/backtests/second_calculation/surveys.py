"""SAT: the answers in the exported files of the feedback surveys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mel_pipeline_tests.backtests.second_calculation.cells import Cell, everybody, mean, share
from mel_pipeline_tests.backtests.second_calculation.periods import Period

ENGLISH = {
    "id": "Response ID",
    "ended": "Response End Time",
    "event": "event_code",
    "satisfaction": "Overall, how satisfied are you with the session?",
    "recommendation": "Net Promoter Score (out of 10)",
}
SPANISH = {
    "id": "ID de respuesta",
    "ended": "Hora de finalización",
    "event": "event_code",
    "satisfaction": "En general, ¿qué tan satisfecho/a está con la sesión?",
    "recommendation": "Net Promoter Score (de un total de 10)",
}
SCORES = {
    "Very dissatisfied": 1, "Dissatisfied": 2, "Neither satisfied nor dissatisfied": 3, "Satisfied": 4, "Very satisfied": 5,
    "Muy insatisfecho/a": 1, "Insatisfecho/a": 2, "Ni satisfecho/a ni insatisfecho/a": 3, "Satisfecho/a": 4,
    "Muy satisfecho/a": 5,
}  # fmt: skip
NO_ANSWER = ["", "No opinion", "No conozco"]


def responses_of(folder: Path, events: pd.DataFrame) -> pd.DataFrame:
    """One row a response, in its latest version, with its score and the day, kind and state of its event."""
    files = [_read(path) for path in sorted(folder.glob("*.csv"))]
    frame = pd.concat(files).sort_values("ended").drop_duplicates("id", keep="last")
    unknown = set(frame["satisfaction"]) - set(SCORES) - set(NO_ANSWER)
    assert not unknown, f"answers outside the scale: {unknown}"
    frame["score"] = frame["satisfaction"].map(SCORES)
    recommendation = pd.to_numeric(frame["recommendation"])
    frame["recommendation"] = recommendation.where(recommendation.between(0, 10))
    by_code = events.rename_axis("event_id").reset_index().set_index("Event_Code")
    return frame.join(by_code[["event_id", "day", "Event_Type", "held"]], on="event")


def _read(path: Path) -> pd.DataFrame:
    columns, stamp = (
        (SPANISH, "%d/%m/%Y %H:%M") if path.stem.endswith("-es") else (ENGLISH, "%b %d, %Y %H:%M:%S")
    )
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    frame = pd.DataFrame({name: raw[column] for name, column in columns.items()})
    return frame.assign(ended=pd.to_datetime(frame["ended"], format=stamp))


def cells(responses: pd.DataFrame, participations: pd.DataFrame, period: Period) -> Iterator[Cell]:
    valid = responses[period.contains(responses["day"]) & responses["score"].notna()]
    groups = {"total": valid} | {f"activity_type={kind}": rows for kind, rows in valid.groupby("Event_Type")}
    for name, rows in groups.items():
        yield mean("SAT-01", period, name, rows["score"], (1, 5))
        yield share("SAT-02", period, name, (rows["score"] >= 4).sum(), len(rows))
    yield everybody("SAT-05", period, len(valid))
    for score in range(1, 6):
        yield share("SAT-05", period, f"answer={score}", (valid["score"] == score).sum(), len(valid))
    yield from _response_rate(valid, participations, period)
    yield from _recommendation(responses[period.contains(responses["day"])], period)


def _recommendation(responses: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """SAT-03 and SAT-06: nine and ten are promoters, six and less detractors."""
    answered = responses[responses["recommendation"].notna()]
    classes = pd.cut(
        answered["recommendation"], [-1, 6, 8, 10], labels=["Detractors", "Passives", "Promoters"]
    )
    groups = {"total": classes} | {
        f"activity_type={kind}": rows for kind, rows in classes.groupby(answered["Event_Type"])
    }
    for name, rows in groups.items():
        points = rows.map({"Promoters": 1, "Passives": 0, "Detractors": -1}).astype(int)
        yield mean("SAT-03", period, name, points, (-100, 100), factor=100)
    yield everybody("SAT-06", period, len(classes))
    for name in classes.cat.categories:
        yield share("SAT-06", period, f"recommendation={name}", (classes == name).sum(), len(classes))


def _response_rate(valid: pd.DataFrame, participations: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """SAT-04: answers about an event over its invitations, so never more answers than invitations of an event."""
    invited = participations[
        period.contains(participations["day"])
        & participations["held"]
        & participations["Attended"]
        & participations["Survey_Invited"].eq(True)
    ]
    events = pd.DataFrame(
        {"invited": invited.groupby("Event").size(), "kind": invited.groupby("Event")["Event_Type"].first()}
    )
    answers = valid.groupby("event_id").size().reindex(events.index, fill_value=0)
    events["answered"] = answers.clip(upper=events["invited"])
    groups = {"total": events} | {f"activity_type={kind}": rows for kind, rows in events.groupby("kind")}
    for name, rows in groups.items():
        yield share("SAT-04", period, name, rows["answered"].sum(), rows["invited"].sum())
