"""An edition in three languages and every format, as it is distributed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import build_all
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition

pytestmark = pytest.mark.slow

LANGUAGES = ("en", "es", "fr")


def written(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.long
def test_every_language_and_format_is_written_once_and_a_second_time_touches_nothing(tmp_path):
    edition = fewer_charts(sample_edition())
    build_all(edition, tmp_path, REPORTS, LANGUAGES)
    before = written(tmp_path)
    names = {name.removeprefix("2024-Q4/") for name in before}
    assert {f"report-{language}.{kind}" for language in LANGUAGES for kind in ("html", "pdf")} <= names
    assert {f"figures-{language}.xlsx" for language in LANGUAGES} <= names
    assert {"data/datapackage.json", "data/figures.csv", "charts/GEN-01.png", "charts/GEN-01-fr.png"} <= names
    build_all(edition, tmp_path, REPORTS, LANGUAGES)
    assert written(tmp_path) == before
    other = tmp_path / "again"
    build_all(edition, other, REPORTS, ["en"])
    for name, (content, _) in written(other).items():
        if "/data/" not in name:  # open data name the indicators in every language of the edition
            assert content == before[name][0], name


def test_a_format_that_does_not_exist_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ReportError, match="no format docx"):
        build_all(fewer_charts(sample_edition()), tmp_path, REPORTS, ["en"], ["html", "docx"])
    assert list(tmp_path.iterdir()) == []
