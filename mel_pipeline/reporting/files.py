"""Write a file so that a reader sees the old one or the new one, and never touch what has not changed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from mel_pipeline.core.errors import ReportError


def write_if_changed(path: Path, content: bytes, *, durable: bool = True) -> bool:
    """Put ``content`` at ``path``; True when something was written.

    Args:
        durable: wait for the disk. Not needed for what is checked when it is read and can be made again.

    Raises:
        ReportError: the folder or file cannot be written.
    """
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
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
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink()
            raise
    except OSError as error:
        raise ReportError(
            f"Writing {path}: {error.strerror or error}. Check that the folder may be written and has room."
        ) from error
    return True
