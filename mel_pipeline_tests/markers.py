"""The marks of all tests, found without importing them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parent


class Marked(NamedTuple):
    """A mark with arguments. ``file``: path below the folder of the repository."""

    test: str
    file: str
    arguments: list[Any]


@cache
def marked(name: str) -> list[Marked]:
    """Every test with that mark, by file and place, decorators from the top."""
    return [
        Marked(
            node.name, path.relative_to(TESTS.parent).as_posix(), [ast.literal_eval(one) for one in mark.args]
        )
        for path in sorted(TESTS.rglob("test_*.py"))
        if f"pytest.mark.{name}(" in (text := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{name}"
    ]
