"""Read videos, or days of a channel, from YouTube Studio exports (CSV, or the zip as downloaded). No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.dates import read_moment
from mel_pipeline.sources.shared.files import DropFile, FileRefusedError, open_table
from mel_pipeline.sources.shared.platform.export_rows import (
    Day,
    Export,
    Faulty,
    Post,
    figures_of,
    unknown_header,
)
from mel_pipeline.sources.shared.platform.headers import Language, column_names

_NAMES = column_names(Path(__file__).with_name("columns.yml"))
_VIDEO = {"content", "video title", "video publish time", "views"}
_DAYS = {"date", "views"}
POST_METRICS = {"views": "viewCount", "likes": "likeCount", "comments added": "commentCount"}
_DAY_METRICS = {"views": "views", "likes": "likes", "comments added": "comments", "shares": "shares"}
_TOTALS = {"total", "totals", "totales", "totaux"}  # the sum over all rows, not a video or a day
_FEWEST_STEPS = 3  # rows; two may be a week apart by chance
_VIDEO_ID = re.compile(r"(?!-?\d{1,10}$)[A-Za-z0-9_-]+")  # a shorter number is what a formula gave
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})")  # in the name of the zip
_EXPORT_HINT = "Open Advanced mode in YouTube Studio, and export the tab Content again as CSV."


def read_export(file: DropFile, channel: str) -> Export:
    """The videos of a file ("Table data.csv"), or the days of the channel ("Totals.csv").

    "Chart data.csv" holds a row for each video and day: neither, so nothing of it is read.

    Args:
        channel: whose export it is; the file does not say.

    Raises:
        FileRefusedError: it is none of the three.
        TransientSourceError: it changed while it was being read.
    """
    with open_table(file) as table:
        header = _NAMES.read(table.header)
        export = Export(how=f"{file.name}: YouTube Studio, {table.how}, {table.count:,} rows.")
        if header.has({"content", *_DAYS}):
            export.how += " Days of single videos (the chart): not read; the table holds their figures."
            return export
        header.require_single(header.places)
        rows = [(f"{file.name}, row {number}", header.row(cells))
                for number, cells in enumerate(table.rows(), start=2)]  # fmt: skip
    if header.has(_VIDEO):
        _read_videos(export, rows, channel, header.language, range_of(file.name))
    elif header.has(_DAYS):
        _read_days(export, rows, channel, header.language)
    else:
        raise unknown_header("YouTube Studio", table.header, _EXPORT_HINT)
    return export


def range_of(name: str) -> tuple[date, date] | None:
    """First and last day of the range that the name of a download states; None if it states none."""
    found = _RANGE.search(name)
    try:
        return (date.fromisoformat(found[1]), date.fromisoformat(found[2])) if found else None
    except ValueError:
        return None


def _read_videos(
    export: Export,
    rows: list[tuple[str, dict[str, str]]],
    channel: str,
    language: Language,
    covered: tuple[date, date] | None,
) -> None:
    """Videos with their figures: those since publication, where the video is of the range that was chosen."""
    export.until = covered[1] if covered else None
    older = 0
    for place, row in rows:
        if normalize_text(row["content"]) in _TOTALS:
            continue
        known = {"account_id": channel, "content_id": row["content"]}
        if not _VIDEO_ID.fullmatch(row["content"]):
            reason = "The video has no id, or a spreadsheet changed it. Take the file as it was downloaded."
            export.faulty.append(Faulty(place, "content_id", reason, {"account_id": channel}))
            continue
        day = _date(row["video publish time"])
        if day is None:
            reason = "The row has no readable day of publication."
            export.faulty.append(Faulty(place, "published_at", reason, known))
            continue
        figures, unread = figures_of(row, POST_METRICS, language)
        title = row["video title"] or None
        is_whole = covered is None or day >= covered[0]
        older += not is_whole
        export.posts.append(
            Post(channel, None, row["content"], "video", title, day, place, figures, unread, is_whole)
        )
    if older and covered:
        export.warnings.append(
            f"{rows[0][0].rpartition(', row ')[0]}: {older:,} videos are older than the chosen range, which begins"
            f" on {covered[0]}, so their figures are not those since publication and are left out. Choose the"
            " period 'Lifetime' and export again."
        )
    if covered is None and export.posts:
        export.warnings.append(
            f"{rows[0][0].rpartition(', row ')[0]}: the file does not say which period its figures cover; they are"
            " taken for those since publication. Put the zip into the folder as it was downloaded: its name says it."
        )


def _read_days(
    export: Export, rows: list[tuple[str, dict[str, str]]], channel: str, language: Language
) -> None:
    """Days of the channel.

    Raises:
        FileRefusedError: several rows share a day, so they are parts of the channel; or they are weeks or months.
    """
    seen: set[str] = set()
    _require_days(filter(None, (_date(row["date"]) for _, row in rows)))
    for place, row in rows:
        if normalize_text(row["date"]) in _TOTALS:
            continue
        if row["date"] in seen:
            raise FileRefusedError(
                "Several rows are of the same day, so they are parts of the channel's figures (countries, devices"
                f" ...) and not the whole. {_EXPORT_HINT}"
            )
        seen.add(row["date"])
        day = _date(row["date"])
        figures, unread = figures_of(row, _DAY_METRICS, language)
        if day is None or unread:
            column, reason = (
                ("period_start", "The day cannot be read.")
                if day is None
                else ("value", "A figure is no whole number.")
            )
            export.faulty.append(Faulty(place, column, reason, {"account_id": channel}))
            continue
        export.days.append(Day(channel, day, place, figures))


def _require_days(dates: Iterable[date]) -> None:
    """Refuse figures by week, month or year: each row is dated by the first day of its span.

    Raises:
        FileRefusedError: at least three rows follow one another in such steps.
    """
    found = sorted(set(dates))
    steps = {(after - before).days for before, after in pairwise(found)}
    in_weeks = steps == {7}
    in_months = {day.day for day in found} == {1} and all(step >= 28 for step in steps)
    if len(found) >= _FEWEST_STEPS and (in_weeks or in_months):
        raise FileRefusedError(
            "The rows are weeks or months, each dated by its first day, and not days. In Advanced mode of YouTube"
            " Studio choose 'Daily' above the chart, and export again."
        )


def _date(text: str) -> date | None:
    """A day as Studio writes it, with the month in words or ISO; never an ambiguous one."""
    try:
        return date.fromisoformat(read_moment(text, None)[:10])
    except ValueError:
        return None
