"""An edition in three languages and every format, as it is handed out."""

from __future__ import annotations

import sys
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


def test_every_language_and_format_is_written_once_and_a_second_time_touches_nothing(tmp_path):
    edition = fewer_charts(sample_edition())
    built = build_all(edition, tmp_path, REPORTS, LANGUAGES)
    before = written(tmp_path)
    names = {name.removeprefix("2024-Q4/") for name in before}
    assert built.left_out == []
    assert {f"report-{language}.{kind}" for language in LANGUAGES for kind in ("html", "pdf")} <= names
    assert {f"figures-{language}.xlsx" for language in LANGUAGES} <= names
    assert {"data/datapackage.json", "data/figures.csv", "charts/GEN-01.png", "charts/GEN-01-fr.png"} <= names
    build_all(edition, tmp_path, REPORTS, LANGUAGES)
    assert written(tmp_path) == before
    other = tmp_path / "again"
    build_all(edition, other, REPORTS, ["en"], ["html", "xlsx", "csv"])  # the PDF has a test of its own
    for name, (content, _) in written(other).items():
        assert content == before[name][0], name


def test_a_format_that_does_not_exist_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ReportError, match="no format docx"):
        build_all(fewer_charts(sample_edition()), tmp_path, REPORTS, ["en"], ["html", "docx"])
    assert list(tmp_path.iterdir()) == []


def test_without_pango_everything_but_the_pdf_is_written_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    built = build_all(fewer_charts(sample_edition()), tmp_path, REPORTS, ["en"])
    assert "libpango" in built.left_out[0]
    kinds = {path.suffix for path in (tmp_path / "2024-Q4").iterdir() if path.is_file()}
    assert kinds == {".html", ".xlsx"}
