"""What exports hold: posts, days and rows that cannot be used; and how readers build them. No files, no HTTP here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from mel_pipeline.sources.shared.dates import has_two_readings
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.http import clean
from mel_pipeline.sources.shared.platform.headers import IN_LANGUAGES, Language, whole_number_of

_DATA = re.compile(r"\d{3}|://|@")
_YEAR_FIRST = re.compile(r"\d{4}-\d{2}-\d{2}")  # as a date cell is written out
_ID = re.compile(r"\d+(?:_\d+)?")
_EXACT_DIGITS = 15  # Excel keeps this many digits of a number and replaces the rest with zeros
_SHORTENED = (
    "Excel has shortened the id. Take the file as it was downloaded, without opening and saving it in Excel."
)


@dataclass(frozen=True)
class Post:
    """One row of an export.

    ``figures`` holds digits, or None where a cell is empty; it lacks what the file has no column for.
    ``unread`` names the metrics whose cell is not a number. ``since_publication``: False where the figures are those
    of a chosen range that began later.
    """

    account: str
    account_name: str | None
    number: str
    kind: str | None
    title: str | None
    published: datetime | date  # a day where the file gives no time
    place: str
    figures: Mapping[str, str | None]
    unread: frozenset[str]
    since_publication: bool = True


@dataclass(frozen=True)
class Faulty:
    """A row that cannot be used; ``known`` holds the ids that can be read."""

    place: str
    column: str
    reason: str
    known: Mapping[str, str]


@dataclass(frozen=True)
class Day:
    """Figures of a whole account on one day; None where a cell is empty."""

    account: str
    day: date
    place: str
    figures: Mapping[str, str | None]


R = TypeVar("R", Post, Day)


@dataclass
class Export:
    """What one file holds. ``until``: the end of the range that its figures cover, where it says so."""

    posts: list[Post] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    faulty: list[Faulty] = field(default_factory=list)
    how: str = ""
    until: date | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def holds_rows(self) -> bool:
        return bool(self.posts or self.days or self.faulty)

    def settle_repeats(self) -> None:
        """Quarantine rows that repeat a post or a day with other figures: which of them counts is unknown."""
        self.posts = self._single(self.posts, lambda post: (post.account, post.number), "content_id")
        self.days = self._single(self.days, lambda day: (day.account, day.day), "period_start")

    def _single(self, rows: list[R], key_of_row: Callable[[R], tuple[object, ...]], column: str) -> list[R]:
        groups: dict[tuple[object, ...], list[R]] = {}
        for row in rows:
            groups.setdefault(key_of_row(row), []).append(row)
        single = []
        for group in groups.values():
            if all(row.figures == group[0].figures for row in group):
                single.append(group[-1])
                continue
            reason = f"It occurs {len(group)} times in the file, with different figures."
            self.faulty += [
                Faulty(row.place, column, reason, {"account_id": row.account, **_content_of(row)})
                for row in group
            ]
        return single


def _content_of(row: Post | Day) -> dict[str, str]:
    return {"content_id": row.number} if isinstance(row, Post) else {}


def moment_of(published: datetime | date, zone: ZoneInfo) -> datetime:
    """A day without a time begins in the business time zone."""
    if isinstance(published, datetime):
        return published
    return datetime(published.year, published.month, published.day, tzinfo=zone)


def day_of(post: Post, zone: ZoneInfo) -> date:
    """Day of publication in a time zone."""
    return moment_of(post.published, zone).astimezone(zone).date()


def id_fault(text: str, *, workbook: bool) -> str | None:
    """Why a numeric id cannot be trusted, if so.

    Args:
        workbook: it comes from a workbook, where a long number may have lost its last digits.
    """
    if re.fullmatch(r"\d(?:[.,]\d+)?E\+\d+", text, re.IGNORECASE):
        return _SHORTENED
    if not _ID.fullmatch(text):
        return "The id is missing or not a number."
    if workbook and len(text) > _EXACT_DIGITS and not text[_EXACT_DIGITS:].strip("0"):
        return _SHORTENED
    return None


def require_one_kind(dates: Iterable[str]) -> None:
    """Refuse a column that a spreadsheet converted in part: it took days up to the 12th for months, and left the rest.

    Raises:
        FileRefusedError: date cells and texts such as 25/09/2026 are mixed.
    """
    kinds = {
        bool(_YEAR_FIRST.match(text)) for text in dates if _YEAR_FIRST.match(text) or has_two_readings(text)
    }
    if len(kinds) > 1:
        raise FileRefusedError(
            "Some dates are cells of a spreadsheet and others texts: Excel converted those it could, with day and"
            " month perhaps swapped. Take the file as it was downloaded, without opening and saving it in Excel."
        )


def figures_of(
    row: Mapping[str, str], metrics: Mapping[str, str], language: Language = "en"
) -> tuple[dict[str, str | None], frozenset[str]]:
    """Each metric the file has a column for (column → metric), and those whose cell cannot be read.

    Args:
        language: of the file, which decides how it groups thousands.
    """
    figures: dict[str, str | None] = {}
    unread: set[str] = set()
    for column, metric in metrics.items():
        if (text := row.get(column)) is None:
            continue
        number = whole_number_of(text, language) if text else None
        if text and number is None:
            unread.add(metric)
        else:
            figures[metric] = number
    return figures, frozenset(unread)


def unknown_header(title: str, header: Sequence[str], again: str) -> FileRefusedError:
    """The error for a file that is not an export of this platform; it quotes the header, unless that is data.

    Args:
        again: what to do.
    """
    seen = clean(", ".join(header[:8]))
    found = "The first row holds no column names." if _DATA.search(seen) else f"The first row reads: {seen}."
    return FileRefusedError(f"The header is not that of an export of {title} {IN_LANGUAGES}. {found} {again}")
