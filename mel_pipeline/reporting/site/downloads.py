"""The released figures of one indicator as CSV, safe to open in a spreadsheet and without withheld figures."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.reporting.figures.lookup import SUPPRESSED
from mel_pipeline.reporting.figures.measures import missing, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

TEXTS = ("indicator_id", "period", "dimension", "category", "status", "note")
NUMBERS = ("value", "numerator", "denominator", "n")
COLUMNS = (*TEXTS[:4], *NUMBERS, *TEXTS[4:])
STARTERS = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(text: str) -> str:
    """Escape a text so that no spreadsheet reads it as a formula."""
    return f"'{text}" if text.startswith(STARTERS) else text


def figures_csv(
    figures: pd.DataFrame,
    indicator: str,
    months: Sequence[Mapping[str, Any]] = (),
    parts: str | None = None,
) -> bytes:
    """Every released row by period, the total first, then the months. UTF-8 with a byte order mark: Excel reads accents.

    Args:
        months: rows of ``Edition.months``. ``parts``: the breakdown that their categories belong to.
    """
    rows: list[Mapping[Any, Any]] = [*figures[figures["indicator_id"] == indicator].to_dict("records")]
    rows.sort(key=lambda row: _order({str(key): value for key, value in row.items()}))
    rows += [_month(row, parts) for row in months if row["indicator_id"] == indicator]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        withheld = row["status"] == SUPPRESSED
        writer.writerow(
            [
                escape_formula(words(row[column]))
                if column in TEXTS
                else _number(None if withheld else row[column])
                for column in COLUMNS
            ]
        )
    return buffer.getvalue().encode("utf-8-sig")


def _month(row: Mapping[str, Any], parts: str | None) -> dict[str, Any]:
    found = dict.fromkeys(COLUMNS) | {
        name: row[name] for name in ("indicator_id", "period", "category", "value")
    }
    return found | {"dimension": (parts or "category") if row["category"] else "total", "status": "ok"}


def _order(row: dict[str, Any]) -> tuple[str, int, int, str, str]:
    period, dimension = words(row["period"]), words(row["dimension"])
    return (
        closing_quarter(period),
        int("-" not in period),
        int(dimension not in ("", "total")),
        dimension,
        words(row["category"]),
    )


def _number(value: Any) -> str:
    return "" if missing(value) else f"{float(value):.12g}"
