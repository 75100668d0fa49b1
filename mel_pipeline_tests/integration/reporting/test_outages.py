"""What a report says about sources that did not respond."""

from __future__ import annotations

import re

import pytest

from mel_pipeline.core.errors import SourceError
from mel_pipeline.reporting.inputs.data_quality import read_outages, read_quality
from mel_pipeline.sandbox import Sandbox
from mel_pipeline_tests.conftest import Organisation


def fail(organisation: Organisation, sandbox: Sandbox, source: str, *entities: str) -> None:
    """Load while the platform rejects its token."""
    sandbox.platforms[source].fail("expired_token")
    try:
        for entity in entities:
            with pytest.raises(SourceError):
                organisation.load(source, entity)
    finally:
        sandbox.platforms[source].fail(None)


@pytest.mark.slow
def test_a_source_that_stopped_responding_gets_one_note_with_the_date_of_its_last_update(
    organisation: Organisation, sandbox: Sandbox
) -> None:
    for entity in ("accounts", "periods"):
        organisation.load("instagram", entity)
    assert read_outages(organisation.warehouse) == []
    fail(organisation, sandbox, "instagram", "accounts", "periods")
    (note,) = read_outages(organisation.warehouse)
    assert re.match(
        r"Instagram \(Accounts, Reach and views by period\): not updated since \d{4}-\d\d-\d\d; tried on \d{4}-\d\d-\d\d\. ",
        note,
    )
    assert "Authorise the account again" in note


@pytest.mark.slow
def test_a_source_whose_entities_all_failed_is_named_once_and_one_never_loaded_says_so(
    organisation: Organisation, sandbox: Sandbox
) -> None:
    entities = ("accounts", "daily", "periods")
    fail(organisation, sandbox, "matomo", *entities)
    (note,) = read_outages(organisation.warehouse)
    assert note.startswith("Matomo: never loaded; tried on ")


@pytest.mark.slow
def test_an_outage_that_is_over_leaves_no_note(organisation: Organisation, sandbox: Sandbox) -> None:
    fail(organisation, sandbox, "instagram", "accounts")
    organisation.load("instagram", "accounts")
    assert read_outages(organisation.warehouse) == []


@pytest.mark.slow
def test_the_quality_table_shows_a_failed_load_and_leaves_out_platforms_nobody_uses(
    organisation: Organisation, sandbox: Sandbox
) -> None:
    organisation.load("instagram", "accounts")
    fail(organisation, sandbox, "instagram", "accounts")
    table = read_quality(organisation.warehouse, organisation.settings.min_cell).set_index(
        ["source_title", "entity_title"]
    )
    assert "last load failed" in table.loc[("Instagram", "Accounts"), "status_sentence"]
    assert table.loc[("Instagram", "Posts and videos"), "status_sentence"] == "Not loaded yet."
    assert "Matomo" not in table.index.get_level_values(0)
    assert "Zoho CRM" in table.index.get_level_values(0)
