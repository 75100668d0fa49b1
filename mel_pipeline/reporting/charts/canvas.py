"""What all charts share: style, paper, title block, foot line, the "not available" panel.

Positions are in inches from the top, because titles wrap and row heights differ; matplotlib's own layout engines
would move them with the font and cost most of the drawing time.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import matplotlib as mpl
from cycler import cycler
from matplotlib import font_manager, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.palette import Palette, load_palette

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

    from mel_pipeline.reporting.text.texts import Texts

WIDE, NARROW = 6.2, 3.6  # half a page, so that small type is printed at the size it has here
MARGIN = 0.14
LINE_SPACING = 1.25
FONTS = ("Inter-Regular.otf", "Inter-SemiBold.otf")
AS_DRAWN = b"#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg))"
_palette: ContextVar[Palette] = ContextVar("palette")


class Headed(Protocol):
    """What ``paper`` needs from a frame: its words, and whether it is for a phone."""

    @property
    def title(self) -> str: ...
    @property
    def subtitle(self) -> str: ...
    @property
    def footnote(self) -> str: ...
    @property
    def narrow(self) -> bool: ...
    @property
    def period(self) -> str: ...


@contextmanager
def house_style(sources_dir: Path) -> Iterator[None]:
    """Apply the style file and fonts inside the block; the previous settings are restored afterwards.

    Raises:
        ReportError: the style file or a font cannot be read.
    """
    path = sources_dir / "mel.mplstyle"
    try:
        known = {entry.fname for entry in font_manager.fontManager.ttflist}
        for name in FONTS:
            font = str((sources_dir / "fonts" / name).resolve())
            if font not in known:
                font_manager.fontManager.addfont(font)
        palette = load_palette(sources_dir)
        with mpl.rc_context(), style.context(["default", str(path), _settings(palette)]):
            before = _palette.set(palette)
            try:
                yield
            finally:
                _palette.reset(before)
    except OSError as error:
        raise ReportError(
            f"Drawing charts: {path} or the fonts beside it cannot be read. Restore them."
        ) from error


def colour(name: str) -> str:
    """A colour of the palette, inside ``house_style``."""
    return str(_palette.get().charts[name])


def size_of(name: str) -> float:
    """A type size of the palette in points, inside ``house_style``."""
    return float(_palette.get().sizes["charts"][name])


def _settings(palette: Palette) -> dict[str, Any]:
    """What matplotlib's own parts are drawn in."""
    colours = palette.charts
    return {
        "font.family": palette.fonts["charts"],
        "font.size": palette.sizes["charts"]["text"],
        "text.color": colours["ink"],
        "axes.prop_cycle": cycler(color=colours["cycle"]),
        "axes.facecolor": colours["paper"],
        "axes.edgecolor": colours["frame"],
        "axes.labelcolor": colours["quiet"],
        "xtick.color": colours["quiet"],
        "ytick.color": colours["quiet"],
        "grid.color": colours["grid"],
        "hatch.color": colours["hatch"],
        "figure.facecolor": colours["paper"],
        "savefig.facecolor": colours["paper"],
    }


@dataclass(frozen=True)
class Paper:
    """A figure with its title block drawn; ``top`` and ``bottom`` bound the remaining room, in inches."""

    figure: Figure
    width: float
    height: float
    top: float
    bottom: float

    def axes(self, left: float, right: float, above: float = 0.0, below: float = 0.0) -> Axes:
        """Axes in the remaining room, with margins in inches."""
        bottom = self.bottom + below
        box = (
            left / self.width,
            bottom / self.height,
            (self.width - left - right) / self.width,
            (self.height - self.top - above - bottom) / self.height,
        )
        return self.figure.add_axes(box)


def paper(frame: Headed, room: float, footnote: str = "", wide: float = WIDE) -> Paper:
    """A figure tall enough for its title, ``room`` inches of drawing and the foot line."""
    width = NARROW if frame.narrow else wide
    figure = Figure(figsize=(width, room))
    FigureCanvasAgg(figure)
    strong = font(size_of("title_phone" if frame.narrow else "title"), strong=True)
    plain, small = font(size_of("subtitle")), font(size_of("foot"))
    blocks = [
        (balanced(frame.title, strong, width - 2 * MARGIN), strong, colour("ink")),
        (wrapped(frame.subtitle, plain, width - 2 * MARGIN), plain, colour("quiet")),
    ]
    # Hinting draws small type up to two per cent wider than its outlines.
    foot = wrapped(" ".join(filter(None, [footnote, frame.footnote])), small, 0.98 * (width - 2 * MARGIN))
    bottom = MARGIN + _height(foot, small) + 0.08
    top = MARGIN + sum(_height(lines, size) + 0.06 for lines, size, _ in blocks) + 0.04
    height = top + room + bottom
    figure.set_size_inches(width, height)
    down = MARGIN
    for lines, size, ink in blocks:
        _write(figure, lines, 1 - down / height, size=size, ink=ink, anchor="top")
        down += _height(lines, size) + 0.06
    _write(figure, foot, MARGIN / height, size=small, ink=colour("quiet"), anchor="bottom")
    return Paper(figure, width, height, top, bottom)


