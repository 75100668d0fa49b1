"""A published edition stays whole: targets, judgements, sentences, quality card and texts, whatever changes later."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from mel_pipeline.core import organisation as own
from mel_pipeline.core.errors import PublicationError, ReportError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.publication import store
from mel_pipeline.publication.publishing import approve, publish
from mel_pipeline.publication.release import release
from mel_pipeline.quality.results import RuleResult
from mel_pipeline.quality.results_log import note_results
from mel_pipeline.reporting import build_report
from mel_pipeline.reporting.digests import digest_of
from mel_pipeline.reporting.edition import Decision, Edition, Narrative, Theme, Wording
from mel_pipeline.reporting.edition_text import edition_texts, read_texts
from mel_pipeline.reporting.inputs.editions import read_edition, read_live
from mel_pipeline.reporting.inputs.publishing import approve_edition, keep_editions, publish_edition
from mel_pipeline.reporting.page.restatement_notes import publication_label
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, event, member
from mel_pipeline_tests.golden.sample_edition import sample_edition

pytestmark = pytest.mark.usefixtures("drawn_once")
QUARTER, LATER = "2024-Q3", "2024-Q4"
TARGET = "MEM-01:\n  baseline: {value: 5, period: '2023'}\n  targets: [{period: '2025', value: 9, origin: Plan.}]\n"
NARRATIVE = "main_points: [{en: 'The network has {MEM-01} members, {MEM-01 target} are aimed at.'}]\nlessons: [{en: Begin with a call.}]\n"
DECISION = Decision(Wording({"en": "z"}), "Programmes", date(2025, 3, 31), True)
WITHOUT = dict.fromkeys(("zoho_crm", "zoho_people", "zoho_campaigns", "survey_files"), "not used here")


def calculated(small: Small) -> None:
    small.load("accounts", [member(number) for number in range(1, 8)])
    small.load("events", [event(1, starts_at="2024-08-05T09:00:00+00:00")])
    small.survey("lab.csv", {f"r{number}": "Satisfied" for number in range(30)})
    write_narrative(small, NARRATIVE)
    small.calculate(QUARTER)


@pytest.fixture
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the organisation's own, with one target."""
    folder = tmp_path / "facts"
    shutil.copytree(own.EXAMPLE, folder, ignore=shutil.ignore_patterns("sample"))  # whose targets are others
    (folder / "targets.yml").write_text(TARGET, encoding="utf-8")
    monkeypatch.setenv(own.SETTING, str(folder))
    return folder


@pytest.fixture
def draft(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, facts: Path) -> Small:
    return copy_of(tmp_path_factory, "third-quarter-with-a-target", tmp_path / "home", calculated)


@pytest.fixture
def published(draft: Small) -> Small:
    draft.publish(QUARTER)
    return draft


def write_narrative(small: Small, text: str) -> None:
    path = small.settings.home / "narrative" / f"{QUARTER}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def edition(small: Small) -> Edition:
    return read_edition(small.warehouse, small.settings, QUARTER)


def page(small: Small, folder: Path) -> str:
    return build_report(edition(small), folder, small.settings.report_sources, "en").read_text("utf-8")


@pytest.mark.fault(110)
@pytest.mark.slow  # two pages with their charts, and another quarter calculated
@pytest.mark.long
def test_whatever_changes_later_the_page_of_a_published_quarter_stays_the_same_to_the_byte(
    published: Small, tmp_path: Path, facts: Path
) -> None:
    before, html = digest_of(edition(published)), page(published, tmp_path / "before")
    assert "The network has 7 members, 9 are aimed at</h1>" in html
    assert "On track" in html

    (facts / "targets.yml").write_text(TARGET.replace("value: 9", "value: 900"), encoding="utf-8")
    (facts / "lines_of_action.yml").write_text(
        "lines_of_action: [{number: 1, name: {en: Another plan}, indicators: [MEM-02]}]\n", encoding="utf-8"
    )
    (facts / "indicators.yml").write_text("MEM-01: {name: {en: Towns}}\n", encoding="utf-8")
    write_narrative(published, "main_points: [{en: All is different.}]\n")
    broken = RuleResult("rows", "validity", "warn", False, "Events: a rule was broken.")
    note_results(published.warehouse, [("raw_zoho_crm__events", broken)], source="zoho_crm")
    published.load("events", [event(2, name="")])
    published.load("events", [event(3, starts_at="2024-11-05T09:00:00+00:00")])
    published.calculate(LATER)
    published.restated(QUARTER)
    assert not keep_editions(published.warehouse, published.settings, Quarter.parse(QUARTER))

    live = read_live(published.warehouse, published.settings, QUARTER, for_readers=True)
    assert live.targets["value"].tolist() == [900.0] and live.card
    assert digest_of(edition(published)) == before, "every language and format"
    assert page(published, tmp_path / "after") == html


