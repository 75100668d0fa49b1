"""The overview of a quarter in Dagster: real figures in a small organisation, and its text."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.periods import Quarter
from mel_pipeline.defs import calculate
from mel_pipeline.defs.overview import ASSET, TEXT, build, overview_text
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.reporting.inputs.overview import Overview, read_overview
from mel_pipeline.sources import open_source
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, seven_members
from mel_pipeline_tests.fixtures.resource import Given

QUARTER = "2024-Q4"
EMPTY = Overview(
    quarter=QUARTER,
    sentence="2024-Q4 is checked: nothing stands against publishing it.",
    obstacles=(),
    pages={"English": "report-en.html", "français": "report-fr.html"},
    is_published=False,
    sources=(),
    quarantined={},
    flagged=(),
    owed=(),
    totals={"MEM-01 Member cities": "164"},
)


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "seven-members", tmp_path, seven_members)


def materialized(small: Small, instance: dg.DagsterInstance) -> str:
    """The text of the overview, as the UI shows it."""
    definitions = dg.Definitions.merge(
        dg.Definitions(resources={"mel": Given(home=str(small.settings.home))}), build(small.settings)
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(partition_key=QUARTER, instance=instance)
    return str(result.asset_materializations_for_node(ASSET)[0].metadata[TEXT].value)


@pytest.mark.slow
def test_the_overview_names_the_totals_that_changed_since_the_run_before(small: Small) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = materialized(small, instance)
        same = materialized(small, instance)
        with small.warehouse.transaction() as connection:
            connection.exec_driver_sql(
                "update released_figures set value = value + 1"
                f" where indicator_id = 'MEM-01' and period = '{QUARTER}' and dimension = 'total'"
            )
        changed = materialized(small, instance)
    assert "This is the first overview of the quarter." in first
    assert "**Changed since the last run**\n\nNothing." in same
    assert "- MEM-01 Member cities: 7 → 8" in changed


@pytest.mark.slow
def test_rows_in_quarantine_and_obstacles_are_read_with_their_reasons(small: Small) -> None:
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "insert into quarantine (fingerprint, load_id, source, entity, source_ref, row_key, rule, reason, lost,"
            " quarantined_at) values ('f', 'l', 'zoho_crm', 'accounts', 'record 17', '17', 'not null',"
            " 'name is empty', 'row', timestamp '2024-11-02 10:00:00')"
        )
    found = read_overview(small.warehouse, small.settings, Quarter.parse(QUARTER))
    assert found.quarantined["raw_zoho_crm__accounts"] == ("record 17: name is empty",)
    assert found.totals["MEM-01 Member cities"] == "7"
    assert not found.is_published


def test_a_quarter_without_trouble_says_so_and_links_to_its_pages_and_to_publishing() -> None:
    text = overview_text(EMPTY, dict(EMPTY.totals), {})
    assert "[English](/drafts/2024-Q4/report-en.html) · [français](/drafts/2024-Q4/report-fr.html)" in text
    assert "[Publish it](/locations/mel/jobs/publish_quarter/playground)" in text
    assert text.count("Nothing.") == 6
    assert "Open comments" not in text


def test_how_far_comments_are_coded_stands_in_the_overview_with_a_link() -> None:
    text = overview_text(replace(EMPTY, comments=("8 of 13 open comments have a theme.",)), {}, {})
    assert "- 8 of 13 open comments have a theme.\n\n[Code comments](/workbook)" in text


def test_every_kind_of_trouble_stands_in_the_overview_with_a_link() -> None:
    troubled = replace(
        EMPTY,
        obstacles=("LinkedIn did not answer.",),
        sources=("LinkedIn: not updated since 2024-11-02.",),
        quarantined={"raw_zoho_crm__accounts": ("record 17: name is empty",)},
        flagged=(("GEN-02", "GEN-02 Women among speakers: -27.8 points."), ("ADV-01", "ADV-01: +3.")),
        lists=("a.csv: several events fit the list.",),
        owed=("MEL lead: main points of 2024-Q4 was due on 2025-01-10.",),
    )
    text = overview_text(troubled, None, {"GEN-02": "chart_women_among_speakers"})
    for part in (
        "- LinkedIn did not answer.",
        "- LinkedIn: not updated since 2024-11-02.",
        "Nobody on them counts.\n\n- a.csv: several events fit the list.\n\n[Choose their event](/workbook#lists)",
        "[raw_zoho_crm__accounts](/assets/raw_zoho_crm__accounts): 1\n\n- record 17: name is empty",
        "- GEN-02 Women among speakers: -27.8 points. [Chart](/assets/chart_women_among_speakers)",
        "- ADV-01: +3.",
        "- MEL lead: main points of 2024-Q4 was due on 2025-01-10.\n\n[Workbook](/workbook)",
    ):
        assert part in text
    assert "Publish it" not in text


def test_a_long_list_says_how_many_more_there_are() -> None:
    text = overview_text(replace(EMPTY, sources=tuple(f"Source {n} is late." for n in range(14))), None, {})
    assert "- Source 9 is late.\n- and 4 more." in text


@pytest.mark.fault(183)
@pytest.mark.slow
def test_a_list_without_its_event_is_named_with_the_reason_by_the_check_and_the_overview(
    small: Small,
) -> None:
    loaded(
        small, {"EV-1.csv": "Date:,2024-11-05\n", "unknown.csv": "", "EV-1 moved.csv": "Date:,03/04/2024\n"}
    )
    definitions = dg.Definitions.merge(
        dg.Definitions(resources={"mel": Given(home=str(small.settings.home))}),
        calculate.build(small.settings),
    )
    keys = ["stg_attendance_lists__attendances", "stg_zoho_crm__events", "int_attendance_event"]
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(key) for key in keys]
        )
    by_name = {
        (one.asset_key.to_user_string(), one.check_name): one for one in result.get_asset_check_evaluations()
    }
    check = by_name["int_attendance_event", "every_attendance_list_has_its_event"]
    assert not check.passed and check.severity == dg.AssetCheckSeverity.WARN
    moved = (
        "EV-1 moved.csv: the list is of another day than its event (the list is of 3 April 2024 or 4 March 2024, as"
        " day and month could change places; EV-1 is on 5 November 2024)."
    )
    for words in (str(check.description), str(check.metadata["all"].value)):
        assert moved in words and "unknown.csv: no event is named by the list" in words
        assert "EV-1.csv" not in words
    assert by_name["int_attendance_event", calculate.CHECK].passed, "its other rules hold"
    found = read_overview(small.warehouse, small.settings, Quarter.parse(QUARTER))
    assert moved in found.lists and len(found.lists) == 2


def loaded(small: Small, lists: dict[str, str]) -> None:
    folder = small.settings.attendance_folder
    folder.mkdir(parents=True)
    for name, above in lists.items():
        (folder / name).write_text(f"{above}Name,Email\nAna,a@example.org\n", encoding="utf-8")
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    load_entity(
        open_source("attendance_lists", small.settings),
        contract_of("attendance_lists"),
        "attendances",
        small.warehouse,
        processing=row_processing_for(small.warehouse, small.settings, "attendance_lists", "attendances"),
    )
