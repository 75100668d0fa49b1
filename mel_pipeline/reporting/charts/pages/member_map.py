"""A dot for each member, ten to a row, in blocks placed roughly where the regions are. No borders, no geography."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from mel_pipeline.reporting.charts.canvas import (
    MARGIN,
    NARROW,
    WIDE,
    colour,
    font,
    inches,
    key_row,
    paper,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.page import PageFrame
    from mel_pipeline.reporting.text.texts import Texts

    Mark = dict[Hashable, Any]

KEY, COLUMNS, SOUTH, LINE = 0.34, 4, 0.3, 0.17


def _hollow() -> dict[str, Any]:
    edge = colour("unstated")
    return {"color": edge, "markerfacecolor": "white", "markeredgecolor": edge}


MANY = 120  # members of one region from which the dots get smaller


@dataclass(frozen=True)
class Grid:
    """Layout of the dots: how many to a row, how far apart in inches."""

    across: int
    step: float

    def height(self, count: float) -> float:
        return math.ceil(count / self.across) * self.step


def draw(frame: PageFrame, text: Texts) -> Figure:  # noqa: ARG001 - every kind is drawn alike
    marks = frame.marks
    grid = _grid(frame, marks)
    placed = _stacked(frame, marks, grid) if frame.narrow else _mapped(frame, marks, grid)
    height = max(y + _block_height(mark, grid, frame) for mark, _, y in placed) + 0.05
    sheet = paper(frame, KEY + height)
    member = Line2D(
        [], [], color=colour("before"), marker="o", markersize=6.5, markeredgewidth=0, linestyle=""
    )
    new = Line2D([], [], linestyle="", **_new(6.5))
    key_row(sheet, [member, new], [frame.words["member"], frame.words["new"]])
    axes = inches(sheet, height, above=KEY)
    for mark, x, y in placed:
        _block(axes, mark, (x, y), grid, frame)
    return sheet.figure


def _grid(frame: PageFrame, marks: list[Mark]) -> Grid:
    most = max(mark["value"] for mark in marks if mark["state"] == "ok")
    room = _width(frame)
    across = 20 if frame.narrow else 10
    if most > MANY:
        across *= 2
    return Grid(across, min(0.155, room / across))


def _width(frame: PageFrame) -> float:
    """Width of a block."""
    return NARROW - 2 * MARGIN if frame.narrow else (WIDE - 2 * MARGIN - (COLUMNS - 1) * 0.2) / COLUMNS


def _lines(mark: Mark, frame: PageFrame) -> list[str]:
    return wrapped(mark["label"], font(9.5), _width(frame) - (0.9 if frame.narrow else 0.0))


def _block_height(mark: Mark, grid: Grid, frame: PageFrame) -> float:
    head = LINE * len(_lines(mark, frame)) + (0.06 if frame.narrow else 0.3)
    return head + (grid.height(mark["value"]) if mark["state"] == "ok" else 0.0)


def _stacked(frame: PageFrame, marks: list[Mark], grid: Grid) -> list[tuple[Mark, float, float]]:
    placed, y = [], 0.0
    for mark in marks:
        placed.append((mark, MARGIN, y))
        y += _block_height(mark, grid, frame) + 0.16
    return placed


def _mapped(frame: PageFrame, marks: list[Mark], grid: Grid) -> list[tuple[Mark, float, float]]:
    """North above south, each row on one line; the easternmost is lower. Members without a region are set apart."""
    step = _width(frame) + 0.2
    ends: dict[int, float] = {}
    placed = []
    for row in sorted({mark["row"] for mark in marks}):
        here = [mark for mark in marks if mark["row"] == row]
        tallest = max(len(_lines(mark, frame)) for mark in here)
        start = max((ends.get(mark["column"], 0.0) for mark in here), default=0.0)
        for mark in here:
            y = start + LINE * (tallest - len(_lines(mark, frame)))  # the dots of a row start level
            if row == 0 and mark["column"] == COLUMNS - 1:
                y += SOUTH
            placed.append((mark, MARGIN + mark["column"] * step, y))
            ends[mark["column"]] = y + _block_height(mark, grid, frame) + 0.26
    return placed


def _block(axes: Axes, mark: Mark, corner: tuple[float, float], grid: Grid, frame: PageFrame) -> None:
    x, y = corner
    ink = colour("quiet") if mark["apart"] else colour("ink")
    lines = _lines(mark, frame)
    for number, line in enumerate(lines):
        axes.text(x, y + 0.09 + LINE * number, line, va="center", color=ink, fontproperties=font(9.5))
    head = LINE * len(lines)
    there = mark["state"] == "ok"
    size = font(13 if there and not frame.narrow else 10.5 if there else 8.5, strong=there)
    # On a phone the number is beside the name, else under it.
    beside = (x + text_width(lines[-1], font(9.5)) + 0.12, y + head - 0.08)
    at = beside if frame.narrow else (x, y + head + 0.12)
    axes.text(*at, mark["shown"], va="center", color=ink if there else colour("quiet"), fontproperties=size)
    if mark["new_shown"]:
        after = at[0] + text_width(mark["shown"], size) + 0.1
        axes.text(
            after,
            at[1] + (0.0 if frame.narrow else 0.015),
            mark["new_shown"],
            va="center",
            color=colour("now"),
            fontproperties=font(9, strong=True),
        )
    if there:
        _dots(axes, mark, (x, y + head + (0.06 if frame.narrow else 0.3)), grid)


def _dots(axes: Axes, mark: Mark, corner: tuple[float, float], grid: Grid) -> None:
    count = int(mark["value"])
    new = 0 if math.isnan(mark["new"] if mark["new"] is not None else math.nan) else int(mark["new"])
    size = grid.step * 72 * 0.66
    for number in range(count):
        x = corner[0] + (number % grid.across + 0.5) * grid.step
        y = corner[1] + (number // grid.across + 0.5) * grid.step
        if number >= count - new:
            axes.plot(x, y, **_new(size))
        elif mark["apart"]:
            axes.plot(x, y, markersize=size - 1, markeredgewidth=1.1, marker="o", **_hollow())
        else:
            axes.plot(x, y, marker="o", color=colour("before"), markersize=size, markeredgewidth=0)


def _new(size: float) -> dict[str, Any]:
    """Dark with a ring: distinguished by tone and by shape."""
    return {
        "marker": "o",
        "color": colour("now"),
        "markersize": size + 0.6,
        "markeredgewidth": 1.2,
        "markeredgecolor": colour("now"),
    }
