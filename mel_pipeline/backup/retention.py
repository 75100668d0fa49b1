"""Which backups are kept: every one of two weeks, then the first of each week, none beyond MEL_BACKUP_DAYS."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mel_pipeline.backup.keys import file_of
from mel_pipeline.backup.manifest import moment_of

ALL_OF = timedelta(days=14)


def superfluous(folders: Sequence[Path], now: datetime, days: int) -> list[Path]:
    """Those to remove. The newest is never among them, however old: it holds every published quarter.

    Args:
        folders: complete backups, the oldest first.
        now: UTC, without zone.
    """
    dated = [(moment, folder) for folder in folders if (moment := moment_of(folder))]
    gone: list[Path] = []
    weeks: set[tuple[int, int]] = set()
    for moment, folder in dated[:-1]:
        age = now - moment
        year, week, _ = moment.isocalendar()
        if age > timedelta(days=days) or (age > ALL_OF and (year, week) in weeks):
            gone.append(folder)
        else:
            weeks.add((year, week))
    return gone


def remove(folder: Path) -> None:
    """A backup and its keys; first the manifest's name, so that a half-removed one counts as none."""
    doomed = folder.with_name(f".{folder.name}.removed")
    folder.rename(doomed)
    file_of(folder).unlink(missing_ok=True)
    shutil.rmtree(doomed)
