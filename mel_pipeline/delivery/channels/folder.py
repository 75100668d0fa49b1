"""Copy an edition's folder atomically: a reader sees either the old or the new edition, complete."""

from __future__ import annotations

import filecmp
import secrets
import shutil
from pathlib import Path

from mel_pipeline.core.durable import flush
from mel_pipeline.core.errors import DeliveryError


def copy_edition(source: Path, into: Path) -> bool:
    """Copy ``source`` into the folder ``into`` under the same name. Returns whether anything was copied.

    Raises:
        DeliveryError: ``into`` is missing (a drive that is not mounted), inside the source or around it, or
            not writable. The previous copy stays in place.
    """
    target = into / source.name
    _require_apart(source, into, target)
    if same(source, target):
        return False
    mark = secrets.token_hex(4)
    fresh, old = (into / f".{source.name}.{kind}.{mark}" for kind in ("new", "old"))
    try:
        for left in into.glob(f".{source.name}.*"):
            shutil.rmtree(left)  # left by a killed copy
        shutil.copytree(source, fresh, ignore=shutil.ignore_patterns(".*"))
        for path in fresh.rglob("*"):
            flush(path)
        flush(fresh)
        if not same(source, fresh):
            raise OSError("the copy differs from the original")
        _swap(fresh, target, old)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DeliveryError(
            f"Copying the edition {source.name} to {into}: {getattr(error, 'strerror', None) or error}. Check"
            " that the folder is writable and has space. The previous copy is still there."
        ) from error
    shutil.rmtree(old, ignore_errors=True)
    return True


def _swap(fresh: Path, target: Path, old: Path) -> None:
    if not target.exists():
        fresh.rename(target)
        return
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise


def same(one: Path, other: Path) -> bool:
    """Whether two folders have identical files."""
    if not other.is_dir():
        return False
    mine, theirs = _files(one), _files(other)
    return mine == theirs and not any(
        not filecmp.cmp(one / name, other / name, shallow=False) for name in mine
    )


def _files(folder: Path) -> list[Path]:
    listed = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in listed if not any(part.startswith(".") for part in path.parts))


def _require_apart(source: Path, into: Path, target: Path) -> None:
    if not into.is_dir():
        raise DeliveryError(
            f"Copying the edition {source.name}: the folder {into} (MEL_DELIVER_DIR) is not there. Create it, or"
            " mount the drive."
        )
    origin, place, end = source.resolve(), into.resolve(), target.resolve()
    around = origin.parent
    if place == around or around in place.parents or end == around or end in around.parents:
        raise DeliveryError(
            f"Copying the edition {source.name}: {into} (MEL_DELIVER_DIR) is inside the folder of reports or"
            " around it. Choose a separate folder."
        )
