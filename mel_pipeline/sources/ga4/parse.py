"""Turn Google Analytics' responses into rows: every value is text, looked up by its header. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.shared.platform.rows import Period, Quality, batch_of, metric_row, unread_rows
from mel_pipeline.sources.shared.values import whole_number

NAME = "ga4"
DAILY_METRICS = ("sessions", "screenPageViews")
USERS = "totalUsers"


@dataclass(frozen=True)
class Report:
    """A page of a report. ``rows`` may come in any order; ``total`` counts them over all pages."""

    rows: list[dict[str, str]]
    total: int
    time_zone: str | None
    is_thresholded: bool  # Google omits rows of few people
    has_other_row: bool  # Google merged rows into one called (other)
    sample: str | None  # "1,000 of 50,000 events", where the figures are estimated from a sample
    tokens_left: int | None

    @property
    def quality(self) -> Quality:
        """What its figures are: exact, estimated from a sample, or without small groups."""
        return "sampled" if self.sample else "thresholded" if self.is_thresholded else "given"


def report_of(data: Mapping[str, object], wanted: Sequence[str]) -> Report:
    """Read a page.

    Raises:
        PermanentSourceError: a requested header is missing, or a row does not fit the headers.
    """
    names = [
        str(header.get("name"))
        for part in ("dimensionHeaders", "metricHeaders")
        for header in _records(data, part)
    ]
    if not set(wanted) <= set(names):
        raise PermanentSourceError("Google Analytics did not send the requested columns.")
    rows = []
    for row in _records(data, "rows"):
        values = [
            str(one.get("value", ""))
            for part in ("dimensionValues", "metricValues")
            for one in _records(row, part)
        ]
        if len(values) != len(names):
            raise PermanentSourceError("Google Analytics sent a row that does not fit its headers.")
        rows.append(dict(zip(names, values, strict=True)))
    metadata = _record(data, "metadata")
    left = _record(_record(data, "propertyQuota"), "tokensPerDay").get("remaining")
    return Report(
        rows,
        whole_number(data.get("rowCount")) or 0,
        str(metadata["timeZone"]) if metadata.get("timeZone") else None,
        metadata.get("subjectToThresholding") is True,
        metadata.get("dataLossFromOtherRow") is True,
        _sample(metadata),
        whole_number(left),
    )


def least_exact(qualities: Iterable[Quality]) -> Quality:
    """Of several pages of one report: an estimate makes the whole an estimate."""
    return max(qualities, key=("given", "thresholded", "sampled").index, default="given")


def _sample(metadata: Mapping[str, object]) -> str | None:
    """How many events were read of how many, where Google read a sample; one entry per date range."""
    for entry in _records(metadata, "samplingMetadatas"):
        read, whole = (
            whole_number(entry.get("samplesReadCount")),
            whole_number(entry.get("samplingSpaceSize")),
        )
        return f"{read:,} of {whole:,} events" if read is not None and whole else "some of the events"
    return None


def unread_days(contract: EntityContract, site: str, days: Sequence[date]) -> Batch:
    """Days of a property that could not be read."""
    return batch_of(unread_rows(NAME, site, DAILY_METRICS, days), contract)


def unread_periods(contract: EntityContract, site: str, periods: Sequence[Period]) -> Batch:
    """Periods of a property that could not be read."""
    return batch_of(unread_rows(NAME, site, [USERS], periods), contract)


def day_rows(
    rows: Sequence[Mapping[str, str]],
    contract: EntityContract,
    site: str,
    days: Sequence[date],
    quality: Quality = "given",
) -> Batch:
    """One row per day and metric; a day without data has no figure."""
    by_day = {row.get("date"): row for row in rows}
    found = []
    for day in days:
        figures = by_day.get(f"{day:%Y%m%d}", {})
        period = Period("day", day, day + timedelta(days=1))
        ref = f"property {site}, {day}"
        found += [
            metric_row(NAME, site, metric, period, figures.get(metric), ref, quality=quality)
            for metric in DAILY_METRICS
        ]
    return batch_of(found, contract)


def user_rows(
    rows: Sequence[Mapping[str, str]],
    contract: EntityContract,
    site: str,
    period: Period,
    quality: Quality = "given",
) -> Batch:
    """Unique visitors of exactly this period, as Google counts them."""
    value = rows[0].get(USERS) if rows else None
    ref = f"property {site}, {period.text}"
    return batch_of([metric_row(NAME, site, USERS, period, value, ref, quality=quality)], contract)


def _records(data: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    """Objects of a list; Google omits it when it is empty."""
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PermanentSourceError(f"Google Analytics sent no list in {name}.")
    yield from found


def _record(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}
