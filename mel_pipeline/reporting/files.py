"""Atomic writes: a reader sees the old file or the new one, and unchanged files are not touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mel_pipeline.core.durable import flush
from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.private_files import SHARED_FILE, share_folder


def write_if_changed(path: Path, content: bytes, *, durable: bool = True) -> bool:
    """Write ``content`` to ``path``; True when something was written.

    Args:
        durable: wait for the disk, and let readers open the file. Not for caches, which are verified on reading and can
            be made again.

    Raises:
        ReportError: the folder or file cannot be written.
    """
    with _explained(path):
        if path.is_file() and path.read_bytes() == content:
            return False
        share_folder(path.parent) if durable else path.parent.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(path.parent, [path.name])
        _write(path, content, durable=durable)
        if durable:
            flush(path.parent)
    return True


def write_all(files: Mapping[Path, bytes]) -> int:
    """``write_if_changed`` for many files; returns how many were written.

    Each folder is read and flushed once and not for each of its files.

    Raises:
        ReportError: a folder or file cannot be written.
    """
    changed: dict[Path, list[Path]] = {}
    for path, content in files.items():
        with _explained(path):
            if not path.is_file() or path.read_bytes() != content:
                changed.setdefault(path.parent, []).append(path)
    for folder, paths in changed.items():
        with _explained(folder):
            share_folder(folder)
            _remove_unfinished(folder, {path.name for path in paths})
        for path in paths:
            with _explained(path):
                _write(path, files[path], durable=True)
        with _explained(folder):
            flush(folder)
    return sum(map(len, changed.values()))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"Writing {path}: {error.strerror or error}. Check that the folder is writable and the disk has space."
        ) from error


def _write(path: Path, content: bytes, *, durable: bool) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(SHARED_FILE if durable else 0o600)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def _remove_unfinished(folder: Path, names: Collection[str]) -> None:
    """What a run that was killed left of these files."""
    for path in folder.glob(".*.*"):
        if path.name[1:].rpartition(".")[0] in names:
            path.unlink()
