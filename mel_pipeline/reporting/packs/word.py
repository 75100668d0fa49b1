"""Parts of a Word document: headings, paragraphs, tables, places to be written. Knows no figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.packs.archive import steady
from mel_pipeline.reporting.packs.logo import logo_picture
from mel_pipeline.reporting.packs.slides import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.packs.content import View

WIDE = 17.0  # cm between the margins


class Document:
    """A document in the organisation's look, its status on every page."""

    def __init__(self, view: View, title: str) -> None:
        import docx
        from docx.shared import Cm

        self.view, self.look = view, Look.of(view)
        self.file: Any = docx.Document()
        about = self.file.core_properties
        about.author, about.title, about.language = view.edition.organisation, title, view.language
        section = self.file.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2)
        section.top_margin, section.bottom_margin = Cm(2.2), Cm(2)
        self._styles()
        self._edges(section, title)

    def _styles(self) -> None:
        from docx.oxml.ns import qn
        from docx.shared import Pt

        sizes = {"Normal": 10, "Title": 25, "Heading 1": 15, "Heading 2": 11.5, "Caption": 8.5}
        for name, size in sizes.items():
            style = self.file.styles[name]
            style.font.name, style.font.size = self.look.font, Pt(size)
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for kind in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
                fonts.attrib.pop(qn(kind), None)
            fonts.set(qn("w:hAnsi"), self.look.font)
            style.font.color.rgb = _rgb(
                self.look.navy if name in ("Title", "Heading 1", "Heading 2") else self.look.ink
            )
            style.font.italic, style.font.bold = False, name in ("Title", "Heading 1", "Heading 2")
            style.paragraph_format.space_after = Pt(5)
        for edge in self.file.styles["Title"].element.xpath(".//w:pBdr"):
            edge.getparent().remove(edge)
        language = self.file.styles.element.xpath(".//w:rPrDefault//w:lang")
        for one in language:
            one.set(qn("w:val"), str(self.view.t.locale).replace("_", "-"))

    def _edges(self, section: Any, title: str) -> None:
        from docx.enum.text import WD_TAB_ALIGNMENT
        from docx.shared import Cm, Pt

        for part, left, right in (
            (section.header, title, " · ".join(self.view.marks)),
            (section.footer, f"{self.view.edition.organisation} · {self.view.title}", ""),
        ):
            paragraph = part.paragraphs[0]
            paragraph.style = self.file.styles["Normal"]  # those of edges have tab stops of their own
            paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(WIDE), WD_TAB_ALIGNMENT.RIGHT)
            for place, text in enumerate((left, f"\t{right}")):
                run = paragraph.add_run(text)
                run.font.size, run.bold = Pt(8.5), place == 1
                run.font.color.rgb = _rgb(self.look.ink if place else self.look.quiet)
            if not right:
                _field(paragraph, "PAGE", self.look.quiet)

    def cover(self, title: str, facts: Sequence[tuple[str, str]]) -> None:
        from docx.shared import Cm

        if picture := logo_picture(self.view.edition.logo):
            self.file.add_paragraph().add_run().add_picture(io.BytesIO(picture), height=Cm(1.4))
        self.file.add_paragraph(f"{self.view.edition.organisation} · {self.view.t('page.eyebrow')}")
        self.file.add_paragraph(title, style="Title")
        self.table([list(fact) for fact in facts], [4.2, WIDE - 4.2], head=False)

    def heading(self, text: str, level: int = 1) -> None:
        self.file.add_heading(text, level)

    def paragraph(self, text: str, *, style: str = "Normal") -> None:
        self.file.add_paragraph(text, style=style)

    def bullet(self, text: str) -> None:
        self.file.add_paragraph(text, style="List Bullet")

    def to_write(self, prompt: str) -> None:
        """A shaded place for words that no figure says; what belongs there stands in it."""
        table = self.file.add_table(rows=1, cols=1)
        _keep_whole(table.rows[0], is_head=False)
        cell = table.cell(0, 0)
        _shade(cell, self.view.palette.light["warm"])
        _border(cell, self.look.warm)
        paragraph = cell.paragraphs[0]
        run = paragraph.add_run(f"[{self.view.t('pack.write_here')}] ")
        run.bold = True
        run.font.color.rgb = _rgb(self.view.palette.light["warm_ink"])
        paragraph.add_run(prompt).italic = True
        cell.add_paragraph("")
        self._gap()

    def table(
        self, rows: Sequence[Sequence[str]], widths: Sequence[float], *, head: bool = True, numbers: Sequence[int] = (),
        size: float = 9, bands: Sequence[int] = (), colours: dict[tuple[int, int], str] | None = None,
    ) -> None:  # fmt: skip
        """A table whose head is repeated on every page. ``numbers``: columns set to the right; ``bands``: rows shaded."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Cm, Pt

        table = self.file.add_table(rows=len(rows), cols=len(widths))
        table.autofit = False
        for down, wide in enumerate(widths):
            table.columns[down].width = Cm(wide)
        for across, row in enumerate(rows):
            line = table.rows[across]
            _keep_whole(line, is_head=head and across == 0)
            for down, words in enumerate(row):
                cell = line.cells[down]
                cell.width = Cm(widths[down])
                is_head = head and across == 0
                _shade(
                    cell,
                    self.look.navy if is_head else self.look.soft if across in bands else self.look.paper,
                )
                _border(cell, self.look.rule, sides=("bottom",))
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after = Pt(2)
                paragraph.paragraph_format.space_before = Pt(2)
                if down in numbers:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                run = paragraph.add_run(words)
                run.font.size, run.bold = Pt(size), is_head or across in bands or (not head and down == 0)
                colour = self.look.paper if is_head else (colours or {}).get((across, down), self.look.ink)
                run.font.color.rgb = _rgb(colour)
        self._gap()

    def _gap(self) -> None:
        """Between a table and what follows: without a paragraph two tables would become one."""
        from docx.shared import Pt

        paragraph = self.file.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.paragraph_format.line_spacing = Pt(7)

    def saved(self) -> bytes:
        out = io.BytesIO()
        self.file.save(out)
        return steady(out.getvalue())


def _rgb(colour: str) -> Any:
    from docx.shared import RGBColor

    return RGBColor.from_string(colour.removeprefix("#").upper())


def _shade(cell: Any, colour: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    fill = OxmlElement("w:shd")
    fill.set(qn("w:val"), "clear")
    fill.set(qn("w:color"), "auto")
    fill.set(qn("w:fill"), colour.removeprefix("#").upper())
    cell._tc.get_or_add_tcPr().append(fill)


def _border(cell: Any, colour: str, sides: Sequence[str] = ("top", "left", "bottom", "right")) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    own = cell._tc.get_or_add_tcPr()
    edges = OxmlElement("w:tcBorders")
    for side in sides:
        edge = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "6"), ("color", colour.removeprefix("#").upper())):
            edge.set(qn(f"w:{name}"), value)
        edges.append(edge)
    own.insert_element_before(edges, "w:shd", "w:noWrap", "w:tcMar", "w:vAlign")


def _keep_whole(row: Any, *, is_head: bool) -> None:
    from docx.oxml import OxmlElement

    own = row._tr.get_or_add_trPr()
    own.append(OxmlElement("w:cantSplit"))
    if is_head:
        own.append(OxmlElement("w:tblHeader"))


def _field(paragraph: Any, code: str, colour: str) -> None:
    """A field that the office suite fills in, such as the page number."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    run = paragraph.add_run()
    run.font.size = Pt(8.5)
    run.font.color.rgb = _rgb(colour)
    for kind, text in (("begin", ""), ("", code), ("end", "")):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)
