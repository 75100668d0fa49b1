"""Which folders and files are copied, and how: a database of Dagster is copied as a database."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from mel_pipeline.core.errors import BackupError
from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import Settings

# Of MEL_HOME: what is copied in another way, can be made again, or belongs to one process.
_NOT_COPIED = (
    "warehouse.duckdb*",
    "pictures",
    "secrets",
    "dagster/storage",
    "dagster/.*",
    "*.lock",
    "*.partial",
)
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True)
class Place:
    """A folder of the installation, by the name of its folder in the backup."""

    name: str
    folder: Path
    skipped: tuple[str, ...] = ()


def places(settings: Settings) -> list[Place]:
    """Every folder with something that cannot be made again. Drop folders and reports may be outside MEL_HOME."""
    within = [Place("home", settings.home, _NOT_COPIED)]
    if settings.organisation != EXAMPLE:
        within.append(Place("organisation", settings.organisation))
    within.append(Place("reports", settings.published_dir))
    within.append(Place("surveys", settings.survey_folder))
    within.append(Place("attendance", settings.attendance_folder))
    if settings.zoho_export_dir:
        within.append(Place("crm_exports", settings.zoho_export_dir))
    home = settings.home.resolve()
    return [
        place for place in within if place.name == "home" or not place.folder.resolve().is_relative_to(home)
    ]


def copy_out(place: Place, target: Path, without: Path) -> int:
    """Copy the files of a place; returns how many. Times of files are kept, links are not followed.

    Args:
        without: a folder that is never copied (that of the backups).
    """
    count = 0
    for path in _files(place, without):
        copied = target / path.relative_to(place.folder)
        copied.parent.mkdir(parents=True, exist_ok=True)
        try:
            _copy(path, copied)
        except FileNotFoundError:
            continue  # removed meanwhile: a temporary file
        count += 1
    return count


def copy_back(source: Path, folder: Path) -> int:
    """Put the files of a place back; returns how many. A file that is there already stays and is an error.

    Raises:
        BackupError: a file is there with another content.
    """
    count = 0
    for path in sorted(item for item in source.rglob("*") if item.is_file()):
        target = folder / path.relative_to(source)
        if target.exists():
            if target.read_bytes() == path.read_bytes():
                continue
            raise BackupError(
                f"Restoring {target}: there is another file of that name. Restore into an empty place, or move it away."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        count += 1
    return count


def _files(place: Place, without: Path) -> Iterator[Path]:
    if not place.folder.is_dir():
        return
    apart = without.resolve()
    for path in sorted(place.folder.rglob("*")):
        within = path.relative_to(place.folder).as_posix()
        parts = [within, *(parent.as_posix() for parent in Path(within).parents if parent != Path())]
        if any(fnmatch(part, skipped) for part in parts for skipped in place.skipped):
            continue
        if path.is_symlink() or not path.is_file() or path.resolve().is_relative_to(apart):
            continue
        if (
            path.name.endswith(("-wal", "-shm", "-journal"))
            and path.with_name(path.name.rpartition("-")[0]).exists()
        ):
            continue  # of an SQLite database, which is copied as a whole
        yield path


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as file:
        is_database = file.read(len(_SQLITE)) == _SQLITE
    if not is_database:
        shutil.copy2(path, target)
        return
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(target)) as copied,
    ):
        source.backup(copied)  # one state, even while a run writes
