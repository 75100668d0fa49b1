"""From draft to published and restated, on a small organisation loaded through the real ingest code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.errors import PublicationError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.publication import store
from mel_pipeline.publication.movement import movement
from mel_pipeline.publication.provenance import explain
from mel_pipeline.publication.publishing import approve, check, quarter_status
from mel_pipeline.publication.publishing import publish as freeze
from mel_pipeline.publication.readiness import obstacles
from mel_pipeline.publication.rebuild import rebuild
from mel_pipeline.publication.restatement import ledger_rows, sentence_of, state_reason
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, event, member, organisation
from mel_pipeline_tests.fixtures.shared import made_once

pytestmark = pytest.mark.slow

QUARTER = "2024-Q4"
GOOD = {f"r{number}": "Very satisfied" if number % 3 else "Neutral" for number in range(40)}


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "ten-members", tmp_path, ten_members)


@pytest.fixture
def published(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The same with the quarter published."""

    def make(home: Path) -> None:
        made = copy_of(tmp_path_factory, "ten-members", home, ten_members)
        made.publish(QUARTER, note="As discussed in the committee")
        made.warehouse.fold()

    shutil.copytree(made_once(tmp_path_factory, "published", make), tmp_path, dirs_exist_ok=True)
    return organisation(tmp_path)


def ten_members(small: Small) -> None:
    """One of them new in the quarter, a lab and forty answers about it; calculated."""
    small.load("accounts", [member(n) for n in range(1, 10)] + [member(10, joined_on="2024-11-01")])
    small.load("events", [event(1)])
    small.survey("lab.csv", GOOD)
    small.calculate(QUARTER)


def shown(small: Small) -> list[dict[str, Any]]:
    return small.warehouse.records(
        "select * from released_figures where quarter = '2024-Q4' order by indicator_id, period, disaggregation"
    )


@pytest.mark.long
def test_a_quarter_is_a_draft_then_approved_then_published(small: Small) -> None:
    quarter = Quarter.parse(QUARTER)
    assert quarter_status(small.warehouse, small.settings, quarter).state == "draft"
    small.publish(QUARTER)
    now = quarter_status(small.warehouse, small.settings, quarter)
    assert (now.state, now.version, now.open_restatements) == ("published", 1, 0)
    events = [entry.event for entry in store.ledger(small.warehouse, QUARTER)]
    assert events == ["approved", "published", "frozen"]


def test_a_source_that_is_not_set_up_is_no_obstacle_and_one_with_a_folder_is(small: Small) -> None:
    def missing() -> list[str]:
        found = obstacles(small.warehouse, small.settings, Quarter.parse(QUARTER))
        return [one.key for one in found if one.key == "attendance_lists"]

    assert missing() == []
    small.settings.attendance_folder.mkdir()
    assert missing() == ["attendance_lists"]


@pytest.mark.long
def test_obstacles_to_publishing_are_listed_with_what_to_do(small: Small) -> None:
    small.survey("other.csv", {"x1": "Splendide"})
    small.calculate(QUARTER)
    with pytest.raises(PublicationError) as refused:
        approve(small.warehouse, small.settings, Quarter.parse(QUARTER), "Director", "ok")
    said = str(refused.value)
    assert '"Splendide" (1)' in said
    assert "Zoho CRM is missing (" in said
    assert "--without zoho_crm=REASON" in said


def test_a_failed_blocking_check_prevents_publishing(small: Small) -> None:
    from mel_pipeline.quality.results import RuleResult
    from mel_pipeline.quality.results_log import note_results

    rule = RuleResult("rows", "completeness", "error", False, "Events: 0 rows where at least 1 are expected.")
    note_results(small.warehouse, [("raw_zoho_crm__events", rule)], source="zoho_crm")
    with pytest.raises(
        PublicationError, match="A blocking check fails on raw_zoho_crm__events: Events: 0 rows"
    ):
        small.publish(QUARTER)


