"""Sources, one package each, discovered by folder: there is no list to maintain. Open one with ``open_source``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from mel_pipeline.core.contracts import source_names
from mel_pipeline.core.errors import SettingsError

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.shared.base import Source

__all__ = ["open_source"]


def open_source(name: str, settings: Settings) -> Source:
    """The source of that name, ready to pull. No request is sent yet.

    Raises:
        SettingsError: there is no such source, or a setting it needs is empty.
    """
    if name not in source_names():
        raise SettingsError(
            f"Opening the source '{name}': there is no such source. Known: {', '.join(source_names())}."
        )
    return cast("Source", import_module(f"mel_pipeline.sources.{name}.client").open(settings))
