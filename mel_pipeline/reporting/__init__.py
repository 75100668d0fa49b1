"""Charts and report pages: frames in, files out. No database, catalogue, settings or network here.

matplotlib is imported by the modules under ``charts/`` alone, and those only when something is drawn.
"""

from mel_pipeline.reporting.edition import Edition
from mel_pipeline.reporting.formats import BuiltEdition, build_all
from mel_pipeline.reporting.page.build import BuiltReport, build_editions, build_report
from mel_pipeline.reporting.pictures.charts import ChartFile, draw_chart, draw_charts
from mel_pipeline.reporting.pictures.preview import chart_preview
from mel_pipeline.reporting.text.languages import languages, refused

__all__ = [
    "BuiltEdition",
    "BuiltReport",
    "ChartFile",
    "Edition",
    "build_all",
    "build_editions",
    "build_report",
    "chart_preview",
    "draw_chart",
    "draw_charts",
    "languages",
    "refused",
]
