"""The result of one load, as counts and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LoadResult:
    """Counts of one load. ``fetched = new + changed + unchanged + repeated + quarantined``.

    ``lost_cells`` counts quarantined cells of rows that were kept without them. ``stored`` counts the entity's rows in
    its table afterwards, ``corrected`` those corrections changed. ``waiting`` lists place and reason of every
    row and cell of the entity still in quarantine, ``usage`` the cost of the load, ``warnings`` what the source reports
    as needing attention.
    """

    load_id: str
    table: str
    fetched: int
    new: int
    changed: int
    unchanged: int
    repeated: int
    quarantined: int
    deleted: int
    expected: int | None
    lost_cells: int = 0
    stored: int = 0
    corrected: int = 0
    notes: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    usage: Mapping[str, int | str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The load in one line for the MEL lead."""
        parts = [f"{self.fetched:,} rows read", f"{self.new:,} new", f"{self.changed:,} changed"]
        if self.deleted:
            parts.append(f"{self.deleted:,} deleted at the source")
        if self.corrected:
            parts.append(f"{self.corrected:,} corrected")
        if self.repeated:
            parts.append(f"{self.repeated:,} duplicate{'s' if self.repeated != 1 else ''}")
        parts.append(f"{self.quarantined:,} quarantined")
        if self.lost_cells:
            parts.append(f"{self.lost_cells:,} {'cell' if self.lost_cells == 1 else 'cells'} left empty")
        return ", ".join(parts) + "."
