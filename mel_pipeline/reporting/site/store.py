"""Write the site's files: only changed files are written, and only our own files are removed."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.files import write_all, write_if_changed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "assets/manifest.json"
GENERATOR = "mel reading site"
FOLDERS = ("assets", "indicators", "cities", "plan", "projects", "outcomes")


def store(folder: Path, files: Mapping[str, bytes]) -> tuple[int, int]:
    """Make ``folder`` contain these files (address → content); returns how many were written and removed.

    A page of an earlier run that is no longer needed is removed, unless it was edited since.

    Raises:
        ReportError: the folder has an index page that is not ours, or cannot be written.
    """
    for address in files:
        path = folder / address
        if "/" not in address and path.is_file() and GENERATOR.encode() not in path.read_bytes():
            raise ReportError(
                f"Writing the reading site: {path} was not written by it and is left alone."
                " Move that file, or set MEL_REPORTS_DIR to another folder."
            )
    before = _manifest(folder)
    written = write_all({folder / address: content for address, content in files.items()})
    removed = sum(_remove(folder / old, digest) for old, digest in before.items() if old not in files)
    listed = {address: _digest(content) for address, content in sorted(files.items())}
    write_if_changed(folder / MANIFEST, (json.dumps(listed, indent=0) + "\n").encode())
    return written, removed


def remove_site(folder: Path) -> None:
    """Remove the pages of an earlier run, unless they were edited since.

    Raises:
        ReportError: a page cannot be removed.
    """
    listed = _manifest(folder)
    for address, digest in listed.items():
        _remove(folder / address, digest)
    if listed:
        (folder / MANIFEST).unlink(missing_ok=True)


def _manifest(folder: Path) -> dict[str, str]:
    """The files of an earlier run; empty if unknown. Addresses that point outside the site are dropped."""
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(listed, dict):
        return {}
    return {
        str(address): str(digest)
        for address, digest in listed.items()
        if ".." not in PurePosixPath(address).parts
        and (PurePosixPath(address).parts[:1] in {(name,) for name in FOLDERS} or _is_index(address))
    }


def _is_index(address: str) -> bool:
    return PurePosixPath(address).match("index*.html") and "/" not in address


def _remove(path: Path, digest: str) -> bool:
    try:
        if path.is_symlink() or not path.is_file() or _digest(path.read_bytes()) != digest:
            return False
        path.unlink()
    except OSError as error:
        raise ReportError(
            f"Removing {path}: {error.strerror or error}. Check that the folder is writable."
        ) from error
    return True


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
