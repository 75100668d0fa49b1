"""Each refusal of the sandbox beside the answer recorded from the real service."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests

from mel_pipeline.core.errors import MelError
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.limits import limits
from mel_pipeline.sandbox.platforms import facebook, instagram, linkedin, switch_on, x
from mel_pipeline_tests.fixtures.limits import TODAY, recorded

MAIN, AVANTIA = "17841400000000001", "17841400000000002"
PAGE, CARE = "112000000000001", "112000000000002"


def untraced(body: Any) -> Any:
    """A Graph error without its id."""
    return {name: value for name, value in body["error"].items() if name != "fbtrace_id"}


def test_every_limit_names_the_public_page_it_is_known_from() -> None:
    stated = [limit for _, _, limit in limits()]
    assert len(stated) > 50
    assert all(limit.source.startswith("https://") and limit.when and limit.body for limit in stated)


def test_every_switch_is_asked_for_by_its_simulator() -> None:
    for module, name, limit in limits():
        written = Path(import_module(module).__file__ or "").read_text("utf-8")
        assert limit.always or len(re.findall(rf"\b{name.upper()}\b", written)) > 1, f"{module}.{name}"


def test_a_limit_of_one_account_is_switched_on_by_its_name(box: Sandbox) -> None:
    switch_on(box.platforms, f"instagram/{MAIN}=no_permission")
    assert box.platforms["instagram"].limited(MAIN, instagram.NO_PERMISSION)
    assert not box.platforms["instagram"].limited(AVANTIA, instagram.NO_PERMISSION)
    for wrong in (f"instagram/{MAIN}=window", f"instagram/{MAIN}=down", "tiktok/1=down"):
        with pytest.raises(MelError, match="platform/account=limit"):
            switch_on(box.platforms, wrong)


# Instagram


def graph(box: Sandbox, path: str, **query: object) -> requests.Response:
    headers = {"Authorization": "Bearer sample-instagram-token"}
    params = {name: str(value) for name, value in query.items()}
    return requests.get(f"{box.url}/instagram/v23.0/{path}", params=params, headers=headers, timeout=10)


@pytest.mark.parametrize(
    "kind",
    [{"metric": "views", "metric_type": "total_value"}, {"metric": "reach"}, {"metric": "follower_count"}],
    ids=str,
)
def test_insights_of_more_than_thirty_days_are_refused(box: Sandbox, kind: dict[str, str]) -> None:
    query = {"period": "day", "until": TODAY, **kind}
    answer = graph(box, f"{MAIN}/insights", since=TODAY - timedelta(days=31), **query)
    assert answer.status_code == 400
    assert untraced(answer.json()) == untraced(recorded("ig_refusal_30_days"))
    assert graph(box, f"{MAIN}/insights", since=TODAY - timedelta(days=30), **query).status_code == 200


def test_new_followers_are_refused_as_a_whole_if_the_window_begins_more_than_thirty_days_ago(
    box: Sandbox,
) -> None:
    query = {"metric": "follower_count", "period": "day", "until": TODAY - timedelta(days=2)}
    answer = graph(box, f"{MAIN}/insights", since=TODAY - timedelta(days=31), **query)
    assert answer.status_code == 400
    assert untraced(answer.json()) == untraced(recorded("ig_refusal_follower_count"))


def test_a_missing_permission_and_few_viewers_share_a_code_and_not_the_words(box: Sandbox) -> None:
    post = graph(box, f"{MAIN}/media", fields="id", limit=1).json()["data"][0]["id"]
    box.platforms["instagram"].limit(post, instagram.FEW_VIEWERS)
    few = graph(box, f"{post}/insights", metric="views")
    box.platforms["instagram"].limit(MAIN, instagram.NO_PERMISSION)
    for path in (f"{MAIN}/insights", f"{post}/insights"):
        denied = graph(box, path, metric="reach")
        assert untraced(denied.json()) == untraced(recorded("ig_no_permission"))
    assert few.json()["error"]["code"] == denied.json()["error"]["code"] == 10
    assert "Not enough viewers" in few.json()["error"]["message"]
    assert graph(box, MAIN, fields="followers_count").status_code == 200
    assert graph(box, f"{AVANTIA}/insights", metric="reach").status_code == 200


def test_days_of_an_account_east_of_greenwich_end_on_their_own_date_in_utc(box: Sandbox) -> None:
    query = {"metric": "follower_count", "period": "day", "since": TODAY - timedelta(days=1), "until": TODAY}
    usual = graph(box, f"{MAIN}/insights", **query).json()["data"][0]["values"]
    box.platforms["instagram"].limit(MAIN, instagram.EAST_OF_GREENWICH)
    east = graph(box, f"{MAIN}/insights", **query).json()["data"][0]["values"]
    assert (usual[0]["end_time"], east[0]["end_time"]) == (
        "2026-11-20T08:00:00+0000",
        "2026-11-19T15:00:00+0000",
    )
    assert usual[0]["value"] == east[0]["value"]


# Facebook


def page(box: Sandbox, path: str, *, token: str = "", **query: object) -> requests.Response:
    """A request with the Page's own token, or with this one."""
    bearer = token or facebook.page_token(path.split("/", maxsplit=1)[0].split("_", maxsplit=1)[0])
    params = {name: str(value) for name, value in query.items()}
    address = f"{box.url}/facebook/v23.0/{path}"
    return requests.get(address, params=params, headers={"Authorization": f"Bearer {bearer}"}, timeout=10)


