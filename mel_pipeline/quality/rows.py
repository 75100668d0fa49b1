"""Rules about single rows, as Great Expectations on the frame of a load."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.contracts import Column, EntityContract, fingerprint_of
from mel_pipeline.quality.storable import unstorable

if TYPE_CHECKING:
    import pandas as pd

NUMBER = "__as_number"
FORMS = {
    "integer": (r"^[+-]?\d+$", "is not a whole number"),
    "number": (r"^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$", "is not a number"),
    "boolean": (r"^(?:true|false)$", "is neither true nor false"),
    "datetime": (
        r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[T ](?:[01]\d|2[0-3]):[0-5]\d",
        "is not a date with time",
    ),
}


@dataclass(frozen=True)
class BadRow:
    """One broken rule of one row. The reason names the rule; values of free text are not repeated."""

    source_ref: str
    row_key: str | None
    column: str
    rule: str
    reason: str
    payload: str


@dataclass(frozen=True)
class RowVerdict:
    """``good`` rows pass every rule; the others appear in ``bad``, once per broken rule."""

    good: pd.DataFrame
    bad: list[BadRow]


def check_rows(frame: pd.DataFrame, contract: EntityContract, *, is_sound: bool = False) -> RowVerdict:
    """Split a load into rows that fulfil the contract and rows that do not.

    Args:
        frame: the contract's columns as text, and ``_source_ref``.
        is_sound: whether ``content_of`` equals that of rows which passed every rule: they are not checked again.
    """
    if frame.empty or is_sound:
        return RowVerdict(frame, [])
    from mel_pipeline.quality.expectations import validate_frame

    plain = frame.reset_index(drop=True)
    result = validate_frame(_judged(plain, contract), list(_expectations(contract)))
    broken: dict[int, list[BadRow]] = {}
    for verdict in result.results:
        config = verdict.expectation_config
        if verdict.success or config is None:
            continue
        if "unexpected_index_list" not in verdict.result:
            raise RuntimeError(f"The rule {config.type} on {config.kwargs.get('column')} could not be run.")
        meta = config.meta or {}
        for position in verdict.result["unexpected_index_list"]:
            broken.setdefault(int(position), []).append(_bad_row(plain, int(position), contract, meta))
    for position, (column, words) in unstorable(plain, contract).items():
        if position not in broken:  # its own rule explains it better
            meta = {"column": column, "rule": "storable", "words": words}
            broken[position] = [_bad_row(plain, position, contract, meta)]
    good = plain.drop(index=sorted(broken)).reset_index(drop=True)
    return RowVerdict(good, [row for position in sorted(broken) for row in broken[position]])


def content_of(frame: pd.DataFrame, contract: EntityContract) -> str:
    """Digest of values, their order and the rules; independent of where the rows were read."""
    import pandas as pd

    seen = hashlib.sha256(f"{fingerprint_of(contract)} {version('great-expectations')}".encode())
    hashes = pd.util.hash_pandas_object(frame[list(contract.columns)], index=False)
    seen.update(hashes.to_numpy().tobytes())
    return seen.hexdigest()


def _bad_row(frame: pd.DataFrame, position: int, contract: EntityContract, meta: dict[str, Any]) -> BadRow:
    row = {name: (value if isinstance(value, str) else None) for name, value in frame.iloc[position].items()}
    keys = [row[name] for name in contract.row_key]
    reference = str(row.pop("_source_ref"))
    column = contract.columns[meta["column"]]
    shown = f" '{row[meta['column']]}'" if meta["rule"] == "allowed" and column.allowed else ""
    return BadRow(
        source_ref=reference,
        row_key="|".join(map(str, keys)) if all(key is not None for key in keys) else None,
        column=meta["column"],
        rule=meta["rule"],
        reason=f"{meta['column']}{shown} {meta['words']}",
        payload=json.dumps(row, ensure_ascii=False, sort_keys=True),
    )


def _judged(frame: pd.DataFrame, contract: EntityContract) -> pd.DataFrame:
    """The columns that have a rule; bounded ones again as numbers, for the range rules.

    Great Expectations hashes every column it gets, so columns without rules are left out.
    """
    import pandas as pd

    ruled = [
        name
        for name, column in contract.columns.items()
        if column.required or column.allowed or column.pattern or column.type != "text"
    ]
    bounded = [name for name, column in contract.columns.items() if _bounded(column)]
    numbers = {name + NUMBER: pd.to_numeric(frame[name], errors="coerce") for name in bounded}
    return frame[ruled or [next(iter(contract.columns))]].assign(**numbers)


def _bounded(column: Column) -> bool:
    return column.minimum is not None or column.maximum is not None


def _expectations(contract: EntityContract) -> Iterator[Any]:
    """The contract's row rules. ``meta`` carries the wording of the reason."""
    from mel_pipeline.quality.expectations import expectation_types

    gxe = expectation_types()
    for name, column in contract.columns.items():

        def meta(rule: str, words: str, name: str = name) -> dict[str, str]:
            return {"column": name, "rule": rule, "words": words}

        if column.required:
            yield gxe.ExpectColumnValuesToNotBeNull(column=name, meta=meta("required", "is missing"))
        if column.allowed:
            words = f"is not one of: {', '.join(column.allowed)}"
            yield gxe.ExpectColumnValuesToBeInSet(
                column=name, value_set=column.allowed, meta=meta("allowed", words)
            )
        if column.pattern:
            words = "does not have the expected form"
            yield gxe.ExpectColumnValuesToMatchRegex(
                column=name, regex=f"^(?:{column.pattern})$", meta=meta("pattern", words)
            )
        if column.type in FORMS:
            form, words = FORMS[column.type]
            yield gxe.ExpectColumnValuesToMatchRegex(column=name, regex=form, meta=meta("type", words))
        if column.type == "date":
            words = "is not a date like 2024-03-05"
            yield gxe.ExpectColumnValuesToMatchStrftimeFormat(
                column=name, strftime_format="%Y-%m-%d", meta=meta("type", words)
            )
        if _bounded(column):
            words = f"is outside {_span(column)}"
            yield gxe.ExpectColumnValuesToBeBetween(
                column=name + NUMBER,
                min_value=column.minimum,
                max_value=column.maximum,
                meta=meta("range", words),
            )


def _span(column: Column) -> str:
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"{low:g} and more" if low is not None else f"{high:g} and less"
