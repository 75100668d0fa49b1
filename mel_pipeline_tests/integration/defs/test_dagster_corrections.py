"""Corrections in Dagster: one that finds no row is named by its place, and a job applies the others at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs import corrections
from mel_pipeline.defs.context import Mel
from mel_pipeline_tests.fixtures.organisation import Small, member, organisation

WRITTEN = """
- {source: zoho_crm, entity: accounts, match: {id: "2"}, action: set, set: {region: Europe}, reason: Wrong region., provider: Membership, date: 2025-01-12}
- {source: zoho_crm, entity: accounts, match: {id: "77001"}, action: leave_out, reason: Entered twice., provider: Membership, date: 2025-01-12}
"""
_SMALL: dict[str, Small] = {}


class Given(Mel):
    """The resource with the small organisation of a test."""

    place: str

    @property
    def settings(self) -> Settings:
        return _SMALL[self.place].settings

    @property
    def warehouse(self) -> Any:
        return _SMALL[self.place].warehouse


@pytest.fixture
def small(tmp_path: Path) -> Small:
    made = organisation(tmp_path)
    _SMALL[str(tmp_path)] = made
    made.load("accounts", [member(1), member(2, region="Atlantis")])
    made.settings.home.mkdir(parents=True, exist_ok=True)
    (made.settings.home / "corrections.yml").write_text(WRITTEN, encoding="utf-8")
    return made


@pytest.mark.slow
@pytest.mark.fault(138)
@pytest.mark.fault(139)
def test_the_job_corrects_at_once_and_the_check_names_what_finds_nothing_without_its_value(
    small: Small, tmp_path: Path
) -> None:
    checks = dg.define_asset_job("checks", selection=dg.AssetSelection.checks_for_assets(corrections.ASSET))
    definitions = dg.Definitions.merge(
        dg.Definitions(
            assets=[dg.AssetSpec(corrections.ASSET)],
            jobs=[checks],
            resources={"mel": Given(place=str(tmp_path))},
        ),
        corrections.build(small.settings),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        assert definitions.resolve_job_def("apply_corrections").execute_in_process(instance=instance).success
        rows = small.warehouse.records("select id, region from raw_zoho_crm__accounts order by id")
        assert [row["region"] for row in rows] == ["Asia", "Europe"]
        result = definitions.resolve_job_def("checks").execute_in_process(instance=instance)
    [found] = result.get_asset_check_evaluations()
    assert not found.passed and found.severity == dg.AssetCheckSeverity.WARN
    assert "Corrections, C-0002 (zoho_crm accounts): no row is found by it" in (found.description or "")
    assert "77001" not in (found.description or "") and "Entered" not in (found.description or "")
