"""The map and the walks of docs/developer.md: line numbers come from the code, and folders are compared with it."""

from __future__ import annotations

import ast
import re
from functools import cache

from mel_pipeline.core.settings import PROJECT

FILE = PROJECT / "docs" / "developer.md"
STEP = re.compile(r"`(mel_pipeline/[\w/]+\.py):(\d+)` `([\w.]+)`")
ROOM = re.compile(r"^  (\w+)/ ", re.MULTILINE)


def page() -> str:
    """The guide with the current line number of every step.

    Raises:
        KeyError: a step names something its file does not define.
    """
    return STEP.sub(
        lambda step: f"`{step[1]}:{_lines(step[1])[step[3]]}` `{step[3]}`", FILE.read_text("utf-8")
    )


def packages_on_the_map() -> set[str]:
    """Folders of ``mel_pipeline/`` on the map."""
    drawn = FILE.read_text("utf-8").split("```")[1].split("mel_pipeline/\n")[1]
    return set(ROOM.findall(drawn))


@cache
def _lines(path: str) -> dict[str, int]:
    """Name of a function, class or method (``Class.method``) → its line."""
    found: dict[str, int] = {}
    for node in ast.parse((PROJECT / path).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node.lineno
        if isinstance(node, ast.ClassDef):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            found |= {f"{node.name}.{item.name}": item.lineno for item in methods}
    return found


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
