"""KoBoToolbox and ODK Central over HTTP: every page, labels from the form, repeated groups, reviews, nobody's name."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from importlib import import_module

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError, SettingsError, TransientSourceError
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms.kobo import FORM, Kobo
from mel_pipeline.sandbox.platforms.odk import OdkCentral
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline_tests.conftest import Organisation

pytestmark = pytest.mark.exhaustive  # many loads; the fast tests have one of each kind
QUICK = Policy(connect=2, read=5, attempts=3, backoff=0.001, longest_wait=0.2, throttled=0.01)
SERVERS = ["kobo", "odk"]


@pytest.fixture
def servers(sandbox: Sandbox) -> Iterator[dict[str, Kobo | OdkCentral]]:
    kobo, odk = sandbox.platforms["kobo"], sandbox.platforms["odk"]
    assert isinstance(kobo, Kobo) and isinstance(odk, OdkCentral)
    originals = [json.loads(json.dumps(server.submissions)) for server in (kobo, odk)]
    for server in (kobo, odk):
        server.calls.clear()
    yield {"kobo": kobo, "odk": odk}
    for server, submissions in zip((kobo, odk), originals, strict=True):
        server.recover()
        server.submissions, server.announced_too_many = submissions, 0


def load(organisation: Organisation, source: str) -> LoadResult:
    client = import_module(f"mel_pipeline.sources.{source}.client").open(organisation.settings, QUICK)
    return load_entity(client, contract_of(source), "responses", organisation.warehouse)


def responses(organisation: Organisation) -> dict[str, dict[str, object]]:
    rows = organisation.warehouse.read("select * from raw_surveys__responses where not _is_deleted")
    rows = rows.astype(object).where(rows.notna(), None)
    return {str(row["response_id"]): row for row in rows.to_dict("records")}


@pytest.mark.behaviour("all_pages", "kobo", "odk")
@pytest.mark.parametrize(("source", "size"), [("kobo", 20), ("odk", 30)])
def test_paging_continues_to_the_end_without_following_next_page_urls(
    organisation: Organisation,
    servers: dict[str, Kobo],
    source: str,
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"mel_pipeline.sources.{source}.client.PAGE", size)
    load(organisation, source)
    left_out = {
        "kobo": lambda one: bool(one["_validation_status"]),
        "odk": lambda one: one["__system"]["reviewState"] == "rejected",
    }[source]
    wanted = [one for one in servers[source].submissions if not left_out(one)]
    assert len(servers[source].submissions) > 3 * size
    assert len(responses(organisation)) == len(wanted)


@pytest.mark.behaviour("all_pages", "kobo", "odk")
@pytest.mark.parametrize("source", SERVERS)
def test_fewer_submissions_than_announced_are_not_a_complete_list(
    organisation: Organisation, servers: dict[str, Kobo], source: str
) -> None:
    servers[source].announced_too_many = 1
    with pytest.raises(TransientSourceError, match="were announced and"):
        load(organisation, source)
    assert not organisation.warehouse.has_table("raw_surveys__responses")


@pytest.mark.behaviour("multiple_choice", "kobo")
@pytest.mark.behaviour("repeats", "kobo")
def test_kobo_labels_come_from_the_form_and_repeated_groups_are_joined_to_their_response(
    organisation: Organisation, servers: dict[str, Kobo]
) -> None:
    load(organisation, "kobo")
    raw = next(
        one
        for one in servers["kobo"].submissions
        if len(one["teams"]) == 2 and "climate" in one["topics"].split() and not one["_validation_status"]
    )
    found = responses(organisation)[str(raw["_id"])]
    others = json.loads(str(found["other_answers"]))
    assert "Climate / energy" in others["What does your city need?"]
    assert len(others["What does your city need?"]) == len(raw["topics"].split())
    assert others["teams"] == [{"Role": row["teams/role"]} for row in raw["teams"]]
    assert found["city"] == raw["about/city"]
    assert found["gender"] in ("Woman", "Man", "Non-binary", "Prefer not to say")
    assert found["completed_at"] == f"{raw['_submission_time']}+00:00"
    assert (found["tool"], found["survey"], found["origin"]) == ("kobo", FORM, "api")


@pytest.mark.behaviour("repeats", "odk")
@pytest.mark.behaviour("multiple_choice", "odk")
def test_odk_groups_are_flattened_and_repeated_ones_are_joined_to_their_response(
    organisation: Organisation, servers: dict[str, OdkCentral]
) -> None:
    load(organisation, "odk")
    raw = next(one for one in servers["odk"].submissions if one["__system"]["reviewState"] != "rejected")
    found = responses(organisation)[raw["__id"]]
    assert found["city"] == raw["visit"]["city"]
    others = json.loads(str(found["other_answers"]))
    assert others == {
        "people": [{"role": "Host"}, {"role": "Expert"}],
        "themes": raw["visit"]["themes"].split(),
    }


@pytest.mark.behaviour("personal_data", "kobo", "odk")
@pytest.mark.parametrize("source", SERVERS)
def test_neither_respondents_nor_interviewers_are_stored(
    organisation: Organisation, servers: dict[str, Kobo], source: str
) -> None:
    sent = json.dumps(servers[source].submissions)
    assert "enumerator" in sent
    load(organisation, source)
    stored = organisation.warehouse.read("select * from raw_surveys__responses").to_csv()
    assert [
        sign
        for sign in ("enumerator", "@example.org", "Sample Person", "41.38", "collect:abc")
        if sign in stored
    ] == []


@pytest.mark.behaviour("counted_once", "kobo", "odk")
@pytest.mark.parametrize("source", SERVERS)
def test_an_edited_submission_keeps_its_latest_version_and_one_rejected_later_is_gone(
    organisation: Organisation, servers: dict[str, Kobo], source: str
) -> None:
    load(organisation, source)
    before = responses(organisation)
    one, other = servers[source].submissions[2:4]
    if source == "kobo":
        key = str(one["_id"])
        one["about/city"] = "Nairobi"  # its submission time stays
        one["_validation_status"] = {}
        other["_validation_status"] = {"uid": "validation_status_not_approved"}
    else:
        key = one["__id"]
        one["visit"]["city"], one["__system"]["reviewState"] = "Nairobi", "edited"
        other["__system"]["reviewState"] = "rejected"
    result = load(organisation, source)
    after = responses(organisation)
    assert (before[key]["city"] != "Nairobi", after[key]["city"]) == (True, "Nairobi")
    assert (result.changed, result.deleted) == (1, 1)
    versions = organisation.warehouse.read(
        f"select city from raw_surveys__responses_history where response_id = '{key}' order by _loaded_at"
    )
    assert versions["city"].tolist() == [before[key]["city"], "Nairobi"]


@pytest.mark.behaviour("vanished", "kobo", "odk")
@pytest.mark.fault(74)
@pytest.mark.parametrize("source", SERVERS)
def test_submissions_that_are_gone_from_the_server_are_told_and_still_count(
    organisation: Organisation, servers: dict[str, Kobo], source: str
) -> None:
    assert not any("not there any more" in warning for warning in load(organisation, source).warnings)
    stored = len(responses(organisation))
    gone = servers[source].submissions.pop()
    (told,) = [words for words in load(organisation, source).warnings if "not there any more" in words]
    assert "1 submissions" in told and f"({gone['_id' if source == 'kobo' else '__id']})" in told
    assert len(responses(organisation)) == stored


@pytest.mark.behaviour("counted_once", "kobo")
def test_a_submission_that_comes_from_the_api_and_in_an_export_counts_once(
    organisation: Organisation, servers: dict[str, Kobo]
) -> None:
    load(organisation, "kobo")
    count = len(responses(organisation))
    raw = next(one for one in servers["kobo"].submissions if not one["_validation_status"])
    folder = organisation.settings.survey_folder
    for path in folder.glob("*.csv"):
        path.unlink()
    header = '"city";"_id";"_uuid";"_submission_time";"_validation_status"'
    path = folder / "needs.csv"
    path.write_text(
        f'{header}\r\n"{raw["about/city"]}";"{raw["_id"]}";"u";"{raw["_submission_time"]}";""\r\n', "utf-8"
    )
    os.utime(path, (time.time() - 60,) * 2)
    organisation.load("survey_files", "responses")
    assert len(responses(organisation)) == count


def test_a_form_that_does_not_exist_names_the_setting(
    organisation: Organisation, servers: dict[str, Kobo]
) -> None:
    settings = organisation.settings.with_source("kobo", asset_uids="aNothing")
    client = import_module("mel_pipeline.sources.kobo.client").open(settings, QUICK)
    with pytest.raises(PermanentSourceError, match="MEL_KOBO_ASSET_UIDS"):
        load_entity(client, contract_of("kobo"), "responses", organisation.warehouse)
    settings = organisation.settings.with_source("odk", forms="site_visit")
    client = import_module("mel_pipeline.sources.odk.client").open(settings, QUICK)
    with pytest.raises(SettingsError, match="is not project/form"):
        load_entity(client, contract_of("odk"), "responses", organisation.warehouse)


def test_a_form_without_a_question_that_is_known_warns_and_its_answers_are_kept(
    organisation: Organisation, servers: dict[str, Kobo]
) -> None:
    fields = [{"name": "x", "path": "/x", "type": "string", "binary": None, "selectMultiple": None}]
    servers["odk"].faults.add("fields", times=None, status=200, body=json.dumps(fields).encode())
    result = load(organisation, "odk")
    assert "no question was recognised" in result.warnings[0]
    assert result.new > 100
