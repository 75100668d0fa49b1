"""What a report says about sources that did not answer."""

from __future__ import annotations

import re

import pytest

from mel_pipeline.editions import read_outages
from mel_pipeline.errors import SourceError
from mel_pipeline_tests.conftest import Organisation

CLOSED = "http://127.0.0.1:9"


def broken(organisation: Organisation, **settings: str) -> Organisation:
    return Organisation(organisation.settings.model_copy(update=settings), organisation.warehouse)


def fail(organisation: Organisation, source: str, *entities: str) -> None:
    for entity in entities:
        with pytest.raises(SourceError):
            organisation.load(source, entity)


def test_a_source_that_stopped_answering_gets_one_dated_note_with_the_day_it_last_did(
    organisation: Organisation,
) -> None:
    for entity in ("accounts", "periods"):
        organisation.load("instagram", entity)
    assert read_outages(organisation.warehouse) == []
    fail(broken(organisation, instagram_api_url=CLOSED), "instagram", "accounts", "periods")
    (note,) = read_outages(organisation.warehouse)
    assert re.match(
        r"Instagram \(Accounts, Reach and views by period\): not updated since \d{4}-\d\d-\d\d; tried on \d{4}-\d\d-\d\d\. ",
        note,
    )
    assert "cannot be reached" in note


def test_a_source_of_which_everything_failed_is_named_once_and_one_never_loaded_says_so(
    organisation: Organisation,
) -> None:
    entities = ("accounts", "daily", "periods")
    fail(broken(organisation, matomo_url=f"{CLOSED}/index.php"), "matomo", *entities)
    (note,) = read_outages(organisation.warehouse)
    assert note.startswith("Matomo: never loaded; tried on ")


def test_an_outage_that_is_over_leaves_no_note(organisation: Organisation) -> None:
    fail(broken(organisation, instagram_api_url=CLOSED), "instagram", "accounts")
    organisation.load("instagram", "accounts")
    assert read_outages(organisation.warehouse) == []
