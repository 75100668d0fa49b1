"""Passages of PPTX, XLSX and XML files. Run by reading_child.py inside its limits, never imported.

Numbers of charts and cells get the sign of their format, so that 86.7 of a share reads as per cent.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

Entry = dict[str, Any]
_COMMA = ("fr", "es", "ca")  # languages that write a decimal comma
_LONGEST_LABEL = 200


def pptx(content: bytes) -> Entry:
    from pptx import Presentation

    deck = Presentation(io.BytesIO(content))
    comma = (deck.core_properties.language or "")[:2] in _COMMA
    return {
        "passages": [
            entry for number, slide in enumerate(deck.slides, 1) for entry in _slide(slide, number, comma)
        ],
        "warnings": [],
    }


def _slide(slide: Any, number: int, comma: bool) -> Iterator[Entry]:
    title = slide.shapes.title
    heading = title.text_frame.text if title is not None else ""
    place, tables = f"slide {number}", 0
    if heading.strip():
        yield _passage(heading, place, "heading", heading)
    for shape in _shapes(slide.shapes):
        if shape == title:
            continue
        if shape.has_text_frame:
            for paragraph in shape.text_frame.paragraphs:
                if text := "".join(run.text for run in paragraph.runs).strip():
                    yield _passage(text, place, "paragraph", heading)
        if getattr(shape, "has_table", False):
            tables += 1
            rows = [[cell.text_frame.text for cell in row.cells] for row in shape.table.rows]
            yield {"table": f"{tables} of {place}", "rows": rows, "heading": heading}
        if getattr(shape, "has_chart", False):
            tables += 1
            yield {"table": f"{tables} of {place}", "rows": _chart(shape.chart, comma), "heading": heading}
    if slide.has_notes_slide:
        for line in slide.notes_slide.notes_text_frame.text.splitlines():
            if line.strip():
                yield _passage(line, f"notes of {place}", "paragraph", heading)


def _shapes(shapes: Any) -> Iterator[Any]:
    """With those inside groups."""
    for shape in shapes:
        if shape.shape_type is not None and hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _chart(chart: Any, comma: bool) -> list[list[str]]:
    plot = chart.plots[0]
    series = list(plot.series)
    rows = [["", *(one.name for one in series)]]
    for place, category in enumerate(plot.categories):
        rows.append([str(category), *(_number(one.values[place], _format_of(one), comma) for one in series)])
    return rows


def _format_of(series: Any) -> str:
    codes = series._element.xpath(".//c:val//c:formatCode")
    return codes[0].text or "" if codes else ""


def _number(value: Any, pattern: str, comma: bool) -> str:
    if value is None:
        return ""
    text = f"{float(value):,.12g}" if float(value) % 1 else f"{float(value):,.0f}"
    if comma:
        text = text.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")
    return f"{text} %" if "%" in pattern else f"€{text}" if "€" in pattern else text


def xlsx(content: bytes) -> Entry:
    """A passage for each number, after the texts of its row; the head of its column stands beside it."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    passages: list[Entry] = []
    for sheet in book.worksheets:
        heads: list[str] = []
        for number, row in enumerate(sheet.iter_rows(), 1):
            cells = [cell for cell in row if cell.value is not None]
            texts = [str(cell.value) for cell in cells if not _is_number(cell.value)]
            if not heads and cells and len(texts) == len(cells):
                heads = [str(cell.value or "") for cell in row]
                passages += [
                    _passage(text, f"{sheet.title}, row {number}", "cell", sheet.title) for text in texts
                ]
                continue
            label = ", ".join(texts)[:_LONGEST_LABEL]
            if label:
                passages.append(_passage(label, f"{sheet.title}, row {number}", "cell", sheet.title))
            for column, cell in enumerate(row):
                if _is_number(cell.value):
                    text = (
                        f"{label}: {_number(cell.value, cell.number_format, False)}"
                        if label
                        else _number(cell.value, cell.number_format, False)
                    )
                    head = heads[column] if column < len(heads) else ""
                    passages.append(
                        _passage(
                            text, f"{sheet.title}, row {number}, column {column + 1}", "cell", sheet.title
                        )
                        | {"column": head}
                    )
    return {"passages": passages, "warnings": []}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, (bool, date))


def xml(content: bytes) -> Entry:
    """Texts of elements, and numbers in ``value`` attributes after the title above them; days stand beside as periods."""
    from defusedxml import ElementTree  # type: ignore[import-untyped]

    root = ElementTree.fromstring(content)
    passages: list[Entry] = []

    def walk(element: Any, path: str, title: str, day: str) -> None:
        tag = str(element.tag).rsplit("}", maxsplit=1)[-1] if isinstance(element.tag, str) else ""
        if not tag:
            return
        here = f"{path}/{tag}"
        own = element.find("title/narrative")
        title = own.text or title if own is not None else title
        ends = element.find("period-end")
        day = ends.get("iso-date", day) if ends is not None else day
        if element.text and element.text.strip():
            passages.append(_passage(element.text.strip(), here, "paragraph", title))
        if value := element.get("value", ""):
            passages.append(
                _passage(f"{title}, {tag}: {value}", here, "cell", title)
                | {"column": _quarter(element.get("year") or day)}
            )
        for child in element:
            walk(child, here, title, day)

    walk(root, "", "", "")
    return {"passages": passages, "warnings": []}


def _quarter(day: str) -> str:
    """The last day of a year as the year, that of a quarter as the quarter."""
    year, month = day[:4], day[5:7]
    quarters = {"03": "Q1", "06": "Q2", "09": "Q3"}
    return f"{year}-{quarters[month]}" if month in quarters else year


def _passage(text: str, place: str, kind: str, heading: str = "") -> Entry:
    return {"text": text, "place": place, "kind": kind, "heading": heading}


READERS: dict[str, Callable[[bytes], Entry]] = {"pptx": pptx, "xlsx": xlsx, "xml": xml}
