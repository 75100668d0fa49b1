"""What an upload would change, before anything counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ContractError
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.merge import Merged, given_of, merge
from mel_pipeline.sources.workbook.model import Change, Given, Preview, Refused, Row, Upload, Version
from mel_pipeline.sources.workbook.named_persons import doubts
from mel_pipeline.sources.workbook.rules import RULES, english
from mel_pipeline.sources.workbook.sheets import ID, Sheet, sheets
from mel_pipeline.sources.workbook.texts import texts_in

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

Checks = Mapping[str, Callable[[Row], Sequence[str]]]


def preview(settings: Settings, upload: Upload, checks: Checks | None = None) -> Preview:
    """Compare an upload with the version it was downloaded as, and with the current one.

    Args:
        checks: by sheet, what is wrong with a row in words, for rules that need packages above this one. A sentence
            may begin with the key of its column and a colon: ``indicator: there is no MEM-99``.

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
    titles = texts_in("en")
    warnings_of_names = [
        f"{upload.titles.get(name, titles.title(name))}, {words}"
        for name, one in merged.items()
        for words in doubts(name, [change.after for change in (*one.new, *one.changed) if change.after])
    ]
    absent = [upload.titles.get(name, titles.title(name)) for name in upload.absent]
    warnings = [*upload.warnings, *(words for one in merged.values() for words in one.warnings)]
    warnings += warnings_of_names
    if absent:
        warnings.append(f"Not in the workbook, and left as they are: {', '.join(absent)}.")
    return Preview(
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


def _base(settings: Settings, upload: Upload) -> Version:
    again = "Download the current form, copy your rows into it, and upload that."
    if upload.base_id is None:
        raise ContractError(
            f"Comparing the workbook: it does not say which version it was downloaded as. {again}"
        )
    found = versions.version(settings, upload.base_id)
    if found is None:
        raise ContractError(
            f"Comparing the workbook: it was downloaded as version {upload.base_id}, which is not known here. {again}"
        )
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
                why = f"{value} has {counts[value]:,} rows, and at most {most} fit. Remove one"
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
            Refused(title, one.cell(key), row.get(key or "") or "", why, sheet.name, one)
            for key, why in wrong
        ]
    return found


def _of_column(sheet: Sheet, words: str) -> tuple[str | None, str]:
    """The column that a sentence begins with, if it does, and the rest."""
    key, colon, rest = words.partition(": ")
    return (key, rest) if colon and key in sheet.keys else (None, words)
