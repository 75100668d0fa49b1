"""The file of a bulk job: a ZIP with one CSV, streamed in chunks."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from mel_pipeline.sandbox.zoho.columns import Reader, Record

_ROWS_A_PIECE = 5_000


class _Sink(io.RawIOBase):
    """Buffers writes until taken; not seekable, so the ZIP is written front to back."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        return len(data)

    def taken(self) -> bytes:
        data, self._buffer = bytes(self._buffer), bytearray()
        return data


def zipped_csv(
    name: str, header: Sequence[str], readers: Sequence[Reader], records: Sequence[Record]
) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(name, "w") as file:
            file.write(_lines([header]))
            for start in range(0, len(records), _ROWS_A_PIECE):
                part = records[start : start + _ROWS_A_PIECE]
                file.write(_lines([[_bare(read(record)) for read in readers] for record in part]))
                yield sink.taken()
        yield sink.taken()
    yield sink.taken()


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _bare(value: Any) -> str:
    """Lookups as their id, multiple values joined by semicolons, empty for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return str(value.get("id", ""))
    return ";".join(map(_bare, value)) if isinstance(value, list) else str(value)
