"""Read attendance lists from a drop folder. What a list means is in parse.py; nothing is moved or deleted."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from mel_pipeline.core.contracts import EntityContract, fingerprint_of
from mel_pipeline.core.disk_trouble import NO_SPACE, says_full_disk
from mel_pipeline.core.errors import MelError, NotSetUpError, PermanentSourceError, SettingsError, place_of
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.attendance_lists import words
from mel_pipeline.sources.attendance_lists.known import Known, gone, renamed, withdrawn
from mel_pipeline.sources.attendance_lists.parse import Listed, Stay, read_list
from mel_pipeline.sources.attendance_lists.sheet import EmptyListError
from mel_pipeline.sources.attendance_lists.withdrawn import withdrawn as names_withdrawn
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull, Rejected, frame_of
from mel_pipeline.sources.shared.dates import Order, declared_order
from mel_pipeline.sources.shared.files import (
    SETTLE_SECONDS,
    DropFile,
    FileRefusedError,
    files_in,
    open_sections,
    other_entries,
    readable_files,
    unpacked,
)
from mel_pipeline.sources.shared.survey.personal import without_personal

TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"}
ENDINGS = {*TABLES, ".zip"}
_READING = 2  # raised when lists are read otherwise, so that those still in the folder are read again


def open(settings: Settings, settle_seconds: float = SETTLE_SECONDS) -> AttendanceLists:
    """The drop folder.

    Raises:
        NotSetUpError: there is no folder and none is set: the organisation has no lists.
        SettingsError: a setting is not one of its values.
    """
    options = settings.source("attendance_lists")
    folder = settings.attendance_folder
    if settings.attendance_dir is None and not folder.is_dir():
        raise NotSetUpError(f"Attendance lists are not set up, as there is no folder {folder}: skipped.")
    fallback = options.text("fallback_encoding")
    try:
        codecs.lookup(fallback or "utf-8")
    except LookupError:
        raise SettingsError(
            f"{options.variable('fallback_encoding')} is not a known encoding. Western Windows files are in cp1252."
        ) from None
    order = declared_order(options.text("date_order"), options.variable("date_order"))
    return AttendanceLists(folder, fallback or None, order, settle_seconds)


def dropped_lists(folder: Path) -> list[DropFile]:
    """The files in a folder and in the folders directly in it, oldest first. Those are named with their folder.

    Addresses are taken out of names here, so that none gets further: a cursor, a message, a column.
    """
    found = files_in(folder, ENDINGS)
    for inner in _folders_in(folder):
        found += [replace(file, label=f"{inner.name}/{file.name}") for file in files_in(inner, ENDINGS)]
    times: Counter[str] = Counter()
    named = []
    for file in sorted(found, key=lambda file: file.name):
        name = without_personal(file.name)
        times[name] += 1
        named.append(replace(file, label=name if times[name] == 1 else f"{name} ({times[name]})"))
    return sorted(named, key=lambda file: (file.modified_ns, file.name))


def _folders_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in ".~")


class AttendanceLists(Client):
    """The drop folder as a source. A file of the same name replaces what it held before."""

    source = "attendance_lists"

    def __init__(
        self,
        folder: Path,
        fallback: str | None = None,
        order: Order | None = None,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._folder, self._fallback, self._order = folder, fallback, order
        self._settle = settle_seconds

    def within(self, folder: Path) -> AttendanceLists:
        """The same settings over another folder."""
        return AttendanceLists(folder, self._fallback, self._order, self._settle)

    def _attendance_load(self, load: Load) -> Pull:
        """Lists that are new or have changed, oldest first."""
        contract = load.contract
        rules = json.dumps([_READING, fingerprint_of(contract), self._fallback, self._order])
        known = Known.of(load.cursor, rules)

        def batches() -> Iterator[Batch]:
            files, refused = self._files()
            for name, reason in refused.items():
                yield _refused(name, reason, contract)
            new = []
            for file in files:
                stamp = f"{file.digest}:{file.size}"
                if known.files.get(file.name) != stamp:
                    new.append(file.name)
                    yield from self._read(file, contract, known, stamp)
            present = {file.name for file in files} | refused.keys()
            yield from renamed(known, new, present, contract)
            yield from withdrawn(known, names_withdrawn(self._folder), present, contract)
            known.said = [*self._others(), *gone(known, files, refused)]

        return Pull(
            batches(),
            known.stored,
            warnings=lambda: [*known.said, *(words for said in known.warnings.values() for words in said)],
        )

    def _files(self) -> tuple[list[DropFile], dict[str, str]]:
        """Files no longer being written in the folder and in folders directly in it, oldest first."""
        if not self._folder.is_dir():
            raise PermanentSourceError(
                f"Attendance lists: there is no folder {self._folder}. Create it, or correct MEL_ATTENDANCE_DIR."
            )
        return readable_files(file for file in dropped_lists(self._folder) if file.is_settled(self._settle))

    def _others(self) -> list[str]:
        """A warning about what is in the folder and is not read."""
        folders = _folders_in(self._folder)
        inside = {folder.name for folder in folders}
        others = [name for name in other_entries(self._folder, ENDINGS) if name not in inside]
        for folder in folders:
            others += [f"{folder.name}/{name}" for name in other_entries(folder, ENDINGS)]
        if not others:
            return []
        return [
            f"Not read in the folder of attendance lists: {', '.join(others)}. Only CSV, XLSX, XLS, ODS and zip files are,"
            " in it or in a folder of an event directly in it. Export or move them so, or remove them."
        ]

    def _read(self, file: DropFile, contract: EntityContract, known: Known, stamp: str) -> Iterator[Batch]:
        """The lists in a file. If one is in trouble what it held before still counts, and the next load tries again."""
        told: list[str] = []
        whole = True
        try:
            with unpacked(file, TABLES) as (tables, others):
                told += [f"{name}: {why}" for name, why in others.items()]
                for table in tables:
                    for batch in self._lists(table, contract, known, told):
                        whole = whole and not any(row.row_key is None for row in batch.rejected)
                        yield batch
        except Exception as error:
            whole = False
            yield _refused(file.name, _reason(error), contract)
        if whole:
            known.files[file.name] = stamp
        known.warnings.pop(file.name, None)
        if told:
            known.warnings[file.name] = told

    def _lists(
        self, table: DropFile, contract: EntityContract, known: Known, told: list[str]
    ) -> Iterator[Batch]:
        try:
            with open_sections(table, words.headers_in, self._fallback) as sheets:
                for sheet, rows in sheets.items():
                    name = without_personal(
                        table.name if len(sheets) == 1 else f"{table.name}, {sheet}"
                    )  # of a zip, too
                    try:
                        listed = read_list(rows, self._order)
                    except EmptyListError as error:
                        if not known.rows.get(name):
                            yield _refused(name, str(error), contract)
                            continue
                        listed = None
                    except FileRefusedError as error:
                        yield _refused(name, str(error), contract)
                        continue
                    yield _batch(name, listed, contract, known, told)
        except Exception as error:
            yield _refused(table.name, _reason(error), contract)

    loads: ClassVar = {"attendances": _attendance_load}


def _batch(
    name: str, listed: Listed | None, contract: EntityContract, known: Known, told: list[str]
) -> Batch:
    """The rows of a list; those of an earlier version that it no longer has are deleted."""
    before = known.rows.get(name, [])
    stays = listed.stays if listed else []
    rejected = listed.rejected if listed else {}
    now = [stay.row for stay in stays]
    gone = {f"{name}|{row}": None for row in sorted({*before} - {*now, *rejected})}
    known.rows[name] = now
    if before and not stays:
        told.append(f"{name}: nobody is on this list any more, so those it held before no longer count.")
    if listed is None:
        return Batch(frame_of([], contract), deleted=gone)
    note = f"{name}: {listed.tool}; {len(stays)} people in rows of their own"
    if listed.order_of_days != "certain":
        note += ", day and month could change places: the event decides"
    note += "".join(f", {count} left out ({reason})" for reason, count in sorted(listed.left_out.items()))
    return Batch(
        frame_of([_row(name, stay, listed) for stay in stays], contract),
        [
            Rejected(f"{name}, row {row}", f"{name}|{row}", None, f"{reason}.", "{}")
            for row, reason in rejected.items()
        ],
        deleted=gone,
        fetched=len(stays) + len(rejected),
        notes=[f"{note}."],
    )


def _row(name: str, stay: Stay, listed: Listed) -> dict[str, str | None]:
    other = stay.otherwise
    numbers = {
        "list_row": stay.row,
        "joined_second": stay.joined,
        "left_second": stay.left,
        "joined_second_otherwise": other.joined if other else None,
        "left_second_otherwise": other.left if other else None,
        "seconds": stay.seconds,
    }
    return {
        "list_name": name,
        "tool": listed.tool,
        "place_words": place_words(name),
        "event_code": stay.event_code,
        "event_title": stay.event_title,
        "held_on": stay.held_on,
        "held_on_otherwise": other.held_on if other else None,
        "order_of_days": listed.order_of_days,
        "person": stay.person,
        "role": stay.role,
        "gender": stay.gender,
        "gender_key": stay.gender_key,
        "gender_asked": "true" if listed.asks_gender else "false",
        **{column: None if number is None else str(number) for column, number in numbers.items()},
        "_source_ref": f"{name}, row {stay.row}",
    }


def place_words(name: str) -> str:
    """`2025/TRN-2025-Q1-01 list.xlsx` is `-2025-trn-2025-q1-01-list-xlsx-`."""
    return f"-{re.sub(r'[^a-z0-9]+', '-', normalize_text(name)).strip('-')}-"


def _refused(name: str, reason: str, contract: EntityContract) -> Batch:
    return Batch(frame_of([], contract), [Rejected(name, None, None, reason, "{}")], fetched=1)


def _reason(error: Exception) -> str:
    """Why a file was not read; of what nobody foresaw only the place, as its text may quote a name."""
    if isinstance(error, FileRefusedError | MelError):
        return str(error)
    if says_full_disk(str(error)):
        return NO_SPACE
    return (
        f"The file could not be read ({type(error).__name__} at {place_of(error)}). The other files load. Export it"
        " again, unchanged; if this stays, send this sentence to the maintainer of the connector."
    )
