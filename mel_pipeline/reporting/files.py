"""Atomic writes: a reader sees the old file or the new one, and unchanged files are not touched."""

from __future__ import annotations

import os
import tempfile
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
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        share_folder(path.parent) if durable else path.parent.mkdir(parents=True, exist_ok=True)
        for unfinished in path.parent.glob(f".{path.name}.*"):
            unfinished.unlink()  # of a run that was killed
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
            if durable:
                flush(path.parent)
        except BaseException:
            temporary.unlink()
            raise
    except OSError as error:
        raise ReportError(
            f"Writing {path}: {error.strerror or error}. Check that the folder is writable and the disk has space."
        ) from error
    return True
