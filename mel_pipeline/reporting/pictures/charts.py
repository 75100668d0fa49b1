"""Charts of an edition as files. Frames in, SVG and PNG out; the drawing itself is in ``charts/``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.chart_data.indicator import ChartFrame, chart_frame
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import Measure, measures
from mel_pipeline.reporting.files import write_all
from mel_pipeline.reporting.pictures.picture import Picture, picture
from mel_pipeline.reporting.text.texts import Texts, texts_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.edition import Edition


@dataclass(frozen=True)
class ChartFile:
    """A chart on disk with its words."""

    indicator_id: str
    svg: Path
    png: Path
    alt: str


def render(frame: ChartFrame, text: Texts) -> Figure:
    """Draw one frame; call inside ``canvas.house_style``. Without data it is the "not available" panel."""
    from mel_pipeline.reporting.charts import drawer
    from mel_pipeline.reporting.charts.canvas import empty_panel

    draw = drawer(frame.kind)
    return empty_panel(frame, text) if frame.is_empty else draw(frame, text)


def draw_chart(
    edition: Edition, indicator_id: str, out_dir: Path, style_dir: Path, language: str
) -> ChartFile:
    """Draw the chart of one indicator into ``<out_dir>/<period>/charts/``.

    Args:
        style_dir: the folder with ``mel.mplstyle``, ``fonts/`` and ``locales/``.

    Raises:
        ReportError: no such indicator, no text or style file, or the file cannot be written.
    """
    check_columns(edition)
    known = measures(edition, language)
    chosen = [measure for measure in known if measure.id == indicator_id]
    if not chosen:
        raise ReportError(
            f"Drawing {indicator_id}: no such indicator. There are: {', '.join(m.id for m in known)}."
        )
    texts = texts_of(edition, style_dir, language)
    drawn = drawings(edition, chosen, Figures(edition, known), style_dir, texts, narrow=False)
    return write_charts(drawn, edition.period, out_dir, language)[0]


def draw_charts(edition: Edition, out_dir: Path, style_dir: Path, language: str) -> list[ChartFile]:
    """Draw the charts of all indicators that have one in the report, in report order. Errors as ``draw_chart``."""
    check_columns(edition)
    known = measures(edition, language)
    headline = [measure for measure in known if measure.pictured]
    texts = texts_of(edition, style_dir, language)
    drawn = drawings(edition, headline, Figures(edition, known), style_dir, texts, narrow=False)
    return write_charts(drawn, edition.period, out_dir, language)


@dataclass(frozen=True)
class Drawing:
    """A chart in memory: what it shows, and the picture. Narrow ones have no PNG."""

    frame: ChartFrame
    picture: Picture


def drawings(
    edition: Edition, chosen: list[Measure], figures: Figures, style_dir: Path, texts: Texts, *, narrow: bool
) -> list[Drawing]:
    """Draw the charts of the chosen indicators; narrow ones are for the page alone and have no PNG."""
    from mel_pipeline.reporting.charts import canvas

    with canvas.house_style(style_dir):
        frames = [chart_frame(edition, measure, figures, texts, narrow=narrow) for measure in chosen]
        return [
            Drawing(frame, picture(frame, texts, render, style_dir, title=frame.title, with_png=not narrow))
            for frame in frames
        ]


def plainly(drawing: Drawing, style_dir: Path, texts: Texts) -> Drawing:
    """Drawn again with the indicator's name in place of its finding; the alternative text still has it."""
    from mel_pipeline.reporting.charts import canvas

    frame = replace(drawing.frame, title=drawing.frame.measure.name)
    with canvas.house_style(style_dir):
        return Drawing(frame, picture(frame, texts, render, style_dir, title=frame.title, with_png=False))


def write_charts(drawn: list[Drawing], period: str, out_dir: Path, language: str) -> list[ChartFile]:
    """Write drawings to ``<out_dir>/<period>/charts/``; unchanged files are not touched."""
    folder = out_dir / period / "charts"
    charts = []
    contents: dict[Path, bytes] = {}
    for drawing in drawn:
        indicator = drawing.frame.measure.id
        stem = indicator if language == BASE else f"{indicator}-{language}"
        chart = ChartFile(indicator, folder / f"{stem}.svg", folder / f"{stem}.png", drawing.frame.alt)
        contents |= {chart.svg: drawing.picture.svg, chart.png: drawing.picture.png}
        charts.append(chart)
    write_all(contents)
    return charts
