"""The results of an IATI activity: statements of the logframe with baseline, target and the released figure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.target_path import last_day
from mel_pipeline.reporting.figures.logframe import Aim, Progress, periods_to, progress
from mel_pipeline.reporting.figures.lookup import SUPPRESSED
from mel_pipeline.reporting.figures.measures import missing, number, words
from mel_pipeline.reporting.packs.iati_xml import Names, child, day_of, names_of
from mel_pipeline.reporting.site.project_pages import measured_name
from mel_pipeline.reporting.text.texts import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from xml.etree import ElementTree as ET

    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.packs.content import View

TYPES = {"output": "1", "outcome": "2", "impact": "3"}  # ResultType; anything else is 9, other
UNIT, PERCENT, QUALITATIVE = "1", "2", "5"  # IndicatorMeasure


def add_results(
    activity: ET.Element, view: View, code: str, project: Mapping[str, Any], names: Names
) -> None:
    frame = view.pack.register.logframe
    begun = day_of(project["starts_on"])
    for row in frame.to_dict("records") if len(frame) else []:
        if words(row["project_id"]) == code:
            _result(activity, view, {str(key): value for key, value in row.items()}, begun, names)


def _result(
    activity: ET.Element, view: View, row: Mapping[str, Any], begun: date | None, names: Names
) -> None:
    result = child(
        activity, "result", type=TYPES.get(words(row["level"]), "9"), **{"aggregation-status": "0"}
    )
    names.put(child(result, "title"), names_of(row, "statement"))
    measure = next((one for one in view.known if one.id == words(row["indicator_id"])), None)
    kind = (
        QUALITATIVE
        if measure is None and missing(row["target_value"])
        else PERCENT
        if measure and measure.unit == "percent"
        else UNIT
    )
    indicator = child(
        result,
        "indicator",
        measure=kind,
        ascending="0" if measure and measure.direction == "decrease" else "1",
    )
    names.put(
        child(indicator, "title"),
        {"en": measured_name(measure, aim_of(row), view.t)}
        if measure
        else {"en": words(row["verification"]) or names_of(row, "statement")["en"]},
    )
    aim = aim_of(row)
    if kind == QUALITATIVE:
        return
    _baseline(indicator, aim, measure)
    found = None
    if measure is not None:
        periods = periods_to(list(map(str, view.edition.figures["period"].unique())), view.edition.period)
        found = progress(measure, aim, view.figures, periods)
    _periods(indicator, view, aim, measure, found, _first(aim, begun), names)


def aim_of(row: Mapping[str, Any]) -> Aim:
    return Aim(
        words(row["dimension"]) or "total",
        words(row["category"]),
        number(row["baseline_value"]),
        words(row["baseline_on"]),
        number(row["target_value"]),
        words(row["target_by"]),
    )


def printed(measure: Measure | None, value: float) -> str:
    """As the report prints it, without signs."""
    if measure is None:
        return f"{value:.12g}"
    return str(rounded(value, measure.decimals))


def _baseline(indicator: ET.Element, aim: Aim, measure: Measure | None) -> None:
    if aim.baseline is not None and aim.baseline_on:
        on = last_day(aim.baseline_on)
        child(
            indicator,
            "baseline",
            year=str(on.year),
            value=printed(measure, aim.baseline),
            **{"iso-date": on.isoformat()},
        )


def _first(aim: Aim, begun: date | None) -> date | None:
    """The first day that the figures are about: after the baseline, else of the project."""
    if aim.baseline_on:
        return last_day(aim.baseline_on) + timedelta(days=1)
    return begun


def _periods(
    indicator: ET.Element, view: View, aim: Aim, measure: Measure | None, found: Progress | None, first: date | None,
    names: Names,
) -> None:  # fmt: skip
    """The actual value up to its period, the target up to its day: one period where both are the same."""
    here = last_day(found.period if found and found.period else view.edition.period)
    due = last_day(aim.target_by) if aim.target is not None and aim.target_by else None
    if measure is not None:
        period = _period(indicator, min(first, here) if first else here.replace(month=1, day=1), here)
        if due == here and aim.target is not None:
            child(period, "target", value=printed(measure, aim.target))
        _actual(period, measure, found, view, names)
    if due is not None and aim.target is not None and (measure is None or due != here):
        period = _period(indicator, min(first, due) if first else due.replace(month=1, day=1), due)
        child(period, "target", value=printed(measure, aim.target))


def _period(indicator: ET.Element, first: date, last: date) -> ET.Element:
    period = child(indicator, "period")
    child(period, "period-start", **{"iso-date": first.isoformat()})
    child(period, "period-end", **{"iso-date": last.isoformat()})
    return period


def _actual(period: ET.Element, measure: Measure, found: Progress | None, view: View, names: Names) -> None:
    """Without a figure there is no value, and a comment says why: it is never a zero."""
    value = found.standing.value if found else None
    if value is not None:
        child(period, "actual", value=printed(measure, value))
        return
    code = SUPPRESSED if found and found.standing.code == SUPPRESSED else "not_available"
    names.put(child(child(period, "actual"), "comment"), {"en": view.t.choice("status", code)})
