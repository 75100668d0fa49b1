"""Judge a figure on its way from a dated baseline to a target. Pure: numbers and days in, a judgement out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from mel_pipeline.core.periods import Quarter

ON_FROM, NEAR_FROM, OVER_FROM = 0.95, 0.75, 1.05  # of the progress expected by now
HELD_FROM = 0.95  # of the level, where nothing but holding it is expected
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class Stage:
    """A value that is to be reached by a day, or that held on it."""

    on: date
    value: float


@dataclass(frozen=True)
class TargetPath:
    """The way to a target.

    ``milestones`` are values stated for days in between. ``revisions`` replace the value of the target from their day
    on; what was expected until then stays.
    """

    due: date
    value: float
    baseline: Stage | None = None
    milestones: tuple[Stage, ...] = ()
    revisions: tuple[Stage, ...] = ()

    def target_on(self, day: date) -> float:
        """The target as stated on that day."""
        made = [change for change in sorted(self.revisions, key=_on) if change.on <= day]
        return made[-1].value if made else self.value

    def expected_on(self, day: date) -> float | None:
        """Linear between baseline, milestones and target; None before the first of them."""
        course = self._course(self.value)
        for change in sorted(self.revisions, key=_on):
            if change.on > day or change.on >= self.due:
                break
            so_far = _between(course, change.on)
            fixed = [] if so_far is None else [Stage(change.on, so_far)]
            course = sorted([*course[:-1], *fixed, Stage(self.due, change.value)], key=_on)
        if day >= self.due:
            return self.target_on(day)
        return _between(course, day)

    def _course(self, value: float) -> list[Stage]:
        start = [self.baseline] if self.baseline and self.baseline.on < self.due else []
        since = start[0].on if start else date.min
        middle = [step for step in self.milestones if since < step.on < self.due]
        return [*start, *sorted(middle, key=_on), Stage(self.due, value)]


@dataclass(frozen=True)
class Judgement:
    """``code``: over, on, near or off; ahead: nothing is expected yet; no_baseline: the way has no beginning.

    ``expected``: by now. ``share``: of the progress expected by now, or of the level that is to be held.
    """

    code: str
    target: float
    expected: float | None = None
    share: float | None = None
    is_due: bool = False


def judge(value: float, path: TargetPath, day: date, *, fewer: bool = False, decimals: int = 0) -> Judgement:
    """Judge a figure of that day. Values are compared as they are printed.

    Args:
        fewer: less is better.
        decimals: that value and target are printed with.
    """
    sign, is_due, expected = -1.0 if fewer else 1.0, day >= path.due, path.expected_on(day)
    now, target = printed(value, decimals), printed(path.target_on(day), decimals)
    start = path.baseline if path.baseline and path.baseline.on < path.due else None
    began = printed(start.value, decimals) if start else 0.0
    reached = sign * (now - target) >= 0
    if expected is None:
        return Judgement("on" if reached else "no_baseline", target)
    wanted = target if is_due else printed(expected, decimals)
    if start is not None and day <= start.on:
        return Judgement("ahead", target, wanted)
    step = sign * (wanted - began)
    if start is None or step <= 0:
        held = _held(now, wanted, target, sign, is_due=is_due)
        is_wait = start is not None and sign * (target - began) > 0 and not reached
        # Less than one printed unit is expected: keeping what there was is no progress, and no delay.
        return replace(held, code="ahead") if is_wait and held.code == "on" else held
    share = sign * (now - began) / step
    way = sign * (target - began)
    code = "on" if share >= ON_FROM else "near" if share >= NEAR_FROM else "off"
    code = "over" if code == "on" and way > 0 and sign * (now - began) > OVER_FROM * way else code
    return Judgement(code, target, wanted, share, is_due)


def _held(now: float, wanted: float, target: float, sign: float, *, is_due: bool) -> Judgement:
    """A level to hold, a limit, or a target without a baseline: any shortfall is one, however small."""
    short = sign * (wanted - now)
    share = 1 - short / abs(wanted) if wanted else (1.0 if short <= 0 else 0.0)
    if short <= 0:
        is_over = sign * (now - target) > (OVER_FROM - 1) * abs(target)
        return Judgement("over" if is_over else "on", target, wanted, share, is_due)
    return Judgement("near" if share >= HELD_FROM else "off", target, wanted, share, is_due)


def _between(course: list[Stage], day: date) -> float | None:
    if not course or day < course[0].on:
        return None
    for earlier, later in pairwise(course):
        if earlier.on <= day <= later.on and later.on > earlier.on:
            part = (day - earlier.on).days / (later.on - earlier.on).days
            return earlier.value + part * (later.value - earlier.value)
    return course[-1].value


def _on(stage: Stage) -> date:
    return stage.on


def printed(value: float, decimals: int) -> float:
    """Half up, as reports print it."""
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def last_day(written: str) -> date:
    """The last day of a period: ``2024``, ``2024-Q4``, ``2024-12-31`` or ``2024-11-25/2024-12-31``.

    Raises:
        ValueError: it is none of these.
    """
    text = written.strip().rpartition("/")[2]
    if _DAY.match(text):
        return date.fromisoformat(text)
    if re.fullmatch(r"\d{4}", text):
        return date(int(text), 12, 31)
    return Quarter.parse(text).end - timedelta(days=1)
