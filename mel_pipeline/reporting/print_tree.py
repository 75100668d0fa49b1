"""The page as paper needs it: contents, an annex with the data behind the charts, plain pictures. Edits the parsed page."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

if TYPE_CHECKING:
    from datetime import date

    from mel_pipeline.reporting.text.texts import Texts

NARROW = 4  # columns of a table that fits into half a page
SENTENCE = 40  # letters of a cell from which half a page is too little
SHORT = 30  # letters of a field that shares a line
SVG = "{http://www.w3.org/2000/svg}"
# WeasyPrint does not style drawings inside the page; these are the colours of report.css.
SPARK = {
    f"{SVG}polyline": {
        "fill": "none",
        "stroke": "#4a5560",
        "stroke-width": "1.6",
        "stroke-linejoin": "round",
    },
    f"{SVG}circle": {"fill": "#12436d"},
}


def for_paper(root: Element, css: str, texts: Texts, *, organisation: str, day: date) -> dict[str, str]:
    """Change the page in place; returns the words of every link within it, by target."""
    _describe(root, css, organisation, day)
    _sparks_to_backgrounds(root)
    for picture in list(root.iter("picture")):
        for source in picture.findall("source"):
            picture.remove(source)
    main = root.find(".//main")
    if main is not None:
        _annex(main, texts)
        _drop_details(main)
        _fields_to_paragraphs(main)
        _contents(main, texts)
        for point in main.findall(".//ul[@class='points']/li"):
            point.text = re.sub(r"(\d{4}-)(Q\d)", "\\1\u2060\\2", point.text or "")
    return {
        link.get("href", "")[1:]: _words(link)
        for link in root.iter("a")
        if link.get("href", "").startswith("#")
    }


def page_footer(texts: Texts) -> str:
    """CSS for ``Page 1 of 9`` in the language; {page} and {pages} stand once each in the text."""
    from mel_pipeline.reporting.page.build import css_string

    before, _, rest = texts("formats.page_of", page="\x00", pages="\x01").partition("\x00")
    between, _, after = rest.partition("\x01")
    content = f"{css_string(before)} counter(page) {css_string(between)} counter(pages) {css_string(after)}"
    return f"\n@page {{ @bottom-right {{ content: {content}; }} }}\n"


def _describe(root: Element, css: str, organisation: str, day: date) -> None:
    head = root.find("head")
    if head is None:
        return
    for name, content in (("author", organisation), ("dcterms.created", day), ("dcterms.modified", day)):
        SubElement(head, "meta", {"name": name, "content": str(content)})
    SubElement(head, "style").text = css


def _sparks_to_backgrounds(root: Element) -> None:
    """Small lines say nothing the numbers beside them do not: backgrounds, which are no figures without words."""
    for parent in list(root.iter()):
        for place, child in enumerate(list(parent)):
            if child.tag != f"{SVG}svg" or child.get("aria-hidden") != "true":
                continue
            for shape in child:
                for name, value in SPARK.get(shape.tag, {}).items():
                    shape.set(name, value)
            drawing = base64.b64encode(tostring(child)).decode("ascii")
            span = Element("span", {"class": "spark"})
            span.set("style", f"background-image: url(data:image/svg+xml;base64,{drawing})")
            span.tail = child.tail
            parent[place] = span


def _annex(main: Element, texts: Texts) -> None:
    """The data table of each chart moves to the end; below the chart stands on which page."""
    section = Element("section", {"class": "reference annex", "aria-labelledby": "annex"})
    SubElement(section, "h2", {"id": "annex"}).text = texts("formats.annex")
    SubElement(section, "p").text = texts("formats.annex_intro")
    tables = SubElement(section, "div", {"class": "annex-tables"})
    wide = SubElement(section, "div", {"class": "annex-wide"})
    for figure in main.iter("figure"):
        caption = figure.find("figcaption")
        table = figure.find(".//details//table")
        if caption is not None:
            figure.remove(caption)
        if caption is None or table is None or table.find("tbody/tr") is None:
            continue
        name = f"data-{figure.get('id', '')}"
        title = _words(caption.find(".//summary")).partition(": ")[2]
        block = SubElement(tables if _is_narrow(table) else wide, "div", {"class": "annex-table", "id": name})
        SubElement(block, "h3").text = title
        block.append(table)
        line = SubElement(figure, "p", {"class": "data-at"})
        SubElement(line, "a", {"href": f"#{name}", "class": "at-page"}).text = texts("formats.data_at")
    if len(tables) or len(wide):
        main.append(section)


def _is_narrow(table: Element) -> bool:
    """Fits into half a page: few columns, and no notes that would become a tower of single words there."""
    letters = (len(_words(cell)) for cell in table.findall("tbody/tr/td"))
    return len(table.findall("thead/tr/th")) <= NARROW and max(letters, default=0) < SENTENCE


def _drop_details(main: Element) -> None:
    """What is folded on the screen besides chart data is for looking up there; the workbook has it as well."""
    for parent in list(main.iter()):
        children = list(parent)
        for place, child in enumerate(children):
            if child.tag == "details":
                parent.remove(child)
            elif child.tag == "dd" and len(child) == 1 and child[0].tag == "details":
                parent.remove(children[place - 1])
                parent.remove(child)


def _fields_to_paragraphs(main: Element) -> None:
    """Reference sheets as running text, short fields in one line: paper has no room for a label column."""
    for parent in list(main.iter()):
        for place, fields in enumerate(list(parent)):
            if fields.tag != "dl":
                continue
            block = Element("div", {"class": "fields"})
            line: Element | None = None
            for label, value in zip(fields.findall("dt"), fields.findall("dd"), strict=True):
                short = len(_words(value)) <= SHORT
                if line is None or not short:
                    line = SubElement(block, "p")
                elif len(line):
                    line[-1].tail = f"{line[-1].tail} · "
                SubElement(line, "strong").text = _words(label).replace(" ", "\u00a0")
                line[-1].tail = f"\u00a0 {_words(value)}"
                line = line if short else None
            parent[place] = block


def _contents(main: Element, texts: Texts) -> None:
    """A list of the sections before the first line of action: the first page stands alone."""
    places = [place for place, child in enumerate(main) if "line" in (child.get("class") or "").split()]
    if not places:
        return
    nav = Element("nav", {"class": "contents", "aria-labelledby": "contents"})
    SubElement(nav, "h2", {"id": "contents"}).text = texts("formats.contents")
    entries = SubElement(nav, "ul")
    for section in list(main)[places[0] :]:
        heading = section.find("h2")
        if heading is None or not heading.get("id"):
            continue
        label = _heading(heading)
        heading.set("data-label", label)
        SubElement(
            SubElement(entries, "li"), "a", {"href": f"#{heading.get('id')}", "class": "at-page"}
        ).text = label
    main.insert(places[0], nav)


def _heading(heading: Element) -> str:
    """``Line of action 1 · Peer exchange``."""
    eyebrow = heading.find("span")
    if eyebrow is None:
        return _words(heading)
    return f"{_words(eyebrow)} · {(eyebrow.tail or '').strip()}"


def _words(element: Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())
