"""What counts in no figure is reported with what to do: days no quarter covers, unknown genders; and what is no doubt is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.survey_files.client import Rules
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.survey_cases import read

COVERED = (date(2023, 1, 1), date(2025, 1, 14))
RULES = Rules(order="day_first", covered=COVERED)
HEAD = "Response ID;Response Status;End time;Gender;Overall satisfaction\n"


def warnings(folder: Path, text: str, rules: Rules = RULES) -> list[str]:
    (folder / "a.csv").write_text(text, "utf-8")
    _, refused, found = read(folder, rules)
    assert refused == {}
    return found


def export(*rows: tuple[str, str]) -> str:
    return HEAD + "".join(
        f"r{n};Completed;{day};{gender};Satisfied\n" for n, (day, gender) in enumerate(rows)
    )


@pytest.mark.parametrize(
    ("day", "is_outside"),
    [("2024-11-05 09:00", False), ("2023-01-01 00:00", False), ("2025-01-15 00:30", False), ("2022-12-31 23:00", True),
     ("1980-01-01 00:00", True), ("2025-01-16 00:00", True), ("2124-11-05 09:00", True), ("24/11/05 09:00", True),
     ("05/11/24 09:00", False)],
)  # fmt: skip
@pytest.mark.behaviour("uncovered", "zoho_survey", "limesurvey")
@pytest.mark.fault(100)
def test_answers_on_days_that_no_quarter_covers_are_reported_unless_an_event_places_them(
    tmp_path: Path, day: str, is_outside: bool
) -> None:
    found = [words for words in warnings(tmp_path, export((day, "Woman"))) if "no quarter covers" in words]
    assert bool(found) is is_outside
    placed = Rules(order="day_first", covered=COVERED, codebooks=[Codebook(event_code="MET-2024-01")])
    assert not any(
        "no quarter covers" in words for words in warnings(tmp_path, export((day, "Woman")), placed)
    )


@pytest.mark.slow
@pytest.mark.deep
@settings(max_examples=examples(10, 200), deadline=None)
@given(st.lists(st.dates(date(1990, 1, 1), date(2040, 1, 1)), min_size=1, max_size=6))
def test_as_many_are_reported_as_fall_outside(
    tmp_path_factory: pytest.TempPathFactory, days: list[date]
) -> None:
    text = export(*((f"{day} 09:00", "Woman") for day in days))
    outside = sum(not COVERED[0] <= day <= date(2025, 1, 15) for day in days)
    found = [words for words in warnings(tmp_path_factory.mktemp("a"), text) if "no quarter covers" in words]
    assert len(found) == bool(outside)
    assert not outside or f"a.csv: {outside} response" in found[0]


@pytest.mark.behaviour("unread_told", "zoho_survey")
def test_genders_that_no_scale_knows_are_listed_and_known_ones_of_four_languages_are_not(
    tmp_path: Path,
) -> None:
    known = [
        "Woman",
        "Female",
        "Femenino",
        "Féminin",
        "Dona",
        "Homme",
        "Masculí",
        "No binari",
        "Prefer not to say",
        "",
    ]
    rows = [("2024-11-05 09:00", gender) for gender in known]
    assert not any("gender" in words for words in warnings(tmp_path, export(*rows)))
    (told,) = [
        words for words in warnings(tmp_path, export(*rows, ("2024-11-05 09:00", "F"))) if "gender" in words
    ]
    assert "'F' (1)" in told and "Answer scales" in told


@pytest.mark.parametrize("total", ["Total;;;2;2", ";;;;4.5", "Average;;;;4.2"])
@pytest.mark.behaviour("no_response", "zoho_survey")
def test_a_row_of_totals_is_no_answer_that_a_scale_has_to_know(tmp_path: Path, total: str) -> None:
    found = warnings(tmp_path, export(("2024-11-05 09:00", "Woman")) + total + "\n")
    assert not any("withheld" in words or "gender" in words for words in found)


CATALAN = {
    "google_forms": "Marca de temps;Quin és el vostre gènere?;Satisfacció general\n2024-11-05 09:00;Dona;Molt satisfet/a\n",
    "microsoft_forms": "ID;Hora d'inici;Hora de finalització;Correu electrònic;Nom;Gènere;Satisfacció general\n"
    "1;2024-11-05 09:00;2024-11-05 09:05;anonymous;;Home;Satisfet/a\n",
    "limesurvey": "ID de la resposta;Data d'enviament;Darrera pàgina;Idioma inicial;Gènere;Satisfacció general\n"
    "1;2024-11-05 09:00:00;3;ca;Dona;Insatisfet/a\n",
}


@pytest.mark.parametrize("tool", CATALAN)
@pytest.mark.behaviour("catalan", "google_forms", "microsoft_forms", "limesurvey")
def test_a_form_in_catalan_is_read_with_its_answers(tmp_path: Path, tool: str) -> None:
    (tmp_path / "a.csv").write_text(CATALAN[tool], "utf-8")
    frame, refused, found = read(tmp_path, RULES)
    assert refused == {} and frame["tool"].tolist() == [tool]
    assert frame["gender"].notna().all() and frame["overall_satisfaction"].notna().all()
    assert not any("withheld" in words or "gender" in words for words in found)
    assert "Nom" not in str(frame["other_answers"].tolist())
