"""Lists that somebody took out on purpose: a hidden file in the drop folder names them, one a line.

A list that merely goes missing still counts. The people of one that is named here are taken back by the next load.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

NAME = ".withdrawn"


def withdrawn(folder: Path) -> set[str]:
    """Names of lists; of no file, none."""
    try:
        return set((folder / NAME).read_text(encoding="utf-8").splitlines()) - {""}
    except FileNotFoundError:
        return set()


def withdraw(folder: Path, name: str) -> None:
    """Note the name first, then remove the file: what happens between the two is mended by doing it again."""
    _write(folder, withdrawn(folder) | {name})
    (folder / name).unlink(missing_ok=True)


def given_again(folder: Path, name: str) -> None:
    names = withdrawn(folder)
    if name in names:
        _write(folder, names - {name})


def _write(folder: Path, names: Iterable[str]) -> None:
    partial = folder / f".{secrets.token_hex(6)}"
    try:
        partial.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
        partial.chmod(0o600)
        partial.replace(folder / NAME)
    finally:
        partial.unlink(missing_ok=True)
