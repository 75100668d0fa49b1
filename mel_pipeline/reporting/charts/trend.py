"""A figure by quarter: bars for amounts, a line for levels, points with intervals for shares and means.

A missing quarter breaks the line.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mel_pipeline.core.periods import Quarter
from mel_pipeline.reporting.charts.canvas import (
    Paper,
    colour,
    font,
    halo,
    key_row,
    paper,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.text.texts import Texts

HEADROOM = 1.16
SIDE = 0.3  # inches beside the drawing
STEEP = 0.4  # of the height from one quarter to the next; such a line crosses a number in the middle above its point
LEAN = {"left": 1, "center": 0, "right": -1}  # points, away from the line
EARLIER = "earlier"  # as in chart_data: published before the pipeline, drawn hollow


def draw(frame: ChartFrame, text: Texts) -> Figure:
    low, high = _limits(frame)
    counts = frame.has_base
    keyed = bool(frame.target_label) or frame.measure.band is not None
    sheet = paper(frame, 2.5 if frame.narrow else 2.6, text("chart.not_zero") if low > _floor(frame) else "")
    axes = sheet.axes(SIDE, SIDE, above=0.3 if keyed else 0.08, below=0.62 if counts else 0.42)
    axes.set_xlim(-0.55, len(frame.data) - 0.45)
    axes.set_ylim(low, high)
    axes.set_yticks([])  # every mark is labelled with its number; a scale would repeat it
    marks = frame.marks
    _references(sheet, axes, frame, text)
    (_line if frame.measure.is_line else _bars)(axes, marks)
    outer = SIDE + 0.5 * (sheet.width - 2 * SIDE) / len(marks)  # inches from the outer points to the edge
    for slot, mark in enumerate(marks):
        is_inside = (
            0 < slot < len(marks) - 1 or text_width(str(mark["shown"]), font(9.5, strong=True)) < outer
        )
        side = _side(marks, slot, high - low) if frame.measure.is_line and is_inside else "center"
        _label(axes, slot, mark, text, high - low, side)
    for slot, mark in enumerate(marks):
        if mark["breaks"]:
            _break(axes, slot - 0.5)
    axes.set_xticks(range(len(marks)), [_tick(slot, mark, text) for slot, mark in enumerate(marks)])
    for tick in axes.get_xticklabels():
        tick.set_fontproperties(font(8.5))
        tick.set_linespacing(1.3)
    return sheet.figure


def _floor(frame: ChartFrame) -> float:
    return 1.0 if frame.measure.unit == "score" else 0.0


def _limits(frame: ChartFrame) -> tuple[float, float]:
    """Bars and shares begin at zero, scores at one; other levels may begin higher: the foot line says so."""
    values = frame.data["value"].dropna()
    top = max([*values, *frame.data["high"].dropna(), *frame.data["target"].dropna()])
    if frame.measure.unit == "score":
        return 1.0, 5.35
    if frame.measure.unit == "points":
        least = min([*values, *frame.data["low"].dropna()])
        return min(0.0, least * HEADROOM), max(top * HEADROOM, 10.0)
    if frame.measure.unit == "percent":
        return 0.0, max(top * HEADROOM, frame.measure.band[1] * 1.1 if frame.measure.band else 0.0, 10.0)
    least = float(values.min())
    if frame.measure.is_line and least > 0.5 * top:
        spread = max(top - least, 0.04 * top)
        return least - 0.7 * spread, top + 0.45 * spread
    return 0.0, top * HEADROOM if top > 0 else 1.0


def _references(sheet: Paper, axes: Axes, frame: ChartFrame, text: Texts) -> None:
    handles: list[Artist] = []
    labels: list[str] = []
    if frame.measure.band is not None:
        low, high = frame.measure.band
        axes.axhspan(low, high, color=colour("band"), zorder=0)
        handles.append(Patch(color=colour("band")))
        labels.append(text("chart.band", low=text.number(low), high=text.number(high)))
    if frame.target_label:
        for slot, target in enumerate(frame.data["target"]):
            if not math.isnan(target):
                axes.hlines(
                    target,
                    slot - 0.5,
                    slot + 0.5,
                    color=colour("ink"),
                    linewidth=1.4,
                    linestyle=(0, (4, 2)),
                    path_effects=halo(3.4),
                    zorder=3,
                )
        handles.append(Line2D([], [], color=colour("ink"), linewidth=1.4, linestyle=(0, (4, 2))))
        labels.append(frame.target_label)
    if handles:
        key_row(sheet, handles, labels)


def _bars(axes: Axes, marks: list[dict[Hashable, Any]]) -> None:
    for slot, mark in enumerate(marks):
        if mark["status"] == "ok":
            axes.bar(
                slot, mark["value"], width=0.62, color=colour("now") if mark["emphasis"] else colour("before")
            )
        elif mark["status"] == EARLIER:
            axes.bar(
                slot,
                mark["value"],
                width=0.6,
                facecolor="none",
                edgecolor=colour("before"),
                linewidth=1.4,
                linestyle=(0, (3, 2)),
            )


def _break(axes: Axes, x: float) -> None:
    """A change of coverage: a dotted vertical and two slants on the axis."""
    line = axes.get_xaxis_transform()
    axes.plot(
        [x, x],
        [0.0, 1.0],
        transform=line,
        color=colour("quiet"),
        linewidth=0.9,
        linestyle=(0, (1, 2)),
        zorder=1,
    )
    for shift in (-0.045, 0.045):
        axes.plot(
            [x + shift - 0.03, x + shift + 0.03],
            [-0.035, 0.035],
            transform=line,
            color=colour("ink"),
            linewidth=1.3,
            clip_on=False,
            zorder=5,
        )


def _line(axes: Axes, marks: list[dict[Hashable, Any]]) -> None:
    runs: list[list[int]] = [[]]
    for slot, mark in enumerate(marks):
        joins = slot == 0 or (mark["status"] == EARLIER) == (marks[slot - 1]["status"] == EARLIER)
        runs += [[]] if mark["breaks"] or not joins else []
        runs[-1].append(slot)
    for run in runs:
        style = (0, (3, 2)) if run and marks[run[0]]["status"] == EARLIER else "-"
        axes.plot(
            run, [marks[slot]["value"] for slot in run], color=colour("before"), linestyle=style, zorder=2
        )
        now = [slot for slot in run if marks[slot]["emphasis"]]
        if len(now) > 1:
            axes.plot(now, [marks[slot]["value"] for slot in now], color=colour("now"), zorder=3)
    for slot, mark in enumerate(marks):
        if mark["status"] in ("ok", EARLIER):
            tone = colour("now") if mark["emphasis"] else colour("before")
            if not math.isnan(mark["low"]):
                axes.vlines(slot, mark["low"], mark["high"], color=tone, linewidth=1.6, zorder=3)
            axes.plot(
                slot,
                mark["value"],
                marker="o",
                color=tone,
                markerfacecolor="white" if mark["status"] == EARLIER else tone,
                markersize=8 if mark["emphasis"] else 6,
                zorder=4,
            )


def _side(marks: list[dict[Hashable, Any]], slot: int, span: float) -> Literal["left", "center", "right"]:
    """How the number above a point of a line is aligned with it: beside a line that rises steeply from there."""
    own, following = marks[slot]["value"], marks[slot + 1 : slot + 2]
    before = marks[slot - 1]["value"] if slot else math.nan
    rises = any(not mark["breaks"] and mark["value"] - own > STEEP * span for mark in following)
    falls = not marks[slot]["breaks"] and before - own > STEEP * span
    return "center" if rises == falls else "right" if rises else "left"


def _label(
    axes: Axes,
    slot: int,
    mark: dict[Hashable, Any],
    text: Texts,
    span: float,
    side: Literal["left", "center", "right"],
) -> None:
    if mark["status"] not in ("ok", EARLIER):
        axes.axvspan(slot - 0.46, slot + 0.46, color=colour("panel"), zorder=0.5)
        words = text("chart.withheld" if mark["status"] == "suppressed" else "chart.gap")
        axes.annotate(
            words,
            (slot, 0.5),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="center",
            fontproperties=font(7.5),
            color=colour("quiet"),
            linespacing=1.25,
        )
        return
    axes.annotate(
        mark["shown"],
        (slot, mark["value"] if math.isnan(mark["high"]) else mark["high"]),
        xytext=(LEAN[side], 7 if span else 0),
        textcoords="offset points",
        ha=side,
        va="bottom",
        fontproperties=font(9.5 if mark["emphasis"] else 8.5, strong=bool(mark["emphasis"])),
        color=colour("ink") if mark["emphasis"] else colour("quiet"),
        path_effects=halo(),
        zorder=6,
    )


def _tick(slot: int, mark: dict[Hashable, Any], text: Texts) -> str:
    """``Q1`` with the year under the first quarter shown and under each first quarter, then n."""
    quarter = Quarter.parse(str(mark["label"]))
    lines = [
        text("format.quarter_short", number=quarter.number),
        str(quarter.year) if slot == 0 or quarter.number == 1 else "",
    ]
    if mark["base"]:
        lines.append(text("chart.n", count=mark["base"]))
    return "\n".join(lines)
