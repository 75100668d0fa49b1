"""Publishing from Dagster: the job with its form, and what the checks of the released figures say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mel_pipeline.defs.publication import build
from mel_pipeline.publication import store
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, seven_members
from mel_pipeline_tests.fixtures.resource import Given

pytestmark = pytest.mark.slow
QUARTER = "2024-Q4"


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "seven-members", tmp_path, seven_members)


def job(small: Small) -> Any:
    outside = [dg.AssetSpec(name) for name in ("indicator_values", "disclosure_people", "dim_indicator")]
    definitions = dg.Definitions.merge(
        dg.Definitions(assets=outside, resources={"mel": Given(home=str(small.settings.home))}),
        build(small.settings),
    )
    return definitions.resolve_job_def("publish_quarter")


def run(small: Small, **config: Any) -> Any:
    return job(small).execute_in_process(
        partition_key=QUARTER,
        raise_on_error=False,
        run_config={"ops": {"publish_figures": {"config": config}}},
    )


def reason(refused: Any) -> str:
    return " ".join(str(event.event_specific_data) for event in refused.all_events if event.is_step_failure)


@pytest.mark.long
def test_the_job_publishes_with_the_role_and_the_note_of_its_form(small: Small) -> None:
    assert run(small, approver_role="Secretary General", note="Checked with the regions").success
    entry = store.last_publication(small.warehouse, QUARTER)
    assert entry is not None
    assert (entry.version, entry.role, entry.note) == (1, "Secretary General", "Checked with the regions")
    assert small.warehouse.records(
        "select distinct version from released_figures where quarter = '2024-Q4'"
    ) == [{"version": 1}]


@pytest.mark.long
def test_the_job_refuses_with_the_reasons_and_a_missing_source_can_be_answered_for(small: Small) -> None:
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql("update load_ledger set status = 'failed' where source = 'zoho_people'")
    refused = run(small, approver_role="Director", note="ok")
    assert not refused.success
    assert "Zoho People is missing" in reason(refused)
    typed = " zoho_people = system being replaced; x=closed;"
    assert run(small, approver_role="Director", note="ok", without=typed).success
    entry = store.last_publication(small.warehouse, QUARTER)
    assert entry is not None
    assert entry.details["without"] == {"zoho_people": "system being replaced", "x": "closed"}


def test_a_missing_source_without_a_reason_blocks_and_says_how_to_give_one(small: Small) -> None:
    refused = run(small, approver_role="Director", note="ok", without="zoho_people")
    assert "give zoho_people a reason" in reason(refused)


@pytest.mark.long
def test_the_checks_of_the_released_figures_report_the_state_of_the_quarter(small: Small) -> None:
    asset = next(iter(build(small.settings).assets or []))
    result = dg.materialize(
        [asset, *[dg.AssetSpec(name) for name in ("indicator_values", "disclosure_people", "dim_indicator")]],
        selection=["released_figures"],
        partition_key=QUARTER,
        resources={"mel": Given(home=str(small.settings.home))},
    )
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert {name: check.passed for name, check in checks.items()} == {
        "small_groups_are_protected": True,
        "published_figures_hold": True,
        "figures_are_plausible": True,
        "quarter_can_be_published": True,
    }
    assert "nothing stands against publishing" in (checks["quarter_can_be_published"].description or "")
