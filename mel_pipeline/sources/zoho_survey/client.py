"""Read survey exports from the drop folder. What a file means is in parse.py; nothing is moved or deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mel_pipeline.contracts import EntityContract, contract_of, fingerprint_of
from mel_pipeline.errors import PermanentSourceError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, Rejected, frame_of
from mel_pipeline.sources.files import SETTLE_SECONDS, DropFile, FileRefusedError, files_in, told_apart
from mel_pipeline.sources.zoho_survey.codebook import Codebook, load_codebook
from mel_pipeline.sources.zoho_survey.parse import Parsed, latest_versions, parse_file


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
            exports, refused = self._exports()
            before = set(known.values())
            fresh, broken = _read([e for e in exports if _stamp(e) not in before], contract, book)
            done = before | set(fresh)
            files.update({export.name: _stamp(export) for export in exports if _stamp(export) in done})
            if fresh:
                again, more = _read([e for e in exports if _stamp(e) in before], contract, book)
                both = fresh | again
                order = dict.fromkeys(stamp for export in exports if (stamp := _stamp(export)) in both)
                yield from _batches([both[stamp] for stamp in order], contract)
                broken |= more
            for name, reason in (refused | broken).items():
                yield Batch(frame_of([], contract), [Rejected(name, None, None, reason, "{}")], fetched=1)

        def new_cursor() -> str | None:
            changed = files != known
            return json.dumps({"rules": rules, "files": dict(sorted(files.items()))}) if changed else None

        return Pull(batches(), new_cursor)

    def _exports(self) -> tuple[list[DropFile], dict[str, str]]:
        """The CSV files that are at rest, oldest first; and why some cannot be read, by name."""
        if not self._folder.is_dir():
            raise PermanentSourceError(
                f"Survey exports: there is no folder {self._folder}. Make it, or set MEL_SURVEY_DIR."
            )
        return told_apart(file for file in files_in(self._folder, {".csv"}) if file.is_at_rest(self._settle))


def _stamp(export: DropFile) -> str:
    return f"{export.digest}:{export.size}"


def _read(
    exports: list[DropFile], contract: EntityContract, book: Codebook
) -> tuple[dict[str, Parsed], dict[str, str]]:
    """Files by their content, so that the same one under two names is read once; and why others are refused."""
    parsed: dict[str, Parsed] = {}
    refused: dict[str, str] = {}
    for export in exports:
        stamp = _stamp(export)
        if stamp not in parsed:
            try:
                parsed[stamp] = parse_file(export.name, export.content(), export.digest, contract, book)
            except FileRefusedError as reason:
                refused[export.name] = str(reason)
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
