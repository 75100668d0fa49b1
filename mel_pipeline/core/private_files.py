"""What is written under MEL_HOME is for its owner alone: folders 0700, files 0600, whatever the umask of the user."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OURS = (
    *("warehouse.duckdb*", "dagster", "drafts", "narrative", "notices.json"),
    *("pictures", "review", "secrets", "survey_exports", "attendance_lists", "users.yml", "workbook"),
)
SHARED_FOLDER, SHARED_FILE = (
    0o755,
    0o644,
)  # of finished reports: a web server or a drive shows them to readers


def be_private() -> None:
    """From here on this process and its children create files for their owner alone: databases and logs as well."""
    os.umask(OTHERS)


def secure(home: Path) -> None:
    """Make MEL_HOME, or take it and what an earlier version left in it from others. What is not ours stays as it is."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in readable_by_others(home):
        with suppress(OSError):  # of another user, or just removed; `mel doctor` says so
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)


def readable_by_others(home: Path) -> list[Path]:
    """MEL_HOME and everything of ours in it that another user may read, change or enter."""
    if not home.exists():
        return []
    ours = [path for name in OURS for path in home.glob(name)]
    below = [
        path for folder in ours if folder.is_dir() and open_to_others(folder) for path in folder.rglob("*")
    ]
    return [path for path in (home, *ours, *below) if open_to_others(path)]


def open_to_others(path: Path) -> bool:
    """Whether another user may read, change or enter it; a link itself never."""
    mode = path.lstat().st_mode
    return not stat.S_ISLNK(mode) and bool(mode & OTHERS)


def private_folder(folder: Path) -> Path:
    """A folder for its owner alone, whatever is written in it; made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if open_to_others(folder):
        folder.chmod(0o700)
    return folder


def share_folder(folder: Path) -> None:
    """Make a folder for readers, and those above it that are missing."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        path.chmod(SHARED_FOLDER)


@contextmanager
def shared_with(folder: Path) -> Iterator[None]:
    """Within the block, new files are as open as ``folder`` is: for programs of other users that work in it."""
    before = os.umask(OTHERS & ~folder.stat().st_mode)
    try:
        yield
    finally:
        os.umask(before)
