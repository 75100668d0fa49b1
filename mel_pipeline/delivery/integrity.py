"""Check the files of an edition before delivery: nothing missing, cut off or blank."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

LEAST_WORDS = 100  # on a page; the shortest edition has several hundred
_TAGS = re.compile(r"<(style|script|svg)\b.*?</\1>|<[^>]+>", re.DOTALL)


def faults(folder: Path, needed: Iterable[str], since: datetime | None = None) -> list[str]:
    """What is wrong with the files of an edition, one sentence each; empty if it may be delivered.

    Args:
        needed: required files, relative to ``folder``; all other files are checked as well.
        since: when the figures were frozen (aware); older pages show provisional figures.
    """
    wanted = [folder / name for name in needed]
    there = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    found = []
    for path in sorted({*wanted, *there}):
        name = path.relative_to(folder)
        if not path.is_file():
            found.append(f"{name} is missing.")
        elif fault := _fault(path):
            found.append(f"{name} {fault}.")
        elif since is not None and path.suffix == ".html" and path.stat().st_mtime < since.timestamp():
            found.append(f"{name} was written before the figures were published.")
    return found


def _fault(path: Path) -> str:
    if path.stat().st_size == 0:
        return "is empty"
    look = _LOOKS.get(path.suffix)
    return look(path) if look else ""


def _page(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    if not text.rstrip().endswith("</html>") or "</main>" not in text:
        return "is cut off"
    words = html.unescape(_TAGS.sub(" ", text)).split()
    return "" if len(words) >= LEAST_WORDS else f"is blank: it has {len(words)} words"


def _drawing(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace").rstrip()
    if not text.endswith("</svg>"):
        return "is cut off"
    return "" if re.search(r"<(path|text|rect|use|image)\b", text) else "is blank"


def _picture(path: Path) -> str:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.load()
            blank = picture.convert("L").getextrema()
    except (OSError, SyntaxError):
        return "is cut off"
    low, high = blank
    return "is blank" if low == high else ""


def _pdf(path: Path) -> str:
    content = path.read_bytes()
    return "" if content.startswith(b"%PDF") and b"%%EOF" in content[-1024:] else "is cut off"


def _package(path: Path) -> str:
    return "" if zipfile.is_zipfile(path) else "is cut off"


_LOOKS: dict[str, Callable[[Path], str]] = {
    ".html": _page,
    ".svg": _drawing,
    ".png": _picture,
    ".pdf": _pdf,
    ".xlsx": _package,
    ".docx": _package,
    ".zip": _package,
}
