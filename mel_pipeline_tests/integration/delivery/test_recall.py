"""A published edition is recalled: marked everywhere, its receivers told once, packs and delivery follow, then replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from mel_pipeline.core.errors import DeliveryError, PublicationError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.delivery.recalling import recall_edition
from mel_pipeline.factcheck.published_figures import check_draft
from mel_pipeline.publication.recall import recall, recall_of
from mel_pipeline.publication.store import broken_links, ledger
from mel_pipeline.reporting.inputs.editions import read_edition
from mel_pipeline.reporting.inputs.packs import write_packs
from mel_pipeline_tests.integration.delivery.test_service import (  # noqa: F401 - fixtures
    ANA,
    BO,
    QUARTER,
    Case,
    body,
    calculated,
    case,
    published,
)

pytestmark = pytest.mark.slow
REASON = "The export of one source was counted twice"


@pytest.mark.fault(167, 168, 169)
@pytest.mark.long
def test_a_recalled_edition_is_marked_and_everyone_who_got_it_is_told_once(case: Case) -> None:  # noqa: F811
    case.changes["formats"] = "html,csv"
    case.deliver()
    case.box.arrived.clear()
    case.changes["mail_to"] = SecretStr(f"fr: {ANA}")  # the other one has left the list
    quarter = Quarter.parse(QUARTER)
    done = recall_edition(case.small.warehouse, case.settings, quarter, "Director", REASON)
    assert done.told == 1 and case.box.to == [ANA]
    assert "1 of those who received it is no longer in MEL_MAIL_TO" in " ".join(done.notes)
    told = body(case.box, ANA).replace("\n", " ")
    assert REASON in told and "Director" in told
    page = (case.settings.published_dir / QUARTER / "report-en.html").read_text("utf-8")
    copy = ((case.settings.deliver_dir or Path()) / QUARTER / "report-en.html").read_text("utf-8")
    assert REASON in page and REASON in copy and "Recalled" in page
    package = json.loads(
        (case.settings.published_dir / QUARTER / "data" / "datapackage.json").read_text("utf-8")
    )
    assert package["status"] == "recalled" and package["recalled"]["reason"] == f"{REASON}."
    assert package["releaseDays"][QUARTER] == "2025-02-14" and "en" in package["revisionPolicy"]
    site = (case.settings.published_dir / "releases" / "index.html").read_text("utf-8")
    assert REASON in site and "recalled on" in site
    again = recall_edition(case.small.warehouse, case.settings, quarter)
    assert (again.told, again.had) == (0, 1) and len(case.box.arrived) == 1, "nobody is told twice"
    with pytest.raises(DeliveryError, match="is recalled"):
        case.deliver()
    entry = [entry for entry in ledger(case.small.warehouse, QUARTER) if entry.event == "recalled"]
    assert [(one.role, one.note, one.version) for one in entry] == [("Director", f"{REASON}.", 1)]
    assert broken_links(case.small.warehouse) == []
    _replaced(case)


def _replaced(case: Case) -> None:  # noqa: F811
    """What was approved before the recall does not count; a new approval replaces the version."""
    with pytest.raises(PublicationError, match="recalled already"):
        recall(case.small.warehouse, Quarter.parse(QUARTER), "Director", "Again")
    entry = case.small.publish(QUARTER, "Checked again: the doubled rows are gone")
    assert entry.version == 2 and recall_of(case.small.warehouse, QUARTER) is None
    edition = read_edition(case.small.warehouse, case.settings, QUARTER)
    assert edition.publication is not None and edition.publication.recall is None
    assert case.deliver().sent == 1


@pytest.mark.fault(170)
def test_nothing_is_recalled_without_publication_role_and_reason(case: Case) -> None:  # noqa: F811
    with pytest.raises(PublicationError, match="not published"):
        recall(case.small.warehouse, Quarter.parse("2024-Q3"), "Director", "Wrong")
    with pytest.raises(PublicationError, match="give the role that decides and the reason"):
        recall(case.small.warehouse, Quarter.parse(QUARTER), "Director", " ")
    assert recall_of(case.small.warehouse, QUARTER) is None


@pytest.mark.fault(149, 171)
@pytest.mark.long
def test_packs_of_a_published_quarter_are_those_of_its_frozen_edition_and_agree_with_it(
    case: Case,  # noqa: F811
    tmp_path: Path,
) -> None:
    first = write_packs(case.small.warehouse, case.settings, QUARTER, ["deck"], tmp_path / "first")
    with case.small.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update dim_indicator set name_en = 'Something else' where indicator_id = 'MEM-01'"
        )
        connection.exec_driver_sql("delete from dim_project")
    later = write_packs(case.small.warehouse, case.settings, QUARTER, ["deck"], tmp_path / "later")
    assert [path.read_bytes() for path in first.files] == [path.read_bytes() for path in later.files]
    report = check_draft(case.small.warehouse, case.settings, first.files[0], "en", QUARTER)
    assert report.count("disagrees") == 0 and report.count("agrees") > 3
