"""The chart on an indicator's page: its first view for the template, and all of them as data for the script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mel_pipeline.reporting.chart_data.indicator import EARLIER
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED
from mel_pipeline.reporting.site.downloads import COLUMNS
from mel_pipeline.reporting.site.trend_drawing import HEIGHT, WIDTH, Drawing, Label, drawing, periods_axis
from mel_pipeline.reporting.site.trend_views import MONTH, OK, QUARTER, TOTAL, YEAR, Mark, View, named, views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.data import Site
    from mel_pipeline.reporting.text.texts import Texts

STATUSES = (OK, SUPPRESSED, NOT_AVAILABLE, EARLIER)
PLAIN = 1000  # numbers below it are written the same in every language


@dataclass(frozen=True)
class Trend:
    """``first`` is drawn on the page. ``grains`` and ``dimensions``: what can be chosen, with the words for it."""

    first: View
    drawn: Drawing
    axis: list[Label]
    alt: str
    notes: list[str]
    grains: list[tuple[str, str]]
    dimensions: list[tuple[str, str]]
    data: Markup  # JSON, safe inside a script element
    width: int = WIDTH
    height: int = HEIGHT


def trend(
    site: Site, measure: Measure, figures: Figures, texts: Texts, quarters: Sequence[str]
) -> Trend | None:
    """The chart of an indicator; None when no period was ever calculated."""
    shown = views(site, measure, figures, texts, quarters)
    if not shown:
        return None
    drawn = [drawing(measure, view, texts) for view in shown]
    grains = [
        (grain, texts.choice("site.grain", grain))
        for grain in (QUARTER, YEAR, MONTH)
        if any(view.grain == grain for view in shown)
    ]
    dimensions = [(name, _dimension(name, texts)) for name in dict.fromkeys(view.dimension for view in shown)]
    first = shown[0]
    return Trend(
        first,
        drawn[0],
        periods_axis(first, texts),
        _alt(first, texts),
        _notes(first, drawn[0], texts),
        grains,
        dimensions,
        _as_script(_data(measure, shown, drawn, texts)),
    )


def _dimension(name: str, texts: Texts) -> str:
    words = (
        texts("table.total")
        if name == TOTAL
        else texts("site.breakdown", dimension=texts.named("dimension", name))
    )
    return words[:1].upper() + words[1:]


def _alt(view: View, texts: Texts) -> str:
    listed = "; ".join(
        texts("alt.mark", label=named(mark.period, texts), value=mark.text) for mark in view.marks
    )
    kind = texts("site.chart_kind")
    alt = texts("alt.chart", kind=kind, title=view.title, subtitle=view.subtitle, data=listed)
    return f"{alt} {view.target}." if view.target else alt


def _notes(view: View, drawn: Drawing, texts: Texts) -> list[str]:
    return [*([texts("chart.not_zero")] if drawn.not_zero else []), *view.notes]


def _as_script(data: dict[str, Any]) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped here


def _data(measure: Measure, shown: Sequence[View], drawn: Sequence[Drawing], texts: Texts) -> dict[str, Any]:
    """All views. Repeated sentences stand once, in ``notes``; keys are short because there are hundreds of views."""
    notes: dict[str, int] = {}

    def note(text: str) -> int:
        return notes.setdefault(text, len(notes))

    grains = {
        view.grain: {
            "periods": [mark.period for mark in view.marks],
            "names": [named(mark.period, texts) for mark in view.marks],
            "axis": [_label(label) for label in periods_axis(view, texts)],
        }
        for view in shown
    }
    found = [
        {
            "of": [view.grain, view.dimension, view.category, view.name],
            "head": [note(view.title), note(view.subtitle)],
            "notes": [note(line) for line in _notes(view, picture, texts)],
            "key": [view.target, view.band],
            "paths": picture.paths,
            "labels": [_label(label) for label in picture.labels],
            "ticks": [[y, words] for y, words in picture.ticks],
            "rows": [_row(mark, note) for mark in view.marks],
        }
        for view, picture in zip(shown, drawn, strict=True)
    ]
    words = {
        "status": [texts.choice("status", code) if code != EARLIER else "" for code in STATUSES[1:3]],
        "why": ["", texts("site.chart_withheld"), texts("site.chart_gap"), ""],
        "n": texts("chart.n", count="{count}"),
        "provisional": texts("site.provisional"),
    }
    return {
        "id": measure.id,
        "columns": COLUMNS,
        "statuses": STATUSES,
        "words": words,
        "grains": grains,
        "views": found,
        "notes": list(notes),
    }


def _label(label: Label) -> list[object]:
    return [label.x, label.y, label.text, label.kind] if label.kind else [label.x, label.y, label.text]


def _row(mark: Mark, note: Any) -> list[object]:
    """Status, value, its words, numerator, denominator, n, note, provisional, fraction and n in words; the empty end left out."""
    numbers = [number for number in (mark.numerator, mark.denominator, mark.n) if number is not None]
    plain = all(float(number).is_integer() and 0 <= number < PLAIN for number in numbers)
    row = [
        STATUSES.index(mark.status),
        _short(mark.value),
        mark.text if mark.value is not None else None,
        _short(mark.numerator),
        _short(mark.denominator),
        mark.n,
        note(words) if (words := " ".join(filter(None, [mark.note, mark.remark]))) else None,
        1 if mark.provisional else None,
        None if plain else mark.fraction or None,
        None if plain else mark.base or None,
    ]
    while row[-1] is None:
        row.pop()
    return row


def _short(value: float | None) -> float | int | None:
    """As in the page's CSV: twelve digits."""
    if value is None:
        return None
    found = float(f"{value:.12g}")
    return int(found) if found.is_integer() else found
