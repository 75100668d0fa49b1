"""Make one backup: warehouse, Dagster's history, what people wrote, exports and reports; keys apart and encrypted."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from mel_pipeline.backup import erasures, keys, manifest, postgres_tools
from mel_pipeline.backup.places import copy_out, places
from mel_pipeline.backup.retention import remove, superfluous
from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import BackupError
from mel_pipeline.core.private_files import private_folder
from mel_pipeline.core.settings import Settings
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.dump import dump

WAREHOUSE, DAGSTER = "warehouse", "dagster.dump"
NO_KEYS = (
    "The pseudonym key and .env are not in it: set MEL_BACKUP_PASSPHRASE. Without the key no more data can be loaded after a"
    " restoration."
)


@dataclass(frozen=True)
class Made:
    """One backup. ``removed``: older ones that are no longer kept."""

    folder: Path
    manifest: manifest.Manifest
    bytes: int
    removed: list[Path]

    @property
    def sentence(self) -> str:
        kept = self.manifest
        return (
            f"{self.folder}: {kept.rows:,} rows, {len(kept.published)} published quarters, {len(kept.files):,} files,"
            f" {self.bytes / 1e6:,.1f} MB."
        )


def back_up(settings: Settings, warehouse: Warehouse, clock: Callable[[], datetime] = utc_now) -> Made:
    """Write a backup into MEL_BACKUP_DIR and remove those that are no longer kept. Runs may go on meanwhile.

    Raises:
        BackupError: the folder is not set or not fit, another backup is being made, or the disk is full.
        WarehouseError: the warehouse is empty.
    """
    place = place_of(settings)
    now = clock()
    with alone(place):
        folder = place / now.strftime(manifest.NAME)
        partial = place / f".{folder.name}.partial"
        for left in place.glob(".mel-*.partial"):  # of an interrupted one
            shutil.rmtree(left)
        try:
            written = _write(settings, warehouse, partial, place, now)
            if settings.backup_passphrase.get_secret_value():
                keys.write_keys(settings, keys.file_of(folder))
            partial.rename(folder)
        except OSError as error:
            raise BackupError(f"{_trouble(place, error)} The backups that are there are complete.") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        gone = superfluous(manifest.backups(place), now, settings.backup_days)
        for old in gone:
            remove(old)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return Made(folder, written, size, gone)


def place_of(settings: Settings) -> Path:
    """The folder of the backups, for its owner alone.

    Raises:
        BackupError: it is not set, or readers of the reports would see it.
    """
    if settings.backup_dir is None:
        raise BackupError(
            "Writing a backup: set MEL_BACKUP_DIR to a folder, on another disk if there is one."
        )
    place = settings.backup_dir
    for shared in (settings.published_dir, settings.deliver_dir):
        if shared and place.resolve().is_relative_to(shared.resolve()):
            raise BackupError(
                f"Writing a backup: MEL_BACKUP_DIR is inside {shared}, which readers see. Choose another."
            )
    try:
        return private_folder(place)
    except OSError as error:
        raise BackupError(_trouble(place, error)) from None


def _trouble(place: Path, error: OSError) -> str:
    """What the system refused, and what to do about it."""
    if isinstance(error, PermissionError):
        advice = (
            f"The folder must belong to the account that runs `mel` (here: number {os.getuid()}): run `chown {os.getuid()}"
            f" {place}` as root"
        )
    elif error.errno == errno.EROFS:
        advice = (
            "A service may write only where its units say: make the folder, give it to the account that runs `mel`, and run"
            " `make install` again, which adds it to them"
        )
    else:
        advice = "Make room"
    return f"Writing a backup into {place}: {error.strerror or error}. {advice}, or choose another MEL_BACKUP_DIR."


def _write(
    settings: Settings, warehouse: Warehouse, folder: Path, place: Path, now: datetime
) -> manifest.Manifest:
    folder.mkdir(mode=0o700)
    listed = dump(warehouse, folder / WAREHOUSE)
    left_out = []
    for one in places(settings):
        copy_out(one, folder / one.name, place)
    storage = settings.dagster_storage_url.get_secret_value()
    if storage and (trouble := postgres_tools.dump(storage, folder / DAGSTER)):
        left_out.append(f"Dagster's history is not in it: {trouble}")
    if not settings.backup_passphrase.get_secret_value():
        left_out.append(NO_KEYS)
    erasures.note(warehouse, place)
    made = manifest.Manifest(
        made_at=now,
        version=version("mel-pipeline"),
        warehouse=warehouse.dialect,
        rows=listed.rows,
        published=published_quarters(warehouse),
        files=manifest.hashes(folder),
        left_out=left_out,
    )
    manifest.write(folder, made)
    return made


def published_quarters(warehouse: Warehouse) -> list[str]:
    """Quarters of which some version is published, in order."""
    if not warehouse.has_table("published_figures"):
        return []
    rows = warehouse.records("select distinct quarter from published_figures order by quarter")
    return [row["quarter"] for row in rows]


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Within the block no other backup is written into ``place``.

    Raises:
        BackupError: one is, or the folder may not be written.
    """
    try:
        lock = (place / ".lock").open("w")
    except OSError as error:
        raise BackupError(_trouble(place, error)) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(
                f"Writing a backup into {place}: another backup is being written. Try later."
            ) from None
        yield
