"""All figures as they may be seen, given what published editions have shown and withheld. Pure: frames in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.publication.disclosure.choice import named
from mel_pipeline.publication.disclosure.protection import BOUNDS, exposed, protect
from mel_pipeline.publication.disclosure.settling import (
    SAME,
    Block,
    Choice,
    Numbers,
    blocks_of,
    quarters_behind,
    settle,
    sum_of,
)
from mel_pipeline.publication.disclosure.structure import HIDDEN, Row, Sensitivity, row_of, rows_of

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[str, str, str]  # indicator, period, disaggregation
KEY = ["indicator_id", "period", "disaggregation"]


@dataclass(frozen=True)
class Visible:
    """The figures as they may be seen.

    ``frame``: every figure; ``version`` is that of its publication, empty for a draft. ``numbers``: the same rows with
    nothing withheld. ``held``: blocks of the quarter published again that stay as they were. ``kept``: figures that
    do not come from the last calculation. ``unprotected``: what published figures reveal, in sentences.
    """

    frame: pd.DataFrame
    numbers: pd.DataFrame
    held: frozenset[Block]
    kept: tuple[Key, ...]
    unprotected: tuple[str, ...]
    exposed: tuple[Row, ...]


def visible(
    current: pd.DataFrame,
    public: pd.DataFrame,
    rules: Mapping[str, Sensitivity],
    *,
    min_cell: int = 5,
    republish: str | None = None,
) -> Visible:
    """Published quarters as published, the others protected together with them.

    Args:
        current: figures as calculated, with ``people`` and ``members`` where cases are not persons.
        public: the last version of every published quarter, with ``version``, ``shown``, and the numbers that stand
            behind withheld figures.
        republish: a published quarter to show as its next version would be.
    """
    public = public.assign(shown=public["shown"].astype(bool))  # an empty frame has no types
    made = _Making(current, public, rules, min_cell, republish)
    found = made.result(frozenset())
    if republish is None or not found.exposed:
        return found
    # Rather the old version of a group of figures than a new one that gives others away.
    before = set(visible(current, public, rules, min_cell=min_cell).exposed)
    groups = {rules[row.indicator].group for row in found.exposed if row not in before}
    stay = {block for block in made.public if block.group in groups and block.period in made.periods}
    return made.result(frozenset(stay)) if stay else found


def newly_exposed(
    found: Visible, quarter: str, public: pd.DataFrame, rules: Mapping[str, Sensitivity], min_cell: int
) -> list[str]:
    """Withheld figures that publishing a quarter would give away, which nothing published does yet."""
    frame = found.frame[found.frame["indicator_id"].isin(rules)]
    is_out = frame["version"].notna()
    mine, hidden = frame["quarter"] == quarter, frame["status"] == HIDDEN
    earlier = public[public["shown"].astype(bool) & (public["quarter"] == quarter)]
    earlier = earlier[earlier["indicator_id"].isin(rules)]
    before = {*rows_of(frame[is_out & ~mine & ~hidden]), *rows_of(earlier)}
    after = {*before, *rows_of(frame[mine & ~hidden])}
    secret = rows_of(frame[(mine | is_out) & hidden])
    would_be = exposed(found.numbers, rules, after, secret, min_cell=min_cell)
    if not would_be:
        return []
    known = exposed(found.numbers, rules, before, secret, min_cell=min_cell)
    groups = {(rules[row.indicator].group, *row[1:]) for row in would_be - known}
    return [named(cell) for cell in sorted(groups)]


class _Making:
    def __init__(
        self,
        current: pd.DataFrame,
        public: pd.DataFrame,
        rules: Mapping[str, Sensitivity],
        min_cell: int,
        republish: str | None,
    ) -> None:
        self.frames, self.rules, self.min_cell, self.republish = (current, public), rules, min_cell, republish
        self.current, self.public = blocks_of(current, rules), blocks_of(public, rules)
        shown = blocks_of(public[public["shown"]], rules).keys()
        self.withheld = {block: cells for block, cells in self.public.items() if block not in shown}
        self.open = {block: cells for block, cells in self.public.items() if block in shown}
        out = set(public["quarter"]) - {republish}
        self.drafts = sorted(set(current["quarter"]) - out)
        self.periods = set(current.loc[current["quarter"] == republish, "period"]) if republish else set()

    def result(self, stay: frozenset[Block]) -> Visible:
        chosen: dict[Block, Choice] = {}
        for quarter in self.drafts:
            chosen |= settle(quarter, self.current, self.open, self.rules, self.min_cell, stay, self.withheld)
        numbers = self._numbers(chosen)
        frozen, withheld = self._seen(chosen)
        done = protect(
            numbers,
            self.rules,
            min_cell=self.min_cell,
            frozen=frozen,
            withheld=withheld | self._closed(chosen),
        )
        held = frozenset(block for block, choice in chosen.items() if choice == "held")
        return Visible(
            done.frame, numbers, held, self._kept(chosen), tuple(done.unprotected), tuple(done.exposed)
        )

    def _numbers(self, chosen: Mapping[Block, Choice]) -> pd.DataFrame:
        import pandas as pd

        current, public = self.frames
        drafts = current[current["quarter"].isin(self.drafts)].assign(version=None)
        held = self._of(drafts, chosen, "held")
        stays = ~public["quarter"].isin(self.drafts) | self._of(public, chosen, "held")
        parts = [public[stays].drop(columns="shown"), self._summed(drafts[~held], chosen)]
        parts = [part for part in parts if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else drafts

    def _of(self, frame: pd.DataFrame, chosen: Mapping[Block, Choice], choice: Choice) -> pd.Series:
        import pandas as pd

        wanted = {block for block, made in chosen.items() if made == choice}
        pairs = zip(frame["indicator_id"], frame["period"], strict=True)
        mine = [
            name in self.rules and Block(self.rules[name].group, period) in wanted for name, period in pairs
        ]
        return pd.Series(mine, index=frame.index, dtype=bool)

    def _summed(self, frame: pd.DataFrame, chosen: Mapping[Block, Choice]) -> pd.DataFrame:
        """Years that differ from their public quarters by too few people: their sum instead."""
        mine = self._of(frame, chosen, "summed")
        if not mine.any():
            return frame
        frame = frame.copy()
        for index, record in zip(frame.index[mine], frame[mine].to_dict("records"), strict=True):
            row = row_of(record)
            rule = self.rules[row.indicator]
            parts = quarters_behind(Block(rule.group, row.period), self.current, self.open, chosen)
            numbers = sum_of(parts).get(row._replace(period=""), Numbers(0.0, 0.0))
            frame.loc[index, ["numerator", "denominator", "value", "n"]] = _printed(numbers, rule)
            frame.loc[index, [name for name in BOUNDS if name in frame]] = None  # of other numbers
            frame.loc[index, "status"] = "ok" if numbers.denominator else "not_available"
        return frame

    def _seen(self, chosen: Mapping[Block, Choice]) -> tuple[set[Key], set[Key]]:
        """What has been shown and would still be the same number, and what has been withheld."""
        import pandas as pd

        _, public = self.frames
        again = public["quarter"].isin(self.drafts) & ~self._of(public, chosen, "held")
        changed = {
            (row.indicator, block.period, row.dimension, row.category)
            for block, cells in self.public.items()
            for row, numbers in cells.items()
            if _differs(numbers, self.current.get(block, {}).get(row))
        }
        gone = pd.Series([row in changed for row in rows_of(public)], index=public.index, dtype=bool)
        return _keys(public[public["shown"] & ~(gone & again)]), _keys(public[~public["shown"]])

    def _closed(self, chosen: Mapping[Block, Choice]) -> set[Key]:
        current, _ = self.frames
        return _keys(current[self._of(current, chosen, "closed")])

    def _kept(self, chosen: Mapping[Block, Choice]) -> tuple[Key, ...]:
        """Figures of the quarter published again, or summed, that the last calculation does not give."""
        current, _ = self.frames
        mine = current[self._of(current, chosen, "held") | self._of(current, chosen, "summed")]
        found = []
        for record in mine.to_dict("records"):
            row = row_of(record)
            block = Block(self.rules[row.indicator].group, row.period)
            cell = row._replace(period="")
            if chosen[block] == "summed":
                other = sum_of(quarters_behind(block, self.current, self.open, chosen)).get(cell)
            else:
                other = self.public[block].get(cell)
            if other is None or _differs(other, self.current[block][cell]):
                found.append(tuple(str(record[name]) for name in KEY))
        return tuple(sorted(found))  # type: ignore[arg-type] # three names each


def _printed(numbers: Numbers, rule: Sensitivity) -> list[float | None]:
    above, below = numbers.numerator, numbers.denominator
    if above is None or below is None or not below:
        return [above, below, None, below]
    return [above, below, (1.0 if rule.unit == "score" else 100.0) * above / below, below]


def _differs(one: Numbers, other: Numbers | None) -> bool:
    if other is None:
        return True
    pairs = ((one.numerator, other.numerator), (one.denominator, other.denominator))
    return any(
        (a is None) != (b is None) or (a is not None and b is not None and abs(a - b) > SAME)
        for a, b in pairs
    )


def _keys(frame: pd.DataFrame) -> set[Key]:
    return set(zip(*(frame[name] for name in KEY), strict=True))
