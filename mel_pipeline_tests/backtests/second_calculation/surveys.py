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
BREAKDOWNS = {"activity_type": "Event_Type", "programme": "Programme"}
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
    return frame.join(by_code[["event_id", "day", *BREAKDOWNS.values(), "held"]], on="event")


def _read(path: Path) -> pd.DataFrame:
    columns, stamp = (
        (SPANISH, "%d/%m/%Y %H:%M") if path.stem.endswith("-es") else (ENGLISH, "%b %d, %Y %H:%M:%S")
    )
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    frame = pd.DataFrame({name: raw[column] for name, column in columns.items()})
    return frame.assign(ended=pd.to_datetime(frame["ended"], format=stamp))


def cells(responses: pd.DataFrame, participations: pd.DataFrame, period: Period) -> Iterator[Cell]:
    valid = responses[period.contains(responses["day"]) & responses["score"].notna()]
    for name, rows in _grouped(valid):
        yield mean("SAT-01", period, name, rows["score"], (1, 5))
        yield share("SAT-02", period, name, (rows["score"] >= 4).sum(), len(rows))
    yield everybody("SAT-05", period, len(valid))
    for score in range(1, 6):
        yield share("SAT-05", period, f"answer={score}", (valid["score"] == score).sum(), len(valid))
    yield from _response_rate(valid, participations, period)
    yield from _recommendation(responses[period.contains(responses["day"])], period)


def _grouped(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """All rows, those of each kind of activity and those of each programme."""
    yield "total", rows
    for dimension, column in BREAKDOWNS.items():
        for name, mine in rows.groupby(column):
            yield f"{dimension}={name}", mine


def _recommendation(responses: pd.DataFrame, period: Period) -> Iterator[Cell]:
    """SAT-03 and SAT-06: nine and ten are promoters, six and less detractors."""
    answered = responses[responses["recommendation"].notna()]
    classes = pd.cut(
        answered["recommendation"], [-1, 6, 8, 10], labels=["Detractors", "Passives", "Promoters"]
    )
    for name, rows in _grouped(answered.assign(classes=classes)):
        points = rows["classes"].map({"Promoters": 1, "Passives": 0, "Detractors": -1}).astype(int)
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
    by_event = invited.groupby("Event")
    events = by_event[list(BREAKDOWNS.values())].first().assign(invited=by_event.size())
    answers = valid.groupby("event_id").size().reindex(events.index, fill_value=0)
    events["answered"] = answers.clip(upper=events["invited"])
    for name, rows in _grouped(events):
        yield share("SAT-04", period, name, rows["answered"].sum(), rows["invited"].sum())
