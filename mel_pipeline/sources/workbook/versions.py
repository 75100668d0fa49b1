"""Versions of what is stated, and how a preview becomes the next one. Their files: ``version_files``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import ContractError
from mel_pipeline.sources.workbook.merge import key_of
from mel_pipeline.sources.workbook.model import Preview, Row, Rows, Signed, Version
from mel_pipeline.sources.workbook.numbering import made, next_numbers, numbered
from mel_pipeline.sources.workbook.said import Said
from mel_pipeline.sources.workbook.sheets import ID, sheets
from mel_pipeline.sources.workbook.start import Start, start
from mel_pipeline.sources.workbook.start import of_organisation as organisation_start
from mel_pipeline.sources.workbook.version_files import (
    keep,
    keep_upload,
    one_writer,
    paths,
    read_version,
)

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings

REVISED = "targets"
_BEGUN: dict[str, Version] = {}


def current(settings: Settings) -> Version:
    """The version that counts. Before any was kept: the start, made from the organisation's files; nothing is written.

    Raises:
        ContractError: a file cannot be read.
    """
    kept = paths(settings)
    return read_version(kept[-1]) if kept else first(settings)


def first(settings: Settings) -> Version:
    """Version 0 as the files of now give it."""
    return _begun(start(settings))


def of_organisation(own: Path) -> Version:
    """What an organisation's folder alone states at the start."""
    return _begun(organisation_start(own))


def _begun(begun: Start) -> Version:
    """Numbered once as long as the files state the same: every load asks for it."""
    stated = repr(begun)
    if (found := _BEGUN.get(stated)) is None:
        found = _version_0(begun)
        _BEGUN.clear()
        _BEGUN[stated] = found
    return found


def _version_0(begun: Start) -> Version:
    rows = numbered(begun.rows, {})
    by_key = {key_of(sheets()[REVISED], row): str(row[ID]) for row in rows[REVISED]}
    earlier = {by_key[key]: states for key, states in begun.earlier.items() if key in by_key}
    return made(
        0,
        rows,
        next_numbers(rows, {}),
        earlier=earlier,
        imported=begun.imported,
        problems=begun.problems,
    )


def version(settings: Settings, id: str) -> Version | None:
    """The version of an id; None: there is none here."""
    for path in reversed(paths(settings)):
        found = read_version(path)
        if found.id == id:
            return found
    start_version = first(settings) if not paths(settings) else None
    return start_version if start_version and start_version.id == id else None


def history(settings: Settings) -> list[Version]:
    """Every version, the newest first."""
    kept = [read_version(path) for path in reversed(paths(settings))]
    return kept or [first(settings)]


def issue(settings: Settings) -> Version:
    """The current version, kept from now on: a form that is handed out must find its base again."""
    with one_writer(settings) as folder:
        found = current(settings)
        if not found.kept:
            keep(folder, found)
        return replace(found, kept=True)


def accept(
    settings: Settings,
    preview: Preview,
    role: str,
    note: str = "",
    clock: Callable[[], datetime] = utc_now,
    *,
    remove: bool = False,
    by: Person | None = None,
    imported: Mapping[str, str] | None = None,
    signed: Signed | None = None,
) -> Version:
    """Make what a preview shows the next version; the current one where it shows no change.

    Args:
        role: of the person who accepts, never a name.
        remove: allow a sheet to lose more than half of its rows.
        by: who is signed in.
        imported: files of before that it moves into the workbook, with their SHA-256.
        clock: gives UTC without zone.
        signed: by number of a duty's row, the digest of the figures that it signs, by quarter.

    Raises:
        ContractError: another version was accepted since the preview, the role is empty, or ``remove`` is needed.
    """
    if not role.strip():
        raise ContractError(Said("role_empty"))
    if preview.needs_yes and not remove:
        raise ContractError(Said("large_removal", sheets=list(preview.needs_yes)))
    if preview.is_empty and not imported:
        return preview.current
    with one_writer(settings) as folder:
        before = current(settings)
        if before.id != preview.current.id:
            raise ContractError(Said("another_version", number=before.number, shown=preview.current.number))
        moment = clock()
        done = replace(
            after(preview, moment),
            role=role.strip(),
            note=note.strip(),
            by=by.login if by else "",
            imported={**before.imported, **(imported or {})},
            signed=_signed(before, preview, signed or {}),
        )
        if preview.upload.content:
            keep_upload(folder, preview.upload.content, preview.upload.digest)
        if not before.kept:
            keep(folder, before)
        keep(folder, done)
        return done


def after(preview: Preview, moment: datetime | None = None) -> Version:
    """The version that a preview would make of the current one, at a time."""
    before = preview.current
    rows = numbered(_applied(before.rows, preview), before.next_numbers)
    moment = moment or utc_now()
    return made(
        before.number + 1,
        rows,
        next_numbers(rows, before.next_numbers),
        base=before.id,
        accepted_at=moment,
        file=preview.upload.digest or None,
        counts=_counts(preview),
        earlier=_earlier(before, preview, moment),
        imported=before.imported,
        refused=[f"{one.name}: {one.sentence}" for one in preview.refused if one.name],
        kept=True,
    )


def _signed(before: Version, preview: Preview, signed: Signed) -> Signed:
    """What was signed before, without the rows that are gone, and what the changed rows sign."""
    gone = {str(change.id) for change in (*preview.removed, *preview.changed) if change.sheet == "duties"}
    kept = {number: figures for number, figures in before.signed.items() if number not in gone}
    return {**kept, **signed}


def _applied(rows: Rows, preview: Preview) -> dict[str, list[Row]]:
    """The rows after a preview; new ones have no number yet."""
    after: dict[str, list[Row]] = {name: list(found) for name, found in rows.items()}
    replaced = {(change.sheet, change.id): change.after for change in preview.changed}
    gone = {(change.sheet, change.id) for change in preview.removed}
    for name, found in after.items():
        after[name] = [replaced.get((name, row[ID])) or row for row in found if (name, row[ID]) not in gone]
    for change in preview.new:
        after.setdefault(change.sheet, []).append(change.after or {})
    return after


def _earlier(before: Version, preview: Preview, moment: datetime) -> dict[str, tuple[Row, ...]]:
    """What targets said before: a report judges an earlier day by what was stated then."""
    found = {number: tuple(states) for number, states in before.earlier.items()}
    for change in preview.changed:
        if change.sheet == REVISED and change.before and "value" in change.columns:
            state = {**change.before, "until": moment.date().isoformat()}
            found[str(change.id)] = (*found.get(str(change.id), ()), state)
    return found


def _counts(preview: Preview) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for what, changes in (("new", preview.new), ("changed", preview.changed), ("removed", preview.removed)):
        for change in changes:
            counts = found.setdefault(change.sheet, {})
            counts[what] = counts.get(what, 0) + 1
    return found


def with_rows(found: Version, rows: Rows) -> Version:
    """The same version with other rows, for forms and tests."""
    return replace(found, rows=numbered(rows, {}))
