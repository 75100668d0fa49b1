"""What WeasyPrint 70 leaves out of the tags of a PDF: scopes of headers, their index, words of links, boxes of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

POINTS = 0.75  # a CSS pixel


def mend_tags(pdf: Any, links: Mapping[str, str]) -> None:
    """Complete the tags of a pydyf document; ``links`` are the words of links by their target."""
    import pydyf

    elements = [item for item in pdf.objects if isinstance(item, pydyf.Dictionary)]
    headers = [item for item in elements if item.get("S") == "/TH"]
    for header in headers:
        row = _behind(pdf, header["P"])
        group = _behind(pdf, row["P"])
        header["A"]["Scope"] = "/Column" if group.get("S") == "/THead" else "/Row"
    _index(pdf, elements, [header for header in headers if "ID" in header])
    for item in elements:
        if item.get("Subtype") == "/Link" and "Dest" in item:
            words = links.get(item["Dest"].string)
            if words:
                item["Contents"] = pydyf.String(words)
        if item.get("S") == "/Figure":
            _place(pdf, item)


def _index(pdf: Any, elements: list[Any], headers: list[Any]) -> None:
    """Cells name their headers by id; a reader finds them through this tree."""
    import pydyf

    root = next((item for item in elements if item.get("Type") == "/StructTreeRoot"), None)
    if root is None or not headers:
        return
    names = pydyf.Array()
    for header in sorted(headers, key=lambda item: str(item["ID"].string)):
        names.extend([header["ID"], header.reference])
    first, last = names[0], names[-2]
    leaf = pydyf.Dictionary({"Limits": pydyf.Array([first, last]), "Names": names})
    pdf.add_object(leaf)
    tree = pydyf.Dictionary({"Kids": pydyf.Array([leaf.reference])})
    pdf.add_object(tree)
    root["IDTree"] = tree.reference


def _place(pdf: Any, figure: Any) -> None:
    """WeasyPrint gives the box in pixels from the top; PDF counts points from the bottom."""
    import pydyf

    height = _behind(pdf, figure["Pg"])["MediaBox"][3]
    left, top, right, bottom = (edge * POINTS for edge in figure["A"]["BBox"])
    box = (left, height - bottom, right, height - top)
    figure["A"]["BBox"] = pydyf.Array([round(edge, 2) for edge in box])


def _behind(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
