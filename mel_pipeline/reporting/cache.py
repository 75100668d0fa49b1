"""What was made before and would come out the same is not made again: pictures, pages, whole folders of files.

Told by the digest of everything it is made of, and checked byte by byte against what was written. The folder it
is kept in may be deleted at any time.
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

KEPT_DAYS = 60  # what nobody asked for in so many days goes
_FOLDER: ContextVar[Path | None] = ContextVar("folder of what is kept", default=None)
Made = TypeVar("Made")


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """What is made inside is kept in ``folder``, and taken from there when it would come out the same."""
    before = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(before)
        _forget_old(folder)


def kept_folder() -> Path | None:
    """Where things are kept; None where nobody asked for that."""
    return _FOLDER.get()


def as_before(name: str, made_of: str, kind: type[Made]) -> Made | None:
    """What making it gave the last time, where it was made of the same and its files lie there untouched.

    Args:
        name: of the record, which tells what it was made of the last time.
        made_of: digest of everything it depends on.
        kind: a dataclass of texts, numbers and paths.
    """
    folder = _FOLDER.get()
    found = _read(folder / f"{name}.json") if folder else None
    if folder is None or found is None or found["made_of"] != made_of:
        return None
    if not all(_lies_as(Path(path), digest) for path, digest in found["files"]):
        return None
    os.utime(folder / f"{name}.json")
    made: Made = TypeAdapter(kind).validate_python(found["made"])
    return made


def is_kept(name: str) -> bool:
    """Whether there is a record of that name, of whatever it was made."""
    folder = _FOLDER.get()
    return folder is not None and (folder / f"{name}.json").is_file()


def keep(name: str, made_of: str, made: object, files: Iterable[Path]) -> None:
    """Note what was made, for ``as_before``; ``files`` are those that making it has written."""
    folder = _FOLDER.get()
    if folder is None:
        return
    written = [[str(path), digest_of_file(path)] for path in sorted(set(files))]
    told = {
        "made_of": made_of,
        "files": written,
        "made": TypeAdapter(type(made)).dump_python(made, mode="json"),
    }
    write_if_changed(folder / f"{name}.json", json.dumps(told, ensure_ascii=False).encode(), durable=False)


def digest_of_file(path: Path) -> str:
    """SHA-256 of its bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lies_as(path: Path, digest: str) -> bool:
    try:
        return digest_of_file(path) == digest
    except OSError:
        return False


def _read(record: Path) -> dict[str, Any] | None:
    """None where there is none, or somebody's hand was here."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"made_of", "files", "made"} <= found.keys() else None


def _forget_old(folder: Path) -> None:
    """What nobody asked for in a long while; errors leave it for the next time."""
    oldest = time.time() - KEPT_DAYS * 24 * 3600
    for told in folder.glob("*.json"):
        try:
            if told.stat().st_mtime < oldest:
                for kind in (".json", ".svg", ".png"):
                    told.with_suffix(kind).unlink(missing_ok=True)
        except OSError:
            continue
