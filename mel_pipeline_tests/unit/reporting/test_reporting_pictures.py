"""Cached pictures: drawn once for the same numbers, words and style, and drawn again for others."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mel_pipeline.reporting import build_editions, cache
from mel_pipeline.reporting.chart_data.indicator import ChartFrame, chart_frame
from mel_pipeline.reporting.charts import canvas
from mel_pipeline.reporting.digests import digest_of
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.pictures.charts import render
from mel_pipeline.reporting.pictures.picture import Picture, picture
from mel_pipeline.reporting.text.texts import Texts, load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

TEXTS = load_texts(REPORTS, "en")


class Drawer:
    """Draws as the reports do, and counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, frame: ChartFrame, texts: Texts):
        self.times += 1
        texts("chart.empty", period=frame.period)
        return render(frame, texts)


def frame_of(indicator: str = "GEN-01") -> ChartFrame:
    edition = sample_edition()
    known = measures(edition, "en")
    measure = next(item for item in known if item.id == indicator)
    return chart_frame(edition, measure, Figures(edition, known), TEXTS, narrow=False)


def drawn(
    frame: ChartFrame, folder: Path, draw: Drawer, texts: Texts = TEXTS, sources: Path = REPORTS
) -> Picture:
    with cache.using(folder), canvas.house_style(sources):
        return picture(frame, texts, draw, sources, title=frame.title, with_png=True)


@pytest.mark.slow
def test_the_same_picture_is_drawn_once_and_its_bytes_are_those_of_drawing_it(tmp_path: Path) -> None:
    draw = Drawer()
    first = drawn(frame_of(), tmp_path, draw)
    assert drawn(frame_of(), tmp_path, draw) == first
    assert draw.times == 1
    with canvas.house_style(REPORTS):
        assert picture(frame_of(), TEXTS, draw, REPORTS, title=frame_of().title, with_png=True) == first
    assert draw.times == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda frame: replace(frame, title="Another finding"),
        lambda frame: replace(frame, narrow=True),
        lambda frame: replace(frame, data=frame.data.assign(value=frame.data["value"] + 1e-9)),
        lambda frame: replace(frame, data=frame.data.iloc[::-1]),
        lambda frame: replace(frame, measure=replace(frame.measure, band=(0.0, 1.0))),
    ],
)
@pytest.mark.sweep
def test_another_number_word_order_or_width_is_drawn(tmp_path: Path, change) -> None:
    draw = Drawer()
    drawn(frame_of(), tmp_path, draw)
    drawn(change(frame_of()), tmp_path, draw)
    assert draw.times == 2


@pytest.mark.long
def test_another_language_text_or_style_file_is_drawn(tmp_path: Path) -> None:
    draw = Drawer()
    drawn(frame_of(), tmp_path / "cache", draw)
    drawn(frame_of(), tmp_path / "cache", draw, load_texts(REPORTS, "fr"))
    drawn(frame_of(), tmp_path / "cache", draw, replace(TEXTS, entries={**TEXTS.entries, "x": "y"}))
    assert draw.times == 3
    other = tmp_path / "reports"
    shutil.copytree(REPORTS, other, ignore=shutil.ignore_patterns("published"))
    drawn(frame_of(), tmp_path / "cache", draw, sources=other)
    assert draw.times == 3  # the same files elsewhere
    with (other / "mel.mplstyle").open("a", encoding="utf-8") as style:
        style.write("lines.linewidth: 5\n")
    drawn(frame_of(), tmp_path / "cache", draw, sources=other)
    assert draw.times == 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".svg", ".png", ".json"])
@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"<svg/>")])
@pytest.mark.sweep
def test_a_cached_picture_that_was_edited_is_drawn_again(tmp_path: Path, kind: str, damage) -> None:
    draw = Drawer()
    first = drawn(frame_of(), tmp_path, draw)
    damage(next(tmp_path.glob(f"*{kind}")))
    assert drawn(frame_of(), tmp_path, draw) == first
    assert draw.times == 2
    assert drawn(frame_of(), tmp_path, draw) == first
    assert draw.times == 2


@pytest.mark.slow
def test_a_text_missing_in_a_cached_picture_is_still_reported(tmp_path: Path) -> None:
    """The build reports untranslated texts whether the picture was drawn today or before."""
    english = load_texts(REPORTS, "en").entries
    french = load_texts(REPORTS, "fr")
    poorer = {key: text for key, text in french.entries.items() if key != "chart.empty"}
    missing = []
    for _ in range(2):
        texts = replace(french, entries=poorer, fallback=english, missing=set())
        drawn(frame_of(), tmp_path, Drawer(), texts)
        missing.append(texts.missing)
    assert missing[0] == missing[1]
    assert "chart.empty" in missing[0]


@pytest.mark.slow
def test_pictures_unused_for_two_months_are_removed_and_used_ones_stay(tmp_path: Path) -> None:
    draw = Drawer()
    drawn(frame_of(), tmp_path, draw)
    drawn(frame_of("MEM-01"), tmp_path, draw)
    long_ago = time.time() - (cache.EXPIRY_DAYS + 1) * 24 * 3600
    for path in tmp_path.iterdir():
        os.utime(path, (long_ago, long_ago))
    drawn(frame_of(), tmp_path, draw)
    assert draw.times == 2
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".png", ".svg"]


@pytest.mark.exhaustive
def test_a_report_from_cached_pictures_has_the_same_bytes(tmp_path: Path) -> None:
    edition = sample_edition()

    def pages(folder: str) -> dict[str, bytes]:
        build_editions(edition, tmp_path / folder, REPORTS, ["en", "fr"])
        made = tmp_path / folder
        return {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}

    plain = pages("plain")
    with cache.using(tmp_path / "cache"):
        first, again = pages("first"), pages("again")
    assert plain == first == again
    assert len(list((tmp_path / "cache").glob("*.json"))) > 20


def test_digests_depend_on_value_and_type() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert digest_of(frame) == digest_of(frame.copy())
    assert digest_of([1, "1", 1.0, True]) != digest_of(["1", 1, 1.0, True])
    assert digest_of(np.float64(0.5)) == digest_of(0.5)
    assert digest_of({"a": 1, "b": 2}) != digest_of({"a": 2, "b": 1})
    with pytest.raises(TypeError, match="object"):
        digest_of(object())
