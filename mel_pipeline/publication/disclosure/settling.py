"""What a publication may take in of figures about people, given what earlier publications made known.

A reader compares editions: the difference between two versions of a figure, or between a year and its published quarters, is
a figure about those who changed. Figures about the same people and period therefore change together, and only by enough
people; and a year whose quarters are all published is their sum. Pure: numbers in, choices out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple

from mel_pipeline.core.periods import Quarter, quarters_of_year
from mel_pipeline.publication.disclosure.structure import RARE, Row, Sensitivity, is_missing, row_of

if TYPE_CHECKING:
    import pandas as pd

ADDITIVE = ("ratio", "flow")
BEST_SCORE = 5.0
SAME = 1e-6
Choice = Literal["current", "held", "summed", "closed"]


class Block(NamedTuple):
    """The figures of a group of indicators in one period; they are about the same people."""

    group: str
    period: str


class Numbers(NamedTuple):
    """Of one figure. ``people`` and ``members``: distinct persons, where cases are not persons."""

    numerator: float | None
    denominator: float | None
    people: float | None = None
    members: float | None = None


NOBODY = Numbers(0.0, 0.0)
Cells = Mapping[Row, Numbers]  # rows without their period
Blocks = Mapping[Block, Cells]


def blocks_of(frame: pd.DataFrame, rules: Mapping[str, Sensitivity]) -> dict[Block, dict[Row, Numbers]]:
    """The numbers of the figures about people, by block.

    Args:
        frame: columns of ``indicator_values``, and ``people`` and ``members`` where they are known.
    """
    found: dict[Block, dict[Row, Numbers]] = defaultdict(dict)
    for record in frame[frame["indicator_id"].isin(rules)].to_dict("records"):
        row = row_of(record)
        numbers = [record.get(name) for name in Numbers._fields]
        found[Block(rules[row.indicator].group, row.period)][_anytime(row)] = Numbers(
            *(None if number is None or is_missing(number) else float(number) for number in numbers)
        )
    return dict(found)


def settle(
    quarter: str,
    current: Blocks,
    public: Blocks,
    rules: Mapping[str, Sensitivity],
    min_cell: int,
    held: frozenset[Block] = frozenset(),
    withheld: Blocks | None = None,
) -> dict[Block, Choice]:
    """How each block of a quarter, and of the year that it closes, may be published now.

    ``current``: as calculated. ``held``: as published before. ``summed``: the year as the sum of its public quarters,
    because the data have changed since they were published. ``closed``: not at all.

    Args:
        current: numbers of every calculated period.
        public: numbers as of their last publication, of blocks of which something has been shown.
        held: blocks that have to stay as published.
        withheld: the same of published blocks of which nothing has been shown.
    """
    year, is_last = quarter[:4], Quarter.parse(quarter).number == 4
    groups = sorted({block.group for block in current if block.period == quarter})
    found: dict[Block, Choice] = {}
    for group in groups:
        mine, whole = Block(group, quarter), Block(group, year)
        out = {**public, **(withheld or {})}
        choices: list[list[Choice]] = [_options(mine, out, held)]
        if is_last and whole in current:
            adds_up = all(rule.aggregation in ADDITIVE for rule in rules.values() if rule.group == group)
            choices.append(_options(whole, out, held, summed=adds_up))
            if adds_up and whole in out and not _all_public(whole, mine, public):
                choices[-1] = ["held"]  # what its quarters were then is not known, and must not become so
        chosen = next(
            option
            for option in _by_preference(choices)
            if not _differ_by_few(
                dict(zip((mine, whole), option, strict=False)), current, out, rules, min_cell
            )
            and _is_safe(dict(zip((mine, whole), option, strict=False)), current, public, rules, min_cell)
        )
        found |= dict(zip((mine, whole), chosen, strict=False))
    return found


def sum_of(parts: Sequence[Cells]) -> dict[Row, Numbers]:
    """Numerators and denominators added up; a figure that one part lacks has nobody in it there."""
    total: dict[Row, Numbers] = {}
    for row in {row for part in parts for row in part}:
        numbers = [part.get(row, NOBODY) for part in parts]
        total[row] = Numbers(
            _added([item.numerator for item in numbers]), _added([item.denominator for item in numbers])
        )
    return total


def quarters_behind(
    year: Block, current: Blocks, public: Blocks, chosen: Mapping[Block, Choice]
) -> list[Cells]:
    """The public numbers of a year's quarters, of the quarter being published as chosen; those there are."""
    parts = [Block(year.group, str(quarter)) for quarter in quarters_of_year(int(year.period))]
    return [cells for part in parts if (cells := _numbers(part, current, public, chosen)) is not None]


def _all_public(year: Block, but: Block, public: Blocks) -> bool:
    parts = {Block(year.group, str(quarter)) for quarter in quarters_of_year(int(year.period))}
    return parts - {but} <= public.keys()