@pytest.mark.slow  # two pages with their charts, and the quarter calculated again
@pytest.mark.long
def test_a_restatement_shows_where_restatements_are_noted_and_nowhere_else(
    published: Small, tmp_path: Path
) -> None:
    before = page(published, tmp_path / "before")
    published.load("accounts", [member(number, joined_on="2024-08-01") for number in range(8, 20)])
    published.calculate(QUARTER)
    assert published.restated(QUARTER)
    after = page(published, tmp_path / "after")
    assert "Published as 7; the data now give 19" in after

    notes = (
        r'<section class="reference" aria-labelledby="restatements">.*?</section>',
        r"<li[^>]*>\d+ published figures? differs?[^<]*</li>|<p>No target is missed[^<]*</p>|</?ul[^>]*>",
        r'<small><a href="#restatements">[^<]*</a></small>|\s',
    )
    for note in notes:
        before, after = (re.sub(note, "", html, flags=re.S) for html in (before, after))
    assert after == before


@pytest.mark.exhaustive
def test_other_texts_are_a_version_of_their_own_approved_and_with_a_reason(published: Small) -> None:
    quarter = Quarter.parse(QUARTER)
    write_narrative(published, "main_points: [{en: All is different.}]\n")
    with pytest.raises(PublicationError, match="has not been approved"):
        publish_edition(published.warehouse, published.settings, quarter)
    published.publish(QUARTER, note="A sentence was wrong")
    second, texts = edition(published), load_texts(published.settings.report_sources, "en")
    assert second.said is not None
    assert second.said.sentences["en"]["points"] == ["All is different."]
    assert publication_label(second, texts).note == (
        "Version 2 replaces an earlier one. The reason given: A sentence was wrong"
    )
    with pytest.raises(PublicationError, match="version 2 holds the same figures"):
        published.publish(QUARTER)


@pytest.mark.fault(113)
@pytest.mark.long
def test_texts_changed_after_the_approval_are_not_published(published: Small) -> None:
    quarter, role = Quarter.parse(QUARTER), "Secretary General"
    write_narrative(published, "main_points: [{en: Seen.}]\n")
    approve_edition(published.warehouse, published.settings, quarter, role, "Seen", WITHOUT)
    write_narrative(published, "main_points: [{en: Not seen.}]\n")
    with pytest.raises(PublicationError, match="targets, definitions or texts have changed since"):
        publish_edition(published.warehouse, published.settings, quarter)


@pytest.mark.fault(111)
@pytest.mark.long
def test_a_kept_edition_that_was_changed_from_outside_is_refused(published: Small) -> None:
    with published.warehouse.transaction() as connection:
        connection.execute(
            sa.text("update kept_file set content = replace(content, 'Begin with', 'End with')")
        )
    with pytest.raises(PublicationError, match="was changed from outside"):
        read_edition(published.warehouse, published.settings, QUARTER)
    assert store.broken_links(published.warehouse) == []


@pytest.mark.fault(112)
@pytest.mark.long
def test_a_publication_interrupted_before_its_edition_was_kept_is_completed(draft: Small) -> None:
    quarter = Quarter.parse(QUARTER)
    approve(draft.warehouse, draft.settings, quarter, "Secretary General", "Seen", WITHOUT)
    publish(draft.warehouse, draft.settings, quarter)
    release(draft.warehouse, draft.settings)
    assert keep_editions(draft.warehouse, draft.settings, quarter)
    write_narrative(draft, "main_points: []\n")
    assert edition(draft).narrative is not None and edition(draft).narrative.lessons


@pytest.mark.slow
@pytest.mark.fault(113)
def test_a_text_that_cannot_be_filled_in_stops_publishing_before_anything_is_frozen(draft: Small) -> None:
    write_narrative(draft, "main_points: [{en: '42 members.'}]\n")
    with pytest.raises(ReportError, match="a number is typed by hand"):
        draft.publish(QUARTER)
    assert store.last_publication(draft.warehouse, QUARTER) is None


@pytest.mark.slow
def test_a_kept_edition_reads_back_as_it_was() -> None:
    """Types of every kind: missing numbers, whole ones, days, texts by language, decisions."""
    there = sample_edition(
        narrative=Narrative([Wording({"en": "x"})], [], [Theme(Wording({"en": "y"}), 7)], [DECISION]),
        movements={"MEM-01": {"real_change": 3.0}},
        verbatim=frozenset({"b", "a"}),
    )
    body, figures = edition_texts(there)
    back = read_texts(body, figures, is_sample=True, publication=None, restatements=[])
    assert edition_texts(back) == (body, figures)
    for name in ("indicators", "targets", "lines_of_action", "quality"):
        mine, other = (getattr(item, name) for item in (there, back))
        assert (
            mine.astype(object).where(mine.notna(), None).to_dict()
            == other.astype(object).where(other.notna(), None).to_dict()
        ), name
    assert (back.narrative, back.regions, back.movements) == (there.narrative, there.regions, there.movements)
    assert back.verbatim == there.verbatim


def test_an_edition_kept_by_an_earlier_version_gets_the_columns_that_came_later() -> None:
    there = sample_edition()
    body, figures = edition_texts(replace(there, indicators=there.indicators.drop(columns="pictured")))
    found = read_texts(body, figures, is_sample=True, publication=None, restatements=[])
    assert found.indicators["pictured"].isna().all()
