"""Which figures to withhold: those about too few people, and as many others as needed to protect them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mel_pipeline.publication.disclosure.choice import Cell, Choice, cell_of, named
from mel_pipeline.publication.disclosure.parts import Part, parts_of
from mel_pipeline.publication.disclosure.structure import HIDDEN, Row, Sensitivity, figures_of, rows_of

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = ["value", "numerator", "denominator", "n"]
BOUNDS = ["low", "high", "variance"]
COVERAGE = ["expected", "covered"]


@dataclass(frozen=True)
class Protected:
    """The figures with some withheld, and what published figures still reveal, in sentences and by figure."""

    frame: pd.DataFrame
    unprotected: list[str] = field(default_factory=list)
    exposed: list[Row] = field(default_factory=list)


def protect(
    frame: pd.DataFrame,
    rules: Mapping[str, Sensitivity],
    *,
    min_cell: int = 5,
    frozen: Iterable[tuple[str, str, str]] = (),
    withheld: Iterable[tuple[str, str, str]] = (),
) -> Protected:
    """Withhold what has to be withheld.

    Args:
        frame: figures of all periods, columns of ``indicator_values``. ``suppressed`` ones stay suppressed.
        rules: of the indicators about people.
        min_cell: a figure that counts fewer people than this, and more than none, is sensitive.
        frozen: indicator, period and disaggregation of published figures, including those without data.
        withheld: the same of figures withheld at publication: they stay withheld in every later version.
    """
    ours = frame[frame["indicator_id"].isin(rules)]
    keys = zip(ours["indicator_id"], ours["period"], ours["disaggregation"], strict=True)
    names = dict(zip(keys, rows_of(ours), strict=True))
    parts = parts_of(
        frame,
        rules,
        (names[name] for name in frozen if name in names),
        (names[name] for name in withheld if name in names),
    )
    solved = [_protected(part, min_cell) for part in parts]
    hidden = {row for part in solved for row in part.hidden}
    few = sorted(cell for part in solved for cell in part.published_small)
    given_up = sorted(found for part in solved for found in part.given_up)
    unprotected = [f"{named(cell)} is published although it counts few people." for cell in few]
    unprotected += [
        f"{named(cell_of(row, rules))} follows from figures already published." for *_, row in given_up
    ]
    done = without_bounds(_blanked(frame, hidden), rules)
    return Protected(done, unprotected, [row for *_, row in given_up])


def without_bounds(frame: pd.DataFrame, rules: Mapping[str, Sensitivity]) -> pd.DataFrame:
    """The figures without the intervals of means that would help to infer a withheld figure.

    The interval of a share follows from its numbers, which are printed. That of a mean gives its variance, so the sum of
    the squared scores (of a net score, of promoters and detractors): one more equation between answers by score, cells,
    quarters and the year. It is printed only where nothing of its group is withheld in its period, and of a year in none
    of its quarters: then there is nothing to infer.
    """
    means = {name for name, rule in rules.items() if rule.unit in ("score", "points")}
    if "low" not in frame or not means:
        return frame
    hidden = frame[(frame["status"] == HIDDEN) & frame["indicator_id"].isin(rules)]
    pairs = zip(hidden["indicator_id"], hidden["period"], strict=True)
    closed = {(rules[name].group, part) for name, period in pairs for part in (period, period[:4])}
    pairs = zip(frame["indicator_id"], frame["period"], strict=True)
    mine = [name in means and (rules[name].group, period) in closed for name, period in pairs]
    if not any(mine):
        return frame
    out = frame.copy()
    out.loc[mine, [name for name in BOUNDS if name in out]] = None
    return out


def exposed(
    frame: pd.DataFrame,
    rules: Mapping[str, Sensitivity],
    shown: Iterable[Row],
    secret: Iterable[Row] = (),
    *,
    min_cell: int = 5,
) -> set[Row]:
    """What ``shown`` reveals: figures about few people among the others, and the exact number of a ``secret`` one.

    Args:
        frame: all figures, none withheld.
        shown: what has been printed, and nothing else.
    """
    found: set[Row] = set()
    for part in parts_of(frame, rules, shown, secret):
        found |= _exposed(part, min_cell)
    return found


class _Solved(NamedTuple):
    """Of one part: what to withhold, small figures already published, and figures that can no longer be protected, in
    the order of ``Choice.guarded``."""

    hidden: frozenset[Row]
    published_small: tuple[Cell, ...]
    given_up: tuple[tuple[bool, bool, Row], ...]


# A run asks the same question several times: for the figures as they are, as they would be published, and again after
# each quarter. The answer depends on nothing but the part and the smallest group.
@lru_cache(maxsize=512)
def _protected(part: Part, min_cell: int) -> _Solved:
    rules = dict(part.rules)
    choice = Choice(figures_of(part.records, rules), rules, min_cell)
    choice.frozen = {choice.cell(row) for row in part.shown}
    choice.hide({choice.cell(row) for row in part.withheld} - choice.frozen)
    choice.run()
    return _Solved(frozenset(choice.figures.hidden), tuple(choice.published_small), tuple(choice.given_up))


@lru_cache(maxsize=512)
def _exposed(part: Part, min_cell: int) -> frozenset[Row]:
    rules = dict(part.rules)
    choice = Choice(figures_of(part.records, rules), rules, min_cell)
    printed = {choice.cell(row) for row in part.shown}
    choice.hide(choice.members.keys() - printed)
    return frozenset(
        quantity.row
        for quantity in choice.guarded()
        if (choice.is_small(quantity) or quantity.row in part.withheld) and choice.is_exposed(quantity)
    )


def _blanked(frame: pd.DataFrame, hidden: set[Row]) -> pd.DataFrame:
    if not hidden:
        return frame.copy()
    out = frame.copy()
    mine = [row in hidden for row in rows_of(frame)]
    out.loc[mine, [*NUMBERS, *(name for name in (*BOUNDS, *COVERAGE) if name in out)]] = None
    out.loc[mine, "note"] = None
    out.loc[mine, "status"] = HIDDEN
    return out
