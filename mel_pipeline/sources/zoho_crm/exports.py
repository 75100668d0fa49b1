"""Zoho CRM without its API: manual exports from a drop folder. Nothing there is moved or deleted.

export_files.py decides which file counts, export_rows.py what a cell means.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract, SourceContract, contract_of, fingerprint_of
from mel_pipeline.core.errors import PermanentSourceError, SettingsError, TransientSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import EVERY, Batch, Client, Load, Pull, Rejected, frame_of
from mel_pipeline.sources.shared.files import (
    SETTLE_SECONDS,
    DropFile,
    FileRefusedError,
    files_in,
    open_table,
    readable_files,
)
from mel_pipeline.sources.zoho_crm.export_files import (
    Export,
    FolderScan,
    Part,
    entity_from_name,
    exports_of,
    scan_folder,
)
from mel_pipeline.sources.zoho_crm.export_rows import NameIndex, RowReader, index_names, name_columns
from mel_pipeline.sources.zoho_crm.mapping import EntityMapping, Mapping, mapping_for

BATCH_ROWS = 10_000
# From .xlsm on they are refused, each with its own message.
ENDINGS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".zip"})
MAX_NAMES_LISTED = 10  # in one note


def open(settings: Settings, settle_seconds: float = SETTLE_SECONDS) -> ExportFolder:
    """The folder that the settings name.

    Raises:
        SettingsError: they name none.
    """
    if settings.zoho_export_dir is None:
        raise SettingsError("MEL_ZOHO_EXPORT_DIR is empty. Set it to the folder of the CRM exports.")
    return ExportFolder(
        settings.zoho_export_dir,
        contract_of("zoho_crm"),
        mapping_for(settings),
        ZoneInfo(settings.time_zone),
        settle_seconds,
    )


@dataclass(frozen=True)
class ExportFolder(Client):
    """A folder of exports as a source. The newest export of a module counts as the whole module.

    The cursor is JSON: the SHA-256 of every file in the folder and the rules they were read under; and of
    the loaded export its files, columns and age. Nothing is read while the folder is unchanged.
    """

    source = "zoho_crm"

    folder: Path
    contract: SourceContract
    modules: Mapping
    zone: ZoneInfo  # of the exporting user; the files name none
    settle_seconds: float = SETTLE_SECONDS

    @property
    def known(self) -> SourceContract:
        return self.contract

    def _module_load(self, load: Load) -> Pull:
        """All rows of the newest export of the entity's module, if anything in the folder is new."""
        found = _Load(self, load.entity, load.cursor)
        return Pull(found.batches(), found.cursor, complete=lambda: found.complete)

    @property
    def rules(self) -> str:
        """Changes with the contract, the mapping or the time zone; then everything is read again."""
        parts = [fingerprint_of(entity) for entity in self.contract.entities.values()]
        parts += [mapping.model_dump_json() for mapping in self.modules.values()]
        return hashlib.sha256("\n".join([*parts, str(self.zone)]).encode()).hexdigest()[:12]

    loads: ClassVar = {EVERY: _module_load}


