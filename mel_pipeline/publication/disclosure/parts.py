"""Figures in parts that say nothing about one another: a group of indicators in one year.

Every relation (see ``structure.relations``) joins figures of one group and one year, so each part is protected, and
attacked, on its own. A part holds everything its protection depends on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from mel_pipeline.publication.disclosure.structure import Record, Row, Sensitivity, records_of

if TYPE_CHECKING:
    import pandas as pd


class Part(NamedTuple):
    """``shown`` and ``withheld``: figures that readers have seen, and figures they must not learn."""

    records: tuple[Record, ...]
    rules: tuple[tuple[str, Sensitivity], ...]
    shown: frozenset[Row]
    withheld: frozenset[Row]


def parts_of(
    frame: pd.DataFrame,
    rules: Mapping[str, Sensitivity],
    shown: Iterable[Row],
    withheld: Iterable[Row],
) -> Iterator[Part]:
    """The parts of a frame, equal wherever figures, rules, and what was shown and withheld are the same."""
    found: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records_of(frame, rules):
        found[_place(record.row, rules)].append(record)
    seen, secret = _by_place(shown, rules), _by_place(withheld, rules)
    for place in sorted(found):
        records = sorted(found[place], key=lambda record: record.row)
        names = sorted({record.row.indicator for record in records})
        yield Part(
            tuple(records),
            tuple((name, rules[name]) for name in names),
            frozenset(seen.get(place, ())),
            frozenset(secret.get(place, ())),
        )


def _place(row: Row, rules: Mapping[str, Sensitivity]) -> tuple[str, str]:
    return rules[row.indicator].group, row.period[:4]


def _by_place(rows: Iterable[Row], rules: Mapping[str, Sensitivity]) -> dict[tuple[str, str], set[Row]]:
    found: dict[tuple[str, str], set[Row]] = defaultdict(set)
    for row in rows:
        found[_place(row, rules)].add(row)
    return found
