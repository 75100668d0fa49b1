"""Who owes what: duties of the workbook on a day, and lines of action whose owner has not signed. Pure but for ``owed``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from mel_pipeline.core.periods import Quarter

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

Row = Mapping[str, "str | None"]
SOON = timedelta(days=14)
SIGN_OFF = "sign_off"
SHEET = "Who owes what"
Standing = Literal["same", "changed", "unknown"]


@dataclass(frozen=True)
class Owed:
    """A duty that is not done. ``period``: the quarter or year it is for; empty for one that is due once."""

    id: str
    what: str
    role: str
    kind: str
    period: str
    due: date
    state: Literal["due", "late"]
    days: int  # until it is due, or since

    @property
    def sentence(self) -> str:
        of = f" of {self.period}" if self.period else ""
        days = f"{self.days} day{'' if self.days == 1 else 's'}"
        if self.state == "late":
            when = f"was due on {self.due:%Y-%m-%d}, {days} ago"
        else:
            when = f"is due on {self.due:%Y-%m-%d}, {f'in {days}' if self.days else 'today'}"
        return f"{self.role}: {self.what}{of} {when}. Once it is done, write the day into the workbook ({SHEET}, {self.id})."


def owed_on(rows: Iterable[Row], today: date) -> list[Owed]:
    """What is late on a day, then what falls due within two weeks; the longest overdue first.

    Args:
        rows: the sheet of duties. One that comes back is owed for the period that ended last; it is done for it once
            ``done_on`` is on or after the last day of the period.
    """
    found = [item for row in rows for item in _owed(row, today)]
    return sorted(found, key=lambda item: (item.state != "late", item.due, item.id))


def _owed(row: Row, today: date) -> Iterator[Owed]:
    done = _day(row.get("done_on"))
    for period, end, due in _dates(row, today):
        is_done = done is not None and (end is None or done >= end - timedelta(days=1))
        if is_done or due - today > SOON:
            continue
        yield Owed(
            str(row.get("id") or ""),
            str(row.get("what") or ""),
            str(row.get("role") or ""),
            str(row.get("kind") or ""),
            period,
            due,
            "late" if due < today else "due",
            abs((due - today).days),
        )


def _dates(row: Row, today: date) -> Iterator[tuple[str, date | None, date]]:
    """Periods a duty is for, the day after each one's end, and when it is due.

    The period that ended last; the one before as well where the duty was done before and then left out once.
    """
    if due_on := _day(row.get("due_on")):
        yield "", None, due_on
    elif days_after := _number(row.get("days_after")):
        ended = _ended(row.get("every") or "quarter", today)
        for period, end in ended if row.get("done_on") else ended[-1:]:
            yield period, end, end + timedelta(days=days_after - 1)


def _ended(every: str, today: date) -> list[tuple[str, date]]:
    """The last two quarters or years that have ended, each with the day after its end."""
    if every == "year":
        return [(str(today.year - back), date(today.year - back + 1, 1, 1)) for back in (2, 1)]
    last = Quarter.of(today).previous()
    return [(str(quarter), quarter.end) for quarter in (last.previous(), last)]


def unsigned(
    rows: Sequence[Row], lines: Iterable[int], quarter: Quarter, standing: Callable[[str, int], Standing]
) -> Iterator[str]:
    """The lines of action whose owner has not signed a quarter, one sentence each.

    A line is signed by its row of kind sign-off, with a day on or after the last one of the quarter.

    Args:
        standing: of a row's number and its line, whether its signature is of the figures as they are now.
    """
    for line in lines:
        mine = [row for row in rows if row.get("kind") == SIGN_OFF and _number(row.get("line")) == line]
        if not mine:
            yield (
                f"Line of action {line} has no sign-off. Add it to the workbook ({SHEET}: kind sign-off, line {line}, the"
                " role that signs)."
            )
        for row in mine:
            done = _day(row.get("done_on"))
            if done is None or done < quarter.end - timedelta(days=1):
                yield (
                    f"Line of action {line} is not signed for {quarter} by {row.get('role')}. Once the figures are right,"
                    f" they write the day into the workbook ({SHEET}, {row.get('id')})."
                )
            elif (how := standing(str(row.get("id")), line)) != "same":
                since = "changed since" if how == "changed" else "were not calculated then, or not recorded"
                yield (
                    f"Line of action {line} was signed for {quarter} by {row.get('role')} on {done:%Y-%m-%d}, but its"
                    f" figures {since}: the signature no longer counts. Once the figures are right, they write a later"
                    f" day into the workbook ({SHEET}, {row.get('id')})."
                )


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written[:10]) if written else None


def _number(written: str | None) -> int | None:
    return int(float(written)) if written else None


def owed(settings: Settings) -> list[Owed]:
    """What is late or falls due, by the current version of the workbook."""
    from mel_pipeline.sources.workbook.versions import current

    return owed_on(current(settings).rows.get("duties", ()), settings.current_day)
