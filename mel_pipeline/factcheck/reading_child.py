"""Read a DOCX, PPTX, XLSX, XML or PDF file from stdin, write its passages as JSON to stdout. Run by reading.py, never imported.

Sizes are checked before parsing. Exit code 3 means refused, with the reason on stderr; 4 out of memory;
others damaged. Errors never quote the file.
"""

from __future__ import annotations

import io
import json
import logging
import re
import resource
import runpy
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST_PARTS = 5_000
_REFUSED, _NO_MEMORY, _DAMAGED = 3, 4, 5
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_OFFICE = {"word/document.xml": "docx", "ppt/presentation.xml": "pptx", "xl/workbook.xml": "xlsx"}
_LONGEST_LABEL = 80
_SHORT_LINE = 0.6
_LONE_NUMBER = re.compile(r"\s*[-–]?\s*\d{1,4}\s*[-–]?\s*")


class RefusedError(Exception):
    """The draft is refused, for the reason given."""


def main(kind: str, number_words: str, expanded: int, memory: int, seconds: int, characters: int) -> int:
    """``number_words``: pattern of the number words that keep a hyphen at the end of a line."""
    for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        with suppress(ValueError):  # macOS has no memory limit; the time limit still applies
            resource.setrlimit(limit, (most, most))
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    try:
        content = sys.stdin.buffer.read()
        if kind == "office":
            kind = kind_of(content, expanded)
        if kind in ("docx", "pdf"):
            result = docx(content) if kind == "docx" else pdf(content, number_words, characters)
        else:
            result = _others()[kind](content)
        sys.stdout.write(json.dumps(result))
    except RefusedError as reason:
        sys.stderr.write(str(reason))
        return _REFUSED
    except MemoryError:
        return _NO_MEMORY
    except Exception:  # an untrusted file can raise anything; the message may quote the draft
        return _DAMAGED
    return 0


def _others() -> dict[str, Any]:
    """The readers beside this file, which no isolated process could import."""
    readers: dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("reading_office_child.py")))[
        "READERS"
    ]
    return readers


def kind_of(content: bytes, expanded: int) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return check_parts(archive.infolist(), expanded)


def docx(content: bytes) -> dict[str, Any]:
    from docx import Document

    document: Any = Document(io.BytesIO(content))
    passages = list(_body(document.element.body))
    kinds = {"header": "margin", "footer": "margin", "footnotes": "footnote", "endnotes": "footnote"}
    parts = [
        (rel.reltype.rsplit("/", 1)[-1], rel.target_part)
        for rel in document.part.rels.values()
        if not rel.is_external
    ]
    for name, part in sorted(parts, key=lambda pair: (pair[0], str(pair[1].partname))):
        if kind := kinds.get(name):
            for number, text in enumerate(_paragraphs(_root(part)), start=1):
                passages.append(_passage(text, f"{name.rstrip('s')} {number}", kind))
    return {"passages": passages, "warnings": []}


def check_parts(parts: list[zipfile.ZipInfo], expanded: int) -> str:
    """Check the archive by its directory, and say what it is; zipfile never unpacks more than that states."""
    names = [part.filename for part in parts]
    lower = {name.lower() for name in names}
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > expanded:
        raise RefusedError(
            f"it unpacks to more than {expanded >> 20} MB or {MOST_PARTS:,} parts. Save the draft as plain text (.txt)."
        )
    if any(part.flag_bits & 1 for part in parts):
        raise RefusedError("it is locked with a password. Save it without one.")
    if len(lower) != len(names) or any(
        name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names
    ):
        raise RefusedError(
            "it has parts with the same name, or with a path outside the archive. Save it again."
        )
    for part, kind in _OFFICE.items():
        if part in lower:
            return kind
    raise RefusedError(
        "it is an archive, not a Word document (.docx), presentation (.pptx) or workbook (.xlsx). Save the draft as DOCX,"
        " PDF or TXT."
    )


def _root(part: Any) -> Any:
    if hasattr(part, "element"):
        return part.element
    from docx.oxml.parser import parse_xml  # resolves no entities, as python-docx itself

    return parse_xml(part.blob)


