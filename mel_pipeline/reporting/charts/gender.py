"""Gender balance: a bar of those who stated their gender with the balance band, a thin one for the rest.

Two bars because they have two bases: the balance is of the disclosed, the undisclosed share is of all people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.charts.canvas import (
    MARGIN,
    Paper,
    bare,
    colour,
    font,
    halo,
    paper,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.text.texts import Texts

# Dark, middle, light: three tones that stay distinct in grey print, each with its text colour.
TONES = {
    "Woman": ("now", "paper"),
    "Man": ("before", "ink"),
    "Non-binary": ("third", "ink"),
    "Other": ("before", "ink"),
}
BAR, THIN = (0.0, 1.0), (1.95, 0.34)


def draw(frame: ChartFrame, text: Texts) -> Figure:
    sheet = paper(frame, 1.95)
    axes = sheet.axes(MARGIN, MARGIN, above=0.05)
    bare(axes)
    axes.set_xlim(0, 100)
    axes.set_ylim(2.55, -0.75)
    marks = frame.marks
    _stated(sheet, axes, [mark for mark in marks if mark["code"] != "Undisclosed"])
    for mark in marks:
        if mark["code"] == "Undisclosed" and mark["status"] == "ok":
            _undisclosed(axes, mark, text)
    if frame.measure.band is not None:
        _band(axes, frame.measure.band, text)
    return sheet.figure


def _stated(sheet: Paper, axes: Axes, marks: list[dict[Hashable, Any]]) -> None:
    left = 0.0
    inches = (sheet.width - 2 * MARGIN) / 100
    for mark in marks:
        if mark["status"] != "ok" or not mark["value"]:
            continue
        tone, ink = map(colour, TONES[mark["code"]])
        axes.barh(
            BAR[0],
            mark["value"],
            left=left,
            height=BAR[1],
            align="edge",
            color=tone,
            edgecolor="white",
            linewidth=1.5,
        )
        number, name = font(13, strong=True), font(9)
        widest = max(text_width(mark["shown"], number), text_width(mark["label"], name))
        if widest + 0.2 < mark["value"] * inches:
            # The first to the left, the others to the right: the middle is left to the band.
            at, side, shift = (left, "left", 7) if left == 0 else (left + mark["value"], "right", -7)
            place: dict[str, Any] = {"textcoords": "offset points", "ha": side, "color": ink}
            axes.annotate(
                mark["shown"], (at, 0.5), xytext=(shift, 1), va="bottom", fontproperties=number, **place
            )
            axes.annotate(
                mark["label"], (at, 0.5), xytext=(shift, -3), va="top", fontproperties=name, **place
            )
        else:
            _outside(axes, mark, left + mark["value"])
        left += mark["value"]


def _outside(axes: Axes, mark: dict[Hashable, Any], end: float) -> None:
    """A share too narrow for its label has it under the bar, right-aligned to its end."""
    axes.annotate(
        f"{mark['label']} {mark['shown']}",
        (end, 1.08),
        ha="right" if end > 50 else "left",
        va="top",
        color=colour("ink"),
        fontproperties=font(9),
    )


def _undisclosed(axes: Axes, mark: dict[Hashable, Any], text: Texts) -> None:
    axes.barh(THIN[0], 100, height=THIN[1], align="edge", color=colour("panel"))
    axes.barh(THIN[0], mark["value"], height=THIN[1], align="edge", color=colour("unstated"))
    base = text("chart.of_all", count=mark["base"]) if mark["base"] else ""
    axes.annotate(
        f"{text('alt.mark', label=mark['label'], value=mark['shown'])} {base}".strip(),
        (0, THIN[0]),
        xytext=(0, 3),
        textcoords="offset points",
        ha="left",
        va="bottom",
        color=colour("quiet"),
        fontproperties=font(9),
    )


def _band(axes: Axes, band: tuple[float, float], text: Texts) -> None:
    """Two ticks through the bar: the women's share should end between them."""
    for edge in band:
        axes.plot(
            [edge, edge],
            [-0.22, 1.0],
            color=colour("ink"),
            linewidth=1.2,
            linestyle=(0, (3, 2)),
            path_effects=halo(2.8),
        )
    axes.plot(band, [-0.22, -0.22], color=colour("ink"), linewidth=1.2)
    axes.annotate(
        text("chart.band", low=text.number(band[0]), high=text.number(band[1])),
        (sum(band) / 2, -0.22),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=colour("quiet"),
        fontproperties=font(8.5),
    )
