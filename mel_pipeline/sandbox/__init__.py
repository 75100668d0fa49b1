"""The sample organisation, served over loopback HTTP with the contracts of the real services.

Default runs, demonstrations and tests use the production connectors against it. All data are
made up, except the names of member cities; responses carry ``X-Sample-Data: true``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mel_pipeline.sandbox.server import Sandbox, running, serve

__all__ = ["Sandbox", "running", "serve"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from mel_pipeline.sandbox import server

        return getattr(server, name)
    raise AttributeError(name)
