"""A source as a load reads it: whatever it raises is an outage of that source. No parsing, no database here.

Clients explain the failures they expect. What a service sends is not theirs to choose, so the rest ends here,
with the place in the code instead of the text of the error, which may quote a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from mel_pipeline.core.disk_trouble import NO_SPACE, says_full_disk
from mel_pipeline.core.errors import MelError, TransientSourceError, place_of
from mel_pipeline.ingest.impossible import without_impossible

if TYPE_CHECKING:
    from mel_pipeline.core.contracts import SourceContract
    from mel_pipeline.core.periods import Quarter
    from mel_pipeline.sources.shared.base import Batch, Pull, Source

T = TypeVar("T")


class UnforeseenAnswerError(TransientSourceError):
    """What a source sent broke its client."""


class Guarded:
    """A source whose every failure is a ``MelError``."""

    def __init__(self, source: Source, contract: SourceContract) -> None:
        self._source, self._contract = source, contract

    def pull(
        self, entity: str, *, quarter: Quarter | None, cursor: str | None, checkpoint: str | None = None
    ) -> Pull:
        what = f"{self._contract.title} {self._contract.entities[entity].title}"

        def guarded(read: Callable[[], T]) -> Callable[[], T]:
            return lambda: _explained(what, read)

        pull = _explained(
            what,
            lambda: self._source.pull(entity, quarter=quarter, cursor=cursor, checkpoint=checkpoint),
        )
        return replace(
            pull,
            batches=self._batches(what, pull.batches, entity),
            cursor=guarded(pull.cursor),
            expected_count=guarded(pull.expected_count),
            complete=guarded(pull.complete),
            schema=guarded(pull.schema),
            usage=guarded(pull.usage),
            warnings=guarded(pull.warnings),
            proposals=guarded(pull.proposals),
        )

    def _batches(self, what: str, batches: Iterator[Batch], entity: str) -> Iterator[Batch]:
        contract = self._contract
        while (batch := _explained(what, lambda: next(batches, None))) is not None:
            yield without_impossible(batch, contract.entities[entity], contract.metrics)


def _explained(what: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except MelError:
        raise
    except Exception as error:
        explained: MelError = UnforeseenAnswerError(
            f"{what}: what the source sent could not be read ({type(error).__name__} at {place_of(error, __file__)})."
            " Nothing of it was used, and the other sources go on. Run the load again later; if this"
            " stays, send this sentence to the maintainer of the connector."
        )
        if says_full_disk(str(error)):
            explained = TransientSourceError(f"{what}: {NO_SPACE}")
    raise explained from None
