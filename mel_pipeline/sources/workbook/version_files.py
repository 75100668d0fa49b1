"""Where versions lie: one JSON file each in ``MEL_HOME/workbook/versions``, never changed afterwards.

Uploaded workbooks stay in ``uploads`` beside it. One process writes at a time; each file appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.private_files import private_folder
from mel_pipeline.core.secret_files import write_secret
from mel_pipeline.sources.workbook.model import Version
from mel_pipeline.sources.workbook.numbering import numbered, plain

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

FOLDER = "workbook"
_FILE = re.compile(r"(\d{6})\.json")


def folder_of(settings: Settings) -> Path:
    return settings.home / FOLDER


def paths(settings: Settings) -> list[Path]:
    folder = folder_of(settings) / "versions"
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names) if _FILE.fullmatch(name)]


def read_version(path: Path) -> Version:
    seen = path.stat()
    return _stored(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=256)
def _stored(path: Path, *_: int) -> Version:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        moment = content.pop("accepted_at")
        rows = numbered(content.pop("rows"), {})
        found = Version(
            **content, rows=rows, accepted_at=datetime.fromisoformat(moment) if moment else None, kept=True
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContractError(
            f"Reading {path}: it is not a version of the workbook ({type(error).__name__}). Restore it from a backup;"
            " nothing else holds what was stated."
        ) from None
    return found


def keep(folder: Path, found: Version) -> None:
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
        "rows": plain(found.rows),
    }
    write_secret(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def keep_upload(folder: Path, content: bytes, digest: str) -> None:
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
def one_writer(settings: Settings) -> Iterator[Path]:
    """The folder, for one process at a time."""
    folder = private_folder(folder_of(settings))
    private_folder(folder / "versions")
    with os.fdopen(os.open(folder / "versions.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
