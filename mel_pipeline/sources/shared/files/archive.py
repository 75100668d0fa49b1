"""The tables in a dropped zip, as a platform lets people download it. Unpacked by a child process with limits.

A zip of a few kilobytes can grow to gigabytes, and names in it can lead out of a folder. So the child
(``archive_child.py``) checks the table of contents first, and its names are only ever shown.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sources.shared.files.child import run_limited
from mel_pipeline.sources.shared.files.folder import DropFile, dropped
from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline.sources.shared.files.table import FileRefusedError

_CHILD = Path(__file__).with_name("archive_child.py")
_PACKED = {".zip"}
_AGAIN = "Download it again, or unpack it and put the CSV or XLSX files it holds into the folder."


@contextmanager
def unpacked(
    file: DropFile, endings: Collection[str], limits: Limits | None = None
) -> Iterator[tuple[list[DropFile], dict[str, str]]]:
    """The tables a dropped file holds: the file itself, or those in a zip; and why others are not read, by name.

    The tables of a zip are on disk only inside the ``with`` block. They are called "export.zip, table.csv", and
    "export.zip, folder - table.csv" where several folders hold one of that name.

    Args:
        endings: of the files in a zip that are tables (".csv").

    Raises:
        FileRefusedError: the zip is damaged, exceeds the limits, or is not one that a platform writes.
        TransientSourceError: it changed while it was being read.
    """
    if file.path.suffix.lower() not in _PACKED:
        yield [file], {}
        return
    limits = limits or Limits()
    if file.size > limits.packed:
        raise FileRefusedError(
            f"The zip is larger than {limits.packed >> 20} MB. Export fewer rows per file."
        )
    with tempfile.TemporaryDirectory(prefix="mel-zip-") as home:
        with file.open() as opened, tempfile.TemporaryFile() as out:
            parts = run_limited(_CHILD, opened, out, limits, "zip", _AGAIN)
            tables, others = _split(out, parts, Path(home), file, endings)
        if not file.is_unchanged:
            raise TransientSourceError(
                f"{file.name}: the file changed while it was being read. Nothing was stored."
                " Run the load again when it is complete."
            )
        yield tables, others


def _split(
    out: BinaryIO, parts: list[tuple[str, int]], home: Path, file: DropFile, endings: Collection[str]
) -> tuple[list[DropFile], dict[str, str]]:
    """Each part as a file under a name of ours; parts that are no tables are named with the reason."""
    tables: list[DropFile] = []
    others: dict[str, str] = {}
    out.seek(0)
    begun = 0
    for number, (name, end) in enumerate(parts):
        label = f"{file.name}, {name}"
        ending = Path(name).suffix.lower()
        if ending not in endings:
            others[label] = _not_read(ending)
            out.seek(end)
        else:
            path = home / f"{number}{ending}"
            with path.open("wb") as own:
                _copy(out, own, end - begun)
            os.utime(path, ns=(file.modified_ns, file.modified_ns))
            tables.append(replace(dropped(path), label=label))
        begun = end
    return tables, others


def _not_read(ending: str) -> str:
    if ending in _PACKED:
        return "It is a zip inside a zip, which is not opened. Unpack it and put its CSV or XLSX files into the folder."
    return "It is no CSV or XLSX file, so it is not read. Remove it from the zip, or export it as CSV."


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size > 0 and (chunk := source.read(min(size, 1 << 20))):
        target.write(chunk)
        size -= len(chunk)
