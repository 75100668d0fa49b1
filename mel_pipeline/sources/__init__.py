"""Sources, one package each, discovered by folder: there is no list to maintain. Open one with ``open_source``."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, cast

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import SettingsError

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.shared.base import Source

__all__ = ["ask", "open_source"]


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


def ask(name: str, settings: Settings) -> None:
    """Whether the source answers and accepts the credentials: the first page of its first entity.

    Tried once, with short limits: somebody is waiting.

    Raises:
        SourceError: it does not answer, or refuses.
        SettingsError: a setting it needs is empty.
    """
    from mel_pipeline.sources.shared.http import Policy

    once = Policy(connect=5, read=15, answer=20, attempts=1, longest_wait=2, throttled=1)
    if name == "zoho_crm":  # its first page may be a job of minutes
        from mel_pipeline.sources.zoho_crm.check import ask as ask_zoho

        ask_zoho(settings, once)
        return
    opens = import_module(f"mel_pipeline.sources.{name}.client").open
    has_policy = "policy" in inspect.signature(opens).parameters
    source = cast("Source", opens(settings, policy=once) if has_policy else opens(settings))
    entity = next(iter(contract_of(name).entities))
    pull = source.pull(entity, quarter=settings.open_quarter, cursor=None)
    next(iter(pull.batches), None)
