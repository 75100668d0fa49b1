"""The editions in the reports folder, with their languages and formats. Missing files are not linked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from mel_pipeline.core.languages import BASE

if TYPE_CHECKING:
    from pathlib import Path

PERIOD = re.compile(r"\d{4}(-Q[1-4])?")
LANGUAGE = re.compile(r"[-_.]([a-z]{2})$")
FORMATS = ("html", "pdf", "xlsx", "csv", "docx", "pptx", "json", "zip")
PICTURES = ("svg", "png")


@dataclass(frozen=True)
class File:
    """``address`` is relative to the site's folder; ``language`` is empty where the file name has none."""

    address: str
    name: str
    language: str
    format: str


@dataclass(frozen=True)
class AvailableEdition:
    """An edition on disk: its documents, then its charts."""

    period: str
    files: list[File]
    charts: list[File]

    def page(self, language: str) -> File | None:
        """The report as a web page: in this language, else in English, else in any."""
        pages = [file for file in self.files if file.format == "html" and file.name.startswith("report")]
        order = (language, BASE)
        return min(
            pages,
            key=lambda file: order.index(file.language) if file.language in order else len(order),
            default=None,
        )


def available_editions(folder: Path) -> list[AvailableEdition]:
    """Latest first; a year before its fourth quarter. Folders without a readable file are left out."""
    periods = (
        sorted(
            (item.name for item in folder.iterdir() if PERIOD.fullmatch(item.name) and item.is_dir()),
            key=lambda period: (period, 0) if "-" in period else (f"{period}-Q4", 1),
            reverse=True,
        )
        if folder.is_dir()
        else []
    )
    found = [
        AvailableEdition(
            period,
            _files(folder / period, period, FORMATS),
            _files(folder / period / "charts", f"{period}/charts", PICTURES),
        )
        for period in periods
    ]
    return [edition for edition in found if edition.files or edition.charts]


def _files(folder: Path, address: str, formats: tuple[str, ...]) -> list[File]:
    if not folder.is_dir():
        return []
    files = []
    for path in sorted(folder.iterdir()):
        kind = path.suffix.lower().lstrip(".")
        if kind not in formats or path.name.startswith((".", "~")) or not path.is_file():
            continue
        named = LANGUAGE.search(path.stem)
        files.append(File(quote(f"{address}/{path.name}"), path.stem, named[1] if named else "", kind))
    return sorted(files, key=lambda file: (formats.index(file.format), file.name))
