"""Attendance lists as the page ``/workbook`` works with them: given, looked at, named with their event, taken out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.defs.serving.listed_view import code_in

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.ingest.event_choice import EventChoice, EventReader, Offered
    from mel_pipeline.ingest.listed_events import ListedEvent
    from mel_pipeline.sources.attendance_lists.giving import Given, Stated

WAITING = ("not_loaded", "busy")  # troubles of events that could not be looked up
LONGEST_SAID = 60  # characters of what was written as a code


@dataclass(frozen=True)
class Twin:
    """The same list under another name, and the event it counts for there; None where nobody on it counts.

    ``kind``: `two` where both count, for two events; `same`, for one; `counted` where only this one does, `uncounted`
    where it does not; `unknown` while events cannot be looked up.
    """

    name: str
    event: ListedEvent | None
    kind: str


@dataclass(frozen=True)
class Answer:
    """What became of a list.

    ``events``: those it is of, or why there are none. ``suggested``: events that may be meant, best first, and
    ``offered``: every event to choose from, where choosing one helps. ``same``: the same list under other names.
    """

    given: Given
    events: Sequence[ListedEvent]
    suggested: Sequence[EventChoice] = ()
    offered: Sequence[EventChoice] = ()
    same: Sequence[Twin] = ()

    @property
    def asks(self) -> bool:
        """Whether its event is to be chosen."""
        return bool(self.offered)

    @property
    def counts(self) -> bool:
        return any(event.trouble is None for event in self.events)

    @property
    def waits(self) -> bool:
        """Whether the next run can find its event without anything else being done."""
        return any(event.trouble in WAITING for event in self.events)


@dataclass(frozen=True)
class ShownList:
    """What became of a list, with the tokens of the forms that say its event, and take its twins out by name."""

    answer: Answer
    token: str
    twins: dict[str, str] = field(default_factory=dict)


class ListDesk:
    """Lists of these settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader: EventReader | None = None

    def offered(self) -> Offered:
        """Events to choose from, those of the last months first, and lists in the folder that count for no event."""
        from mel_pipeline.ingest.event_choice import in_order
        from mel_pipeline.sources.attendance_lists.giving import names

        found = self._read()
        there = names(self._settings) if found.waiting else set()
        waiting = dict.fromkeys(name for one in found.waiting if (name := _file_of(one, there)))
        return replace(found, events=tuple(in_order(found.events, (), _today())), waiting=tuple(waiting))

    def give(self, name: str, content: bytes, code: str) -> Answer:
        """Put a list into the drop folder.

        Args:
            code: of its event, as written or chosen. If it can be no code, the list is kept without one.

        Raises:
            ContractError: the list cannot be read, and why.
        """
        from mel_pipeline.ingest.event_choice import code_of
        from mel_pipeline.sources.attendance_lists import giving

        known = self._read().events
        chosen = code_of(code_in(code), known)
        if chosen and giving.is_code(chosen):
            cleared = giving.without_codes(name, _others(name, chosen, known)) if "." in name else name
            given = giving.give_list(self._settings, cleared, content, chosen, self._lacks_event)
        else:
            given = giving.give_list(self._settings, name, content, "", self._lacks_event)
        return self._answer(given, known, chosen)

    def look(self, name: str) -> Answer | None:
        """A list that is in the folder; None where it is not.

        Raises:
            ContractError: it cannot be read, and why.
        """
        from mel_pipeline.sources.attendance_lists import giving

        given = giving.look_at(self._settings, name)
        return self._answer(given, self._read().events, "") if given else None

    def name_event(self, name: str, code: str, said: str = "") -> Answer | None:
        """Say of which event a list of the folder is; None where it is not there.

        Args:
            said: what was written as its code before and may stand in its name.

        Raises:
            ContractError: the code can be none, or the list cannot be read.
        """
        from mel_pipeline.ingest.event_choice import code_of
        from mel_pipeline.sources.attendance_lists import giving

        known = self._read().events
        chosen = code_of(code_in(code), known)
        if not giving.is_code(chosen):
            looked = giving.look_at(self._settings, name)
            return self._answer(looked, known, chosen) if looked else None
        others = [*_others(name, chosen, known), *({code_of(code_in(said), known)} - {chosen, ""})]
        kept = giving.name_event(self._settings, name, chosen, others)
        given = giving.look_at(self._settings, kept) if kept else None
        if given is None:
            return None
        return self._answer(replace(given, renamed=name if kept != name else ""), known, chosen)

    def take_out(self, name: str) -> bool:
        """Remove a list; the next run takes its people back. False where it is not in the folder."""
        from mel_pipeline.sources.attendance_lists import giving

        return giving.take_out(self._settings, name)

    def _read(self) -> Offered:
        from mel_pipeline.ingest.event_choice import EventReader

        if self._reader is None:
            self._reader = EventReader(self._settings)
        return self._reader.read()

    def _lacks_event(self, stated: Sequence[Stated]) -> bool:
        from mel_pipeline.ingest.listed_events import NO_EVENT, events_of

        return all(one.trouble in NO_EVENT for one in events_of(self._settings, stated))

    def _answer(self, given: Given, known: Sequence[EventChoice], said: str) -> Answer:
        from mel_pipeline.ingest.event_choice import in_order, suggested
        from mel_pipeline.ingest.listed_events import NO_EVENT, events_of

        events = events_of(self._settings, given.stated)
        if said.strip():  # it stands in the name of the file, where another word could have been the code
            shown = said.strip()[:LONGEST_SAID]
            events = [
                replace(one, trouble="code", code_said=shown) if one.trouble == "none" else one
                for one in events
            ]
        troubled = [one for one in events if one.trouble in NO_EVENT]
        days = {day for one in events for day in (one.day, one.otherwise) if day}
        words = said or next((one.code_said for one in troubled if one.code_said), given.name)
        wrong = {one.code for one in troubled}  # of another day than the list
        others = [one for one in known if one.code not in wrong]
        likely = suggested(others, days, words, _today()) if troubled else []
        # A code within the list goes before its name: choosing another one would change nothing.
        helps = troubled and not any(one.is_inside for one in troubled)
        return Answer(
            given,
            events,
            likely,
            in_order(known, days, _today()) if helps else (),
            [self._twin(name, stated, events) for name, stated in given.same],
        )

    def _twin(self, name: str, stated: Sequence[Stated], events: Sequence[ListedEvent]) -> Twin:
        from mel_pipeline.ingest.listed_events import events_of

        found = events_of(self._settings, stated)
        if any(one.trouble in WAITING for one in found):
            return Twin(name, None, "unknown")
        event = next((one for one in found if one.trouble is None), None)
        if event is None:
            return Twin(name, None, "uncounted")
        mine = {(one.code, one.starts) for one in events if one.trouble is None}
        if not mine:
            return Twin(name, event, "counted")
        return Twin(name, event, "same" if (event.code, event.starts) in mine else "two")


def _others(name: str, chosen: str, known: Collection[EventChoice]) -> list[str]:
    """Codes of other events that stand in a name."""
    from mel_pipeline.sources.attendance_lists.client import place_words

    words = place_words(name)
    return [one.code for one in known if one.code != chosen and place_words(one.code) in words]


def _file_of(list_name: str, there: Collection[str]) -> str:
    """A list is called as its file, or as its file and its sheet."""
    return (
        list_name
        if list_name in there
        else next((one for one in there if list_name.startswith(f"{one}, ")), "")
    )


def _today() -> date:
    return utc_now().date()
