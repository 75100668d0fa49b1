"""YouTube's Data API v3 and Analytics API v2, with a channel of talks and interviews, and one without uploads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.platforms.google import YOUTUBE, YOUTUBE_ANALYTICS, GooglePlatform, google_error
from mel_pipeline.sandbox.zoho.clock import Clock

CHANNEL = "UCmetropolisSample00000001"
EMPTY = "UCmetropolisSample00000002"  # without uploads; not in the sample's settings
LAUNCHED = date(2023, 1, 1)
UNITS_A_DAY = 10_000
PAGE = 50
SETTLED_AFTER = 2  # days; Analytics has no data for later ones
_SERIES = (
    "Metropolis talk",
    "Urban innovation",
    "Gender equality in cities",
    "Ciudades y cuidados",
    "Villes et climat",
)
_METRICS = {"views", "likes", "comments", "shares", "subscribersGained", "subscribersLost"}
_DATA = "https://developers.google.com/youtube/v3/docs"
_REPORTS = "https://developers.google.com/youtube/analytics/reference/reports/query"


def _refused(code: int, message: str, domain: str, reason: str, **more: str) -> dict[str, Any]:
    error = {"message": message, "domain": domain, "reason": reason, **more}
    return {"error": {"code": code, "message": message, "errors": [error]}}


# `channels` names the list all the same.
PLAYLIST_NOT_FOUND = Limit(
    "the list of uploads of a channel that has none (any more)",
    _refused(
        404,
        "The playlist identified with the request's <code>playlistId</code> parameter cannot be found.",
        "youtube.playlistItem",
        "playlistNotFound",
        location="playlistId",
        locationType="parameter",
    ),
    "https://github.com/Elijas/auto-youtube-subscription-playlist-2/issues/86",
    status=404,
    always=True,
)
QUOTA = Limit(
    "more than 10,000 units of the Data API a day",
    _refused(
        403,
        'The request cannot be completed because you have exceeded your <a href="/youtube/v3/getting-started#quota">'
        "quota</a>.",
        "youtube.quota",
        "quotaExceeded",
    ),
    f"{_DATA}/errors",
    status=403,
    always=True,
)
NOT_OWNED = Limit(
    "Analytics of a channel that is another's",
    _refused(403, "Forbidden", "global", "forbidden"),
    _REPORTS,
    status=403,
)
UNSETTLED = Limit(
    "days whose figures are not settled, the last two: left out, `rows` too if there are no others",
    {"kind": "youtubeAnalytics#resultTable", "columnHeaders": []},
    _REPORTS,
    always=True,
)
# Given to the owner alone, whose token the pipeline has.
NOT_PUBLIC = Limit(
    "the owner's list of uploads: the three newest videos are private, unlisted and scheduled",
    {"items": [{"status": {"privacyStatus": "private", "publishAt": "2026-12-01T09:00:00Z"}}]},
    "https://github.com/googleapis/google-api-php-client/issues/1330",
)


@dataclass(frozen=True)
class Video:
    id: str
    title: str
    published: datetime
    views: int
    likes: int | None  # the channel may hide them
    comments: int


class YouTube(GooglePlatform):
    """Counts quota units as Google does: a list call costs one."""

    name = "youtube"
    refresh_token = "sample-youtube-refresh-token"
    scopes = (YOUTUBE, YOUTUBE_ANALYTICS)

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.units = 0
        self.most_units = UNITS_A_DAY
        self.rows_left_out = False  # Analytics then has no data and omits `rows`
        self.days = _days(organisation.today)
        self.videos = _videos(organisation.today)

    def endpoints(self) -> list[BaseRoute]:
        return [
            *self.sign_in(),
            Route("/youtube/v3/{kind}", self.listed),
            Route("/v2/reports", self.reports),
        ]

    async def listed(self, request: Request) -> Response:
        if (refused := self.let_in(request, YOUTUBE)) is not None:
            return refused
        kind, query = request.path_params["kind"], request.query_params
        self.units += 100 if kind == "search" else 1
        if self.units > self.most_units:
            return QUOTA.response()
        parts = query.get("part", "").split(",")
        if kind == "channels":
            asked = query.get("id", "").split(",")
            found = [self._channel(channel, parts) for channel in (CHANNEL, EMPTY) if channel in asked]
            info = {"pageInfo": {"totalResults": len(found), "resultsPerPage": 5}}
            return JSONResponse(
                {"kind": "youtube#channelListResponse", **info} | ({"items": found} if found else {})
            )
        if kind == "playlistItems":
            return self._playlist(query)
        if kind == "videos":
            ids = query.get("id", "").split(",")
            if len(ids) > PAGE:
                return google_error(
                    400,
                    "INVALID_ARGUMENT",
                    "The request specifies an invalid filter parameter.",
                    "invalidFilters",
                )
            shown = [_video(video, parts, self._status(video)) for video in self.videos if video.id in ids]
            return JSONResponse({"kind": "youtube#videoListResponse", "items": shown})
        return google_error(404, "NOT_FOUND", "Not found.", "notFound")

    def _channel(self, channel: str, parts: list[str]) -> dict[str, Any]:
        days = self.days.values() if channel == CHANNEL else []
        gained = sum(day["subscribersGained"] - day["subscribersLost"] for day in days)
        count = 2_900 + gained if channel == CHANNEL else 0
        rounded = count if count < 1_000 else count - count % 10 ** (len(str(count)) - 3)
        whole = {
            "snippet": {"title": "Metropolis", "publishedAt": "2012-03-01T09:00:00Z"},
            "statistics": {
                "viewCount": str(sum(day["views"] for day in days)),
                "subscriberCount": str(rounded),
                "hiddenSubscriberCount": False,
                "videoCount": str(len(self.videos) if channel == CHANNEL else 0),
            },
            "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": f"UU{channel[2:]}"}},
        }
        return {"kind": "youtube#channel", "id": channel} | {
            part: whole[part] for part in parts if part in whole
        }

    def _status(self, video: Video) -> dict[str, str]:
        """Who may see a video; one that is scheduled is private and has a date."""
        newest = self.videos[:-4:-1]
        if video not in newest or not self.limited(CHANNEL, NOT_PUBLIC):
            return {"uploadStatus": "processed", "privacyStatus": "public"}
        kind = ("scheduled", "unlisted", "private")[newest.index(video)]
        later = {"publishAt": _text(self.clock.now() + timedelta(days=7))} if kind == "scheduled" else {}
        return {"uploadStatus": "processed", "privacyStatus": "private" if later else kind} | later

    def _playlist(self, query: Mapping[str, str]) -> Response:
        if query.get("playlistId") != f"UU{CHANNEL[2:]}":
            return PLAYLIST_NOT_FOUND.response()
        size = int(query.get("maxResults", "5"))
        if size > PAGE:
            return google_error(400, "INVALID_ARGUMENT", "Invalid value for maxResults.", "invalidParameter")
        token = query.get("pageToken", "EAAaBlBUOkNESQ0")
        start = int(token.removeprefix("EAAaBlBUOkNESQ")) if token[14:].isdigit() else -1
        if start < 0:
            return google_error(
                400, "INVALID_ARGUMENT", "The request specifies an invalid page token.", "invalidPageToken"
            )
        newest = self.videos[::-1]
        shown = [
            {"contentDetails": {"videoId": video.id, "videoPublishedAt": _text(video.published)}}
            for video in newest[start : start + size]
        ]
        body: dict[str, Any] = {
            "items": shown,
            "pageInfo": {"totalResults": len(newest), "resultsPerPage": size},
        }
        if start + size < len(newest):
            body["nextPageToken"] = f"EAAaBlBUOkNESQ{start + size}"
        return JSONResponse({"kind": "youtube#playlistItemListResponse", **body})

    async def reports(self, request: Request) -> Response:
        # Needs both scopes: https://developers.google.com/youtube/analytics/reference/reports/query.
        if (refused := self.let_in(request, *self.scopes)) is not None:
            return refused
        query = request.query_params
        metrics = query.get("metrics", "").split(",")
        channel = query.get("ids", "").removeprefix("channel==").replace("MINE", CHANNEL)
        if channel not in (CHANNEL, EMPTY) or self.limited(channel, NOT_OWNED):
            return NOT_OWNED.response()
        if not set(metrics) <= _METRICS or query.get("dimensions") != "day":
            return google_error(400, "INVALID_ARGUMENT", "The query is not supported.", "badRequest")
        first, last = (date.fromisoformat(query[name]) for name in ("startDate", "endDate"))
        rows = [
            [figures[metric] for metric in metrics] + [day.isoformat()]
            for day, figures in self.days.items()
            if first <= day <= last and channel == CHANNEL
        ]
        # Google does not promise a column order: here the dimension comes last.
        headers = [
            *({"name": metric, "columnType": "METRIC", "dataType": "INTEGER"} for metric in metrics),
            {"name": "day", "columnType": "DIMENSION", "dataType": "STRING"},
        ]
        table: dict[str, Any] = {"kind": "youtubeAnalytics#resultTable", "columnHeaders": headers}
        return JSONResponse(table if self.rows_left_out or not rows else table | {"rows": rows})


def _days(today: date) -> dict[date, dict[str, int]]:
    found = {}
    for number in range((today - LAUNCHED).days - SETTLED_AFTER):
        day = LAUNCHED + timedelta(days=number)
        rng = Random(f"youtube {day}")
        views = int(140 * (1 + number / 1_500) * rng.uniform(0.5, 1.7))
        found[day] = {
            "views": views,
            "likes": views // rng.randint(28, 50),
            "comments": rng.randint(0, 2),
            "shares": rng.randint(0, 5),
            "subscribersGained": rng.randint(0, 4),
            "subscribersLost": rng.randint(0, 1),
        }
    return found


def _videos(today: date) -> list[Video]:
    found: list[Video] = []
    for number in range((today - LAUNCHED).days):
        day = LAUNCHED + timedelta(days=number)
        rng = Random(f"youtube video {day}")
        if rng.random() > 0.08:
            continue
        views = rng.randint(90, 2_400)
        found.append(
            Video(
                id=f"smpl{number:07}",
                title=f"{rng.choice(_SERIES)} {len(found) + 1}",
                published=datetime(
                    day.year, day.month, day.day, rng.randint(8, 17), rng.randint(0, 59), tzinfo=UTC
                ),
                views=views,
                likes=None if rng.random() < 0.05 else views // 35,
                comments=rng.randint(0, 9),
            )
        )
    return found


def _video(video: Video, parts: list[str], status: dict[str, str]) -> dict[str, Any]:
    statistics = {"viewCount": str(video.views), "commentCount": str(video.comments), "favoriteCount": "0"}
    if video.likes is not None:
        statistics["likeCount"] = str(video.likes)
    whole = {
        "snippet": {"title": video.title, "publishedAt": _text(video.published), "channelId": CHANNEL},
        "statistics": statistics,
        "status": status,
    }
    return {"kind": "youtube#video", "id": video.id} | {part: whole[part] for part in parts if part in whole}


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


PLATFORM = YouTube
