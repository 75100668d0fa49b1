"""A target for a region, gender or programme stands beside what that part has reached; only totals are judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.figures.targets import part_targets, stated_targets, with_kinds
from mel_pipeline.reporting.open_data.build import build_data_package
from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.text.languages import languages
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, cell, sample_edition, with_cells

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition

COLUMNS = ["indicator_id", "dimension", "category", "period", "kind", "on_date", "value", "origin"]


def edition_with(*rows: tuple[object, ...], period: str = "2024-Q4") -> Edition:
    cells = [
        cell("MEM-02", "2024", "region", "Africa", 3.0),
        cell("MEM-02", "2024-Q4", "region", "Africa", 1.0),
    ]
    edition = with_cells(sample_edition(period), cells)
    given = pd.DataFrame([(*row[:5], row[3], *row[5:]) for row in rows], columns=COLUMNS)
    return replace(edition, targets=pd.concat([with_kinds(edition.targets), given], ignore_index=True))


def lines_of(edition: Edition, indicator: str, language: str = "en") -> tuple[str, ...]:
    known = measures(edition, language)
    (measure,) = (measure for measure in known if measure.id == indicator)
    return table_row(measure, Figures(edition, known), load_texts(REPORTS, language)).part_targets


AFRICA = ("MEM-02", "region", "Africa", "2024", "target", 5.0, "Plan.")
BASELINE = ("MEM-02", "region", "Africa", "2023", "baseline", 1.0, "Annual report 2023.")


def test_a_part_stands_with_its_target_what_it_has_reached_and_where_it_started() -> None:
    assert lines_of(edition_with(AFRICA), "MEM-02") == ("Africa: 5 by 2024; 3 in 2024",)
    assert lines_of(edition_with(AFRICA, BASELINE), "MEM-02") == (
        "Africa (baseline 1, 2023): 5 by 2024; 3 in 2024",
    )


@pytest.mark.parametrize("language", languages(REPORTS))
def test_every_language_says_it(language: str) -> None:
    (line,) = lines_of(edition_with(AFRICA), "MEM-02", language)
    assert "5" in line
    assert "{" not in line


def test_before_its_year_has_closed_an_amount_stands_with_the_quarter_it_is_of() -> None:
    next_year = ("MEM-02", "region", "Africa", "2025", "target", 5.0, "Plan.")
    assert lines_of(edition_with(next_year), "MEM-02") == ("Africa: 5 by 2025; 1 in 2024-Q4",)


def test_a_part_without_a_figure_says_so_and_one_that_was_due_before_is_gone() -> None:
    nowhere = ("MEM-02", "region", "Nowhere", "2024", "target", 5.0, "Plan.")
    past = ("MEM-02", "region", "Africa", "2024-Q3", "target", 5.0, "Plan.")
    (line,) = lines_of(edition_with(nowhere, past), "MEM-02")
    assert line == "Nowhere: 5 by 2024; not available in 2024"


def test_the_whole_is_judged_by_its_own_target_alone() -> None:
    plain, with_part = sample_edition(), edition_with(AFRICA, BASELINE)
    assert stated_targets(with_part.targets) == stated_targets(plain.targets)
    assert part_targets(plain.targets) == {}


def test_a_revised_target_of_a_part_counts_from_its_day_on() -> None:
    later = ("MEM-02", "region", "Africa", "2024", "revision", "2025-03-01", 9.0, "Board.")
    edition = edition_with(AFRICA)
    rows = pd.concat([edition.targets, pd.DataFrame([later], columns=COLUMNS)], ignore_index=True)
    assert lines_of(replace(edition, targets=rows), "MEM-02")[0].startswith("Africa: 5 by 2024")
    earlier = rows.assign(on_date=rows["on_date"].where(rows["kind"] != "revision", "2024-06-01"))
    assert lines_of(replace(edition, targets=earlier), "MEM-02")[0].startswith("Africa: 9 by 2024")


def test_open_data_tell_targets_of_parts_from_those_of_the_whole(tmp_path: Path) -> None:
    build_data_package(edition_with(AFRICA, BASELINE), tmp_path)
    rows = pd.read_csv(tmp_path / "2024-Q4" / "data" / "targets.csv")
    mine = rows[rows["indicator_id"] == "MEM-02"]
    assert sorted(zip(mine["dimension"], mine["category"], mine["kind"], strict=True)) == [
        ("region", "Africa", "baseline"),
        ("region", "Africa", "target"),
        ("total", "total", "target"),
    ]
