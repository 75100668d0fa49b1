"""A figure by platform, account, campaign, donor or theme: bars from the largest down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.reporting.charts.rows import draw_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.text.texts import Texts


def draw(frame: ChartFrame, text: Texts) -> Figure:
    return draw_rows(frame, text)
