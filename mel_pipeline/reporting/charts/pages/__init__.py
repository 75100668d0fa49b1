"""Overview pictures of the page, one module each: ``draw(frame, text) -> Figure``. Frames arrive ready."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.page import PageFrame
    from mel_pipeline.reporting.text.texts import Texts


class DrawPage(Protocol):
    def __call__(self, frame: PageFrame, text: Texts) -> Figure: ...


def page_drawer(name: str) -> DrawPage:
    """The draw function of an overview picture."""
    return cast("DrawPage", importlib.import_module(f"{__name__}.{name}").draw)
