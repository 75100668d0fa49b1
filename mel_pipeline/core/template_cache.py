"""Compiled Jinja templates, kept between processes: compiling them took a seventh of composing pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


def template_cache() -> jinja2.BytecodeCache | None:
    """Jinja's bytecode cache, in a private folder of the user; an entry counts only for the same source text."""
    import jinja2

    try:
        return jinja2.FileSystemBytecodeCache()
    except (OSError, RuntimeError):
        return None  # no private folder: compile each time
