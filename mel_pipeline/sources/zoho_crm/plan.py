"""How to read a module: by which method, at what price, and its progress. Pure: no HTTP.

Credits by Zoho's price list: a page of 200 records 1; a query (COQL) 1 up to 200 rows, 2 up to 1,000,
3 up to 2,000; starting a Bulk Read job of up to 200,000 rows 50.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from math import ceil

PAGES, QUERY, BULK = "pages", "query", "bulk"
WAY_LABELS = {PAGES: "page by page", QUERY: "by query (COQL)", BULK: "by Bulk Read"}
PAGE, QUERY_ROWS, BULK_ROWS, PAGE_REACH = 200, 2_000, 200_000, 100_000
SMALL_MODULE = (
    10_000  # up to here pages cost no more than starting one Bulk Read job, and there is no waiting
)
_BULK_CALLS = 10  # polling a job and downloading its result


def query_credits(limit: int) -> int:
    return 1 if limit <= 200 else 2 if limit <= 1_000 else 3


def price(way: str, records: int, slices: int) -> int:
    """Credits to read this many records in this many slices of fields."""
    if way == PAGES:
        return max(ceil(records / PAGE), 1) * slices
    if way == QUERY:
        return max(ceil(records / QUERY_ROWS), 1) * query_credits(QUERY_ROWS) * slices
    return max(ceil(records / BULK_ROWS), 1) * (50 + _BULK_CALLS)


def ways(records: int, slices: int) -> list[str]:
    """The ways to read a whole module, best first. Beyond 100,000 records pages do not reach."""
    if records <= SMALL_MODULE:
        return [PAGES]
    big = sorted((QUERY, BULK), key=lambda way: price(way, records, slices))
    return [*big, PAGES] if records <= PAGE_REACH else big


@dataclass
class Progress:
    """The progress of a reading: all a later run needs to resume it.

    ``since`` None means everything. ``tokens`` has one page token per slice of fields; empty at the start.
    ``torn`` are ids that changed between two slices and have to be read again.
    """

    since: datetime | None
    started: datetime  # by Zoho's clock
    way: str
    rules: str  # fingerprint of contract and mapping
    expected: int | None = None  # records that existed when the reading began
    tokens: list[str] = field(default_factory=list)
    page: int = 0
    more: bool = False  # more pages follow
    seen: int = 0
    last_id: int = 0
    torn: list[str] = field(default_factory=list)
    round: int = 1
    converted: bool = False  # the separate scan of converted leads
    live: int = 0  # seen before that scan; Zoho counts only these
    gap: list[int] = field(default_factory=list)  # counted and listed, when an earlier run gave up
    unlisted: int = 0  # counted by Zoho and in no list, twice in a row: drafts, awaiting approval
    job: str = ""
    rows_done: int = 0  # of that job's result
    ahead: list[str] = field(default_factory=list)  # the next job, already started, and its page token
    latest: datetime | None = None  # latest Modified_Time seen
    records_done: bool = False

    def text(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def read(cls, text: str) -> Progress:
        stored = json.loads(text)
        for name in ("since", "started", "latest"):
            stored[name] = datetime.fromisoformat(stored[name]) if stored[name] else None
        return cls(**stored)

    def restart(self, round: int) -> None:
        """Back to the first record; rows already read stay, as they are stored by id."""
        self.tokens, self.page, self.seen, self.last_id = [], 0, 0, 0
        self.job, self.rows_done, self.ahead = "", 0, []
        self.round = round
