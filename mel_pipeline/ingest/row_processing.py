"""Processing of every incoming row: corrections, refusal of erased people, pseudonyms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.ingest.corrections import Correction, corrections_of, for_entity
from mel_pipeline.ingest.privacy import Pseudonyms, load_pseudonyms
from mel_pipeline.sources.workbook.versions import current

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class RowProcessing:
    """Applies to the rows of one entity. The default does nothing: for rows without a column about a person.

    ``erased`` are pseudonyms of people who requested erasure. ``are_pseudonyms``: the people in these rows are
    pseudonyms already, as they come from the warehouse.
    """

    corrections: tuple[Correction, ...] = ()
    pseudonyms: Pseudonyms | None = None
    erased: frozenset[str] = frozenset()
    are_pseudonyms: bool = False

    @property
    def fingerprint(self) -> str:
        """Staged rows of an interrupted load can only be reused with the same processing."""
        key = self.pseudonyms.key_id if self.pseudonyms else ""
        return " ".join([key, *(line.digest for line in self.corrections), *sorted(self.erased)]).strip()


def row_processing_for(warehouse: Warehouse, settings: Settings, source: str, entity: str) -> RowProcessing:
    """The processing given by settings, workbook and erasures.

    Raises:
        ContractError: a correction cannot be read.
        SettingsError: the pseudonym key is missing, or differs from the one the data were loaded with.
    """
    from mel_pipeline.ingest.privacy.erasure import erased_people
    from mel_pipeline.ingest.privacy.keys import require_same_key

    pseudonyms = load_pseudonyms(settings)
    corrections = for_entity(corrections_of(current(settings)), source, entity)
    with warehouse.connect():  # opened once for both
        require_same_key(warehouse, pseudonyms)
        return RowProcessing(tuple(corrections), pseudonyms, erased_people(warehouse))
