"""Mailchimp and Brevo over HTTP: counts instead of rates, automatic opens, campaigns that have not settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError, SettingsError, TransientSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms.brevo import Brevo
from mel_pipeline.sandbox.platforms.mailchimp import Mailchimp
from mel_pipeline.sources.mailchimp import parse
from mel_pipeline.sources.mailchimp.client import open as open_mailchimp
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline_tests.conftest import TODAY, Organisation

QUICK = Policy(connect=2, read=5, attempts=3, backoff=0.001, longest_wait=0.2, throttled=0.01)
SOURCES = ["mailchimp", "brevo"]


@pytest.fixture
def platforms(sandbox: Sandbox) -> Iterator[dict[str, Mailchimp | Brevo]]:
    mailchimp, brevo = sandbox.platforms["mailchimp"], sandbox.platforms["brevo"]
    assert isinstance(mailchimp, Mailchimp) and isinstance(brevo, Brevo)
    kept = list(mailchimp.campaigns), list(brevo.campaigns)
    for platform in (mailchimp, brevo):
        platform.calls.clear()
    yield {"mailchimp": mailchimp, "brevo": brevo}
    for platform in (mailchimp, brevo):
        platform.recover()
        platform.announced_too_many = 0
    mailchimp.campaigns, brevo.campaigns = kept
    brevo.calls_left = 400


def load(organisation: Organisation, source: str, entity: str) -> LoadResult:
    client = import_module(f"mel_pipeline.sources.{source}.client").open(organisation.settings, QUICK)
    return load_entity(client, contract_of(source), entity, organisation.warehouse)


def counts(organisation: Organisation, content: object) -> dict[str, str]:
    found = organisation.warehouse.read(
        f"select metric, value from raw_platforms__metrics where content_id = '{content}' and value is not null"
    )
    return dict(zip(found["metric"], found["value"], strict=True))


def later(organisation: Organisation, days: int) -> Organisation:
    settings = organisation.settings.model_copy(update={"today": TODAY + timedelta(days=days)})
    return Organisation(settings, organisation.warehouse)


@pytest.mark.slow
@pytest.mark.behaviour("by_name", "mailchimp")
def test_mailchimp_counts_are_taken_and_never_its_rates(
    organisation: Organisation, platforms: dict[str, Mailchimp]
) -> None:
    load(organisation, "mailchimp", "content_metrics")
    campaign = platforms["mailchimp"].campaigns[0]
    assert counts(organisation, campaign.id) == {
        "emails_sent": str(campaign.emails), "delivered": str(campaign.emails - campaign.hard - campaign.soft),
        "unique_opens": str(campaign.opened), "unique_subscriber_clicks": str(campaign.clicked),
        "unsubscribed": str(campaign.left), "hard_bounces": str(campaign.hard), "soft_bounces": str(campaign.soft),
        "abuse_reports": "0",
    }  # fmt: skip


def test_the_variants_of_a_mailchimp_test_are_not_counted_beside_it() -> None:
    reports = [
        {"id": "a", "type": "variate"},
        {"id": "a1", "type": "variate-child"},
        {"id": "b", "type": "regular"},
    ]
    assert [one["id"] for one in parse.whole_campaigns(reports)] == ["a", "b"]


@pytest.mark.slow
@pytest.mark.behaviour("missing_not_zero", "mailchimp")
def test_mailchimp_report_without_bounces_has_no_delivered_either(
    organisation: Organisation, platforms: dict[str, Mailchimp]
) -> None:
    report = {
        "id": "c1",
        "list_id": "l",
        "send_time": "2024-03-01T09:00:00+00:00",
        "emails_sent": 10,
        "type": "regular",
    }
    platforms["mailchimp"].faults.add("reports", status=200, body={"reports": [report], "total_items": 1})
    load(organisation, "mailchimp", "content_metrics")
    assert counts(organisation, "c1") == {"emails_sent": "10"}


@pytest.mark.slow
@pytest.mark.behaviour("unique_not_added", "brevo")
def test_brevo_opens_by_apple_are_counted_separately_and_lists_are_not_added(
    organisation: Organisation, platforms: dict[str, Brevo]
) -> None:
    load(organisation, "brevo", "accounts")
    load(organisation, "brevo", "contents")
    load(organisation, "brevo", "content_metrics")
    campaign = next(one for one in platforms["brevo"].campaigns if len(one.lists) == 2)
    found = counts(organisation, campaign.id)
    assert found["uniqueViews"] == str(campaign.counts["uniqueViews"])
    assert found["appleMppOpens"] == str(campaign.counts["appleMppOpens"])
    assert contract_of("brevo").metrics["appleMppOpens"].counts == "other"
    accounts = organisation.warehouse.read(
        "select account_id from raw_platforms__contents where platform = 'brevo'"
    )
    assert set(accounts["account_id"]) == {"7", "several"}
    contents = organisation.warehouse.read("select * from raw_platforms__contents").to_csv()
    assert "news@example.org" not in contents


@pytest.mark.slow
@pytest.mark.behaviour("restated_days", "mailchimp", "brevo")
@pytest.mark.parametrize("source", SOURCES)
def test_campaigns_of_the_last_thirty_days_are_requested_again_and_their_earlier_counts_kept(
    organisation: Organisation, platforms: dict[str, Mailchimp | Brevo], source: str
) -> None:
    metric = {"mailchimp": "unique_opens", "brevo": "uniqueViews"}[source]
    platform = platforms[source]
    recent = platform.campaigns[-1].sent.replace(year=TODAY.year, month=11, day=10)
    platform.campaigns[-1] = replace(platform.campaigns[-1], sent=recent)  # type: ignore[type-var]
    assert load(organisation, source, "content_metrics").new > 50
    last = platform.campaigns[-1]
    if isinstance(platform, Mailchimp):
        moved = replace(last, opened=last.opened + 7)
    else:
        moved = replace(last, counts=last.counts | {"uniqueViews": last.counts["uniqueViews"] + 7})
    before = counts(organisation, last.id)[metric]
    platform.campaigns[-1] = moved
    result = load(later(organisation, 3), source, "content_metrics")
    assert result.changed >= 1 and result.fetched < 30
    versions = organisation.warehouse.read(
        f"select value from raw_platforms__metrics_history where content_id = '{last.id}' and metric = '{metric}' order by _loaded_at"
    )
    assert versions["value"].tolist()[0] == before
    assert int(versions["value"].iloc[-1]) == int(before) + 7


@pytest.mark.behaviour("last_page", "mailchimp", "brevo")
@pytest.mark.parametrize("source", SOURCES)
def test_fewer_campaigns_than_announced_are_not_a_complete_list(
    organisation: Organisation, platforms: dict[str, Mailchimp | Brevo], source: str
) -> None:
    platforms[source].announced_too_many = 1
    with pytest.raises(TransientSourceError, match="were announced and"):
        load(organisation, source, "contents")
    assert not organisation.warehouse.has_table("raw_platforms__contents")


@pytest.mark.behaviour("no_secrets", "mailchimp")
def test_a_mailchimp_key_goes_to_the_data_centre_it_names_and_nowhere_without_one(
    organisation: Organisation,
) -> None:
    own = Settings(home=organisation.settings.home, sample=False)
    settings = own.with_source("mailchimp", api_key="0123-us7")
    assert open_mailchimp(settings)._url == "https://us7.api.mailchimp.com/3.0"
    for key in ("0123", "0123-us7.evil.example", "0123-us7/x"):
        with pytest.raises(SettingsError, match="data centre"):
            open_mailchimp(own.with_source("mailchimp", api_key=key))


@pytest.mark.behaviour("throttling", "brevo")
def test_brevo_exhausted_hourly_quota_is_left_to_the_next_run(
    organisation: Organisation, platforms: dict[str, Brevo]
) -> None:
    platforms["brevo"].calls_left = 0
    platforms["brevo"]._window_ends = platforms["brevo"].clock.seconds() + 3_000
    with pytest.raises(TransientSourceError, match="50 minutes"):
        load(organisation, "brevo", "contents")


@pytest.mark.slow
@pytest.mark.behaviour("missing_not_zero", "brevo")
def test_brevo_campaigns_too_old_for_the_counts_in_the_list_are_requested_one_by_one(
    organisation: Organisation, platforms: dict[str, Brevo]
) -> None:
    brevo = platforms["brevo"]
    load(organisation, "brevo", "content_metrics")
    for campaign in (brevo.campaigns[0], brevo.campaigns[-1]):
        assert counts(organisation, campaign.id)["uniqueViews"] == str(campaign.counts["uniqueViews"]) != "0"
    alone = [call for call in brevo.calls if call.path.startswith("/v3/emailCampaigns/")]
    assert 10 < len(alone) < len(brevo.campaigns)
    brevo.calls.clear()
    load(later(organisation, 1), "brevo", "content_metrics")
    assert [call for call in brevo.calls if call.path.startswith("/v3/emailCampaigns/")] == []


@pytest.mark.behaviour("broken_answer", "mailchimp", "brevo")
@pytest.mark.parametrize(
    "body", [{}, {"count": "many", "total_items": "many", "reports": [], "campaigns": []}]
)
@pytest.mark.parametrize("source", SOURCES)
def test_a_response_without_a_total_is_not_a_complete_list(
    organisation: Organisation, platforms: dict[str, Mailchimp | Brevo], source: str, body: dict[str, object]
) -> None:
    platforms[source].faults.add("reports|emailCampaigns", times=None, status=200, body=body)
    with pytest.raises(PermanentSourceError):
        load(organisation, source, "content_metrics")
    assert not organisation.warehouse.has_table("raw_platforms__metrics")
