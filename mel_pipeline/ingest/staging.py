"""Turn a load's batches into staging entries: rows corrected and pseudonymised, deletions, rejected rows. No database."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.contracts import MALFORMED, EntityContract
from mel_pipeline.ingest.corrections import correct
from mel_pipeline.ingest.row_processing import RowProcessing

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.ingest.corrections import Correction
    from mel_pipeline.sources.shared.base import Batch
    from mel_pipeline.warehouse.quarantine import Quarantined

PLAIN = RowProcessing()
MAX_FINGERPRINTED = 20_000  # rows; comparing more with the last load costs as much as checking them


@dataclass(frozen=True)
class Staged:
    """Entries of the staging table: one per row (``row``), one per row that the source rejected or a correction left
    out (``bad``, without its values), and one per deletion (``gone``); the rejected rows with their reasons, and which
    corrections were used on which rows. ``content`` is a digest of the rows; empty where there are too many.
    ``bad`` lists single cells, too.
    """

    entries: pd.DataFrame
    bad: list[Quarantined]
    corrected: list[tuple[str, str]]
    erased: int
    content: str = ""


def staged_frame(
    batches: list[Batch],
    contract: EntityContract,
    now: datetime,
    processing: RowProcessing = PLAIN,
    source: str = "",
    *,
    is_whole: bool = True,
) -> Staged:
    """Batches as entries of the staging table: corrected, pseudonymised, not yet judged.

    Args:
        source: whose rows these are; people of different sources have different pseudonyms.
        is_whole: these are all the rows of the load; a part of one has no digest.
    """
    import pandas as pd

    from mel_pipeline import quality
    from mel_pipeline.warehouse.quarantine import Quarantined

    columns = [*contract.columns, "_source_ref"]
    frames = [batch.frame for batch in batches if len(batch.frame)]
    frame = (
        pd.concat(frames, ignore_index=True)[columns]
        if frames
        else pd.DataFrame(columns=columns, dtype="str")
    )
    people = People(contract, processing, source)
    corrected = correct(frame, processing.corrections)
    keys = row_keys(corrected.frame, contract)
    used = [
        (line, people.row_key(keys[position]))
        for line, position in corrected.used
        if pd.notna(keys[position])
    ]
    rows = _without(corrected.frame, corrected.left_out)
    has_digest = is_whole and 0 < len(rows) <= MAX_FINGERPRINTED
    content = quality.content_of(rows, contract) if has_digest else ""
    bad = [
        Quarantined(row.source_ref, row.row_key, row.column, "readable", row.reason, row.payload)
        for batch in batches
        for row in batch.rejected
    ]
    bad += [
        _quarantined_by_correction(corrected.frame.loc[position], keys[position], line)
        for position, line in corrected.left_out.items()
    ]
    rows, taken = _without_unstorable(rows, contract)
    bad += taken
    bad = [people.hidden(row) for row in bad]
    good, erased = people.without_erased(people.pseudonymised(rows))
    entries = [
        good.assign(_row_key=row_keys(good, contract), _kind="row", _changed_at=_moments(good, contract))
    ]
    # A row can break two rules.
    if quarantined := list(dict.fromkeys((row.row_key, row.source_ref) for row in bad if row.lost == "row")):
        places = zip(*quarantined, strict=True)
        entries.append(
            pd.DataFrame(dict(zip(("_row_key", "_source_ref"), places, strict=True)) | {"_kind": "bad"})
        )
    if gone := [
        (people.row_key(key), _utc(moment) or now)
        for batch in batches
        for key, moment in batch.deleted.items()
    ]:
        deleted, moments = zip(*gone, strict=True)
        entries.append(pd.DataFrame({"_row_key": deleted, "_changed_at": moments, "_kind": "gone"}))
    entries += _gone(corrected.frame.loc[list(corrected.left_out)], keys, people, contract)
    entries = [entry for entry in entries if len(entry)] or entries[:1]
    return Staged(pd.concat(entries, ignore_index=True), bad, used, erased, content)


def _gone(
    left_out: pd.DataFrame, keys: pd.Series[str], people: People, contract: EntityContract
) -> list[pd.DataFrame]:
    """Rows that a correction leaves out: what was stored of them before counts no more."""
    import pandas as pd

    named = left_out[keys.loc[left_out.index].notna()]
    if named.empty:
        return []
    gone = [people.row_key(keys[position]) for position in named.index]
    moments = list(_moments(named, contract))
    return [pd.DataFrame({"_row_key": gone, "_changed_at": moments, "_kind": "gone"})]


def _without_unstorable(
    rows: pd.DataFrame, contract: EntityContract
) -> tuple[pd.DataFrame, list[Quarantined]]:
    """Rows without the cells that no database column holds, or without the row that is nothing without the cell."""
    from mel_pipeline.quality.storable import unstorable
    from mel_pipeline.warehouse.quarantine import Quarantined

    taken: list[Quarantined] = []
    lost: list[int] = []
    keys = row_keys(rows, contract)
    for position, column, words in unstorable(rows, contract):
        row = rows.loc[position]
        values = {name: row[name] if isinstance(row[name], str) else None for name in contract.columns}
        needed = contract.needs(column)
        key = None if column in contract.row_key else str(keys[position])
        payload = json.dumps(values | {column: None}, ensure_ascii=False, sort_keys=True)
        reason = f"{column} {words}"
        taken.append(
            Quarantined(
                str(row["_source_ref"]), key, column, "storable", reason, payload, "row" if needed else "cell"
            )
        )
        if needed:
            lost.append(position)
        else:
            rows.loc[position, column] = None
    return _without(rows, lost), taken


def _without(frame: pd.DataFrame, positions: Collection[int]) -> pd.DataFrame:
    """Without some rows; the others are not copied where there are none to leave out."""
    return frame.drop(index=list(positions)).reset_index(drop=True) if positions else frame


def _quarantined_by_correction(row: Any, key: str, line: Correction) -> Quarantined:
    from mel_pipeline.warehouse.quarantine import LEFT_OUT, Quarantined

    values = {str(name): value if isinstance(value, str) else None for name, value in row.items()}
    reference = str(values.pop("_source_ref"))
    payload = json.dumps(values, ensure_ascii=False, sort_keys=True)
    return Quarantined(
        reference, key, None, LEFT_OUT, f"Left out: {line.reason} ({line.provider}, {line.date})", payload
    )


class People:
    """The columns of an entity that identify people, and how they are pseudonymised or erased."""

    def __init__(self, contract: EntityContract, processing: RowProcessing, source: str) -> None:
        self.columns = [name for name, column in contract.columns.items() if column.person == "key"]
        self.is_person = contract.row_key == self.columns
        self.required = [name for name in self.columns if contract.columns[name].required]
        self.contract, self.processing, self.source = contract, processing, source

    def row_key(self, key: str) -> str:
        hides = self.is_person and self.processing.pseudonyms is not None
        return (
            self.processing.pseudonyms.of(self.source, key) if hides and self.processing.pseudonyms else key
        )

    def pseudonymised(self, frame: pd.DataFrame) -> pd.DataFrame:
        """With pseudonyms, and with the names of ids that lacked the expected form."""
        frame = frame.assign(**{MALFORMED: self._malformed(frame)})
        if self.processing.pseudonyms is None:
            return frame
        return frame.assign(
            **{name: self.processing.pseudonyms.column(self.source, frame[name]) for name in self.columns}
        )

    def _malformed(self, frame: pd.DataFrame) -> pd.Series[str]:
        import pandas as pd

        found = pd.Series("", index=frame.index, dtype="str")
        for name in self.columns:
            if pattern := self.contract.columns[name].pattern:
                lacks = frame[name].notna() & ~frame[name].str.fullmatch(pattern).fillna(False).astype(bool)
                found = found.mask(lacks, found + f",{name},")
        return found.mask(found == "")

    def without_erased(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Drop rows of people who requested erasure; where a row only mentions one, empty the mention."""
        if not self.processing.erased:
            return frame, 0
        mine = row_keys(frame, self.contract).isin(self.processing.erased)
        removed = int(mine.sum())
        frame = frame[~mine].reset_index(drop=True)
        for name in self.columns:
            gone = frame[name].isin(self.processing.erased)
            removed += int(gone.sum())
            if name in self.required:
                frame = frame[~gone].reset_index(drop=True)
            else:
                frame = frame.assign(**{name: frame[name].mask(gone)})
        return frame, removed

    def hidden(self, row: Quarantined) -> Quarantined:
        """A quarantined row with pseudonyms in place of people."""
        if not self.columns or self.processing.pseudonyms is None:
            return row
        values = json.loads(row.payload) if row.payload else {}
        for name in self.columns:
            if isinstance(values, dict) and values.get(name):
                values[name] = self.processing.pseudonyms.of(self.source, str(values[name]))
        payload = json.dumps(values, ensure_ascii=False, sort_keys=True) if row.payload else None
        key = self.row_key(row.row_key) if row.row_key is not None else None
        return replace(row, payload=payload, row_key=key)


def _moments(frame: pd.DataFrame, contract: EntityContract) -> pd.Series[pd.Timestamp]:
    """When each row last changed at the source, UTC without zone; empty where the source does not state it."""
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
