"""The only package that imports dagster. One module per feature; each contributes through ``build``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import dagster as dg

from mel_pipeline.core.gc_paused import gc_paused


def build() -> dg.Definitions:
    """Merge the definitions of every module here that has a ``build(settings)``."""
    # Nearly every object created here stays alive: garbage collection took a quarter of the time.
    with gc_paused():
        from mel_pipeline.core.settings import load_settings
        from mel_pipeline.defs.context import Mel

        settings = load_settings()
        modules = [
            import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__) if not info.ispkg
        ]
        parts = [module.build(settings) for module in modules if hasattr(module, "build")]
        return dg.Definitions.merge(
            dg.Definitions(resources={"mel": Mel()}, executor=dg.in_process_executor), *parts
        )