def _options(
    block: Block, out: Collection[Block], held: frozenset[Block], *, summed: bool = False
) -> list[Choice]:
    if block in held:
        return ["held"]
    options: list[Choice] = ["current"]
    if summed:
        options.append("summed")
    if block in out:
        options.append("held")
    return [*options, "closed"]


def _by_preference(choices: Sequence[Sequence[Choice]]) -> list[tuple[Choice, ...]]:
    """Closing a quarter comes last, then closing its year."""
    options = list(product(*choices))
    return sorted(options, key=lambda option: [choice == "closed" for choice in option])


def _differ_by_few(
    chosen: Mapping[Block, Choice],
    current: Blocks,
    out: Blocks,
    rules: Mapping[str, Sensitivity],
    min_cell: int,
) -> bool:
    """Whether a new version differs from the last by few people. A sum of public quarters tells only what they do."""
    return any(
        few_changed(out[block], current[block], rules, min_cell)
        for block, choice in chosen.items()
        if choice == "current" and block in out
    )


def _is_safe(
    chosen: Mapping[Block, Choice],
    current: Blocks,
    public: Blocks,
    rules: Mapping[str, Sensitivity],
    min_cell: int,
) -> bool:
    for block, choice in chosen.items():
        if choice == "summed" and _numbers(block, current, public, chosen) is None:
            return False  # not all of its quarters are public
    if all(choice in ("held", "closed") for choice in chosen.values()):
        return True
    first = next(iter(chosen))
    return not _year_gives_away(
        Block(first.group, first.period[:4]), chosen, current, public, rules, min_cell
    )


def _year_gives_away(
    year: Block,
    chosen: Mapping[Block, Choice],
    current: Blocks,
    public: Blocks,
    rules: Mapping[str, Sensitivity],
    min_cell: int,
) -> bool:
    """Whether a year differs from the quarters that a reader can add up: one already published, by few people."""
    whole = _numbers(year, current, public, chosen) if year in chosen or year in public else None
    parts = quarters_behind(year, current, public, chosen)
    if whole is None or len(parts) < len(quarters_of_year(int(year.period))):
        return False
    additive = {name: rule for name, rule in rules.items() if rule.aggregation in ADDITIVE}
    most = float("inf") if chosen.get(year) == "current" else min_cell
    return few_changed(sum_of(parts), whole, additive, most)


def _numbers(block: Block, current: Blocks, public: Blocks, chosen: Mapping[Block, Choice]) -> Cells | None:
    """What is public of a block after the choice; None if nothing is."""
    choice = chosen.get(block)
    if choice == "current":
        return current[block]
    if choice == "summed":
        parts = quarters_behind(block, current, public, chosen)
        return sum_of(parts) if len(parts) == len(quarters_of_year(int(block.period))) else None
    return None if choice == "closed" else public.get(block)


def few_changed(before: Cells, after: Cells, rules: Mapping[str, Sensitivity], min_cell: float) -> bool:
    """Whether some figure differs, and differs by fewer people than a small group."""
    for row in before.keys() | after.keys():
        if row.indicator in rules:
            pair = before.get(row, NOBODY), after.get(row, NOBODY)
            if any(people < min_cell for people in _changes(row, *pair, rules[row.indicator])):
                return True
    return False


def _changes(row: Row, before: Numbers, after: Numbers, rule: Sensitivity) -> Iterator[float]:
    """How many people at least a difference is about; nothing where the figures are the same."""
    parts = ("numerator",) if rule.people == "numerator" else ("numerator", "denominator")
    steps = {part: _step(getattr(before, part), getattr(after, part)) for part in parts}
    if any(step is None for step in steps.values()):
        return  # it was, or is, not available: there is nothing to subtract
    cases = {part: step for part, step in steps.items() if step is not None}
    if max(cases.values()) <= SAME:
        return
    persons = [
        step
        for name in ("people", "members")
        if (step := _step(getattr(before, name), getattr(after, name))) is not None
    ]
    if _counts_cases(before, rule) or _counts_cases(after, rule):
        yield max(persons, default=1.0)  # how many is not known of a sum of quarters
    else:
        # A person who answers moves the sum of scores by five at most, promoters less detractors by two.
        scale = {"score": BEST_SCORE, "points": 2.0}.get(rule.unit, 1.0)
        yield max(cases[rule.people], cases["numerator"] / scale)
    if row.category == RARE:
        members = _step(before.members, after.members)
        rare = cases["numerator"] if members is None else members
        if rare > SAME:
            yield rare


def _counts_cases(numbers: Numbers, rule: Sensitivity) -> bool:
    count = getattr(numbers, rule.people)
    return numbers.people is not None and count is not None and numbers.people < count


def _step(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else abs(after - before)


def _added(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _anytime(row: Row) -> Row:
    return row._replace(period="")
