"""Pictures for social media in three shapes, with their text alternatives. The marks are those of the report's charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.figures.measures import missing
from mel_pipeline.reporting.packs.content import based_on
from mel_pipeline.reporting.packs.deck import chosen_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.packs.content import View

SHAPES = {"square": (5.4, 5.4), "wide": (8.0, 4.5), "portrait": (5.4, 6.75)}  # inches: 1:1, 16:9, 4:5
DOTS_PER_INCH = 200
EDGE = 0.42
MOST_BARS = 7
LABEL, SMALL = 11.5, 8.5


def pictures(view: View) -> dict[str, bytes]:
    """File name → PNG, and ``captions.md`` with a text for each."""
    from mel_pipeline.reporting.charts import canvas

    t, found = view.t, {}
    captions = [f"# {t('pack.captions')}", "", f"{t('pack.caption_note')} {based_on(view)}"]
    with canvas.house_style(view.pack.sources_dir):
        for chosen in chosen_frames(view):
            frame = view.frame(chosen.measure, narrow=True)  # fewer quarters, shorter numbers
            for shape, size in SHAPES.items():
                figure = _drawn(frame, view, size)
                found[f"{frame.measure.id}-{shape}.png"] = canvas.png(canvas.svg(figure, ""), DOTS_PER_INCH)
            captions += ["", f"## {frame.measure.id}", "", f"{frame.title}.", "", frame.alt]
    found["captions.md"] = ("\n".join(captions) + "\n").encode()
    return found


def _drawn(frame: ChartFrame, view: View, size: tuple[float, float]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from mel_pipeline.reporting.charts import canvas

    wide, high = size
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    figure.add_artist(
        Rectangle(
            (0, 1 - 0.09 / high), 1, 0.09 / high, color=canvas.colour("now"), transform=figure.transFigure
        )
    )
    title, plain = canvas.font(20 if len(frame.title) < 80 else 17, strong=True), canvas.font(10)
    down = _lines(
        figure, canvas.balanced(frame.title, title, wide - 2 * EDGE), EDGE, size, title, canvas.colour("now")
    )
    down = _lines(
        figure,
        canvas.wrapped(frame.subtitle, plain, wide - 2 * EDGE),
        down + 0.12,
        size,
        plain,
        canvas.colour("quiet"),
    )
    small = canvas.font(SMALL)
    foot = f"{view.edition.organisation} · {view.title} · {' · '.join(view.marks)}"
    figure.text(
        EDGE / wide, EDGE / high, foot, fontproperties=small, color=canvas.colour("quiet"), va="bottom"
    )
    bottom = EDGE + 0.35
    marks = _shown(frame)
    sideways = frame.kind in ("regions", "categories")
    left = EDGE + (1.75 if sideways else 0.0)
    below = 0.0 if sideways else 0.38
    box = (
        left / wide,
        (bottom + below) / high,
        (wide - left - EDGE - (0.7 if sideways else 0)) / wide,
        (high - down - 0.3 - bottom - below) / high,
    )
    axes = figure.add_axes(box)
    canvas.bare(axes)
    (_bars if sideways else _columns)(axes, marks, view)
    return figure


def _lines(
    figure: Figure, lines: Sequence[str], down: float, size: tuple[float, float], font: Any, ink: str
) -> float:
    """Lines from ``down`` inches below the edge; returns where they end."""
    step = float(font.get_size_in_points()) / 72 * 1.28
    for place, line in enumerate(lines):
        figure.text(
            EDGE / size[0],
            1 - (down + place * step) / size[1],
            line,
            fontproperties=font,
            color=ink,
            va="top",
        )
    return down + len(lines) * step


def _shown(frame: ChartFrame) -> list[dict[Any, Any]]:
    """The quarters, or the largest parts; the text alternative has all."""
    return frame.marks[:MOST_BARS] if frame.kind in ("regions", "categories") else frame.marks


def _columns(axes: Axes, marks: Sequence[dict[Any, Any]], view: View) -> None:
    from mel_pipeline.reporting.charts import canvas

    known = [float(mark["value"]) for mark in marks if not missing(mark["value"])]
    top = max([*known, 0.0]) or 1.0
    slot = 0.92 * axes.get_position().width * axes.figure.get_figwidth() / len(marks)  # type: ignore[union-attr]
    for place, mark in enumerate(marks):
        there = not missing(mark["value"])
        paint = canvas.colour("now" if mark["emphasis"] else "before")
        value = float(mark["value"]) if there else 0.0
        axes.bar(place, value, width=0.62, color=paint)
        axes.text(
            place,
            max(value, 0.0) + top * 0.03,
            str(mark["shown"]),
            ha="center",
            va="bottom",
            color=canvas.colour("ink"),
            fontproperties=canvas.font(LABEL if there else 8, strong=there),
        )
        axes.text(
            place,
            -top * 0.03,
            "\n".join(canvas.wrapped(view.t.period(str(mark["label"])), canvas.font(9.5), slot)),
            ha="center",
            va="top",
            linespacing=1.1,
            color=canvas.colour("quiet"),
            fontproperties=canvas.font(9.5),
        )
    axes.set_xlim(-0.5, len(marks) - 0.5)
    axes.set_ylim(min([*known, 0.0]), top * 1.16)
    axes.axhline(0, color=canvas.colour("frame"), linewidth=0.8)


def _bars(axes: Axes, marks: Sequence[dict[Any, Any]], view: View) -> None:
    from mel_pipeline.reporting.charts import canvas

    known = [float(mark["value"]) for mark in marks if not missing(mark["value"])]
    top = max([*known, 0.0]) or 1.0
    for place, mark in enumerate(marks):
        there = not missing(mark["value"])
        value = float(mark["value"]) if there else 0.0
        axes.barh(-place, value, height=0.62, color=canvas.colour("now" if mark["emphasis"] else "unstated"))
        axes.text(
            value + top * 0.03,
            -place,
            str(mark["shown"]),
            va="center",
            color=canvas.colour("ink"),
            fontproperties=canvas.font(LABEL if there else 8.5, strong=there),
        )
        name = canvas.shortened(view.t.period(str(mark["label"])), canvas.font(10.5), 1.65)
        axes.text(
            -top * 0.03,
            -place,
            name,
            va="center",
            ha="right",
            color=canvas.colour("ink"),
            fontproperties=canvas.font(10.5),
        )
    axes.set_ylim(-len(marks) + 0.45, 0.55)
    axes.set_xlim(0, top)
