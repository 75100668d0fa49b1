"""How each tool lays out its export: one module per tool, recognised by header texts. No cell is kept, no file opened.

Every module in this folder is a tool with ``recognise(sheet) -> Layout | None``; there is no other registration.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Protocol, cast

from mel_pipeline.sources.shared.survey.model import Layout, Sheet


class Tool(Protocol):
    """A module of this folder."""

    def recognise(self, sheet: Sheet) -> Layout | None:
        """The layout, if the first rows are this tool's; else None."""
        ...


@lru_cache
def tools() -> dict[str, Tool]:
    """Every tool, by the name of its module."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: cast("Tool", importlib.import_module(f"{__name__}.{name}")) for name in names}
