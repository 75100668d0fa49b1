"""Whether every row of a delimited text has the same width: a quick check of its bytes that never refuses a file.

A file that passes needs no further check. Any other is read again, row by row, to locate the fault.
"""

from __future__ import annotations

import codecs
from typing import BinaryIO

import numpy as np

from mel_pipeline.sources.shared.files.limits import TEXT

_CHUNK = 4 << 20
_LONGEST_ROW = 100_000  # bytes; the row-by-row reader has a limit per field
_QUOTE, _END, _RETURN = 34, 10, 13


def even_rows(  # noqa: PLR0911 - one return a reason to look row by row
    file: BinaryIO, encoding: str, delimiter: str, skip: int = 0
) -> int | None:
    """Number of rows including the header; None if a row has another width, or a quote stays open.

    Also None for a blank line, a quotation mark inside a word, a very long row, or a byte that is not text.

    Args:
        encoding: one in which delimiters, quotes and line ends are single bytes.
        skip: lines above the table.
    """
    file.seek(0)
    for _ in range(skip):
        file.readline()
    decoder = codecs.getincrementaldecoder(encoding)()
    width = ord(delimiter)
    inside, rows, expected, pending, length = 0, 0, None, 0, 0
    quotes = _Quotes(width)
    while chunk := file.read(_CHUNK):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return None
        if b"\x00" in chunk:
            return None
        bytes_ = np.frombuffer(chunk, dtype=np.uint8)
        mark = len(codecs.BOM_UTF8) if chunk.startswith(codecs.BOM_UTF8) and file.tell() == len(chunk) else 0
        if not quotes.are_in_place(bytes_[mark:], inside):
            return None
        outside = _outside(bytes_, inside)
        inside = inside ^ (int(np.count_nonzero(bytes_ == _QUOTE)) & 1)
        ends = np.flatnonzero((bytes_ == _END) & outside)
        delimiters = np.flatnonzero((bytes_ == width) & outside)
        counts = np.diff(np.searchsorted(delimiters, ends), prepend=-pending)
        if len(ends):
            expected = int(counts[0]) if expected is None else expected
            if not expected or expected >= TEXT.columns or not (counts == expected).all():
                return None
            if int(np.diff(ends, prepend=-length).max()) > _LONGEST_ROW:
                return None
            rows += len(ends)
            pending = len(delimiters) - int(np.searchsorted(delimiters, ends[-1]))
            length = len(chunk) - int(ends[-1]) - 1
        else:
            pending += len(delimiters)
            length += len(chunk)
            if length > _LONGEST_ROW:
                return None
    if inside or not expected or length > _LONGEST_ROW or (length and pending != expected):
        return None  # cut off inside quotes, or inside the last row
    return rows + (1 if length else 0)


class _Quotes:
    """Whether each quotation mark opens a field at its start or closes it at its end, chunk by chunk."""

    def __init__(self, delimiter: int) -> None:
        self._edges = np.array([delimiter, _END, _RETURN, _QUOTE], dtype=np.uint8)
        self._before = _END  # the byte before this chunk
        self._closed = False  # it is a quotation mark that closes a field

    def are_in_place(self, bytes_: np.ndarray[tuple[int], np.dtype[np.uint8]], inside: int) -> bool:
        found = np.flatnonzero(bytes_ == _QUOTE)
        closing = ((np.arange(len(found)) + inside) & 1) == 1
        opened, closed = found[~closing], found[closing]
        before = np.where(opened > 0, bytes_[opened - 1], self._before)
        after = bytes_[closed[closed < len(bytes_) - 1] + 1]
        is_right = bool(np.isin(before, self._edges).all() and np.isin(after, self._edges).all())
        if self._closed and bytes_[0] not in self._edges:
            is_right = False
        self._before = int(bytes_[-1])
        self._closed = bool(len(closed)) and int(closed[-1]) == len(bytes_) - 1
        return is_right


def _outside(
    bytes_: np.ndarray[tuple[int], np.dtype[np.uint8]], inside: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which bytes are not between quotation marks."""
    quotes = bytes_ == _QUOTE
    if not quotes.any():
        return np.full(len(bytes_), not inside)
    passed = np.cumsum(quotes, dtype=np.uint8)  # overflow is harmless: only odd or even matters
    outside: np.ndarray[tuple[int], np.dtype[np.bool_]] = ((passed + inside) & 1) == 0
    return outside