def test_insights_of_a_page_are_given_for_up_to_93_days(box: Sandbox) -> None:
    query = {"metric": "page_media_view", "period": "day", "until": TODAY}
    assert page(box, f"{PAGE}/insights", since=TODAY - timedelta(days=93), **query).status_code == 200
    refused = page(box, f"{PAGE}/insights", since=TODAY - timedelta(days=94), **query)
    message = "(#100) There cannot be more than 93 days (8035200 s) between since and until"
    assert untraced(refused.json()) == {"message": message, "type": "OAuthException", "code": 100}


@pytest.mark.parametrize(
    "gone", ["page_impressions", "page_impressions_unique", "page_fans", "page_engaged_users"]
)
def test_a_retired_metric_of_a_page_fails_those_asked_with_it(box: Sandbox, gone: str) -> None:
    query = {"metric": f"page_media_view,{gone}", "period": "day"}
    error = page(box, f"{PAGE}/insights", **query).json()["error"]
    assert (error["code"], error["message"]) == (100, "(#100) The value must be a valid insights metric")


def test_a_page_without_a_role_or_permission_is_refused_and_the_other_is_not(box: Sandbox) -> None:
    query = {"metric": "page_media_view", "period": "day"}
    box.platforms["facebook"].limit(CARE, facebook.NO_PERMISSION)
    assert page(box, f"{CARE}/insights", **query).json()["error"]["code"] == 283
    assert page(box, f"{CARE}/posts").status_code == 200
    box.platforms["facebook"].limit(CARE, facebook.NO_ROLE)
    for answer in (
        page(box, CARE, token=facebook.SYSTEM_TOKEN, fields="access_token"),
        page(box, f"{CARE}/posts"),
    ):
        assert answer.json()["error"]["code"] == 10
        assert "requires the 'pages_read_engagement' permission" in answer.json()["error"]["message"]
    assert page(box, f"{PAGE}/insights", **query).status_code == 200


def test_a_page_with_few_likes_has_an_empty_set_of_insights(box: Sandbox) -> None:
    box.platforms["facebook"].limit(CARE, facebook.FEW_LIKES)
    answer = page(box, f"{CARE}/insights", metric="page_media_view", period="day")
    assert (answer.status_code, answer.json()["data"]) == (200, [])


# X


def tweets(box: Sandbox, path: str, **query: object) -> requests.Response:
    params = {name: str(value) for name, value in query.items()}
    headers = {"Authorization": f"Bearer {x.TOKEN}"}
    return requests.get(f"{box.url}/x/2/{path}", params=params, headers=headers, timeout=10)


def timeline(box: Sandbox, number: str = x.ACCOUNT, **query: object) -> requests.Response:
    span = {"start_time": "2026-10-01T00:00:00Z", "end_time": "2026-11-01T00:00:00Z"}
    return tweets(box, f"users/{number}/tweets", **span | query)


