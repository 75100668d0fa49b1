"""The states of a quarter: draft, checked, approved, published. Published figures never change; a new version follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import PublicationError
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import last_calculation
from mel_pipeline.publication.readiness import Obstacle, obstacles
from mel_pipeline.publication.release import Candidate, candidate
from mel_pipeline.publication.store import Entry

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.periods import Quarter
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse

DRAFT, CHECKED, APPROVED, PUBLISHED = "draft", "checked", "approved", "published"
RECALLED = "recalled"


@dataclass(frozen=True)
class QuarterStatus:
    """State of a quarter. ``version`` is that of the last publication, 0 before the first.

    ``figures``: digest of what would be published now; empty if the quarter is published.
    """

    quarter: str
    state: str
    version: int
    obstacles: tuple[Obstacle, ...] = ()
    open_restatements: int = 0
    figures: str = ""

    @property
    def sentence(self) -> str:
        published = f"published (version {self.version})"
        if self.state == PUBLISHED and not self.open_restatements:
            return f"{self.quarter} is {published}, and the data still give the same figures."
        if self.state == PUBLISHED:
            several = self.open_restatements != 1
            return (
                f"{self.quarter} is {published}; {self.open_restatements} published"
                f" figure{'s differ' if several else ' differs'} from what the data give now."
            )
        words = {
            DRAFT: f"{self.quarter} is a draft.",
            CHECKED: f"{self.quarter} is checked: nothing stands against publishing it.",
            APPROVED: f"{self.quarter} is approved and can be published.",
        }[self.state]
        return " ".join([words, *(obstacle.sentence for obstacle in self.obstacles)])


def quarter_status(warehouse: Warehouse, settings: Settings, quarter: Quarter) -> QuarterStatus:
    """Current state of a quarter: an approval is valid only for the figures that were approved."""
    from mel_pipeline.publication.restatement import open_cells

    entries = store.ledger(warehouse, str(quarter))
    published = [entry for entry in entries if entry.event == PUBLISHED]
    version = published[-1].version or 0 if published else 0
    differing = open_cells(warehouse, str(quarter)) if published else 0
    if published:
        return QuarterStatus(str(quarter), PUBLISHED, version, open_restatements=differing)
    against = tuple(obstacles(warehouse, settings, quarter))
    would_be = candidate(warehouse, settings, str(quarter))
    against = (*against, *exposures(would_be))
    figures = digest_of_frame(would_be.figures)
    events = {entry.event for entry in entries if entry.figures == figures}
    state = APPROVED if APPROVED in events else CHECKED if not against else DRAFT
    return QuarterStatus(str(quarter), state, version, against, figures=figures)


def check(warehouse: Warehouse, settings: Settings, quarter: Quarter) -> QuarterStatus:
    """State of a quarter; records once that it passed all checks."""
    found = quarter_status(warehouse, settings, quarter)
    if found.state == CHECKED:
        noted = {(old.event, old.figures) for old in store.ledger(warehouse, str(quarter))}
        if (CHECKED, found.figures) not in noted:
            entry = Entry(quarter=str(quarter), event=CHECKED, happened_at=utc_now(), figures=found.figures)
            _append(warehouse, entry)
    return found


def approve(
    warehouse: Warehouse,
    settings: Settings,
    quarter: Quarter,
    role: str,
    note: str,
    without: Mapping[str, str] | None = None,
    content: str = "",
    by: Person | None = None,
) -> Entry:
    """Approve the current figures.

    Args:
        role: of the approver, such as "Secretary General": never a person's name.
        without: missing sources, each with the reason why the quarter can be published without it.
        content: digest of what stands beside the figures: targets, definitions, texts.
        by: who is signed in; kept in the ledger alone.

    Raises:
        PublicationError: there are obstacles; the message lists them.
    """
    if not role.strip() or not note.strip():
        raise PublicationError(f"Approving {quarter}: give the approver's role and a note.")
    _refuse(quarter, obstacles(warehouse, settings, quarter, without))
    would_be = candidate(warehouse, settings, str(quarter))
    _refuse(quarter, exposures(would_be))
    figures = digest_of_frame(would_be.figures)
    entry = Entry(quarter=str(quarter), event=APPROVED, happened_at=utc_now(), figures=figures)
    answered = {"without": dict(without or {}), "content": content, **store.signed(by)}
    return _append(warehouse, replace(entry, role=role.strip(), note=note.strip(), details=answered))


def publish(
    warehouse: Warehouse, settings: Settings, quarter: Quarter, content: str = "", by: Person | None = None
) -> Entry:
    """Freeze the figures of a quarter (and of the year that it closes) as they were approved.

    A published quarter gets a new version if its figures, or the content beside them, have changed and the change was
    approved; the old version is kept.

    Args:
        content, by: as for ``approve``.

    Raises:
        PublicationError: not approved, changed since the approval, nothing new to publish, or a
            difference without a reason.
    """
    from mel_pipeline.publication import restatement
    from mel_pipeline.warehouse import tables
    from mel_pipeline.warehouse.migrating import ensure_tables

    current = candidate(warehouse, settings, str(quarter), audited=True)
    figures = digest_of_frame(current.figures)
    entries = store.ledger(warehouse, str(quarter))
    published = [place for place, entry in enumerate(entries) if entry.event == PUBLISHED]
    before = entries[published[-1]] if published else None
    since = entries[published[-1] + 1 :] if published else entries
    recalls = [place for place, entry in enumerate(since) if entry.event == RECALLED]
    # What was approved before a recall was approved in ignorance of its reason.
    approvals = [entry for entry in since[recalls[-1] + 1 if recalls else 0 :] if entry.event == APPROVED]
    is_same = not recalls and before is not None and content in ("", before.details.get("content", content))
    if before is not None and is_same and before.figures == figures:
        raise PublicationError(
            f"Publishing {quarter}: version {before.version} holds the same figures. Nothing to do."
        )
    _require_approved(quarter, approvals, figures, content)
    against = obstacles(warehouse, settings, quarter, approvals[-1].details.get("without"))
    _refuse(quarter, [*against, *exposures(current)])
    restatement.require_reasons(warehouse, str(quarter))
    version = (before.version or 0) + 1 if before else 1
    manifest = _manifest(warehouse, str(quarter))
    entry = Entry(
        quarter=str(quarter),
        event=PUBLISHED,
        happened_at=utc_now(),
        figures=figures,
        version=version,
        role=approvals[-1].role,
        note=approvals[-1].note,
        details=manifest
        | {name: value for name, value in approvals[-1].details.items() if name != store.BY}
        | restatement.kept_cells(current.kept, before, manifest["calculation"])
        | store.signed(by),
    )
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        rows = current.figures.assign(version=version)[["version", *tables.CELL_COLUMNS, *tables.QUALIFIERS]]
        connection.execute(sa.insert(tables.published_figures), _records(rows))
        if behind := _records(current.numbers.assign(quarter=str(quarter), version=version)):
            connection.execute(sa.insert(tables.protected_numbers), behind)
        restatement.close(connection, str(quarter))
        store.append(connection, entry)
    return entry


def _require_approved(quarter: Quarter, approvals: Sequence[Entry], figures: str, content: str) -> None:
    had = ""
    if not approvals:
        had = "it has not been approved"
    elif approvals[-1].figures != figures:
        had = "the figures have changed since they were approved"
    elif content and approvals[-1].details.get("content", content) not in ("", content):
        had = "targets, definitions or texts have changed since they were approved"
    if had:
        raise PublicationError(
            f"Publishing {quarter}: {had}. Approve the current figures, with a role and a note."
        )


def exposures(would_be: Candidate) -> list[Obstacle]:
    """What earlier editions withheld, or this one withholds, must not follow from both together."""
    if not would_be.exposes:
        return []
    listed = ", ".join(would_be.exposes)
    return [
        Obstacle(
            "exposes",
            f"Together with what was published before, its figures would give away withheld ones: {listed}. Talk to"
            " the person responsible for data protection.",
        )
    ]


def _refuse(quarter: Quarter, against: Sequence[Obstacle]) -> None:
    if against:
        raise PublicationError(
            f"Publishing {quarter}: not possible yet.\n" + "\n".join(f"- {item.sentence}" for item in against)
        )


def digest_of_frame(figures: pd.DataFrame) -> str:
    return store.digest_of(store.figures_text(figures))


def _append(warehouse: Warehouse, entry: Entry) -> Entry:
    from mel_pipeline.warehouse.migrating import ensure_tables

    with warehouse.transaction() as connection:
        ensure_tables(connection)
        store.append(connection, entry)
    return entry


def _manifest(warehouse: Warehouse, quarter: str) -> dict[str, Any]:
    """What a publication is based on: calculation, inputs by table, and every check with its outcome."""
    calculation = last_calculation(warehouse, quarter)
    return {
        "calculation": calculation.calculation_id,
        "definitions": calculation.definitions,
        "code_version": calculation.code_version,
        "inputs": _inputs(warehouse),
        "checks": _checks(warehouse, quarter),
    }


def _inputs(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """Raw table → rows and digest of their keys and versions, and the load that wrote last."""
    found = {}
    for table in sorted(name for name in warehouse.tables() if name.startswith("raw_")):
        if table.endswith(("_history", "_staged")) or "_row_key" not in warehouse.columns(table):
            continue
        row = warehouse.read(
            "select count(*) as n, max(_loaded_at) as last,"  # noqa: S608 - contracts name tables
            " md5(coalesce(string_agg(concat_ws('|', _row_key, _load_id, _is_deleted), ',' order by _row_key, _load_id),"
            f" '')) as digest from {table}"
        ).iloc[0]
        last = None if row["n"] == 0 else str(row["last"])
        found[table] = {"rows": int(row["n"]), "last_loaded_at": last, "digest": str(row["digest"])}
    return found


def _checks(warehouse: Warehouse, quarter: str) -> list[dict[str, Any]]:
    if not warehouse.has_table("quality_result"):
        return []
    rows = warehouse.read(
        "select asset, check_name, dimension, severity, passed, sentence from quality_result"
        " where quarter is null or quarter = :quarter order by asset, check_name",
        {"quarter": quarter},
    )
    return _records(rows)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
