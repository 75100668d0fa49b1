"""The sandbox over real HTTP: the server, Instagram and Matomo. Zoho has its own test files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from mel_pipeline.core.errors import MelError
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.sandbox import Sandbox, running
from mel_pipeline_tests.fixtures.zoho_client import Client

TODAY = date(2026, 11, 20)
MAIN, AVANTIA = "17841400000000001", "17841400000000002"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running(today=TODAY) as sandbox:
        yield sandbox


# Server


@pytest.mark.slow
def test_the_front_door_says_that_this_is_sample_data(box: Sandbox) -> None:
    answer = requests.get(f"{box.url}/", timeout=10)
    assert answer.json()["sample_data"] is True
    assert answer.json()["today"] == "2026-11-20"


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/crm/v8/Contacts", "/instagram/v23.0/1", "/matomo/index.php"]
)
def test_every_answer_is_labelled_as_sample_data_errors_too(box: Sandbox, path: str) -> None:
    assert requests.get(f"{box.url}{path}", timeout=10).headers["X-Sample-Data"] == "true"


@pytest.mark.slow
def test_a_taken_port_is_named_in_a_plain_error(box: Sandbox) -> None:
    with pytest.raises(MelError, match=f"port {box.port}"), running(port=box.port, today=TODAY):
        pass


@pytest.mark.slow
def test_the_port_is_free_again_after_the_block() -> None:
    with running(today=TODAY) as first:
        url = first.url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=2)


@pytest.mark.slow
def test_survey_exports_are_there_as_soon_as_the_sandbox_answers(tmp_path: Path) -> None:
    with running(today=TODAY, survey_dir=tmp_path / "drop"):
        names = {path.name for path in (tmp_path / "drop").iterdir()}
    assert {"solutions-labs-feedback-2024-Q4.csv", "trainings-feedback-2024-Q4-es.csv"} <= names


def test_the_sample_settings_point_at_paths_the_sandbox_answers(box: Sandbox) -> None:
    settings = with_sample_values(Settings(_env_file=None), box.port)  # type: ignore[call-arg]
    with requests.Session() as session:
        zoho = {"Authorization": f"Zoho-oauthtoken {Client(box.url, session).sign_in()}"}
    people = f"{settings.zoho_people_url}/people/api/forms/employee/getRecords"
    assert requests.get(people, headers=zoho, timeout=10).json()["response"]["status"] == 0
    instagram, matomo = settings.source("instagram"), settings.source("matomo")
    bearer = {"Authorization": f"Bearer {instagram.text('access_token')}"}
    for account in instagram.listed("account_ids"):
        node = requests.get(f"{instagram.text('api_url')}/v23.0/{account}", headers=bearer, timeout=10)
        assert node.json()["id"] == account
    for site in matomo.listed("site_ids"):
        form = {"module": "API", "method": "SitesManager.getSiteFromId", "idSite": site, "format": "JSON"}
        form["token_auth"] = matomo.text("token")
        assert (
            requests.post(matomo.text("url"), data=form, timeout=10).json()["name"].startswith("metropolis")
        )


# Instagram


def graph(box: Sandbox, path: str, **query: object) -> requests.Response:
    headers = {"Authorization": "Bearer sample-instagram-token"}
    params = {name: str(value) for name, value in query.items()}
    return requests.get(f"{box.url}/instagram/v23.0/{path}", params=params, headers=headers, timeout=10)


def windows(since: str, until: str) -> Iterator[tuple[date, date]]:
    """The period in parts of at most thirty days."""
    first, end = date.fromisoformat(since), date.fromisoformat(until)
    while first < end:
        yield first, (first := min(first + timedelta(days=30), end))


def total(box: Sandbox, metric: str, since: object, until: object, account: str = AVANTIA) -> int:
    query = {"metric": metric, "metric_type": "total_value", "period": "day", "since": since, "until": until}
    data = graph(box, f"{account}/insights", **query).json()["data"]
    return int(data[0]["total_value"]["value"]) if data else 0


def test_an_account_reports_its_followers_and_the_api_usage(box: Sandbox) -> None:
    answer = graph(box, AVANTIA, fields="id,username,followers_count,media_count")
    assert answer.json()["username"] == "avantia"
    assert answer.json()["followers_count"] > 1_500
    assert "call_count" in answer.headers["X-App-Usage"]


def test_a_bad_instagram_token_is_code_190_in_either_place(box: Sandbox) -> None:
    url = f"{box.url}/instagram/v23.0/{MAIN}"
    by_header = requests.get(url, headers={"Authorization": "Bearer wrong"}, timeout=10)
    by_query = requests.get(url, params={"access_token": "wrong"}, timeout=10)
    assert by_header.json()["error"]["code"] == by_query.json()["error"]["code"] == 190
    good = requests.get(url, params={"access_token": "sample-instagram-token"}, timeout=10)
    assert good.status_code == 200


def test_an_object_that_does_not_exist_is_code_100(box: Sandbox) -> None:
    assert graph(box, "123").json()["error"]["code"] == 100


def test_views_of_a_year_add_up_from_windows_and_reach_does_not(box: Sandbox) -> None:
    seen = sum(total(box, "views", *part) for part in windows("2024-01-01", "2025-01-01"))
    assert seen == 875_412
    days = [date(2024, 12, 1) + timedelta(days=number) for number in range(30)]
    people = total(box, "reach", days[0], days[-1])
    assert people < sum(total(box, "reach", *pair) for pair in pairwise(days))


def test_the_end_of_a_period_is_exclusive_and_unix_times_work_as_well(box: Sandbox) -> None:
    assert total(box, "views", "2024-11-25", "2024-11-27") == total(
        box, "views", "2024-11-25", "2024-11-26"
    ) + total(box, "views", "2024-11-26", "2024-11-27")
    start = int(datetime.fromisoformat("2024-11-25T00:00:00+00:00").timestamp())
    assert total(box, "views", str(start), str(start + 2 * 86_400)) == total(
        box, "views", "2024-11-25", "2024-11-27"
    )


def test_a_period_before_the_account_existed_is_an_empty_set_not_a_zero(box: Sandbox) -> None:
    query = {"metric_type": "total_value", "period": "day", "since": "2023-01-01", "until": "2023-01-31"}
    for metric in ("views", "reach", "views,reach"):
        assert graph(box, f"{AVANTIA}/insights", metric=metric, **query).json()["data"] == []


def test_a_retired_metric_fails_the_whole_request_with_code_100(box: Sandbox) -> None:
    query = {"metric_type": "total_value", "period": "day", "since": "2024-10-01", "until": "2024-10-31"}
    answer = graph(box, f"{MAIN}/insights", metric="reach,impressions", **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


def test_views_without_total_value_are_refused(box: Sandbox) -> None:
    query = {"metric": "views", "period": "day", "since": "2024-10-01", "until": "2024-10-02"}
    assert graph(box, f"{MAIN}/insights", **query).json()["error"]["code"] == 100


def test_new_followers_come_by_day_for_the_last_thirty_days(box: Sandbox) -> None:
    query = {"metric": "follower_count", "period": "day", "since": TODAY - timedelta(days=30), "until": TODAY}
    answer = graph(box, f"{AVANTIA}/insights", **query).json()["data"][0]
    assert [value["end_time"] for value in (answer["values"][0], answer["values"][-1])] == [
        "2026-10-22T07:00:00+0000",
        "2026-11-20T08:00:00+0000",
    ]
    assert len(answer["values"]) == 30


def test_followers_on_a_past_day_are_todays_minus_those_who_followed_and_left_since(box: Sandbox) -> None:
    followers = int(graph(box, AVANTIA, fields="followers_count").json()["followers_count"])
    query = {"metric": "follows_and_unfollows", "metric_type": "total_value", "breakdown": "follow_type"}
    for since, until in windows("2025-01-01", f"{TODAY}"):
        answer = graph(box, f"{AVANTIA}/insights", period="day", since=since, until=until, **query).json()
        counts = {
            part["dimension_values"][0]: part["value"]
            for part in answer["data"][0]["total_value"]["breakdowns"][0]["results"]
        }
        followers -= counts["FOLLOWER"] - counts["NON_FOLLOWER"]
    assert followers == 1_500


def test_posts_come_in_pages_with_cursors_and_the_last_page_has_no_next(box: Sandbox) -> None:
    query: dict[str, object] = {
        "fields": "id,caption,timestamp",
        "since": "2024-01-01",
        "until": "2025-01-01",
    }
    page = graph(box, f"{MAIN}/media", limit=10, **query).json()
    posts = page["data"]
    while "next" in page["paging"]:
        page = graph(box, f"{MAIN}/media", limit=10, after=page["paging"]["cursors"]["after"], **query).json()
        posts += page["data"]
    assert set(page["paging"]["cursors"]) == {"before", "after"}
    assert len({post["id"] for post in posts}) == len(posts) > 20
    assert {post["timestamp"][:4] for post in posts} == {"2024"}
    assert sum("#10MinutesWithTheMayor" in post["caption"] for post in posts) == 4


def test_the_next_link_of_a_page_can_be_followed_as_it_is(box: Sandbox) -> None:
    page = graph(box, f"{MAIN}/media", limit=5, fields="id").json()
    headers = {"Authorization": "Bearer sample-instagram-token"}
    following = requests.get(page["paging"]["next"], headers=headers, timeout=10).json()
    assert not {post["id"] for post in page["data"]} & {post["id"] for post in following["data"]}


def test_campaign_videos_add_up_to_658382_views_requested_one_by_one(box: Sandbox) -> None:
    query: dict[str, object] = {"fields": "id,caption,media_type", "limit": 100}
    posts = graph(box, f"{AVANTIA}/media", since="2024-11-25", until="2025-01-01", **query).json()["data"]
    videos = [post for post in posts if "#AVANTIAcampaign" in post["caption"]]
    assert {post["media_type"] for post in videos} == {"VIDEO"}
    seen = 0
    for video in videos:
        metrics = graph(box, f"{video['id']}/insights", metric="views,reach").json()["data"]
        values = {metric["name"]: metric["values"][0]["value"] for metric in metrics}
        assert 0 < values["reach"] <= values["views"]
        seen += values["views"]
    assert (len(videos), seen) == (12, 658_382)


def test_a_post_from_before_the_business_account_fails_the_list_that_asks_for_its_figures(
    box: Sandbox,
) -> None:
    query = {"since": "2023-01-01", "until": "2023-02-01"}
    posts = graph(box, f"{MAIN}/media", fields="id", **query).json()["data"]
    for answer in (
        graph(box, f"{posts[0]['id']}/insights", metric="views,reach"),
        graph(box, f"{MAIN}/media", fields="id,insights.metric(views)", **query),
    ):
        assert (answer.status_code, answer.json()["error"]["error_subcode"]) == (400, 2108006)


# Matomo


def matomo(box: Sandbox, **values: str) -> Any:
    form = {"module": "API", "method": "VisitsSummary.get", "idSite": "1", "period": "day", "format": "JSON"}
    form |= {"token_auth": "sample-matomo-token", **values}
    answer = requests.post(f"{box.url}/matomo/index.php", data=form, timeout=10)
    assert answer.status_code == (401 if "token_auth" in values else 200)
    return answer.json()


def test_visits_come_by_day_and_an_empty_day_is_an_empty_list(box: Sandbox) -> None:
    body = matomo(box, date="2024-07-01,2024-09-30")
    assert len(body) == 92
    assert body["2024-08-04"] == []
    assert set(body["2024-08-05"]) >= {"nb_visits", "nb_actions", "bounce_rate"}
    assert body["2024-08-05"]["bounce_rate"].endswith("%")


def test_future_days_are_empty(box: Sandbox) -> None:
    assert set(map(str, matomo(box, date="2026-11-20,2026-11-25").values())) == {"[]"}


def test_visits_of_the_care_site_triple_in_the_month_after_the_toolkit(box: Sandbox) -> None:
    def month(span: str) -> int:
        return sum(day["nb_visits"] for day in matomo(box, idSite="2", date=span).values() if day)

    assert month("2024-10-01,2024-10-31") == 3 * month("2024-09-01,2024-09-30")


def test_matomo_sites_have_names(box: Sandbox) -> None:
    names = [matomo(box, method="SitesManager.getSiteFromId", idSite=site)["name"] for site in ("1", "2")]
    assert names == ["metropolis.org", "metropoliscare.org"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [{"token_auth": "wrong"}, {"idSite": "9"}, {"method": "No.such"}, {"date": "yesterdayish"}],
    ids=str,
)
def test_matomo_errors_come_with_status_200_but_for_the_token(box: Sandbox, wrong: dict[str, str]) -> None:
    body = matomo(box, **{"date": "2024-07-01,2024-07-02", **wrong})
    assert body["result"] == "error"
    assert body["message"]


@pytest.mark.slow
def test_a_platform_can_be_made_to_fail_by_name_and_an_unknown_name_is_refused() -> None:
    with running(today=date(2026, 11, 20), fail="matomo=down") as failing:
        assert requests.get(f"{failing.url}/matomo/index.php", timeout=10).status_code == 503
        assert requests.get(f"{failing.url}/instagram/v23.0/1", timeout=10).status_code == 401
    with pytest.raises(MelError, match="Failures: down, expired_token"), running(fail="matomo=sulking"):
        pass
