"""Versions of what is stated: one JSON file each in ``MEL_HOME/workbook/versions``, never changed afterwards.

Uploaded workbooks stay in ``uploads`` beside it. One process writes at a time; each file appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.private_files import private_folder
from mel_pipeline.core.secret_files import write_secret
from mel_pipeline.sources.workbook.merge import key_of
from mel_pipeline.sources.workbook.model import Preview, Row, Rows, Signed, Version
from mel_pipeline.sources.workbook.said import Said
from mel_pipeline.sources.workbook.sheets import ID, Sheet, sheets
from mel_pipeline.sources.workbook.start import Start, start
from mel_pipeline.sources.workbook.start import of_organisation as organisation_start

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings

FOLDER, REVISED = "workbook", "targets"
_FILE = re.compile(r"(\d{6})\.json")
_NUMBER = re.compile(r"[A-Z]-(\d+)")


def current(settings: Settings) -> Version:
    """The version that counts. Before any was kept: the start, made from the organisation's files; nothing is written.

    Raises:
        ContractError: a file cannot be read.
    """
    kept = _paths(settings)
    return _read(kept[-1]) if kept else first(settings)


def first(settings: Settings) -> Version:
    """Version 0 as the files of now give it."""
    return _begun(start(settings))


def of_organisation(own: Path) -> Version:
    """What an organisation's folder alone states at the start."""
    return _begun(organisation_start(own))


def _begun(begun: Start) -> Version:
    rows = _numbered(begun.rows, {})
    by_key = {key_of(sheets()[REVISED], row): str(row[ID]) for row in rows[REVISED]}
    earlier = {by_key[key]: states for key, states in begun.earlier.items() if key in by_key}
    return made(
        0,
        rows,
        _next_numbers(rows, {}),
        earlier=earlier,
        imported=begun.imported,
        problems=begun.problems,
    )


def version(settings: Settings, id: str) -> Version | None:
    """The version of an id; None: there is none here."""
    for path in reversed(_paths(settings)):
        found = _read(path)
        if found.id == id:
            return found
    start_version = first(settings) if not _paths(settings) else None
    return start_version if start_version and start_version.id == id else None


def history(settings: Settings) -> list[Version]:
    """Every version, the newest first."""
    kept = [_read(path) for path in reversed(_paths(settings))]
    return kept or [first(settings)]


def issue(settings: Settings) -> Version:
    """The current version, kept from now on: a form that is handed out must find its base again."""
    with _one_writer(settings) as folder:
        found = current(settings)
        if not found.kept:
            _keep(folder, found)
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
    with _one_writer(settings) as folder:
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
            _keep_upload(folder, preview.upload.content, preview.upload.digest)
        if not before.kept:
            _keep(folder, before)
        _keep(folder, done)
        return done


def after(preview: Preview, moment: datetime | None = None) -> Version:
    """The version that a preview would make of the current one, at a time."""
    before = preview.current
    rows = _numbered(_applied(before.rows, preview), before.next_numbers)
    moment = moment or utc_now()
    return made(
        before.number + 1,
        rows,
        _next_numbers(rows, before.next_numbers),
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


def made(
    number: int, rows: Rows, next_numbers: Mapping[str, int], base: str | None = None, **about: Any
) -> Version:
    """A version with its id."""
    written = json.dumps([number, base, _plain(rows)], ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(written.encode()).hexdigest()[:12]
    return Version(number, digest, rows, next_numbers, base, **about)


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


def _numbered(rows: Rows, taken: Mapping[str, int]) -> dict[str, tuple[Row, ...]]:
    """Every sheet, each row with all columns and a number, sorted by it."""
    done: dict[str, tuple[Row, ...]] = {}
    for name, sheet in sheets().items():
        found = rows.get(name, ())
        number = _next_number(sheet, found, taken)
        filled = []
        for row in found:
            given = row.get(ID)
            if not given:
                given, number = f"{sheet.prefix}-{number:04d}", number + 1
            filled.append({ID: given, **{key: row.get(key) or None for key in sheet.keys}})
        done[name] = tuple(sorted(filled, key=_place))
    return done


def _next_numbers(rows: Rows, taken: Mapping[str, int]) -> dict[str, int]:
    return {name: _next_number(sheet, rows.get(name, ()), taken) for name, sheet in sheets().items()}


def _next_number(sheet: Sheet, rows: Sequence[Row], taken: Mapping[str, int]) -> int:
    used = [_place(row)[0] + 1 for row in rows if row.get(ID)]
    return max([taken.get(sheet.name, 1), *used])


def _place(row: Row) -> tuple[int, str]:
    written = str(row[ID])
    found = _NUMBER.fullmatch(written)
    return (int(found[1]) if found else 0, written)


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


def folder_of(settings: Settings) -> Path:
    return settings.home / FOLDER


def _paths(settings: Settings) -> list[Path]:
    folder = folder_of(settings) / "versions"
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names) if _FILE.fullmatch(name)]


def _read(path: Path) -> Version:
    seen = path.stat()
    return _stored(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=256)
def _stored(path: Path, *_: int) -> Version:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        moment = content.pop("accepted_at")
        rows = _numbered(content.pop("rows"), {})
        found = Version(
            **content, rows=rows, accepted_at=datetime.fromisoformat(moment) if moment else None, kept=True
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContractError(
            f"Reading {path}: it is not a version of the workbook ({type(error).__name__}). Restore it from a backup;"
            " nothing else holds what was stated."
        ) from None
    return found


def _keep(folder: Path, found: Version) -> None:
    if found.problems:
        raise ContractError(
            "Keeping a first version of the workbook: "
            + " ".join(found.problems.values())
            + " Nothing was kept."
        )
    path = folder / "versions" / f"{found.number:06d}.json"
    moment = found.accepted_at.isoformat() if found.accepted_at else None
    content = {
        **{name: getattr(found, name) for name in ("number", "id", "base", "role", "note", "file")},
        **({"by": found.by} if found.by else {}),
        "accepted_at": moment,
        "counts": found.counts,
        "signed": {number: dict(figures) for number, figures in found.signed.items()},
        "earlier": {number: list(states) for number, states in found.earlier.items()},
        "imported": found.imported,
        "refused": list(found.refused),
        "next_numbers": found.next_numbers,
        "rows": _plain(found.rows),
    }
    write_secret(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _plain(rows: Rows) -> dict[str, list[dict[str, str]]]:
    """Without empty cells: a column that a later version adds changes no digest."""
    return {
        name: [{key: value for key, value in row.items() if value is not None} for row in found]
        for name, found in rows.items()
    }


def _keep_upload(folder: Path, content: bytes, digest: str) -> None:
    """The file as it came."""
    path = private_folder(folder / "uploads") / f"{digest}.xlsx"
    if path.exists():
        return
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def _one_writer(settings: Settings) -> Iterator[Path]:
    """The folder, for one process at a time."""
    folder = private_folder(folder_of(settings))
    private_folder(folder / "versions")
    with os.fdopen(os.open(folder / "versions.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def with_rows(found: Version, rows: Rows) -> Version:
    """The same version with other rows, for forms and tests."""
    return replace(found, rows=_numbered(rows, {}))
