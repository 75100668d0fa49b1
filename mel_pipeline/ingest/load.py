"""One load: pull an entity, stage its rows batch by batch, judge them there, publish them in one step.

Sources and rules live in their own packages; this module combines them.

An interrupted load keeps its staged rows and a checkpoint; the raw table, the cursor and the ledger change
together, once everything has arrived, or not at all.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import SourceContract, fingerprint_of
from mel_pipeline.core.errors import ContractError, MelError, SourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest import fingerprints
from mel_pipeline.ingest.guarding import Guarded
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.ingest.staging import PLAIN, staged_frame

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from mel_pipeline.ingest.row_processing import RowProcessing
    from mel_pipeline.sources.shared.base import Batch, Pull, Source
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.fingerprints import Fingerprint
    from mel_pipeline.warehouse.ledger import Entry
    from mel_pipeline.warehouse.quarantine import Quarantined
    from mel_pipeline.warehouse.raw import Published

STAGED_ROWS = 20_000  # rows held in memory before they are written to the staging table
MORE_STAGED_ROWS = 100_000  # where an interrupted load has to start over anyway
MEMORY_MB = 128  # for DuckDB while it ingests rows; more spills to disk
MORE_MEMORY_MB = (512, None)  # for very large loads that do not fit
CHECKPOINT_LIFE = timedelta(days=7)  # an interrupted load older than this starts over


def load_entity(
    source: Source,
    contract: SourceContract,
    entity: str,
    warehouse: Warehouse,
    *,
    quarter: Quarter | None = None,
    clock: Callable[[], datetime] = utc_now,
    processing: RowProcessing = PLAIN,
) -> LoadResult:
    """Pull one entity and publish it. An interrupted load resumes from its checkpoint.

    Args:
        quarter: for sources that report by period; the others ignore it.
        clock: gives UTC without zone, as the ledger stores it.
        processing: corrections, pseudonyms and erasures to apply to the incoming rows.

    Raises:
        SourceError: the source did not answer. The failure is in the ledger; rows received so far stay staged.
        ContractError: the answer cannot be read at all, or people would be stored in clear.
    """
    _require_pseudonyms(contract, entity, processing)
    load = _Load(contract, entity, warehouse, quarter, clock, processing)
    try:
        pull = load.begin(Guarded(source, contract))
        for batch in pull.batches:
            load.take(batch)
        return load.publish(pull)
    except SourceError as error:
        load.interrupt(error)
        raise
    except ContractError as error:
        load.note_failure(error)
        raise


def _require_pseudonyms(contract: SourceContract, entity: str, processing: RowProcessing) -> None:
    people = contract.people(entity)
    if people and processing.pseudonyms is None and not processing.are_pseudonyms:
        raise ContractError(
            f"Loading {contract.name} {entity}: {', '.join(people)} would be stored in clear. Nothing was loaded. Give it"
            " `row_processing_for(...)`, which turns people into pseudonyms."
        )


class _Load:
    """One load in progress: its rows in memory and its state."""

    def __init__(
        self,
        contract: SourceContract,
        entity: str,
        warehouse: Warehouse,
        quarter: Quarter | None,
        clock: Callable[[], datetime],
        processing: RowProcessing,
    ) -> None:
        self.processing = processing
        self.corrected: dict[tuple[str, str], None] = {}
        self.erased = 0
        self.contract = contract
        self.source, self.entity = contract.name, entity
        self.rules = contract.entities[entity]
        self.table = contract.table(entity)
        self.name = contract.asset(entity)
        self.warehouse = warehouse
        self.quarter = quarter
        self.clock = clock
        self.started = self.begun = clock()
        self.load_id = f"{self.source}-{entity}-{self.started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        self.waiting: list[Batch] = []
        self.is_large = False  # staged without a checkpoint: give DuckDB more memory at once
        self.notes: dict[str, None] = {}
        self.staged_before = 0
        self.before: Fingerprint | None = None  # of the last load
        self.content = ""  # of the rows staged last
        self.emptied = 0  # cells that no column of a database holds
        self.lost_cells = 0
        self.is_whole = True  # no row has been staged yet
        self.is_first = True  # nothing was written yet: a staging table is one that an interrupted load left
        self.result: LoadResult | None = None  # of the open transaction

    def begin(self, source: Source) -> Pull:
        """Open the pull where the last load ended or was interrupted; record the source's fields."""
        from mel_pipeline.warehouse import raw, schemas, state
        from mel_pipeline.warehouse.fingerprints import recall

        with self.warehouse.connect() as connection:
            self.before = recall(connection, self.subject)
            cursor = state.read_cursor(connection, self.source, self.entity)
            checkpoint = state.read_checkpoint(connection, self.source, self.entity)
            known = schemas.known_fields(connection, self.source, self.entity)
        fits = (
            checkpoint is not None
            and checkpoint.rules == self._fingerprint()
            and self.started - checkpoint.begun_at < CHECKPOINT_LIFE
        )
        if checkpoint is not None and not fits:
            with self.warehouse.transaction() as connection:
                raw.discard(connection, self.name)
                state.drop_checkpoint(connection, self.source, self.entity)
        resumed = checkpoint if fits else None
        if resumed is not None:
            self.is_whole = self.is_first = False
            self.begun = resumed.begun_at
            self.notes[f"Resumed the load begun on {self.begun:%Y-%m-%d at %H:%M} UTC."] = None
        pull = source.pull(
            self.entity,
            quarter=self.quarter,
            cursor=cursor,
            checkpoint=resumed.checkpoint if resumed else None,
        )
        fields = pull.schema()
        if fields is not None and dict(fields) != known:
            self._note_fields(known, fields)
        return pull

    def take(self, batch: Batch) -> None:
        """Collect a batch; once there are enough rows, stage them with the checkpoint of the last batch."""
        self.waiting.append(batch)
        self.notes |= dict.fromkeys(batch.notes)
        most = STAGED_ROWS if batch.checkpoint is not None else max(STAGED_ROWS, MORE_STAGED_ROWS)
        if sum(len(waiting.frame) for waiting in self.waiting) >= most:
            self.is_large = batch.checkpoint is None
            self._write_staged()

    def interrupt(self, error: SourceError) -> None:
        """Stage the rows received so far, if the source can resume after them, and record the failure."""
        if self.waiting and self.waiting[-1].checkpoint is not None:
            self._write_staged()
        self.note_failure(error)

    def publish(self, pull: Pull) -> LoadResult:
        """Stage the rest and update the raw table, in one transaction with cursor and ledger."""
        from sqlalchemy.exc import DBAPIError

        from mel_pipeline import quality
        from mel_pipeline.warehouse.engine import is_out_of_memory
        from mel_pipeline.warehouse.retry import retry_transaction

        frame, bad = self._entries()
        if not (frame.empty or self._is_as_before()):
            quality.get_ready()  # takes seconds, so not while others wait for the warehouse
        for memory_mb in MORE_MEMORY_MB if self.is_large else (MEMORY_MB, *MORE_MEMORY_MB):
            try:
                return retry_transaction(partial(self._publish, pull, frame, bad, memory_mb), self._published)
            except DBAPIError as error:
                if memory_mb is None or not is_out_of_memory(error):
                    raise
        raise AssertionError("unreachable: the last try has no limit")

    def _publish(
        self, pull: Pull, frame: pd.DataFrame, bad: list[Quarantined], memory_mb: int | None
    ) -> LoadResult:
        from mel_pipeline.warehouse import ledger, quarantine, raw, state
        from mel_pipeline.warehouse.migrating import ensure_tables

        now = self.clock()
        with self.warehouse.transaction(memory_mb) as connection:
            ensure_tables(connection)
            if self.is_first:
                raw.discard(connection, self.name)
            # In a shared table, missing rows may belong to another source.
            complete = pull.complete() and self.rules.shape is None
            done = self._nothing_to_write(connection, frame, bad, complete=complete)
            if done is None:
                done = self._write(connection, frame, bad, now, complete=complete)
            if (new_cursor := pull.cursor()) is not None:
                state.write_cursor(connection, self.source, self.entity, new_cursor, self.load_id)
            if (proposed := pull.proposals()) is not None:
                written = json.dumps(proposed, ensure_ascii=False)
                state.write_proposals(connection, self.source, self.entity, written, self.load_id)
            result = LoadResult(
                load_id=self.load_id,
                table=self.table,
                fetched=done.fetched,
                new=done.new,
                changed=done.changed,
                unchanged=done.unchanged,
                repeated=done.repeated,
                quarantined=done.quarantined,
                lost_cells=self.lost_cells,
                deleted=done.deleted,
                expected=pull.expected_count(),
                stored=raw.stored(connection, self.table, self._own),
                corrected=len({key for _, key in self.corrected}),
                notes=self._notes(),
                waiting=quarantine.waiting(connection, self.source, self.entity),
                usage=dict(pull.usage()),
                warnings=pull.warnings(),
            )
            ledger.note_loaded(connection, self._entry(), vars(result), now, result.sentence)
            self.result = result
        return result

    def _nothing_to_write(
        self, connection: sa.Connection, frame: pd.DataFrame, bad: list[Quarantined], *, complete: bool
    ) -> Published | None:
        """Counts, if the load is empty or repeats the last one and the table is unchanged since; else None."""
        from mel_pipeline.warehouse import quarantine, raw

        if not self.is_whole or bad or self.corrected:
            return None
        if frame.empty and not complete and raw.is_made(connection, self.table):
            return raw.Published(0, 0, 0, 0, 0, 0)
        before = self.before if self._is_as_before() else None
        if before is None or complete != before.found["complete"] or not _is_plain(frame):
            return None
        if quarantine.waiting(connection, self.source, self.entity):
            return None  # quarantined rows may have arrived valid this time
        done = fingerprints.counts_if_unchanged(connection, self.contract, self.entity, frame, before)
        if done is not None and complete:
            self._require_rows(done.unchanged)
        return done

    def _write(
        self,
        connection: sa.Connection,
        frame: pd.DataFrame,
        bad: list[Quarantined],
        now: datetime,
        *,
        complete: bool,
    ) -> Published:
        """Stage the rows and update the raw table from everything staged."""
        from mel_pipeline.ingest.judging import judge_staged
        from mel_pipeline.warehouse import quarantine, raw, state
        from mel_pipeline.warehouse.fingerprints import remember
        from mel_pipeline.warehouse.kept_answers import keep_unread

        self._stage(connection, frame, bad, now)
        if raw.has_rows(connection, self.name):
            judged = judge_staged(connection, self.contract, self.entity, self.load_id, now)
            self.lost_cells = self.emptied + judged
        if complete:
            self._require_rows(raw.staged_keys(connection, self.name))
        columns = list(self.rules.columns)
        keep_unread(connection, self.table, self.name, columns)
        done = raw.publish(
            connection,
            self.table,
            self.name,
            columns,
            self.load_id,
            now,
            complete=complete,
            keeps=self.rules.keeps,
        )
        quarantine.resolve(connection, self.source, self.entity, self.name, self.begun, now)
        raw.discard(connection, self.name)
        state.drop_checkpoint(connection, self.source, self.entity)
        is_sound = not (done.quarantined or self.lost_cells or self.corrected)
        if self.content and self.is_whole and is_sound and _is_plain(frame):
            fingerprint = fingerprints.fingerprint_after(
                connection, self.contract, self.entity, self.content, frame, complete=complete
            )
            remember(connection, self.subject, fingerprint)
        return done

    def _published(self) -> LoadResult | None:
        """The result, if the load is in the ledger although the connection was lost before the reply."""
        found = self.warehouse.has_table("load_ledger") and self.warehouse.records(
            "select 1 from load_ledger where load_id = :load_id", {"load_id": self.load_id}
        )
        return self.result if found else None

    @property
    def _own(self) -> str | None:
        """Prefix of the load ids that identify this entity's rows in a shared table."""
        return f"{self.source}-{self.entity}-" if self.rules.discriminator else None

    @property
    def subject(self) -> str:
        """Key under which the fingerprint of its rows is stored."""
        return f"load {self.name} {self.quarter or ''}".strip()

    def _is_as_before(self) -> bool:
        """Whether it brings the rows of the last load, all of them sound."""
        return self.before is not None and bool(self.content) and self.content == self.before.made_of

    def _notes(self) -> list[str]:
        refused = f"{self.erased:,} mentions of people who requested erasure were refused."
        return [*self.notes, *([refused] if self.erased else [])]

    def _require_rows(self, keys: int) -> None:
        if keys < self.rules.min_rows:
            raise ContractError(
                f"{self.table}: the source sent fewer than {self.rules.min_rows} rows and reports the export"
                " as complete. An empty export does not mean an empty organisation. Nothing was changed."
                " Check the source; if it is right, lower it under `fewest_rows` of your organisation.yml."
            )

    def _write_staged(self) -> None:
        from mel_pipeline.warehouse import raw, state
        from mel_pipeline.warehouse.retry import retry_transaction

        checkpoint, now = self.waiting[-1].checkpoint, self.clock()
        self.is_whole = False
        frame, bad = self._entries()
        if self.is_first:
            with self.warehouse.transaction() as connection:
                raw.discard(connection, self.name)
            self.is_first = False

        def write_batch() -> bool:
            with self.warehouse.transaction(MEMORY_MB, goes_on=True) as connection:
                self._stage(connection, frame, bad, now)
                if checkpoint is not None:
                    here = state.Checkpoint(checkpoint, self._fingerprint(), self.begun)
                    state.write_checkpoint(connection, self.source, self.entity, here)
            return True

        def already_staged() -> bool | None:
            with self.warehouse.connect() as connection:
                is_there = raw.is_staged(connection, self.name)
                return (
                    True if is_there and raw.last_staged(connection, self.name) > self.staged_before else None
                )

        retry_transaction(write_batch, already_staged)

    def _stage(
        self, connection: sa.Connection, frame: pd.DataFrame, bad: list[Quarantined], now: datetime
    ) -> None:
        from mel_pipeline.warehouse import quarantine, raw, state
        from mel_pipeline.warehouse.migrating import ensure_tables

        ensure_tables(connection)
        columns = list(self.rules.columns)
        self.staged_before = raw.stage(connection, self.name, columns, frame, is_whole=self.is_whole)
        quarantine.put(connection, self.source, self.entity, bad, self.load_id, now)
        state.note_corrections(connection, self.source, self.entity, list(self.corrected), now)

    def _entries(self) -> tuple[pd.DataFrame, list[Quarantined]]:
        """The rows in memory as staging entries; they are released afterwards."""
        batches, self.waiting = self.waiting, []
        staged = staged_frame(
            batches, self.rules, self.clock(), self.processing, self.source, is_whole=self.is_whole
        )
        self.content = staged.content
        self.corrected |= dict.fromkeys(staged.corrected)
        self.erased += staged.erased
        self.emptied += sum(entry.lost == "cell" for entry in staged.bad)
        return staged.entries, staged.bad

    def _fingerprint(self) -> str:
        return f"{fingerprint_of(self.rules)} {self.quarter or ''} {self.processing.fingerprint}"

    def _note_fields(self, known: Mapping[str, str], fields: Mapping[str, str]) -> None:
        from mel_pipeline.warehouse import schemas
        from mel_pipeline.warehouse.migrating import ensure_tables

        drift = schemas.drift_between(known, fields, self.started)
        with self.warehouse.transaction() as connection:
            ensure_tables(connection)
            schemas.write_fields(connection, self.source, self.entity, fields, drift)

    def note_failure(self, error: MelError) -> None:
        """Record a failed load in the ledger."""
        from mel_pipeline.warehouse import ledger
        from mel_pipeline.warehouse.migrating import ensure_tables

        with self.warehouse.transaction() as connection:
            ensure_tables(connection)
            ledger.note_failed(connection, self._entry(), self.clock(), str(error))

    def _entry(self) -> Entry:
        from mel_pipeline.warehouse.ledger import Entry

        quarter = str(self.quarter) if self.quarter else None
        return Entry(self.load_id, self.source, self.entity, quarter, self.started)


def _is_plain(frame: pd.DataFrame) -> bool:
    """Only good rows: a row deleted in the same load would not be in the table, so the counts would differ."""
    return set(frame["_kind"]) == {"row"}
