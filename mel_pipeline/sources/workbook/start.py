"""What is stated before a first version is kept: the organisation's ``workbook.yml``, and the files of before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.sources.workbook.legacy import files_in, files_of, read_files
from mel_pipeline.sources.workbook.sheets import ID, sheets

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.merge import Key
    from mel_pipeline.sources.workbook.model import Row

FILE = "workbook.yml"
SAMPLE = Path("sample") / FILE  # what the sample organisation writes: made up, so for the sample alone
_TEXTS = ("main_points", "lessons", "decisions")


@dataclass(frozen=True)
class Start:
    """``imported``: the files of before, with their SHA-256; ``problems``: why one gave no rows, by what it states."""

    rows: Mapping[str, list[Row]]
    imported: Mapping[str, str]
    problems: Mapping[str, str]
    earlier: Mapping[Key, tuple[Row, ...]]


def start(settings: Settings) -> Start:
    """The rows of the organisation's files.

    Raises:
        ContractError: ``workbook.yml`` cannot be read.
    """
    own = settings.organisation
    begun = of_organisation(own)
    rows = dict(begun.rows)
    if settings.sample:
        for name, more in rows_in(own / SAMPLE).items():
            rows[name] = [*rows.get(name, []), *more]
    files = files_of(settings)
    found = read_files(files)
    for what in files:
        subject, _, period = what.partition("/")
        if subject == "narrative":
            for name in _TEXTS:
                rows[name] = [row for row in rows.get(name, []) if row.get("edition") != period]
    for name, more in found.rows.items():
        rows[name] = [*rows.get(name, []), *more]
    return Start(
        rows,
        {**begun.imported, **found.digests},
        {**begun.problems, **found.problems},
        begun.earlier,
    )


def of_organisation(own: Path) -> Start:
    """The rows of an organisation's folder alone: ``workbook.yml``, or the files of before where they are there.

    Raises:
        ContractError: ``workbook.yml`` cannot be read.
    """
    rows = rows_in(own / FILE)
    files = files_in(own)
    found = read_files(files)
    for what in files:
        rows[what] = found.rows.get(what, [])
    return Start(rows, found.digests, found.problems, found.earlier)


def rows_in(path: Path) -> dict[str, list[Row]]:
    """The rows of a ``workbook.yml``, by sheet; none where there is no file.

    Raises:
        ContractError: it cannot be read, or has a sheet or column that does not exist.
    """
    if not path.is_file():
        return {}
    try:
        written: Any = yaml_file(path) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(f"Reading {path}: {error}. Correct it.") from None
    found: dict[str, list[Row]] = {}
    for name, rows in written.items() if isinstance(written, dict) else [(str(path), None)]:
        if name not in sheets() or not isinstance(rows, list):
            raise ContractError(
                f"Reading {path}: '{name}' is no sheet with rows. There are: {', '.join(sheets())}."
            )
        known = {ID, *sheets()[name].keys}
        for row in rows:
            if not isinstance(row, dict) or (unknown := sorted(set(row) - known)):
                wrong = unknown[0] if isinstance(row, dict) else "a row"
                raise ContractError(f"Reading {path}, {name}: there is no column '{wrong}'.")
        found[name] = [
            {key: None if value is None else str(value) for key, value in row.items()} for row in rows
        ]
    return found
