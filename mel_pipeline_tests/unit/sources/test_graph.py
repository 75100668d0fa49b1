"""What Graph responses mean, and Facebook's responses as rows. No HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.facebook import parse
from mel_pipeline.sources.shared.meta import graph, graph_errors
from mel_pipeline.sources.shared.meta.posts import day_in
from mel_pipeline.sources.shared.meta.token import expiry_warning

FACEBOOK = contract_of("facebook").entities
MADRID = day_in(Quarter(2024, 4), ZoneInfo("Europe/Madrid"))


def test_the_longest_wait_of_all_usage_headers_counts_in_minutes() -> None:
    one = '{"17": [{"estimated_time_to_regain_access": 3}, {"estimated_time_to_regain_access": 5}]}'
    assert (
        graph_errors.wait_seconds({"X-Business-Use-Case-Usage": one, "X-App-Usage": '{"call_count": 9}'})
        == 300
    )
    assert graph_errors.wait_seconds({"x-app-usage": '{"estimated_time_to_regain_access": 2}'}) == 120


@pytest.mark.parametrize("broken", ["{", "[]", '"text"', "null", '{"17": 3}', '{"17": [4]}'])
def test_an_unreadable_usage_header_is_ignored(broken: str) -> None:
    assert graph_errors.wait_seconds({"X-App-Usage": broken}) is None
    assert graph_errors.used_percent({"X-App-Usage": broken}) is None


def test_usage_is_the_largest_share_of_any_quota() -> None:
    headers = {
        "X-App-Usage": '{"call_count": 28, "total_time": 25, "total_cputime": 35}',
        "X-Business-Use-Case-Usage": '{"17": [{"type": "pages", "call_count": 61}]}',
    }
    assert graph_errors.used_percent(headers) == 61


@pytest.mark.behaviour("last_page", "facebook")
def test_cursors_alone_do_not_mean_another_page() -> None:
    cursors = {"before": "a", "after": "b"}
    assert graph.next_page({"paging": {"cursors": cursors}}) is None
    assert graph.next_page({"paging": {"cursors": cursors, "next": "https://…"}}) == "b"
    assert graph.next_page({"paging": {"next": "https://…"}}) == ""


@pytest.mark.behaviour("business_day", "facebook")
def test_a_post_belongs_to_the_quarter_of_the_business_time_zone() -> None:
    stamps = {
        "1": "2024-09-30T22:30:00+0000",  # 1 October in Madrid
        "2": "2024-12-31T22:30:00+0000",
        "3": "2024-12-31T23:30:00+0000",  # 1 January in Madrid
    }
    posts = [{"id": number, "created_time": stamp} for number, stamp in stamps.items()]
    assert parse.parse_posts(posts, FACEBOOK["contents"], "17", MADRID).frame["content_id"].tolist() == [
        "1",
        "2",
    ]
    days = parse.parse_figures(posts, {}, FACEBOOK["content_metrics"], "17", MADRID).frame["period_start"]
    assert set(days) == {"2024-10-01", "2024-12-31"}


def test_posts_without_an_id_or_a_readable_time_are_quarantined_with_their_place() -> None:
    posts = [{"id": "5", "created_time": "soon"}, {"created_time": "2024-11-01T10:00:00+0000"}]
    batch = parse.parse_posts(posts, FACEBOOK["contents"], "17", MADRID)
    assert batch.frame.empty and batch.fetched == 2
    assert [(row.source_ref, row.column) for row in batch.rejected] == [
        ("account 17, post 5", "published_at"),
        ("account 17, post without id", "content_id"),
    ]


def test_a_value_without_a_readable_label_is_quarantined_and_its_day_stays_empty() -> None:
    values = [{"value": 4, "end_time": "tomorrow"}, {"value": 5}]
    data = {"data": [{"name": "page_media_view", "values": values}]}
    window = (date(2024, 11, 1), date(2024, 11, 2))
    batch = parse.parse_days(data, FACEBOOK["daily"], "17", window, ["page_media_view"])
    assert batch.frame[["value", "availability"]].astype(object).to_numpy().tolist()[0][1] == "no_data"
    assert len(batch.rejected) == 2


def test_a_value_outside_the_requested_days_is_dropped_and_counted() -> None:
    values = [{"value": 4, "end_time": "2024-11-05T08:00:00+0000"}]
    data = {"data": [{"name": "page_media_view", "values": values}]}
    window = (date(2024, 11, 1), date(2024, 11, 2))
    batch = parse.parse_days(data, FACEBOOK["daily"], "17", window, ["page_media_view"])
    assert batch.frame["value"].isna().all()
    assert batch.notes == ["1 figures of days that were not requested were left out."]


@pytest.mark.behaviour("expiry_warning", "facebook", "instagram")
def test_the_earlier_of_both_ends_of_a_token_counts_and_zero_means_never() -> None:
    wording = graph_errors.Wording("Facebook", "", "MEL_FACEBOOK_ACCESS_TOKEN", "", "", "")

    def warned(expires: object, access: object) -> str | None:
        data = {"data": {"expires_at": expires, "data_access_expires_at": access}}
        return expiry_warning(data, date(2026, 11, 20), wording)

    soon = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp())
    assert warned(0, 0) is warned(None, "never") is None
    assert "2026-11-25" in str(warned(0, soon))
    assert "MEL_FACEBOOK_ACCESS_TOKEN" in str(warned(soon, soon * 2))


@pytest.mark.behaviour("retired_metric", "facebook")
def test_a_metric_refused_for_every_post_was_retired_and_for_some_is_not_offered() -> None:
    posts = [{"id": "1"}, {"id": "2"}]
    assert parse.why_refused("post_clicks", ["1", "2"], posts) == {
        ("1", "post_clicks"): "retired", ("2", "post_clicks"): "retired",
    }  # fmt: skip
    assert parse.why_refused("post_clicks", ["2"], posts) == {("2", "post_clicks"): "not_offered"}
