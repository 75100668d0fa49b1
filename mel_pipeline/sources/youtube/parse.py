"""Turn YouTube's responses into rows. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, UnpromisedError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import Batch, Rejected
from mel_pipeline.sources.shared.platform.rows import (
    Period,
    Row,
    account_row,
    batch_of,
    content_row,
    metric_row,
    unread_rows,
)
from mel_pipeline.sources.shared.values import moment_from, whole_number

NAME = "youtube"
DAILY_METRICS = ("views", "likes", "comments", "shares", "subscribersGained", "subscribersLost")
LIFETIME_METRICS = ("viewCount", "likeCount", "commentCount")
Item = Mapping[str, object]


def items_of(data: Mapping[str, object]) -> list[Item]:
    """The entries of a page; YouTube omits ``items`` when there are none."""
    listed = whole_number(part(data, "pageInfo").get("totalResults"))
    if data.get("items") is None and listed != 0:
        raise UnpromisedError(
            "YouTube's answer holds no items and does not say that there are none. Run the load again later."
        )
    items = data.get("items") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise PermanentSourceError("YouTube's response has no list of items. Check MEL_YOUTUBE_API_URL.")
    return items


def part(item: Item, name: str) -> Item:
    """One part of an entry; empty where it was not sent."""
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def known(channels: Mapping[str, Item], channel: str) -> Item:
    """The entry of a channel.

    Raises:
        PermanentSourceError: YouTube knows no such channel, so that it has no videos is not known.
    """
    if channel not in channels:
        raise PermanentSourceError(
            f"YouTube: the answer knows no channel {channel}: it was deleted, or the id is wrong. Check"
            " MEL_YOUTUBE_CHANNEL_IDS."
        )
    return channels[channel]


def uploads_of(channel: Item) -> str:
    """The list of a channel's videos.

    Raises:
        UnpromisedError: the answer names none; every channel has one, also without videos.
    """
    uploads = part(part(channel, "contentDetails"), "relatedPlaylists").get("uploads")
    if not isinstance(uploads, str) or not uploads:
        raise UnpromisedError(
            f"YouTube channel {channel.get('id')}: the answer does not name the list of its videos."
            " Run the load again later."
        )
    return uploads


def channel_rows(
    items: Iterable[Item], contract: EntityContract, requested: Sequence[str], today: date
) -> Batch:
    """One row per channel; one that YouTube does not know is quarantined."""
    by_id = {str(item.get("id")): item for item in items}
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for channel in requested:
        ref = f"channel {channel}"
        if channel not in by_id:
            reason = "YouTube knows no such channel. Check MEL_YOUTUBE_CHANNEL_IDS."
            rejected.append(Rejected(ref, f"{NAME}|{channel}|{today}", "account_id", reason, "{}"))
            continue
        statistics = part(by_id[channel], "statistics")
        hidden = statistics.get("hiddenSubscriberCount") is True
        title = part(by_id[channel], "snippet").get("title")
        followers = None if hidden else statistics.get("subscriberCount")
        rows.append(account_row(NAME, channel, str(title) if title else None, today, followers, ref))
    return batch_of(rows, contract, rejected)


def day_rows(
    data: Mapping[str, object], contract: EntityContract, channel: str, days: Sequence[date]
) -> Batch:
    """One row per day and metric. Values are looked up by header; a missing day has no figure."""
    columns = [str(header.get("name")) for header in _list(data, "columnHeaders") if isinstance(header, dict)]
    if not {"day", *DAILY_METRICS} <= set(columns):
        raise PermanentSourceError("YouTube Analytics did not send the requested columns.")
    by_day: dict[str, dict[str, object]] = {}
    for values in _list(data, "rows"):
        if not isinstance(values, list) or len(values) != len(columns):
            raise PermanentSourceError("YouTube Analytics sent a row that does not fit its headers.")
        row = dict(zip(columns, values, strict=True))
        by_day[str(row["day"])] = row
    rows = []
    for day in days:
        figures = by_day.get(day.isoformat(), {})
        period = Period("day", day, day + timedelta(days=1))
        ref = f"channel {channel}, {day}"
        rows += [
            metric_row(NAME, channel, metric, period, figures.get(metric), ref) for metric in DAILY_METRICS
        ]
    return batch_of(rows, contract)


def unread_days(contract: EntityContract, channel: str, days: Sequence[date]) -> Batch:
    """Days of a channel that could not be read."""
    return batch_of(unread_rows(NAME, channel, DAILY_METRICS, days), contract)


def is_public(video: Item) -> bool:
    """Whether anybody can find the video: the owner's list also holds private, unlisted and scheduled ones."""
    return part(video, "status").get("privacyStatus") == "public"


def video_rows(videos: Iterable[Item], contract: EntityContract, channel: str) -> Batch:
    """One row per public video; one without an id or a time of publication is quarantined."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    hidden = 0
    for video in videos:
        if not is_public(video):
            hidden += 1
            continue
        snippet = part(video, "snippet")
        published = _moment(snippet)
        identity = str(video.get("id") or "")
        ref = f"video {identity or 'without an id'}"
        if not identity or published is None:
            reason = "The video has no id or no time of publication."
            rejected.append(Rejected(ref, identity or None, "published_at", reason, "{}"))
            continue
        title = str(snippet.get("title") or "") or None
        rows.append(content_row(NAME, channel, identity, "video", title, published.isoformat(), ref))
    left_out = f"Channel {channel}: private, unlisted or scheduled videos were left out."
    return batch_of(rows, contract, rejected, notes=[left_out] if hidden else [])


def figure_rows(
    videos: Iterable[Item], contract: EntityContract, channel: str, quarter: Quarter, zone: ZoneInfo
) -> Batch:
    """Lifetime figures of videos published in the quarter, by the business day; a hidden count is suppressed."""
    rows: list[Row] = []
    for video in videos:
        published = _moment(part(video, "snippet"))
        if published is None or not is_public(video):
            continue  # quarantined, or left out, where contents are read
        day = published.astimezone(zone).date()
        if not quarter.start <= day < quarter.end:
            continue  # another quarter's
        statistics = part(video, "statistics")
        identity = str(video.get("id"))
        rows += [
            metric_row(
                NAME, channel, metric, Period("lifetime", day), statistics.get(metric), f"video {identity}",
                content=identity, why_missing="suppressed",
            )
            for metric in LIFETIME_METRICS
        ]  # fmt: skip
    return batch_of(rows, contract)


def _list(data: Mapping[str, object], name: str) -> list[object]:
    """A list in the response; YouTube Analytics omits ``rows`` when there are none."""
    found = data.get(name) or []
    if not isinstance(found, list):
        raise PermanentSourceError(f"YouTube sent no list in {name}.")
    return found


def _moment(snippet: Item) -> datetime | None:
    try:
        return moment_from(snippet.get("publishedAt"))
    except ValueError:
        return None
