"""A waterfall: the level before, each step with its sign, the level after. Each step starts where the last one ended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Polygon, Rectangle

from mel_pipeline.reporting.charts.canvas import (
    NARROW,
    WIDE,
    bare,
    colour,
    font,
    halo,
    paper,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.page import PageFrame
    from mel_pipeline.reporting.text.texts import Texts

    Mark = dict[Hashable, Any]

BAR, LINE = 0.58, 0.16
FEWEST = 4.0  # the axis spans at least this many members, so that a step of one is not drawn huge
LEVELS = {"opening": "before", "closing": "now"}  # names of colours


def draw(frame: PageFrame, text: Texts) -> Figure:
    marks = frame.marks
    low, high = _limits(marks)
    sheet = paper(frame, 2.7 if frame.narrow else 2.6, text("chart.not_zero") if low > 0 else "")
    side = 0.16 if frame.narrow else 0.5
    sizes = [font(8.5 if frame.narrow else 9.5, strong=mark["role"] == "closing") for mark in marks]
    width = NARROW if frame.narrow else WIDE
    room = (width - 2 * side) / len(marks) - 0.06
    labels = [wrapped(mark["label"], size, room) for mark, size in zip(marks, sizes, strict=True)]
    below = 0.16 + LINE * max(len(lines) for lines in labels)
    sheet = paper(frame, 1.95 + below, text("chart.not_zero") if low > 0 else "")
    axes = sheet.axes(side, side, above=0.1, below=below)
    bare(axes)
    axes.set_xlim(-0.5, len(marks) - 0.5)
    axes.set_ylim(low, high)
    axes.axhline(low, color=colour("quiet"), linewidth=0.8, zorder=3)
    _connectors(axes, marks)
    for slot, mark in enumerate(marks):
        _bar(axes, slot, mark, low, high)
        for number, line in enumerate(labels[slot]):
            axes.annotate(
                line,
                (slot, low),
                xytext=(0, -72 * (0.2 + LINE * number)),
                textcoords="offset points",
                ha="center",
                va="baseline",
                color=colour("ink"),
                fontproperties=sizes[slot],
                annotation_clip=False,
            )
    return sheet.figure


def _limits(marks: list[Mark]) -> tuple[float, float]:
    """From zero where the steps are then visible; else from just below the lowest level: the foot line says so."""
    levels = [mark["start"] + mark["value"] for mark in marks if not math.isnan(mark["value"])]
    levels += [mark["start"] for mark in marks if mark["role"] not in LEVELS]
    top, least = max(levels), min(levels)
    spread = max(top - least, FEWEST)
    if least <= 3 * spread:
        return 0.0, top * 1.18 or 1.0
    return least - 0.9 * spread, top + 0.3 * spread


def _connectors(axes: Axes, marks: list[Mark]) -> None:
    for slot, mark in enumerate(marks[:-1]):
        level = mark["start"] + (0.0 if math.isnan(mark["value"]) else mark["value"])
        axes.plot(
            [slot + BAR / 2, slot + 1 - BAR / 2],
            [level, level],
            color=colour("quiet"),
            linewidth=0.9,
            linestyle=(0, (2, 2)),
            zorder=1,
        )


def _bar(axes: Axes, slot: int, mark: Mark, low: float, high: float) -> None:
    left = slot - BAR / 2
    if mark["state"] != "ok":
        axes.add_patch(
            Rectangle((left, low), BAR, high - low, facecolor=colour("panel"), edgecolor="none", zorder=0)
        )
        words = mark["shown"].replace(" ", "\n", 1)
        axes.text(
            slot,
            (low + high) / 2,
            words,
            ha="center",
            va="center",
            color=colour("quiet"),
            fontproperties=font(8.5),
        )
        return
    end = mark["start"] + mark["value"]
    if mark["role"] in LEVELS:
        axes.add_patch(
            Rectangle((left, low), BAR, end - low, facecolor=colour(LEVELS[mark["role"]]), zorder=2)
        )
        if low > 0:
            _axis_break(axes, slot, low, high)
    elif mark["value"] == 0:
        axes.plot([left, left + BAR], [end, end], color=colour("quiet"), linewidth=2.2, zorder=2)
    else:
        axes.add_patch(
            Rectangle(
                (left, min(mark["start"], end)), BAR, abs(mark["value"]), zorder=2, **_look(mark["role"])
            )
        )
    axes.annotate(
        mark["shown"],
        (slot, max(mark["start"], end)),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=colour("ink"),
        fontproperties=font(12 if mark["role"] in LEVELS else 11, strong=True),
        path_effects=halo(),
        zorder=5,
    )


def _look(role: str) -> dict[str, Any]:
    """Joined is solid, left is hatched on white, the rest grey: distinguishable without colour too."""
    if role == "joined":
        return {"facecolor": colour("other"), "edgecolor": colour("other")}
    if role == "left":
        return {"facecolor": "white", "edgecolor": colour("ink"), "hatch": "////", "linewidth": 1.2}
    return {"facecolor": colour("unstated"), "edgecolor": colour("unstated")}


def _axis_break(axes: Axes, slot: int, low: float, high: float) -> None:
    """A white slant through a bar that does not begin at zero."""
    step = (high - low) / 40
    y, left, right = low + 4 * step, slot - BAR / 2 - 0.03, slot + BAR / 2 + 0.03
    corners = [(left, y - step), (right, y + step), (right, y + 2.4 * step), (left, y + 0.4 * step)]
    axes.add_patch(Polygon(corners, closed=True, facecolor="white", edgecolor="none", zorder=3))
