"""LinkedIn and X over HTTP: windows, API versions and tokens expire; impressions are not people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms.linkedin import LinkedIn
from mel_pipeline.sandbox.platforms.x import ACCOUNT, SUSPENDED, X
from mel_pipeline.sources.linkedin.parse import number_of
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline.sources.x.client import open as open_x
from mel_pipeline_tests.conftest import TODAY, Organisation

pytestmark = pytest.mark.exhaustive  # many loads; the fast tests have one of each kind
QUICK = Policy(connect=2, read=5, attempts=3, backoff=0.001, longest_wait=0.2, throttled=0.01)
Q3 = Quarter(2026, 3)


@pytest.fixture
def linkedin(sandbox: Sandbox) -> Iterator[LinkedIn]:
    platform = sandbox.platforms["linkedin"]
    assert isinstance(platform, LinkedIn)
    platform.calls.clear()
    kept = set(platform.versions), platform.token_ends, dict(platform.days)
    yield platform
    platform.recover()
    platform.versions, platform.token_ends, platform.days = kept


@pytest.fixture
def x(sandbox: Sandbox) -> Iterator[X]:
    platform = sandbox.platforms["x"]
    assert isinstance(platform, X)
    platform.calls.clear()
    yield platform
    platform.recover()
    platform.most_calls = platform.calls_left = 1_500


def load(organisation: Organisation, source: str, entity: str, quarter: Quarter = Q3) -> LoadResult:
    client = import_module(f"mel_pipeline.sources.{source}.client").open(organisation.settings, QUICK)
    return load_entity(client, contract_of(source), entity, organisation.warehouse, quarter=quarter)


def rows(organisation: Organisation, columns: str, where: str) -> list[tuple[object, ...]]:
    found = organisation.warehouse.read(
        f"select {columns} from raw_platforms__metrics where {where} order by all"
    )
    return list(found.astype(object).where(found.notna(), None).itertuples(index=False, name=None))


# -- LinkedIn -------------------------------------------------------------------------------------------


@pytest.mark.behaviour("missing_not_zero", "linkedin")
def test_linkedin_days_older_than_its_twelve_months_are_not_requested_and_not_zero(
    organisation: Organisation, linkedin: LinkedIn
) -> None:
    load(organisation, "linkedin", "daily")
    kept_from = TODAY - timedelta(days=365)
    lost = rows(organisation, "distinct value, availability", f"period_start < '{kept_from}'")
    assert lost == [(None, "not_offered")]
    stored = dict(
        rows(
            organisation,
            "period_start, value",
            f"metric = 'impressionCount' and period_start >= '{kept_from}' and availability = 'given'",
        )
    )
    assert stored == {
        str(day): str(figures["impressionCount"])
        for day, figures in linkedin.days.items()
        if day >= kept_from
    }


@pytest.mark.behaviour("resumed", "linkedin")
def test_linkedin_days_that_were_stored_stay_when_they_leave_its_window(
    organisation: Organisation, linkedin: LinkedIn
) -> None:
    load(organisation, "linkedin", "daily")
    first = TODAY - timedelta(days=365)
    stored = rows(organisation, "value", f"metric = 'impressionCount' and period_start = '{first}'")
    later = Organisation(
        organisation.settings.model_copy(update={"today": TODAY + timedelta(days=30)}), organisation.warehouse
    )
    load(later, "linkedin", "daily")
    assert rows(organisation, "value", f"metric = 'impressionCount' and period_start = '{first}'") == stored


@pytest.mark.behaviour("restated_days", "linkedin")
def test_linkedin_days_that_are_restated_keep_their_earlier_value(
    organisation: Organisation, linkedin: LinkedIn
) -> None:
    load(organisation, "linkedin", "daily")
    last = max(linkedin.days)
    before = linkedin.days[last]["impressionCount"]
    linkedin.days[last] = linkedin.days[last] | {"impressionCount": before + 40}
    assert load(organisation, "linkedin", "daily").changed == 1
    versions = organisation.warehouse.read(
        "select value from raw_platforms__metrics_history where metric = 'impressionCount'"
        f" and period_start = '{last}' order by _loaded_at"
    )
    assert versions["value"].tolist() == [str(before), str(before + 40)]


@pytest.mark.behaviour("exact_period", "linkedin")
@pytest.mark.behaviour("unique_not_added", "linkedin")
def test_linkedin_reach_is_requested_by_month_and_a_quarter_has_none(
    organisation: Organisation, linkedin: LinkedIn
) -> None:
    load(organisation, "linkedin", "periods")
    found = rows(organisation, "grain, period_start, availability", "metric = 'uniqueImpressionsCount'")
    assert found == [
        ("month", "2026-07-01", "given"), ("month", "2026-08-01", "given"), ("month", "2026-09-01", "given"),
        ("quarter", "2026-07-01", "not_offered"),
    ]  # fmt: skip
    load(organisation, "linkedin", "periods", Quarter(2024, 4))
    old = rows(organisation, "grain, availability", "period_start < '2025-01-01'")
    assert set(old) == {("month", "not_offered"), ("quarter", "not_offered"), ("year", "not_offered")}


@pytest.mark.behaviour("last_page", "linkedin")
def test_linkedin_posts_of_both_kinds_come_with_their_figures(
    organisation: Organisation, linkedin: LinkedIn
) -> None:
    load(organisation, "linkedin", "contents")
    load(organisation, "linkedin", "content_metrics")
    mine = [post for post in linkedin.posts if date(2026, 7, 1) <= post.published.date() < date(2026, 10, 1)]
    assert {":share:" in post.urn for post in mine} == {True, False}
    found = dict(rows(organisation, "content_id, value", "metric = 'impressionCount' and grain = 'lifetime'"))
    assert found == {number_of(post.urn): str(post.figures["impressionCount"]) for post in mine}


@pytest.mark.behaviour("error_meaning", "linkedin")
def test_linkedin_version_that_has_ended_names_the_setting(
    organisation: Organisation, linkedin: LinkedIn
) -> None:
    linkedin.versions = {"202701"}
    with pytest.raises(PermanentSourceError, match=r"NONEXISTENT_VERSION.*MEL_LINKEDIN_API_VERSION"):
        load(organisation, "linkedin", "accounts")


@pytest.mark.behaviour("expiry_warning", "linkedin")
@pytest.mark.parametrize(("days", "warns"), [(15, False), (14, True), (1, True)])
def test_linkedin_token_within_fourteen_days_of_its_end_warns(
    organisation: Organisation, linkedin: LinkedIn, days: int, warns: bool
) -> None:
    linkedin.token_ends = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) + timedelta(days=days)
    warnings = load(organisation, "linkedin", "accounts").warnings
    assert bool(warnings) == warns
    assert not warns or "MEL_LINKEDIN_ACCESS_TOKEN" in warnings[0]


def test_linkedin_without_a_token_expiry_date_warns_and_loads(
    organisation: Organisation, linkedin: LinkedIn
) -> None:
    linkedin.faults.add("introspectToken", times=None, status=401, body={"error": "invalid_client_id"})
    result = load(organisation, "linkedin", "accounts")
    assert result.new == 1
    assert "is not known" in result.warnings[0]


@pytest.mark.behaviour("no_secrets", "linkedin")
def test_linkedin_error_repeats_no_token(organisation: Organisation, linkedin: LinkedIn) -> None:
    body = {
        "status": 403,
        "code": "ACCESS_DENIED",
        "message": "Token sample-linkedin-token of ana@example.org may not",
    }
    linkedin.faults.add("networkSizes", status=403, body=body)
    with pytest.raises(PermanentSourceError) as caught:
        load(organisation, "linkedin", "accounts")
    assert "sample-linkedin-token" not in str(caught.value) and "ana@" not in str(caught.value)


# -- X --------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("last_page", "x")
def test_x_posts_come_to_the_last_page_and_their_impressions_are_additive(
    organisation: Organisation, x: X
) -> None:
    load(organisation, "x", "content_metrics")
    mine = {
        post.id: str(post.metrics["impression_count"])
        for post in x.posts
        if date(2026, 7, 1) <= post.published.date() < date(2026, 10, 1)
    }
    assert len([call for call in x.calls if "pagination_token" in call.query]) == len(mine) // 100
    assert (
        dict(rows(organisation, "content_id, value", "metric = 'impression_count' and grain = 'lifetime'"))
        == mine
    )
    assert contract_of("x").metrics["impression_count"].additive


@pytest.mark.behaviour("exact_period", "x")
@pytest.mark.behaviour("unique_not_added", "x")
def test_x_offers_no_reach_and_no_views_for_a_period(organisation: Organisation, x: X) -> None:
    load(organisation, "x", "periods", Quarter(2025, 4))
    assert rows(organisation, "metric, grain, value, availability", "true") == [
        ("impression_count", "quarter", None, "not_offered"), ("impression_count", "year", None, "not_offered"),
        ("reach", "quarter", None, "not_offered"), ("reach", "year", None, "not_offered"),
    ]  # fmt: skip
    assert x.calls == []


@pytest.mark.behaviour("throttling", "x")
def test_x_waits_until_the_time_in_its_headers_up_to_a_limit(organisation: Organisation, x: X) -> None:
    x.most_calls = x.calls_left = 1
    x._window_ends = x.clock.seconds() + 900
    load(organisation, "x", "accounts")
    hasty = open_x(organisation.settings, QUICK, clock=x.clock.seconds)
    with pytest.raises(TransientSourceError, match="15 minutes"):
        load_entity(hasty, contract_of("x"), "accounts", organisation.warehouse)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        x.clock.advance(seconds)

    patient = open_x(organisation.settings, Policy(longest_wait=1_000), clock=x.clock.seconds)
    patient._http._sleep = sleep
    result = load_entity(patient, contract_of("x"), "accounts", organisation.warehouse)
    assert result.unchanged == 1
    assert len(waits) == 1 and 895 < waits[0] < 903


@pytest.mark.behaviour("throttling", "x")
def test_x_exhausted_monthly_quota_is_left_to_a_later_run(organisation: Organisation, x: X) -> None:
    body = {
        "title": "UsageCapExceeded",
        "type": "https://api.twitter.com/2/problems/usage-capped",
        "detail": "x",
    }
    x.faults.add("tweets", times=None, status=429, body=body)
    with pytest.raises(TransientSourceError, match="usage-capped"):
        load(organisation, "x", "contents")


@pytest.mark.behaviour("error_meaning", "x")
def test_x_account_that_is_suspended_is_quarantined_with_its_reason(organisation: Organisation, x: X) -> None:
    x.limit(ACCOUNT, SUSPENDED)
    result = load(organisation, "x", "accounts")
    assert (result.new, result.quarantined) == (0, 1)
    assert f"account {ACCOUNT}" in result.waiting[0] and "suspended" in result.waiting[0]


@pytest.mark.behaviour("reauthorise", "x")
def test_x_token_that_is_rejected_says_what_to_do(organisation: Organisation, x: X) -> None:
    x.fail("expired_token")
    with pytest.raises(ReauthoriseError, match="MEL_X_BEARER_TOKEN"):
        load(organisation, "x", "accounts")
    x.fail(None)


@pytest.mark.behaviour("business_day", "x", "linkedin")
@pytest.mark.parametrize("source", ["x", "linkedin"])
def test_a_post_late_in_the_evening_of_utc_is_of_the_next_business_day(
    organisation: Organisation, x: X, linkedin: LinkedIn, source: str
) -> None:
    platform = x if source == "x" else linkedin
    position, original = len(platform.posts), list(platform.posts)
    edge = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)  # half past midnight in Madrid
    platform.posts.append(
        type(platform.posts[0])(*("urn:li:share:1" if source == "linkedin" else "1", "late", edge, {}))
    )
    platform.posts.sort(key=lambda post: post.published)
    try:
        load(organisation, source, "contents")
        found = organisation.warehouse.read(
            "select count(*) n from raw_platforms__contents where title = 'late'"
        )
        assert found["n"][0] == 1
    finally:
        platform.posts[:] = original
        assert len(platform.posts) == position


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.behaviour("promised", "x")
@pytest.mark.fault(102)
def test_posts_that_an_x_timeline_no_longer_lists_are_reported(
    organisation: Organisation, x: X, cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarter = Quarter(2024, 1)
    newer = [post for post in x.posts if post.published.date() >= date(2024, 2, 1)]
    listed = len(newer) if cut else len(x.posts) - 1
    monkeypatch.setattr(x, "most_posts", listed)
    monkeypatch.setattr("mel_pipeline.sources.x.client.MOST_POSTS", listed)
    result = load(organisation, "x", "contents", quarter)
    told = [words for words in result.warnings if "posts of 2024-Q1 may be missing" in words]
    assert bool(told) is cut
