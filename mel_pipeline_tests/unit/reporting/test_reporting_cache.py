"""Editions, sites and previews: cached while nothing changes, and rebuilt after any change."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.reporting import build_all, cache, chart_preview, draw_chart, formats
from mel_pipeline.reporting.digests import digest_of, digest_of_sources
from mel_pipeline.reporting.pictures import picture as drawing
from mel_pipeline.reporting.pictures import preview
from mel_pipeline.reporting.site import build as building
from mel_pipeline.reporting.site import build_site
from mel_pipeline_tests.fixtures.site import sample_site, sources_in
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition, with_figure

EDITION = fewer_charts(sample_edition())
FORMATS = ["html", "csv"]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> Iterator[list[int]]:
    """Count how often the function that builds was called."""
    calls: list[int] = []
    real = getattr(module, name)
    with monkeypatch.context() as patched:
        patched.setattr(module, name, lambda *args, **kwargs: (calls.append(1), real(*args, **kwargs))[1])
        yield calls


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of the edition; that a picture is drawn once is tested with the pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    with cache.using(folder):
        build_all(EDITION, folder / "out", REPORTS, ["en"], FORMATS)
    shutil.rmtree(folder / "out")
    for record in folder.glob("edition-*"):
        record.unlink()
    return folder


@pytest.fixture(autouse=True)
def drawn_before(tmp_path: Path, pictures: Path) -> None:
    shutil.copytree(pictures, tmp_path / "cache")


def build(tmp_path: Path, edition=EDITION, languages=("en",), requested=FORMATS, sources=REPORTS):
    with cache.using(tmp_path / "cache"):
        return build_all(edition, tmp_path / "out", sources, list(languages), requested)


@pytest.mark.slow
def test_the_same_edition_is_composed_once_and_answers_the_same(tmp_path, monkeypatch):
    with counted(monkeypatch, formats, "build_editions") as composed:
        first = build(tmp_path)
        before = files_of(tmp_path / "out")
        assert build(tmp_path) == first
        assert len(composed) == 1
    assert files_of(tmp_path / "out") == before
    build_all(EDITION, tmp_path / "plain", REPORTS, ["en"], FORMATS)
    plain = {name: content for name, (content, _) in files_of(tmp_path / "plain").items()}
    assert plain == {name: content for name, (content, _) in before.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"edition": with_figure(EDITION, "GEN-01", "2024-Q4", value=54.4)},
        {"edition": replace(EDITION, notes=["An outage."])},
        {"edition": replace(EDITION, min_cell=6)},
        {"languages": ("en", "es")},
        {"requested": ["html"]},
    ],
)
@pytest.mark.sweep
def test_another_figure_note_language_or_format_is_composed_again(tmp_path, monkeypatch, change):
    with counted(monkeypatch, formats, "build_editions") as composed:
        build(tmp_path)
        build(tmp_path, **change)
        assert len(composed) == 2


@pytest.mark.slow
@pytest.mark.long
def test_another_template_is_composed_again(tmp_path, monkeypatch):
    sources = sources_in(tmp_path / "sources")
    with counted(monkeypatch, formats, "build_editions") as composed:
        build(tmp_path, sources=sources)
        with (sources / "templates" / "report.css").open("a") as file:
            file.write("main { color: black }\n")
        build(tmp_path, sources=sources)
        assert len(composed) == 2
    assert "main { color: black }" in (tmp_path / "out/2024-Q4/report-en.html").read_text()


@pytest.mark.slow
def test_an_edited_or_removed_file_is_restored(tmp_path):
    build(tmp_path)
    folder = tmp_path / "out" / "2024-Q4"
    before = {path: content for path, (content, _) in files_of(folder).items()}
    (folder / "report-en.html").write_text("mine")
    (folder / "charts/GEN-01.png").write_bytes(b"")
    build(tmp_path)
    (folder / "data/figures.csv").unlink()
    build(tmp_path)
    assert {path: content for path, (content, _) in files_of(folder).items()} == before


@pytest.mark.slow
def test_a_damaged_entry_is_ignored(tmp_path, monkeypatch):
    build(tmp_path)
    record = tmp_path / "cache" / "edition-2024-Q4.json"
    for content in (b"[]", record.read_bytes()[:-9]):
        record.write_bytes(content)
        with counted(monkeypatch, formats, "build_editions") as composed:
            build(tmp_path)
            assert len(composed) == 1


@pytest.mark.slow
@pytest.mark.long
def test_without_a_cache_folder_everything_is_composed(tmp_path, monkeypatch):
    with counted(monkeypatch, formats, "build_editions") as composed:
        for _ in range(2):
            build_all(EDITION, tmp_path, REPORTS, ["en"], ["html"])
        assert len(composed) == 2


@pytest.mark.slow
@pytest.mark.long
def test_a_site_is_composed_once_and_again_when_an_edition_is_added(tmp_path, monkeypatch):
    sources = sources_in(tmp_path / "sources")
    site = sample_site()
    site = replace(site, edition=fewer_charts(site.edition))
    out = tmp_path / "out"

    def made(what=site):
        with cache.using(tmp_path / "cache"):
            return build_site(what, out, sources, ["en"])

    with counted(monkeypatch, building, "_pages") as composed:
        first = made()
        again = made()
        assert len(composed) == 1
        assert (again.files, again.written, again.removed) == (first.files, 0, 0)
        (out / "2024-Q3").mkdir()
        (out / "2024-Q3" / "report-en.html").write_text("<main></main>")
        assert made().written > 0
        made(replace(site, standings={}))
        assert len(composed) == 3
        (out / "index.html").unlink()
        made(replace(site, standings={}))
    assert (out / "index.html").is_file()


@pytest.mark.slow
def test_a_name_or_sentence_that_a_picture_does_not_show_draws_it_no_second_time(tmp_path, monkeypatch):
    said = {"fr": {"Counted by hand.": "Compté à la main."}}
    more = replace(EDITION, verbatim=(*EDITION.verbatim, "Cities on the platform"), sentences=said)
    with counted(monkeypatch, drawing, "_drawn") as drawn, cache.using(tmp_path / "new"):
        for edition in (EDITION, more):
            draw_chart(edition, "GEN-01", tmp_path, REPORTS, "en")
        assert len(drawn) == 1
        draw_chart(replace(EDITION, is_sample=not EDITION.is_sample), "GEN-01", tmp_path, REPORTS, "en")
        assert len(drawn) == 2, "its foot line says whether it is the sample"


def test_each_picture_gets_one_preview(tmp_path, monkeypatch):
    chart = draw_chart(EDITION, "GEN-01", tmp_path, REPORTS, "en")
    with counted(monkeypatch, preview, "_shrunk") as made, cache.using(tmp_path / "cache"):
        assert chart_preview(chart.png) == chart_preview(chart.png)
        assert len(made) == 1


@pytest.mark.slow
def test_an_entry_unused_for_two_months_is_removed(tmp_path):
    build(tmp_path)
    record = tmp_path / "cache" / "edition-2024-Q4.json"
    long_ago = time.time() - (cache.EXPIRY_DAYS + 1) * 24 * 3600
    os.utime(record, (long_ago, long_ago))
    with cache.using(tmp_path / "cache"):
        pass
    assert not record.exists()


def test_digests_of_frames_and_sets_depend_on_value_type_and_order():
    frame = pd.DataFrame({"a": [1, None], "b": ["1", None], "c": [Decimal("1"), pd.Timestamp("2024-01-01")]})
    assert digest_of(frame) == digest_of(frame.copy())
    assert digest_of(frame) != digest_of(frame.iloc[::-1])
    assert digest_of(frame) != digest_of(frame.assign(b=[1, None]))
    assert digest_of(frame) != digest_of(frame[["b", "a", "c"]])
    assert digest_of(frozenset({("a", 1), ("b", 2)})) == digest_of(frozenset({("b", 2), ("a", 1)}))
    assert digest_of(Decimal("1.0")) != digest_of(Decimal("1.00"))


def test_digests_of_templates_depend_on_content_and_not_on_place(tmp_path):
    first, second = sources_in(tmp_path / "a"), sources_in(tmp_path / "b")
    assert digest_of_sources(first, "templates/**/*") == digest_of_sources(second, "templates/**/*")
    (second / "templates" / "site" / "new.jinja").write_text("x")
    assert digest_of_sources(first, "templates/**/*") != digest_of_sources(second, "templates/**/*")
