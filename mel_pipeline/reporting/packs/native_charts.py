"""A chart frame as a chart of the office suite, which one can edit. Values are those printed: rounded once, none invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babel.numbers import get_currency_symbol

from mel_pipeline.reporting.figures.measures import missing
from mel_pipeline.reporting.packs.slides import Look, rgb
from mel_pipeline.reporting.text.texts import rounded

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

MILLION = 1_000_000


def plotted(measure: Measure, value: Any) -> float | None:
    """The number as printed; None where there is none, which leaves a gap."""
    return None if missing(value) else float(rounded(float(value), measure.decimals))


def number_format(measure: Measure, texts: Texts, values: Sequence[float | None] = ()) -> str:
    """The Excel format of an indicator; millions are shortened, the number behind is whole."""
    if any(value is not None and abs(value) >= MILLION for value in values):
        return '#,##0.0,,"\N{NO-BREAK SPACE}M"'
    pattern = "#,##0" + ("." + "0" * measure.decimals if measure.decimals else "")
    if measure.unit == "percent":
        before, after = texts("format.percent", number="\x00").split("\x00")
        return "".join(
            f'"{part}"' if part and part is not pattern else part for part in (before, pattern, after)
        )
    if measure.is_money:
        before, after = texts.money("\x00", get_currency_symbol(measure.unit, locale=texts.locale)).split(
            "\x00"
        )
        return "".join((f'"{before}"' if before else "", pattern, f'"{after}"' if after else ""))
    return pattern


def add_chart(
    page: Any, frame: ChartFrame, place: tuple[float, float, float, float], look: Look, texts: Texts
) -> Any:
    """The frame drawn natively at left, top, width, height in inches."""
    from pptx.chart.data import CategoryChartData

    marks = frame.marks
    values = [plotted(frame.measure, mark["value"]) for mark in marks]
    sideways = frame.kind in ("regions", "categories")
    if sideways:  # office suites draw the first category at the bottom
        marks, values = marks[::-1], values[::-1]
    data: Any = CategoryChartData(  # type: ignore[no-untyped-call]
        number_format=number_format(frame.measure, texts, values)
    )
    data.categories = [texts.period(str(mark["label"])) for mark in marks]
    data.add_series(frame.measure.name, values)
    shape = page.shapes.add_chart(_kind(frame), *(round(size * 914_400) for size in place), data)
    shape._element.nvGraphicFramePr.cNvPr.set("descr", frame.alt)
    _style(shape.chart, frame, marks, look, texts)
    return shape.chart


def add_pairs(
    page: Any, names: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]],
    place: tuple[float, float, float, float], look: Look, format_: str, alt: str,
) -> Any:  # fmt: skip
    """Two bars side by side for each name, such as budget and spending."""
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
    from pptx.util import Pt

    data: Any = CategoryChartData(number_format=format_)  # type: ignore[no-untyped-call]
    data.categories = list(names)
    for name, values in series:
        data.add_series(name, list(values))
    shape = page.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, *(round(size * 914_400) for size in place), data
    )
    shape._element.nvGraphicFramePr.cNvPr.set("descr", alt)
    chart = shape.chart
    chart.has_legend, chart.legend.include_in_layout = True, False
    chart.legend.position = XL_LEGEND_POSITION.TOP
    chart.legend.font.size, chart.legend.font.name = Pt(12), look.font
    _bare(chart, look)
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 35, -12
    _labels(plot, look, format_, 10.5)
    for one, colour in zip(plot.series, (look.before, look.now), strict=False):
        one.format.fill.solid()
        one.format.fill.fore_color.rgb = rgb(colour)
    return chart


def _kind(frame: ChartFrame) -> Any:
    from pptx.enum.chart import XL_CHART_TYPE

    if frame.kind in ("regions", "categories"):
        return XL_CHART_TYPE.BAR_CLUSTERED
    # Shares stand as columns: a line of them would leave the lower half empty, or cut its scale.
    if frame.kind != "gender" and frame.measure.is_line and not frame.measure.is_estimate:
        return XL_CHART_TYPE.LINE_MARKERS
    return XL_CHART_TYPE.COLUMN_CLUSTERED


def _style(
    chart: Any, frame: ChartFrame, marks: Sequence[dict[Hashable, Any]], look: Look, texts: Texts
) -> None:
    from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION
    from pptx.util import Pt

    chart.has_legend = False
    _bare(chart, look)
    plot = chart.plots[0]
    values = [plotted(frame.measure, mark["value"]) for mark in marks]
    _labels(plot, look, number_format(frame.measure, texts, values))
    series = plot.series[0]
    is_line = chart.chart_type == XL_CHART_TYPE.LINE_MARKERS
    if is_line:
        plot.data_labels.position = XL_LABEL_POSITION.ABOVE
        series.smooth = False
        series.format.line.color.rgb, series.format.line.width = rgb(look.before), Pt(2.5)
        _room(chart, values)
    else:
        plot.gap_width = 45
        chart.value_axis.minimum_scale = 0 if all(value is None or value >= 0 for value in values) else None
    for place, mark in enumerate(marks):
        paint = rgb(look.now if mark["emphasis"] else look.before)
        point = series.points[place]
        target = point.marker.format if is_line else point.format
        if is_line:
            point.marker.size = 9
            point.marker.style = _circle()
            point.format.line.color.rgb = paint
        target.fill.solid()
        target.fill.fore_color.rgb = paint


def _room(chart: Any, values: Sequence[float | None]) -> None:
    """The line of a level starts at zero, so that small changes look small."""
    known = [value for value in values if value is not None]
    if known and min(known) >= 0:
        chart.value_axis.minimum_scale = 0
        chart.value_axis.maximum_scale = max(known) * 1.15 or 1


def _circle() -> Any:
    from pptx.enum.chart import XL_MARKER_STYLE

    return XL_MARKER_STYLE.CIRCLE


def _bare(chart: Any, look: Look) -> None:
    """Direct labels instead of a scale; one thin base line."""
    from pptx.enum.chart import XL_TICK_MARK
    from pptx.util import Pt

    chart.has_title = False
    chart.font.size, chart.font.name = Pt(13), look.font
    chart.font.color.rgb = rgb(look.quiet)
    chart.value_axis.visible = chart.value_axis.has_major_gridlines = False
    axis = chart.category_axis
    axis.has_major_gridlines, axis.major_tick_mark = False, XL_TICK_MARK.NONE
    axis.format.line.color.rgb = rgb(look.rule)


def _labels(plot: Any, look: Look, format_: str, size: float = 13) -> None:
    from pptx.util import Pt

    plot.has_data_labels = True
    labels = plot.data_labels
    labels.show_value, labels.number_format, labels.number_format_is_linked = True, format_, False
    labels.font.size, labels.font.bold, labels.font.name = Pt(size), True, look.font
    labels.font.color.rgb = rgb(look.ink)
