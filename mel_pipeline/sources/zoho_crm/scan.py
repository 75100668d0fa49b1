"""Scan a module: page by page, by query, and the records that need a second read. No rows here.

Both go in the order of ids, which never change: what is added during the scan comes last; what changes
keeps its place, and the next load reads it again because its Modified_Time has moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from mel_pipeline.core.errors import PermanentSourceError, TransientSourceError
from mel_pipeline.sources.shared.prefetch import prefetch
from mel_pipeline.sources.zoho_crm.api import IDS_A_CALL, PER_PAGE, Api, Page, Record
from mel_pipeline.sources.zoho_crm.errors import PageReachError
from mel_pipeline.sources.zoho_crm.parse import is_converted, join_slices, numeric_id
from mel_pipeline.sources.zoho_crm.plan import PAGE_REACH, QUERY, QUERY_ROWS, Progress, query_credits

PAGE_NUMBER_REACH = 2_000  # records; beyond, Zoho accepts only page_token
PREFETCH_PAGES = 64  # fetched while others are processed, and while 20,000 rows are staged; some 20 MB
_MAX_REREADS = 3  # attempts on a record that keeps changing between slices of fields


def by_pages(
    api: Api, module: str, slices: Sequence[Sequence[str]], progress: Progress, converted: str | None
) -> Iterator[list[Record]]:
    """Pages of whole records; the next ones are prefetched while these are processed.

    Raises:
        PageTokenError: a page token is no longer valid.
        PageReachError: more records than Zoho lists; ``progress.last_id`` says where to continue.
    """
    pending: list[dict[str, Record]] = [{} for _ in slices]
    for pages in prefetch(_pages(api, module, slices, progress, converted), PREFETCH_PAGES):
        _note(progress, pages)
        whole = _join_pages(pages, pending)
        left = {identity for part in pending for identity in part}
        progress.torn = list(dict.fromkeys([*progress.torn, *left]))
        yield whole
        if any(page.more for page in pages):
            progress.torn = [identity for identity in progress.torn if identity not in left]
    _require_end(progress, module)


def _pages(
    api: Api, module: str, slices: Sequence[Sequence[str]], progress: Progress, converted: str | None
) -> Iterator[list[Page]]:
    """The same page of every slice, starting after ``progress``, which is read only once: prefetching runs ahead of it."""
    number, tokens, since = progress.page, list(progress.tokens), progress.since
    last = progress.last_id
    if number and not progress.more:
        return  # interrupted after the last page
    while True:
        number += 1
        fetch = partial(api.page, module, number=number, since=since, converted=converted)
        positions = _positions(tokens, number, len(slices))
        pages = list((map if len(slices) == 1 else api.pool.map)(fetch, slices, positions))
        tokens = [page.token or "" for page in pages]
        newest = max((numeric_id(record) for page in pages for record in page.records), default=0)
        if any(page.more for page in pages) and newest <= last:
            raise _nothing_new(module, f"page {number}")
        last = max(last, newest)
        yield pages
        if not any(page.more for page in pages):
            return
        if number * PER_PAGE >= PAGE_NUMBER_REACH and not all(page.token for page in pages if page.more):
            return


def _nothing_new(module: str, where: str) -> TransientSourceError:
    return TransientSourceError(
        f"Zoho CRM {module} {where}: it announces more records and brings none that is new, so reading stopped."
        " Run the load again later."
    )


def _positions(tokens: list[str], number: int, slices: int) -> list[dict[str, str]]:
    return [{"page_token": token} if token else {"page": str(number)} for token in (tokens or [""] * slices)]


def _require_end(progress: Progress, module: str) -> None:
    """Check that the last page was the end of the list.

    Raises:
        PageReachError: it was not, but Zoho lists no more.
        PermanentSourceError: it was not, and there is no page token to continue with.
    """
    if not progress.more:
        return
    if progress.page * PER_PAGE >= PAGE_REACH:
        raise PageReachError(f"Zoho CRM {module}: Zoho lists only 100,000 records page by page.")
    raise PermanentSourceError(
        f"Zoho CRM {module} page {progress.page}: more records were announced but no page token came"
        " with them. Nothing was lost. Report it to the maintainer of the connector."
    )


def _note(progress: Progress, pages: list[Page]) -> None:
    """Advance past these pages."""
    progress.page += 1
    numbers = [numeric_id(record) for record in pages[0].records]
    progress.seen += sum(
        number > progress.last_id and not is_converted(record)
        for number, record in zip(numbers, pages[0].records, strict=True)
    )
    progress.last_id = max([progress.last_id, *numbers])
    progress.tokens = [page.token or "" for page in pages]
    progress.more = any(page.more for page in pages)


def _join_pages(pages: list[Page], pending: list[dict[str, Record]]) -> list[Record]:
    """Records complete after these pages; the others wait in ``pending``."""
    if len(pages) == 1:
        return list(pages[0].records)
    for part, page in zip(pending, pages, strict=True):
        part |= {str(record["id"]): record for record in page.records}
    common = set(pending[0]).intersection(*pending[1:])
    whole, _ = join_slices([{key: part[key] for key in part if key in common} for part in pending])
    done = {str(record["id"]) for record in whole}
    for part in pending:
        for identity in done:
            del part[identity]
    return list(whole)


def by_query(
    api: Api, module: str, slices: Sequence[Sequence[str]], progress: Progress
) -> Iterator[list[Record]]:
    """By COQL, each call starting after the last id: no record is read twice, none is skipped."""
    progress.way = QUERY
    while True:
        first, *others = [
            api.pool.submit(api.query, module, _select(module, fields, progress), query_credits(QUERY_ROWS))
            for fields in slices
        ]
        pages = [first.result(), *(future.result() for future in others)]
        more = any(page.more for page in pages)
        if (
            more
            and max((numeric_id(r) for page in pages for r in page.records), default=0) <= progress.last_id
        ):
            raise _nothing_new(module, "query")
        upto = min(max(map(numeric_id, page.records), default=0) for page in pages)
        parts = [
            {str(r["id"]): r for r in page.records if not more or numeric_id(r) <= upto} for page in pages
        ]
        whole, torn = join_slices(parts)
        progress.page += 1
        progress.seen += len(whole) + len(torn)
        progress.last_id = max([progress.last_id, *(numeric_id(record) for record in whole), *map(int, torn)])
        progress.torn = list(dict.fromkeys([*progress.torn, *torn]))
        yield list(whole)
        if not more:
            return


def _select(module: str, fields: Sequence[str], progress: Progress) -> str:
    where = f"id > {progress.last_id}"
    if progress.since is not None:
        where = f"({where} and Modified_Time >= '{progress.since.isoformat(timespec='seconds')}')"
    return f"select {', '.join(fields)} from {module} where {where} order by id asc limit {QUERY_ROWS}"  # noqa: S608 - COQL; names are ours


def reread_torn(
    api: Api, module: str, slices: Sequence[Sequence[str]], torn: Sequence[str], converted: str | None
) -> list[Record]:
    """Records that changed between two slices, read again until they are consistent.

    Raises:
        TransientSourceError: some keep changing.
    """
    found: list[Record] = []
    left = list(torn)
    for _ in range(_MAX_REREADS):
        if not left:
            break
        again = [_by_ids(api, module, fields, left, converted) for fields in slices]
        whole, left = join_slices(again)  # an id in none of the slices was deleted
        found += whole
    if left:
        raise TransientSourceError(
            f"Zoho CRM {module}: {len(left)} records kept changing while they were read."
            " The next run resumes from here."
        )
    return found


def _by_ids(
    api: Api, module: str, fields: Sequence[str], ids: Sequence[str], converted: str | None
) -> dict[str, Record]:
    parts = [ids[start : start + IDS_A_CALL] for start in range(0, len(ids), IDS_A_CALL)]
    pages = api.pool.map(lambda part: api.by_ids(module, fields, part, converted), parts)
    return {str(record["id"]): record for page in pages for record in page}


def with_details(api: Api, module: str, records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """These records with the fields that lists omit or cut, one call per record."""
    requested = ["id", *names]
    details = api.pool.map(lambda record: api.full_record(module, str(record["id"]), requested), records)
    return [
        {**record, **{name: detail.get(name) for name in names}}
        for record, detail in zip(records, details, strict=True)
        if detail is not None  # deleted since; /deleted reports it
    ]


def with_full_texts(api: Api, module: str, records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """These records with their rich texts in full length, a hundred a call."""
    ids = [str(record["id"]) for record in records]
    parts = [ids[start : start + IDS_A_CALL] for start in range(0, len(ids), IDS_A_CALL)]
    answers = api.pool.map(lambda part: api.full_texts(module, names, part), parts)
    full = {str(record.get("id")): record for answer in answers for record in answer}
    return [
        {
            **record,
            **{name: full[str(record["id"])][name] for name in names if name in full[str(record["id"])]},
        }
        for record in records
        if str(record["id"]) in full  # one that is not was deleted since; /deleted reports it
    ]


def deletions(api: Api, module: str, since: datetime | None) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Id and record of what was deleted since then, and more if the server ignores the date."""
    number = 0
    seen: set[str] = set()
    while True:
        number += 1
        page = api.deleted(module, number, since)
        ids = {str(record["id"]) for record in page.records if "id" in record}
        for record in page.records:
            if "id" in record:
                yield str(record["id"]), record
        if not page.more:
            return
        if ids <= seen:
            raise _nothing_new(module, f"deleted page {number}")
        seen |= ids
