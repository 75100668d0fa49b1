"""Bullet bars: the actual value, the previous period as a thin bar under it, the target as a line across both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from mel_pipeline.reporting.charts.canvas import (
    MARGIN,
    colour,
    font,
    halo,
    inches,
    key_row,
    paper,
    shortened,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.page import PageFrame
    from mel_pipeline.reporting.text.texts import Texts

    Mark = dict[Hashable, Any]

KEY, ROW_WIDE, ROW_NARROW = 0.3, 0.54, 0.94
ALONE = 7.2  # no other picture is beside it
ACTUAL, THIN, MARKER = 0.2, 0.07, 0.42
# Shapes of findings.SHAPES as markers, so that they have the same weight in every font; hollow without a judgement.
SHAPES = {"★": "*", "●": "o", "▲": "^", "▼": "v", "◇": "D", "○": "o"}
HOLLOW = ("◇", "○")


def draw(frame: PageFrame, text: Texts) -> Figure:
    marks = frame.marks
    step = ROW_NARROW if frame.narrow else ROW_WIDE
    height = len(marks) * step + (0.0 if frame.narrow else 0.26)
    sheet = paper(frame, KEY + height + 0.06, wide=ALONE)
    handles: dict[str, Artist] = {
        "actual": Patch(color=colour("now")),
        "before": Patch(color=colour("before")),
        "target": Line2D([], [], color=colour("ink"), linewidth=2.6, marker="|", markersize=11, linestyle=""),
        "expected": Line2D(
            [], [], color=colour("ink"), marker="v", markersize=5.5, markeredgecolor="white", linestyle=""
        ),
    }
    key_row(sheet, [handles[part] for part in frame.words], list(frame.words.values()))
    axes = inches(sheet, height, above=KEY)
    if frame.narrow:
        for row, mark in enumerate(marks):
            _narrow(axes, row * step, mark, sheet.width)
    else:
        _wide(axes, marks, sheet.width, text)
    return sheet.figure


def _wide(axes: Axes, marks: list[Mark], width: float, text: Texts) -> None:
    """Columns: name, actual, bar, target, status."""
    strong, plain = font(10.5, strong=True), font(9.5)
    names = min(2.0, max(text_width(mark["label"], plain) for mark in marks) + 0.05)
    heads = [text("page.actual"), text("page.target")]
    actual = max(text_width(word, strong) for word in [heads[0], *(mark["shown"] for mark in marks)])
    target = max(text_width(word, plain) for mark in marks for word in (mark["target_shown"], mark["by"]))
    target = max(target, text_width(heads[1], font(8)))
    status = max(text_width(mark["word"], plain) for mark in marks) + 0.2
    value_x = MARGIN + names + 0.16 + actual
    track = (value_x + 0.16, width - MARGIN - status - 0.26 - target - 0.18)
    target_x = track[1] + 0.18
    status_x = target_x + target + 0.26
    for x, side, word in (
        (value_x, "right", heads[0]),
        (target_x, "left", heads[1]),
        (status_x, "left", text("page.status")),
    ):
        axes.text(x, 0.1, word, ha=side, va="center", color=colour("quiet"), fontproperties=font(8))
    for row, mark in enumerate(marks):
        middle = 0.26 + (row + 0.5) * ROW_WIDE
        axes.plot([MARGIN, width - MARGIN], [middle - ROW_WIDE / 2] * 2, color=colour("grid"), linewidth=0.7)
        _stacked(axes, MARGIN, middle, _two_lines(mark["label"], names), 9.5)
        there = mark["state"] == "ok"
        axes.text(
            value_x,
            middle,
            mark["shown"] if there else "–",
            ha="right",
            va="center",
            color=colour("ink"),
            fontproperties=strong,
        )
        _bullet(axes, mark, track, middle)
        axes.text(
            target_x,
            middle - (0.075 if mark["by"] else 0.0),
            mark["target_shown"],
            va="center",
            color=colour("ink"),
            fontproperties=plain,
        )
        if mark["by"]:
            axes.text(
                target_x,
                middle + 0.095,
                mark["by"],
                va="center",
                color=colour("quiet"),
                fontproperties=font(8),
            )
        _status(axes, mark, status_x, middle)


def _narrow(axes: Axes, top: float, mark: Mark, width: float) -> None:
    """Name and value above the bar, status and target under it."""
    strong, plain = font(10.5, strong=True), font(9)
    value = mark["shown"] if mark["state"] == "ok" else "–"
    room = width - 2 * MARGIN - text_width(value, strong) - 0.15
    name = shortened(mark["label"], font(9.5), room)
    axes.text(MARGIN, top + 0.12, name, va="center", color=colour("ink"), fontproperties=font(9.5))
    axes.text(
        width - MARGIN, top + 0.12, value, ha="right", va="center", color=colour("ink"), fontproperties=strong
    )
    _bullet(axes, mark, (MARGIN, width - MARGIN), top + 0.43)
    _status(axes, mark, MARGIN, top + 0.75)
    aim = f"{mark['aim']} {mark['by']}".strip()
    axes.text(
        width - MARGIN, top + 0.75, aim, ha="right", va="center", color=colour("quiet"), fontproperties=plain
    )


def _bullet(axes: Axes, mark: Mark, track: tuple[float, float], middle: float) -> None:
    scale = (track[1] - track[0]) / mark["top"]
    axes.add_patch(
        Rectangle(
            (track[0], middle - 0.17), track[1] - track[0], 0.34, facecolor=colour("panel"), edgecolor="none"
        )
    )
    if mark["state"] == "ok":
        axes.add_patch(
            Rectangle(
                (track[0], middle - 0.12),
                mark["value"] * scale,
                ACTUAL,
                facecolor=colour("now"),
                edgecolor="none",
            )
        )
    else:
        axes.text(
            track[0] + 0.08,
            middle - 0.03,
            mark["shown"],
            va="center",
            color=colour("quiet"),
            fontproperties=font(8.5),
        )
    if mark["before"] == mark["before"] and mark["before"] is not None:
        axes.add_patch(
            Rectangle(
                (track[0], middle + 0.085),
                mark["before"] * scale,
                THIN,
                facecolor=colour("before"),
                edgecolor="none",
            )
        )
    if mark["expected"] == mark["expected"] and mark["expected"] is not None:
        axes.plot(
            track[0] + mark["expected"] * scale,
            middle - 0.15,
            color=colour("ink"),
            marker="v",
            markersize=6,
            markeredgecolor="white",
            linestyle="",
            zorder=5,
        )
    at = track[0] + mark["target"] * scale
    axes.plot(
        [at, at],
        [middle - MARKER / 2, middle + MARKER / 2],
        color=colour("ink"),
        linewidth=2.4,
        solid_capstyle="butt",
        path_effects=halo(4.6),
        zorder=4,
    )


def _status(axes: Axes, mark: Mark, x: float, middle: float) -> None:
    hollow = mark["shape"] in HOLLOW
    axes.plot(
        x + 0.06,
        middle,
        marker=SHAPES[mark["shape"]],
        markersize=9 if mark["shape"] == "★" else 5.5 if mark["shape"] == "◇" else 7,
        markerfacecolor="white" if hollow else colour("now"),
        markeredgecolor=colour("unstated") if mark["shape"] == "○" else colour("now"),
        markeredgewidth=1.3,
        linestyle="",
    )
    axes.text(x + 0.19, middle, mark["word"], va="center", color=colour("ink"), fontproperties=font(9.5))


def _two_lines(label: str, room: float) -> list[str]:
    lines = wrapped(label, font(9.5), room)
    if len(lines) > 2:
        lines = [lines[0], shortened(" ".join(lines[1:]), font(9.5), room)]
    return [shortened(line, font(9.5), room) for line in lines]


def _stacked(axes: Axes, x: float, middle: float, lines: list[str], size: float) -> None:
    step = size * 1.2 / 72
    for number, line in enumerate(lines):
        y = middle + (number - (len(lines) - 1) / 2) * step
        axes.text(x, y, line, va="center", color=colour("ink"), fontproperties=font(size))