class _Load:
    """One load of one entity."""

    def __init__(self, source: ExportFolder, entity: str, cursor: str | None) -> None:
        self._source, self._entity = source, entity
        stored = json.loads(cursor) if cursor else {}
        self._stored: dict[str, Any] = stored if "files" in stored else {}  # else it is the API's cursor
        self._new: dict[str, Any] | None = None
        self.complete = False

    @property
    def _contract(self) -> EntityContract:
        return self._source.contract.entities[self._entity]

    @property
    def _mapping(self) -> EntityMapping:
        return self._source.modules[self._entity]

    def cursor(self) -> str | None:
        return json.dumps(self._new) if self._new and self._new != self._stored else None

    def batches(self) -> Iterator[Batch]:
        files, unreadable, waiting = self._files()
        if waiting:
            yield self._note(f"{_join_names(waiting)}: still being written; the next run reads the folder.")
            return
        seen = {
            "files": sorted(file.digest for file in files) + sorted(unreadable),
            "rules": self._source.rules,
        }
        if all(self._stored.get(name) == value for name, value in seen.items()):
            return
        scan = scan_folder(files, unreadable, self._source.contract, self._source.modules)
        refused = scan.refused.get(self._entity, {})
        exports = self._exports(scan, self._entity, refused)
        newest = exports[-1] if exports else None
        if newest is None and not refused and not self._stored.get("export"):
            raise PermanentSourceError(
                f"Zoho CRM exports: {self._source.folder} has no export of {self._mapping.module}."
                " Export all records of the module and put the file there."
            )
        yield from self._skipped_notes(scan, exports)
        if newest is not None and self._may_load(newest, refused):
            yield from self._rows(newest, scan)
            self.complete = True
            self._new = seen | {
                "export": newest.digests,
                "moment": list(newest.moment),
                "columns": sorted(newest.parts[0].columns.places),
            }
        for name, reason in refused.items():
            yield Batch(frame_of([], self._contract), [Rejected(name, None, None, reason, "{}")], fetched=1)
        self._new = self._new or self._stored | seen

    def _files(self) -> tuple[list[DropFile], dict[str, str], list[str]]:
        """Files with distinct content, why some cannot be read, and those still being written."""
        if not self._source.folder.is_dir():
            raise PermanentSourceError(
                f"Zoho CRM exports: the folder {self._source.folder} does not exist. Create it, or correct MEL_ZOHO_EXPORT_DIR."
            )
        there = files_in(self._source.folder, ENDINGS)
        settled = [file for file in there if file.is_settled(self._source.settle_seconds)]
        readable, unreadable = readable_files(settled)
        known = {file.name for file in readable} | unreadable.keys()
        waiting = [file.name for file in there if file.name not in known]
        ours = [
            name for name in waiting if entity_from_name(name, self._source.modules) in (None, self._entity)
        ]
        named_first = sorted(
            readable, key=lambda file: entity_from_name(file.name, self._source.modules) is None
        )
        distinct: dict[str, DropFile] = {}
        for file in named_first:
            distinct.setdefault(file.digest, file)
        return list(distinct.values()), unreadable, ours

    def _exports(self, scan: FolderScan, entity: str, refused: dict[str, str]) -> list[Export]:
        rules = self._source.contract.entities[entity]
        return exports_of(scan.parts.get(entity, []), refused, self._source.zone, rules)

    def _may_load(self, newest: Export, refused: dict[str, str]) -> bool:
        """Whether it is as new and has all columns of the previous one; it is refused if a column is gone."""
        if self._is_older(newest):
            return False
        before = self._stored.get("columns", []) if self._stored.get("rules") == self._source.rules else []
        lost = [n for n in before if n in self._mapping.fields and n not in newest.parts[0].columns.places]
        if lost:
            headings = ", ".join(self._mapping.fields[name].heading for name in lost)
            reason = (
                f"The previous export had the headings {headings}, and this one lacks them: their stored values"
                " would be lost. Export it with these fields, or remove them from mapping.yml."
            )
            refused.update({part.file.name: reason for part in newest.parts})
        return not lost

    def _is_older(self, export: Export) -> bool:
        """Whether a newer export was loaded before: loading this one would mark its new records deleted."""
        if "export" not in self._stored or export.digests == self._stored["export"]:
            return False
        latest, file_time = self._stored["moment"]
        return export.moment < (str(latest), int(file_time))

    def _skipped_notes(self, scan: FolderScan, exports: list[Export]) -> Iterator[Batch]:
        """Notes on exports that are not loaded although nothing is wrong with them."""
        if scan.others and self._entity == next(iter(self._source.contract.entities)):
            yield self._note(f"{_join_names(scan.others)}: exports of modules that are not in use; ignored.")
        if exports and self._is_older(exports[-1]):
            yield self._note(f"{exports[-1].names}: older than the export loaded before; ignored.")
        elif older := [export.names for export in exports[:-1]]:
            yield self._note(f"{_join_names(older)}: there is a newer export; ignored.")

    def _note(self, text: str) -> Batch:
        return Batch(frame_of([], self._contract), notes=[text])

    def _rows(self, export: Export, scan: FolderScan) -> Iterator[Batch]:
        names = self._name_indexes(export, scan)
        for part, order in zip(export.parts, export.orders, strict=True):
            reader = RowReader(self._contract, self._mapping, part.columns, order, self._source.zone, names)
            try:
                with open_table(part.file) as table:
                    rows, first = table.rows(), 2
                    while some := list(islice(rows, BATCH_ROWS)):
                        yield reader.batch(part.file.name, first, some)
                        first += len(some)
            except FileRefusedError as reason:  # it was readable a moment ago
                raise TransientSourceError(
                    f"{part.file.name}: it changed while it was being read. {reason}"
                ) from None
            yield self._note(_describe_part(part, reader.ambiguous_times))

    def _name_indexes(self, export: Export, scan: FolderScan) -> dict[str, NameIndex | None]:
        """For each lookup without an id: the ids of the records by name."""
        found: dict[str, NameIndex | None] = {}
        for column in sorted(export.parts[0].columns.by_name):
            other = str(self._contract.columns[column].references)
            known = [name for name in found if self._contract.columns[name].references == other]
            found[column] = found[known[0]] if known else self._name_index(scan, other)
        return found

    def _name_index(self, scan: FolderScan, entity: str) -> NameIndex | None:
        exports = self._exports(scan, entity, dict(scan.refused.get(entity, {})))
        key = self._source.contract.entities[entity].row_key[0]
        names: NameIndex = {}
        for part in exports[-1].parts if exports else ():
            if places := name_columns(part.header, self._source.modules[entity]):
                with open_table(part.file) as table:
                    index_names(table.rows(), part.columns.places[key], places, names)
        return names or None


def _describe_part(part: Part, ambiguous_times: int) -> str:
    """How a file was read, for the log of the load."""
    text = f"{part.file.name}: {part.description}; {part.count:,} rows; {len(part.columns.places)} of {len(part.header)} columns"
    if part.columns.missing_optional:
        text += f"; no column {', '.join(part.columns.missing_optional)}, so these stay empty"
    if part.columns.by_name:
        text += f"; looked up by name: {', '.join(sorted(part.columns.by_name))}"
    if ambiguous_times:
        text += f"; {ambiguous_times} times fall into an hour when clocks change; the first reading was used"
    return f"{text}."


def _join_names(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES_LISTED} more" if len(names) > MAX_NAMES_LISTED else ""
    return ", ".join(names[:MAX_NAMES_LISTED]) + more
