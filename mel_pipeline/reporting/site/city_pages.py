"""A page per city, and the page that lists them by region and from A to Z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.reporting.figures.lookup import Figures, Reading
from mel_pipeline.reporting.site.cities import NOT_STATED, City, Count
from mel_pipeline.reporting.site.city_list import city_list
from mel_pipeline.reporting.site.data import KINDS
from mel_pipeline.reporting.site.indicators import region
from mel_pipeline.reporting.site.slugs import search_key

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.site.templates import Pages
    from mel_pipeline.reporting.text.texts import Texts

ACTIVE = "MEM-05"  # active member rate; without it a city is compared with the median alone
BARS = 8
BAR_HEIGHT = 64.0


@dataclass(frozen=True)
class Listed:
    """A city in a list. ``keys``: everything it may be searched by."""

    slug: str
    name: str
    country: str
    mark: str
    keys: str


@dataclass(frozen=True)
class Bar:
    """A quarter in the chart: heights in a box of ``BAR_HEIGHT``; None is a gap, not a zero."""

    quarter: str
    label: str
    height: float | None
    median: float | None


def country_name(code: str, texts: Texts) -> str:
    """The country in the reader's language; the code where CLDR has none, nothing where the CRM has none."""
    return str(texts.locale.territories.get(code, code)) if code else ""


def listed(city: City, texts: Texts) -> Listed:
    country = country_name(city.country, texts)
    mark = "" if city.standing == "member" else texts.choice("site.mark", city.standing)
    keys = search_key(f"{city.name} {country} {city.country} {region(city.region, texts)}")
    return Listed(city.slug, city.name, country, mark, keys)


def by_region(cities: list[City], texts: Texts) -> list[tuple[str, list[Listed]]]:
    """Regions by name, those without one last; cities by name in each."""
    found: dict[str, list[City]] = {}
    for city in cities:
        found.setdefault(city.region, []).append(city)
    order = sorted(found, key=lambda name: (name == NOT_STATED, search_key(region(name, texts))))
    return [(region(name, texts), [listed(city, texts) for city in _sorted(found[name])]) for name in order]


def by_letter(cities: list[City], texts: Texts) -> list[tuple[str, list[Listed]]]:
    found: dict[str, list[Listed]] = {}
    for city in _sorted(cities):
        first = search_key(city.name)[:1].upper()
        letter = first if first.isascii() and first.isalpha() else texts("site.letter_other")
        found.setdefault(letter, []).append(listed(city, texts))
    return sorted(found.items(), key=lambda item: (len(item[0]) > 1, item[0]))


def _sorted(cities: list[City]) -> list[City]:
    return sorted(cities, key=lambda city: (search_key(city.name), city.country, city.slug))


def city_pages(content: Content, known: list[Measure], figures: Figures, pages: Pages) -> dict[str, bytes]:
    texts = pages.texts
    table = city_list(content, texts, {city.id: listed(city, texts) for city in content.cities})
    made = {
        pages.address("cities/index"): pages.render(
            "cities.html.jinja",
            "cities/index",
            section="cities",
            title=texts("site.cities_title", organisation=content.site.edition.organisation),
            regions=by_region(content.cities, texts),
            letters=by_letter(content.cities, texts),
            table=table,
            kinds=KINDS,
            script="register.js" if table else "",
        )
    }
    measures = {measure.id: measure for measure in known}
    by_id = {city.id: city for city in content.cities}
    for city in content.cities:
        stem = f"cities/{city.slug}"
        view = _View(content, city, texts, figures, measures)
        larger = by_id.get(city.part_of)
        made[pages.address(stem)] = pages.render(
            "city.html.jinja",
            stem,
            section="cities",
            title=city.name,
            city=city,
            country=country_name(city.country, texts),
            region=region(city.region, texts) if city.region != NOT_STATED else texts("site.unknown"),
            has_region=city.region != NOT_STATED,
            larger=None if larger is None else listed(larger, texts),
            kinds=KINDS,
            spells=view.spells(),
            glance=view.glance(),
            bars=view.bars(),
            joined=view.joined(),
            gave=view.gave(),
            beside=view.beside(),
            has_medians=any(name == city.region for name, _ in content.medians),
        )
    return made


