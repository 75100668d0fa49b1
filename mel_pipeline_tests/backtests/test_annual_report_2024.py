"""The published figures of 2024 come out of the data, through the models."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from mel_pipeline.publication.recalculation import recalculate
from mel_pipeline.reporting.inputs.editions import read_figures
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import Organisation

pytestmark = pytest.mark.slow

PUBLISHED = list(
    csv.DictReader((Path(__file__).parent / "annual_report_2024.csv").read_text("utf-8").splitlines())
)


@pytest.mark.parametrize(
    "row", PUBLISHED, ids=lambda row: f"{row['indicator_id']} {row['disaggregation']} {row['column']}"
)
@pytest.mark.long
def test_a_figure_of_the_annual_report_is_reproduced_from_the_data(
    row: dict[str, str], year_2024: Organisation
) -> None:
    figures = read_figures(year_2024.warehouse, "2024").set_index(["indicator_id", "disaggregation"])
    assert figures.loc[(row["indicator_id"], row["disaggregation"]), row["column"]] == pytest.approx(
        float(row["expected"])
    )


def test_views_of_the_campaign_are_not_added_to_those_of_its_account(year_2024: Organisation) -> None:
    figures = read_figures(year_2024.warehouse, "2024").set_index(["indicator_id", "disaggregation"])["value"]
    accounts = [
        value
        for (indicator, cell), value in figures.items()
        if indicator == "RCH-01" and cell.startswith("account=") and value == value  # not NaN
    ]
    assert figures["RCH-01", "total"] == sum(accounts)
    assert figures["RCH-01", "account=Instagram avantia"] > figures["RCH-01", "campaign=AVANTIA campaign"]


def test_the_year_counts_a_city_once_even_if_it_took_part_in_several_quarters(
    year_2024: Organisation,
) -> None:
    quarters = [
        read_figures(year_2024.warehouse, f"2024-Q{n}").set_index(["indicator_id", "disaggregation"])
        for n in (1, 2, 3, 4)
    ]
    assert sum(frame.loc[("LAB-02", "total"), "value"] for frame in quarters) > 39


def test_every_indicator_has_a_total_for_the_quarter_and_the_year(year_2024: Organisation) -> None:
    catalogue = catalogue_of(year_2024.settings)
    for period in ("2024-Q4", "2024"):
        figures = read_figures(year_2024.warehouse, period)
        totals = sorted(figures[figures["disaggregation"] == "total"]["indicator_id"])
        assert totals == sorted(indicator.id for indicator in catalogue.indicators)


def test_nothing_in_the_package_knows_the_answers() -> None:
    """Only the sandbox's calibration contains the published totals, and what the organisation states as baselines."""
    package = Path(__file__).parents[2] / "mel_pipeline"
    models = Path(__file__).parents[2] / "dbt_like_sql"
    code = [*package.rglob("*.py"), *package.rglob("*.yml"), *models.rglob("*.sql")]
    for path in code:
        if "sandbox" not in path.parts and path.name != "workbook.yml":  # no calculation reads those
            text = path.read_text("utf-8")
            assert not [
                number for number in ("658382", "658_382", "700000", "700_000", "875412") if number in text
            ], path


def test_the_figures_as_csv_have_the_agreed_columns(year_2024: Organisation) -> None:
    text = read_figures(year_2024.warehouse, "2024").to_csv(index=False)
    assert next(csv.reader(io.StringIO(text))) == [
        "indicator_id",
        "period",
        "disaggregation",
        "value",
        "numerator",
        "denominator",
        "n",
        "status",
    ]


@pytest.mark.exhaustive
def test_calculating_everything_again_gives_the_same_figures(year_2024: Organisation, tmp_path: Path) -> None:
    everything = "select * from indicator_values order by indicator_id, period, disaggregation"
    before = year_2024.warehouse.read(everything)
    year_2024.warehouse.fold()
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(year_2024.settings.database_url.removeprefix("duckdb:///"), copy)
    again = Warehouse(f"duckdb:///{copy}")
    done = list(recalculate(again, year_2024.settings))
    assert [str(quarter) for quarter in done] == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    assert before.equals(again.read(everything))
