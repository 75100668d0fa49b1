"""One module per kind of chart, found by name: ``charts/<name>.py`` with ``draw(frame, text) -> Figure``.

``canvas.py`` holds what they share, ``pages/`` the overview pictures. No figures are computed here: frames arrive
ready.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Protocol, cast

from mel_pipeline.core.errors import ReportError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.text.texts import Texts


class Draw(Protocol):
    def __call__(self, frame: ChartFrame, text: Texts) -> Figure: ...


def drawer(kind: str) -> Draw:
    """The draw function of a kind of chart.

    Raises:
        ReportError: there is no module of that name.
    """
    name = f"{__name__}.{kind}"
    if (
        not kind.isidentifier()
        or kind in ("canvas", "rows", "pages")
        or importlib.util.find_spec(name) is None
    ):
        raise ReportError(
            f"Drawing a chart of kind '{kind}': there is none. Correct 'chart' in the indicator's YAML."
        )
    return cast("Draw", importlib.import_module(name).draw)
