"""Words and colours of the organisation's folder go before those of the package; a mistake is named with its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.core.errors import ReportError, SettingsError
from mel_pipeline.core.organisation import start
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.factcheck.languages import own_words
from mel_pipeline.reporting.digests import SOURCES, digest_of_sources
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.text.texts import load_texts

REPORTS = PROJECT / "reports"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = start(tmp_path / "own").place
    monkeypatch.setenv("MEL_ORGANISATION", str(place))
    (place / "locales").mkdir()
    return place


def test_a_text_of_the_organisation_goes_before_that_of_the_package_in_its_language_alone(own: Path) -> None:
    (own / "locales" / "fr.yml").write_text(
        "unit: {labs: Cercles}\nphrases: {Solutions Lab: Cercle}\n", encoding="utf-8"
    )
    french, english = load_texts(REPORTS, "fr"), load_texts(REPORTS, "en")
    assert (french("unit.labs"), french("unit.videos")) == ("Cercles", "Vidéos")
    assert (french.category("activity_type", "Solutions Lab"), english("unit.labs")) == (
        "Cercle",
        "Solutions Labs",
    )


@pytest.mark.parametrize(
    ("content", "said"), [("unit: {lab: Circles}\n", "no text unit.lab"), ("- unit\n", "texts by name")]
)
def test_a_text_that_no_report_asks_for_is_refused(own: Path, content: str, said: str) -> None:
    (own / "locales" / "en.yml").write_text(content, encoding="utf-8")
    with pytest.raises(ReportError, match=rf"locales/en\.yml.*{said}"):
        load_texts(REPORTS, "en")


def test_colours_of_the_organisation_replace_those_it_names_and_pages_are_written_again(own: Path) -> None:
    before, digest = load_palette(REPORTS), digest_of_sources(REPORTS, *SOURCES)
    (own / "palette.yml").write_text('light: {navy: "#0a3d2e"}\n', encoding="utf-8")
    after = load_palette(REPORTS)
    assert after.light == {**before.light, "navy": "#0a3d2e"} and after.charts == before.charts
    changed = digest_of_sources(REPORTS, *SOURCES)
    (own / "locales" / "en.yml").write_text("unit: {labs: Circles}\n", encoding="utf-8")
    assert len({digest, changed, digest_of_sources(REPORTS, *SOURCES)}) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [("light: {navy: green}\n", "navy"), ("pastel: {}\n", "pastel"), ("- light\n", "by name")],
)
def test_a_palette_that_cannot_be_used_is_refused_with_its_file(own: Path, content: str, said: str) -> None:
    (own / "palette.yml").write_text(content, encoding="utf-8")
    with pytest.raises(ReportError, match=rf"own/palette\.yml.*{said}"):
        load_palette(REPORTS)


def test_words_for_drafts_are_read_strictly_and_may_be_left_out(own: Path) -> None:
    (own / "factcheck.yml").write_text("en: {nouns: [town]}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"factcheck\.yml: nouns"):
        own_words(own)
    (own / "factcheck.yml").unlink()
    assert own_words(own) == {}
