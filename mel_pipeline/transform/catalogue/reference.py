"""Reference sheets of the indicators as Markdown, in the form MEL practice knows (PIRS)."""

from __future__ import annotations

from collections.abc import Iterator

from mel_pipeline.core.languages import BASE
from mel_pipeline.transform.catalogue.catalogue import Catalogue
from mel_pipeline.transform.catalogue.models import Indicator, Target

AGGREGATION = {
    "stock": "stock: the value at the end of the period; the year has that of its last quarter",
    "flow": "flow: the quarters of a year add up",
    "distinct": "distinct: counted once over the whole year; quarters do not add up",
    "ratio": "ratio of sums over the period, never a mean of percentages",
}
WITHHELD = (
    "where it rests on one to four people (`MEL_MIN_CELL`), and where it would reveal such a figure. People are counted,"
    " not slots or answers, wherever a person is known"
)
COLLECTION = {
    "crm": "entered in the CRM by the team in charge, and read from it every night",
    "staff": "entered in the staff system by people and culture, and read from it every night",
    "survey": "answers to the survey sent after an event, exported by the MEL lead or read from the survey tool",
    "platform": "counted by each platform, and read from it every night or from its exports",
    "web": "counted by the web counter of each site, and read from it every night",
    "list": "attendance lists of meetings, registrations and sign-in sheets, dropped into a folder and read every night",
    "mailing": "counted by each mailing service, and read from it every night",
    "hand": "counted by hand, and stated in the workbook with its evidence",
}
INTERVAL = {
    "chance": "95 %, what chance alone would give for so many cases (Wilson)",
    "volunteers": "95 %, plain: chance alone, among those who chose to answer (Wilson; of a mean or a net score Student's t)",
}
DIRECTION = {
    "increase": "more is better",
    "decrease": "less is better",
    "in_band": "inside the band",
    "context": "context, neither good nor bad",
}


def reference_sheets(catalogue: Catalogue) -> str:
    """One document with a table of contents and one sheet per indicator."""
    contents = [
        f"- [{indicator.id} · {indicator.name.en}](#{indicator.id.lower()})"
        for indicator in catalogue.indicators
    ]
    head = [
        "# Indicators",
        "",
        "Written by `make docs` from `dbt_like_sql/models/marts/indicators/`; change it there.",
        "",
        *contents,
    ]
    sheets = [line for indicator in catalogue.indicators for line in _sheet(indicator, catalogue)]
    return "\n".join([*head, *sheets]) + "\n"


def _sheet(indicator: Indicator, catalogue: Catalogue) -> Iterator[str]:
    yield from (
        "",
        f'<a id="{indicator.id.lower()}"></a>',
        "",
        f"## {indicator.id} · {indicator.name.en}",
        "",
    )
    yield from (
        f"*{' · '.join(words for code, words in indicator.name.by_language.items() if code != BASE)}*",
        "",
        indicator.definition.en,
        "",
        "| | |",
        "|---|---|",
    )
    formula = indicator.formula.numerator
    if indicator.formula.denominator:
        formula += f" ÷ {indicator.formula.denominator}"
    direction = DIRECTION[indicator.direction]
    if indicator.band:
        direction += f" of {indicator.band[0]:g} to {indicator.band[1]:g} %"
    baseline = catalogue.baseline_of(indicator.id)
    start = "none stated"
    if baseline:
        value = "not published" if baseline.value is None else f"{baseline.value:,g}"
        start = f"{value} ({baseline.period})"
    targets = "; ".join(
        f"{target.value:,g} by {target.period} ({target.origin.en}){_steps(target)}"
        for target in catalogue.targets_of(indicator.id)
    )
    rows = {
        "Formula": formula,
        "Unit": indicator.unit,
        "Aggregation": AGGREGATION[indicator.aggregation],
        "Disaggregation": ", ".join(indicator.disaggregations) or "none",
        **({"Interval": INTERVAL[indicator.interval]} if indicator.interval else {}),
        "Direction": direction,
        "Source": ", ".join(indicator.source),
        "Frequency": indicator.frequency,
        "Responsible": indicator.owner_role,
        "Level": indicator.level,
        "Rationale": indicator.rationale.en,
        "Method of collection": COLLECTION[indicator.collection],
        "Last data-quality assessment": catalogue.assessed_on(indicator.id) or "none stated",
        "Line of action": _lines(catalogue.lines_of(indicator.id)),
        "Baseline": start,
        "Target": targets or "none set",
        **({"Withheld": WITHHELD} if indicator.disclosure else {}),
        "Limitations": indicator.limitations.en,
        "SQL": _sql(indicator),
    }
    yield from (f"| {name} | {' '.join(str(text).split())} |" for name, text in rows.items())


def _steps(target: Target) -> str:
    listed = [f", {step.value:,g} by {step.date} ({step.reason.en})" for step in target.milestones]
    listed += [f", revised on {step.date} to {step.value:,g} ({step.reason.en})" for step in target.revisions]
    return "".join(listed)


def _lines(numbers: list[int]) -> str:
    first, *others = [*map(str, numbers)] or ["across the lines"]
    return f"{first}; referred to from {', '.join(others)}" if others else first


def _sql(indicator: Indicator) -> str:
    folder = "" if indicator.stated else "indicators/"
    return f"[{indicator.model}.sql](../dbt_like_sql/models/marts/{folder}{indicator.model}.sql)"
