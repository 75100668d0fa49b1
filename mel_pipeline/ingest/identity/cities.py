"""Match an answered city with a member: by a person's decision, an exact name or a known alias; else none.

Pure. A name shared by several places matches only together with its country, and a contradicting country rules
a name out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.ingest.identity.aliases import Aliases
from mel_pipeline.ingest.identity.keys import city_key

How = Literal["confirmed", "exact_name", "alias"]
Confirmed = Mapping[tuple[str, str], str | None]


@dataclass(frozen=True)
class Member:
    """An organisation of the network, from the CRM. ``country`` is an ISO code."""

    account_id: str
    name: str
    country: str | None


@dataclass(frozen=True)
class Match:
    """The member an answer names, and how it was found."""

    account_id: str
    how: How


class Members:
    """All members, by every name they are known by."""

    def __init__(self, members: Iterable[Member], aliases: Aliases) -> None:
        self.all = tuple(members)
        by_name: defaultdict[str, list[Member]] = defaultdict(list)
        for member in self.all:
            by_name[city_key(member.name)].append(member)
        self.by_name: Mapping[str, list[Member]] = dict(by_name)
        self._aliases = aliases
        self.by_alias = {key: self._of_alias(key) for key in aliases.by_key}

    def country(self, member: Member) -> str | None:
        """From the CRM; where it has none, from city_aliases.yml."""
        known = self._aliases.by_key.get(city_key(member.name), ())
        return member.country or (known[0].country if len(known) == 1 else None)

    def _of_alias(self, key: str) -> list[Member]:
        """Members with any name of the alias's group, in the group's country."""
        return [
            member
            for known in self._aliases.by_key[key]
            for name in sorted(known.keys)
            for member in self.by_name.get(name, ())
            if self.country(member) == known.country
        ]


def match(
    answer_key: str, country: str, members: Members, aliases: Aliases, confirmed: Confirmed
) -> Match | None:
    """The member an answer names, or None.

    Args:
        answer_key: the city as answered, through ``city_key``.
        country: as answered; empty where the survey has no such question.
        confirmed: (key, normalised country) → account id, or None for "not a member". Takes precedence.
    """
    decided = (answer_key, normalize_text(country))
    if decided in confirmed:
        account = confirmed[decided]
        return Match(account, "confirmed") if account else None
    for key, code in readings(answer_key, country, aliases):
        if found := _only(members.by_name.get(key, []), key, code, members, aliases):
            return Match(found.account_id, "exact_name")
        if key not in members.by_name and (
            found := _only(members.by_alias.get(key, []), key, code, members, aliases)
        ):
            return Match(found.account_id, "alias")
    return None


def readings(answer_key: str, country: str, aliases: Aliases) -> Iterator[tuple[str, str | None]]:
    """City and country code: as answered, then with a country at the end of the city ("Córdoba, Argentina").

    Yields nothing where the country is given and cannot be read, or where the two countries differ.
    """
    code = aliases.country_code(country) if country.strip() else None
    if country.strip() and code is None:
        return
    yield answer_key, code
    words = answer_key.split()
    for cut in range(1, len(words)):
        named = aliases.countries.get(" ".join(words[cut:]))
        if named and code in (None, named):
            yield " ".join(words[:cut]), named


def _only(
    candidates: list[Member], key: str, code: str | None, members: Members, aliases: Aliases
) -> Member | None:
    """The one candidate that fits; None where none or several do."""
    if code is None and key in aliases.homonyms:
        return None
    fitting = [one for one in candidates if code is None or members.country(one) == code]
    return fitting[0] if len(fitting) == 1 else None
