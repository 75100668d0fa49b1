"""What a backup holds: each file with its SHA-256, so that a damaged or incomplete one is found before it is needed."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mel_pipeline.core.errors import BackupError

FILE = "manifest.json"
FORMAT = 1  # of the folder; a newer one is refused
NAME = "mel-%Y-%m-%dT%H%M%SZ"


class Manifest(BaseModel):
    """Written last: a folder without it is no backup.

    ``files``: path within the folder → SHA-256. ``left_out``: sentences about what is not in it.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    made_at: datetime  # UTC, without zone
    version: str  # of the package
    warehouse: str  # duckdb | postgres
    rows: int
    published: list[str]  # quarters
    files: dict[str, str]
    left_out: list[str] = []


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    """Every file of a folder but the manifest, by its path within it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def write(folder: Path, manifest: Manifest) -> None:
    (folder / FILE).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")


def read(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        BackupError: the folder holds none, or one of a newer version.
    """
    path = folder / FILE
    try:
        manifest = Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BackupError(f"Reading the backup {folder}: {_instead(folder)}") from None
    except PermissionError:
        raise BackupError(_unreadable(folder)) from None
    except (OSError, ValueError, ValidationError) as error:
        raise BackupError(
            f"Reading {path}: {type(error).__name__}. The backup is damaged; use another one."
        ) from None
    if manifest.format > FORMAT:
        raise BackupError(
            f"Reading the backup {folder}: a newer version ({manifest.version}) made it. Install that version."
        )
    return manifest


def check(folder: Path) -> Manifest:
    """The manifest, once every file is there and has its hash.

    Raises:
        BackupError: files are missing, changed or too many; the message names some.
    """
    manifest = read(folder)
    try:
        # Folders that may not be entered are skipped without a word when files are listed.
        if not all(os.access(path, os.R_OK | os.X_OK) for path in folder.rglob("*") if path.is_dir()):
            raise BackupError(_unreadable(folder))
        found = hashes(folder)
    except PermissionError:
        raise BackupError(_unreadable(folder)) from None
    wrong = [f"{name} is missing" for name in sorted(manifest.files.keys() - found.keys())]
    wrong += [f"{name} is not part of it" for name in sorted(found.keys() - manifest.files.keys())]
    wrong += [
        f"{name} has changed"
        for name in sorted(found.keys() & manifest.files.keys())
        if found[name] != manifest.files[name]
    ]
    if wrong:
        more = f", and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise BackupError(f"Checking the backup {folder}: {', '.join(wrong[:5])}{more}. Use another backup.")
    return manifest


def _instead(folder: Path) -> str:
    """Why a folder is no backup, and which folders near it are."""
    why = f"it has no {FILE}, so it is no complete backup." if folder.is_dir() else "there is no such folder."
    near = [str(path) for place in (folder, folder.parent) for path in backups(place)]
    there = (
        f"Complete ones here: {', '.join(near[-3:])}."
        if near
        else "`mel backup --list` shows those that are."
    )
    return f"{why} {there}"


def _unreadable(folder: Path) -> str:
    return (
        f"Reading the backup {folder}: the account that runs `mel` (here: number {os.getuid()}) may not read all of it. As root"
        f" put it and its .keys file where that account may go (a service: /var/backups/mel) and run `chown -R {os.getuid()}` on"
        " that folder, then try again. Nothing was changed."
    )


def backups(place: Path) -> list[Path]:
    """Complete backups in a folder, the oldest first."""
    return sorted(path.parent for path in place.glob(f"mel-*/{FILE}")) if place.is_dir() else []


def moment_of(folder: Path) -> datetime | None:
    """When a backup was made, by its name."""
    try:
        return datetime.strptime(folder.name, NAME)  # noqa: DTZ007 - UTC by its name, as everywhere without zone
    except ValueError:
        return None
