"""What the social networks say of a year: accounts, views, followers and posts, as their services give them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from mel_pipeline_tests.backtests.second_calculation.platforms import Http, google_token, graph_pages, windows

INSTAGRAM_IDS = ["17841400000000001", "17841400000000002", "17841400000000003"]
FACEBOOK_IDS = ["112000000000001", "112000000000002"]
YOUTUBE_ID = "UCmetropolisSample00000001"
LINKEDIN_ID, LINKEDIN_VERSION = "90000001", "202610"
X_ID = "300000001"


@dataclass
class Account:
    """One account. Days without a figure are not in the dictionaries.

    ``followers``: counted, by day. ``net``: net new followers of a stretch of days (first, day after the last).
    ``views``: by stretch of days. ``began``: first stretch with data, where the service keeps all there ever were.
    """

    platform: str
    name: str
    followers: dict[date, int] = field(default_factory=dict)
    net: dict[tuple[date, date], int] = field(default_factory=dict)
    views: dict[tuple[date, date], int] = field(default_factory=dict)
    tells_views: bool = True  # whether the service has views of a past quarter at all
    began: date = date.min
    counts_people: bool = True  # whether the service knows reach at all

    @property
    def label(self) -> str:
        return f"{self.platform} {self.name}"


@dataclass(frozen=True)
class Post:
    platform: str
    text: str
    published: datetime
    views: int | None  # since publication


def accounts(url: str, year: int, today: date) -> list[Account]:
    return [
        *_instagram(url, year, today),
        *_facebook(url, year, today),
        _youtube(url, year, today),
        _linkedin(url, today),
        _x(url, today),
    ]


def posts(url: str, year: int) -> list[Post]:
    """Posts of the year and of some days around it."""
    first, end = date(year, 1, 1) - timedelta(days=2), date(year + 1, 1, 3)
    found = [
        *_instagram_posts(url, first, end),
        *_facebook_posts(url, first, end),
        *_youtube_videos(url),
        *_linkedin_posts(url),
        *_x_posts(url, first, end),
    ]
    return [post for post in found if first <= post.published.date() < end]


def _instagram(url: str, year: int, today: date) -> Iterator[Account]:
    http = Http(f"{url}/instagram/v23.0", Authorization="Bearer sample-instagram-token")
    quarters = [date(y, m, 1) for y in range(year, today.year + 1) for m in (1, 4, 7, 10)] + [today]
    bounds = sorted({min(day, today) for day in quarters})
    for number in INSTAGRAM_IDS:
        about = http.get(f"/{number}", fields="username,followers_count")
        account = Account("Instagram", about["username"], {today: about["followers_count"]})
        for start, following in itertools.pairwise(bounds):
            for first, end in windows(start, following - timedelta(days=1), 30):
                answer = http.get(
                    f"/{number}/insights", metric="views,follows_and_unfollows", metric_type="total_value",
                    period="day", breakdown="follow_type", since=first, until=end,
                )  # fmt: skip
                for metric in answer["data"]:
                    total = metric["total_value"]
                    if metric["name"] == "views":
                        account.views[first, end] = total["value"]
                    else:
                        parts = total["breakdowns"][0]["results"]
                        by = {part["dimension_values"][0]: part["value"] for part in parts}
                        account.net[first, end] = by["FOLLOWER"] - by["NON_FOLLOWER"]
        account.began = min(first for first, _ in account.views)
        yield account


def _instagram_posts(url: str, first: date, end: date) -> Iterator[Post]:
    http = Http(f"{url}/instagram/v23.0", Authorization="Bearer sample-instagram-token")
    for number in INSTAGRAM_IDS:
        for post in graph_pages(http, f"/{number}/media", fields="caption,timestamp", since=first, until=end):
            text, published = post.get("caption", ""), _moment(post["timestamp"])
            yield Post("Instagram", text, published, _instagram_views(http, post["id"], text))


def _instagram_views(http: Http, post: str, text: str) -> int | None:
    """Only of posts with a hashtag: those of campaigns are among them."""
    if "#" not in text:
        return None
    answer = http.get(f"/{post}/insights", metric="views")
    return next((metric["values"][0]["value"] for metric in answer["data"]), None)


def _facebook(url: str, year: int, today: date) -> Iterator[Account]:
    for number in FACEBOOK_IDS:
        http, name = _page(url, number)
        account = Account("Facebook", name)
        for first, end in windows(date(year, 1, 1), date(year + 1, 1, 1), 90):
            answer = http.get(
                f"/{number}/insights",
                metric="page_media_view,page_follows",
                period="day",
                since=first,
                until=end,
            )
            for metric in answer["data"]:
                for entry in metric["values"]:
                    day = _day_that_ends(entry["end_time"])
                    if metric["name"] == "page_follows":
                        account.followers[day] = entry["value"]
                    else:
                        account.views[day, day + timedelta(days=1)] = entry["value"]
        account.followers[today] = http.get(f"/{number}", fields="followers_count")["followers_count"]
        yield account


def _facebook_posts(url: str, first: date, end: date) -> Iterator[Post]:
    for number in FACEBOOK_IDS:
        http, _ = _page(url, number)
        fields = "id,message,created_time,insights.metric(post_media_view)"
        for post in graph_pages(http, f"/{number}/posts", fields=fields, since=first, until=end):
            views = next((one["values"][0]["value"] for one in post["insights"]["data"]), None)
            yield Post("Facebook", post.get("message", ""), _moment(post["created_time"]), views)


def _page(url: str, number: str) -> tuple[Http, str]:
    """A Page is read with its own token."""
    system = Http(f"{url}/facebook/v25.0", Authorization="Bearer sample-facebook-token")
    about = system.get(f"/{number}", fields="name,access_token")
    return Http(f"{url}/facebook/v25.0", Authorization=f"Bearer {about['access_token']}"), about["name"]


def _youtube(url: str, year: int, today: date) -> Account:
    http = _google(url)
    about = http.get("/youtube/v3/channels", part="snippet,statistics", id=YOUTUBE_ID)["items"][0]
    account = Account("YouTube", about["snippet"]["title"], counts_people=False)
    account.followers[today] = int(about["statistics"]["subscriberCount"])  # rounded down to three digits
    table = http.get(
        "/v2/reports", ids=f"channel=={YOUTUBE_ID}", dimensions="day", metrics="views",
        startDate=date(year, 1, 1), endDate=date(year, 12, 31),
    )  # fmt: skip
    names = [header["name"] for header in table["columnHeaders"]]
    for row in table.get("rows", []):
        values = dict(zip(names, row, strict=True))
        day = date.fromisoformat(values["day"])
        account.views[day, day + timedelta(days=1)] = values["views"]
    return account


def _youtube_videos(url: str) -> Iterator[Post]:
    http, query = _google(url), {}  # type: ignore[var-annotated]
    while True:
        page = http.get(
            "/youtube/v3/playlistItems",
            part="contentDetails",
            playlistId=f"UU{YOUTUBE_ID[2:]}",
            maxResults=50,
            **query,
        )
        ids = ",".join(item["contentDetails"]["videoId"] for item in page["items"])
        for video in http.get("/youtube/v3/videos", part="snippet,statistics", id=ids)["items"]:
            views = video["statistics"].get("viewCount")
            yield Post(
                "YouTube",
                video["snippet"]["title"],
                _moment(video["snippet"]["publishedAt"]),
                int(views) if views else None,
            )
        if "nextPageToken" not in page:
            return
        query = {"pageToken": page["nextPageToken"]}


def _google(url: str) -> Http:
    token = google_token(Http(f"{url}/youtube"), "sample-youtube-refresh-token")
    return Http(f"{url}/youtube", **token)


def _linkedin(url: str, today: date) -> Account:
    http = _linkedin_http(url)
    name = http.get(f"/rest/organizations/{LINKEDIN_ID}")["localizedName"]
    account = Account("LinkedIn", name, tells_views=False)  # days of the last twelve months only
    urn = quote(f"urn:li:organization:{LINKEDIN_ID}", safe="")
    size = http.get(f"/rest/networkSizes/{urn}", edgeType="COMPANY_FOLLOWED_BY_MEMBER")
    account.followers[today] = size["firstDegreeSize"]
    return account


def _linkedin_posts(url: str) -> Iterator[Post]:
    """Without views: none of them carries the hashtag of a campaign."""
    http, start = _linkedin_http(url), 0
    while True:
        page = http.get(
            "/rest/posts", q="author", author=f"urn:li:organization:{LINKEDIN_ID}", count=100, start=start
        )
        for post in page["elements"]:
            yield Post("LinkedIn", post["commentary"], _since_1970(post["publishedAt"]), None)
        if not any(link["rel"] == "next" for link in page["paging"]["links"]):
            return
        start += 100


def _linkedin_http(url: str) -> Http:
    return Http(
        f"{url}/linkedin", Authorization="Bearer sample-linkedin-token", LinkedIn_Version=LINKEDIN_VERSION
    )


def _x(url: str, today: date) -> Account:
    http = Http(f"{url}/x/2", Authorization="Bearer sample-x-token")
    user = http.get("/users", ids=X_ID, **{"user.fields": "public_metrics"})["data"][0]
    account = Account("X", user["username"], tells_views=False)  # impressions belong to posts
    account.followers[today] = user["public_metrics"]["followers_count"]
    return account


def _x_posts(url: str, first: date, end: date) -> Iterator[Post]:
    http = Http(f"{url}/x/2", Authorization="Bearer sample-x-token")
    query: dict[str, object] = {
        "max_results": 100, "tweet.fields": "created_at,public_metrics",
        "start_time": f"{first}T00:00:00+00:00", "end_time": f"{end}T00:00:00+00:00",
    }  # fmt: skip
    while True:
        page: Mapping[str, Any] = http.get(f"/users/{X_ID}/tweets", **query)
        for post in page.get("data", []):
            views = post["public_metrics"]["impression_count"]
            yield Post("X", post["text"], _moment(post["created_at"]), views)
        if "next_token" not in page["meta"]:
            return
        query["pagination_token"] = page["meta"]["next_token"]


def _day_that_ends(moment: str) -> date:
    """A Facebook day is one in California, labelled with the midnight that ends it."""
    end = _moment(moment).astimezone(ZoneInfo("America/Los_Angeles"))
    return (end - timedelta(seconds=1)).date()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _since_1970(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
