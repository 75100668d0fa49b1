"""Instagram and Matomo against a loopback server that responds and fails as they do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mel_pipeline.core.errors import PermanentSourceError, SettingsError, TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.sources.instagram import client as instagram
from mel_pipeline.sources.matomo import client as matomo
from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline.sources.shared.meta import graph_errors
from mel_pipeline_tests.fixtures.loopback import Reply, Request, Service, serving
from mel_pipeline_tests.fixtures.platforms import CASES

QUICK = Policy(connect=2, read=2, attempts=3, backoff=0.001, longest_wait=0.2, throttled=0.01)
Q4 = Quarter(2024, 4)
TODAY = date(2025, 2, 10)
SECRETS = ("sample-instagram-token", "sample-matomo-token")


def settings_for(server: Service, home: Path, **more: object) -> Settings:
    base = with_sample_values(Settings(home=home, today=TODAY, first_quarter="2024-Q4", _env_file=None), 1)
    own = base.with_source("instagram", api_url=server.url, account_ids="17")
    return own.with_source("matomo", url=f"{server.url}/matomo", site_ids="1").model_copy(update=more)


def error(
    code: int,
    subcode: int = 0,
    status: int = 400,
    words: str = "sample-instagram-token of 17",
    **headers: str,
) -> Reply:
    body = {"error": {"message": words, "code": code, "error_subcode": subcode}}
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def pull(
    answer: Callable[[Request], Reply], home: Path, entity: str, **options: Any
) -> tuple[list[Batch], Service, str | None]:
    with serving(answer) as server:
        result = instagram.open(settings_for(server, home), QUICK).pull(entity, **options)
        return list(result.batches), server, result.cursor()


def rows_of(batches: list[Batch]) -> pd.DataFrame:
    return pd.concat([batch.frame for batch in batches], ignore_index=True)


def total(metric: str, value: int | None) -> dict[str, Any]:
    return {"name": metric, "period": "day", "total_value": {"value": value}}


@pytest.mark.behaviour("no_secrets", "instagram")
def test_followers_are_taken_today_with_the_token_in_a_header(tmp_path: Path) -> None:
    answer = Reply({"id": "17", "username": "metropolis", "followers_count": 1500})
    batches, server, _ = pull(lambda request: answer, tmp_path, "accounts")
    assert rows_of(batches).iloc[0].tolist()[:5] == ["instagram", "17", "metropolis", "2025-02-10", "1500"]
    assert server.requests[0].headers["Authorization"] == "Bearer sample-instagram-token"
    assert "access_token" not in server.requests[0].query


@pytest.mark.behaviour("expiry_warning", "instagram")
@pytest.mark.parametrize(("days", "warned"), [(14, True), (15, False)])
def test_a_token_that_ends_within_two_weeks_warns_and_is_sent_in_the_body(
    tmp_path: Path, days: int, warned: bool
) -> None:
    ends = datetime(2025, 2, 10, 12, tzinfo=UTC) + timedelta(days=days)

    def answer(request: Request) -> Reply:
        if request.path.endswith("/debug_token"):
            assert request.form["input_token"] == "sample-instagram-token" and request.query == {}
            return Reply({"data": {"expires_at": int(ends.timestamp())}})
        return Reply({"id": "17", "username": "metropolis", "followers_count": 1})

    with serving(answer) as server:
        result = instagram.open(settings_for(server, tmp_path), QUICK).pull("accounts")
        assert len(rows_of(list(result.batches))) == 1
    warnings = [text for text in result.warnings() if f"expires on {ends.date()}" in text]
    assert bool(warnings) is warned and "sample-instagram-token" not in "".join(result.warnings())


def test_a_platform_without_a_token_expiry_date_says_so(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        if request.path.endswith("/debug_token"):
            return error(100)
        return Reply({"id": "17", "username": "metropolis", "followers_count": 1})

    with serving(answer) as server:
        result = instagram.open(settings_for(server, tmp_path), QUICK).pull("accounts")
        assert len(rows_of(list(result.batches))) == 1
    assert result.warnings() == ["Instagram does not say when the access token expires."]


def days_asked(request: Request) -> list[date]:
    since, until = date.fromisoformat(request.query["since"]), date.fromisoformat(request.query["until"])
    assert (until - since).days <= 30
    return [since + timedelta(days=number) for number in range((until - since).days)]


def follower_days(request: Request) -> Reply:
    """New followers, by day for thirty days and as totals without a limit."""
    days = days_asked(request)
    if request.query["metric"] == "follows_and_unfollows":
        assert request.query["breakdown"] == "follow_type"
        counts = (("FOLLOWER", 7 * len(days)), ("NON_FOLLOWER", 2 * len(days)))
        results = [{"dimension_values": [kind], "value": count} for kind, count in counts]
        found = {"breakdowns": [{"dimension_keys": ["follow_type"], "results": results}]}
        return Reply({"data": [{"name": request.query["metric"], "total_value": found}]})
    if days[0] < TODAY - timedelta(days=30):
        return Reply(json.loads((CASES / "ig_refusal_follower_count.json").read_text()), 400)
    values = [{"value": 5, "end_time": f"{day + timedelta(days=1)}T08:00:00+0000"} for day in days]
    return Reply({"data": [{"name": "follower_count", "values": values}]})


def by_grain(batches: list[Batch]) -> dict[str, pd.DataFrame]:
    return dict(iter(rows_of(batches).groupby("grain")))


@pytest.mark.behaviour("restated_days", "instagram")
@pytest.mark.behaviour("windows", "instagram")
def test_new_followers_cover_every_day_once_and_the_next_pull_takes_three_days_again(tmp_path: Path) -> None:
    batches, _, cursor = pull(follower_days, tmp_path, "daily")
    days = by_grain(batches)["day"]
    assert days["period_start"].tolist() == [str(date(2024, 10, 1) + timedelta(days=n)) for n in range(132)]
    assert days["period_start"].iloc[-1] == "2025-02-09"  # up to yesterday
    kept = days[days["availability"] == "given"]
    assert (kept["period_start"].min(), len(kept), set(kept["value"])) == ("2025-01-11", 30, {"5"})
    assert set(days["availability"]) == {"given", "not_offered"}
    batches, server, _ = pull(follower_days, tmp_path, "daily", cursor=cursor)
    assert rows_of(batches)["period_start"].tolist() == ["2025-02-07", "2025-02-08", "2025-02-09"]
    assert len(server.requests) == 1


@pytest.mark.behaviour("windows", "instagram")
def test_followers_of_months_that_are_over_come_from_totals_in_windows_of_thirty_days(tmp_path: Path) -> None:
    batches, server, _ = pull(follower_days, tmp_path, "daily")
    months = by_grain(batches)["month"]
    found = dict(zip(months["period_start"], months["value"], strict=True))
    assert found == {"2024-10-01": "155", "2024-11-01": "150", "2024-12-01": "155", "2025-01-01": "155"}
    totals = [request for request in server.requests if request.query["metric"] == "follows_and_unfollows"]
    assert len(totals) == 7  # November has thirty days


def test_days_that_are_stored_are_not_replaced_by_days_that_are_no_longer_offered(tmp_path: Path) -> None:
    _, _, cursor = pull(follower_days, tmp_path, "daily")
    assert cursor is not None
    old = cursor.replace("2025-02-09", "2024-12-20")  # the last load was seven weeks ago
    days = by_grain(pull(follower_days, tmp_path, "daily", cursor=old)[0])["day"]
    lost = days[days["availability"] == "not_offered"]["period_start"].tolist()
    assert (lost[0], lost[-1], len(lost)) == ("2024-12-21", "2025-01-10", 21)


@pytest.mark.behaviour("missing_not_zero", "instagram")
def test_days_without_data_keep_an_empty_figure_and_do_not_move_the_cursor(tmp_path: Path) -> None:
    batches, _, cursor = pull(lambda request: Reply({"data": []}), tmp_path, "daily")
    frame = rows_of(batches)
    assert len(frame) == 132 + 4
    assert frame["value"].isna().all()
    assert set(frame[frame["period_start"] >= "2025-01-11"]["availability"]) == {"no_data"}
    assert cursor is None


@pytest.mark.behaviour("resumed", "instagram", "matomo")
def test_a_load_interrupted_between_windows_resumes_after_the_last_stored_one(tmp_path: Path) -> None:
    with serving(follower_days) as server:
        client = instagram.open(settings_for(server, tmp_path), QUICK)
        some = client.pull("daily").batches
        kept = [next(some), next(some), next(some)]  # the first window, and the second with its month
        rest = list(client.pull("daily", checkpoint=kept[-1].checkpoint).batches)
    assert by_grain(kept + rest)["day"]["period_start"].tolist() == [
        str(date(2024, 10, 1) + timedelta(days=n)) for n in range(132)
    ]


@pytest.mark.behaviour("exact_period", "instagram")
@pytest.mark.behaviour("unique_not_added", "instagram")
@pytest.mark.behaviour("windows", "instagram")
def test_views_of_a_quarter_are_those_of_its_windows_and_reach_is_not_offered(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        if (until := date.fromisoformat(request.query["until"])) and len(days_in(request)) > 30:
            return Reply(json.loads((CASES / "ig_refusal_30_days.json").read_text()), 400)
        assert request.query["metric"] == "views" and until
        return Reply({"data": [total("views", len(days_in(request)))]})

    batches, server, _ = pull(answer, tmp_path, "periods", quarter=Q4)
    frame = rows_of(batches).astype(object).where(lambda cell: cell.notna(), None)
    found = {(row.metric, row.grain): (row.value, row.availability) for row in frame.itertuples()}
    assert found == {
        ("views", "quarter"): ("92", "given"), ("views", "year"): ("366", "given"),
        ("reach", "quarter"): (None, "not_offered"), ("reach", "year"): (None, "not_offered"),
    }  # fmt: skip
    sizes = [len(days_in(request)) for request in server.requests]
    assert sizes[:4] == [30, 30, 30, 2] and max(sizes) == 30
    assert len(server.requests) == 4 * 4  # the windows of the last quarter are not requested again


def days_in(request: Request) -> range:
    since, until = date.fromisoformat(request.query["since"]), date.fromisoformat(request.query["until"])
    return range((until - since).days)


@pytest.mark.behaviour("windows", "instagram")
@pytest.mark.parametrize(
    ("parts", "value"),
    [
        ([1, 2, 3, 4], "10"),
        ([None, None, 3, 4], "7"),  # the account began in the quarter
        ([1, None, 3, 4], None),  # a hole: the sum would be too small
        ([1, 2, 3, None], None),
        ([None] * 4, None),
        ([0, 0, 0, 0], "0"),
    ],
)
def test_a_window_without_data_is_no_zero_in_the_sum(
    tmp_path: Path, parts: list[int | None], value: str | None
) -> None:
    starts = ["2024-07-01", "2024-07-31", "2024-08-30", "2024-09-29"]

    def answer(request: Request) -> Reply:
        part = parts[starts.index(request.query["since"])]
        return Reply({"data": [] if part is None else [total("views", part)]})

    frame = rows_of(pull(answer, tmp_path, "periods", quarter=Quarter(2024, 3))[0])
    (views,) = (
        frame[frame["metric"] == "views"]
        .astype(object)
        .where(lambda cell: cell.notna(), None)
        .to_dict("records")
    )
    assert (views["value"], views["availability"]) == (value, "no_data" if value is None else "given")


@pytest.mark.behaviour("missing_not_zero", "instagram")
def test_a_missing_figure_stays_empty_and_never_becomes_a_zero(tmp_path: Path) -> None:
    batches, _, _ = pull(
        lambda request: Reply({"data": [total("views", None)]}), tmp_path, "periods", quarter=Q4
    )
    frame = rows_of(batches)
    assert frame["value"].isna().all()
    assert set(frame[frame["metric"] == "views"]["availability"]) == {"no_data"}


@pytest.mark.behaviour("retired_metric", "instagram")
def test_a_retired_metric_is_named_and_does_not_take_the_load_with_it(tmp_path: Path) -> None:
    with serving(lambda request: error(100)) as server:
        result = instagram.open(settings_for(server, tmp_path), QUICK).pull(
            "periods", quarter=Quarter(2024, 2)
        )
        frame = rows_of(list(result.batches)).set_index("metric")
    assert frame["availability"].to_dict() == {"reach": "not_offered", "views": "not_offered"}
    assert "views for 2024-04-01" in result.warnings()[0]


def test_a_quarter_that_has_not_begun_is_not_requested(tmp_path: Path) -> None:
    batches, server, _ = pull(lambda request: Reply({}), tmp_path, "periods", quarter=Quarter(2025, 2))
    assert (batches, server.requests) == ([], [])


def test_a_period_needs_a_quarter(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="2024-Q4"):
        pull(lambda request: Reply({}), tmp_path, "contents")


def post(number: int, stamp: str, **figures: int) -> dict[str, Any]:
    insights = [
        {"name": name, "period": "lifetime", "values": [{"value": value}]} for name, value in figures.items()
    ]
    return {"id": str(number), "caption": "Hello", "media_type": "VIDEO", "media_product_type": "REELS",
            "timestamp": stamp, "insights": {"data": insights}}  # fmt: skip


@pytest.mark.behaviour("last_page", "instagram")
def test_posts_come_page_by_page_and_the_last_page_has_cursors_but_no_next(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        number = int(request.query.get("after", "0"))
        paging: dict[str, Any] = {"cursors": {"before": "x", "after": str(number + 1)}}
        if number < 2:
            paging["next"] = "https://evil.example/steals?access_token=…"
        return Reply(
            {"data": [post(number + 1, "2024-11-26T08:00:00+0000", views=10, reach=8)], "paging": paging}
        )

    batches, server, _ = pull(answer, tmp_path, "contents", quarter=Q4)
    frame = rows_of(batches)
    assert frame["content_id"].tolist() == ["1", "2", "3"]
    assert frame["published_at"].iloc[0] == "2024-11-26T08:00:00+00:00"
    assert len(server.requests) == 3
    figures = rows_of(pull(answer, tmp_path, "content_metrics", quarter=Q4)[0])
    assert figures[["content_id", "metric", "value"]].to_numpy().tolist() == [
        [post, metric, value] for post in "123" for metric, value in (("views", "10"), ("reach", "8"))
    ]


@pytest.mark.behaviour("business_day", "instagram")
def test_a_post_belongs_to_the_quarter_of_the_business_time_zone(tmp_path: Path) -> None:
    stamps = {
        "1": "2024-09-30T22:30:00+0000",  # 1 October in Madrid
        "2": "2024-12-31T22:30:00+0000",
        "3": "2024-12-31T23:30:00+0000",  # 1 January in Madrid
    }
    posts = [post(int(number), stamp) for number, stamp in stamps.items()]
    batches, server, _ = pull(lambda request: Reply({"data": posts}), tmp_path, "contents", quarter=Q4)
    assert rows_of(batches)["content_id"].tolist() == ["1", "2"]
    assert (server.requests[0].query["since"], server.requests[0].query["until"]) == (
        "2024-09-30",
        "2025-01-02",
    )


@pytest.mark.behaviour("error_meaning", "instagram")
def test_one_figure_that_is_refused_stays_empty_and_the_others_are_kept(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        if request.path.endswith("/media"):
            if "insights" in request.query["fields"]:
                return error(100, 2108006)
            posts = [
                {k: v for k, v in post(n, "2024-11-26T08:00:00+0000").items() if k != "insights"}
                for n in (1, 2)
            ]
            return Reply({"data": posts})
        if request.path.endswith("/1/insights"):
            return error(100, 2108006)  # posted before the account became a business
        if request.query["metric"] == "reach":
            return error(10, words="(#10) Not enough viewers for the media to show insights")
        return Reply({"data": [{"name": "views", "values": [{"value": 4}]}]})

    batches, _, _ = pull(answer, tmp_path, "content_metrics", quarter=Q4)
    frame = rows_of(batches).astype(object)
    frame = frame.where(frame.notna(), None)
    assert frame[["content_id", "metric", "value", "availability"]].to_numpy().tolist() == [
        ["1", "views", None, "suppressed"], ["1", "reach", None, "suppressed"],
        ["2", "views", "4", "given"], ["2", "reach", None, "suppressed"],
    ]  # fmt: skip


@pytest.mark.behaviour("error_meaning", "instagram")
@pytest.mark.behaviour("permissions", "instagram")
@pytest.mark.parametrize("entity", ["content_metrics", "periods", "daily"])
def test_a_missing_permission_for_insights_is_named_and_hides_no_figure_as_of_few_people(
    tmp_path: Path, entity: str
) -> None:
    refusal = json.loads((CASES / "ig_no_permission.json").read_text())

    def answer(request: Request) -> Reply:
        if request.path.endswith("/media") and "insights" not in request.query["fields"]:
            return Reply({"data": [post(1, "2024-11-26T08:00:00+0000")]})
        return Reply(refusal, 400)

    with pytest.raises(PermanentSourceError, match="lacks the permission instagram_manage_insights"):
        pull(answer, tmp_path, entity, quarter=Q4)


@pytest.mark.slow
@pytest.mark.behaviour("one_account", "instagram")
def test_one_account_without_permission_is_named_and_the_others_are_stored(tmp_path: Path) -> None:
    refusal = json.loads((CASES / "ig_no_permission.json").read_text())

    def answer(request: Request) -> Reply:
        if "/18/" in request.path:
            return Reply(refusal, 400)
        return (
            follower_days(request)
            if "follow" in request.query["metric"]
            else Reply({"data": [total("views", 7)]})
        )

    with serving(answer) as server:
        settings = settings_for(server, tmp_path).with_source(
            "instagram", account_ids="18,17", api_url=server.url
        )
        client = instagram.open(settings, QUICK)
        for entity, metric in (("periods", "views"), ("daily", "follower_count")):
            result = client.pull(entity, quarter=Q4)
            frame = rows_of(list(result.batches))
            states = frame[frame["metric"] == metric].groupby("account_id")["availability"].agg(set)
            assert "no_access" in states["18"] and "given" not in states["18"] and "given" in states["17"]
            assert "Instagram account 18 could not be read, and the others were" in result.warnings()[0]
            assert "instagram_manage_insights" in result.warnings()[0]
        assert set(json.loads(str(result.cursor()))["days"]) == {"17"}


@pytest.mark.parametrize("code", [102, 190])
@pytest.mark.behaviour("reauthorise", "instagram")
@pytest.mark.behaviour("no_secrets", "instagram")
def test_a_dead_token_asks_for_a_new_authorisation_at_once(tmp_path: Path, code: int) -> None:
    with pytest.raises(PermanentSourceError, match="MEL_INSTAGRAM_ACCESS_TOKEN") as caught:
        pull(lambda request: error(code, status=200), tmp_path, "accounts")
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("entity", ["daily", "periods"])
@pytest.mark.behaviour("error_meaning", "instagram")
def test_an_account_that_is_gone_is_an_error_about_its_id_and_not_a_refused_request(
    tmp_path: Path, entity: str
) -> None:
    with pytest.raises(PermanentSourceError, match="MEL_INSTAGRAM_ACCOUNT_IDS"):
        pull(lambda request: error(100, 33), tmp_path, entity, quarter=Q4)


@pytest.mark.parametrize("code", [10, 200, 299])
def test_a_missing_permission_is_permanent_and_named(tmp_path: Path, code: int) -> None:
    with pytest.raises(PermanentSourceError, match="instagram_manage_insights"):
        pull(lambda request: error(code), tmp_path, "accounts")


@pytest.mark.parametrize("code", [1, 2, 4, 17, 32, 613, 80000, 80014])
@pytest.mark.behaviour("error_meaning", "instagram")
def test_a_transient_error_code_is_retried_whatever_the_http_status(tmp_path: Path, code: int) -> None:
    calls: list[int] = []

    def answer(request: Request) -> Reply:
        if request.path.endswith("/debug_token"):
            return Reply({"data": {"expires_at": 0}})
        calls.append(1)
        return (
            error(code, status=400)
            if len(calls) == 1
            else Reply({"id": "17", "username": "m", "followers_count": 1})
        )

    batches, _, _ = pull(answer, tmp_path, "accounts")
    assert len(rows_of(batches)) == 1
    assert len(calls) == 2


@pytest.mark.behaviour("throttling", "instagram")
def test_an_hour_long_wait_in_the_usage_header_is_left_to_the_next_run(tmp_path: Path) -> None:
    usage = json.dumps({"17": [{"type": "instagram", "estimated_time_to_regain_access": 60}]})
    with pytest.raises(TransientSourceError, match="60 minutes"):
        pull(lambda request: error(4, X_Business_Use_Case_Usage=usage), tmp_path, "accounts")


def test_the_usage_header_is_read_in_minutes_and_broken_ones_are_ignored() -> None:
    assert graph_errors.wait_seconds({"X-App-Usage": '{"estimated_time_to_regain_access": 2}'}) == 120
    assert graph_errors.wait_seconds({"x-app-usage": "{", "X-Business-Use-Case-Usage": "[]"[:1]}) is None
    assert graph_errors.wait_seconds({"X-App-Usage": '{"call_count": 3}'}) is None


def visits(
    answer: Callable[[Request], Reply], home: Path, entity: str = "daily", **options: Any
) -> tuple[pd.DataFrame, list[Batch], Service]:
    with serving(answer) as server:
        batches = list(matomo.open(settings_for(server, home), QUICK).pull(entity, **options).batches)
        return rows_of(batches) if batches else pd.DataFrame(), batches, server


def site(request: Request) -> Reply:
    assert request.method == "POST"
    assert request.form["token_auth"] == "sample-matomo-token"
    assert request.query == {}
    if request.form["method"] == "SitesManager.getSiteFromId":
        return Reply({"idsite": 1, "name": "metropolis.org"})
    first, last = (date.fromisoformat(text) for text in request.form["date"].split(","))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    body: dict[str, Any] = {
        str(day): {"nb_visits": 10, "nb_actions": 26, "bounce_rate": "50%"} for day in days
    }
    return Reply(body | {"2024-10-07": []} if "2024-10-07" in body else body)


@pytest.mark.behaviour("no_secrets", "matomo")
def test_visits_come_by_day_up_to_yesterday_with_the_token_in_the_body(tmp_path: Path) -> None:
    frame, _, _ = visits(site, tmp_path)
    assert len(frame) == 2 * 132
    assert frame.iloc[0][["platform", "account_id", "metric", "period_start", "value"]].tolist() == [
        "matomo", "1", "nb_visits", "2024-10-01", "10",
    ]  # fmt: skip
    assert frame["period_start"].iloc[-1] == "2025-02-09"


@pytest.mark.behaviour("missing_not_zero", "matomo")
def test_a_day_without_data_keeps_a_row_without_figures(tmp_path: Path) -> None:
    frame, _, _ = visits(site, tmp_path)
    empty = frame[frame["period_start"] == "2024-10-07"]
    assert len(empty) == 2
    assert empty["value"].isna().all()
    assert set(empty["availability"]) == {"no_data"}


def test_a_day_missing_from_the_response_is_quarantined(tmp_path: Path) -> None:
    def gap(request: Request) -> Reply:
        reply = site(request)
        reply.body.pop("2024-10-09", None)
        return reply

    frame, batches, _ = visits(gap, tmp_path)
    assert len(frame) == 2 * 131
    assert [row.source_ref for batch in batches for row in batch.rejected] == ["site 1, 2024-10-09"]


@pytest.mark.behaviour("exact_period", "matomo")
@pytest.mark.behaviour("unique_not_added", "matomo")
def test_unique_visitors_are_requested_by_month_and_a_quarter_has_none(tmp_path: Path) -> None:
    def months(request: Request) -> Reply:
        assert (request.form["period"], request.form["date"]) == ("month", "2024-10-01,2024-12-01")
        return Reply(
            {"2024-10": {"nb_uniq_visitors": 70}, "2024-11": [], "2024-12": {"nb_uniq_visitors": 80}}
        )

    frame, _, _ = visits(months, tmp_path, "periods", quarter=Q4)
    frame = frame.astype(object).where(frame.notna(), None)
    assert frame[["grain", "period_start", "value", "availability"]].to_numpy().tolist() == [
        ["month", "2024-10-01", "70", "given"],
        ["month", "2024-11-01", None, "no_data"],
        ["month", "2024-12-01", "80", "given"],
        ["quarter", "2024-10-01", None, "not_offered"],
        ["year", "2024-01-01", None, "not_offered"],
    ]


def test_a_month_that_is_not_over_is_not_requested(tmp_path: Path) -> None:
    def january(request: Request) -> Reply:
        assert request.form["date"] == "2025-01-01,2025-01-01"
        return Reply({"2025-01": {"nb_uniq_visitors": 70}})

    frame, _, _ = visits(january, tmp_path, "periods", quarter=Quarter(2025, 1))
    assert frame["grain"].tolist() == ["month", "quarter"]


@pytest.mark.behaviour("error_meaning", "matomo")
@pytest.mark.behaviour("no_secrets", "matomo")
def test_an_error_of_matomo_inside_a_200_is_permanent_and_does_not_repeat_the_token(tmp_path: Path) -> None:
    message = "You can't access this resource with token sample-matomo-token from 192.0.2.7"
    with pytest.raises(PermanentSourceError, match="MEL_MATOMO_TOKEN") as caught:
        visits(lambda request: Reply({"result": "error", "message": message}), tmp_path)
    assert "sample-matomo-token" not in str(caught.value)
    assert "192.0.2.7" not in str(caught.value)