def test_an_open_quarter_cannot_be_published(small: Small) -> None:
    with pytest.raises(PublicationError, match="has not ended"):
        small.publish("2025-Q1")


def test_data_loaded_after_the_calculation_must_be_calculated_before_publishing(small: Small) -> None:
    small.load("accounts", [member(11)])
    with pytest.raises(PublicationError, match="Data were loaded after 2024-Q4 was calculated"):
        small.publish(QUARTER)


def test_an_approval_holds_only_for_the_figures_that_were_approved(small: Small) -> None:
    quarter = Quarter.parse(QUARTER)
    without = dict.fromkeys(("zoho_crm", "zoho_people", "zoho_campaigns", "survey_files"), "not used")
    approve(small.warehouse, small.settings, quarter, "Director", "ok", without)
    small.load("accounts", [member(11)])
    small.calculate(QUARTER)
    with pytest.raises(PublicationError, match="the figures have changed since they were approved"):
        freeze(small.warehouse, small.settings, quarter)


def test_approving_needs_a_role_and_a_note(small: Small) -> None:
    with pytest.raises(PublicationError, match="give the approver's role"):
        approve(small.warehouse, small.settings, Quarter.parse(QUARTER), " ", "note")


@pytest.mark.long
def test_a_quarter_ready_to_publish_is_logged_as_checked_once(small: Small) -> None:
    small.load_the_rest()
    small.calculate(QUARTER)
    for _ in range(2):
        assert check(small.warehouse, small.settings, Quarter.parse(QUARTER)).state == "checked"
    assert [entry.event for entry in store.ledger(small.warehouse, QUARTER)] == ["checked"]


@pytest.mark.long
def test_a_published_figure_never_changes_and_the_difference_goes_into_the_ledger(published: Small) -> None:
    before = shown(published)
    published.load("accounts", [member(11, joined_on="2024-12-01")])
    published.calculate(QUARTER)
    differences = published.restated(QUARTER)
    assert shown(published) == before
    assert published.figure("MEM-01", QUARTER) == 10
    assert published.figure("MEM-01", QUARTER, table="indicator_values") == 11
    said = [item.sentence for item in differences]
    assert "MEM-01 2024-Q4 total: published 10, now 11; +1 by membership change." in said
    assert "MEM-02 2024 region=Asia: published 1, now 2; +1 by membership change." in said
    assert quarter_status(
        published.warehouse, published.settings, Quarter.parse(QUARTER)
    ).open_restatements == len(said)


@pytest.mark.long
def test_a_late_survey_file_is_late_data_and_changes_nothing_published(published: Small) -> None:
    before = shown(published)
    published.survey("late.csv", {f"late{number}": "Dissatisfied" for number in range(8)})
    published.calculate(QUARTER)
    published.restated(QUARTER)
    assert shown(published) == before
    row = next(
        row
        for row in ledger_rows(published.warehouse, QUARTER)
        if (row["indicator_id"], row["period"], row["disaggregation"]) == ("SAT-01", QUARTER, "total")
    )
    assert (row["state"], row["reason"], row["stated_by"]) == ("open", "late_data", "data")
    assert row["published"] == published.figure("SAT-01", QUARTER)
    assert row["current"] == published.figure("SAT-01", QUARTER, table="indicator_values")
    assert row["difference"] == pytest.approx(row["current"] - row["published"])


@pytest.mark.long
def test_a_difference_of_fewer_people_than_a_small_group_is_not_shown(published: Small) -> None:
    published.survey("late.csv", {"late1": "Very dissatisfied"})
    published.calculate(QUARTER)
    published.restated(QUARTER)
    rows = [row for row in ledger_rows(published.warehouse, QUARTER) if row["indicator_id"].startswith("SAT")]
    assert rows
    for row in rows:
        assert (row["state"], row["published"], row["current"], row["difference"]) == (
            "held",
            None,
            None,
            None,
        )
        assert "too few people" in sentence_of(row)


