"""A folder into which people drop files: which of them are no longer being written, and their digests.

Nothing is moved or deleted, and no file is opened before it is needed.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from pathlib import Path

from mel_pipeline.sources.shared.files.limits import TEXT
from mel_pipeline.sources.shared.files.table import FileRefusedError

SETTLE_SECONDS = 2.0  # a file that changed this recently may still be being written
LARGEST_FILE = TEXT.packed
_UNREADABLE = "The file cannot be opened. Give the user that runs the pipeline permission to read it."


@dataclass(frozen=True)
class DropFile:
    """A file as it was when the folder was listed."""

    path: Path
    size: int
    modified_ns: int
    label: str = ""  # what people call it, where that is not the name of the path

    @property
    def name(self) -> str:
        """As text, whatever its bytes."""
        return self.label or os.fsencode(self.path.name).decode(errors="replace")

    @cached_property
    def digest(self) -> str:
        """SHA-256: the same content under another name is the same file.

        Raises:
            FileRefusedError: it cannot be read.
        """
        with self.open() as file:
            try:
                return hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                raise FileRefusedError(_UNREADABLE) from None

    def is_settled(self, settle_seconds: float = SETTLE_SECONDS) -> bool:
        """False if it changed less than ``settle_seconds`` ago: it may still be being written."""
        return not 0 <= time.time() - self.modified_ns / 1e9 < settle_seconds

    @property
    def is_unchanged(self) -> bool:
        """False if it was modified, replaced or removed since."""
        try:
            now = self.path.stat()
        except OSError:
            return False
        return (now.st_mtime_ns, now.st_size) == (self.modified_ns, self.size)

    def open(self) -> BufferedReader:
        """Open it for reading.

        Raises:
            FileRefusedError: it is too large, or cannot be read.
        """
        if self.size > LARGEST_FILE:
            raise FileRefusedError(
                f"The file is larger than {LARGEST_FILE >> 20} MB. Export fewer rows per file."
            )
        try:
            return self.path.open("rb")
        except OSError:
            raise FileRefusedError(_UNREADABLE) from None

    def content(self) -> bytes:
        """The whole content, in memory."""
        with self.open() as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise FileRefusedError("The file changed while it was being read. The next run reads it again.")
        return content


def dropped(path: Path) -> DropFile:
    """A single file, in any folder."""
    seen = path.stat()
    return DropFile(path, seen.st_size, seen.st_mtime_ns)


def files_in(folder: Path, endings: Collection[str]) -> list[DropFile]:
    """Files with one of these endings (".csv"), oldest first; hidden and temporary ones are skipped."""
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # removed meanwhile
            if path.suffix.lower() in endings and path.name[0] not in ".~" and path.is_file():
                found.append(dropped(path))
    return sorted(found, key=lambda file: (file.modified_ns, file.name))


def other_entries(folder: Path, endings: Collection[str]) -> list[str]:
    """Names of what ``files_in`` leaves out: folders, and files with other endings. Hidden ones are not named."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.name[0] not in ".~" and (path.suffix.lower() not in endings or not path.is_file())
    )


def readable_files(files: Iterable[DropFile]) -> tuple[list[DropFile], dict[str, str]]:
    """Files whose digests have been taken, and why others cannot be read, by name.

    A file that changed meanwhile is in neither: the next run reads it.
    """
    readable: list[DropFile] = []
    refused: dict[str, str] = {}
    for file in files:
        try:
            if file.digest and file.is_unchanged:
                readable.append(file)
        except FileRefusedError as reason:
            refused[file.name] = str(reason)
    return readable, refused
