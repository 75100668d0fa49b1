"""Social networks, web statistics, newsletters and survey servers, one module each, discovered by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import MelError
from mel_pipeline.sandbox.limits import limits_of
from mel_pipeline.sandbox.platforms.base import KINDS, Kind, Platform

if TYPE_CHECKING:
    from mel_pipeline.sandbox.organisation import Organisation
    from mel_pipeline.sandbox.zoho.clock import Clock

__all__ = ["KINDS", "Kind", "Platform", "Platforms", "platforms_of", "switch_on"]


class Platforms(dict[str, Platform]):
    """Simulators by the name of their source. One that does not exist says how to make it."""

    def __missing__(self, name: str) -> Platform:
        raise MelError(
            f"Asking the sample organisation for '{name}': it has no simulator of it ({', '.join(self)})."
            f" Add mel_pipeline/sandbox/platforms/{name}.py with a class PLATFORM whose name is '{name}'."
        )


def platforms_of(organisation: Organisation, clock: Clock) -> Platforms:
    """Every platform of the sample organisation, by name: each module here that has a ``PLATFORM`` class."""
    found = Platforms()
    for module in sorted(info.name for info in iter_modules(__path__)):
        made = getattr(import_module(f"{__name__}.{module}"), "PLATFORM", None)
        if made is not None:
            platform = made(organisation, clock)
            found[platform.name] = platform
    return found


def switch_on(platforms: Mapping[str, Platform], fail: str) -> None:
    """Make platforms fail, or one account meet a limit: ``matomo=down,instagram/17841400000000001=no_permission``.

    Raises:
        MelError: unknown platform, failure or limit.
    """
    for part in filter(None, (part.strip() for part in fail.split(","))):
        target, _, kind = part.partition("=")
        name, _, account = target.partition("/")
        kind = kind or "down"
        if name not in platforms:
            raise _unknown(part, f"Platforms: {', '.join(platforms)}.")
        platform = platforms[name]
        limits = {
            key: limit
            for key, limit in limits_of(import_module(platform.__module__)).items()
            if not limit.always
        }
        if account and kind in limits:
            platform.limit(account, limits[kind])
        elif not account and kind in KINDS:
            platform.fail(kind)
        else:
            raise _unknown(
                part,
                f"Failures: {', '.join(KINDS)}. Of one account of {name}: {', '.join(limits) or 'none'}.",
            )


def _unknown(part: str, known: str) -> MelError:
    return MelError(
        f"Simulating '{part}': unknown. Write platform=failure, or platform/account=limit for one account. {known}"
    )
