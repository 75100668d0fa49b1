"""The bytes of a form that came back, as cells: read in a process with limits. What a cell means is not known here."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mel_pipeline.core.errors import ContractError
from mel_pipeline.sources.shared.files.child import run_limited
from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline.sources.shared.files.table import FileRefusedError
from mel_pipeline.sources.workbook.cells import RawCell
from mel_pipeline.sources.workbook.said import Said

LIMITS = Limits(
    rows=1_048_576, columns=16_384, cells=2_000_000, packed=10 << 20, expanded=200 << 20, seconds=60
)
SCRIPT = Path(__file__).with_name("form_child.py")
AGAIN = Said("again")
_ARCHIVE, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_ADVICE = re.compile(r"(,? or|\.) (e|E)xport it( again)? as CSV\.?|\. Export it again\.?")


@dataclass(frozen=True)
class RawSheet:
    """A sheet as the file has it. ``cells``: (row, column), from 1 → cell; ``merged``: first and last cell."""

    name: str
    cells: Mapping[tuple[int, int], RawCell]
    merged: Sequence[tuple[int, int, int, int]] = ()


def content_of(file: Path | bytes | BinaryIO) -> bytes:
    try:
        if isinstance(file, bytes):
            content = file
        elif isinstance(file, Path):
            with file.open("rb") as opened:
                content = opened.read(LIMITS.packed + 1)
        else:
            content = file.read(LIMITS.packed + 1)
    except OSError as error:
        raise ContractError(
            f"Reading the workbook: {error.strerror}. Name the file that you saved."
        ) from None
    if len(content) > LIMITS.packed:
        raise ContractError(_reading(Said("too_large", most=LIMITS.packed >> 20, again=AGAIN)))
    return content


def raw_sheets(content: bytes) -> list[RawSheet]:
    """The sheets of a file, read in a process with limits.

    Raises:
        ContractError: it is no workbook, or cannot be read.
    """
    if not content.startswith(_ARCHIVE):
        raise ContractError(_reading(_kind(content)))
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as out:
        file.write(content)
        file.seek(0)
        try:
            run_limited(SCRIPT, file, out, LIMITS, "workbook", AGAIN)
        except FileRefusedError as reason:
            raise ContractError(_reading(_without_csv(str(reason)))) from None
        out.seek(0)
        return parsed(json.loads(out.read()))


def parsed(found: Any) -> list[RawSheet]:
    """What ``form_child.py`` wrote."""
    return [
        RawSheet(
            sheet["name"],
            {(row, column): RawCell(kind, text) for row, column, kind, text in sheet["cells"]},
            [tuple(one) for one in sheet["merged"]],
        )
        for sheet in found
    ]


def _reading(why: str) -> Said:
    return Said("reading", why=why)


def _kind(content: bytes) -> Said:
    if not content:
        return Said("file_empty")
    if content.startswith(_OLD_OFFICE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            return Said("file_locked")
        return Said("file_old")
    if content.startswith(b"%PDF"):
        return Said("file_pdf")
    if content.lstrip()[:1] == b"<":
        return Said("file_page")
    return Said("file_text")


def _without_csv(reason: str) -> str:
    """The reason of a refusal, with the advice that fits a form."""
    return f"{_ADVICE.sub('', reason).rstrip('. ')}. {AGAIN}" if "xport" in reason else reason
