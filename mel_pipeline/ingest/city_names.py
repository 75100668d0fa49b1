"""Match the cities people answered with members, in one table; unmatched ones wait for a decision in the workbook.

Reads the loaded raw tables, matches names with ``identity`` and replaces one table.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import ContractError
from mel_pipeline.ingest.identity import (
    Aliases,
    Answer,
    Member,
    Members,
    load_aliases,
    match,
    read_review,
    review_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.ingest.identity.review import Line, Review
    from mel_pipeline.sources.workbook.model import Version
    from mel_pipeline.warehouse import Warehouse

TABLE = "raw_identity__city_names"
COLUMNS = ["city_key", "country", "country_code", "account_id", "how"]
ACCOUNTS = "raw_zoho_crm__accounts"
RESPONSES = "raw_surveys__responses"


@dataclass(frozen=True)
class CityNames:
    """Outcome of matching the answers to "your city".

    ``answers`` and ``matched`` count responses; ``waiting`` counts distinct cities without a decision.
    """

    rows: int
    answers: int
    matched: int
    waiting: int
    problems: list[str]

    @property
    def sentence(self) -> str:
        """The outcome in one line for the MEL lead."""
        return (
            f"{self.matched:,} of {self.answers:,} answers name a member;"
            f" {self.waiting:,} {'city waits' if self.waiting == 1 else 'cities wait'} for a decision."
        )


def match_cities(
    warehouse: Warehouse, version: Version, *, clock: Callable[[], datetime] = utc_now
) -> CityNames:
    """Match every answered city with the members of the CRM; replace the table.

    Args:
        version: of the workbook, whose sheet Cities has the decisions.
        clock: gives UTC without zone.

    Raises:
        ContractError: no member is known, or the decisions cannot be read. The table stays unchanged.
    """
    aliases = load_aliases()
    members = read_members(warehouse, aliases)
    review = review_in(version, members)
    answered = _answered(warehouse)
    matched = _matched(answered, members, aliases, review.confirmed)
    _replace(warehouse, matched, clock())
    lines = review_of(_answers(answered), review, members, aliases)
    return CityNames(
        rows=len(matched),
        answers=int(answered["times"].sum()),
        matched=int(matched["times"].sum()),
        waiting=len(_waiting(lines)),
        problems=list(review.problems),
    )


def review_in(version: Version, members: Members) -> Review:
    """The decisions that a version of the workbook states.

    Raises:
        ContractError: the file they stood in before cannot be read.
    """
    if problem := version.problems.get("cities"):
        raise ContractError(f"{problem} Until then the matches of the last run stay valid.")
    return read_review(version.rows["cities"], members)


def ensure_empty(warehouse: Warehouse) -> None:
    """Create the table empty where nothing was ever matched, so that models can read it."""
    from mel_pipeline.warehouse import raw

    with warehouse.transaction() as connection:
        raw.ensure_table(connection, TABLE, COLUMNS)


def undecided(warehouse: Warehouse, members: Members, review: Review) -> list[Line]:
    """Cities without a decision, the most frequent first."""
    return _waiting(review_of(_answers(_answered(warehouse)), review, members, load_aliases()))


def _waiting(lines: list[Line]) -> list[Line]:
    return [line for line in lines if not line.decision]


def read_members(warehouse: Warehouse, aliases: Aliases) -> Members:
    """Members and associates of the CRM.

    Raises:
        ContractError: there is none.
    """
    known: list[Member] = []
    if warehouse.has_table(ACCOUNTS):
        rows = warehouse.read(
            f"select id, name, country_code from {ACCOUNTS}"  # noqa: S608 - our own name
            " where not _is_deleted and member_type in ('Member', 'Associate') order by id"
        )
        known = [
            Member(str(row["id"]), str(row["name"]), row["country_code"])
            for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
        ]
    if not known:
        raise ContractError(
            "Matching cities with members: no member has been loaded from the CRM yet. Load the accounts first;"
            " earlier matches and decisions are kept."
        )
    return Members(known, aliases)


def _answered(warehouse: Warehouse) -> pd.DataFrame:
    """city, city_key, country (empty: not given) and times, one row per spelling; no rows without surveys."""
    import pandas as pd

    if not warehouse.has_table(RESPONSES):
        return pd.DataFrame({"city": [], "city_key": [], "country": [], "times": pd.Series(dtype="int64")})
    return warehouse.read(
        "select min(city) as city, city_key, coalesce(country, '') as country, count(*) as times"  # noqa: S608 - our own name
        f" from {RESPONSES}"
        " where not _is_deleted and city_key <> '' group by city_key, coalesce(country, '')"
        " order by city_key, country"
    )


def _answers(answered: pd.DataFrame) -> list[Answer]:
    return [
        Answer(str(row["city"]), str(row["country"]), int(row["times"]))
        for row in answered.to_dict("records")
    ]


def _matched(
    answered: pd.DataFrame,
    members: Members,
    aliases: Aliases,
    confirmed: Mapping[tuple[str, str], str | None],
) -> pd.DataFrame:
    """The table's columns and ``times``, one row per city and country that names a member."""
    import pandas as pd

    by_account = {member.account_id: member for member in members.all}
    rows = []
    for row in answered.to_dict("records"):
        key, country = str(row["city_key"]), str(row["country"])
        found = match(key, country, members, aliases, confirmed)
        if found:
            code = members.country(by_account[found.account_id])
            rows.append((key, country or None, code, found.account_id, found.how, int(row["times"])))
    return pd.DataFrame(rows, columns=[*COLUMNS, "times"])


def _replace(warehouse: Warehouse, matched: pd.DataFrame, now: datetime) -> None:
    from mel_pipeline.warehouse import raw

    frame = matched[COLUMNS].astype("str").where(matched[COLUMNS].notna(), None)
    with warehouse.transaction() as connection:
        raw.replace_rows(
            connection, TABLE, frame, f"city_names-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", now
        )
