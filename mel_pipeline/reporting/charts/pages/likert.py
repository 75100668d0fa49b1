"""Answers from 1 to 5 as bars that diverge from the neutral answer: dissatisfied to the left, satisfied to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.patches import Rectangle

from mel_pipeline.reporting.charts.canvas import (
    MARGIN,
    NARROW,
    WIDE,
    colour,
    font,
    inches,
    paper,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.page import PageFrame
    from mel_pipeline.reporting.charts.canvas import Paper
    from mel_pipeline.reporting.text.texts import Texts

    Mark = dict[Hashable, Any]

# Orange against blue for every kind of colour vision; dark outside and lighter inside, to be readable in grey print.
TONES = {
    "1": ("score_1", "paper"),
    "2": ("score_2", "ink"),
    "3": ("score_3", "ink"),
    "4": ("before", "ink"),
    "5": ("now", "paper"),
}
ROW_WIDE, ROW_NARROW, BAR = 0.47, 0.64, 0.32


def draw(frame: PageFrame, text: Texts) -> Figure:
    marks = frame.marks
    keys = _key_lines(frame)
    above = 0.2 * len(keys) + 0.12
    height = len(marks) * _row(frame) + 0.24
    sheet = paper(frame, above + height)
    _key(sheet, frame, keys)
    axes = inches(sheet, height, above=above)
    _bars(axes, marks, sheet.width, frame, text)
    return sheet.figure


def _row(frame: PageFrame) -> float:
    """On a phone the quarter and its n are above the bar."""
    return ROW_NARROW if frame.narrow else ROW_WIDE


def _bars(axes: Axes, marks: list[Mark], width: float, frame: PageFrame, text: Texts) -> None:
    strong, small = font(9.5, strong=True), font(8.5)
    bases = [text("chart.n", count=mark["base"]) if mark["base"] else "" for mark in marks]
    heads = [text("picture.likert.dissatisfied"), text("picture.likert.satisfied")]
    labels = 0.0 if frame.narrow else max(text_width(mark["label"], strong) for mark in marks) + 0.12
    ends = 0.0 if frame.narrow else max(text_width(base, small) for base in bases) + 0.12
    sums = [
        max([text_width(head, font(8)), *(text_width(mark[part], strong) for mark in marks)]) + 0.1
        for head, part in zip(heads, ("low_shown", "high_shown"), strict=True)
    ]
    left, right = MARGIN + labels + sums[0], width - MARGIN - ends - sums[1]
    known = [mark for mark in marks if mark["state"] == "ok"]
    reach = (max(_below(mark) for mark in known), max(100 - _below(mark) for mark in known))
    scale = (right - left) / (reach[0] + reach[1])
    middle = left + reach[0] * scale
    for word, x, side in ((heads[0], left - 0.1, "right"), (heads[1], right + 0.1, "left")):
        axes.text(x, 0.1, word, ha=side, va="center", color=colour("quiet"), fontproperties=font(8))
    for row, mark in enumerate(marks):
        y = 0.24 + (row + 0.5) * _row(frame) + (0.1 if frame.narrow else 0.0)
        head = y - 0.27 if frame.narrow else y
        axes.text(
            MARGIN,
            head,
            mark["label"],
            va="center",
            color=colour("ink") if mark["emphasis"] else colour("quiet"),
            fontproperties=font(9.5, strong=bool(mark["emphasis"])),
        )
        reach_y = BAR / 2 + 0.04 if frame.narrow else _row(frame) / 2
        axes.plot([middle] * 2, [y - reach_y, y + reach_y], color=colour("quiet"), linewidth=0.8, zorder=0)
        if mark["state"] != "ok":
            _gap(axes, (left, right), y, mark["absent"])
            continue
        _segments(axes, mark, middle - _below(mark) * scale, y, scale)
        axes.text(
            left - 0.1,
            y,
            mark["low_shown"],
            ha="right",
            va="center",
            color=colour("ink"),
            fontproperties=font(9.5),
        )
        axes.text(right + 0.1, y, mark["high_shown"], va="center", color=colour("ink"), fontproperties=strong)
        axes.text(
            width - MARGIN,
            head,
            bases[row],
            ha="right",
            va="center",
            color=colour("quiet"),
            fontproperties=small,
        )


def _below(mark: Mark) -> float:
    """The share left of the middle of the neutral answer, in per cent."""
    return float(mark["s1"] + mark["s2"] + mark["s3"] / 2)


def _segments(axes: Axes, mark: Mark, x: float, y: float, scale: float) -> None:
    size = font(8.5)
    for score, tones in TONES.items():
        tone, ink = map(colour, tones)
        wide = mark[f"s{score}"] * scale
        if not wide:
            continue
        axes.add_patch(
            Rectangle((x, y - BAR / 2), wide, BAR, facecolor=tone, edgecolor="white", linewidth=1.0)
        )
        if score == "3":  # the neutral tone is light: a rim keeps it from fading into the paper
            for edge in (y - BAR / 2 + 0.006, y + BAR / 2 - 0.006):
                axes.plot([x + 0.01, x + wide - 0.01], [edge] * 2, color=colour("unstated"), linewidth=0.8)
        shown = mark[f"shown{score}"]
        if text_width(shown, size) + 0.06 < wide:
            axes.text(x + wide / 2, y, shown, ha="center", va="center", color=ink, fontproperties=size)
        x += wide


def _gap(axes: Axes, track: tuple[float, float], y: float, words: str) -> None:
    axes.add_patch(
        Rectangle(
            (track[0], y - BAR / 2),
            track[1] - track[0],
            BAR,
            facecolor=colour("panel"),
            edgecolor="none",
            zorder=1,
        )
    )
    axes.text(
        sum(track) / 2,
        y,
        words,
        ha="center",
        va="center",
        color=colour("quiet"),
        fontproperties=font(8.5),
        zorder=2,
    )


def _key_lines(frame: PageFrame) -> list[list[str]]:
    """The scores in as many rows as their words need."""
    room = (NARROW if frame.narrow else WIDE) - 2 * MARGIN
    lines: list[list[str]] = [[]]
    used = 0.0
    for score in TONES:
        wide = 0.2 + text_width(frame.words[score], font(8.5)) + 0.18
        if lines[-1] and used + wide > room + 0.18:
            lines.append([])
            used = 0.0
        lines[-1].append(score)
        used += wide
    return lines


def _key(sheet: Paper, frame: PageFrame, lines: list[list[str]]) -> None:
    axes = inches(sheet, 0.2 * len(lines))
    for number, line in enumerate(lines):
        x, y = MARGIN, 0.2 * number + 0.09
        for score in line:
            axes.add_patch(
                Rectangle(
                    (x, y - 0.055),
                    0.14,
                    0.11,
                    facecolor=colour(TONES[score][0]),
                    edgecolor=colour("unstated") if score == "3" else "none",
                    linewidth=0.8,
                )
            )
            axes.text(
                x + 0.2, y, frame.words[score], va="center", color=colour("quiet"), fontproperties=font(8.5)
            )
            x += 0.2 + text_width(frame.words[score], font(8.5)) + 0.18
