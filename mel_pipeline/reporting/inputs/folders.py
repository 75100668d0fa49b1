"""Where editions lie: published ones where readers open them, drafts apart from them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.private_files import private_folder
from mel_pipeline.publication.store import last_publication

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse


def is_published(warehouse: Warehouse, period: str) -> bool:
    """Whether the figures of a quarter, or of the quarter that closes a year, have been published."""
    return last_publication(warehouse, period if "-Q" in period else f"{period}-Q4") is not None


def editions_dir(settings: Settings, *, published: bool) -> Path:
    """The folder that holds the editions, one folder each; that of the drafts is made, for its owner alone.

    Raises:
        ReportError: readers would see drafts, because their folder contains that of the drafts.
    """
    readers, drafts = settings.published_dir, settings.drafts_dir
    if drafts.resolve().is_relative_to(readers.resolve()):
        raise ReportError(
            f"Writing a report: drafts go to {drafts}, inside {readers}, which readers open. Set MEL_REPORTS_DIR to a"
            " folder that does not contain MEL_HOME."
        )
    return readers if published else private_folder(drafts)


def clear_away(folder: Path, settled: Path) -> None:
    """Remove the files of an edition that is in ``settled`` now; files that only ``folder`` has are moved there.

    Raises:
        ReportError: a file cannot be moved or removed.
    """
    if not folder.is_dir():
        return
    try:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
                continue
            target = settled / path.relative_to(folder)
            if target.exists():
                path.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, target)  # perhaps to another disk
        folder.rmdir()
    except OSError as error:
        raise ReportError(
            f"Moving the edition {folder} to {settled}: {error.strerror or error}. Check that both folders are writable."
        ) from error
