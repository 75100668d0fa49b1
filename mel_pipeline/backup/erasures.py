"""Erasures as a list that travels apart from the backups: a restored one holds people erased since it was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mel_pipeline.core.errors import BackupError
from mel_pipeline.core.secret_files import write_secret
from mel_pipeline.ingest.privacy.erasure import erase_pseudonym
from mel_pipeline.warehouse import Warehouse

FILE = "erasures.jsonl"


@dataclass(frozen=True)
class Erasure:
    """One who asked to be erased, as a pseudonym or the key of an answer. ``erased_at``: UTC, as text."""

    person: str
    source: str
    erased_at: str
    reason: str


def known_in(warehouse: Warehouse) -> list[Erasure]:
    """Erasures that the warehouse has recorded."""
    if not warehouse.has_table("erasure"):
        return []
    rows = warehouse.records(
        "select person, source, erased_at, reason from erasure order by erased_at, person"
    )
    return [Erasure(row["person"], row["source"], _text(row["erased_at"]), row["reason"]) for row in rows]


def listed(folder: Path) -> list[Erasure]:
    """The list beside the backups; empty without one.

    Raises:
        BackupError: it cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        return []
    try:
        return [Erasure(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError, TypeError):
        raise BackupError(
            f"Reading {path}: it is damaged. Restore this one file from a copy: without it people who asked to be erased"
            " would be back."
        ) from None


def note(warehouse: Warehouse, folder: Path) -> int:
    """Add what the warehouse knows to the list; nobody on it is ever removed. Returns its length."""
    known = {one.person: one for one in listed(folder)}
    for one in known_in(warehouse):
        if one.person not in known or one.erased_at > known[one.person].erased_at:
            known[one.person] = one
    ordered = sorted(known.values(), key=lambda one: (one.erased_at, one.person))
    write_secret(
        folder / FILE, "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in ordered)
    )
    return len(ordered)


def apply(warehouse: Warehouse, erasures: Sequence[Erasure]) -> list[Erasure]:
    """Erase those whom the warehouse does not know as erased, or who were erased again later; returns them."""
    known = {one.person: one.erased_at for one in known_in(warehouse)}
    due = [one for one in erasures if known.get(one.person, "") < one.erased_at]
    for one in due:
        erase_pseudonym(warehouse, one.source, one.person, one.reason)
    return due


def _text(moment: object) -> str:
    return moment.isoformat(sep=" ", timespec="seconds") if isinstance(moment, datetime) else str(moment)
