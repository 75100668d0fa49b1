"""From calculated to public figures: small groups withheld, published ones as published.

Every output reads the table ``released_figures``; only this package reads the figures behind it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mel_pipeline.publication.calculations import FIGURES
from mel_pipeline.publication.disclosure import newly_exposed, visible
from mel_pipeline.publication.sensitivity import sensitivities
from mel_pipeline.warehouse.fingerprints import Fingerprint, recall, remember, rows_digest, text_digest
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import (
    BOUNDS,
    CELL_COLUMNS,
    QUALIFIERS,
    protected_numbers,
    released_figures,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.disclosure import Block, Sensitivity, Visible
    from mel_pipeline.publication.disclosure.editions import Key
    from mel_pipeline.warehouse import Warehouse

PEOPLE = "disclosure_people"
KEY = ["indicator_id", "period", "disaggregation"]
NUMBERS = [*KEY, "numerator", "denominator", "people", "members"]
HIDDEN = "suppressed"
INPUTS = (FIGURES, PEOPLE, "published_figures", protected_numbers.name)
SUBJECT = "release"  # of its fingerprint


@dataclass(frozen=True)
class Released:
    """Number of figures released and withheld, and those that can no longer be protected."""

    figures: int
    withheld: int
    unprotected: tuple[str, ...]


def release(warehouse: Warehouse, settings: Settings) -> Released:
    """Rewrite ``released_figures`` for every calculated quarter, unless nothing that it follows from has changed."""
    with warehouse.connect() as connection:
        made_of = _made_of(connection, settings)
        known = recall(connection, SUBJECT)
        if known is not None and known.made_of == made_of and known.found["rows"] == _released(connection):
            return Released(
                known.found["figures"], known.found["withheld"], tuple(known.found["unprotected"])
            )
    done = _release(warehouse, settings)
    with warehouse.transaction() as connection:
        if _made_of(connection, settings) == made_of:  # nobody has written in between
            found = {**vars(done), "rows": _released(connection)}
            remember(connection, SUBJECT, Fingerprint(made_of, found))
    return done


def _made_of(connection: sa.Connection, settings: Settings) -> str:
    """Digest of the figures, what is public, and the rules: those of the catalogue and of this code."""
    there = [name for name in INPUTS if sa.inspect(connection).has_table(name)]
    code = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.rglob("*.py"))]
    rules = sorted(sensitivities(settings).items())
    return text_digest(
        *(f"{name} {rows_digest(connection, name)}" for name in there),
        repr(rules), str(settings.min_cell), repr(_shares(settings)), *code,
    )  # fmt: skip


def _released(connection: sa.Connection) -> str:
    name = released_figures.name
    return rows_digest(connection, name) if sa.inspect(connection).has_table(name) else ""


def _release(warehouse: Warehouse, settings: Settings) -> Released:
    found = _visible(warehouse, settings, published(warehouse, settings))
    frame = found.frame[[*CELL_COLUMNS, "version", *QUALIFIERS]]
    frame = with_bounds(frame, settings).sort_values([*KEY, "category"], na_position="first")
    plain = frame.astype(object).where(frame.notna(), None).to_dict("records")
    rows = [{str(name): value for name, value in row.items()} for row in plain]
    done = Released(len(frame), int((frame["status"] == HIDDEN).sum()), found.unprotected)
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        if _is_there(connection, rows):  # inserting them again takes longer than all the rest
            return done
        connection.execute(sa.delete(released_figures))
        if rows:
            connection.execute(sa.insert(released_figures), rows)
    return done


def _is_there(connection: sa.Connection, rows: list[dict[str, Any]]) -> bool:
    """Whether the table already holds exactly these rows."""
    names = [column.name for column in released_figures.columns]
    wanted = Counter(tuple(row[name] for name in names) for row in rows)
    return wanted == Counter(tuple(row) for row in connection.execute(sa.select(released_figures)))


def with_bounds(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Fill in the interval of shares published before it was stored: it follows from their numbers."""
    from mel_pipeline.core.statistics import wilson

    lacks = frame["version"].notna() & frame["low"].isna() & (frame["status"] == "ok")
    lacks &= frame["indicator_id"].isin(_shares(settings)) & ~(
        (frame["dimension"] == "total") & (frame["numerator"] == frame["denominator"])
    )
    if not lacks.any():
        return frame
    frame = frame.copy()
    for index, row in frame[lacks].iterrows():
        if 0 <= row["numerator"] <= row["denominator"] and row["denominator"] > 0:
            found = wilson(row["numerator"], row["denominator"])
            frame.loc[index, list(BOUNDS)] = [found.low, found.high]
    return frame


def _shares(settings: Settings) -> list[str]:
    from mel_pipeline.transform.catalogue import catalogue_of

    listed = catalogue_of(settings).indicators
    return sorted(item.id for item in listed if item.interval and item.unit == "percent")


