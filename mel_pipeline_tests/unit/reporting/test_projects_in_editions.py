"""What an annual edition says of a project comes from released figures, and is kept with the edition."""

from __future__ import annotations

from datetime import date

from mel_pipeline.reporting.edition import ProjectAim, ProjectNote, Wording
from mel_pipeline.reporting.edition_text import edition_texts, read_texts
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.page.projects import project_lines
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition


def note(*aims: ProjectAim, **changes: object) -> ProjectNote:
    values = {
        "code": "COMANAGE",
        "name": Wording({"en": "Energy", "fr": "Énergie"}),
        "status": "active",
        "ends_on": date(2026, 9, 30),
        "aims": list(aims),
        "outcomes": 0,
    }
    return ProjectNote(**{**values, **changes})


def aim(indicator: str, target: float | None) -> ProjectAim:
    return ProjectAim(indicator, "total", "", 0.0, "2023", target, "2024" if target is not None else "")


def lines(*notes: ProjectNote, language: str = "en") -> list[str]:
    edition = sample_edition("2024", projects=list(notes))
    known = measures(edition, language)
    return project_lines(edition, known, Figures(edition, known), load_texts(REPORTS, language))


def test_aims_are_counted_by_the_figures_of_their_indicators():
    assert lines(note(aim("LAB-02", 39), aim("MEM-01", 10_000), aim("LAB-02", None), outcomes=2)) == [
        "Energy. Under way, until 30 September 2026 · 1 of 2 aims on track · 2 outcomes printed in the register."
    ]


def test_an_aim_whose_indicator_is_gone_is_not_counted():
    assert lines(note(aim("ZZZ-99", 5), ends_on=None)) == ["Energy. Under way."]


def test_a_name_that_a_language_lacks_is_the_english_one():
    assert lines(note(ends_on=None), language="fr") == ["Énergie. En cours."]
    assert lines(note(ends_on=None), language="es") == ["Energy. En curso."]


def test_a_kept_edition_keeps_its_projects():
    edition = sample_edition("2024", projects=[note(aim("LAB-02", 39))])
    again = read_texts(*edition_texts(edition), is_sample=edition.is_sample)
    assert again.projects == edition.projects
