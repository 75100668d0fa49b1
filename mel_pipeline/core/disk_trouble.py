"""A full or unwritable disk, whichever library met it: each has its own error, and none says what to do."""

from __future__ import annotations

import errno

FULL_DISK = ("No space left", "Disk quota exceeded", "File too large", "disk is full", "disk I/O error")
MISPLACED = (
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EEXIST,
    errno.ENOTDIR,
)  # a file where a folder belongs
NO_SPACE = (
    "Writing to the disk: no space is left for this user. What was published before is unaffected; free some"
    " space (`mel doctor` says where) and run the command again."
)


def says_full_disk(words: str) -> bool:
    """Whether the text of an error, of any library, is about a full disk."""
    return any(mark in words for mark in FULL_DISK)


def disk_trouble(error: BaseException | None) -> str | None:
    """A sentence where a full or unwritable disk is behind an error, whichever library met it; otherwise None."""
    while error is not None:
        words = f"{error.strerror or error}" if isinstance(error, OSError) else str(error)
        if says_full_disk(words):
            return NO_SPACE
        if isinstance(error, OSError) and error.errno in MISPLACED:
            where = f" {error.filename}" if error.filename else ""
            return f"Writing{where}: {error.strerror}. Grant this user write access, or set MEL_HOME to another folder."
        error = error.__cause__ or error.__context__
    return None