def _body(body: Any) -> Iterator[dict[str, str]]:
    number, tables, heading = 0, 0, ""
    for block in _blocks(body):
        if block.tag == f"{_W}tbl":
            tables += 1
            yield {"table": tables, "rows": _rows(block), "heading": heading}  # type: ignore[dict-item]
            continue
        for text in _texts(block):
            number += 1
            if not text.strip():
                continue
            style = block.find(f"{_W}pPr/{_W}pStyle")
            name = "" if style is None else str(style.get(f"{_W}val", ""))
            is_heading = bool(re.match(r"(?i)heading|titre|t[ií]tulo|title", name))
            heading = text if is_heading else heading
            yield _passage(text, f"paragraph {number}", "heading" if is_heading else "paragraph", heading)


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, including those in content controls and tracked insertions."""
    for child in parent:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}moveTo"):
            yield from _blocks(child)


def _texts(paragraph: Any) -> list[str]:
    """Text of a paragraph, then of the text boxes anchored to it."""
    boxes: list[str] = []
    for box in paragraph.iter(f"{_W}txbxContent"):
        if not any(above.tag == _FALLBACK for above in box.iterancestors()):
            boxes.extend(text for block in _blocks(box) for text in _own(block))
    return [_line(paragraph), *boxes]


def _own(block: Any) -> list[str]:
    return [_line(block)] if block.tag == f"{_W}p" else [_line(one) for one in block.iter(f"{_W}p")]


def _line(paragraph: Any) -> str:
    """The visible text: tracked insertions included, deletions and text boxes not."""
    pieces: list[str] = []

    def walk(node: Any) -> None:
        for child in node:
            tag = child.tag
            if tag in (
                f"{_W}txbxContent",
                f"{_W}del",
                f"{_W}moveFrom",
                _FALLBACK,
                f"{_W}pPr",
                f"{_W}instrText",
            ):
                continue
            if tag == f"{_W}t":
                pieces.append(child.text or "")
            elif tag in (f"{_W}tab", f"{_W}br", f"{_W}cr"):
                pieces.append(" ")
            elif tag == f"{_W}noBreakHyphen":
                pieces.append("-")
            else:
                walk(child)

    walk(paragraph)
    return "".join(pieces)


def _paragraphs(root: Any) -> list[str]:
    found = [text for paragraph in root.iter(f"{_W}p") for text in [_line(paragraph)] if text.strip()]
    return list(dict.fromkeys(found))


def _rows(table: Any) -> list[list[str]]:
    rows = []
    for row in table.iter(f"{_W}tr"):
        cells = []
        for cell in row.iter(f"{_W}tc"):
            if cell.find(f".//{_W}tbl") is None:  # cells of a nested table are listed separately
                cells.append(" ".join(_line(one) for one in cell.iter(f"{_W}p")).strip())
        if cells:
            rows.append(cells)
    return rows


def pdf(content: bytes, number_words: str, characters: int) -> dict[str, Any]:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    number_word = at_line_end(number_words)
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted:
        try:
            opened = reader.decrypt("")
        except (DependencyError, FileNotDecryptedError, NotImplementedError):
            opened = 0  # type: ignore[assignment]
        if not opened:
            raise RefusedError("it is locked with a password. Save it without one.")
    passages: list[dict[str, str]] = []
    empty, length = [], 0
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text() or ""
        length += len(text)
        if length > characters:
            raise RefusedError(
                f"it holds more than {characters:,} characters of text. Split it and check the parts."
            )
        if not text.strip():
            empty.append(str(number))
        passages.extend(_page(text, number, number_word))
    if not passages:
        raise RefusedError(
            "there is no text in it: its pages are pictures (a scan). Run text recognition (OCR) first,"
            " or check the file it was made from."
        )
    notes = [f"Pages without text (pictures?) were not checked: {', '.join(empty)}."] if empty else []
    return {"passages": passages, "warnings": notes}


def at_line_end(words: str) -> re.Pattern[str]:
    """A number word with its hyphen at the end of a line."""
    return re.compile(rf"(?i)\b(?:{words})[-\u2010]$")


def _page(text: str, number: int, number_word: re.Pattern[str]) -> Iterator[dict[str, str]]:
    """Rejoin lines: hyphens at line ends are removed; a short line on its own is a heading."""
    widest = max((len(line.strip()) for line in text.splitlines()), default=0)  # as printed
    # What is printed as a hyphen may be stored as a soft one; at a line end both are handled alike.
    lines = [line.strip() for line in text.replace("\u00ad", "-").splitlines()]
    lines = [line for line in lines if line]
    place, heading, joined = f"page {number}", "", ""
    for position, line in enumerate(lines):
        follows = lines[position + 1] if position + 1 < len(lines) else ""
        if _LONE_NUMBER.fullmatch(line) and position in (0, len(lines) - 1):
            yield _passage(line, place, "margin")
        elif not joined and _is_heading(line, follows, widest):
            heading = line
            yield _passage(line, place, "heading", heading)
        else:
            joined = _joined(joined, line, number_word)
            if line[-1] in ".!?…" or len(line) < _SHORT_LINE * widest:
                if follows[:1].islower() and line[-1] not in ".!?":
                    continue
                yield _passage(joined, place, "paragraph", heading)
                joined = ""
    if joined:
        yield _passage(joined, place, "paragraph", heading)


def _is_heading(line: str, follows: str, widest: int) -> bool:
    return (
        len(line) < min(_LONGEST_LABEL, _SHORT_LINE * widest)
        and line[-1] not in ".!?:;,…"
        and follows[:1].isupper()
        and not any(c.isdigit() for c in line)
    )


def _joined(before: str, line: str, number_word: re.Pattern[str]) -> str:
    if re.search(r"[^\W\d_][-\u2010]$", before) and re.match(r"[^\W\d_]", line):
        own = line[0].isupper() or number_word.search(before)  # Saint-Denis and vingt-deux keep their hyphen
        return before + line if own else before[:-1] + line
    return f"{before} {line}" if before else line


def _passage(text: str, place: str, kind: str, heading: str = "") -> dict[str, str]:
    return {"text": text, "place": place, "kind": kind, "heading": heading}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
