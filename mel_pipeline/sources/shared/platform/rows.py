"""Rows of the shapes ``accounts``, ``contents`` and ``metrics`` (shapes.yml), one function each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, get_args

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.sources.shared.base import Batch, Rejected, frame_of, text_of

Grain = Literal["day", "month", "quarter", "year", "lifetime"]
Quality = Literal["given", "sampled", "thresholded"]  # of a figure that is there
Availability = Quality | Literal["no_data", "not_offered", "suppressed", "retired", "no_access"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
Row = dict[str, str | None]
WHOLE_ACCOUNT = "all"


@dataclass(frozen=True)
class Period:
    """The period of a figure. ``end`` is the first day after it; None for a lifetime figure."""

    grain: Grain
    start: date
    end: date | None = None

    @property
    def text(self) -> str:
        return f"{self.start}" if self.end is None else f"{self.start} to {self.end} (exclusive)"


def account_row(
    platform: str, account: str, name: str | None, taken_on: date, followers: object, ref: str
) -> Row:
    return {
        "platform": platform,
        "account_id": account,
        "name": name,
        "taken_on": taken_on.isoformat(),
        "followers": text_of(followers),
        "_source_ref": ref,
    }


def content_row(
    platform: str, account: str, content: str | None, kind: str | None, title: str | None,
    published_at: str | None, ref: str,
) -> Row:  # fmt: skip
    """``published_at`` is ISO with an offset."""
    return {
        "platform": platform,
        "account_id": account,
        "content_id": content,
        "kind": kind,
        "title": title,
        "published_at": published_at,
        "_source_ref": ref,
    }


def metric_row(
    platform: str,
    account: str,
    metric: str,
    period: Period,
    value: object,
    ref: str,
    *,
    content: str = WHOLE_ACCOUNT,
    quality: Quality = "given",
    why_missing: Availability = "no_data",
) -> Row:
    """One figure. A value that is None stays empty with the reason; zero is a value."""
    text = text_of(value if not isinstance(value, float) else Decimal(str(value)))
    return {
        "platform": platform,
        "account_id": account,
        "content_id": content,
        "metric": metric,
        "grain": period.grain,
        "period_start": period.start.isoformat(),
        "period_end": period.end.isoformat() if period.end else None,
        "value": text,
        "availability": why_missing if text is None else quality,
        "_source_ref": ref,
    }


def unread_rows(
    platform: str, account: str, metrics: Iterable[str], periods: Iterable[Period | date]
) -> list[Row]:
    """Figures of an account that could not be read, for periods or days: empty, and known to be missing."""
    spans = [
        one if isinstance(one, Period) else Period("day", one, one + timedelta(days=1)) for one in periods
    ]
    return [
        metric_row(
            platform, account, metric, span, None, f"account {account}, {span.text}", why_missing="no_access"
        )
        for metric in metrics
        for span in spans
    ]


def batch_of(
    rows: Sequence[Row],
    contract: EntityContract,
    rejected: Sequence[Rejected] = (),
    *,
    checkpoint: str | None = None,
    notes: Sequence[str] = (),
) -> Batch:
    """Rows as a batch; ``fetched`` counts good and rejected ones."""
    return Batch(
        frame_of(rows, contract),
        list(rejected),
        fetched=len(rows) + len(rejected),
        notes=list(notes),
        checkpoint=checkpoint,
    )
