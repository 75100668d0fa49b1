"""Events that a list can be of, to choose from: as the CRM was last loaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.ingest.listed_events import EVENTS, day_of
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline.warehouse import Warehouse

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

MOST = 400  # events to choose from
PATIENCE = 0.5  # seconds to wait for the warehouse; a page is being opened
ALIKE = 62  # of 100: a code or title this similar may be what was meant
NEAR = 7  # days


@dataclass(frozen=True)
class EventChoice:
    """An event with a code. ``starts`` and ``ends`` are days; the CRM may lack them."""

    code: str
    title: str
    starts: date | None = None
    ends: date | None = None

    def days_from(self, day: date) -> int | None:
        """0 on a day of the event."""
        if self.starts is None:
            return None
        return max((self.starts - day).days, (day - (self.ends or self.starts)).days, 0)


@dataclass(frozen=True)
class Offered:
    """``waiting``: names of loaded lists that count for no event."""

    events: tuple[EventChoice, ...] = ()
    waiting: tuple[str, ...] = ()


class EventReader:
    """Reads what is offered; while a run writes, what was read before is offered again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last = Offered()

    def read(self) -> Offered:
        settings = self._settings
        warehouse = Warehouse(settings.database_url, min(PATIENCE, settings.lock_wait_seconds))
        if not warehouse.is_made:
            return self._last
        try:
            with warehouse.connect():
                self._last = self._read(warehouse)
        except WarehouseError:
            pass  # busy: the last answer is offered
        return self._last

    def _read(self, warehouse: Warehouse) -> Offered:
        waiting = []
        if warehouse.has_table("int_attendance_event"):
            waiting = warehouse.records(
                "select distinct list_name from int_attendance_event where trouble is not null order by list_name"
            )
        rows = []
        if warehouse.has_table(EVENTS):
            rows = warehouse.records(
                f"select event_code, event_name, started_on, ended_on from ({self._events}) as e"  # noqa: S608
                " where trim(event_code) <> '' order by started_on, event_id"
            )
        by_code = {
            row["event_code"].strip(): EventChoice(
                row["event_code"].strip(),
                (row["event_name"] or "").strip(),
                day_of(row["started_on"]),
                day_of(row["ended_on"]),
            )
            for row in rows
        }
        return Offered(tuple(by_code.values()), tuple(row["list_name"] for row in waiting))

    @cached_property
    def _events(self) -> str:
        variables = sql_variables(self._settings, self._settings.open_quarter)
        return SqlProject.load(self._settings.sql_dir, variables).compile("stg_zoho_crm__events")


def in_order(events: Sequence[EventChoice], days: Collection[date], today: date) -> list[EventChoice]:
    """Those nearest to the days of a list; of a list that is not read yet past ones, the latest first, then coming ones."""
    if days:
        return sorted(events, key=lambda event: _gap(event, days))[:MOST]
    return sorted(events, key=lambda event: _recent(event, today))[:MOST]


def suggested(
    events: Sequence[EventChoice], days: Collection[date], said: str, today: date, most: int = 6
) -> list[EventChoice]:
    """Events that may be meant: on or near the days, or with a code or title like what was written. Best first."""

    def weight(event: EventChoice) -> float:
        near = max(0, NEAR + 1 - _gap(event, days)) / (NEAR + 1) if days else 0.0
        alike = _likeness(said, event)
        return near + (alike / 100 if alike >= ALIKE else 0.0)

    weights = {event: weight(event) for event in events}
    found = [event for event in in_order(events, days, today) if weights[event]]
    return sorted(found, key=lambda event: -weights[event])[:most]


def code_of(text: str, events: Collection[EventChoice]) -> str:
    """The code that was written, as the CRM has it; what no event has as it was written.

    A whole title stands for its event where only one has it.
    """
    written = text.strip()
    for same in (str.casefold, normalize_text):
        for event in events:
            if written and same(event.code) == same(written):
                return event.code
    titled = [event for event in events if normalize_text(event.title) == normalize_text(written)]
    return titled[0].code if written and len(titled) == 1 else written


def _gap(event: EventChoice, days: Collection[date]) -> int:
    gaps = [gap for day in days if (gap := event.days_from(day)) is not None]
    return min(gaps, default=1_000_000)


def _recent(event: EventChoice, today: date) -> tuple[int, ...]:
    if event.starts is None:
        return (2,)
    apart = (today - event.starts).days
    return (0, apart) if apart >= 0 else (1, -apart)


def _likeness(said: str, event: EventChoice) -> float:
    from rapidfuzz import fuzz

    words = normalize_text(said)
    if not words:
        return 0
    as_title = fuzz.token_set_ratio(words, normalize_text(event.title)) if len(words) > 3 else 0
    return float(max(fuzz.ratio(words, normalize_text(event.code)), as_title))
