"""Several quarters as one run of the real jobs, on the sample organisation."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from mel_pipeline.defs import build
from mel_pipeline.defs.context import CALCULATE, PREPARE
from mel_pipeline.defs.failure_messages import failure_message
from mel_pipeline.defs.ranges import tags_of
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.integration.defs.test_dagster import after_a_night, checks  # noqa: F401 - fixture

TWO = "2024-Q3...2024-Q4"
BROKEN = """
select *
from members
where cast('{{ "broken" if var("quarter") == "2024-Q3" else "1" }}' as integer) = 1
"""


def run_both(*groups: str) -> dg.ExecuteInProcessResult:
    definitions = build()
    job = definitions.resolve_job_def("figures_only")
    selected = (
        dg.AssetSelection.groups(*groups).resolve(definitions.resolve_asset_graph()) if groups else None
    )
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            tags=tags_of(TWO),
            raise_on_error=False,
            asset_selection=sorted(selected) if selected else None,
        )


def metadata(result: dg.ExecuteInProcessResult, asset: str, name: str) -> dict[str | None, object]:
    """What the materializations of an asset say, by partition."""
    events = [event.step_materialization_data for event in result.get_asset_materialization_events()]
    found = [
        event.materialization for event in events if event.materialization.asset_key == dg.AssetKey(asset)
    ]
    return {one.partition: one.metadata[name].value for one in found}


def figures(organisation: Organisation, quarter: str) -> pd.DataFrame:
    """Without the year, whose notes say how many of its quarters have been loaded."""
    read = "select * from indicator_values where period = :quarter order by indicator_id, disaggregation"
    return organisation.warehouse.read(read, {"quarter": quarter})


@pytest.mark.slow
def test_a_backfill_of_several_quarters_is_one_run_in_every_job_by_quarter() -> None:
    definitions = build()
    for name in ("nightly", "quarterly_report", "figures_only", "collect_only"):
        assert definitions.resolve_job_def(name).backfill_policy == dg.BackfillPolicy.single_run(), name


# Slow: a whole run of two quarters, the first of which is collected.
@pytest.mark.exhaustive
def test_two_quarters_in_one_run_each_get_their_figures_and_metadata(after_a_night: Organisation) -> None:  # noqa: F811
    before = figures(after_a_night, "2024-Q4")
    result = run_both()
    assert result.success
    both = {"2024-Q3", "2024-Q4"}
    loads = metadata(result, "raw_matomo__periods", "load")
    assert loads.keys() == both and len(set(loads.values())) == 2
    assert metadata(result, "raw_zoho_crm__accounts", "load").keys() == {None}, "loaded as a whole, once"
    previews = metadata(result, "ind_mem_01", "preview")
    assert all(f"| {quarter} | all together |" in str(text) for quarter, text in previews.items())
    assert previews.keys() == both
    assert metadata(result, "released_figures", "state") == {"2024-Q3": "checked", "2024-Q4": "draft"}
    ready = checks(result)["released_figures", "quarter_can_be_published"]
    assert (ready.description or "").startswith("2024-Q4 is a draft.")

    pd.testing.assert_frame_equal(figures(after_a_night, "2024-Q4"), before)
    assert not figures(after_a_night, "2024-Q3").empty


# Slow: prepares and calculates two quarters.
@pytest.mark.slow
@pytest.mark.long
def test_a_quarter_whose_model_fails_is_named_and_the_other_keeps_its_figures(
    after_a_night: Organisation,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, project = after_a_night.settings, tmp_path / "project"
    for folder in (settings.sql_dir, settings.report_sources):
        shutil.copytree(folder, project / folder.name)
    model = project / "dbt_like_sql/models/marts/indicators/ind_mem_01.sql"
    text = model.read_text(encoding="utf-8").replace("\ncells as (", f"\nchosen as ({BROKEN}),\n\ncells as (")
    model.write_text(text.replace("counted_cells('members'", "counted_cells('chosen'"), encoding="utf-8")
    monkeypatch.setenv("MEL_PROJECT_DIR", str(project))
    before = figures(after_a_night, "2024-Q4")

    result = run_both(PREPARE, CALCULATE)
    [failed] = [event for event in result.all_events if event.is_step_failure]
    said = failure_message(failed) or ""
    assert said.startswith("2024-Q3 ind_mem_01: ") and "2024-Q4 ind" not in said
    assert metadata(result, "ind_mem_01", "dagster/row_count").keys() == {"2024-Q4"}
    assert metadata(result, "ind_mem_02", "dagster/row_count").keys() == {"2024-Q3", "2024-Q4"}
    assert metadata(result, "indicator_values", "dagster/row_count").keys() == {"2024-Q4"}
    pd.testing.assert_frame_equal(figures(after_a_night, "2024-Q4"), before)
