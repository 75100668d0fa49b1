"""Limits of YouTube and Google Analytics, beside the recorded answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms import ga4, youtube
from mel_pipeline.sandbox.platforms.google import CLIENT, SECRET, GooglePlatform
from mel_pipeline_tests.fixtures.limits import TODAY, recorded


def authorized(box: Sandbox, platform: type[GooglePlatform]) -> dict[str, str]:
    """An authorization header of one of Google's services."""
    form = {"grant_type": "refresh_token", "client_id": CLIENT, "client_secret": SECRET}
    form["refresh_token"] = platform.refresh_token
    answer = requests.post(f"{box.url}/{platform.name}/token", data=form, timeout=10)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture(scope="module")
def youtube_header(served: Sandbox) -> dict[str, str]:
    return authorized(served, youtube.YouTube)


@pytest.fixture(scope="module")
def ga4_header(served: Sandbox) -> dict[str, str]:
    return authorized(served, ga4.GoogleAnalytics)


# YouTube


def listed(box: Sandbox, youtube_header: dict[str, str], kind: str, **query: object) -> requests.Response:
    params = {name: str(value) for name, value in query.items()}
    return requests.get(
        f"{box.url}/youtube/youtube/v3/{kind}", params=params, headers=youtube_header, timeout=10
    )


def test_a_channel_without_uploads_has_a_list_that_cannot_be_found(
    box: Sandbox, youtube_header: dict[str, str]
) -> None:
    both = f"{youtube.CHANNEL},{youtube.EMPTY}"
    channels = listed(box, youtube_header, "channels", part="statistics,contentDetails", id=both).json()[
        "items"
    ]
    assert [channel["statistics"]["videoCount"] for channel in channels][1] == "0"
    lists = [channel["contentDetails"]["relatedPlaylists"]["uploads"] for channel in channels]
    answers = [
        listed(box, youtube_header, "playlistItems", part="contentDetails", playlistId=one) for one in lists
    ]
    assert [answer.status_code for answer in answers] == [200, 404]
    wanted = recorded("youtube_playlist_not_found")
    wanted["error"]["errors"][0]["message"] = wanted["error"]["message"]
    assert answers[1].json() == wanted


def test_the_owners_list_holds_private_unlisted_and_scheduled_videos(
    box: Sandbox, youtube_header: dict[str, str]
) -> None:
    box.platforms["youtube"].limit(youtube.CHANNEL, youtube.NOT_PUBLIC)
    uploads = listed(
        box,
        youtube_header,
        "playlistItems",
        part="contentDetails",
        playlistId=f"UU{youtube.CHANNEL[2:]}",
        maxResults=4,
    )
    ids = [item["contentDetails"]["videoId"] for item in uploads.json()["items"]]
    videos = listed(box, youtube_header, "videos", part="status,statistics", id=",".join(ids)).json()["items"]
    status = {video["id"]: video["status"] for video in videos}
    assert [status[one]["privacyStatus"] for one in ids] == ["private", "unlisted", "private", "public"]
    assert status[ids[0]]["publishAt"] > f"{TODAY}"
    assert "publishAt" not in status[ids[2]]


def test_analytics_of_another_channel_are_forbidden_and_unsettled_days_left_out(
    box: Sandbox, youtube_header: dict[str, str]
) -> None:
    def days(channel: str) -> requests.Response:
        query = {"ids": f"channel=={channel}", "dimensions": "day", "metrics": "views"}
        span = {"startDate": f"{TODAY - timedelta(days=1)}", "endDate": f"{TODAY}"}
        return requests.get(
            f"{box.url}/youtube/v2/reports", params=query | span, headers=youtube_header, timeout=10
        )

    assert "rows" not in days(youtube.CHANNEL).json()
    box.platforms["youtube"].limit(youtube.EMPTY, youtube.NOT_OWNED)
    for other in ("UCsomebody", youtube.EMPTY):
        assert (days(other).status_code, days(other).json()["error"]["errors"][0]["reason"]) == (
            403,
            "forbidden",
        )


# Google Analytics


def report(box: Sandbox, ga4_header: dict[str, str], site: str = ga4.PROPERTY) -> requests.Response:
    query = {
        "dateRanges": [{"startDate": "2026-07-01", "endDate": "2026-09-30"}],
        "dimensions": [{"name": "date"}],
        "metrics": [{"name": "sessions"}],
    }
    address = f"{box.url}/ga4/data/v1beta/properties/{site}:runReport"
    return requests.post(address, json=query, headers=ga4_header, timeout=10)


def by_label(answer: requests.Response) -> dict[str, int]:
    rows = answer.json()["rows"]
    return {row["dimensionValues"][0]["value"]: int(row["metricValues"][0]["value"]) for row in rows}


def test_a_report_says_in_its_metadata_what_it_is_not_whole_for(
    box: Sandbox, ga4_header: dict[str, str]
) -> None:
    whole = report(box, ga4_header)
    assert set(whole.json()["metadata"]) == {"currencyCode", "timeZone"}
    box.platforms["ga4"].limit(ga4.PROPERTY, ga4.SAMPLED)
    sample = report(box, ga4_header).json()["metadata"]["samplingMetadatas"][0]
    assert int(sample["samplesReadCount"]) < int(sample["samplingSpaceSize"])
    box.platforms["ga4"].limit(ga4.PROPERTY, ga4.OTHER_ROW)
    rolled = report(box, ga4_header)
    assert rolled.json()["metadata"]["dataLossFromOtherRow"] is True
    assert len(by_label(rolled)) < len(by_label(whole))
    assert sum(by_label(rolled).values()) == sum(by_label(whole).values())
    box.platforms["ga4"].limit(ga4.PROPERTY, ga4.THRESHOLDED)
    withheld = report(box, ga4_header)
    assert withheld.json()["metadata"]["subjectToThresholding"] is True
    assert sum(by_label(withheld).values()) < sum(by_label(whole).values())


def test_a_property_without_access_is_refused_without_a_list_of_reasons(
    box: Sandbox, ga4_header: dict[str, str]
) -> None:
    box.platforms["ga4"].limit(ga4.PROPERTY, ga4.NO_ACCESS)
    for site in (ga4.PROPERTY, "1"):
        answer = report(box, ga4_header, site)
        assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
        assert "errors" not in answer.json()["error"]
