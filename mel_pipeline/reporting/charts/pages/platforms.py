"""A small panel per platform: bars by quarter from zero, the figure of the period beside the name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Rectangle

from mel_pipeline.reporting.charts.canvas import (
    MARGIN,
    colour,
    font,
    inches,
    paper,
    shortened,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.page import PageFrame
    from mel_pipeline.reporting.text.texts import Texts

    Mark = dict[Hashable, Any]

HEAD, FOOT, GAP = 0.3, 0.2, 0.32


def draw(frame: PageFrame, text: Texts) -> Figure:
    panels: dict[str, list[Mark]] = {}
    for mark in frame.marks:
        panels.setdefault(mark["platform"], []).append(mark)
    across = 1 if frame.narrow else 2 if len(panels) in (2, 4) else min(3, len(panels))
    plot = 0.55 if frame.narrow else 0.85
    tall = HEAD + plot + FOOT
    rows = math.ceil(len(panels) / across)
    height = rows * tall + (rows - 1) * 0.16 + 0.08
    sheet = paper(frame, height + 0.05)
    axes = inches(sheet, height, above=0.05)
    wide = (sheet.width - 2 * MARGIN - (across - 1) * GAP) / across
    for number, (name, marks) in enumerate(panels.items()):
        corner = (MARGIN + number % across * (wide + GAP), number // across * (tall + 0.16))
        _panel(axes, name, marks, (*corner, wide, plot), text)
    return sheet.figure


def _panel(
    axes: Axes, name: str, marks: list[Mark], box: tuple[float, float, float, float], text: Texts
) -> None:
    left, top, wide, plot = box
    strong = font(10, strong=True)
    there = marks[0]["now_state"] == "ok"
    size = font(10, strong=True) if there else font(8.5)
    now = marks[0]["now"]
    title = shortened(name, strong, wide - text_width(now, size) - 0.12)
    axes.text(left, top + 0.12, title, va="center", color=colour("ink"), fontproperties=strong)
    axes.text(
        left + wide,
        top + 0.12,
        now,
        ha="right",
        va="center",
        color=colour("now") if there else colour("quiet"),
        fontproperties=size,
    )
    floor = top + HEAD + plot
    slot = wide / len(marks)
    for number, mark in enumerate(marks):
        _bar(axes, mark, left + (number + 0.5) * slot, floor, slot, plot)
    axes.plot([left, left + wide], [floor, floor], color=colour("quiet"), linewidth=0.8)
    for mark, x, side in ((marks[0], left, "left"), (marks[-1], left + wide, "right"))[: len(marks)]:
        axes.text(
            x,
            floor + 0.1,
            text.period(mark["label"]),
            ha=side,
            va="center",
            color=colour("quiet"),
            fontproperties=font(8),
        )


def _bar(axes: Axes, mark: Mark, x: float, floor: float, slot: float, plot: float) -> None:
    if mark["state"] != "ok":
        axes.add_patch(
            Rectangle(
                (x - 0.46 * slot, floor - plot),
                0.92 * slot,
                plot,
                facecolor=colour("panel"),
                edgecolor="none",
            )
        )
        axes.plot(
            [x - 0.1 * slot, x + 0.1 * slot], [floor - 0.07] * 2, color=colour("unstated"), linewidth=1.2
        )
        return
    high = mark["value"] / mark["top"] * plot
    tone = colour("now") if mark["emphasis"] else colour("before")
    axes.add_patch(
        Rectangle((x - 0.36 * slot, floor - high), 0.72 * slot, high, facecolor=tone, edgecolor="none")
    )
