"""Parts of a slide: paper, texts, cards, native charts and tables. Knows no figure; sizes in inches, type in points."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.packs.logo import logo_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.packs.content import View

WIDTH, HEIGHT = 13.333, 7.5
LEFT, RIGHT = 0.6, 0.6
ROOM = WIDTH - LEFT - RIGHT
TOP, BOTTOM = 1.75, 6.85  # of a slide's body
P = "http://schemas.openxmlformats.org/presentationml/2006/main"


@dataclass(frozen=True)
class Look:
    """Type and colours of an output, from the palette."""

    font: str
    ink: str
    paper: str
    quiet: str
    navy: str
    rule: str
    soft: str
    good: str
    warm: str
    now: str
    before: str
    other: str

    @classmethod
    def of(cls, view: View) -> Look:
        light, charts = view.palette.light, view.palette.charts
        return cls(
            font=str(view.palette.fonts["pdf"]),
            ink=light["ink"],
            paper=light["paper"],
            quiet=light["quiet"],
            navy=light["navy"],
            rule=light["rule"],
            soft=light["soft"],
            good=light["good"],
            warm=light["warm_rule"],
            now=str(charts["now"]),
            before=str(charts["before"]),
            other=str(charts["other"]),
        )


def rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(  # type: ignore[no-untyped-call]
        colour.removeprefix("#").upper()
    )


class Deck:
    """Slides of one look. ``speak`` of a slide's ``notes`` is what the speaker reads."""

    def __init__(self, view: View) -> None:
        from pptx import Presentation
        from pptx.util import Inches

        self.view, self.look = view, Look.of(view)
        self.file: Any = Presentation()
        self.file.slide_width, self.file.slide_height = Inches(WIDTH), Inches(HEIGHT)
        about = self.file.core_properties
        about.author = view.edition.organisation
        about.title = f"{view.edition.organisation} · {view.title} · {view.label.tag}"
        about.language = view.language
        self.number = 0

    def slide(self, title: str, eyebrow: str, notes: Sequence[str]) -> Any:
        """A slide with title, foot line and notes; its body is free from ``TOP`` to ``BOTTOM``."""
        page = self._blank(notes)
        self.text(page, [eyebrow], LEFT, 0.42, ROOM - 2.6, 0.3, size=12, colour=self.look.navy, strong=True)
        self._title(page, title, LEFT, 0.72, ROOM, 0.95, 25 if len(title) < 70 else 22)
        self._foot(page)
        return page

    def cover(self, title: str, lines: Sequence[str], notes: Sequence[str]) -> Any:
        page = self._blank(notes)
        ground = self.box(page, 0, 0, WIDTH, 4.9, fill=self.look.navy)
        page.shapes._spTree.insert(2, ground._element)  # behind the title, which every slide begins with
        if picture := logo_picture(self.view.edition.logo):
            page.shapes.add_picture(io.BytesIO(picture), _in(LEFT), _in(0.5), height=_in(0.7))
        above = f"{self.view.edition.organisation} · {self.view.t('page.eyebrow')}"
        self.text(page, [above], LEFT, 1.35, ROOM, 0.4, size=16, colour=self.look.paper)
        self._title(page, title, LEFT, 1.85, ROOM, 2.7, 38 if len(title) < 90 else 30, colour=self.look.paper)
        self.text(page, lines, LEFT, 5.15, ROOM - 3, 1.6, size=17, gap=5)
        self._foot(page)
        return page

    def _blank(self, notes: Sequence[str]) -> Any:
        page = self.file.slides.add_slide(
            self.file.slide_layouts[5]
        )  # a title alone: its place is kept for readers
        self.number += 1
        page.notes_slide.notes_text_frame.text = "\n".join(notes)
        return page

    def _title(
        self, page: Any, title: str, left: float, top: float, wide: float, high: float, size: float,
        *, colour: str = "",
    ) -> None:  # fmt: skip
        from pptx.enum.text import MSO_ANCHOR, PP_ALIGN

        shape = page.shapes.title
        shape.left, shape.top, shape.width, shape.height = map(_in, (left, top, wide, high))
        frame = shape.text_frame
        frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.TOP
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        paragraph = frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.LEFT
        self._run(paragraph, title, size, colour or self.look.navy, strong=True)

    def _foot(self, page: Any) -> None:
        view, tag = self.view, " · ".join(self.view.marks)
        left = f"{view.edition.organisation} · {view.title}"
        self.text(page, [left], LEFT, 7.03, 7, 0.28, size=10, colour=self.look.quiet)
        self.text(
            page,
            [str(self.number)],
            WIDTH - 1.1,
            7.03,
            0.5,
            0.28,
            size=10,
            colour=self.look.quiet,
            align="right",
        )
        paint = self.look.warm if view.is_provisional or view.is_recalled else self.look.good
        wide = 0.3 + 0.082 * len(tag)
        chip = self.box(page, WIDTH - 1.2 - wide, 6.99, wide, 0.32, fill=self.look.paper, line=paint)
        chip.text_frame.margin_top = chip.text_frame.margin_bottom = 0
        self._write(chip.text_frame, [tag], 10, self.look.ink, strong=True, align="center", middle=True)

    def box(
        self, page: Any, left: float, top: float, wide: float, high: float, *, fill: str, line: str = ""
    ) -> Any:
        from pptx.enum.shapes import MSO_SHAPE

        shape = page.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(_in, (left, top, wide, high)))
        shape._element.remove(shape._element.find(f"{{{P}}}style"))  # of the theme: shadow and edge
        shape.fill.solid()
        shape.fill.fore_color.rgb = rgb(fill)
        if line:
            shape.line.color.rgb = rgb(line)
        else:
            shape.line.fill.background()
        return shape

    def text(
        self, page: Any, lines: Sequence[str], left: float, top: float, wide: float, high: float,
        *, size: float, colour: str = "", strong: bool = False, align: str = "left", gap: float = 0, bullets: bool = False,
    ) -> Any:  # fmt: skip
        shape = page.shapes.add_textbox(*map(_in, (left, top, wide, high)))
        self._write(
            shape.text_frame,
            lines,
            size,
            colour or self.look.ink,
            strong=strong,
            align=align,
            gap=gap,
            bullets=bullets,
        )
        return shape

    def _write(
        self, frame: Any, lines: Sequence[str], size: float, colour: str,
        *, strong: bool = False, align: str = "left", gap: float = 0, middle: bool = False, bullets: bool = False,
    ) -> None:  # fmt: skip
        from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
        from pptx.util import Pt

        frame.word_wrap = True
        frame.margin_left = frame.margin_right = 0
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE if middle else MSO_ANCHOR.TOP
        for place, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
            paragraph.alignment = {"left": PP_ALIGN.LEFT, "right": PP_ALIGN.RIGHT, "center": PP_ALIGN.CENTER}[
                align
            ]
            paragraph.space_after = Pt(gap)
            if bullets:
                _bullet(paragraph)
            self._run(paragraph, line, size, colour, strong=strong)

    def _run(self, paragraph: Any, text: str, size: float, colour: str, *, strong: bool = False) -> None:
        from pptx.util import Pt

        run = paragraph.add_run()
        run.text = text
        run.font.size, run.font.bold, run.font.name = Pt(size), strong, self.look.font
        run.font.color.rgb = rgb(colour)
        run.font.language_id = _language(self.view.language)

    def card(
        self, page: Any, place: tuple[float, float, float, float], words: Sequence[str], status: str
    ) -> None:
        """Name, figure, what it compares with, target, and how it stands."""
        left, top, wide, high = place
        name, figure, change, target, word = words
        self.box(page, left, top, wide, high, fill=self.look.soft)
        self.box(page, left, top, 0.07, high, fill=self.colour_of(status))
        inner, room, navy = left + 0.28, wide - 0.45, self.look.navy
        self.text(page, [name], inner, top + 0.12, room, 0.55, size=13, colour=self.look.quiet, strong=True)
        size = 27 if len(figure) < 14 else 21
        self.text(page, [figure], inner, top + 0.62, room, 0.6, size=size, strong=True, colour=navy)
        self.text(page, [line for line in (change, target) if line], inner, top + 1.25, room, 0.6, size=12.5)
        colour = self.colour_of(status)
        self.text(page, [word], inner, top + high - 0.45, room, 0.35, size=13, colour=colour, strong=True)

    def remark(self, page: Any, place: tuple[float, float, float, float], text: str) -> None:
        """A sentence on dark ground, of the size of a card."""
        left, top, wide, high = place
        shape = self.box(page, left, top, wide, high, fill=self.look.navy)
        size = 15 if len(text) < 160 else 12.5
        self._write(shape.text_frame, [text], size, self.look.paper, strong=True, middle=True)
        shape.text_frame.margin_left = shape.text_frame.margin_right = _in(0.28)

    def colour_of(self, status: str) -> str:
        light = self.view.palette.light
        kind = {
            "over": "good",
            "on": "good",
            "in_band": "good",
            "near": "near",
            "out_of_band": "near",
            "off": "bad",
        }
        return light[kind[status]] if status in kind else self.look.quiet

    def table(
        self, page: Any, rows: Sequence[Sequence[str]], widths: Sequence[float], top: float,
        *, high: float = 0.4, size: float = 12, colours: dict[tuple[int, int], str] | None = None,
    ) -> Any:  # fmt: skip
        """A native table; the first row is its head. All columns but the first are set to the right, the last to the left."""
        shape = page.shapes.add_table(
            len(rows), len(rows[0]), _in(LEFT), _in(top), _in(sum(widths)), _in(high * len(rows))
        )
        table = shape.table
        _plain_style(shape)
        for place, wide in enumerate(widths):
            table.columns[place].width = _in(wide)
        for across, row in enumerate(rows):
            table.rows[across].height = _in(high)
            for down, words in enumerate(row):
                cell = table.cell(across, down)
                cell.margin_left = cell.margin_right = _in(0.07)
                cell.margin_top = cell.margin_bottom = _in(0.02)
                cell.fill.solid()
                cell.fill.fore_color.rgb = rgb(
                    self.look.navy if across == 0 else self.look.soft if across % 2 == 0 else self.look.paper
                )
                colour = (
                    self.look.paper if across == 0 else (colours or {}).get((across, down), self.look.ink)
                )
                side = "left" if down in (0, len(row) - 1) else "right"
                self._write(
                    cell.text_frame, [words], size, colour, strong=across == 0 or down == 0, align=side
                )
                from pptx.enum.text import MSO_ANCHOR

                cell.vertical_anchor = MSO_ANCHOR.MIDDLE
                cell.text_frame.margin_left = _in(0.07)
        return table

    def saved(self) -> bytes:
        from mel_pipeline.reporting.packs.archive import steady

        out = io.BytesIO()
        self.file.save(out)
        return steady(out.getvalue())


def _in(size: float) -> int:
    return round(size * 914_400)


def _bullet(paragraph: Any) -> None:
    from pptx.oxml.ns import qn

    own = paragraph._p.get_or_add_pPr()
    own.set("marL", "228600")
    own.set("indent", "-228600")
    mark = own.makeelement(qn("a:buChar"), {"char": "•"})
    own.append(mark)


def _plain_style(shape: Any) -> None:
    """Without the style's bands: the colours are the cells' own."""
    own = shape._element.graphic.graphicData.tbl.tblPr
    own.set("bandRow", "0")
    own.set("firstRow", "1")


def _language(code: str) -> Any:
    from pptx.enum.lang import MSO_LANGUAGE_ID

    names = {"en": "ENGLISH_UK", "fr": "FRENCH", "es": "SPANISH", "ca": "CATALAN"}
    return getattr(MSO_LANGUAGE_ID, names.get(code, "NONE"))
