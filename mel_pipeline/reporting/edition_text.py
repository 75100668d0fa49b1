"""An edition as canonical text and back, so that a published one can be kept. Figures are texts of their own, by period.

A text written by an earlier version is read with what it has: fields and columns added since are empty.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.reporting import edition as content
from mel_pipeline.reporting.edition import NEEDED, Edition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mel_pipeline.reporting.site.register import Register

LIVE = (
    "publication",
    "restatements",
    "is_sample",
    "release_days",
    "revision_policy",
)  # what a published edition learns later
OF_REGISTER = ("Register", "Outcome")  # kinds of ``site.register``; the others are of ``edition``
FRAME, CLASS, DAY = "frame", "class", "day"


def edition_texts(edition: Edition) -> tuple[str, dict[str, str]]:
    """The edition without its figures, and period → its figures; later periods are left out.

    Raises:
        TypeError: a value of a type that has no canonical form.
    """
    last = closing_quarter(edition.period)
    parts = {
        str(period): _dumped(_plain(part.reset_index(drop=True)))
        for period, part in edition.figures.groupby("period", sort=True)
        if closing_quarter(str(period)) <= last
    }
    plain = _plain(replace(edition, figures=edition.figures.iloc[:0]))
    plain["fields"] = {name: value for name, value in plain["fields"].items() if name not in LIVE}
    return _dumped(plain), parts


def read_texts(text: str, parts: Mapping[str, str], **live: Any) -> Edition:
    """The edition of these texts. ``live``: the fields that are not kept."""
    found = json.loads(text)
    known = {field.name for field in fields(Edition)}
    values = {name: _read(value) for name, value in found["fields"].items() if name in known}
    frames = [_read(json.loads(parts[period])) for period in sorted(parts)]
    if frames:
        values["figures"] = pd.concat(frames, ignore_index=True)
    for name, columns in NEEDED.items():
        frame = values[name]
        values[name] = frame.assign(**{column: None for column in columns if column not in frame})
    return Edition(**values, **live)


def register_text(register: Register) -> str:
    """What was stated about projects, outcomes and partnerships when an edition was published."""
    return _dumped(_plain(register))


def read_register(text: str) -> Register:
    found: Register = _read(json.loads(text))
    return found


def _dumped(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        rows = value.astype(object).where(value.notna(), None).to_numpy().tolist()
        return {
            "is": FRAME,
            "columns": [str(name) for name in value.columns],
            "types": [str(kind) for kind in value.dtypes],
            "rows": [[_plain(cell) for cell in row] for row in rows],
        }
    if is_dataclass(value) and not isinstance(value, type):
        own = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {"is": CLASS, "name": type(value).__name__, "fields": own}
    if isinstance(value, dict):
        return {"is": "dict", "items": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple, frozenset)):
        ordered = sorted(value, key=repr) if isinstance(value, frozenset) else value
        return {"is": type(value).__name__, "items": [_plain(item) for item in ordered]}
    if isinstance(value, date):
        return {"is": DAY, "value": value.isoformat()[:10]}
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or isinstance(plain, (str, bool, int, float)):
        return plain
    raise TypeError(f"A {type(value).__name__} cannot be kept with a published edition.")


def _read(plain: Any) -> Any:
    if not isinstance(plain, dict):
        return plain
    readers: dict[str, Callable[[Any], Any]] = {
        FRAME: _frame,
        CLASS: _instance,
        DAY: lambda found: date.fromisoformat(found["value"]),
        "dict": lambda found: {_read(key): _read(item) for key, item in found["items"]},
        "list": lambda found: [_read(item) for item in found["items"]],
        "frozenset": lambda found: frozenset(_read(item) for item in found["items"]),
        "tuple": lambda found: tuple(_read(item) for item in found["items"]),
    }
    return readers[plain["is"]](plain)


def _frame(plain: Any) -> pd.DataFrame:
    rows = [[_read(cell) for cell in row] for row in plain["rows"]]
    frame = pd.DataFrame(rows, columns=plain["columns"], dtype=object)
    kept = ("int", "float", "Int", "Float", "bool", "str")
    return frame.astype(
        {
            name: kind
            for name, kind in zip(plain["columns"], plain["types"], strict=True)
            if kind.startswith(kept) and not (kind.startswith(("int", "bool")) and frame[name].isna().any())
        }
    )


def _instance(plain: Any) -> Any:
    from mel_pipeline.reporting.site import register

    kind = getattr(register if plain["name"] in OF_REGISTER else content, plain["name"])
    known = {field.name for field in fields(kind)}
    return kind(**{name: _read(value) for name, value in plain["fields"].items() if name in known})
