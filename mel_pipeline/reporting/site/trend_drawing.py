"""A view as shapes: paths by class, and labels. The only place that knows where things are; template and script just set them.

Across, a place is a part of the width: of ``WIDTH`` in paths, in per cent for labels. So one drawing fits a desktop, a
phone and paper, and type keeps its size. Down, it is pixels.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import Quarter
from mel_pipeline.reporting.chart_data.indicator import EARLIER
from mel_pipeline.reporting.site.trend_scale import Scale, scale_of, tick_words
from mel_pipeline.reporting.site.trend_views import MONTH, OK, QUARTER, Mark, View

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

WIDTH, HEIGHT = 1000, 264
TOP, FLOOR = 34, 220  # of the plot; below the floor stand the periods
BAR, WIDEST = 0.62, 90  # of a slot, and of the width: of few periods a bar would be a wall
GAP = 0.92
MOST_LABELS, MOST_TICKS = 8, 24  # across a desktop; a phone shows every second where there are more than FEW
FEW = 5
DOT = "h.01"  # a stroke without length and with round ends
# In the order in which they are drawn.
CLASSES = (
    *("panel", "band", "grid", "bar-before", "bar-now", "bar-provisional", "bar-earlier", "break"),
    *("line-before", "line-now", "line-earlier", "range", "dot-before", "dot-now", "dot-hollow", "dot-hole"),
    *("halo", "target", "axis", "slant"),
)


@dataclass(frozen=True)
class Label:
    """A text: ``x`` in per cent, ``y`` its base line. ``kind``: classes; ``wide`` is left out on a phone."""

    x: float
    y: float
    text: str
    kind: str = ""

    @classmethod
    def at(cls, slot: int, count: int, y: float, text: str, kind: str = "") -> Label:
        """In the middle of a slot."""
        return cls(_tidy(round(100 * (slot + 0.5) / count, 2)), _tidy(y), text, kind)


@dataclass(frozen=True)
class Drawing:
    """``paths``: class → what to draw, in order. ``ticks``: height and words of the scale."""

    paths: dict[str, str]
    labels: list[Label]
    ticks: list[tuple[float, str]]
    not_zero: bool


def drawing(measure: Measure, view: View, texts: Texts) -> Drawing:
    """The shapes of a view. A figure that is missing or withheld is a panel with a dash, never a point at zero."""
    return _Pen(measure, view, scale_of(measure, view)).drawn(texts)


def periods_axis(view: View, texts: Texts) -> list[Label]:
    """The periods under the chart; the year stands under the first one and under each that begins a year."""
    count = len(view.marks)
    step = -(-count // MOST_TICKS)
    found = []
    for slot, mark in enumerate(view.marks):
        words, year, begins = _period_words(mark.period, view.grain, texts)
        place = count - 1 - slot
        if place % step == 0:
            crowded = count // step > 2 * FEW and (place // step) % 2
            found.append(Label.at(slot, count, FLOOR + 18, words, "wide" if crowded else ""))
        if year and (begins or slot == 0):
            next_year = next((at for at in range(slot + 1, count) if _begins(view, at, texts)), count)
            if slot or next_year - slot >= count / 12:  # else it would overlap with the next
                found.append(Label.at(slot, count, FLOOR + 34, year, "year"))
    return found


def _begins(view: View, slot: int, texts: Texts) -> bool:
    return _period_words(view.marks[slot].period, view.grain, texts)[2]


def _period_words(period: str, grain: str, texts: Texts) -> tuple[str, str, bool]:
    """What stands under a period, its year, and whether it begins one."""
    if grain == QUARTER:
        quarter = Quarter.parse(period)
        return texts("format.quarter_short", number=quarter.number), str(quarter.year), quarter.number == 1
    if grain == MONTH:
        return texts.month_name(period), period[:4], period.endswith("-01")
    return period, "", False


def _tidy(number: float) -> float:
    """A whole number without its point: template and script write it alike."""
    return int(number) if float(number).is_integer() else number


class _Pen:
    """Collects the paths of one view."""

    def __init__(self, measure: Measure, view: View, scale: Scale) -> None:
        self.measure, self.view, self.scale = measure, view, scale
        self.slot = WIDTH / len(view.marks)
        self.found: defaultdict[str, list[str]] = defaultdict(list)

    def x(self, slot: float) -> int:
        """The middle of a slot."""
        return round((slot + 0.5) * self.slot)

    def y(self, value: float) -> float:
        return round(FLOOR - self.scale.share(value) * (FLOOR - TOP), 1)

    def drawn(self, texts: Texts) -> Drawing:
        self._ground()
        (self._line if self.measure.is_line else self._bars)()
        self._targets()
        for slot, mark in enumerate(self.view.marks):
            if mark.breaks:
                self._break(slot)
        words = tick_words(self.measure, self.scale.ticks, texts) if self.view.values else []
        floor = 1.0 if self.measure.unit == "score" else 0.0
        return Drawing(
            {name: "".join(self.found[name]) for name in CLASSES if self.found[name]},
            self._labels(),
            [(_tidy(self.y(value)), text) for value, text in zip(self.scale.ticks, words, strict=False)],
            not_zero=bool(self.view.values) and self.scale.low > floor,
        )

    def _ground(self) -> None:
        for slot, mark in enumerate(self.view.marks):
            if mark.value is None:
                self._box("panel", slot, GAP, TOP, FLOOR)
        if self.view.band and self.measure.band is not None:
            low, high = (self.y(edge) for edge in self.measure.band)
            self.found["band"].append(f"M0 {_n(high)}H{WIDTH}V{_n(low)}H0z")
        if self.view.values:
            self.found["grid"] += [f"M0 {_n(self.y(tick))}H{WIDTH}" for tick in self.scale.ticks]
        base = self.y(0.0) if self.scale.low < 0 < self.scale.high else FLOOR
        self.found["axis"].append(f"M0 {_n(base)}H{WIDTH}")

    def _box(self, name: str, slot: int, part: float, top: float, bottom: float) -> None:
        left = self.x(slot - part / 2)
        self.found[name].append(f"M{left} {_n(top)}H{self.x(slot + part / 2)}V{_n(bottom)}H{left}z")

    def _bars(self) -> None:
        part = min(BAR, WIDEST / self.slot)
        base = self.y(min(max(0.0, self.scale.low), self.scale.high))
        for slot, mark in enumerate(self.view.marks):
            if mark.value is not None:
                top, bottom = sorted((self.y(mark.value), base))
                self._box(f"bar-{_state(mark)}", slot, part, top, bottom)

    def _line(self) -> None:
        """Segments between neighbours of which both have a figure of the same kind."""
        marks = self.view.marks
        for slot, (one, other) in enumerate(pairwise(marks)):
            alike = (one.status == EARLIER) == (other.status == EARLIER)
            if one.value is None or other.value is None or other.breaks or not alike:
                continue
            name = "earlier" if one.status == EARLIER else "now" if one.now and other.now else "before"
            ends = f"M{self.x(slot)} {_n(self.y(one.value))}L{self.x(slot + 1)} {_n(self.y(other.value))}"
            self.found[f"line-{name}"].append(ends)
        for slot, mark in enumerate(marks):
            if mark.value is None:
                continue
            if mark.low is not None and mark.high is not None:
                self.found["range"].append(f"M{self.x(slot)} {_n(self.y(mark.low))}V{_n(self.y(mark.high))}")
            state = _state(mark)
            hollow = state in ("earlier", "provisional")
            dot = f"M{self.x(slot)} {_n(self.y(mark.value))}{DOT}"
            self.found["dot-hollow" if hollow else f"dot-{state}"].append(dot)
            if hollow:
                self.found["dot-hole"].append(dot)

    def _targets(self) -> None:
        for slot, mark in enumerate(self.view.marks):
            if mark.target is not None:
                line = f"M{self.x(slot - 0.5)} {_n(self.y(mark.target))}H{self.x(slot + 0.5)}"
                self.found["halo"].append(line)
                self.found["target"].append(line)

    def _break(self, slot: int) -> None:
        """A change of coverage: a dotted vertical and two slants on the axis."""
        x = self.x(slot - 0.5)
        self.found["break"].append(f"M{x} {TOP}V{FLOOR}")
        self.found["slant"] += [
            f"M{x + shift - 3} {FLOOR + 5}L{x + shift + 3} {FLOOR - 5}" for shift in (-4, 4)
        ]

    def _labels(self) -> list[Label]:
        """Of many figures every second, third ... has its number, and always the last."""
        marks = self.view.marks
        count = len(marks)
        step = -(-count // MOST_LABELS)
        found = []
        for slot, mark in enumerate(marks):
            place = count - 1 - slot
            if mark.value is None:
                found.append(Label.at(slot, count, (TOP + FLOOR) / 2 + 4, "–", "gap"))
            elif place % step == 0 or mark.remark:
                crowded = count // step > FEW and (place // step) % 2 and not mark.remark
                kind = " ".join(filter(None, ["now" if mark.now else "", "wide" if crowded else ""]))
                above = self.y(max(mark.value, mark.high if mark.high is not None else mark.value)) - 9
                found.append(
                    Label.at(slot, count, round(above, 1), mark.short + (" *" if mark.remark else ""), kind)
                )
        return found


def _state(mark: Mark) -> str:
    if mark.status == EARLIER:
        return "earlier"
    return "provisional" if mark.status == OK and mark.provisional else "now" if mark.now else "before"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
