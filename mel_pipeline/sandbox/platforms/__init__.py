"""Social networks, web statistics, newsletters and survey servers, each in a module of its own, found by its name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from mel_pipeline.sandbox.platforms.base import KINDS, Kind, Platform

if TYPE_CHECKING:
    from mel_pipeline.sandbox.organisation import Organisation
    from mel_pipeline.sandbox.zoho.clock import Clock

__all__ = ["KINDS", "Kind", "Platform", "platforms_of"]


def platforms_of(organisation: Organisation, clock: Clock) -> dict[str, Platform]:
    """Every platform of the sample organisation, by name: each module here that has a ``PLATFORM`` class."""
    found: dict[str, Platform] = {}
    for module in sorted(info.name for info in iter_modules(__path__)):
        made = getattr(import_module(f"{__name__}.{module}"), "PLATFORM", None)
        if made is not None:
            platform = made(organisation, clock)
            found[platform.name] = platform
    return found