@dataclass(frozen=True)
class Candidate:
    """What publishing a quarter would make public.

    ``figures``: columns of ``published_figures`` but for the version. ``numbers``: what stands behind those about
    people. ``held``: groups of figures that stay as they were published. ``kept``: figures that the last calculation
    does not give. ``exposes``: withheld figures that they would give away.
    """

    figures: pd.DataFrame
    numbers: pd.DataFrame
    held: frozenset[Block]
    kept: tuple[Key, ...]
    exposes: tuple[str, ...]


def candidate(warehouse: Warehouse, settings: Settings, quarter: str, *, audited: bool = False) -> Candidate:
    """The figures of a quarter as they would be published now; other published quarters are unchanged.

    Args:
        audited: attack the result together with everything published, even where the protection has found nothing.
    """
    rules, public = sensitivities(settings), published(warehouse, settings)
    found = _visible(warehouse, settings, public, republish=quarter)
    mine = found.frame["quarter"] == quarter
    figures = found.frame.loc[mine, [*CELL_COLUMNS, *QUALIFIERS]].reset_index(drop=True)
    about_people = mine & found.numbers["indicator_id"].isin(rules)
    attacked = audited or found.exposed
    exposes = newly_exposed(found, quarter, public, rules, settings.min_cell) if attacked else []
    numbers = found.numbers.reindex(columns=NUMBERS)[about_people].reset_index(drop=True)
    return Candidate(figures, numbers, found.held, found.kept, tuple(exposes))


def _visible(
    warehouse: Warehouse, settings: Settings, public: pd.DataFrame, republish: str | None = None
) -> Visible:
    rules = sensitivities(settings)
    current = warehouse.read(f"select * from {FIGURES}")[[*CELL_COLUMNS, *QUALIFIERS]]  # noqa: S608
    current = with_people(current, warehouse, rules)
    return visible(current, public, rules, min_cell=settings.min_cell, republish=republish)


def published(warehouse: Warehouse, settings: Settings) -> pd.DataFrame:
    """The last version of every published quarter, with the numbers behind withheld figures.

    Returns:
        Columns of ``published_figures``, ``shown``, ``people`` and ``members``.
    """
    import pandas as pd

    if not warehouse.has_table("published_figures"):
        return pd.DataFrame(columns=[*CELL_COLUMNS, *QUALIFIERS, "version", "shown", "people", "members"])
    frame = warehouse.read(
        "select p.* from published_figures p join (select quarter, max(version) as version from published_figures"
        " group by quarter) l on l.quarter = p.quarter and l.version = p.version"
    ).reindex(columns=[*CELL_COLUMNS, *QUALIFIERS, "version"])
    frame = frame.assign(shown=frame["status"] != HIDDEN)
    behind = _numbers_behind(warehouse, frame, settings)
    found = frame[KEY].merge(behind, on=KEY, how="left").set_index(frame.index)
    for name in ("numerator", "denominator"):
        frame[name] = frame[name].where(frame["shown"], found[name])
    known = ~frame["shown"] & frame["numerator"].notna()  # a count of people has no denominator
    frame["status"] = frame["status"].mask(known, "ok")
    return frame.assign(people=found["people"], members=found["members"])


def _numbers_behind(warehouse: Warehouse, frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Of quarters published before they were stored: the numbers of today."""
    import pandas as pd

    columns = [*KEY, *NUMBERS[len(KEY) :]]
    stored = pd.DataFrame(columns=columns)
    if warehouse.has_table(protected_numbers.name):
        query = (
            f"select n.* from {protected_numbers.name} n join (select quarter, max(version) as version"  # noqa: S608
            " from published_figures group by quarter) l on l.quarter = n.quarter and l.version = n.version"
        )
        stored = warehouse.read(query)
    missing = sorted(set(frame["quarter"]) - set(stored.get("quarter", ())))
    if not missing or not warehouse.has_table(FIGURES):
        return stored[columns]
    rules = sensitivities(settings)
    today = warehouse.read(f"select * from {FIGURES}")  # noqa: S608
    today = today[today["quarter"].isin(missing) & today["indicator_id"].isin(rules)]
    today = with_people(today, warehouse, rules).reindex(columns=columns)
    parts = [part for part in (stored[columns], today) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else stored[columns]


def with_people(frame: pd.DataFrame, warehouse: Warehouse, rules: Mapping[str, Sensitivity]) -> pd.DataFrame:
    """Add ``people`` and ``members``: the distinct persons behind figures that count slots or answers."""
    if not warehouse.has_table(PEOPLE):
        return frame
    counted = warehouse.read(f"select * from {PEOPLE}")  # noqa: S608
    names = ["disclosure_group", "period", "dimension", "category"]
    groups = frame["indicator_id"].map({indicator: rule.group for indicator, rule in rules.items()})
    keyed = frame.assign(disclosure_group=groups, category=frame["category"].fillna(""))
    counted = counted.assign(category=counted["category"].fillna(""))[[*names, "people", "members"]]
    found = keyed[names].merge(counted, on=names, how="left").set_index(frame.index)
    return frame.assign(people=found["people"], members=found["members"])
