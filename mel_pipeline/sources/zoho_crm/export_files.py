"""Decide which file of a drop folder is an export of which module, and which of several counts. Rows: export_rows.py.

A file name such as ``Accounts_2026_11_20.csv`` or, from a backup, ``Contacts_001.csv`` names the module,
unless the headings say otherwise. Files numbered with three digits are parts of one export.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract, SourceContract
from mel_pipeline.sources.shared.dates import Order, order_of
from mel_pipeline.sources.shared.files import DropFile, FileRefusedError, open_table
from mel_pipeline.sources.zoho_crm.export_rows import (
    ColumnMap,
    find_columns,
    normalize_heading,
    read_time,
    times_in,
)
from mel_pipeline.sources.zoho_crm.mapping import Mapping as Modules

_PART = re.compile(r"(?P<base>.*?)[ _-](?:part[ _-]?)?(?P<number>\d{3})", re.IGNORECASE)
_MAX_PART_GAP = timedelta(days=1)  # between the file times of two parts of one export
_NAME_WEIGHT = 0.25  # a matching file name weighs as much as this share of the headings
_MIN_FIT = 0.5  # share of a module's own headings that identifies a file regardless of its name


@dataclass(frozen=True)
class Part:
    """A readable file, and the positions of its entity's columns."""

    file: DropFile
    header: list[str]
    description: str
    count: int
    columns: ColumnMap


@dataclass(frozen=True)
class Export:
    """All files of one export of a module. ``latest`` is the latest Modified Time in them."""

    parts: list[Part]
    latest: datetime | None = None
    orders: list[Order] = field(default_factory=list)  # of day and month, file by file

    @property
    def names(self) -> str:
        return ", ".join(part.file.name for part in self.parts)

    @property
    def digests(self) -> list[str]:
        return sorted(part.file.digest for part in self.parts)

    @property
    def moment(self) -> tuple[str, int]:
        """Sort key, newest last: the latest change in it, then the time of the file."""
        latest = self.latest.isoformat() if self.latest else ""
        return latest, max(part.file.modified_ns for part in self.parts)


@dataclass
class FolderScan:
    """Contents of a folder: files by entity, and why some are refused."""

    parts: dict[str, list[Part]] = field(default_factory=dict)
    refused: dict[str, dict[str, str]] = field(default_factory=dict)  # entity -> file name -> reason
    others: list[str] = field(default_factory=list)  # files of modules that are not in use


def scan_folder(
    files: Iterable[DropFile], unreadable: Mapping[str, str], contract: SourceContract, modules: Modules
) -> FolderScan:
    """Sort files by the entity they belong to.

    A file that cannot be read belongs to the entity whose module its name gives, or to the first one,
    so that it is reported once.
    """
    scan = FolderScan()
    first = next(iter(contract.entities))
    for name, reason in unreadable.items():
        scan.refused.setdefault(entity_from_name(name, modules) or first, {})[name] = reason
    for file in files:
        entity: str | None = None
        try:
            header, description, count = _inspect(file)
            entity = entity_of(file.name, header, contract, modules)
            if entity is None:
                scan.others.append(file.name)
                continue
            columns = find_columns(header, contract.entities[entity], modules[entity])
            if columns.missing_required:
                raise FileRefusedError(_missing_columns(modules[entity].module, columns.missing_required))
            scan.parts.setdefault(entity, []).append(Part(file, header, description, count, columns))
        except FileRefusedError as reason:
            owner = entity or entity_from_name(file.name, modules) or first
            scan.refused.setdefault(owner, {})[file.name] = str(reason)
    return scan


@lru_cache(maxsize=256)
def _inspect(file: DropFile) -> tuple[list[str], str, int]:
    """Header, format and row count of a file. Cached, because every entity scans the whole folder."""
    with open_table(file) as table:
        return table.header, table.how, table.count


def _missing_columns(module: str, headings: Sequence[str]) -> str:
    return (
        f"It is an export of {module} and lacks the headings {', '.join(headings)}. Export it with these fields,"
        " or give their headings as `label` in mapping.yml."
    )


