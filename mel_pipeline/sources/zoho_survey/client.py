"""Reads survey exports from the drop folder; every file once, by its content."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from mel_pipeline.contracts import EntityContract, contract_of
from mel_pipeline.errors import PermanentSourceError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, Rejected, as_frame
from mel_pipeline.sources.zoho_survey.parse import declared_date_order, export_to_batch

SETTLED_SECONDS = 2.0  # a file younger than this may still be being written
MOST_BYTES = 200_000_000


def open_source(settings: Settings) -> ZohoSurvey:
    return ZohoSurvey(settings.survey_folder)


class ZohoSurvey:
    """A folder of exports.

    Args:
        settled_seconds: how long a file must have been left alone before it is read.
    """

    def __init__(self, folder: Path, settled_seconds: float = SETTLED_SECONDS) -> None:
        self.folder = folder
        self.settled_seconds = settled_seconds
        self.contract = contract_of("zoho_survey")

    def pull(self, entity: str, *, quarter: Quarter | None, cursor: str | None) -> Pull:
        """Files whose content has not been loaded yet. The cursor is the list of content hashes.

        Raises:
            PermanentSourceError: the drop folder does not exist.
        """
        if not self.folder.is_dir():
            raise PermanentSourceError(
                f"Survey exports: the drop folder {self.folder} does not exist. Make it, or set MEL_SURVEY_DIR."
            )
        loaded: set[str] = set(json.loads(cursor)) if cursor else set()
        return Pull(self._batches(self.contract.entities[entity], loaded), cursor=lambda: json.dumps(sorted(loaded)))

    def _batches(self, contract: EntityContract, loaded: set[str]) -> Iterator[Batch]:
        # Oldest first: of two exports that overlap, the later one has the last word.
        files = sorted(self.folder.glob("*.csv"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        for path in files:
            if time.time() - path.stat().st_mtime < self.settled_seconds:
                continue  # still being written; the next run reads it
            if path.stat().st_size > MOST_BYTES:
                reason = f"The file is larger than {MOST_BYTES // 1_000_000} MB and was not read. Export a shorter period."
                yield Batch(as_frame([], list(contract.columns)), [Rejected(path.name, None, None, reason)])
                continue
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if digest in loaded:
                continue  # the same content under this or another name
            batch = export_to_batch(content, path.name, digest, list(contract.columns), declared_date_order())
            if not batch.rejected:
                loaded.add(digest)
            yield batch
