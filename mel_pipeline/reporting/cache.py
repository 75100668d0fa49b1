"""Cache of what reports are made of: pictures, pages, whole folders of files. Unchanged inputs reuse the result.

An entry is found by the digest of all its inputs, and its files are compared byte for byte with what was written.
The folder can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from mel_pipeline.reporting.files import write_if_changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXPIRY_DAYS = 60  # entries unused for this long are removed
_FOLDER: ContextVar[Path | None] = ContextVar("cache folder", default=None)
Value = TypeVar("Value")


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Cache results in ``folder`` inside the block; expired entries are removed at its end."""
    before = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(before)
        _remove_expired(folder)


def folder() -> Path | None:
    """The cache folder; None outside ``using``."""
    return _FOLDER.get()


def get(name: str, digest: str, kind: type[Value]) -> Value | None:
    """The cached value, if its inputs are the same and none of its files has changed since.

    Args:
        name: of the entry; there is one per name, whatever its inputs were.
        digest: of everything the value depends on.
        kind: a dataclass of texts, numbers and paths.
    """
    folder = _FOLDER.get()
    entry = _read_entry(folder / f"{name}.json") if folder else None
    if folder is None or entry is None or entry["digest"] != digest:
        return None
    if not all(_is_unchanged(Path(path), content) for path, content in entry["files"]):
        return None
    os.utime(folder / f"{name}.json")
    value: Value = TypeAdapter(kind).validate_python(entry["value"])
    return value


def has(name: str) -> bool:
    """Whether there is an entry of that name, whatever its inputs were."""
    folder = _FOLDER.get()
    return folder is not None and (folder / f"{name}.json").is_file()


def put(name: str, digest: str, value: object, files: Iterable[Path]) -> None:
    """Store a value for ``get``; ``files`` are those written while making it."""
    folder = _FOLDER.get()
    if folder is None:
        return
    entry = {
        "digest": digest,
        "files": [[str(path), digest_of_file(path)] for path in sorted(set(files))],
        "value": TypeAdapter(type(value)).dump_python(value, mode="json"),
    }
    write_if_changed(folder / f"{name}.json", json.dumps(entry, ensure_ascii=False).encode(), durable=False)


def digest_of_file(path: Path) -> str:
    """SHA-256 of its bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_unchanged(path: Path, digest: str) -> bool:
    try:
        return digest_of_file(path) == digest
    except OSError:
        return False


def _read_entry(path: Path) -> dict[str, Any] | None:
    """None where there is no entry, or it was edited or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"digest", "files", "value"} <= found.keys() else None


def _remove_expired(folder: Path) -> None:
    """Remove entries unused for ``EXPIRY_DAYS``; one that cannot be removed is tried again next time."""
    oldest = time.time() - EXPIRY_DAYS * 24 * 3600
    for entry in folder.glob("*.json"):
        try:
            if entry.stat().st_mtime < oldest:
                for kind in (".json", ".svg", ".png"):
                    entry.with_suffix(kind).unlink(missing_ok=True)
        except OSError:
            continue