@pytest.mark.long
def test_a_new_version_includes_the_differences_but_holds_back_small_groups(published: Small) -> None:
    satisfaction = published.figure("SAT-01", QUARTER)
    published.load("accounts", [member(11, joined_on="2024-12-01")])
    published.survey("late.csv", {"late1": "Very dissatisfied"})
    published.calculate(QUARTER)
    published.restated(QUARTER)
    entry = published.publish(QUARTER)
    assert entry.version == 2
    assert published.figure("MEM-01", QUARTER) == 11
    assert published.figure("SAT-01", QUARTER) == satisfaction
    states = {row["indicator_id"]: row["state"] for row in ledger_rows(published.warehouse, QUARTER)}
    assert (states["MEM-01"], states["SAT-01"]) == ("restated", "held")
    published.survey("later.csv", {f"late{number}": "Very dissatisfied" for number in range(2, 9)})
    published.calculate(QUARTER)
    published.restated(QUARTER)
    row = next(
        row
        for row in ledger_rows(published.warehouse, QUARTER)
        if (row["indicator_id"], row["period"], row["disaggregation"]) == ("SAT-01", QUARTER, "total")
    )
    assert (row["state"], row["published"]) == ("open", satisfaction)


@pytest.mark.long
def test_publishing_twice_without_a_difference_is_refused(published: Small) -> None:
    with pytest.raises(PublicationError, match="holds the same figures"):
        published.publish(QUARTER)


@pytest.mark.long
def test_each_kind_of_change_has_its_part_and_the_parts_add_up(small: Small) -> None:
    small.load("events", [event(2, id="2", status="Cancelled")])
    small.calculate(QUARTER)
    small.publish(QUARTER)
    small.load("accounts", [member(3, left_on="2024-11-30", modified_at="2025-01-15T00:00:00+00:00")])
    small.load("events", [event(2, id="2", modified_at="2025-01-15T00:00:00+00:00"), event(3, id="3")])
    small.calculate(QUARTER)
    differences = {
        (item.indicator_id, item.reason): item.difference
        for item in small.restated(QUARTER)
        if (item.period, item.disaggregation) == (QUARTER, "total")
    }
    assert differences["MEM-01", "membership_change"] == -1
    assert differences["LAB-01", "correction"] == 1
    assert differences["LAB-01", "late_data"] == 1
    assert small.figure("LAB-01", QUARTER) == 1
    assert small.figure("LAB-01", QUARTER, table="indicator_values") == 3


@pytest.mark.fault(30)
@pytest.mark.long
def test_a_changed_definition_is_named_as_the_reason_and_the_old_one_still_rebuilds(
    published: Small, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(published.settings.sql_dir, project / "dbt_like_sql")
    model = project / "dbt_like_sql/models/marts/indicators/ind_lab_01.sql"
    model.write_text(model.read_text().replace("and e.is_held", "and e.is_held and e.lab <> 'Lab 1'"))
    later = Small(published.settings.model_copy(update={"project_dir": project}), published.warehouse)
    later.calculate(QUARTER)
    said = [item.sentence for item in later.restated(QUARTER)]
    assert "LAB-01 2024-Q4 total: published 1, now 0; -1 by definition change." in said
    assert later.figure("LAB-01", QUARTER) == 1
    assert rebuild(later.warehouse, QUARTER).identical


@pytest.mark.long
def test_a_published_quarter_rebuilds_byte_for_byte_whatever_was_loaded_since(published: Small) -> None:
    published.load(
        "accounts", [member(11), member(2, region="Europe", modified_at="2025-01-20T00:00:00+00:00")]
    )
    published.load("accounts", [], deleted={"4": None})
    published.survey("late.csv", {f"late{number}": "Dissatisfied" for number in range(8)})
    published.calculate(QUARTER)
    outcome = rebuild(published.warehouse, QUARTER)
    assert outcome.identical, outcome.differing
    assert "identical" in outcome.sentence


@pytest.mark.long
def test_a_stored_row_changed_from_outside_shows_in_the_rebuild(published: Small) -> None:
    with published.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update raw_zoho_crm__accounts_history set member_type = 'Associate' where id = '5'"
        )
    outcome = rebuild(published.warehouse, QUARTER)
    assert not outcome.identical
    assert any("MEM-01" in line for line in outcome.differing)
    assert "changed from outside" in outcome.sentence


