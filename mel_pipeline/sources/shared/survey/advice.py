"""Sentences that several warnings share, so that what they say to type can be typed. Pure."""

from __future__ import annotations

import shlex


def inspect_command(name: str) -> str:
    """The command that inspects a file, as a shell takes it; of a table in a zip (`e.zip, a.csv`), the zip."""
    inside = name.lower().find(".zip, ")
    return f"`mel survey inspect {shlex.quote(name if inside < 0 else name[: inside + len('.zip')])}`"


def counted(times: int, one: str, several: str) -> str:
    """`1 response has`, `2 responses have`."""
    return f"{times:,} {one if times == 1 else several}"
