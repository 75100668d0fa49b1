"""The quarters of 2024 published, rebuilt from the raw data, and compared with the annual report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mel_pipeline.core.periods import quarters_of_year
from mel_pipeline.publication import store
from mel_pipeline.publication.publishing import quarter_status
from mel_pipeline.publication.rebuild import rebuild
from mel_pipeline.reporting.inputs.editions import read_figures
from mel_pipeline.reporting.inputs.publishing import approve_edition, publish_edition
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import Organisation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(year_2024: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A copy of the year with every quarter published in turn."""
    year_2024.warehouse.fold()
    copy = tmp_path_factory.mktemp("published") / "warehouse.duckdb"
    shutil.copy(Path(year_2024.settings.database_url.removeprefix("duckdb:///")), copy)
    warehouse = Warehouse(f"duckdb:///{copy}")
    for quarter in quarters_of_year(2024):
        approve_edition(warehouse, year_2024.settings, quarter, "Secretary General", "Checked with the teams")
        publish_edition(warehouse, year_2024.settings, quarter)
    return warehouse


@pytest.mark.parametrize("quarter", [str(quarter) for quarter in quarters_of_year(2024)])
@pytest.mark.long
def test_a_published_quarter_rebuilds_identically(published: Warehouse, quarter: str) -> None:
    outcome = rebuild(published, quarter)
    assert outcome.identical, outcome.differing[:5]
    assert outcome.figures > 150


def test_publishing_changes_no_figure_of_the_annual_report(
    published: Warehouse, year_2024: Organisation
) -> None:
    before = read_figures(year_2024.warehouse, "2024")
    after = read_figures(published, "2024")
    both = before.merge(after, on=["indicator_id", "disaggregation"], suffixes=("", "_after"))
    assert len(both) == len(before) == len(after)
    shown = both[(both["status"] == "ok") & (both["status_after"] == "ok")]
    assert (shown["value"] == shown["value_after"]).all()
    assert len(shown) > 0.8 * len(both)


def test_every_quarter_is_published_and_the_ledger_holds(
    published: Warehouse, year_2024: Organisation
) -> None:
    states = [
        quarter_status(published, year_2024.settings, quarter).state for quarter in quarters_of_year(2024)
    ]
    assert states == ["published"] * 4
    assert store.broken_links(published) == []
    publication = store.last_publication(published, "2024-Q4")
    assert publication is not None
    manifest = publication.details
    assert manifest["inputs"]["raw_zoho_crm__accounts"]["rows"] > 160
    assert manifest["definitions"] == store.calculations(published, "2024-Q4")[-1].definitions