def test_a_protected_account_is_refused_with_status_200_and_errors_in_place_of_data(box: Sandbox) -> None:
    box.platforms["x"].limit(x.ACCOUNT, x.PROTECTED)
    answer = timeline(box)
    wanted = (
        json.dumps(recorded("x_protected_200"))
        .replace("[1]", f"[{x.ACCOUNT}]")
        .replace('"1"', f'"{x.ACCOUNT}"')
    )
    assert (answer.status_code, answer.json()) == (200, json.loads(wanted))
    assert tweets(box, "users", ids=x.ACCOUNT).json()["data"][0]["id"] == x.ACCOUNT


def test_suspended_and_unknown_accounts_stand_in_errors_beside_the_data_of_others(box: Sandbox) -> None:
    partial = tweets(box, "users", ids=f"{x.ACCOUNT},9")
    assert partial.status_code == 200
    assert [user["id"] for user in partial.json()["data"]] == [x.ACCOUNT]
    assert partial.json()["errors"][0]["detail"] == "Could not find user with ids: [9]."
    box.platforms["x"].limit(x.ACCOUNT, x.SUSPENDED)
    for answer, parameter in ((tweets(box, "users", ids=x.ACCOUNT), "ids"), (timeline(box), "id")):
        assert answer.status_code == 200 and "data" not in answer.json()
        error = answer.json()["errors"][0]
        assert (error["detail"], error["title"]) == (f"User has been suspended: [{x.ACCOUNT}].", "Forbidden")
        assert error["parameter"] == parameter


@pytest.mark.parametrize("wrong", [{"max_results": 101}, {"end_time": "2026-12-01T00:00:00Z"}], ids=str)
def test_a_timeline_beyond_its_limits_is_an_invalid_request(box: Sandbox, wrong: dict[str, object]) -> None:
    answer = timeline(box, **wrong)
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Request")
    assert list(answer.json()["errors"][0]["parameters"]) == list(wrong)


def test_an_edited_post_has_a_new_id_and_names_the_earlier_one(box: Sandbox) -> None:
    before = timeline(box).json()["data"][0]
    assert before["edit_history_tweet_ids"] == [before["id"]]
    box.platforms["x"].limit(before["id"], x.EDITED)
    after = timeline(box).json()["data"][0]
    assert after["edit_history_tweet_ids"] == [before["id"], after["id"]]
    assert after["id"] != before["id"]


# LinkedIn


def rest(box: Sandbox, path: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {linkedin.TOKEN}", "LinkedIn-Version": linkedin.SAMPLE_VERSION}
    return requests.get(f"{box.url}/linkedin{path}", headers=headers, timeout=10)


POSTS = f"/rest/posts?q=author&author=urn%3Ali%3Aorganization%3A{linkedin.ORGANISATION}"


def pages(box: Sandbox) -> list[dict[str, Any]]:
    """Every page of posts, by their links."""
    found, address = [], f"{POSTS}&count=100&start=0"
    while True:
        found.append(rest(box, address).json())
        if not (links := found[-1]["paging"]["links"]):
            return found
        address = links[0]["href"]


def test_pages_shorter_than_asked_have_a_next_one_and_the_last_one_is_empty(box: Sandbox) -> None:
    usual = [post["id"] for page in pages(box) for post in page["elements"]]
    box.platforms["linkedin"].limit(linkedin.ORGANISATION, linkedin.SHORT_PAGES)
    short = pages(box)
    paging = recorded("linkedin_short_page_with_next")["paging"]
    assert short[0]["paging"] | {"total": 0} == paging | {"total": 0}
    assert len(short[0]["elements"]) == 96
    assert short[-1]["elements"] == []
    assert [post["id"] for page in short for post in page["elements"]] == usual
    assert len(usual) == len(set(usual)) > 200


def test_a_page_without_a_role_is_refused_in_every_list_and_figure(box: Sandbox) -> None:
    urn = f"urn%3Ali%3Aorganization%3A{linkedin.ORGANISATION}"
    statistics = (
        f"/rest/organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity={urn}"
    )
    box.platforms["linkedin"].limit(linkedin.ORGANISATION, linkedin.NO_ROLE)
    for path in (POSTS, f"/rest/networkSizes/{urn}?edgeType=COMPANY_FOLLOWED_BY_MEMBER", statistics):
        answer = rest(box, path)
        assert (answer.status_code, answer.json()["code"], answer.json()["serviceErrorCode"]) == (
            403,
            "ACCESS_DENIED",
            100,
        )
        assert answer.json()["message"].startswith("Not enough permissions to access: ")