@dataclass(frozen=True)
class _View:
    """One city in one language."""

    content: Content
    city: City
    texts: Texts
    figures: Figures
    measures: dict[str, Measure]

    def spells(self) -> list[str]:
        words = []
        for spell in self.city.spells:
            lasts, known = spell.ended is None, spell.began is not None
            key = {(True, True): "since", (True, False): "since_ever", (False, True): "from_to"}.get(
                (lasts, known), "until"
            )
            words.append(
                self.texts(f"site.spell.{key}", year=spell.began, first=spell.began, last=spell.ended)
            )
        return words

    def count(self, value: Count) -> str:
        if isinstance(value, int):
            return self.texts.number(value)
        return self.texts.choice("site.count", value)

    def glance(self) -> list[tuple[str, str]]:
        """Up to three figures: events of the last whole year, the region's median, quarters with an event."""
        texts, city = self.texts, self.city
        years = sorted({quarter[:4] for quarter in self.content.quarters}, reverse=True)
        whole = next((year for year in years if len(self._of(year)) == 4), None)
        found = []
        if whole and set(self._of(whole)) & set(city.quarters):
            found.append((texts("site.glance_events", year=whole), self.count(city.total(self._of(whole)))))
            middle = self.content.medians.get((city.region, whole))
            if middle is not None:
                found.append((texts("site.glance_median", year=whole), self._median(middle)))
        known = [active for quarter in city.quarters if isinstance(active := city.active(quarter), bool)]
        if known:
            found.append(
                (
                    texts("site.glance_active"),
                    texts("site.glance_of", count=texts.number(sum(known)), total=texts.number(len(known))),
                )
            )
        return found

    def _of(self, year: str) -> list[str]:
        return [quarter for quarter in self.content.quarters if quarter.startswith(year)]

    def _median(self, value: float | None) -> str:
        if value is None:
            return ""
        return self.texts.number(value, 0 if value.is_integer() else 1)

    def joined(self) -> list[tuple[str, list[tuple[str, bool]], str, str]]:
        """Quarter, events by kind (in words, and whether there are any), total, events it spoke at; newest first."""
        rows = []
        for quarter in reversed(self.city.quarters):
            parts = [self.city.counts[quarter, kind] for kind in KINDS]
            rows.append(
                (
                    quarter,
                    [(self.count(part), isinstance(part, int) and part > 0) for part in parts],
                    self.count(self.city.total([quarter])),
                    self.count(self.city.spoke([quarter])),
                )
            )
        return rows

    def bars(self) -> list[Bar]:
        quarters = self.city.quarters[-BARS:]
        totals = {quarter: self.city.total([quarter]) for quarter in quarters}
        middles = {quarter: self.content.medians.get((self.city.region, quarter)) for quarter in quarters}
        top = max(
            [
                *(total for total in totals.values() if isinstance(total, int)),
                *filter(None, middles.values()),
                1,
            ]
        )
        return [
            Bar(
                quarter,
                self.count(total),
                round(BAR_HEIGHT * total / top, 1) if isinstance(total, int) else None,
                None if (middle := middles[quarter]) is None else round(BAR_HEIGHT * middle / top, 1),
            )
            for quarter, total in totals.items()
        ]

    def gave(self) -> list[str]:
        """Contributions that disclose nothing about people or fees: seats, speaking, and gifts already in the figures."""
        texts, city = self.texts, self.city
        lines = []
        if city.seats:
            spans = ", ".join(
                first if first == last else texts("site.spell.from_to", first=first, last=last)
                for first, last in city.seats
            )
            lines.append(texts("site.gave_seats", spans=spans))
        spoke = [city.spoke([quarter]) for quarter in city.quarters]
        known = sum(count for count in spoke if isinstance(count, int))
        if known:
            lines.append(texts.plural("site.gave_spoke", known))
        return lines + self._gifts()

    def _gifts(self) -> list[str]:
        period = self.content.site.edition.period
        lines = []
        for measure in self.measures.values():
            reading = self.figures.cells(measure.id, period, "donor").get(self.city.donor)
            if self.city.donor and reading is not None and reading.value is not None:
                when = self.texts(
                    "period.at_end" if measure.aggregation == "stock" else "period.during", period=period
                )
                shown = self.texts.value(measure, reading.value)
                lines.append(self.texts("site.gave_fund", indicator=measure.name, value=shown, when=when))
        return lines

    def beside(self) -> list[tuple[str, str, str, str, str, str]]:
        """Quarter, its events, the region's median, whether it was active, active members of region and network."""
        rows = []
        for quarter in reversed(self.city.quarters):
            middle = self.content.medians.get((self.city.region, quarter))
            active = self.city.active(quarter)
            yes = (
                self.texts.choice("site.answer", "yes" if active else "no")
                if isinstance(active, bool)
                else self.count(active)
            )
            cells = self.figures.cells(ACTIVE, quarter, "region")
            rows.append(
                (
                    quarter,
                    self.count(self.city.total([quarter])),
                    self._median(middle) or self.texts("site.count.withheld"),
                    yes,
                    self._rate(cells.get(self.city.region), few=True),
                    self._rate(self.figures.total(ACTIVE, quarter)),
                )
            )
        return rows

    def _rate(self, reading: Reading | None, *, few: bool = False) -> str:
        if reading is None or reading.value is None or ACTIVE not in self.measures:
            return self.texts("status.not_available")
        if few and (reading.n or 0) < self.content.site.edition.min_cell:
            return self.texts("site.count.withheld")
        return self.texts.value(self.measures[ACTIVE], reading.value)
