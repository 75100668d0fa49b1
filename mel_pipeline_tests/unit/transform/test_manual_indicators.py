"""Rows of the workbook become indicators; a wrong one is left out with a sentence and stops nothing."""

from __future__ import annotations

from typing import Any

from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.sources.workbook.versions import of_organisation, with_rows
from mel_pipeline.transform.catalogue import Catalogue, catalogue_frames, load_catalogue

FOLDER = PROJECT / "dbt_like_sql"


def catalogue_with(*rows: dict[str, str | None]) -> Catalogue:
    start = of_organisation(EXAMPLE)
    numbered = [{**row, "id": f"I-{place:04d}"} for place, row in enumerate(rows, start=1)]
    return load_catalogue(FOLDER, EXAMPLE, with_rows(start, {**start.rows, "manual_indicators": numbered}))


def row(**changes: Any) -> dict[str, str | None]:
    return {
        "id": "I-0001",
        "code": "HND-01",
        "name_en": "Trainings held",
        "name_fr": "Formations organisées",
        "name_es": None,
        "name_ca": None,
        "definition_en": "Trainings by partners.",
        "definition_fr": None,
        "definition_es": None,
        "definition_ca": None,
        "unit": "trainings",
        "aggregation": "flow",
        "direction": "increase",
        "level": "output",
        "line": "2",
        "owner_role": "Programmes",
        "about_people": "no",
        "numerator": "Trainings with a list of attendance",
        "denominator": None,
        "limitations_en": "Only those reported.",
        "limitations_fr": None,
        "limitations_es": None,
        "limitations_ca": None,
        **changes,
    }


def test_a_row_is_an_indicator_like_the_others_and_marked_as_stated() -> None:
    catalogue = catalogue_with(row())
    indicator = catalogue.indicators[-1]
    assert (indicator.id, indicator.stated, indicator.model) == ("HND-01", True, "manual_values")
    assert catalogue.lines_of("HND-01") == [2]
    assert catalogue.by_model("manual_values") is None
    assert indicator.limitations.en.endswith("Only those reported.")
    assert "Compté à la main" in indicator.limitations.by_language["fr"]
    frames = catalogue_frames(catalogue)
    found = frames["indicators"].set_index("indicator_id").loc["HND-01"]
    assert (found["is_stated"], found["unit"], found["level"]) == ("true", "trainings", "output")
    named = frames["translations"].query("code == 'HND-01' and field == 'name'")
    assert list(named["language"]) == ["fr"]


def test_people_make_a_group_of_their_own_that_small_figures_are_withheld_by() -> None:
    catalogue = catalogue_with(
        row(about_people="yes"),
        row(code="HND-02", about_people="yes", aggregation="ratio", denominator="All", unit="percent"),
    )
    count, share = catalogue.indicators[-2:]
    assert count.disclosure and (count.disclosure.group, count.disclosure.people) == (
        "stated_hnd_01",
        "numerator",
    )
    assert share.disclosure and share.disclosure.people == "denominator"
    assert (count.decimals, share.decimals) == (0, 1)


def test_wrong_rows_are_left_out_with_a_sentence_and_the_others_stay() -> None:
    catalogue = catalogue_with(
        row(code="MEM-01"),
        row(code="HND-01", name_en=None),
        row(code="HND-02"),
        row(code="HND-02"),
        row(code="trainings"),
    )
    assert [item.id for item in catalogue.indicators if item.stated] == ["HND-02"]
    assert len(catalogue.refused) == 4
    assert "Manual indicator MEM-01: the code is taken. Choose another in the workbook." in catalogue.refused
    assert catalogue.lines_of("MEM-01") == load_catalogue(FOLDER).lines_of("MEM-01")
