"""From calculated to public figures: small groups withheld, published ones as published.

Every output reads the table ``released_figures``; only this package reads the figures behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.publication.calculations import FIGURES
from mel_pipeline.publication.restatement import HELD, KEY, ledger_rows
from mel_pipeline.publication.sensitivity import sensitivities
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import CELL_COLUMNS, released_figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.disclosure import Sensitivity
    from mel_pipeline.warehouse import Warehouse

PEOPLE = "disclosure_people"


@dataclass(frozen=True)
class Released:
    """Number of figures released and withheld, and those that can no longer be protected."""

    figures: int
    withheld: int
    unprotected: tuple[str, ...]


def release(warehouse: Warehouse, settings: Settings) -> Released:
    """Rewrite ``released_figures`` for every calculated quarter."""
    frame, unprotected = _protected(warehouse, settings)
    frame = with_intervals(frame, settings).sort_values([*KEY, "category"], na_position="first")
    plain = frame.astype(object).where(frame.notna(), None).to_dict("records")
    rows = [{str(name): value for name, value in row.items()} for row in plain]
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        connection.execute(sa.delete(released_figures))
        if rows:
            connection.execute(sa.insert(released_figures), rows)
    return Released(len(frame), int((frame["status"] == "suppressed").sum()), tuple(unprotected))


def with_intervals(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Add ``low`` and ``high`` to shares based on survey answers (Wilson, 95 %)."""
    import pandas as pd

    from mel_pipeline.core.statistics import wilson
    from mel_pipeline.transform.catalogue import load_catalogue

    rules = {item.id: item.interval for item in load_catalogue(settings.sql_dir).indicators if item.interval}
    invited = {
        (row["indicator_id"], row["period"], row["disaggregation"]): row["denominator"]
        for row in frame[frame["status"] == "ok"].to_dict("records")
    }
    lows: list[float | None] = []
    highs: list[float | None] = []
    for row in frame.to_dict("records"):
        rule = rules.get(row["indicator_id"])
        if rule is None or row["status"] != "ok":
            lows.append(None)
            highs.append(None)
            continue
        population = invited.get((rule.population, row["period"], row["disaggregation"]))
        known = population if population is not None and population >= row["denominator"] else None
        found = wilson(row["numerator"], row["denominator"], known)
        lows.append(found.low)
        highs.append(found.high)
    return frame.assign(
        low=pd.Series(lows, index=frame.index, dtype="float64"),
        high=pd.Series(highs, index=frame.index, dtype="float64"),
    )


def protected_now(warehouse: Warehouse, settings: Settings, quarter: str) -> pd.DataFrame:
    """The figures of a quarter as they would be published now; other published quarters are unchanged.

    A figure that differs from the published one by too few people to be shown keeps the published value.
    """
    frame, _ = _protected(warehouse, settings, republish=quarter)
    mine = frame[frame["quarter"] == quarter]
    held = {
        tuple(row[name] for name in KEY) for row in ledger_rows(warehouse, quarter) if row["state"] == HELD
    }
    if not held:
        return mine
    old = _published(warehouse)
    old = old[old["quarter"] == quarter]
    import pandas as pd

    keep = [tuple(row) not in held for row in mine[KEY].itertuples(index=False)]
    stay = [tuple(row) in held for row in old[KEY].itertuples(index=False)]
    return pd.concat([mine[keep], old[stay]], ignore_index=True)


def _protected(
    warehouse: Warehouse, settings: Settings, republish: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """All figures: published ones as published (except for the quarter being republished), the others protected."""
    import pandas as pd

    from mel_pipeline.publication.disclosure import protect

    current = warehouse.read(f"select * from {FIGURES}")[list(CELL_COLUMNS)]  # noqa: S608
    published = _published(warehouse)
    as_published = published[published["quarter"] != republish] if republish else published
    current = current[~current["quarter"].isin(as_published["quarter"])].assign(version=None)
    together = pd.concat([as_published, current], ignore_index=True) if len(as_published) else current
    frozen = {
        tuple(row)
        for row in as_published.loc[as_published["status"] != "suppressed", KEY].itertuples(index=False)
    }
    withheld = {
        tuple(row) for row in published.loc[published["status"] == "suppressed", KEY].itertuples(index=False)
    }
    rules = sensitivities(settings)
    done = protect(
        with_people(together, warehouse, rules),
        rules,
        min_cell=settings.min_cell,
        frozen=frozen,
        withheld=withheld,
    )
    return done.frame[[*CELL_COLUMNS, "version"]], done.unprotected


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


def _published(warehouse: Warehouse) -> pd.DataFrame:
    """The last version of every published quarter."""
    import pandas as pd

    if not warehouse.has_table("published_figures"):
        return pd.DataFrame(columns=[*CELL_COLUMNS, "version"])
    return warehouse.read(
        "select p.* from published_figures p join (select quarter, max(version) as version from published_figures"
        " group by quarter) l on l.quarter = p.quarter and l.version = p.version"
    )[[*CELL_COLUMNS, "version"]]
