"""Horizontal bars, one per row, for regions and categories. Names are left of the bars, above when narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.charts.canvas import (
    MARGIN,
    bare,
    colour,
    font,
    paper,
    shortened,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.text.texts import Texts

ROW_WIDE, ROW_NARROW = 0.34, 0.46


def draw_rows(frame: ChartFrame, text: Texts) -> Figure:
    """Bars from zero with their values at the end, in the order of the frame."""
    marks = frame.marks
    sheet = paper(frame, len(marks) * (ROW_NARROW if frame.narrow else ROW_WIDE) + 0.15)
    size = font(9) if frame.narrow else font(9.5)
    room = sheet.width - 2 * MARGIN
    labels = [shortened(mark["label"], size, room if frame.narrow else 0.52 * room) for mark in marks]
    names = 0.0 if frame.narrow else max(text_width(label, size) for label in labels) + 0.16
    ends = max(text_width(_end(mark, text), font(9.5, strong=True)) for mark in marks) + 0.2
    axes = sheet.axes(MARGIN + names, MARGIN + ends, above=0.05)
    bare(axes)
    axes.set_ylim(len(marks) - 0.5, -0.5)
    axes.set_xlim(0, max([*frame.data["value"].dropna(), 0.0]) or 1.0)
    axes.axvline(0, color=colour("quiet"), linewidth=0.8)
    for row, mark in enumerate(marks):
        bar = row + 0.2 if frame.narrow else row
        if mark["status"] == "ok":
            axes.barh(
                bar,
                mark["value"],
                height=0.42 if frame.narrow else 0.62,
                color=colour("now") if mark["emphasis"] else colour("unstated"),
            )
        end = mark["value"] if mark["status"] == "ok" else 0
        axes.annotate(
            _end(mark, text),
            (end, bar),
            xytext=(5, 0),
            textcoords="offset points",
            va="center_baseline",
            fontproperties=font(9.5, strong=mark["status"] == "ok"),
            color=colour("ink") if mark["status"] == "ok" else colour("quiet"),
            annotation_clip=False,
        )
        axes.annotate(
            labels[row],
            (0, row - 0.22 if frame.narrow else row),
            xytext=(1, 0) if frame.narrow else (-8, 0),
            textcoords="offset points",
            ha="left" if frame.narrow else "right",
            va="center_baseline",
            fontproperties=size,
            color=colour("ink"),
            annotation_clip=False,
        )
    return sheet.figure


def _end(mark: dict[Hashable, Any], text: Texts) -> str:
    """The value, and for shares its base."""
    if mark["status"] != "ok" or not mark["base"]:
        return str(mark["shown"])
    return text("chart.value_and_n", value=mark["shown"], count=mark["base"])
