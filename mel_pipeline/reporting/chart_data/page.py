"""Data for the page's overview pictures: those that show several indicators, or one by more than quarter.

As in ``indicator``: picture, alternative text and data table come from the same rows. Draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED, Figures, Reading

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class PageFrame:
    """``data``: one row per mark, in drawing order; each kind names its columns. ``table``: the same rows in words.

    ``words`` are the labels of the key. ``empty_why`` says why there is nothing to draw, and is empty otherwise.
    """

    name: str
    period: str
    data: pd.DataFrame
    title: str
    subtitle: str
    footnote: str
    alt: str
    narrow: bool
    headings: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]
    words: Mapping[str, str]
    empty_why: str = ""

    @property
    def marks(self) -> list[dict[Hashable, Any]]:
        return self.data.to_dict("records")

    @property
    def is_empty(self) -> bool:
        return bool(self.empty_why)


@dataclass(frozen=True)
class Stage:
    """What the frames of a page are built from."""

    edition: Edition
    known: Sequence[Measure]
    figures: Figures
    texts: Texts
    narrow: bool

    @property
    def period(self) -> str:
        return self.edition.period

    def measure(self, indicator: str) -> Measure | None:
        return next((item for item in self.known if item.id == indicator), None)

    def total(self, indicator: str, period: str) -> Reading:
        return self.figures.total(indicator, period) or Reading(NOT_AVAILABLE)

    def shown(self, measure: Measure, reading: Reading, *, short: bool = False) -> str:
        """The figure in words; a missing one says so and is never a zero."""
        if reading.value is None:
            return self.absent(reading)
        return (self.texts.short_value if short else self.texts.value)(measure, reading.value)

    def absent(self, reading: Reading) -> str:
        return self.texts.choice("status", code_of(reading))


def code_of(reading: Reading) -> str:
    """``ok``, ``suppressed`` or ``not_available``."""
    if reading.value is not None:
        return "ok"
    return SUPPRESSED if reading.status == SUPPRESSED else NOT_AVAILABLE


def page_frame(
    stage: Stage,
    name: str,
    rows: Sequence[Mapping[str, object]],
    *,
    title: str,
    subtitle: str,
    headings: Sequence[str],
    table: Sequence[Sequence[str]],
    sources: Sequence[Measure],
    words: Mapping[str, str] | None = None,
    foot: Sequence[str] = (),
    empty_why: str = "",
) -> PageFrame:
    """A frame with its foot line and alternative text; ``sources``: the indicators it shows."""
    texts = stage.texts
    source = texts(
        "chart.source", source="; ".join(dict.fromkeys(texts.say(item.source) for item in sources))
    )
    if stage.edition.is_sample:
        source = texts("chart.sample", rest=source)
    lines = [texts("alt.mark", label=cells[0], value=_listed(headings, cells[1:], texts)) for cells in table]
    alt = texts(
        "alt.chart",
        kind=texts(f"picture.kind.{name}"),
        title=title,
        subtitle=subtitle,
        data="; ".join(lines) or texts.choice("status", NOT_AVAILABLE),
    )
    return PageFrame(
        name=name,
        period=stage.period,
        data=pd.DataFrame(list(rows)),
        title=title,
        subtitle=subtitle,
        footnote=" ".join(filter(None, [*foot, source])),
        alt=alt,
        narrow=stage.narrow,
        headings=tuple(headings),
        table=tuple(tuple(cells) for cells in table),
        words=words or {},
        empty_why=empty_why,
    )


def _listed(headings: Sequence[str], cells: Sequence[str], texts: Texts) -> str:
    """A single value alone, several values each with its column heading."""
    if len(cells) == 1:
        return cells[0]
    pairs = zip(headings[1:], cells, strict=True)
    return ", ".join(texts("picture.cell", heading=heading, value=cell) for heading, cell in pairs if cell)
