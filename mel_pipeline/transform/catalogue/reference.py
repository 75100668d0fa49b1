"""Reference sheets of the indicators as Markdown, in the form MEL practice knows (PIRS)."""

from __future__ import annotations

from collections.abc import Iterator

from mel_pipeline.core.languages import BASE
from mel_pipeline.transform.catalogue.catalogue import Catalogue
from mel_pipeline.transform.catalogue.models import Indicator, Target

AGGREGATION = {
    "stock": "stock: the value at the end of the period; the year has that of its last quarter",
    "flow": "flow: the quarters of a year add up",
    "distinct": "distinct: counted anew over the year; quarters do not add up",
    "ratio": "ratio of sums over the period, never a mean of percentages",
}
WITHHELD = (
    "where it rests on one to four people (`MEL_MIN_CELL`), and where it would reveal such a figure. People are counted,"
    " not slots or answers, wherever a person is known"
)
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
        "Direction": direction,
        "Source": ", ".join(indicator.source),
        "Frequency": indicator.frequency,
        "Responsible": indicator.owner_role,
        "Line of action": ", ".join(map(str, catalogue.lines_of(indicator.id))) or "across the lines",
        "Baseline": start,
        "Target": targets or "none set",
        **({"Withheld": WITHHELD} if indicator.disclosure else {}),
        "Limitations": indicator.limitations.en,
        **({"Level": indicator.level} if indicator.level else {}),
        "SQL": _sql(indicator),
    }
    yield from (f"| {name} | {' '.join(str(text).split())} |" for name, text in rows.items())


def _steps(target: Target) -> str:
    listed = [f", {step.value:,g} by {step.date} ({step.reason.en})" for step in target.milestones]
    listed += [f", revised on {step.date} to {step.value:,g} ({step.reason.en})" for step in target.revisions]
    return "".join(listed)


def _sql(indicator: Indicator) -> str:
    folder = "" if indicator.stated else "indicators/"
    return f"[{indicator.model}.sql](../dbt_like_sql/models/marts/{folder}{indicator.model}.sql)"
