"""Read a draft report into passages with their location. Text files here; DOCX, PPTX, XLSX, XML, PDF in a child process.

A draft is an untrusted file: a DOCX is XML in a zip, a PDF close to a program; either can expand to gigabytes or
never finish. The child (``reading_child.py``) runs with limits on memory and time, and a crash affects only it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mel_pipeline.core.errors import ReportError
from mel_pipeline.factcheck.languages import known_languages, language
from mel_pipeline.factcheck.passages import Passage, from_lines, table_passages, tidy

_CHILD = Path(__file__).with_name("reading_child.py")
_REFUSED, _NO_MEMORY = 3, 4  # exit codes of the child
_ARCHIVE, _OLD_OFFICE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
_NAMES = {"office": "office file", "pdf": "PDF", "xml": "XML"}
_TEXT = (".txt", ".md", ".markdown")


class DraftError(ReportError):
    """A draft cannot be read; the message says why and what to do."""


def _number_words() -> str:
    """Words of any language that keep their hyphen at the end of a line: the language is not known yet."""
    return "|".join(
        dict.fromkeys(word for code in known_languages() for word in language(code).of("before_hyphen"))
    )


@dataclass(frozen=True)
class Limits:
    """Limits for one draft. A report of 500 pages stays well within them."""

    packed: int = 50 << 20  # bytes of the file
    expanded: int = 300 << 20  # bytes of all parts of a DOCX
    characters: int = 5_000_000
    numbers: int = 30_000
    memory: int = 1 << 30
    seconds: int = 120


@dataclass(frozen=True)
class Draft:
    """The content of a draft. ``warnings``: what could not be read, such as scanned pages."""

    passages: list[Passage]
    warnings: list[str] = field(default_factory=list)


def read_draft(path: Path, limits: Limits | None = None) -> Draft:
    """Read a TXT, MD, DOCX, PPTX, XLSX, XML or PDF file, recognised by its first bytes, not its name.

    Raises:
        DraftError: the file is missing, of another type, locked, damaged, empty, or over the limits.
    """
    limits = limits or Limits()
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DraftError(f"Reading {path.name}: this is a folder, not a file.")
        if size > limits.packed:
            raise DraftError(
                f"Reading {path.name}: the file is larger than {limits.packed >> 20} MB. Split it and check the parts."
            )
        with path.open("rb") as file:
            start = file.read(1024)
            if start.startswith(_OLD_OFFICE):
                raise DraftError(
                    f"Reading {path.name}: an old Word document (.doc), or one locked with a password."
                    " Save it as .docx without a password."
                )
            file.seek(0)
            if start.startswith(_ARCHIVE):
                draft = _in_child(path, "office", limits)
            elif _PDF in start:
                draft = _in_child(path, "pdf", limits)
            elif start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<?xml"):
                draft = _in_child(path, "xml", limits)
            else:
                draft = _text(path.name, file.read(), path.suffix.lower())
    except OSError as error:
        raise DraftError(f"Reading {path.name}: {error.strerror or 'it cannot be opened'}.") from None
    if not any(passage.text.strip() for passage in draft.passages):
        raise DraftError(f"Reading {path.name}: there is no text in it. Check the file.")
    if sum(len(passage.text) for passage in draft.passages) > limits.characters:
        raise DraftError(
            f"Reading {path.name}: more than {limits.characters:,} characters of text. Split it and check the parts."
        )
    if sum(len(re.findall(r"\d+", passage.text)) for passage in draft.passages) > limits.numbers:
        raise DraftError(
            f"Reading {path.name}: more than {limits.numbers:,} numbers. That is a table of data rather than"
            " a report. Split it and check the parts."
        )
    return draft


def _text(name: str, content: bytes, suffix: str) -> Draft:
    if suffix not in _TEXT and (b"\x00" in content or suffix):
        raise DraftError(
            f"Reading {name}: a draft is a TXT, MD, DOCX, PPTX, XLSX, XML or PDF file, and this is none of these."
        )
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise DraftError(f"Reading {name}: the text is not in UTF-8. Save it again with that encoding.")
    return Draft(from_lines(text, markdown=suffix != ".txt"))


def _in_child(path: Path, kind: str, limits: Limits) -> Draft:
    bounds = [str(number) for number in (limits.expanded, limits.memory, limits.seconds, limits.characters)]
    try:
        with path.open("rb") as file:
            done = subprocess.run(  # noqa: S603 - our own script; the file is passed as a handle
                [sys.executable, "-I", str(_CHILD), kind, _number_words(), *bounds],
                stdin=file,
                capture_output=True,
                timeout=limits.seconds,
                env={},  # no secrets for the process that reads an untrusted file
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise DraftError(
            f"Reading {path.name}: it took longer than {limits.seconds} seconds and was stopped."
            " Save the draft as plain text (.txt)."
        ) from None
    if done.returncode == _REFUSED:
        raise DraftError(f"Reading {path.name}: {done.stderr.decode('utf-8', 'replace').strip()}")
    if done.returncode == _NO_MEMORY:
        raise DraftError(
            f"Reading {path.name}: it needs more than {limits.memory >> 20} MB of memory."
            " Save the draft as plain text (.txt)."
        )
    if done.returncode:
        raise DraftError(f"Reading {path.name}: the {_NAMES[kind]} is damaged. Save it again.")
    result = json.loads(done.stdout)
    return Draft([one for entry in result["passages"] for one in _passages(entry)], result["warnings"])


def _passages(entry: dict[str, Any]) -> list[Passage]:
    if "rows" not in entry:
        return [Passage(**{name: tidy(text) if name != "place" else text for name, text in entry.items()})]
    rows = [
        (f"table {entry['table']}, row {number}", [tidy(cell) for cell in cells])
        for number, cells in enumerate(entry["rows"], start=1)
    ]
    return table_passages(rows, tidy(entry["heading"]))
