"""Facebook's connector against a simulator of the Graph API over HTTP, with the faults the real one has."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError, TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox.platforms.facebook import SYSTEM_TOKEN, Facebook, page_token
from mel_pipeline.sandbox.server import Sandbox, running
from mel_pipeline.sources.facebook import client
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline_tests.conftest import TODAY, Organisation, organisation_in
from mel_pipeline_tests.fixtures.forking import Forking

pytestmark = pytest.mark.exhaustive  # many loads; the fast tests have one of each kind
QUICK = Policy(connect=2, read=5, attempts=3, backoff=0.001, longest_wait=0.2, throttled=0.01)
PAGE, SECOND = "112000000000001", "112000000000002"
KEPT_FROM = TODAY - timedelta(days=730)
METRICS = "select * from raw_platforms__metrics where platform = 'facebook'"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running(today=TODAY) as made:
        yield made


@pytest.fixture
def pages(box: Sandbox) -> Iterator[Facebook]:
    """The simulator in its initial state."""
    platform = cast(Facebook, box.platforms["facebook"])
    platform.calls.clear()
    yield platform
    platform.recover()
    platform.retired, platform.gone, platform.restated = set(), set(), {}
    platform.expires_at, platform.used_percent = 0, 3


@pytest.fixture
def network(tmp_path: Path, box: Sandbox, pages: Facebook) -> Organisation:
    return organisation_in(tmp_path, box)


def load(network: Organisation, entity: str, quarter: str = "2026-Q3", policy: Policy = QUICK) -> LoadResult:
    source = client.open(network.settings, policy)
    return load_entity(
        source, contract_of("facebook"), entity, network.warehouse, quarter=Quarter.parse(quarter)
    )


def figures(network: Organisation, more: str = "true") -> pd.DataFrame:
    return network.warehouse.read(f"{METRICS} and {more} order by _row_key")


def texts(error: BaseException) -> str:
    """The full text of an error and its causes."""
    return " ".join(str(part) for part in (error, error.__cause__, error.__context__) if part)


@pytest.mark.behaviour("missing_not_zero", "facebook")
def test_a_day_without_facebook_data_is_empty_and_not_zero(network: Organisation) -> None:
    load(network, "daily")
    silent = figures(network, f"account_id = '{PAGE}' and period_start = '2026-03-15'")
    assert len(silent) == 5
    assert silent["value"].isna().all() and set(silent["availability"]) == {"no_data"}
    zero = figures(network, "value = '0'")
    assert len(zero) > 0 and set(zero["availability"]) == {"given"}


def test_no_call_requests_more_than_90_days_and_today_is_never_requested(
    network: Organisation, pages: Facebook
) -> None:
    load(network, "daily")
    queries = [call.query for call in pages.calls if call.path.endswith("/insights")]
    spans = [(date.fromisoformat(q["since"]), date.fromisoformat(q["until"])) for q in queries]
    assert max((until - since).days for since, until in spans) == 90
    assert max(until for _, until in spans) == TODAY
    assert min(since for since, _ in spans) == KEPT_FROM
    assert figures(network)["period_start"].max() == str(TODAY - timedelta(days=1))


def test_a_day_is_the_one_before_its_label_in_summer_and_in_winter(
    network: Organisation, pages: Facebook
) -> None:
    load(network, "daily")
    views = pages.pages[PAGE].figures["page_media_view"]
    for day, hour in ((date(2026, 7, 10), "07:00"), (date(2026, 1, 10), "08:00")):
        row = figures(
            network,
            f"account_id = '{PAGE}' and metric = 'page_media_view' and period_start = '{day}'",
        ).iloc[0]
        assert row["value"] == str(views[day])
        assert f"end_time {day + timedelta(days=1)}T{hour}" in row["_source_ref"]


@pytest.mark.behaviour("missing_not_zero", "facebook")
def test_days_older_than_two_years_are_marked_and_not_requested(network: Organisation) -> None:
    load(network, "daily")
    early = figures(network, f"period_start < '{KEPT_FROM}'")
    assert set(early["availability"]) == {"not_offered"} and early["value"].isna().all()
    assert early["period_start"].min() == network.settings.first_quarter[:4] + "-01-01"


def test_days_out_of_reach_are_left_alone_once_figures_of_the_page_are_stored(network: Organisation) -> None:
    """After a change of the contract everything is read again; what is no longer available stays as it is."""
    cursor = json.dumps({"rules": "of an earlier contract", "days": {PAGE: "2026-11-19"}})
    pull = client.open(network.settings, QUICK).pull("daily", cursor=cursor)
    rows = pd.concat([batch.frame for batch in pull.batches])
    first = rows.groupby("account_id")["period_start"].min()
    assert first.to_dict() == {PAGE: str(KEPT_FROM), SECOND: "2023-01-01"}


@pytest.mark.behaviour("unique_not_added", "facebook")
@pytest.mark.behaviour("exact_period", "facebook")
def test_the_reach_of_a_quarter_is_not_offered_and_never_a_sum_of_days(network: Organisation) -> None:
    load(network, "daily")
    load(network, "periods", "2025-Q4")
    reach = figures(network, "grain in ('quarter', 'year')")
    assert set(zip(reach["grain"], reach["period_start"], strict=True)) == {
        ("quarter", "2025-10-01"), ("year", "2025-01-01"),
    }  # fmt: skip
    assert set(reach["availability"]) == {"not_offered"} and reach["value"].isna().all()
    metrics = contract_of("facebook").metrics
    assert [name for name, metric in metrics.items() if metric.counts == "reach" and metric.additive] == []


@pytest.mark.behaviour("restated_days", "facebook")
def test_the_last_three_days_are_requested_again_and_earlier_values_are_kept(
    network: Organisation, pages: Facebook
) -> None:
    load(network, "daily")
    yesterday = TODAY - timedelta(days=1)
    views = pages.pages[PAGE].figures["page_media_view"][yesterday]
    pages.restated[PAGE, "page_media_view", yesterday] = views + 7
    pages.calls.clear()
    result = load(network, "daily")
    assert (result.new, result.changed, result.fetched) == (0, 1, 2 * 3 * 5)
    day = f"account_id = '{PAGE}' and metric = 'page_media_view' and period_start = '{yesterday}'"
    assert figures(network, day)["value"].tolist() == [str(views + 7)]
    kept = network.warehouse.read(
        f"select value from raw_platforms__metrics_history where {day} and platform = 'facebook'"
    )
    assert str(views) in set(kept["value"])


@pytest.mark.behaviour("retired_metric", "facebook")
def test_a_retired_metric_is_named_and_leaves_the_others(network: Organisation, pages: Facebook) -> None:
    pages.retired = {"page_post_engagements"}
    result = load(network, "daily")
    assert any("page_post_engagements" in warning for warning in result.warnings)
    kept = figures(network, f"period_start >= '{KEPT_FROM}'").groupby("metric")["availability"].agg(set)
    assert kept["page_post_engagements"] == {"retired"}
    assert kept["page_media_view"] == {"given", "no_data"}


@pytest.mark.behaviour("retired_metric", "facebook")
def test_a_metric_that_is_retired_later_keeps_what_was_stored(network: Organisation, pages: Facebook) -> None:
    load(network, "daily")
    before = figures(network, "metric = 'page_post_engagements'")
    pages.retired = {"page_post_engagements"}
    result = load(network, "daily")
    assert result.changed == 0
    assert figures(network, "metric = 'page_post_engagements'").equals(before)


def test_a_request_refused_for_every_metric_is_an_error_and_not_five_retired_metrics(
    network: Organisation, pages: Facebook
) -> None:
    pages.retired = set(client.parse.PAGE_METRICS)
    with pytest.raises(PermanentSourceError, match="code 100"):
        load(network, "daily")
    assert not network.warehouse.has_table("raw_platforms__metrics")


@pytest.mark.behaviour("error_meaning", "facebook")
@pytest.mark.behaviour("one_account", "facebook")
def test_a_page_that_is_gone_is_named_by_its_id_and_the_other_is_stored(
    network: Organisation, pages: Facebook
) -> None:
    pages.gone = {SECOND}
    (warning,) = load(network, "periods").warnings
    assert SECOND in warning and "MEL_FACEBOOK_PAGE_IDS" in warning
    found = network.warehouse.read("select account_id, availability from raw_platforms__metrics")
    states = found.groupby("account_id")["availability"].agg(set).to_dict()
    assert states == {PAGE: {"not_offered"}, SECOND: {"no_access"}}
    pages.gone = {PAGE, SECOND}
    with pytest.raises(PermanentSourceError, match="MEL_FACEBOOK_PAGE_IDS"):
        load(network, "periods")


@pytest.mark.parametrize("code", [102, 190])
@pytest.mark.behaviour("error_meaning", "facebook")
@pytest.mark.behaviour("no_secrets", "facebook")
def test_an_expired_token_is_known_by_its_code_and_nothing_new_is_stored(
    network: Organisation, pages: Facebook, code: int
) -> None:
    load(network, "contents")
    before = network.warehouse.read("select * from raw_platforms__contents order by _row_key")
    message = f"Session of {SYSTEM_TOKEN} {page_token(PAGE)} has expired"
    pages.faults.add("/posts", times=None, status=200, body={"error": {"message": message, "code": code}})
    with pytest.raises(ReauthoriseError, match="MEL_FACEBOOK_ACCESS_TOKEN") as caught:
        load(network, "contents", "2026-Q2")
    assert "sample-facebook" not in texts(caught.value)
    assert network.warehouse.read("select * from raw_platforms__contents order by _row_key").equals(before)
    ledger = network.warehouse.read("select * from load_ledger").to_csv()
    assert "sample-facebook" not in ledger


@pytest.mark.parametrize("code", [10, 200, 210, 299])
@pytest.mark.behaviour("error_meaning", "facebook")
def test_a_missing_permission_names_the_permissions(
    network: Organisation, pages: Facebook, code: int
) -> None:
    pages.faults.add("/posts", times=None, status=403, body={"error": {"message": "no", "code": code}})
    with pytest.raises(PermanentSourceError, match="pages_read_engagement") as caught:
        load(network, "contents")
    assert not isinstance(caught.value, ReauthoriseError)


@pytest.mark.parametrize("code", [1, 2, 4, 17, 32, 613, 80001])
@pytest.mark.behaviour("error_meaning", "facebook")
def test_a_transient_error_code_is_retried_whatever_the_http_status(
    network: Organisation, pages: Facebook, code: int
) -> None:
    pages.faults.add("/posts", times=1, status=400, body={"error": {"message": "later", "code": code}})
    assert load(network, "contents").new > 0
    assert [call.status for call in pages.calls if call.path.endswith("/posts")][:2] == [400, 200]


@pytest.mark.behaviour("throttling", "facebook")
def test_throttling_waits_as_long_as_the_usage_header_says(
    network: Organisation, pages: Facebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = '{"1": [{"type": "pages", "call_count": 30, "estimated_time_to_regain_access": 1}]}'
    pages.faults.add(
        "/posts",
        status=400,
        body={"error": {"message": "later", "code": 80001}},
        headers={"X-Business-Use-Case-Usage": usage},
    )
    source = client.open(network.settings, Policy(attempts=3, longest_wait=120))
    waited: list[float] = []
    monkeypatch.setattr(source._graph.http, "_sleep", waited.append)
    load_entity(source, contract_of("facebook"), "contents", network.warehouse, quarter=Quarter(2026, 3))
    assert waited == [60.0]


@pytest.mark.behaviour("throttling", "facebook")
def test_a_quota_nearly_used_ends_the_load_before_it_is_refused(
    network: Organisation, pages: Facebook
) -> None:
    pages.used_percent = 95
    with pytest.raises(TransientSourceError, match="95 % of the quota"):
        load(network, "contents")
    assert len(pages.calls) == 1


@pytest.mark.behaviour("last_page", "facebook")
def test_posts_are_read_page_by_page_and_the_last_page_has_cursors_but_no_next(
    network: Organisation, pages: Facebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mel_pipeline.sources.shared.meta.graph.PAGE", 10)
    load(network, "contents")
    known = [
        post.id
        for post in pages.posts.values()
        if date(2026, 7, 1) <= post.published.date() < date(2026, 10, 1)
    ]
    stored = network.warehouse.read("select content_id from raw_platforms__contents")["content_id"]
    assert sorted(stored) == sorted(known) and len(known) > 20
    after = [call.query.get("after") for call in pages.calls if PAGE + "/posts" in call.path]
    assert after == [None, "10", "20", "30"][: len(after)] and len(after) > 2


@pytest.mark.behaviour("last_page", "facebook")
def test_a_list_that_has_more_but_no_next_page_is_not_complete(
    network: Organisation, pages: Facebook
) -> None:
    body = {"data": [], "paging": {"next": "https://graph.facebook.com/evil"}}
    pages.faults.add("/posts", times=None, status=200, body=body)
    with pytest.raises(TransientSourceError, match="does not say where"):
        load(network, "contents")


@pytest.mark.behaviour("broken_answer", "facebook")
def test_a_truncated_page_is_requested_again(network: Organisation, pages: Facebook) -> None:
    pages.faults.add("/posts", times=1, truncate=True)
    pages.faults.add("/insights", times=1, reset=True)
    whole = load(network, "contents").new
    assert whole > 20
    assert load(network, "contents").unchanged == whole
    assert load(network, "daily").new > 5_000
    assert [call.status for call in pages.calls if call.path.endswith("/insights")][:2] == [0, 200]


@pytest.mark.behaviour("resumed", "facebook")
def test_a_load_interrupted_between_windows_resumes_and_ends_with_the_same_rows(
    network: Organisation, box: Sandbox, pages: Facebook, forked: Forking, tmp_path: Path
) -> None:
    pages.faults.add("/insights", after=4, times=None, status=400, body={"error": {"message": "", "code": 2}})
    with pytest.raises(SourceError):
        load(network, "daily")
    assert not network.warehouse.has_table("raw_platforms__metrics")
    pages.recover()
    pages.calls.clear()
    load(network, "daily")
    resumed = len([call for call in pages.calls if call.path.endswith("/insights")])
    other = organisation_in(tmp_path / "other", box)
    pages.calls.clear()
    load(other, "daily")
    assert resumed == len([call for call in pages.calls if call.path.endswith("/insights")]) - 4
    columns = ["_row_key", "value", "availability", "_source_ref"]
    assert figures(network)[columns].equals(figures(other)[columns])


_LOAD = """
import sys
from datetime import date
from pathlib import Path
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.sources.facebook import client
from mel_pipeline.warehouse import Warehouse
home, port, today = Path(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3])
settings = with_sample_values(Settings(home=home, today=today), port)
load_entity(client.open(settings), contract_of("facebook"), "daily", Warehouse(settings.database_url, 10))
"""


@pytest.mark.behaviour("resumed", "facebook")
def test_a_load_killed_between_windows_ends_with_the_same_rows_when_it_runs_again(
    network: Organisation, box: Sandbox, pages: Facebook, forked: Forking, tmp_path: Path
) -> None:
    pages.faults.add("/insights", after=4, times=None, delay=3)
    forked.start(_LOAD, str(network.settings.home), str(box.port), str(TODAY))
    until = time.monotonic() + 60
    while sum(call.path.endswith("/insights") for call in pages.calls) < 5:
        assert time.monotonic() < until
        time.sleep(0.05)
    forked.kill()
    assert not forked.ended_well()
    pages.recover()
    assert not network.warehouse.has_table("raw_platforms__metrics")
    load(network, "daily")
    other = organisation_in(tmp_path / "other", box)
    load(other, "daily")
    columns = ["_row_key", "value", "availability", "_source_ref"]
    assert len(figures(other)) > 5_000
    assert figures(network)[columns].equals(figures(other)[columns])


@pytest.mark.behaviour("expiry_warning", "facebook")
@pytest.mark.parametrize(("days", "warned"), [(14, True), (15, False)])
def test_a_token_that_ends_within_two_weeks_warns(
    network: Organisation, pages: Facebook, days: int, warned: bool
) -> None:
    ends = TODAY + timedelta(days=days)
    pages.expires_at = int(datetime(ends.year, ends.month, ends.day, 12, tzinfo=UTC).timestamp())
    warnings = load(network, "accounts").warnings
    assert any(f"expires on {ends}" in text for text in warnings) is warned


@pytest.mark.behaviour("no_secrets", "facebook")
def test_no_token_appears_in_a_url_or_a_table(network: Organisation, pages: Facebook) -> None:
    for entity in contract_of("facebook").entities:
        load(network, entity)
    assert len(pages.calls) > 10
    assert "sample-facebook" not in " ".join(f"{call.path} {call.query}" for call in pages.calls)
    for table in ("accounts", "contents", "metrics"):
        held = network.warehouse.read(f"select * from raw_platforms__{table}").to_csv()
        assert "sample-facebook" not in held


def test_followers_are_those_of_each_day_and_of_today(network: Organisation, pages: Facebook) -> None:
    load(network, "accounts")
    held = network.warehouse.read(
        f"select taken_on, followers from raw_platforms__accounts where account_id = '{PAGE}'"
    ).set_index("taken_on")["followers"]
    page = pages.pages[PAGE]
    assert held[str(TODAY)] == str(page.followers)
    assert held["2026-07-10"] == str(page.figures["page_follows"][date(2026, 7, 10)])
    assert "2026-03-15" not in held.index


def test_a_metric_refused_for_one_post_leaves_the_figures_of_the_others(
    network: Organisation, pages: Facebook
) -> None:
    pages.retired = {"post_clicks"}
    result = load(network, "content_metrics")
    assert any("post_clicks" in warning for warning in result.warnings)
    kinds = figures(network).groupby("metric")["availability"].agg(set)
    assert kinds.to_dict() == {
        "post_clicks": {"retired"}, "post_media_view": {"given"}, "post_total_media_view_unique": {"given"},
    }  # fmt: skip


@pytest.mark.behaviour("business_day", "facebook")
def test_figures_are_dated_by_publication_day_in_the_business_time_zone(
    network: Organisation, pages: Facebook
) -> None:
    load(network, "content_metrics")
    rows = figures(network, "metric = 'post_media_view'").set_index("content_id")
    assert len(rows) > 20
    for post in (pages.posts[number] for number in rows.index):
        row = rows.loc[post.id]
        day = post.published.replace(tzinfo=UTC).astimezone(ZoneInfo(network.settings.time_zone)).date()
        assert (row["value"], row["grain"], row["period_start"]) == (str(post.views), "lifetime", str(day))
