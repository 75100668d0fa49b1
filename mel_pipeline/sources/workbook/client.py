"""The workbook as a source: a snapshot of the current version, a sheet an entity."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.sources.shared.base import EVERY, Batch, Client, Load, Pull, frame_of
from mel_pipeline.sources.workbook.legacy import every_file
from mel_pipeline.sources.workbook.named_persons import doubts
from mel_pipeline.sources.workbook.parse import raw_rows
from mel_pipeline.sources.workbook.versions import current

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Version


def open(settings: Settings) -> Workbook:
    return Workbook(settings)


class Workbook(Client):
    """Rows of the current version; what was refused at its upload is a warning until a later one replaces it."""

    source = "workbook"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def _sheet(self, load: Load) -> Pull:
        version = current(self._settings)
        problems = [why for what, why in version.problems.items() if sheet_of(what) == load.entity]
        if problems:
            raise PermanentSourceError(" ".join(problems))
        rows = raw_rows(version, load.entity, load.contract)
        batch = Batch(frame_of(rows, load.contract), fetched=len(rows), notes=[_note(version)])
        title = load.contract.title
        warnings = [words for words in version.refused if words.startswith(f"{load.entity}: ")]
        return Pull(
            iter([batch]),
            expected_count=lambda: len(rows),
            complete=lambda: True,
            usage=lambda: {"version": version.number},
            warnings=lambda: [
                *(f"{title}, not accepted: {words.split(': ', 1)[1]}" for words in warnings),
                *(f"{title}, {words}" for words in doubts(load.entity, version.rows.get(load.entity, ()))),
                *changed_files(self._settings, version, load.entity),
            ],
        )

    loads: ClassVar = {EVERY: _sheet}


def _note(version: Version) -> str:
    by = f", accepted by {version.role} on {version.accepted_at:%Y-%m-%d}" if version.accepted_at else ""
    return f"workbook v{version.number}{by}"


_SHEETS = {  # of the files of before: what they state → the sheet whose load warns
    "targets": "targets",
    "answer_scales": "answer_scales",
    "corrections": "corrections",
    "cities": "cities",
    "narrative": "main_points",
    "codebooks": "survey_questions",
}


def sheet_of(what: str) -> str:
    """The sheet that a file of before fills first."""
    return _SHEETS[what.partition("/")[0]]


def changed_files(settings: Settings, version: Version, sheet: str | None = None) -> list[str]:
    """Files of before that were changed or added after they were moved into the workbook: they are not read."""
    if version.accepted_at is None and not version.kept:
        return []
    found = []
    for what, path in every_file(settings).items():
        if sheet is not None and sheet_of(what) != sheet:
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != version.imported.get(what):
            found.append(
                f"{path.name} was changed after it was moved into the workbook, and is no longer read. Write it into the"
                " workbook (`mel workbook get`), or move it with `mel workbook import`."
            )
    return found
