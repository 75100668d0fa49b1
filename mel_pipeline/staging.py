"""Batches of a load as entries of the staging table: rows judged, bad ones put aside, deletions. No database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mel_pipeline.contracts import EntityContract

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.sources.base import Batch
    from mel_pipeline.warehouse.quarantine import QuarantinedRow


def staged_frame(
    batches: list[Batch], contract: EntityContract, now: datetime
) -> tuple[pd.DataFrame, list[QuarantinedRow]]:
    """Batches as entries of the staging table, and the rows put aside with their reasons.

    Returns:
        One entry a row, good (``row``) or bad (``bad``, its values left out), and one a deletion (``gone``).
    """
    import pandas as pd

    from mel_pipeline import quality
    from mel_pipeline.warehouse.quarantine import QuarantinedRow

    columns = [*contract.columns, "_source_ref"]
    frames = [batch.frame for batch in batches if len(batch.frame)]
    frame = (
        pd.concat(frames, ignore_index=True)[columns]
        if frames
        else pd.DataFrame(columns=columns, dtype="str")
    )
    verdict = quality.check_rows(frame, contract)
    bad = [
        QuarantinedRow(row.source_ref, row.row_key, row.column, "readable", row.reason, row.payload)
        for batch in batches
        for row in batch.rejected
    ]
    bad += [
        QuarantinedRow(row.source_ref, row.row_key, row.column, row.rule, row.reason, row.payload)
        for row in verdict.bad
    ]
    good = verdict.good
    entries = [
        good.assign(_row_key=row_keys(good, contract), _kind="row", _changed_at=_moments(good, contract))
    ]
    if aside := list(
        dict.fromkeys((row.row_key, row.source_ref) for row in bad)
    ):  # a row can break two rules
        keys, places = zip(*aside, strict=True)
        entries.append(pd.DataFrame({"_row_key": keys, "_source_ref": places, "_kind": "bad"}))
    if gone := [(key, _utc(moment) or now) for batch in batches for key, moment in batch.deleted.items()]:
        keys, moments = zip(*gone, strict=True)
        entries.append(pd.DataFrame({"_row_key": keys, "_changed_at": moments, "_kind": "gone"}))
    entries = [entry for entry in entries if len(entry)] or entries[:1]
    return pd.concat(entries, ignore_index=True), bad


def _moments(frame: pd.DataFrame, contract: EntityContract) -> pd.Series[pd.Timestamp]:
    """When each row last changed at the source, UTC without zone; empty where the source does not say."""
    import pandas as pd

    if contract.changed_at is None or frame.empty:
        return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
    read = pd.to_datetime(frame[contract.changed_at], utc=True, format="ISO8601", errors="coerce")
    return read.dt.tz_localize(None).astype("datetime64[us]")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def row_keys(frame: pd.DataFrame, contract: EntityContract) -> pd.Series[str]:
    """The columns that identify a row, joined by ``|``."""
    first, *rest = contract.row_key
    keys = frame[first].astype("str")
    for column in rest:
        keys = keys + "|" + frame[column].astype("str")
    return keys