def entity_of(name: str, header: Sequence[str], contract: SourceContract, modules: Modules) -> str | None:
    """The entity a file belongs to, by its headings, then by its name; None for another module's."""
    named = entity_from_name(name, modules)
    ranked = []
    for entity, mapping in modules.items():
        try:
            columns = find_columns(header, contract.entities[entity], mapping)
        except FileRefusedError:
            columns = None  # a duplicate heading: reported when the file is read as this entity's
        fit = columns.fit if columns else 0.0
        if entity == named or fit >= _MIN_FIT:
            whole = columns is not None and not columns.missing_required
            ranked.append((whole, fit + (_NAME_WEIGHT if entity == named else 0.0), entity))
    return max(ranked)[-1] if ranked else None


def entity_from_name(name: str, modules: Modules) -> str | None:
    """The entity whose module name the file name starts with; the longest if several match."""
    words = _words(name.rpartition(".")[0])
    found = [
        (len(module), entity)
        for entity, mapping in modules.items()
        if words[: len(module := _words(mapping.module))] == module
    ]
    return max(found)[-1] if found else None


def _words(text: str) -> list[str]:
    return [normalize_heading(word) for word in re.split(r"[\W_]+", text) if word]


def exports_of(
    parts: Iterable[Part], refused: dict[str, str], zone: ZoneInfo, rules: EntityContract
) -> list[Export]:
    """Complete exports, the newest last; the others are added to ``refused`` by file name."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(_base(part.file.name), []).append(part)
    broken = {_base(name) for name in refused}
    whole: list[Export] = []
    for base, members in groups.items():
        try:
            if base in broken:
                raise FileRefusedError(
                    "Another file of the same export cannot be read, and without it the export is not complete."
                )
            _require_whole(members)
            whole.append(_with_times(members, zone, rules))
        except FileRefusedError as reason:
            refused.update({part.file.name: str(reason) for part in members})
    return sorted(whole, key=lambda export: export.moment)


def _base(name: str) -> str:
    """What the parts of one export have in common."""
    stem, _, ending = name.rpartition(".")
    match = _PART.fullmatch(stem)
    return f"{match['base']}*.{ending}".lower() if match else name.lower()


def _require_whole(parts: Sequence[Part]) -> None:
    """Check that the parts of one export are numbered without a gap and have about the same file time."""
    matches = [_PART.fullmatch(part.file.name.rpartition(".")[0]) for part in parts]
    numbers = sorted(int(match["number"]) for match in matches if match)
    if numbers and numbers not in (list(range(len(parts))), list(range(1, len(parts) + 1))):
        raise FileRefusedError(
            "The export has several files, and one of their numbers is missing. Put all of them into the folder."
        )
    if len({frozenset(part.columns.places) for part in parts}) > 1:
        raise FileRefusedError(
            "The export has several files, and their headings differ. Export all of them with the same fields."
        )
    times = [part.file.modified_ns for part in parts]
    if max(times) - min(times) > _MAX_PART_GAP.total_seconds() * 1e9:
        raise FileRefusedError(
            "The export has several files, and they are from different days. Remove the files of the older export."
        )


def _with_times(parts: list[Part], zone: ZoneInfo, rules: EntityContract) -> Export:
    """An export with the latest change in it, and its order of day and month."""
    latest: datetime | None = None
    orders: list[Order] = []
    for part in parts:
        with open_table(part.file) as table:
            orders.append(order_of(times_in(table.rows(), rules, part.columns.places), None))
            place = part.columns.places.get(rules.changed_at or "")
            for moment in () if place is None else _moments(table.rows(), place, orders[-1], zone):
                latest = max(latest or moment, moment)
    return Export(parts, latest, orders)


def _moments(rows: Iterable[Sequence[str]], place: int, order: Order, zone: ZoneInfo) -> Iterator[datetime]:
    for cells in rows:
        if (moment := read_time(cells[place].strip(), order)) is not None:
            yield (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(ZoneInfo("UTC"))
