"""YouTube and Google Analytics over HTTP: sign-in, quotas, values found by name, days without figures."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms.ga4 import PROPERTY, THRESHOLDED, GoogleAnalytics
from mel_pipeline.sandbox.platforms.youtube import CHANNEL, YouTube
from mel_pipeline.sources.ga4 import parse as ga4_parse
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline.sources.youtube import parse as youtube_parse
from mel_pipeline_tests.conftest import Organisation

pytestmark = pytest.mark.exhaustive  # many loads; the fast tests have one of each kind
QUICK = Policy(connect=2, read=5, attempts=3, backoff=0.001, longest_wait=0.2, throttled=0.01)
Q4 = Quarter(2024, 4)


@pytest.fixture
def youtube(sandbox: Sandbox) -> Iterator[YouTube]:
    platform = sandbox.platforms["youtube"]
    assert isinstance(platform, YouTube)
    platform.calls.clear()
    platform.units = 0
    yield platform
    platform.recover()
    platform.most_units, platform.rows_left_out, platform._revoked = 10_000, False, False


@pytest.fixture
def ga4(sandbox: Sandbox) -> Iterator[GoogleAnalytics]:
    platform = sandbox.platforms["ga4"]
    assert isinstance(platform, GoogleAnalytics)
    platform.calls.clear()
    yield platform
    platform.recover()
    platform.tokens_left, platform.time_zone, platform._revoked = 200_000, "Europe/Madrid", False


def load(organisation: Organisation, source: str, entity: str, quarter: Quarter = Q4) -> LoadResult:
    client = import_module(f"mel_pipeline.sources.{source}.client").open(organisation.settings, QUICK)
    return load_entity(client, contract_of(source), entity, organisation.warehouse, quarter=quarter)


def figures(organisation: Organisation, where: str) -> list[list[object]]:
    sql = f"select metric, period_start, value, availability from raw_platforms__metrics where {where} order by 1, 2"
    rows = organisation.warehouse.read(sql)
    return rows.astype(object).where(rows.notna(), None).values.tolist()


# -- YouTube --------------------------------------------------------------------------------------------


@pytest.mark.behaviour("by_name", "youtube")
def test_youtube_values_are_found_by_their_headers_whatever_their_order(
    organisation: Organisation, youtube: YouTube
) -> None:
    load(organisation, "youtube", "daily")
    day, expected = next(iter(youtube.days.items()))
    assert {row[0]: row[2] for row in figures(organisation, f"period_start = '{day}'")} == {
        name: str(value) for name, value in expected.items()
    }


@pytest.mark.behaviour("missing_not_zero", "youtube")
def test_youtube_rows_left_out_are_days_without_figures(organisation: Organisation, youtube: YouTube) -> None:
    youtube.rows_left_out = True
    load(organisation, "youtube", "daily")
    assert {(row[2], row[3]) for row in figures(organisation, "platform = 'youtube'")} == {(None, "no_data")}


def test_youtube_days_that_have_not_settled_are_requested_again(
    organisation: Organisation, youtube: YouTube
) -> None:
    load(organisation, "youtube", "daily")
    last = max(youtube.days)
    youtube.calls.clear()
    load(organisation, "youtube", "daily")
    (call,) = [call for call in youtube.calls if call.path == "/v2/reports"]
    assert call.query["startDate"] <= str(last)


@pytest.mark.behaviour("last_page", "youtube")
def test_youtube_videos_come_from_the_list_of_uploads_to_its_last_page_and_never_from_search(
    organisation: Organisation, youtube: YouTube
) -> None:
    result = load(organisation, "youtube", "contents")
    assert result.new == len(youtube.videos) > 100
    pages = -(-len(youtube.videos) // 50)
    assert result.usage["units of the Data API"] == youtube.units == 1 + 2 * pages
    assert not [call for call in youtube.calls if "search" in call.path]


@pytest.mark.behaviour("business_day", "youtube")
def test_youtube_figures_are_of_videos_of_the_quarter_and_a_hidden_count_is_not_zero(
    organisation: Organisation, youtube: YouTube
) -> None:
    load(organisation, "youtube", "content_metrics", Quarter(2024, 3))
    mine = [video for video in youtube.videos if "2024-07-01" <= f"{video.published:%Y-%m-%d}" < "2024-10-01"]
    rows = figures(organisation, "grain = 'lifetime' and platform = 'youtube'")
    assert len(rows) == 3 * len(mine)
    hidden = next(video for video in youtube.videos if video.likes is None)
    load(organisation, "youtube", "content_metrics", Quarter.of(hidden.published.date()))
    likes = figures(organisation, f"metric = 'likeCount' and content_id = '{hidden.id}'")
    assert [row[2:] for row in likes] == [[None, "suppressed"]]


@pytest.mark.behaviour("throttling", "youtube")
def test_youtube_exhausted_quota_is_left_to_the_next_run(
    organisation: Organisation, youtube: YouTube
) -> None:
    youtube.most_units = 3
    with pytest.raises(TransientSourceError, match="quotaExceeded"):
        load(organisation, "youtube", "contents")
    youtube.most_units = 10_000
    assert load(organisation, "youtube", "contents").new == len(youtube.videos)


@pytest.mark.behaviour("error_meaning", "youtube")
def test_youtube_403_is_a_missing_right_where_its_reason_says_so(
    organisation: Organisation, youtube: YouTube
) -> None:
    error = {
        "error": {
            "code": 403,
            "message": "Forbidden for ana@example.org",
            "errors": [{"reason": "forbidden"}],
        }
    }
    youtube.faults.add("/v2/reports", times=None, status=403, body=error)
    with pytest.raises(PermanentSourceError, match="forbidden") as caught:
        load(organisation, "youtube", "daily")
    assert not isinstance(caught.value, ReauthoriseError)
    assert "ana@" not in str(caught.value)


@pytest.mark.behaviour("reauthorise", "youtube")
@pytest.mark.behaviour("no_secrets", "youtube")
@pytest.mark.fault(9)
def test_a_token_revoked_between_two_pages_is_renewed_once_and_a_withdrawn_access_says_what_to_do(
    organisation: Organisation, youtube: YouTube
) -> None:
    unauthorised = {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "x"}}
    youtube.faults.add("videos", status=401, body=unauthorised)
    assert load(organisation, "youtube", "contents").new == len(youtube.videos)
    youtube.revoke()
    with pytest.raises(ReauthoriseError, match=r"invalid_grant.*MEL_YOUTUBE_REFRESH_TOKEN") as caught:
        load(organisation, "youtube", "contents")
    assert "sample" not in str(caught.value)


@pytest.mark.behaviour("broken_answer", "youtube", "ga4")
@pytest.mark.parametrize(("source", "match"), [("youtube", "reports"), ("ga4", "runReport")])
def test_a_truncated_google_response_is_requested_again(
    organisation: Organisation, sandbox: Sandbox, source: str, match: str
) -> None:
    try:
        fault = sandbox.platforms[source].faults.add(match, truncate=True)
        assert load(organisation, source, "daily").new > 100
        assert fault.times == 0
    finally:
        sandbox.platforms[source].recover()


def test_youtube_rows_that_do_not_fit_their_headers_are_refused() -> None:
    contract = contract_of("youtube").entities["daily"]
    names = ["day", *youtube_parse.DAILY_METRICS]
    headers = [{"name": name} for name in names]
    with pytest.raises(PermanentSourceError, match="does not fit"):
        youtube_parse.day_rows({"columnHeaders": headers, "rows": [["2024-01-01"]]}, contract, CHANNEL, [])
    with pytest.raises(PermanentSourceError, match="the requested columns"):
        youtube_parse.day_rows({"columnHeaders": headers[:-1], "rows": []}, contract, CHANNEL, [])


@pytest.mark.behaviour("restated_days", "youtube", "ga4")
@pytest.mark.parametrize(("source", "metric"), [("youtube", "views"), ("ga4", "sessions")])
def test_a_day_that_google_restates_keeps_its_earlier_figure(
    organisation: Organisation, youtube: YouTube, ga4: GoogleAnalytics, source: str, metric: str
) -> None:
    load(organisation, source, "daily")
    if source == "youtube":
        day = max(youtube.days)
        before = youtube.days[day]["views"]
        youtube.days[day]["views"] += 40
    else:
        day = max(ga4.visits)
        before = ga4.visits[day]
        ga4.visits[day] += 40
    try:
        assert load(organisation, source, "daily").changed >= 1
        versions = organisation.warehouse.read(
            f"select value from raw_platforms__metrics_history where metric = '{metric}' and period_start = '{day}' order by _loaded_at"
        )
        assert versions["value"].tolist() == [str(before), str(before + 40)]
    finally:
        if source == "youtube":
            youtube.days[day]["views"] = before
        else:
            ga4.visits[day] = before


# -- Google Analytics -----------------------------------------------------------------------------------


@pytest.mark.behaviour("by_name", "ga4")
def test_ga4_text_values_and_dates_in_any_order_become_days(
    organisation: Organisation, ga4: GoogleAnalytics
) -> None:
    load(organisation, "ga4", "daily")
    rows = figures(organisation, "metric = 'sessions' and availability = 'given'")
    assert {row[1]: row[2] for row in rows} == {str(day): str(count) for day, count in ga4.visits.items()}


@pytest.mark.behaviour("missing_not_zero", "ga4")
def test_ga4_days_before_the_site_have_no_figure(organisation: Organisation, ga4: GoogleAnalytics) -> None:
    load(organisation, "ga4", "daily")
    before = figures(organisation, "platform = 'ga4' and period_start < '2024-11-18'")
    assert {(row[2], row[3]) for row in before} == {(None, "no_data")}


@pytest.mark.behaviour("exact_period", "ga4")
def test_ga4_users_are_requested_for_exactly_the_quarter_and_the_year(
    organisation: Organisation, ga4: GoogleAnalytics
) -> None:
    load(organisation, "ga4", "periods")
    rows = organisation.warehouse.read(
        "select grain, period_start, value, availability from raw_platforms__metrics where metric = 'totalUsers' order by 1"
    )
    total = sum(count for day, count in ga4.visits.items() if day.year == 2024)
    assert rows.values.tolist() == [
        ["quarter", "2024-10-01", str(int(total * 0.68)), "given"],
        ["year", "2024-01-01", str(int(total * 0.68)), "given"],
    ]
    load(organisation, "ga4", "periods", Quarter(2024, 1))
    assert figures(organisation, "period_start = '2024-01-01' and grain = 'quarter'")[0][2:] == [
        None,
        "no_data",
    ]


@pytest.mark.behaviour("business_day", "ga4")
def test_ga4_warns_of_another_time_zone_and_of_small_groups_left_out(
    organisation: Organisation, ga4: GoogleAnalytics
) -> None:
    assert load(organisation, "ga4", "daily").warnings == []
    ga4.time_zone = "America/Los_Angeles"
    ga4.limit(PROPERTY, THRESHOLDED)
    zone, groups = load(organisation, "ga4", "daily").warnings
    assert "America/Los_Angeles" in zone and PROPERTY in zone
    assert "thresholding" in groups


@pytest.mark.behaviour("throttling", "ga4")
def test_ga4_tokens_of_the_day_are_left_for_others_when_a_tenth_remains(
    organisation: Organisation, ga4: GoogleAnalytics
) -> None:
    ga4.tokens_left = 19_000
    with pytest.raises(TransientSourceError, match=r"90 % of the quota|91 % of the quota"):
        load(organisation, "ga4", "daily")


@pytest.mark.behaviour("last_page", "ga4")
def test_ga4_reports_of_several_pages_are_read_to_the_end(
    organisation: Organisation, ga4: GoogleAnalytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mel_pipeline.sources.ga4.client.PAGE", 100)
    load(organisation, "ga4", "daily")
    rows = figures(organisation, "metric = 'sessions' and availability = 'given'")
    assert len(rows) == len(ga4.visits)


def test_ga4_headers_that_are_unexpected_or_missing_are_refused() -> None:
    data = {
        "metricHeaders": [{"name": "sessions"}],
        "rows": [{"metricValues": [{"value": "1"}, {"value": "2"}]}],
    }
    with pytest.raises(PermanentSourceError, match="the requested columns"):
        ga4_parse.report_of(data, ["date", "sessions"])
    with pytest.raises(PermanentSourceError, match="does not fit"):
        ga4_parse.report_of(data, ["sessions"])
