"""A figure by region: bars from the largest down, those without a region last and in grey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.reporting.charts.rows import draw_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.text.texts import Texts


def draw(frame: ChartFrame, text: Texts) -> Figure:
    return draw_rows(frame, text)
