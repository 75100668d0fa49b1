"""What would stop every run is refused where it is written, however the sheets contradict one another."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.reporting.inputs.statements import previewed
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.model import Given, Preview, Row, Upload
from mel_pipeline.sources.workbook.sheets import ID, sheets
from mel_pipeline.transform.catalogue import catalogue_of, load_catalogue

TARGET = {"indicator": "MEM-01", "kind": "target", "stated_on": "2025-01-05", "reason_en": "Board"}
MANUAL = {
    "code": "HND-01", "name_en": "Trainings", "definition_en": "Trainings held.", "unit": "events", "aggregation": "flow",
    "direction": "increase", "owner_role": "Programmes", "about_people": "no", "numerator": "trainings",
}  # fmt: skip


@pytest.fixture
def sample(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home", sample=True, _env_file=None)  # type: ignore[call-arg]
    versions.issue(settings)
    return settings


def given_back(settings: Settings, new: dict[str, list[Row]], without: Collection[str] = ()) -> Preview:
    """What the current workbook would become with new rows, and without those of some numbers."""
    current = versions.current(settings)
    rows = {}
    for name, sheet in sheets().items():
        kept = [row for row in current.rows[name] if row[ID] not in without]
        added = [{**dict.fromkeys(sheet.keys), **row} for row in new.get(name, ())]
        letters = {key: chr(66 + min(place, 24)) for place, key in enumerate(sheet.keys)}
        rows[name] = [Given(row, number, letters) for number, row in enumerate([*kept, *added], start=3)]
    return previewed(settings, Upload(current.id, rows))


def works(settings: Settings, found: Preview) -> bool:
    load_catalogue(settings.sql_dir, settings.organisation, versions.after(found))
    return True


@pytest.mark.slow
def test_a_milestone_at_the_end_of_a_year_with_a_target_goes_to_the_next_target(sample: Settings) -> None:
    found = given_back(
        sample, {"targets": [{**TARGET, "period": "2024-Q4", "value": "163", "kind": "milestone"}]}
    )
    assert len(found.new) == 1 and found.refused == []
    versions.accept(sample, found, "MEL lead")
    steps = {
        target.period: [step.date for step in target.milestones]
        for target in catalogue_of(sample).targets_of("MEM-01")
    }
    assert steps["2024"] == [] and steps["2026"] == ["2024-Q4"]


@pytest.mark.slow
@pytest.mark.fault(133)
def test_an_indicator_with_targets_cannot_be_removed_before_them(sample: Settings) -> None:
    target = {**TARGET, "indicator": "HND-01", "period": "2026", "value": "12"}
    found = given_back(sample, {"manual_indicators": [MANUAL], "targets": [target]})
    assert len(found.new) == 2 and found.refused == [], "what defines comes before what uses it"
    version = versions.accept(sample, found, "MEL lead")
    stated = version.rows["manual_indicators"]
    number = next(str(row[ID]) for row in stated if row["code"] == "HND-01")
    alone = given_back(sample, {}, {number})
    assert alone.removed == []
    [refused] = alone.refused
    assert refused.cell == number and "HND-01" in refused.why and "aucun rapport" in refused.within("fr")
    both = given_back(
        sample,
        {},
        {number, next(str(row[ID]) for row in version.rows["targets"] if row["indicator"] == "HND-01")},
    )
    assert len(both.removed) == 2 and both.refused == []


@pytest.mark.slow
@pytest.mark.fault(133)
def test_only_the_rows_that_break_are_refused_and_the_rest_is_accepted(sample: Settings) -> None:
    labels = [
        {"scale": "satisfaction", "label": "Excellente idée", "score": "5"},
        {"scale": "satisfaction", "label": "excellente idee", "score": "1"},
        {"scale": "satisfaction", "label": "Bof", "score": "2"},
    ]
    targets = [{**TARGET, "period": str(year), "value": str(year - 1800)} for year in range(2030, 2050)]
    found = given_back(sample, {"answer_scales": labels, "targets": targets})
    assert len(found.new) + len(found.refused) == 23
    assert len(found.refused) == 1 and "excellente" in (found.refused[0].row.row["label"] or "").lower()  # type: ignore[union-attr]
    assert works(sample, found)


@pytest.mark.slow
@pytest.mark.fault(142)
@pytest.mark.parametrize(
    ("own", "figure", "cell"),
    [
        ({"unit": "people", "aggregation": "stock", "about_people": "yes"}, {"value": "3"}, "F"),
        ({"unit": "events", "about_people": "yes"}, {"value": "40", "people": "2"}, "I"),
        (
            {"unit": "percent", "aggregation": "ratio", "denominator": "trained", "about_people": "yes"},
            {"numerator": "2", "denominator": "4"},
            "H",
        ),
    ],
)
def test_a_figure_about_few_people_is_announced_as_withheld_before_it_counts(
    sample: Settings, own: dict[str, str], figure: dict[str, str], cell: str
) -> None:
    indicator = {**MANUAL, **own}
    row = {"indicator": "HND-01", "period": "2026-Q1", "evidence": "list", **figure}
    found = given_back(sample, {"manual_indicators": [indicator], "manual_figures": [row]})
    assert found.refused == [] and len(found.new) == 2
    [words] = [words for words in found.warnings if "will be withheld" in words]
    assert "fewer than 5 people" in words and f", {cell}" in words
    enough = {key: "5" if key in ("value", "people", "denominator") else value for key, value in row.items()}
    found = given_back(sample, {"manual_indicators": [indicator], "manual_figures": [enough]})
    assert not [words for words in found.warnings if "will be withheld" in words]


@pytest.mark.fault(142)
def test_a_theme_of_few_and_people_that_nobody_protects_are_announced(sample: Settings) -> None:
    themes = [
        {"edition": "2026-Q1", "kind": "theme", "people": people, "text_en": f"Theme of {people}"}
        for people in ("2", "5")
    ]
    unprotected = {**MANUAL, "unit": "people"}
    found = given_back(sample, {"lessons": themes, "manual_indicators": [unprotected]})
    assert len(found.new) == 3 and found.refused == []
    assert len([words for words in found.warnings if "fewer than 5 people raised it (2)" in words]) == 1
    assert [words for words in found.warnings if "'About people' does not say yes" in words]


def test_what_can_be_read_in_two_ways_or_was_never_seen_is_named_and_accepted(sample: Settings) -> None:
    rows = [{**TARGET, "indicator": "SAT-02", "period": "2027", "value": "0.87"}]
    ratio = {"unit": "percent", "aggregation": "ratio", "denominator": "members"}
    manual = [MANUAL, {**MANUAL, **ratio, "code": "FEE-01"}]
    figures = [
        {"indicator": "HND-01", "period": "2026-Q1", "value": "-4", "evidence": "list"},
        {
            "indicator": "FEE-01",
            "period": "2026-Q1",
            "numerator": "170",
            "denominator": "160",
            "evidence": "list",
        },
    ]
    stated = {"targets": rows, "manual_indicators": manual, "manual_figures": figures}
    found = given_back(sample, stated)
    assert len(found.new) == 5 and found.refused == []
    assert [words for words in found.warnings if "-4 is below zero" in words]
    assert [words for words in found.warnings if "170 of 160 is more than all" in words]
    assert [words for words in found.warnings if "0.87 is read as 0.87 %. If 87 % is meant" in words]
