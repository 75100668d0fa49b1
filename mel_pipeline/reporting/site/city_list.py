"""All cities in one table with what they joined in a year. Counts of events, never of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.reporting.site.cities import NO_RECORD, NOT_STATED, WITHHELD, City, Count
from mel_pipeline.reporting.site.data import KINDS
from mel_pipeline.reporting.site.indicators import region
from mel_pipeline.reporting.site.slugs import search_key

if TYPE_CHECKING:
    from mel_pipeline.reporting.site.city_pages import Listed
    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class Joined:
    """A row. ``counts``: events by kind, then in all, in words and as sorted. ``active``: yes, no or unknown."""

    city: Listed
    region: str
    counts: list[tuple[str, int]]
    active: str


@dataclass(frozen=True)
class CityList:
    """``year``: of the edition. ``for_lead``: it can be sorted by what was joined, and shows who joined nothing."""

    year: str
    rows: list[Joined]
    for_lead: bool


def city_list(content: Content, texts: Texts, links: dict[str, Listed]) -> CityList | None:
    """The members of the edition's year; None where no quarter of it was calculated.

    Args:
        links: city id → how it is listed.
    """
    year = content.site.edition.period[:4]
    quarters = [quarter for quarter in content.quarters if quarter.startswith(year)]
    members = [city for city in content.cities if set(quarters) & set(city.quarters)]
    if not quarters or not members:
        return None
    rows = [
        _joined(city, [q for q in quarters if q in city.quarters], texts, links[city.id]) for city in members
    ]
    rows.sort(key=lambda row: (search_key(row.city.name), row.city.country, row.city.slug))
    return CityList(year, rows, bool(content.site.workbook))


def _joined(city: City, quarters: list[str], texts: Texts, link: Listed) -> Joined:
    counts = [city.of_kind(quarters, kind) for kind in KINDS] + [city.total(quarters)]
    name = region(city.region, texts) if city.region != NOT_STATED else texts("site.unknown")
    return Joined(
        link, name, [_words(count, texts) for count in counts], _active([city.active(q) for q in quarters])
    )


def _words(count: Count, texts: Texts) -> tuple[str, int]:
    """A count that is not shown sorts below zero: it says nothing about how many there were."""
    if isinstance(count, int):
        return texts.number(count), count
    return texts.choice("site.count", count), {WITHHELD: -1, NO_RECORD: -2}[count]


def _active(quarters: list[bool | str]) -> str:
    """One event is enough; a quarter that is withheld or has no record leaves it open."""
    if True in quarters:
        return "yes"
    return "no" if all(quarter is False for quarter in quarters) else "unknown"
