"""The YAML and CSV files in which people stated things before there was a workbook, as its rows. Read until a first
version is kept, never changed."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from mel_pipeline.sources.workbook.legacy_formats import EARLIER, READERS, MisreadError
from mel_pipeline.sources.workbook.merge import Key, key_of
from mel_pipeline.sources.workbook.sheets import sheets

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Row


@dataclass
class Found:
    """``rows`` by sheet; ``problems``: why a file gave none, by what it states (``corrections``, ``narrative/2024-Q4``).

    ``digests``: SHA-256 of each file, by its path below the home or the organisation's folder.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    earlier: dict[Key, tuple[Row, ...]] = field(default_factory=dict)  # what a target said before, by its key

    def add(self, sheet: str, rows: Sequence[Row]) -> None:
        self.rows.setdefault(sheet, []).extend(rows)


def files_in(own: Path) -> dict[str, Path]:
    """Files of before in an organisation's folder, by the sheet they fill."""
    found = {"targets": own / "targets.yml", "answer_scales": own / "scales.yml"}
    return {what: path for what, path in found.items() if path.is_file()}


def every_file(settings: Settings) -> dict[str, Path]:
    """Every file of before that is there, by what it states."""
    return {**files_in(settings.organisation), **files_of(settings)}


def files_of(settings: Settings) -> dict[str, Path]:
    """Files of before in the home and the drop folder of surveys, by what they state."""
    home = settings.home
    found = {
        "corrections": home / "corrections.yml",
        "cities": home / "review" / "cities.csv",
    }
    for folder in ("learning", "narrative"):  # the newer folder goes before
        found |= {f"narrative/{path.stem}": path for path in sorted((home / folder).glob("*.yml"))}
    found |= {
        f"codebooks/{path.stem}": path
        for path in sorted((settings.survey_folder / "codebooks").glob("*.yml"))
    }
    return {what: path for what, path in found.items() if path.is_file()}


def read_files(files: Mapping[str, Path]) -> Found:
    """The rows of the files; one that cannot be read is a problem of what it states."""
    found = Found()
    for what, path in files.items():
        subject, _, name = what.partition("/")
        try:
            content = path.read_bytes()
            found.digests[what] = hashlib.sha256(content).hexdigest()
            rows = list(READERS[subject](content, name))
        except (yaml.YAMLError, OSError, UnicodeDecodeError, csv.Error) as error:
            mark = getattr(error, "problem_mark", None)
            # What is missing at the end is reported behind the last line.
            line = f", line {min(mark.line + 1, len(content.splitlines()))}" if mark else ""
            kind = "CSV" if subject == "cities" else "YAML"
            found.problems[what] = (
                f"Reading {path}{line}: not valid {kind}. Correct the line, or move the file away."
            )
        except (MisreadError, KeyError, TypeError, AttributeError, ValueError) as error:
            why = _why(error)
            found.problems[what] = f"Reading {path}: {why}. Correct it, or move the file away."
        else:
            for sheet, row in rows:
                states = row.pop(EARLIER, ())
                found.add(sheet, [row])
                if states:
                    found.earlier[key_of(sheets()[sheet], row)] = tuple(states)
    return found


def _why(error: Exception) -> str:
    if isinstance(error, MisreadError):
        return str(error)
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return f"it is not laid out as expected ({type(error).__name__})"
