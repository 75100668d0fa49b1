"""What charts look like, stored as small pictures. They can be compared on any machine: matplotlib and fonts are pinned.

After an intended change: ``pytest mel_pipeline_tests/golden/test_chart_images.py --mpl-generate-path=mel_pipeline_tests/golden/images``,
then look at every picture.
"""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from mel_pipeline.reporting.chart_data.indicator import chart_frame
from mel_pipeline.reporting.charts import canvas
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.pictures.charts import render
from mel_pipeline.reporting.pictures.page import FRAMES, page_frames, render_page
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, with_parts
from mel_pipeline_tests.golden.sample_pictures import ANSWERS, pictured_edition

TEXTS = load_texts(REPORTS, "en")
# Root mean square over the grey values of all pixels. On another processor letters shift by a pixel (up to 1.9); a
# point that moves by two per cent gives 3.4. Exact values are checked in the data behind the charts.
held = pytest.mark.mpl_image_compare(
    baseline_dir="images",
    tolerance=2.5,
    style="default",
    savefig_kwargs={"dpi": 64, "metadata": {"Software": None}},
)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


@pytest.mark.slow
@held
@NARROW
@pytest.mark.parametrize("name", sorted(FRAMES))
@pytest.mark.sweep("narrow")
def test_a_picture_of_the_page_looks_as_held(name: str, narrow: bool) -> Figure:
    edition = pictured_edition(answers={**ANSWERS, "2024-Q2": (0, 0, 1, 1, 1)})
    known = measures(edition, "en")
    frame = page_frames(edition, known, Figures(edition, known), TEXTS, narrow=narrow)[name]
    with canvas.house_style(REPORTS):
        return render_page(frame, TEXTS)


@pytest.mark.slow
@held
@NARROW
@pytest.mark.parametrize("indicator", ["MEM-01", "MEM-02", "SAT-02", "GEN-01", "FND-01"])
@pytest.mark.sweep("narrow")
def test_a_chart_of_an_indicator_looks_as_held(indicator: str, narrow: bool) -> Figure:
    edition = pictured_edition()
    both, one = ["labs", "trainings"], ["labs"]  # a break in the line
    parts = {"2024-Q1": both, "2024-Q2": both, "2024-Q3": one, "2024-Q4": one}
    edition = with_parts(edition, "SAT-02", parts)
    known = measures(edition, "en")
    measure = next(item for item in known if item.id == indicator)
    frame = chart_frame(edition, measure, Figures(edition, known), TEXTS, narrow=narrow)
    with canvas.house_style(REPORTS):
        return render(frame, TEXTS)
