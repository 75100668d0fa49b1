"""The content of a city's page. Counts of events, beside the median of the region; no counts of people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.periods import Quarter
from mel_pipeline.reporting.figures.measures import missing, words
from mel_pipeline.reporting.site.data import KINDS, SEAT, SPEAKING
from mel_pipeline.reporting.site.slugs import slugs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from mel_pipeline.reporting.site.data import Site

WITHHELD = "withheld"
NO_RECORD = "no_record"
Count = int | str  # a number, or one of the two words above
NOT_STATED = "Not stated"


@dataclass(frozen=True)
class Spell:
    """Years of a membership; None: not known, or not ended."""

    began: int | None
    ended: int | None


@dataclass
class City:
    """A member, former member or associate, with what it joined by quarter (oldest first)."""

    id: str
    slug: str
    name: str
    country: str
    region: str
    standing: str  # member | associate | former
    part_of: str
    spells: list[Spell]
    quarters: list[str] = field(default_factory=list)  # in which it was a member on at least one day
    counts: dict[tuple[str, str], Count] = field(default_factory=dict)  # (quarter, kind)
    labs: dict[str, list[str]] = field(default_factory=dict)
    seats: list[tuple[str, str]] = field(default_factory=list)  # first and last quarter
    donor: str = ""

    def total(self, quarters: list[str]) -> Count:
        """Events of all kinds in these quarters; a word as soon as one part is unknown or withheld."""
        return _sum([self.counts[quarter, kind] for quarter in quarters for kind in KINDS])

    def of_kind(self, quarters: list[str], kind: str) -> Count:
        """Events of one kind in these quarters; a word as ``total``."""
        return _sum([self.counts[quarter, kind] for quarter in quarters])

    def active(self, quarter: str) -> bool | str:
        """Whether it joined anything; a withheld count leaves that open, unless it joined something else."""
        parts = [self.counts[quarter, kind] for kind in KINDS]
        if any(isinstance(part, int) and part > 0 for part in parts):
            return True
        for word in (WITHHELD, NO_RECORD):
            if word in parts:
                return word
        return False

    def spoke(self, quarters: list[str]) -> Count:
        return _sum([self.counts[quarter, SPEAKING] for quarter in quarters])


def _sum(parts: list[Count]) -> Count:
    for word in (WITHHELD, NO_RECORD):
        if word in parts:
            return word
    return sum(int(part) for part in parts)


def read_cities(site: Site, quarters: list[str]) -> list[City]:
    """Every current or former member, by name; ``quarters`` are the calculated ones, oldest first."""
    rows = [{str(key): value for key, value in row.items()} for row in site.cities.to_dict("records")]
    named = slugs(
        [
            {
                "account_id": words(row["account_id"]),
                "name": words(row["account_name"]),
                "country": words(row["country_code"]),
            }
            for row in rows
        ]
    )
    spells: defaultdict[str, list[tuple[date | None, date | None]]] = defaultdict(list)
    for spell in site.spells.to_dict("records"):
        spells[words(spell["account_id"])].append((_day(spell["began_on"]), _day(spell["ended_on"])))
    counted = _counted(site)
    labs = _labs(site)
    donors = {words(row["account_id"]): words(row["donor"]) for row in site.donors.to_dict("records")}
    cities = []
    for row in rows:
        id_ = words(row["account_id"])
        city = City(
            id=id_,
            slug=named[id_],
            name=words(row["account_name"]),
            country=words(row["country_code"]).upper(),
            region=words(row["region"]) or NOT_STATED,
            standing=_standing(words(row["member_type"]), spells[id_], site.edition.data_as_of),
            part_of=words(row["part_of_account_id"]),
            spells=[Spell(_year(began), _year(ended)) for began, ended in spells[id_]],
            quarters=[quarter for quarter in quarters if _covered(spells[id_], quarter)],
            labs=labs.get(id_, {}),
            donor=donors.get(id_, ""),
        )
        city.counts = {
            (quarter, kind): counted(id_, quarter, kind)
            for quarter in quarters
            for kind in (*KINDS, SPEAKING)
        }
        city.seats = _runs([quarter for quarter in quarters if counted(id_, quarter, SEAT) == 1])
        cities.append(city)
    return cities


def _year(day: date | None) -> int | None:
    return None if day is None else day.year


def _day(moment: Any) -> date | None:
    if missing(moment):
        return None
    found: date = moment.date() if hasattr(moment, "date") else moment
    return found


def _standing(kind: str, spells: list[tuple[date | None, date | None]], day: date) -> str:
    if all(ended is not None and ended <= day for _, ended in spells) or kind not in ("Member", "Associate"):
        return "former"
    return "member" if kind == "Member" else "associate"


def _covered(spells: list[tuple[date | None, date | None]], quarter: str) -> bool:
    span = Quarter.parse(quarter)
    return any(
        (began is None or began < span.end) and (ended is None or ended > span.start)
        for began, ended in spells
    )


def _counted(site: Site) -> Callable[[str, str, str], Count]:
    presence = site.presence
    counts = {
        (words(row["account_id"]), row["quarter"], row["kind"]): int(row["events"])
        for row in presence.counts.to_dict("records")
    }

    def count(account: str, quarter: str, kind: str) -> Count:
        if (quarter, kind) in presence.withheld:
            return WITHHELD
        if kind != SEAT and quarter not in presence.recorded:
            return NO_RECORD
        return counts.get((account, quarter, kind), 0)

    return count


def _labs(site: Site) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for row in site.presence.labs.to_dict("records"):
        found.setdefault(words(row["account_id"]), {}).setdefault(words(row["year"]), []).append(
            words(row["lab"])
        )
    return found


def _runs(quarters: list[str]) -> list[tuple[str, str]]:
    """Consecutive quarters as runs, each given by its first and last quarter."""
    runs: list[tuple[str, str]] = []
    for quarter in quarters:
        if runs and str(Quarter.parse(runs[-1][1]).next()) == quarter:
            runs[-1] = (runs[-1][0], quarter)
        else:
            runs.append((quarter, quarter))
    return runs


def regional_medians(cities: list[City], quarters: list[str], min_cell: int) -> dict[tuple[str, str], float]:
    """(region, quarter or year) → median number of events of its members; none where there are too few.

    For a quarter: today's full members that were members in it. For a year: those that were members in all its
    quarters, and only where all four have been calculated.
    """
    found: dict[tuple[str, str], float] = {}
    spans = {quarter: [quarter] for quarter in quarters}
    for year in sorted({quarter[:4] for quarter in quarters}):
        four = [quarter for quarter in quarters if quarter.startswith(year)]
        if len(four) == 4:
            spans[year] = four
    for region in sorted({city.region for city in cities} - {NOT_STATED}):
        mine = [city for city in cities if city.region == region and city.standing == "member"]
        for span, inside in spans.items():
            totals = [city.total(inside) for city in mine if set(inside) <= set(city.quarters)]
            if len(totals) >= min_cell and not any(isinstance(total, str) for total in totals):
                found[region, span] = float(median(int(total) for total in totals))
    return found
