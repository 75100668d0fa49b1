"""One load of one module: what to read, by which method, and where a later load resumes. Rows come from parse.py."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import compress

from mel_pipeline.core.contracts import EntityContract, fingerprint_of
from mel_pipeline.core.errors import ContractError, SourceError, TransientSourceError
from mel_pipeline.sources.shared.base import Batch, frame_of
from mel_pipeline.sources.zoho_crm import bulk, parse, scan
from mel_pipeline.sources.zoho_crm.api import Api, Record
from mel_pipeline.sources.zoho_crm.errors import PageReachError, PageTokenError, ScopeError
from mel_pipeline.sources.zoho_crm.mapping import EntityMapping
from mel_pipeline.sources.zoho_crm.plan import BULK, PAGES, QUERY, WAY_LABELS, Progress, ways

ROWS_A_BATCH = 2_000
OVERLAP = timedelta(minutes=10)  # before the watermark, read again: equal seconds, clock skew, late commits
DELETIONS_KEPT = timedelta(days=60)  # in the recycle bin; after a longer pause everything is read again
_CONVERTED = "Converted__s"
_MAX_SCANS = 3  # of a list whose records shift during paging


class ModulePull:
    """Records of one module, changed since the cursor or all of them, then deletions.

    The cursor is JSON: the latest Modified_Time seen (never later than the start of the reading), when
    deletions were last requested, and the contract and mapping it was read under.
    """

    def __init__(
        self,
        api: Api,
        contract: EntityContract,
        mapping: EntityMapping,
        cursor: str | None,
        checkpoint: str | None,
    ) -> None:
        self._api, self._contract, self._mapping = api, contract, mapping
        self._module = mapping.module
        written = fingerprint_of(contract) + mapping.model_dump_json()
        self._rules = hashlib.sha256(written.encode()).hexdigest()[:12]
        stored = json.loads(cursor) if cursor else {}
        self._stored: dict[str, str] = stored if stored.get("rules") == self._rules else {}
        left = Progress.read(checkpoint) if checkpoint else None
        self._resumed = left if left is not None and left.rules == self._rules else None
        self._credits_before = api.credits.used
        self._progress: Progress | None = None
        self._deletions_read = False
        self._ways: dict[str, None] = {}

    @cached_property
    def _fields(self) -> dict[str, Record]:
        """Fields of the module by API name, including hidden ones."""
        listed = self._api.fields(self._module)
        return {str(field["api_name"]): field for field in listed if field.get("api_name")}

    def schema(self) -> dict[str, str]:
        """Every field of the module with its type, whether or not it is mapped."""
        return {name: _type_of(field) for name, field in self._fields.items()}

    def batches(self) -> Iterator[Batch]:
        self._require_fields()
        progress = self._progress = self._resumed or self._new_progress()
        if not progress.records_done:
            for batch in self._records(progress):
                self._ways[progress.way] = None
                yield batch
            progress.records_done = True
        yield from self._deleted(progress)

    def cursor(self) -> str | None:
        progress = self._progress
        if progress is None or not self._deletions_read:
            return None
        unlisted = progress.unlisted if progress.since is None else self._stored_unlisted
        latest = min(progress.latest, progress.started) if progress.latest else None
        before = _moment(self._stored.get("modified"))
        modified = max(filter(None, (latest, before)), default=progress.started)
        return json.dumps(
            {
                "modified": modified.astimezone(UTC).isoformat(),
                "synced": progress.started.isoformat(),
                "rules": self._rules,
                **({"unlisted": str(unlisted)} if unlisted else {}),
            }
        )

    def expected_count(self) -> int | None:
        return self._progress.expected if self._progress and self.complete() else None

    def complete(self) -> bool:
        """Not while Zoho counts records that it does not list: one that is missing may be among them."""
        progress = self._progress
        return progress is not None and self._is_full(progress) and self._deletions_read

    @staticmethod
    def _is_full(progress: Progress) -> bool:
        return progress.since is None and not progress.unlisted

    def warnings(self) -> list[str]:
        """What Zoho counts but does not list, reported once, by the load that first continues without it."""
        progress = self._progress
        if progress is None or not progress.unlisted or progress.unlisted == self._stored_unlisted:
            return []
        counted = progress.expected or 0
        return [
            f"Zoho CRM {self._module}: Zoho counts {counted:,} records and lists {counted - progress.unlisted:,}, in two"
            " runs. The others are drafts, await approval, or the token's user may not see them. The listed ones are"
            " loaded; a stored record that is no longer listed stays until Zoho reports it as deleted."
        ]

    @property
    def _stored_unlisted(self) -> int:
        text = self._stored.get("unlisted", "0")
        return int(text) if text.isdecimal() else 0

    def usage(self) -> Mapping[str, int | str]:
        """Credits of this load, and those left if Zoho reports them."""
        used: dict[str, int | str] = {"API credits used": self._api.credits.used - self._credits_before}
        if self._api.credits.left is not None:
            used["API credits left today"] = self._api.credits.left
        way = ", then ".join(WAY_LABELS[way] for way in self._ways)
        return used | {"read": f"{way or 'nothing new'}."}

    def _new_progress(self) -> Progress:
        """Everything on the first load, after a long pause, and when a mapped field changes untracked."""
        started = (self._api.server_time or datetime.now(UTC)).astimezone(UTC)
        synced = _moment(self._stored.get("synced"))
        untraced = any(self._kind(name) in parse.UNTRACKED for name in self._mapping.api_names)
        if synced is None or untraced or started - synced > DELETIONS_KEPT:
            expected = self._api.count(self._module)
            return Progress(None, started, ways(expected, len(self._slices))[0], self._rules, expected)
        modified = _moment(self._stored.get("modified")) or synced
        return Progress(modified - OVERLAP, started, PAGES, self._rules)

    @cached_property
    def _slices(self) -> list[list[str]]:
        """Fields to request from lists, in slices of fifty."""
        listed = [name for name in self._mapping.api_names if self._kind(name) not in parse.NEVER_LISTED]
        is_lead = self._converted and _CONVERTED in self._fields  # it tells which ones Zoho counts
        return parse.field_slices([*([_CONVERTED] if is_lead else []), *listed])

    @cached_property
    def _converted(self) -> str | None:
        """For leads only: lists omit converted ones unless requested."""
        return "both" if self._module == "Leads" else None

    def _records(self, progress: Progress) -> Iterator[Batch]:
        """All records of this load; read again when some may have been skipped."""
        while True:
            yield from self._scan_once(progress)
            if not (reason := self._missed_reason(progress)):
                break
            last = progress.round >= _MAX_SCANS
            if progress.way == BULK and PAGES in ways(progress.expected or 0, len(self._slices)):
                progress.way = PAGES  # Bulk Read may omit rows that pages hold
            progress.restart(1 if last else progress.round + 1)
            yield Batch(frame_of([], self._contract), checkpoint=progress.text())
            if last:
                raise TransientSourceError(
                    f"Zoho CRM {self._module}: {reason}. The next run reads everything again."
                )
        if progress.torn:
            records = scan.reread_torn(self._api, self._module, self._slices, progress.torn, self._converted)
            progress.torn = []
            yield self._batch(records, [f"read again, row {n}" for n in range(1, len(records) + 1)], progress)

    def _scan_once(self, progress: Progress) -> Iterator[Batch]:
        """By the chosen method, or the next best that the token allows."""
        ways_left = self._remaining_ways(progress)
        while ways_left:
            way = ways_left.pop(0)
            try:
                yield from self._read_by(way, progress)
                break
            except (PageReachError, PageTokenError) as error:
                ways_left = self._fallback_ways(progress, error)
            except ScopeError:
                if not ways_left:
                    raise
        if progress.way != PAGES and self._converted and not progress.converted:
            live = progress.seen
            progress.restart(progress.round)
            progress.converted, progress.live = True, live
            yield from self._paged(progress)

    def _remaining_ways(self, progress: Progress) -> list[str]:
        if progress.since is not None or progress.page or progress.job:
            return [progress.way]
        choices = ways(progress.expected or 0, len(self._slices))
        return choices[choices.index(progress.way) :] if progress.way in choices else [progress.way]

    def _fallback_ways(self, progress: Progress, error: PageReachError | PageTokenError) -> list[str]:
        """Queries continue after the last id; without their scope the scan restarts, if that can help."""
        if progress.way != BULK and self._may_query():
            return [QUERY]
        if isinstance(error, PageReachError) or progress.round >= _MAX_SCANS:
            raise error
        progress.restart(progress.round + 1)
        return [progress.way]

    def _may_query(self) -> bool:
        try:
            self._api.query(self._module, f"select id from {self._module} where id > 0 limit 1", 1)  # noqa: S608 - COQL
        except ScopeError:
            return False
        return True

    def _missed_reason(self, progress: Progress) -> str:
        """Why records may have been skipped; empty when none were.

        A record deleted during paging moves the next one onto a page already read. Detected by Zoho's
        own count, for one page as for many, and by deletions since the reading began. Queries and Bulk Read
        skip nothing: fewer than Zoho counts means that they were cut.
        """
        if progress.since is None and (short := self._shortage(progress)):
            return short
        if progress.way != PAGES or progress.page <= 1 or progress.round >= _MAX_SCANS:
            return ""  # a busy CRM deletes all the time; in the last round the count has to suffice
        gone = scan.deletions(self._api, self._module, progress.started - OVERLAP)
        moments = [_moment(record.get("deleted_time")) for _, record in gone]
        shifted = any(moment is None or moment >= progress.started for moment in moments)
        return "records were deleted while they were read" if shifted else ""

    def _shortage(self, progress: Progress) -> str:
        """Fewer records than Zoho counts, in words; empty if an earlier run lacked as many: they are in no list."""
        seen = progress.live if progress.converted else progress.seen
        counted = progress.expected = self._api.count(self._module)
        if seen >= counted:
            return ""
        before = [*progress.gap, 0][0] - [*progress.gap, 0, 0][1]
        if counted - seen <= max(before, self._stored_unlisted):
            progress.unlisted = counted - seen
            return ""
        if progress.round >= _MAX_SCANS:
            progress.gap = [counted, seen]
        return f"{seen:,} records arrived where Zoho counts {counted:,}"

    def _read_by(self, way: str, progress: Progress) -> Iterator[Batch]:
        progress.way = way
        if way == BULK:
            names = [name for name in self._mapping.api_names if self._kind(name) not in parse.NEVER_LISTED]
            wanted = list(dict.fromkeys(["id", "Modified_Time", *names]))
            try:
                for columns in bulk.by_bulk(self._api, self._module, wanted, progress):
                    yield self._bulk_batch(columns, progress)
            except TransientSourceError:
                if progress.job:  # it still runs at Zoho and is paid for: the next run resumes it
                    yield Batch(frame_of([], self._contract), checkpoint=progress.text())
                raise
        elif way == QUERY:
            pages = scan.by_query(self._api, self._module, self._slices, progress)
            yield from self._batched(pages, "query", progress)
        else:
            yield from self._paged(progress)

    def _paged(self, progress: Progress) -> Iterator[Batch]:
        converted = "true" if progress.converted else self._converted
        pages = scan.by_pages(self._api, self._module, self._slices, progress, converted)
        yield from self._batched(pages, "page", progress)

    def _batched(self, pages: Iterator[list[Record]], word: str, progress: Progress) -> Iterator[Batch]:
        """Several pages per batch: a frame costs as much for two hundred rows as for two thousand."""
        records: list[Record] = []
        places: list[str] = []
        try:
            for page in pages:
                records += page
                places += [f"{word} {progress.page}, row {number}" for number in range(1, len(page) + 1)]
                if len(records) >= ROWS_A_BATCH:
                    yield self._batch(records, places, progress)
                    records, places = [], []
        except SourceError:
            yield self._batch(records, places, progress)  # keep what arrived; another method may continue
            raise
        yield self._batch(records, places, progress)

    def _batch(self, records: list[Record], places: list[str], progress: Progress) -> Batch:
        if progress.since is not None:
            stays = [parse.changed_since(record, progress.since) for record in records]
            records, places = list(compress(records, stays)), list(compress(places, stays))
        self._note_latest([record.get("Modified_Time") for record in records], progress)
        whole = self._with_details(records)
        if len(whole) < len(records):  # some were deleted since they were listed
            by_id = {str(record["id"]): place for record, place in zip(records, places, strict=True)}
            places = [by_id[str(record["id"])] for record in whole]
        batch = parse.parse_records(whole, self._contract, self._mapping, places)
        return Batch(batch.frame, batch.rejected, fetched=batch.fetched, checkpoint=progress.text())

    def _bulk_batch(self, columns: bulk.Columns, progress: Progress) -> Batch:
        begin = progress.rows_done - len(columns["id"]) + 1
        places = [f"bulk row {begin + number}" for number in range(len(columns["id"]))]
        if self._needs_details:
            rows = zip(*columns.values(), strict=True)
            return self._batch([dict(zip(columns, row, strict=True)) for row in rows], places, progress)
        self._note_latest(columns["Modified_Time"], progress)
        batch = parse.parse_columns(columns, self._contract, self._mapping, places)
        return Batch(batch.frame, batch.rejected, fetched=batch.fetched, checkpoint=progress.text())

    def _note_latest(self, times: Iterable[object], progress: Progress) -> None:
        """Keep the latest change seen."""
        moments = filter(None, map(parse.instant, {time for time in times if isinstance(time, str)}))
        progress.latest = max([*filter(None, [progress.latest]), *moments], default=None)

    @property
    def _needs_details(self) -> bool:
        kinds = {self._kind(name) for name in self._mapping.api_names}
        return bool(kinds & parse.NEVER_LISTED) or any(m.whole for m in self._mapping.fields.values())

    def _with_details(self, records: list[Record]) -> list[Record]:
        """Records with the subforms, multi-select lookups and long texts that lists omit."""
        absent = [name for name in self._mapping.api_names if self._kind(name) in parse.NEVER_LISTED]
        cut = [mapped.field for mapped in self._mapping.fields.values() if mapped.whole]
        needing = records if absent else [r for r in records if cut and parse.was_cut(r, cut)]
        if not needing:
            return records
        rich = [name for name in cut if self._is_rich(name)]
        single = [*absent, *(name for name in cut if name not in rich)]
        whole = scan.with_details(self._api, self._module, needing, single) if single else needing
        long = [record for record in whole if rich and parse.was_cut(record, rich)]
        full = scan.with_full_texts(self._api, self._module, long, rich) if long else []
        was_long = {str(record["id"]) for record in long}
        done = {str(r["id"]): r for r in [*(r for r in whole if str(r["id"]) not in was_long), *full]}
        requested = {str(record["id"]) for record in needing}
        return [
            done.get(str(record["id"]), record)
            for record in records
            if str(record["id"]) in done or str(record["id"]) not in requested
        ]

    def _deleted(self, progress: Progress) -> Iterator[Batch]:
        """Deletions since they were last requested; in a full reading, those made during it."""
        synced = None if self._is_full(progress) else _moment(self._stored.get("synced"))
        since = (synced or progress.started) - OVERLAP
        gone: dict[str, datetime | None] = {}
        for identity, record in scan.deletions(self._api, self._module, since):
            moment = _moment(record.get("deleted_time"))
            if moment is None or moment >= since:
                gone[identity] = moment
        self._deletions_read = True
        yield Batch(frame_of([], self._contract), deleted=gone, checkpoint=progress.text())

    def _is_rich(self, name: str) -> bool:
        """Rich text has a call of its own, the only one that never cuts it."""
        kind = self._fields.get(name, {}).get("textarea")
        return isinstance(kind, dict) and kind.get("type") == "rich_text"

    def _kind(self, name: str) -> str:
        return _type_of(self._fields.get(name, {}))

    def _require_fields(self) -> None:
        gone = [name for name in self._mapping.api_names if name not in self._fields and name != "id"]
        if gone:
            raise ContractError(
                f"Zoho CRM {self._module}: the fields {', '.join(gone)} no longer exist, or the token's"
                " user may not see them. Nothing was read. Restore them in Zoho, or correct mapping.yml"
                " (`mel zoho map` lists the fields there are)."
            )


def _type_of(field: Record) -> str:
    """Zoho's ``data_type``; ``json_type`` may be missing."""
    return str(field.get("data_type") or field.get("json_type") or "unknown")


def _moment(text: object) -> datetime | None:
    return parse.instant(text) if text else None
