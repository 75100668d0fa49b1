"""Move the files of before into the workbook: as its start, or as the next version once it is in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.legacy import Found, every_file, read_files
from mel_pipeline.sources.workbook.merge import key_of
from mel_pipeline.sources.workbook.model import Given, Preview, Row, Upload, Version
from mel_pipeline.sources.workbook.sheets import ID, sheets

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings

ROLE = "mel workbook import"


@dataclass(frozen=True)
class Imported:
    """What was moved, in sentences; ``version``: the one it is in."""

    version: Version
    sentences: Sequence[str]


def import_into(settings: Settings, look: Callable[[Upload], Preview], by: Person | None = None) -> Imported:
    """Move every file that is new or changed since the last time. The files stay, and are no longer read.

    A row of a file replaces the workbook's row about the same thing; a codebook replaces the one of its name. Nothing
    else is removed.

    Args:
        look: what an upload would change, and which of its rows are refused.

    Raises:
        ContractError: a file cannot be read; nothing was moved.
    """
    before = versions.current(settings)
    files = every_file(settings)
    if not before.kept:
        done = versions.issue(settings)
        rows = sum(map(len, done.rows.values()))
        return Imported(done, [f"The workbook begins with version 0: {rows:,} rows.", *_moved(done.imported)])
    found = read_files(files)
    fresh = {what: digest for what, digest in found.digests.items() if before.imported.get(what) != digest}
    if problems := [found.problems[what] for what in fresh if what in found.problems]:
        return Imported(before, [*problems, "Nothing was moved."])
    if not fresh:
        return Imported(before, ["There is nothing to move: no file changed since it was moved."])
    moved = read_files({what: path for what, path in files.items() if what in fresh})
    upload = _upload(before, moved, fresh)
    shown = look(upload)
    done = versions.accept(
        settings, shown, ROLE, ", ".join(sorted(fresh)), imported=fresh, remove=True, by=by
    )
    refused = [f"Not moved: {one.sentence}" for one in shown.refused]
    return Imported(done, [f"Version {done.number}. {shown.sentence}", *_moved(fresh), *refused])


def _moved(files: Mapping[str, str]) -> list[str]:
    if not files:
        return []
    return [
        f"No longer read: the files of {', '.join(sorted(files))}. Change them in the workbook (`mel workbook get`)."
    ]


def _upload(before: Version, moved: Found, fresh: Mapping[str, str]) -> Upload:
    """The current rows with those of the files, as if somebody had written them into the form."""
    books = {what.partition("/")[2] for what in fresh if what.startswith("codebooks/")}
    rows: dict[str, list[Given]] = {}
    for name, sheet in sheets().items():
        by_key: dict[object, Row] = {key_of(sheet, row): row for row in moved.rows.get(name, ())}
        kept: list[Row] = []
        for row in before.rows[name]:
            replaced = by_key.pop(key_of(sheet, row), None)
            if replaced is not None:
                kept.append({**dict.fromkeys(sheet.keys), **replaced, ID: row[ID]})
            elif not (row.get("codebook") in books and name in ("survey_questions", "answer_scales")):
                kept.append(row)
        added = [{**dict.fromkeys(sheet.keys), **row} for row in by_key.values()]
        letters = dict.fromkeys(sheet.keys, "A")
        rows[name] = [Given(row, number, letters) for number, row in enumerate([*kept, *added], start=3)]
    return Upload(before.id, rows)
