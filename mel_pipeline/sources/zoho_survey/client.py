"""Read survey exports from the drop folder. What a file means is in parse.py; nothing is moved or deleted."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mel_pipeline.contracts import EntityContract, contract_of, fingerprint_of
from mel_pipeline.errors import PermanentSourceError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, Rejected, frame_of
from mel_pipeline.sources.zoho_survey.codebook import Codebook, load_codebook
from mel_pipeline.sources.zoho_survey.csv_file import FileRefusedError
from mel_pipeline.sources.zoho_survey.parse import Parsed, latest_versions, parse_file

SETTLE_SECONDS = 2.0  # a file that changed this recently may still be being written
LARGEST_FILE = 200 << 20


@dataclass(frozen=True)
class _Export:
    name: str
    content: bytes
    digest: str
    size: int

    @property
    def stamp(self) -> str:
        return f"{self.digest}:{self.size}"

    def parsed(self, contract: EntityContract, book: Codebook) -> Parsed:
        if self.size > len(self.content):
            raise FileRefusedError(
                f"The file is larger than {LARGEST_FILE >> 20} MB. Export fewer responses into a file."
            )
        return parse_file(self.name, self.content, self.digest, contract, book)


def open(settings: Settings, settle_seconds: float = SETTLE_SECONDS) -> ZohoSurvey:
    return ZohoSurvey(settings.survey_folder, settle_seconds)


class ZohoSurvey:
    """The drop folder as a source. The cursor is JSON: each file that was read, with SHA-256 and size."""

    def __init__(self, folder: Path, settle_seconds: float) -> None:
        self._folder = folder
        self._settle = settle_seconds

    def pull(
        self,
        entity: str,
        *,
        quarter: Quarter | None = None,  # noqa: ARG002
        cursor: str | None = None,
        checkpoint: str | None = None,  # noqa: ARG002
    ) -> Pull:
        """Responses of files that are new or have changed.

        With them come those of the files read before that still lie in the folder: only so the latest
        version of a response counts, in whatever order overlapping exports were dropped.
        """
        contract = contract_of("zoho_survey").entities[entity]
        book = load_codebook()
        rules = f"{fingerprint_of(contract)}-{book.fingerprint}"
        stored = json.loads(cursor) if cursor else {}
        known: dict[str, str] = stored.get("files", {}) if stored.get("rules") == rules else {}
        files = dict(known)

        def batches() -> Iterator[Batch]:
            exports = list(self._exports())
            before = set(known.values())
            fresh, refused = _read([e for e in exports if e.stamp not in before], contract, book)
            done = before | set(fresh)
            files.update({export.name: export.stamp for export in exports if export.stamp in done})
            if fresh:
                again, more = _read([e for e in exports if e.stamp in before], contract, book)
                both = fresh | again
                order = dict.fromkeys(export.stamp for export in exports if export.stamp in both)
                yield from _batches([both[stamp] for stamp in order], contract)
                refused += more
            for rejected in refused:
                yield Batch(frame_of([], contract), [rejected], fetched=1)

        def new_cursor() -> str | None:
            changed = files != known
            return json.dumps({"rules": rules, "files": dict(sorted(files.items()))}) if changed else None

        return Pull(batches(), new_cursor)

    def _exports(self) -> Iterator[_Export]:
        """The CSV files that are at rest, oldest first."""
        if not self._folder.is_dir():
            raise PermanentSourceError(
                f"Survey exports: there is no folder {self._folder}. Make it, or set MEL_SURVEY_DIR."
            )
        files = [p for p in self._folder.iterdir() if p.suffix.lower() == ".csv" and p.name[0] not in ".~"]
        for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name)):
            before = path.stat()
            if 0 <= time.time() - before.st_mtime < self._settle:
                continue  # still being written, perhaps; the next run reads it
            content = path.read_bytes() if before.st_size <= LARGEST_FILE else b""
            after = path.stat()
            if (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size):
                yield _Export(path.name, content, hashlib.sha256(content).hexdigest(), before.st_size)


def _read(
    exports: list[_Export], contract: EntityContract, book: Codebook
) -> tuple[dict[str, Parsed], list[Rejected]]:
    """Files by their content, so that the same one under two names is read once; and those refused."""
    parsed: dict[str, Parsed] = {}
    refused: list[Rejected] = []
    for export in exports:
        if export.stamp not in parsed:
            try:
                parsed[export.stamp] = export.parsed(contract, book)
            except FileRefusedError as reason:
                refused.append(Rejected(export.name, None, None, str(reason), "{}"))
    return parsed, refused


def _batches(files: list[Parsed], contract: EntityContract) -> Iterator[Batch]:
    superseded, kept = latest_versions([parsed.rows for parsed in files])
    if superseded:  # first, so that the latest version is the one that stays
        yield Batch(frame_of(superseded, contract), fetched=len(superseded))
    for parsed, rows in zip(files, kept, strict=True):
        yield Batch(
            frame_of(rows, contract),
            parsed.rejected,
            fetched=len(rows) + len(parsed.rejected),
            notes=parsed.notes,
        )