def test_a_published_figure_changed_from_outside_shows_in_the_rebuild(published: Small) -> None:
    with published.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update published_figures set value = 12 where indicator_id = 'MEM-01' and disaggregation = 'total'"
        )
    assert not rebuild(published.warehouse, QUARTER).identical


def test_an_entry_of_the_ledger_changed_or_removed_later_breaks_its_chain(published: Small) -> None:
    assert store.broken_links(published.warehouse) == []
    with published.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update publication_ledger set role = 'Somebody else' where event = 'approved'"
        )
    assert store.broken_links(published.warehouse) == [1]
    with published.warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from publication_ledger where number = 1")
    assert store.broken_links(published.warehouse) == [2]


@pytest.mark.long
def test_an_unexplained_change_blocks_publishing_until_somebody_gives_the_reason(
    published: Small,
) -> None:
    with published.warehouse.transaction() as connection:  # a figure that no stored row explains
        connection.exec_driver_sql(
            "insert into restatement (quarter, version, indicator_id, period, disaggregation, state, stated_by,"
            " published, current, difference, first_seen_at) values ('2024-Q4', 1, 'FND-01', '2024-Q4', 'total',"
            " 'open', 'data', 1, 2, 1, timestamp '2025-01-01 00:00:00')"
        )
    published.load("accounts", [member(11)])
    published.calculate(QUARTER)
    with pytest.raises(
        PublicationError, match=r"do not explain why FND-01 2024-Q4 changed.*mel restate 2024-Q4 FND-01"
    ):
        published.publish(QUARTER)
    with pytest.raises(PublicationError, match="is not a known reason"):
        state_reason(published.warehouse, QUARTER, "FND-01", "because", "Director", "why")
    assert state_reason(published.warehouse, QUARTER, "FND-01", "correction", "Director", "Bank told us") == 1
    assert published.publish(QUARTER).version == 2


@pytest.mark.long
def test_a_movement_between_periods_is_split_and_the_parts_add_up(tmp_path: Path) -> None:
    made = organisation(tmp_path)
    made.load("accounts", [member(n) for n in range(1, 6)] + [member(6, joined_on="2024-11-01")])
    made.load("events", [event(1)])
    for quarter in ("2024-Q3", QUARTER):
        made.calculate(quarter)
    made.publish("2024-Q3")
    made.load("accounts", [member(7, joined_on="2024-08-01")])  # entered late
    for quarter in ("2024-Q3", QUARTER):
        made.calculate(quarter)
    made.restated("2024-Q3")
    change = movement(made.warehouse, "MEM-01", "2024-Q3", QUARTER)
    assert (change.before, change.after) == (5, 7)
    assert change.parts == {"real_change": 1, "membership_change": 1}
    assert sum(change.parts.values()) == change.after - change.before


def test_a_figure_is_explained_down_to_the_organisations_it_counts(published: Small) -> None:
    found = explain(published.warehouse, published.settings, "MEM-02", QUARTER)
    assert found.months.endswith(", the figure")
    assert found.records == ["City 10"]
    assert found.publications[-1].note == "As discussed in the committee"
    assert "raw_zoho_crm__accounts" in [item.table for item in found.inputs]
    assert found.lineage[-1] == "ind_mem_02"
    accounts = next(item for item in found.inputs if item.table == "raw_zoho_crm__accounts")
    assert accounts.rows == 10
    assert accounts.load_ids[0].startswith("zoho_crm-accounts-")


def test_people_behind_a_figure_are_never_listed(small: Small) -> None:
    assert explain(small.warehouse, small.settings, "SAT-01", QUARTER).records == []
