"""What an upload would change, before anything counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ContractError
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.merge import Merged, given_of, merge
from mel_pipeline.sources.workbook.model import Change, Given, Preview, Refused, Row, Upload, Version
from mel_pipeline.sources.workbook.rules import RULES, english
from mel_pipeline.sources.workbook.said import Name, Said
from mel_pipeline.sources.workbook.sheets import ID, Sheet, sheets

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

Words = str | tuple[str, str]  # a sentence; with the key of the column it is about
Checks = Mapping[str, Callable[[Row], Sequence[Words]]]
Works = Callable[[Version], str]  # why no report could be made with a version; empty: it can
FIRST, LAST = 0, 2  # what others need is added before them, and removed after them


def preview(
    settings: Settings,
    upload: Upload,
    checks: Checks | None = None,
    *,
    notes: Checks | None = None,
    works: Works | None = None,
) -> Preview:
    """Compare an upload with the version it was downloaded as, and with the current one.

    Args:
        checks: by sheet, what is wrong with a row in words, for rules that need packages above this one. A sentence
            may begin with the key of its column and a colon: ``indicator: there is no MEM-99``.
        notes: the same for what is accepted and still deserves a look.
        works: judges the version as it would become; the rows that break it are refused.

    Raises:
        ContractError: the workbook has no version, or one that is not known here.
    """
    current = versions.current(settings)
    base = _base(settings, upload)
    merged = {
        name: _merged(sheet, base, current, upload, checks or {})
        for name, sheet in sheets().items()
        if name in upload.rows
    }
    whole = [one for one in upload.refused if one.row is None]
    warnings = [*upload.warnings, *(words for one in merged.values() for words in one.warnings)]
    if upload.absent:
        warnings.append(Said("absent", sheets=[Name(name) for name in upload.absent]))
    found = Preview(
        current=current,
        upload=upload,
        new=[change for one in merged.values() for change in one.new],
        changed=[change for one in merged.values() for change in one.changed],
        removed=[change for one in merged.values() for change in one.removed],
        refused=[*whole, *(refused for one in merged.values() for refused in one.refused)],
        conflicts=[conflict for one in merged.values() for conflict in one.conflicts],
        unchanged=sum(len(one.unchanged) for one in merged.values()),
        warnings=warnings,
        needs_yes=[upload.titles.get(name, name) for name, one in merged.items() if one.needs_yes],
    )
    if works:
        found = _working(found, works)
    return replace(found, warnings=[*found.warnings, *_noted(found, notes or {})])


def _working(found: Preview, works: Works) -> Preview:
    """Without the changes that would stop every run: what one sheet states may contradict another."""
    if works(found.current):
        return found  # it is broken as it is; none of these changes did it
    while why := works(versions.after(found)):
        changes = _ordered(found)
        well, broken = 0, len(changes)  # so many of the first changes work, so many do not
        while broken - well > 1:
            middle = (well + broken) // 2
            if said := works(versions.after(_only(found, changes[:middle]))):
                broken, why = middle, said
            else:
                well = middle
        culprit = changes[broken - 1]
        title = found.upload.titles.get(culprit.sheet, culprit.sheet)
        row = given_of(culprit) if culprit.cell else None
        refused = Refused(
            title, culprit.cell or culprit.id or "", "", Said("breaks", why=why), culprit.sheet, row
        )
        found = replace(
            _only(found, [one for one in changes if one is not culprit]), refused=[*found.refused, refused]
        )
    return found


def _ordered(found: Preview) -> list[Change]:
    def place(change: Change) -> int:
        defines = change.sheet == "manual_indicators"
        return (LAST if change.after is None else FIRST) if defines else 1

    return sorted([*found.removed, *found.changed, *found.new], key=place)


def _only(found: Preview, changes: Sequence[Change]) -> Preview:
    kept = {id(change) for change in changes}

    def among(those: Sequence[Change]) -> list[Change]:
        return [one for one in those if id(one) in kept]

    return replace(found, new=among(found.new), changed=among(found.changed), removed=among(found.removed))


def _noted(found: Preview, notes: Checks) -> list[Said]:
    """What is accepted and still deserves a look, with its cell."""
    said = []
    for change in (*found.new, *found.changed):
        if (check := notes.get(change.sheet)) is None:
            continue
        given = next(one for one in found.upload.rows[change.sheet] if one.cell() == change.cell)
        for words in check(change.after or {}):
            key, why = _of_column(sheets()[change.sheet], words)
            title = found.upload.titles.get(change.sheet, change.sheet)
            said.append(Said("note_at", sheet=title, cell=given.cell(key), words=why))
    return said


def _base(settings: Settings, upload: Upload) -> Version:
    again = Said("again_whole")
    if upload.base_id is None:
        raise ContractError(Said("no_version", again=again))
    found = versions.version(settings, upload.base_id)
    if found is None:
        raise ContractError(Said("unknown_version", id=upload.base_id, again=again))
    return found


def _merged(sheet: Sheet, base: Version, current: Version, upload: Upload, checks: Checks) -> Merged:
    title = upload.titles.get(sheet.name, sheet.name)
    unread = [one for one in upload.refused if one.name == sheet.name and one.row is not None]
    columns = upload.columns.get(sheet.name)
    given = list(upload.rows[sheet.name])
    before = base.rows[sheet.name], current.rows[sheet.name]
    held: list[Refused] = []
    while True:
        # What breaks a rule is refused like a cell that cannot be read, and the rest is merged without it.
        done = merge(sheet, *before, given, columns=columns, refused=[*unread, *held], title=title)
        wrong = _wrong(sheet, [*done.changed, *done.new], given, title, checks) or _too_many(
            sheet, done, current, title
        )
        if not wrong:
            done.refused = [*unread, *held, *done.refused]
            return done
        held += wrong
        bad = {one.row.number for one in wrong if one.row}
        given = [one for one in given if one.number not in bad]


def _too_many(sheet: Sheet, done: Merged, current: Version, title: str) -> list[Refused]:
    """Rows that a report has no place for: the last of them."""
    going = {change.id for change in (*done.changed, *done.removed)}
    after = [row for row in current.rows[sheet.name] if row[ID] not in going]
    after += [change.after or {} for change in (*done.changed, *done.new)]
    for column, most in sheet.most_by.items():
        counts = Counter(row.get(column) for row in after)
        for change in (*reversed(done.new), *reversed(done.changed)):
            value = (change.after or {}).get(column)
            if counts[value] > most and (change.before or {}).get(column) != value:
                why = Said("too_many", value=value, count=counts[value], most=most)
                return [Refused(title, change.cell, "", why, sheet.name, given_of(change))]
    return []


def _wrong(
    sheet: Sheet, changes: Sequence[Change], given: Sequence[Given], title: str, checks: Checks
) -> list[Refused]:
    """New and changed rows that break a rule."""
    rows = {one.cell(): one for one in given}
    check, rule = checks.get(sheet.name), RULES.get(sheet.name)
    found = []
    for change in changes:
        row, one = change.after or {}, rows[change.cell]
        wrong: list[tuple[str | None, str]] = [*(rule(row) if rule else ()), *english(sheet, row)]
        if check and not wrong:
            wrong = [_of_column(sheet, words) for words in check(row)]
        found += [
            Refused(title, one.cell(key), row.get(key or "") or "", why, sheet.name, one, key)
            for key, why in wrong
        ]
    return found


def _of_column(sheet: Sheet, words: Words) -> tuple[str | None, str]:
    """The column that a sentence is about, if it says one, and the sentence."""
    if not isinstance(words, str):
        return words
    key, colon, rest = words.partition(": ")
    return (key, rest) if colon and key in sheet.keys else (None, words)
