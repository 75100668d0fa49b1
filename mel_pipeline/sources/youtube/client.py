"""Fetch channels, daily figures and videos from YouTube within Google's quota. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.http import Http, Policy, base_url
from mel_pipeline.sources.shared.oauth.google import GoogleRefusalError, GoogleSession
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.days import daily_pull, days_of
from mel_pipeline.sources.shared.platform.exports import ExportFolder, only
from mel_pipeline.sources.shared.values import Novelty
from mel_pipeline.sources.youtube import files, parse

PAGE = 50
WHAT = "YouTube channel"
WINDOW_DAYS = 180
UNITS_A_DAY = 10_000  # Data API; a list call costs one unit, `search` would cost a hundred


def open(settings: Settings, policy: Policy | None = None) -> YouTube | ExportFolder:
    """Channels through the API, or through exported files where a folder is set."""
    options = settings.source(parse.NAME)
    if options.text("export_dir"):
        read = partial(files.read_export, channel=only(options, "channel_ids"))
        return ExportFolder(parse.NAME, read, settings, post_metrics=list(files.POST_METRICS.values()))
    return YouTube(settings, Http(policy))


class YouTube(Client):
    """YouTube as a source: Data API for channels and videos, Analytics API for days."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._channels = options.listed("channel_ids")
        self._session = GoogleSession(options, http)
        self._data = base_url(options.text("api_url"), options.variable("api_url"))
        self._analytics = base_url(options.text("analytics_url"), options.variable("analytics_url"))
        self._today = settings.current_day
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._zone = ZoneInfo(settings.time_zone)
        self._units = 0

    def _channel_load(self, load: Load) -> Pull:
        """Today's channels."""
        return self._build_pull(self._accounts(load.contract))

    def _daily_load(self, load: Load) -> Pull:
        """Days since the cursor."""
        contract = load.contract
        return daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._channels,
            partial(self._days, load.contract),
            beginning=self._first_day,
            today=self._today,
            window_days=WINDOW_DAYS,
            what=WHAT,
            unread=lambda channel, days: parse.unread_days(contract, channel, days),
        )

    def _video_load(self, load: Load) -> Pull:
        return self._upload_pull(partial(self._videos, load.contract))

    def _figure_load(self, load: Load) -> Pull:
        """The figures of a quarter's videos."""
        return self._upload_pull(partial(self._figures, load.contract, load.quarter))

    def _upload_pull(self, read: Callable[[parse.Item], Iterator[Batch]]) -> Pull:
        """The uploads of every channel."""
        each = EachAccount(WHAT)
        channels: dict[str, parse.Item] = {}

        def batches() -> Iterator[Batch]:
            for item in self._list_items("channels", part="contentDetails"):
                channels[str(item.get("id"))] = item
            yield from each.batches(self._channels, lambda channel: read(parse.known(channels, channel)))

        return replace(self._build_pull(batches()), warnings=each.warnings)

    def _build_pull(self, batches: Iterator[Batch]) -> Pull:
        return Pull(batches, usage=lambda: {"units of the Data API": self._units})

    def _accounts(self, contract: EntityContract) -> Iterator[Batch]:
        yield parse.channel_rows(
            self._list_items("channels", part="snippet,statistics"), contract, self._channels, self._today
        )

    def _days(self, contract: EntityContract, channel: str, window: tuple[date, date]) -> Iterator[Batch]:
        days = days_of(window)
        params = {
            "ids": f"channel=={channel}",
            "startDate": days[0].isoformat(),
            "endDate": days[-1].isoformat(),
            "dimensions": "day",
            "metrics": ",".join(parse.DAILY_METRICS),
        }
        yield self._session.call(
            f"days of {channel}",
            f"{self._analytics}/reports",
            lambda data: parse.day_rows(data, contract, channel, days),
            params=params,
        )

    def _videos(self, contract: EntityContract, channel: parse.Item) -> Iterator[Batch]:
        for videos in self._uploads(channel, "snippet,status"):
            yield parse.video_rows(videos, contract, str(channel.get("id")))

    def _figures(self, contract: EntityContract, quarter: Quarter, channel: parse.Item) -> Iterator[Batch]:
        for videos in self._uploads(channel, "snippet,status,statistics"):
            yield parse.figure_rows(videos, contract, str(channel.get("id")), quarter, self._zone)

    def _uploads(self, channel: parse.Item, parts: str) -> Iterator[list[parse.Item]]:
        """Pages of a channel's videos: `search` would cost a hundred times as much and miss some."""
        playlist = parse.uploads_of(channel)
        position: dict[str, str] = {}
        novelty = Novelty("YouTube playlistItems")
        while (page := self._playlist_page(playlist, position)) is not None:
            ids = [str(parse.part(one, "contentDetails").get("videoId")) for one in parse.items_of(page)]
            if ids:
                videos = self._request(
                    "videos", {"part": parts, "id": ",".join(ids), "maxResults": str(PAGE)}
                )
                yield parse.items_of(videos)
            if not page.get("nextPageToken"):
                return
            novelty.require_next(page["nextPageToken"], ids)
            position = {"pageToken": str(page["nextPageToken"])}

    def _playlist_page(self, playlist: str, position: Mapping[str, str]) -> Mapping[str, object] | None:
        """A page of a channel's uploads; None for a channel without any, whose list does not exist."""
        params = {"part": "contentDetails", "playlistId": playlist, "maxResults": str(PAGE), **position}
        try:
            return self._request("playlistItems", params)
        except GoogleRefusalError as refused:
            if refused.reason != "playlistNotFound" or position:
                raise
            return None

    def _list_items(self, kind: str, *, part: str) -> list[parse.Item]:
        params = {"part": part, "id": ",".join(self._channels), "maxResults": str(PAGE)}
        return parse.items_of(self._request(kind, params))

    def _request(self, kind: str, params: Mapping[str, str]) -> Mapping[str, object]:
        if self._units >= UNITS_A_DAY // 2:
            raise PermanentSourceError(
                "YouTube: the load reached half of the day's quota and was stopped."
                " Request more from Google, or name fewer channels in MEL_YOUTUBE_CHANNEL_IDS."
            )
        self._units += 1
        return self._session.call(kind, f"{self._data}/{kind}", dict, params=params)

    loads: ClassVar = {
        "accounts": _channel_load,
        "daily": _daily_load,
        "contents": _video_load,
        "content_metrics": _figure_load,
    }