def font(size: float, *, strong: bool = False) -> FontProperties:
    family = _palette.get().fonts["charts_strong" if strong else "charts"]
    return FontProperties(family=family, weight=600 if strong else 400, size=size)


def wrapped(text: str, size: FontProperties, width: float) -> list[str]:
    """Lines of at most ``width`` inches, measured with the real font; never broken at a no-break space."""
    space = text_width("n n", size) - text_width("nn", size)
    lines, used = [""], 0.0
    for word in filter(None, text.split(" ")):
        wide = text_width(word, size)
        if lines[-1] and used + space + wide > width:
            lines.append(word)
            used = wide
        else:
            used += wide + (space if lines[-1] else 0.0)
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def shortened(text: str, size: FontProperties, width: float) -> str:
    """The text, or as much of it as fits into ``width`` inches with an ellipsis; the data table has all of it."""
    if text_width(text, size) <= width:
        return text
    start = text
    while start and text_width(f"{start}…", size) > width:
        start = start[:-1].rstrip()
    return f"{start}…"


def balanced(text: str, size: FontProperties, width: float) -> list[str]:
    """As ``wrapped``, with lines of similar length: no single word left on the last one."""
    lines = wrapped(text, size, width)
    best = lines
    while len(lines) > 1 and width > 1.0:
        width -= 0.2
        lines = wrapped(text, size, width)
        if len(lines) > len(best):
            break
        best = lines
    return best


@lru_cache(maxsize=4096)
def text_width(text: str, size: FontProperties) -> float:
    """Inches."""
    # Measured on the outlines: a renderer per word would cost more than the whole drawing.
    width, _, _ = text_to_path.get_text_width_height_descent(text, size, ismath=False)
    return float(width) / 72


def _height(lines: list[str], size: FontProperties) -> float:
    return len(lines) * size.get_size_in_points() * LINE_SPACING / 72


def _write(
    figure: Figure, lines: list[str], y: float, *, size: FontProperties, ink: str, anchor: str
) -> None:
    """Line by line: matplotlib's own spacing follows the font's metrics, not the requested size."""
    step = size.get_size_in_points() * LINE_SPACING / 72 / figure.get_figheight()
    if anchor == "bottom":
        y += step * (len(lines) - 1)
    for row, line in enumerate(lines):
        figure.text(
            MARGIN / figure.get_figwidth(),
            y - row * step,
            line,
            fontproperties=size,
            color=ink,
            va=anchor,
            ha="left",
        )


def halo(width: float = 3.0) -> list[AbstractPathEffect]:
    """A white rim that keeps words and target lines readable over other marks."""
    return [withStroke(linewidth=width, foreground="white")]


def key_row(sheet: Paper, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """The key under the subtitle, in one row, never over the drawing."""
    sheet.figure.legend(
        handles=list(handles),
        labels=list(labels),
        loc="upper left",
        bbox_to_anchor=(MARGIN / sheet.width, 1 - (sheet.top - 0.02) / sheet.height),
        ncols=len(labels),
        frameon=False,
        prop=font(8.5),
        labelcolor=colour("quiet"),
        borderaxespad=0,
        borderpad=0,
        handlelength=1.8,
        columnspacing=1.6,
    )


def bare(axes: Axes) -> None:
    """No frame, no ticks: the marks are labelled."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def empty_panel(frame: Headed, text: Texts, why: str = "") -> Figure:
    """The panel in place of a chart without data: plain words, no axes, no zero."""
    sheet = paper(frame, 1.7)
    axes = sheet.axes(MARGIN, MARGIN, above=0.06, below=0.06)
    bare(axes)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.add_patch(
        Rectangle(
            (0, 0), 1, 1, facecolor=colour("panel"), edgecolor=colour("unstated"), linestyle=(0, (4, 3))
        )
    )
    axes.text(
        0.5,
        0.58,
        text("chart.empty", period=frame.period),
        ha="center",
        va="bottom",
        fontproperties=font(12, strong=True),
    )
    lines = "\n".join(wrapped(why or text("chart.empty_why"), font(9), sheet.width - 0.8))
    axes.text(0.5, 0.48, lines, ha="center", va="top", fontproperties=font(9), color=colour("quiet"))
    return sheet.figure


def inches(sheet: Paper, height: float, above: float = 0.0) -> Axes:
    """Axes over the whole width whose units are inches: x from the left edge of the paper, y downwards."""
    box = (0.0, (sheet.height - sheet.top - above - height) / sheet.height, 1.0, height / sheet.height)
    axes = sheet.figure.add_axes(box)
    bare(axes)
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(height, 0)
    axes.patch.set_visible(False)
    return axes


def svg(figure: Figure, title: str) -> bytes:
    """The same figure gives the same bytes: no dates, salted ids."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return buffer.getvalue()


def png(drawn: bytes, dots_per_inch: int = 200) -> bytes:
    """The picture of an SVG. Drawing the figure a second time would cost three times as much."""
    import typst

    page: Any = typst.compile(
        AS_DRAWN,
        format="png",
        ppi=dots_per_inch,
        sys_inputs={"svg": drawn.decode()},
        ignore_system_fonts=True,
    )
    return bytes(page)
