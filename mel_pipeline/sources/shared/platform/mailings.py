"""What newsletter services share: which issues to request, complete paging, issues and counts as rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mel_pipeline.core.contracts import EntityContract, fingerprint_of
from mel_pipeline.core.errors import PermanentSourceError, TransientSourceError
from mel_pipeline.sources.shared.base import Batch, Rejected
from mel_pipeline.sources.shared.platform.rows import Period, Row, batch_of, content_row, metric_row
from mel_pipeline.sources.shared.values import Novelty, moment_from, whole_number

STILL_MOVING = timedelta(days=30)  # after sending


def sent_since(cursor: str | None, contract: EntityContract, beginning: date) -> date:
    """The first sending day to request. Starts over when the contract has changed."""
    stored = json.loads(cursor) if cursor else {}
    if stored.get("rules") != fingerprint_of(contract):
        return beginning
    return max(beginning, date.fromisoformat(stored["until"]) - STILL_MOVING)


def next_cursor(contract: EntityContract, today: date) -> str:
    """The cursor after today's load."""
    return json.dumps({"rules": fingerprint_of(contract), "until": today.isoformat()})


@dataclass(frozen=True)
class Mailing:
    """One issue as a service reports it. ``counts`` has every metric; None where the service has none."""

    id: str
    account: str
    kind: str
    title: str | None
    sent_at: str | None  # ISO with an offset
    counts: Mapping[str, object]

    @property
    def sent(self) -> datetime | None:
        try:
            return moment_from(self.sent_at)
        except ValueError:
            return None


RowsOf = Callable[[str, Iterable[Mailing], EntityContract], Batch]


def content_rows(platform: str, mailings: Iterable[Mailing], contract: EntityContract) -> Batch:
    """One row per issue; an issue without an id or sending time is rejected."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for one in mailings:
        ref = f"campaign {one.id or 'without an id'}"
        if not one.id or one.sent is None:
            reason = "The campaign has no id or no sending time."
            rejected.append(Rejected(ref, one.id or None, "published_at", reason, "{}"))
            continue
        sent = one.sent.isoformat()
        rows.append(content_row(platform, one.account, one.id, one.kind, one.title, sent, ref))
    return batch_of(rows, contract, rejected)


def count_rows(platform: str, mailings: Iterable[Mailing], contract: EntityContract) -> Batch:
    """The counts of each issue since it was sent; ``content_rows`` rejects what cannot be an issue."""
    rows = [
        metric_row(
            platform, one.account, metric, Period("lifetime", one.sent.date()), value, f"campaign {one.id}",
            content=one.id,
        )
        for one in mailings
        if one.id and one.sent is not None
        for metric, value in one.counts.items()
    ]  # fmt: skip
    return batch_of(rows, contract)


Record = Mapping[str, object]


def total_of(data: Record, name: str, what: str) -> int:
    """How many records a service says there are.

    Raises:
        PermanentSourceError: it does not say, so the last page could not be recognised.
    """
    total = whole_number(data.get(name))
    if total is None:
        raise PermanentSourceError(
            f"{what}: the answer does not say how many records there are ({name}), so nothing shows whether it is"
            " complete. Nothing was stored. Check the address in the settings."
        )
    return total


def every_page(what: str, ask: Callable[[int], tuple[list[Record], int]]) -> Iterator[list[Record]]:
    """Every page, checked against the total that the service reports: a gap would otherwise go unnoticed.

    Args:
        what: "Brevo campaigns", for messages.
        ask: returns the page that begins at a position, and the total.

    Raises:
        TransientSourceError: fewer records arrived than were announced.
    """
    seen: set[str] = set()
    start = total = 0
    novelty = Novelty(what)
    while True:
        page, total = ask(start)
        seen |= {str(one.get("id")) for one in page}
        if page:
            yield page
        start += len(page)
        if not page or start >= total:
            break
        novelty.require(one.get("id") for one in page)
    if len(seen) < total:
        raise TransientSourceError(
            f"{what}: {total} were announced and {len(seen)} arrived; the list changed meanwhile."
            " Nothing was stored. Run the load again."
        )
