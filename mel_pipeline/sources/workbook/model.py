"""What passes between the form, its reader, the merge and the versions. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mel_pipeline.sources.workbook.said import said_in

Row = Mapping[str, "str | None"]  # "id" and the sheet's columns; values as in the raw table, None where empty
Rows = Mapping[str, Sequence[Row]]  # by sheet
Signed = Mapping[str, Mapping[str, str]]  # number of a duty's row → quarter → digest of the figures signed


@dataclass(frozen=True)
class Version:
    """What is stated, as accepted at one time. Number 0 is the start, which nobody accepted.

    ``id`` is a digest of number, base and rows; ``rows`` has every sheet, sorted by the number of the row.
    ``next_numbers`` are those of the next new row of each sheet: a number is never used twice.
    """

    number: int
    id: str
    rows: Rows
    next_numbers: Mapping[str, int]
    base: str | None = None
    accepted_at: datetime | None = None  # UTC, without zone
    role: str = ""
    note: str = ""
    by: str = ""  # login of who accepted, where people sign in; not shown on pages
    file: str | None = None  # SHA-256 of the uploaded workbook
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # sheet → new, changed, removed
    imported: Mapping[str, str] = field(default_factory=dict)  # files of before → their SHA-256
    earlier: Mapping[str, Sequence[Row]] = field(
        default_factory=dict
    )  # target → rows it had before, with "until"
    signed: Signed = field(default_factory=dict)
    refused: Sequence[str] = ()  # "sheet: sentence" of what its upload had and was not accepted
    problems: Mapping[str, str] = field(
        default_factory=dict
    )  # of the start: why a file of before gave no rows
    kept: bool = False  # in MEL_HOME; a start that is not follows the organisation's files

    def reference(self, title: str, row: Row) -> str:
        """Where a row comes from: ``workbook v7, Targets, T-0012``."""
        return f"workbook v{self.number}, {title}, {row['id']}"


@dataclass(frozen=True)
class Proposal:
    """A row to be completed, which counts for nothing before. ``why`` stands beside it."""

    row: Row
    why: str = ""


@dataclass(frozen=True)
class Given:
    """A row of an uploaded sheet. ``row`` has only the columns that arrived; ``number`` is that of the spreadsheet."""

    row: Row
    number: int
    columns: Mapping[str, str] = field(default_factory=dict)  # key of a column → its letters

    def cell(self, key: str | None = None) -> str:
        """A cell as spreadsheets call it: that of the column, or the row's first."""
        letters = self.columns.get(key or "") or next(iter(self.columns.values()), "A")
        return f"{letters}{self.number}"


@dataclass(frozen=True)
class Refused:
    """A cell that cannot be read, or a row that may not stay so.

    ``sheet`` is the name of the tab as people see it, ``name`` the sheet of the contract, if it is known. ``found`` is
    what stands in the cell: for the person who wrote it, never for a log. ``row``: the row as far as it was read;
    None where a whole sheet is refused. ``column``: its key, where one cell is refused.
    """

    sheet: str
    cell: str
    found: str
    why: str
    name: str | None = None
    row: Given | None = None
    column: str | None = None

    @property
    def sentence(self) -> str:
        """Place and reason, without what stands there."""
        return self.within("en")

    def within(self, language: str) -> str:
        """The sentence in a language."""
        return f"{self.sheet}, {self.cell}: {said_in(self.why, language)}"


@dataclass(frozen=True)
class Upload:
    """A workbook as it came back.

    ``rows`` has the sheets that were found whole; ``absent`` the names of the others. ``columns``: those of each sheet
    that arrived; the others keep their values.
    """

    base_id: str | None
    rows: Mapping[str, Sequence[Given]]
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    refused: Sequence[Refused] = ()
    warnings: Sequence[str] = ()
    absent: Sequence[str] = ()
    titles: Mapping[str, str] = field(default_factory=dict)  # sheet → name of its tab
    language: str = "en"  # of the names of its tabs
    content: bytes = field(default=b"", repr=False)
    digest: str = ""  # SHA-256 of the file


@dataclass(frozen=True)
class Change:
    """A row that is new, changed or removed; ``before`` and ``after`` have all columns."""

    sheet: str
    id: str | None
    before: Row | None
    after: Row | None
    cell: str = ""

    @property
    def columns(self) -> list[str]:
        """Columns whose values differ."""
        before, after = self.before or {}, self.after or {}
        keys = dict.fromkeys([*before, *after])
        return [key for key in keys if key != "id" and before.get(key) != after.get(key)]


@dataclass(frozen=True)
class Conflict:
    """A row that was changed here and, since the download, elsewhere. The current one goes on counting."""

    sheet: str
    id: str | None
    base: Row | None
    current: Row | None
    uploaded: Row | None  # None: removed here
    cell: str = ""


@dataclass(frozen=True)
class Preview:
    """What an upload would change. Nothing counts before ``versions.accept``."""

    current: Version
    upload: Upload
    new: Sequence[Change]
    changed: Sequence[Change]
    removed: Sequence[Change]
    refused: Sequence[Refused]
    conflicts: Sequence[Conflict]
    unchanged: int
    warnings: Sequence[str] = ()
    needs_yes: Sequence[str] = ()  # sheets that would lose more than half of their rows

    @property
    def is_empty(self) -> bool:
        """Whether accepting it would change nothing."""
        return not (self.new or self.changed or self.removed)

    @property
    def sentence(self) -> str:
        """One line for the MEL lead."""
        counts = {
            "new": len(self.new),
            "changed": len(self.changed),
            "removed": len(self.removed),
            "unchanged": self.unchanged,
            "refused": len(self.refused),
            "changed in two places": len(self.conflicts),
        }
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        return f"Rows of the workbook beside version {self.current.number}: {told or 'none'}."
