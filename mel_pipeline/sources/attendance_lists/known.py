"""What earlier loads of the drop folder read: lists that were renamed or withdrawn since, or are gone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.sources.shared.base import Batch, frame_of
from mel_pipeline.sources.shared.files import DropFile


@dataclass
class Known:
    """What earlier loads read, as the cursor keeps it: stamps, rows and warnings by list. No names of people."""

    rules: str
    files: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cursor: str | None, rules: str) -> Known:
        stored: Mapping[str, Any] = json.loads(cursor) if cursor else {}
        same = stored.get("rules") == rules
        return cls(
            rules,
            dict(stored.get("files", {})) if same else {},
            {name: list(rows) for name, rows in stored.get("rows", {}).items()},
            dict(stored.get("warnings", {})) if same else {},
        )

    def stored(self) -> str:
        kept = {"rules": self.rules, "files": self.files, "rows": self.rows, "warnings": self.warnings}
        return json.dumps(kept, sort_keys=True)


def renamed(
    known: Known, new: Collection[str], present: Collection[str], contract: EntityContract
) -> Iterator[Batch]:
    """Takes back the rows of a file that has gone as the same one came under another name.

    Args:
        new: names of the files that this load read; one that was there before is another list of the same people.
        present: names of all files.
    """
    read = {known.files[name]: name for name in new if name in known.files}
    for name in sorted(known.files.keys() - set(present)):
        now = read.get(known.files[name])
        if now is not None:
            yield _taken_back(known, name, f"{name} is called {now} now.", contract)


def withdrawn(
    known: Known, names: Collection[str], present: Collection[str], contract: EntityContract
) -> Iterator[Batch]:
    """Takes back the rows of files that were taken out on purpose and are not there again."""
    for name in sorted(set(names) - set(present)):
        if name in known.files or _lists_in(known, name):
            yield _taken_back(known, name, f"{name} was withdrawn.", contract)


def _taken_back(known: Known, name: str, note: str, contract: EntityContract) -> Batch:
    rows = {f"{one}|{row}": None for one in _lists_in(known, name) for row in known.rows.pop(one)}
    known.files.pop(name, None)
    known.warnings.pop(name, None)
    return Batch(frame_of([], contract), deleted=rows, notes=[note])


def _lists_in(known: Known, name: str) -> list[str]:
    return [one for one in known.rows if one == name or one.startswith(f"{name}, ")]


def gone(known: Known, files: list[DropFile], refused: Mapping[str, str]) -> list[str]:
    """A warning about lists that were read and are no longer in the folder."""
    missing = sorted(known.files.keys() - {file.name for file in files} - refused.keys())
    if not missing:
        return []
    return [
        f"No longer in the folder of attendance lists: {', '.join(missing)}. The people on them still count. To withdraw"
        " a list, put a file of its name with only its header into the folder."
    ]
