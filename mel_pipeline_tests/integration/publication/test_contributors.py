"""What a count counts, by name, and how that changed: the sample's own 2024."""

from __future__ import annotations

import pytest

from mel_pipeline.core.periods import Quarter
from mel_pipeline.publication.contributors import changed_by, records
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline_tests.conftest import Organisation

pytestmark = pytest.mark.slow


def test_organisations_donors_and_labs_are_named_and_people_are_not(year_2024: Organisation) -> None:
    settings = year_2024.settings
    project = SqlProject.load(settings.sql_dir, sql_variables(settings, Quarter.parse("2024-Q4")))
    named = {
        item.id: records(year_2024.warehouse, project, item, "2024")
        for item in load_catalogue(settings.sql_dir).indicators
    }
    assert len(named["MEM-01"]) > 150 and "Barcelona" in " ".join(named["MEM-01"])
    assert named["FND-01"] == [
        "Open Society Foundations",
        "Swiss Agency for Development and Cooperation (SDC)",
    ]
    assert len(named["LAB-01"]) == 10
    assert not any(named[item] for item in ("GEN-01", "GEN-04", "SAT-01"))
    assert not any(name.isdigit() for names in named.values() for name in names)


def test_a_change_names_what_came_and_went_and_where(year_2024: Organisation) -> None:
    lines = changed_by(year_2024.warehouse, year_2024.settings, "MEM-01", "2024-Q3", "2024-Q4")
    assert lines[0].startswith("+ ") and lines[-1].startswith("by region: ")
    views = changed_by(year_2024.warehouse, year_2024.settings, "RCH-01", "2024-Q3", "2024-Q4")
    assert views == ["by campaign: AVANTIA campaign +658,382"]
    people = changed_by(year_2024.warehouse, year_2024.settings, "GEN-01", "2024-Q3", "2024-Q4")
    assert not any(line.startswith(("+", "-")) for line in people)
