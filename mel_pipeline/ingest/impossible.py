"""Figures of platforms that cannot be: no numbers, or below zero where something is counted. No source by name here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mel_pipeline.core.contracts import EntityContract, Metric
from mel_pipeline.sources.shared.base import Batch, Rejected, key_of, payload_of

_NUMBER = r"-?\d+(?:\.\d+)?"
_CAN_FALL = {"new_followers", "interactions", "other"}  # people leave, and take a like back


def without_impossible(batch: Batch, contract: EntityContract, metrics: Mapping[str, Metric]) -> Batch:
    """The batch without such rows, which are quarantined: a stored figure stays, and none is made up."""
    if contract.shape != "metrics" or batch.frame.empty:
        return batch
    values = batch.frame["value"].fillna("0").astype(str)
    is_number = values.str.fullmatch(_NUMBER)
    counted = {name for name, metric in metrics.items() if metric.counts not in _CAN_FALL}
    is_below = values.str.startswith("-") & batch.frame["metric"].isin(counted)
    bad = batch.frame[~is_number | is_below]
    if bad.empty:
        return batch
    rejected: list[Rejected] = []
    for row in bad.astype(object).where(bad.notna(), None).to_dict("records"):
        of_row = {str(name): value for name, value in row.items()}
        why = "below zero, and it is a count" if is_number[bad.index[len(rejected)]] else "not a number"
        payload = payload_of({**of_row, "value": None}, contract)
        reason = f"The value of {row['metric']} is {why}."
        rejected.append(Rejected(str(row["_source_ref"]), key_of(of_row, contract), "value", reason, payload))
    return replace(batch, frame=batch.frame.drop(index=bad.index), rejected=[*batch.rejected, *rejected])
