"""Zoho Campaigns over loopback: the list and the reports as documented, and the ways they fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.zoho_campaigns import client, parse
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.fixtures.loopback import Reply, Request, Service, serving
from mel_pipeline_tests.fixtures.zoho_stub import QUICK, SECRETS, Zoho

TODAY = date(2026, 11, 20)
METRICS = len(contract_of("zoho_campaigns").metrics)
RECENT, REPORTS = "/campaigns/api/v1.1/recentcampaigns", "/campaigns/api/v1.1/campaignreports"
PERSON = "person@example.org"

pytestmark = [
    pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This pattern is interpreted:UserWarning"),
]


def sent(day: str) -> str:
    return str(int(datetime.fromisoformat(f"{day}T09:30:00+00:00").timestamp() * 1000))


def campaign(number: int, day: str = "2026-11-08", **more: str) -> dict[str, str]:
    record = {
        "campaign_key": f"key{number}",
        "campaign_name": f"Newsletter {number}",
        "campaign_status": "Sent",
        "from_email": PERSON,
        "sent_time": sent(day),
        "sent_time_gmt": sent(day),
    }
    return record | more


def report(number: int, **more: str) -> dict[str, str]:
    counts = {
        "emails_sent_count": "1,234",
        "delivered_count": "1200",
        "opens_count": "400",
        "unopened": "800",
        "unique_clicks_count": "80",
        "unsub_count": "0",
        "bounces_count": "34",
        "complaints_count": "",
        "open_percent": "33.3",
    }
    return {"campaign_name": f"Newsletter {number}", **counts, **more}


def good(**body: Any) -> Reply:
    return Reply({"status": "success", "code": "0", "uri": "/api/v1.1", **body})


def bad(code: str, message: str = f"No, {PERSON}", status: int = 200) -> Reply:
    return Reply({"status": "error", "code": code, "message": message}, status)


class Campaigns(Zoho):
    """A list of campaigns and their reports, for tests to modify."""

    def __init__(self) -> None:
        super().__init__()
        self.campaigns = [campaign(1), campaign(2, "2026-10-01"), campaign(3, "2024-02-08")]
        self.most = 100  # per page, regardless of the requested size
        self.counts: Callable[[str], Reply] = lambda key: good(**{"campaign-reports": [report(int(key[3:]))]})
        self.module = self.either

    def either(self, request: Request) -> Reply:
        return self.list(request) if request.path == RECENT else self.counts(request.query["campaignkey"])

    def list(self, request: Request) -> Reply:
        assert (request.query["resfmt"], request.query["status"]) == ("JSON", "sent")
        first, many = int(request.query["fromindex"]), min(int(request.query["range"]), self.most)
        part = self.campaigns[first - 1 : first - 1 + many]
        return good(recent_campaigns=part) if part else bad("6101", "No campaign available in this view.")

    def answer(self, request: Request) -> Reply:
        if request.path in (RECENT, REPORTS) and self.token_of(request) not in self.valid:
            return Reply({"code": "INVALID_TOKEN", "message": "invalid oauth token", "status": "error"}, 401)
        return super().answer(request)

    @staticmethod
    def token_of(request: Request) -> str:
        return request.headers["Authorization"].removeprefix("Zoho-oauthtoken ")


@contextmanager
def campaigns() -> Iterator[tuple[Campaigns, Service]]:
    service = Campaigns()
    with serving(service.answer) as server:
        service.url = server.url
        yield service, server


def source(server: Service, home: Path) -> client.ZohoCampaigns:
    base = with_sample_values(Settings(home=home, today=TODAY, _env_file=None), 1)
    urls = {"zoho_accounts_url": server.url, "zoho_api_url": server.url}
    settings = base.model_copy(update=urls | {"zoho_campaigns_url": f"{server.url}/campaigns"})
    return client.open(settings, QUICK)


def read(server: Service, home: Path, cursor: str | None = None) -> tuple[list[Batch], str | None]:
    pull = source(server, home).pull("content_metrics", cursor=cursor)
    return list(pull.batches), pull.cursor()


def load(server: Service, home: Path) -> LoadResult:
    contract = contract_of("zoho_campaigns")
    return load_entity(source(server, home), contract, "content_metrics", warehouse(home))


def warehouse(home: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{home / 'warehouse.duckdb'}", 10)


def asked_for(server: Service) -> list[str]:
    return [request.query["campaignkey"] for request in server.requests if request.path == REPORTS]


@pytest.mark.slow
@pytest.mark.behaviour("missing_not_zero", "zoho_campaigns")
@pytest.mark.behaviour("by_name", "zoho_campaigns")
def test_a_newsletter_is_loaded_with_numeric_counts_and_no_personal_data(tmp_path: Path) -> None:
    with campaigns() as (_, server):
        result = load(server, tmp_path)
        load_entity(source(server, tmp_path), contract_of("zoho_campaigns"), "contents", warehouse(tmp_path))
    assert (result.new, result.quarantined) == (3 * METRICS, 0)
    contents = warehouse(tmp_path).read("select * from raw_platforms__contents").set_index("content_id")
    row = contents.loc["key1"]
    assert (row["title"], row["published_at"]) == ("Newsletter 1", "2026-11-08T09:30:00+00:00")
    figures = warehouse(tmp_path).read("select * from raw_platforms__metrics where content_id = 'key1'")
    counts = figures.set_index("metric")["value"]
    assert counts["emails_sent_count"] == "1234"
    assert (counts["delivered_count"], counts["opens_count"], counts["unique_clicks_count"]) == (
        "1200",
        "400",
        "80",
    )
    assert (counts["unsub_count"], counts["bounces_count"]) == ("0", "34")
    assert counts.isna()["complaints_count"]  # empty is missing, not zero
    assert PERSON not in contents.to_csv() + figures.to_csv()
    assert {request.path for request in server.requests} == {"/oauth/v2/token", RECENT, REPORTS}


@pytest.mark.parametrize(
    ("text", "read"),
    [("1,234", "1234"), ("12,345,678", "12345678"), ("0", "0"), ("", None), ("null", None), (" ", None), (7, "7"),
     ("1,23", "1,23"), ("1.234", "1.234"), ("many", "many")],
)  # fmt: skip
@pytest.mark.behaviour("by_name", "zoho_campaigns")
def test_a_count_is_read_or_left_for_the_contract_to_refuse(text: object, read: str | None) -> None:
    assert parse.count(text) == read


@pytest.mark.slow
@pytest.mark.behaviour("restated_days", "zoho_campaigns")
def test_reports_that_may_still_change_are_requested_again_and_older_ones_once(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        assert load(server, tmp_path).new == 3 * METRICS
        assert asked_for(server) == ["key1", "key2", "key3"]
        server.requests.clear()
        service.counts = lambda key: good(**{"campaign-reports": [report(int(key[3:]), opens_count="500")]})
        result = load(server, tmp_path)
        assert asked_for(server) == ["key1"]
        assert (result.new, result.changed, result.deleted) == (0, 1, 0)
        service.campaigns.insert(0, campaign(4, "2026-11-19"))
        server.requests.clear()
        assert load(server, tmp_path).new == METRICS
        assert asked_for(server) == ["key4", "key1"]
    versions = warehouse(tmp_path).read(
        "select value from raw_platforms__metrics_history"
        " where content_id = 'key1' and metric = 'opens_count' order by _loaded_at"
    )
    assert versions["value"].tolist() == ["400", "500"]


def test_a_campaign_read_while_it_was_changing_is_read_once_more_when_it_has_settled(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        service.campaigns = [campaign(1, "2026-10-22")]
        _, cursor = read(server, tmp_path)
        assert cursor is None  # nothing is settled: 29 days
        made = source(server, tmp_path)
        made._today = date(2026, 11, 23)
        pull = made.pull("content_metrics", cursor=cursor)
        list(pull.batches)
        settled = pull.cursor()
        assert settled and json.loads(settled)["campaigns"] == {"key1": True}
        server.requests.clear()
        assert read(server, tmp_path, settled)[0] == []
        assert asked_for(server) == []


def test_changed_rules_read_every_report_again(tmp_path: Path) -> None:
    with campaigns() as (_, server):
        stale = json.dumps({"rules": "of another version", "campaigns": {"key3": True}})
        read(server, tmp_path, stale)
        assert asked_for(server) == ["key1", "key2", "key3"]


@pytest.mark.parametrize("most", [5, 20])
@pytest.mark.behaviour("last_page", "zoho_campaigns")
def test_the_list_is_read_to_its_end_however_small_its_pages(tmp_path: Path, most: int) -> None:
    with campaigns() as (service, server):
        service.campaigns = [campaign(number) for number in range(1, 48)]
        service.most = most
        batches, _ = read(server, tmp_path)
        keys = [key for batch in batches for key in dict.fromkeys(batch.frame["content_id"])]
        assert keys == [f"key{number}" for number in range(1, 48)]


def test_a_campaign_sent_while_the_list_is_read_duplicates_none(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        service.campaigns = [campaign(number) for number in range(1, 31)]

        def one_more(request: Request) -> Reply:
            reply = service.list(request)
            if server.count(RECENT) == 1:
                service.campaigns.insert(0, campaign(99))
            return reply

        service.module = lambda request: (
            one_more(request) if request.path == RECENT else service.either(request)
        )
        batches, _ = read(server, tmp_path)
        keys = [key for batch in batches for key in dict.fromkeys(batch.frame["content_id"])]
        assert sorted(keys) == sorted(f"key{number}" for number in range(1, 31))


def test_no_campaigns_give_no_rows_and_no_error(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        service.campaigns = []
        assert read(server, tmp_path) == ([], None)


def test_a_report_without_counts_leaves_them_empty_and_is_requested_again(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        service.campaigns = [campaign(3, "2024-02-08")]
        service.counts = lambda key: good(**{"campaign-reports": []})
        (batch,), cursor = read(server, tmp_path)
        assert batch.frame["value"].isna().all()
        assert cursor is None


@pytest.mark.slow
@pytest.mark.parametrize("code", ["6002", "6302", "2206"])
@pytest.mark.sweep
def test_a_campaign_without_a_report_is_quarantined_and_the_others_load(tmp_path: Path, code: str) -> None:
    with campaigns() as (service, server):
        counts = service.counts
        service.counts = lambda key: bad(code) if key == "key2" else counts(key)
        result = load(server, tmp_path)
        assert (result.new, result.quarantined) == (2 * METRICS, 1)
        assert "no report of it" in result.waiting[0]
        assert "key2" not in json.loads(read(server, tmp_path)[1] or "")["campaigns"]
        service.counts = counts
        assert load(server, tmp_path).waiting == []


@pytest.mark.slow
def test_a_report_that_lacks_a_field_is_quarantined_and_not_read_as_empty(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        renamed = {name: value for name, value in report(1).items() if name != "opens_count"}
        service.counts = lambda key: good(**{"campaign-reports": [renamed]})
        result = load(server, tmp_path)
    assert (result.new, result.quarantined) == (0, 3)
    assert "no field opens_count" in result.waiting[0]


@pytest.mark.slow
def test_a_count_that_is_not_a_number_is_quarantined(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        service.campaigns = [campaign(1)]
        service.counts = lambda key: good(**{"campaign-reports": [report(1, opens_count="n/a")]})
        result = load(server, tmp_path)
    assert result.waiting == ["campaign key1, row opens_count: The value of opens_count is not a number."]


@pytest.mark.slow
@pytest.mark.behaviour("resumed", "zoho_campaigns")
def test_an_interrupted_load_resumes_where_it_stopped(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        service.campaigns = [campaign(number, "2024-02-08") for number in range(1, 61)]
        counts = service.counts
        service.counts = lambda key: Reply(status=503) if key == "key45" else counts(key)
        with pytest.raises(TransientSourceError):
            load(server, tmp_path)
        server.requests.clear()
        service.counts = counts
        result = load(server, tmp_path)
        assert result.new == 60 * METRICS
        assert asked_for(server) == [f"key{number}" for number in range(41, 61)]
        server.requests.clear()
        assert load(server, tmp_path).fetched == 0
        assert asked_for(server) == []


def test_a_token_that_expires_is_renewed_once_and_the_call_repeated(tmp_path: Path) -> None:
    with campaigns() as (service, server):
        service.valid = {"access-2"}
        batches, _ = read(server, tmp_path)
        assert sum(len(batch.frame) for batch in batches) == 3 * METRICS
        assert server.count("/oauth") == 2


@pytest.mark.behaviour("reauthorise", "zoho_campaigns")
@pytest.mark.behaviour("no_secrets", "zoho_campaigns")
def test_a_token_refused_inside_a_200_is_renewed_too_and_a_second_refusal_is_an_error(
    tmp_path: Path,
) -> None:
    with campaigns() as (service, server):
        service.module = lambda request: bad("INVALID_OAUTHTOKEN")
        with pytest.raises(PermanentSourceError, match=r"ZohoCampaigns\.campaign\.READ") as caught:
            read(server, tmp_path)
        assert server.count("/oauth") == 2
        assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [(bad("2008"), TransientSourceError, "30 minutes"), (Reply(status=429), TransientSourceError, "30 minutes"),
     (bad("6001"), TransientSourceError, "later"), (Reply(status=503), TransientSourceError, "503"),
     (bad("6601"), PermanentSourceError, r"ZohoCampaigns\.campaign\.READ"),
     (bad("OAUTH_SCOPE_MISMATCH", status=401), PermanentSourceError, r"ZohoCampaigns\.campaign\.READ"),
     (bad("9999"), PermanentSourceError, "9999"), (good(), PermanentSourceError, "recent_campaigns"),
     (Reply(raw=b"<html>Sign in</html>"), PermanentSourceError, "web page"),
     (Reply(status=404), PermanentSourceError, "MEL_ZOHO_CAMPAIGNS_URL")],
    ids=["locked", "429", "later", "outage", "privilege", "scope", "unknown", "another answer", "web page", "404"],
)  # fmt: skip
@pytest.mark.behaviour("error_meaning", "zoho_campaigns")
@pytest.mark.behaviour("broken_answer", "zoho_campaigns")
def test_an_error_is_never_an_empty_list(
    tmp_path: Path, reply: Reply, kind: type[SourceError], message: str
) -> None:
    with campaigns() as (service, server):
        service.module = lambda request: reply
        with pytest.raises(kind, match=message) as caught:
            read(server, tmp_path)
        assert PERSON not in str(caught.value)
        assert server.count(RECENT) <= QUICK.attempts


@pytest.mark.behaviour("throttling", "zoho_campaigns")
def test_calls_are_counted_and_stop_before_zoho_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CALLS", 5)
    with campaigns() as (service, server):
        service.campaigns = [campaign(number) for number in range(1, 8)]
        with pytest.raises(TransientSourceError, match="5 calls in 5 minutes"):
            read(server, tmp_path)
        assert server.count(REPORTS) == 5


@pytest.mark.slow
def test_every_newsletter_of_the_sample_is_loaded_unchanged(
    organisation: Organisation, sandbox: Sandbox
) -> None:
    result = organisation.load("zoho_campaigns", "content_metrics")
    organisation.load("zoho_campaigns", "contents")
    issues = {issue.key: issue for issue in sandbox.organisation.newsletter if issue.sent}
    assert (result.new, result.quarantined) == (len(issues) * METRICS, 0)
    read = organisation.warehouse.read
    moments = read("select content_id, published_at from raw_platforms__contents").set_index("content_id")
    figures = read("select content_id, metric, value from raw_platforms__metrics")
    table = figures.set_index(["content_id", "metric"])["value"]
    for key, issue in issues.items():
        assert issue.sent is not None
        assert datetime.fromisoformat(moments.loc[key, "published_at"]) == issue.sent.replace(tzinfo=UTC)
        expected = {
            "emails_sent_count": issue.recipients,
            "delivered_count": issue.delivered,
            "opens_count": issue.opened,
            "unique_clicks_count": issue.clicked,
            "bounces_count": issue.hard_bounces + issue.soft_bounces,
        }
        assert {name: int(table[key, name]) for name in expected} == expected


def test_the_token_is_not_sent_on_to_another_address(tmp_path: Path) -> None:
    with serving(lambda request: good(recent_campaigns=[])) as elsewhere, campaigns() as (service, server):
        service.module = lambda request: Reply(status=302, headers={"Location": elsewhere.url})
        with pytest.raises(PermanentSourceError, match="not followed"):
            read(server, tmp_path)
        assert elsewhere.requests == []
