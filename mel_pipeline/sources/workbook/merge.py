"""Three-way merge of one sheet: the version it was downloaded as, the current one, and what came back. Pure.

A row is who its number says. Without a number, the columns of the sheet's key say it. What differs here and, since the
download, elsewhere is a conflict: neither wins, and the current row goes on counting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.workbook.model import Change, Conflict, Given, Refused, Row
from mel_pipeline.sources.workbook.said import Name, Said
from mel_pipeline.sources.workbook.sheets import ID

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.sheets import Sheet

MANY = 10  # rows from which losing more than half of them needs an explicit yes
Key = tuple[str, ...]


@dataclass
class Merged:
    """The outcome for one sheet. Every given row is in exactly one of new, changed, unchanged, refused, conflicts."""

    new: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    unchanged: list[Given] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    needs_yes: bool = False


def merge(
    sheet: Sheet,
    base: Sequence[Row],
    current: Sequence[Row],
    given: Sequence[Given],
    *,
    columns: frozenset[str] | None = None,
    refused: Iterable[Refused] = (),
    title: str = "",
) -> Merged:
    """What a sheet that came back would change.

    Args:
        base: the rows of the version it was downloaded as.
        current: the rows that count now.
        given: the rows that could be read.
        columns: those that arrived; the others keep their values. None: all.
        refused: rows that could not be read; they stay as they are.
        title: name of the tab, for sentences.
    """
    return _Merge(sheet, base, current, columns, title or sheet.name).run(given, list(refused))


def key_of(sheet: Sheet, row: Row) -> Key:
    """What tells a row from another where the number is missing."""
    return tuple(normalize_text(row.get(column) or "") or (row.get(column) or "") for column in sheet.key)


def given_of(change: Change) -> Given:
    """The row of a change, with its number in the spreadsheet."""
    return Given(change.after or {}, int("".join(one for one in change.cell if one.isdigit()) or 0))


class _Merge:
    """The merge of one sheet."""

    def __init__(
        self,
        sheet: Sheet,
        base: Sequence[Row],
        current: Sequence[Row],
        columns: frozenset[str] | None,
        title: str,
    ) -> None:
        self._sheet, self._title = sheet, title
        self._base = {str(row[ID]): row for row in base}
        self._current = {str(row[ID]): row for row in current}
        self._columns = [key for key in sheet.keys if columns is None or key in columns]
        self._is_partial = len(self._columns) < len(sheet.keys)
        self._done = Merged()

    def run(self, given: Sequence[Given], refused: Sequence[Refused]) -> Merged:
        held, vague = self._held(refused)
        by_id = self._identified(given, held)
        for number, one in by_id.items():
            self._known(number, one)
        self._gone({*by_id, *held}, vague=vague)
        self._require_unlike()
        return self._done

    def _held(self, refused: Sequence[Refused]) -> tuple[set[str], bool]:
        """Numbers of rows that could not be read, and whether some of them cannot be told from others."""
        held: set[str] = set()
        vague = False
        by_key = {key_of(self._sheet, row): number for number, row in self._base.items()}
        for one in refused:
            if one.row is None:
                continue
            number = one.row.row.get(ID)
            if number in self._base:
                held.add(str(number))
            elif found := by_key.get(key_of(self._sheet, one.row.row)):
                held.add(found)
            else:
                vague = True
        return held, vague

    def _identified(self, given: Sequence[Given], held: set[str]) -> dict[str, Given]:
        """Rows by number; what has none is new, or refused, and is noted so."""
        by_id: dict[str, list[Given]] = {}
        loose: list[Given] = []
        for one in given:
            number = one.row.get(ID)
            if number and number in self._base:
                by_id.setdefault(number, []).append(one)
            else:
                loose.append(one)
        found: dict[str, Given] = {}
        for number, those in by_id.items():
            loose += self._copies(number, those, found, is_held=number in held)
        keys = {key_of(self._sheet, row): number for number, row in self._base.items()}
        for one in loose:
            number = keys.get(self._key(one))
            if number is not None and number not in found and number not in held:
                found[number] = one
            else:
                self._new(one)
        return found

    def _copies(
        self, number: str, those: Sequence[Given], found: dict[str, Given], *, is_held: bool
    ) -> list[Given]:
        """Of rows with the same number, the one that is as it was; the others are copies, and new if they differ."""
        if len(those) == 1 and not is_held:
            found[number] = those[0]
            return []
        base = self._base[number]
        same = [one for one in those if self._full(one, base) == base]
        if not same:
            *others, last = (one.cell() for one in those)
            cells = Said("and", first=others, second=last)
            for one in those:
                self._refuse(one, Said("copies", cells=cells, number=number))
            if not is_held:
                found[number] = Given(base, 0)  # stays as it is, and is no row that was given
            return []
        if same:
            found[number] = same[0]
            self._done.unchanged += same[1:]
            if same[1:]:
                self._done.warnings.append(Said("there_twice", sheet=self._title, cell=same[1].cell()))
        return [one for one in those if one not in same]

    def _known(self, number: str, given: Given) -> None:
        """A row of the base: three-way."""
        base, current = self._base[number], self._current.get(number)
        row = self._full(given, base)
        is_row = given.number > 0
        if row in (base, current):
            self._done.unchanged += [given] if is_row else []
        elif current == base:
            self._done.changed.append(Change(self._sheet.name, number, current, row, given.cell()))
        elif current is not None and (joined := self._joined(base, current, row)) is not None:
            self._done.changed.append(Change(self._sheet.name, number, current, joined, given.cell()))
        else:
            self._done.conflicts.append(Conflict(self._sheet.name, number, base, current, row, given.cell()))

    def _new(self, given: Given) -> None:
        """A row that the base does not have; someone else may have added the same since."""
        row = self._full(given, {})
        if self._is_partial:
            missing = [
                Name(self._sheet.name, one.key)
                for one in self._sheet.columns
                if one.required and not row.get(one.key)
            ]
            if missing:
                self._refuse(given, Said("new_needs", columns=missing))
                return
        added = next(
            (
                one
                for number, one in self._current.items()
                if number not in self._base and key_of(self._sheet, one) == self._key(given)
            ),
            None,
        )
        if added is None:
            self._done.new.append(Change(self._sheet.name, None, None, row, given.cell()))
        elif {**row, ID: added[ID]} == added:
            self._done.unchanged.append(given)
        elif (joined := self._joined({}, added, row)) is not None:
            self._done.changed.append(Change(self._sheet.name, str(added[ID]), added, joined, given.cell()))
        else:
            self._done.conflicts.append(
                Conflict(self._sheet.name, str(added[ID]), None, added, row, given.cell())
            )

    def _joined(self, base: Row, current: Row, row: Row) -> Row | None:
        """Both changes of a row, where they are of different cells and the sheet allows it."""
        if not self._sheet.joins_cells:
            return None
        joined = {ID: current[ID]}
        for key in self._sheet.keys:
            was, now, given = base.get(key), current.get(key), row.get(key)
            if was not in (now, given) and now != given:
                return None
            joined[key] = now if given == was else given
        return joined

    def _gone(self, there: set[str], *, vague: bool) -> None:
        """Rows of the base that did not come back."""
        gone = [number for number in self._base if number not in there]
        if gone and vague:
            self._done.warnings.append(Said("gone_vague", sheet=self._title, count=len(gone)))
            return
        for number in gone:
            base, current = self._base[number], self._current.get(number)
            if current is None:
                continue
            if current == base:
                self._done.removed.append(Change(self._sheet.name, number, current, None))
            else:
                self._done.conflicts.append(Conflict(self._sheet.name, number, base, current, None))
        self._done.needs_yes = len(self._current) >= MANY and 2 * len(self._done.removed) > len(self._current)

    def _require_unlike(self) -> None:
        """Refuse new and changed rows that say again what another row says. One that is refused stays as it was."""
        while (found := self._alike()) is not None:
            changes, change, other = found
            changes.remove(change)
            why = Said("same_as", other=other)
            self._done.refused.append(
                Refused(self._title, change.cell, "", why, self._sheet.name, given_of(change))
            )

    def _alike(self) -> tuple[list[Change], Change, str] | None:
        """The first change that says what another row says: its list, itself, and the other row."""
        going = {change.id for change in (*self._done.changed, *self._done.removed)}
        taken: dict[Key, str] = {
            key_of(self._sheet, row): number for number, row in self._current.items() if number not in going
        }
        for changes in (self._done.changed, self._done.new):
            for change in sorted(changes, key=lambda one: not self._kept_its_key(one)):
                key = key_of(self._sheet, change.after or {})
                other = taken.get(key)
                if other and not (self._kept_its_key(change) and self._said_already(other, key)):
                    return changes, change, other
                taken[key] = change.id or change.cell
        return None

    def _kept_its_key(self, change: Change) -> bool:
        was, now = change.before, change.after
        return was is not None and key_of(self._sheet, was) == key_of(self._sheet, now or {})

    def _said_already(self, number: str, key: Key) -> bool:
        """Whether a row that counts says this, so that two which always said the same stay."""
        row = self._current.get(number)
        return row is not None and key_of(self._sheet, row) == key

    def _key(self, given: Given) -> Key:
        return key_of(self._sheet, given.row)

    def _full(self, given: Given, base: Mapping[str, str | None]) -> dict[str, str | None]:
        """The row with all columns; those that did not arrive as in the base."""
        kept = {key: base.get(key) for key in self._sheet.keys if key not in self._columns}
        arrived = {key: given.row.get(key) for key in self._columns}
        full = {key: {**kept, **arrived}[key] for key in self._sheet.keys}
        return {ID: base[ID], **full} if base.get(ID) else full

    def _refuse(self, given: Given, why: str) -> None:
        self._done.refused.append(Refused(self._title, given.cell(), "", why, self._sheet.name, given))
