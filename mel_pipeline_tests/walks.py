"""The map and the walks of docs/developer.md: line numbers come from the code, and folders are compared with it."""

from __future__ import annotations

import ast
import re
from functools import cache

from mel_pipeline.core.settings import PROJECT

FILE = PROJECT / "docs" / "developer.md"
BY_NAME = "*found by name*"
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


def uncalled() -> list[str]:
    """Steps that no earlier step of their walk names, except the first and those found by name."""
    lost = []
    for walk in FILE.read_text("utf-8").split("\n**")[1:]:
        before = ""
        for line in walk.splitlines():
            if not (step := STEP.search(line)):
                continue
            name = step[3].rpartition(".")[2]
            if before and BY_NAME not in line and not re.search(rf"\b{name}\b", before):
                lost.append(step[3])
            before += _source(step[1], step[3])
    return lost


def packages_on_the_map() -> set[str]:
    """Folders of ``mel_pipeline/`` on the map."""
    drawn = FILE.read_text("utf-8").split("```")[1].split("mel_pipeline/\n")[1]
    return set(ROOM.findall(drawn))


def _source(path: str, name: str) -> str:
    """The code of a function, class or method."""
    lines = (PROJECT / path).read_text("utf-8").splitlines()
    found = _lines(path)
    following = [line for line in found.values() if line > found[name]]
    inside = "." not in name and any(other.startswith(f"{name}.") for other in found)
    end = min(following, default=len(lines) + 1) if not inside else len(lines) + 1
    return "\n".join(lines[found[name] - 1 : end - 1])


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
