"""Draw and write the page's overview pictures: frames from ``chart_data``, drawings from ``charts/pages``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.chart_data import likert as frames_likert
from mel_pipeline.reporting.chart_data import member_map as frames_member_map
from mel_pipeline.reporting.chart_data import platforms as frames_platforms
from mel_pipeline.reporting.chart_data.page import PageFrame, Stage
from mel_pipeline.reporting.files import write_all
from mel_pipeline.reporting.pictures.picture import Picture, picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

FRAMES = {
    "member_map": frames_member_map.frame,
    "likert": frames_likert.frame,
    "platforms": frames_platforms.frame,
}


@dataclass(frozen=True)
class PageDrawing:
    """A picture in memory with its words and table. Narrow ones have no PNG."""

    frame: PageFrame
    picture: Picture


@dataclass(frozen=True)
class PageFile:
    """A picture on disk."""

    name: str
    svg: Path
    png: Path
    frame: PageFrame


def page_frames(
    edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts, *, narrow: bool = False
) -> dict[str, PageFrame]:
    """By name; a picture whose indicator is not in the catalogue is left out, one without data is empty."""
    stage = Stage(edition, known, figures, texts, narrow)
    made = {name: build(stage) for name, build in FRAMES.items()}
    return {name: frame for name, frame in made.items() if frame is not None}


def render_page(frame: PageFrame, text: Texts) -> Figure:
    """Draw one frame; call inside ``canvas.house_style``. Without data it is a panel that says why."""
    from mel_pipeline.reporting.charts.canvas import empty_panel
    from mel_pipeline.reporting.charts.pages import page_drawer

    return (
        empty_panel(frame, text, frame.empty_why) if frame.is_empty else page_drawer(frame.name)(frame, text)
    )


def page_charts(
    edition: Edition,
    known: Sequence[Measure],
    figures: Figures,
    texts: Texts,
    sources_dir: Path,
    *,
    narrow: bool = False,
) -> dict[str, PageDrawing]:
    """The pictures that show several indicators, by name: member_map, likert, platforms.

    Raises:
        ReportError: a text, the style file or a font is missing.
    """
    from mel_pipeline.reporting.charts import canvas

    with canvas.house_style(sources_dir):
        return {
            name: PageDrawing(
                frame, picture(frame, texts, render_page, sources_dir, title=frame.title, with_png=not narrow)
            )
            for name, frame in page_frames(edition, known, figures, texts, narrow=narrow).items()
        }


def write_page_charts(
    drawn: Mapping[str, PageDrawing], period: str, out_dir: Path, language: str
) -> list[PageFile]:
    """Write wide drawings to ``<out_dir>/<period>/charts/``; unchanged files are not touched."""
    folder = out_dir / period / "charts"
    files = []
    contents: dict[Path, bytes] = {}
    for name, drawing in drawn.items():
        stem = name if language == BASE else f"{name}-{language}"
        file = PageFile(name, folder / f"{stem}.svg", folder / f"{stem}.png", drawing.frame)
        contents |= {file.svg: drawing.picture.svg, file.png: drawing.picture.png}
        files.append(file)
    write_all(contents)
    return files
