"""Sources: one room each, found by its folder. Every room has ``client.open_source(settings)``."""

from __future__ import annotations

from importlib import import_module

from mel_pipeline.contracts import source_names
from mel_pipeline.errors import SettingsError
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Source


def open_source(name: str, settings: Settings) -> Source:
    """Connect to a source by the name of its folder.

    Raises:
        SettingsError: there is no such source, or its settings are missing.
    """
    if name not in source_names():
        raise SettingsError(f"There is no source '{name}'. There are: {', '.join(source_names())}.")
    source: Source = import_module(f"{__name__}.{name}.client").open_source(settings)
    return source
