"""Turn the rows of an attendance list into stays. Pure: rows in, stays and sentences out; no files here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.sources.attendance_lists import words
from mel_pipeline.sources.attendance_lists.people import Named, People, named
from mel_pipeline.sources.attendance_lists.sheet import Sheet, Table, sheet_of
from mel_pipeline.sources.shared.dates import Order, evidence_of, other_order, read_moment
from mel_pipeline.sources.shared.files import FileRefusedError, Row
from mel_pipeline.sources.shared.survey.personal import without_personal

MEETINGS = {"zoom", "zoom_webinar", "teams"}  # people in them come and go, and rename themselves
_LONGEST_GENDER = 60  # characters; a longer text is no label
_MOMENTS = ("joined", "left", "first_joined", "last_left", "day")


@dataclass(frozen=True)
class Stay:
    """One row of a list: somebody who was there. ``seconds`` is None where the list does not say how long.

    ``joined`` and ``left`` are seconds since 1970 by the clock of the list. ``person`` is a name or an address.
    ``otherwise``: the row with day and month the other way round, where nothing on the list decides which is which.
    """

    row: int
    person: str = field(repr=False)
    role: str
    gender: str | None
    event_code: str | None
    event_title: str | None
    held_on: str | None
    joined: int | None
    left: int | None
    seconds: int | None
    otherwise: Stay | None = field(default=None, repr=False)

    @property
    def gender_key(self) -> str | None:
        return normalize_answer(self.gender) if self.gender else None


@dataclass(frozen=True)
class Listed:
    """What a list holds. ``rejected``: row → why it cannot be read. ``left_out``: reason → rows.

    ``order_of_days``: `certain` by the list itself, `declared` by the setting, or `open`.
    """

    tool: str
    stays: list[Stay]
    rejected: dict[int, str]
    left_out: Counter[str]
    asks_gender: bool
    doubts: list[str]
    order_of_days: str = "certain"


class UnreadableRowError(Exception):
    """A row that cannot be read, and why; the text quotes no cell."""


def read_list(rows: Sequence[Row], declared: Order | None = None) -> Listed:
    """The people on a list and how long they were there.

    Where day and month of every date could change places, each stay has both readings: the event that the list names
    decides which one counts. Only events are near enough to know, so that is not done here.

    Args:
        declared: the order of day and month to take first, where no date of the list decides it.

    Raises:
        FileRefusedError: it is no list of people, does not say who came, or its dates contradict each other.
    """
    sheet = sheet_of(rows)
    found = evidence_of(_dates(sheet))
    if found.order or found.shown is None:
        return _Reading(sheet, found.order or "day_first").listed()
    first = declared or _hint(sheet) or "day_first"
    return _both(
        _Reading(sheet, first).listed(),
        _Reading(sheet, other_order(first)).listed(),
        "declared" if declared else "open",
    )


def _both(first: Listed, second: Listed, order: str) -> Listed:
    """Both readings of a list as one; only one of them where times make sense in it alone."""
    if len(first.rejected) != len(second.rejected):
        return min(first, second, key=lambda listed: len(listed.rejected))
    others = {stay.row: stay for stay in second.stays}
    stays = [replace(stay, otherwise=_different(stay, others.get(stay.row))) for stay in first.stays]
    if not any(stay.otherwise for stay in stays):
        return first  # the fourth of April
    return replace(first, stays=stays, order_of_days=order)


def _different(stay: Stay, other: Stay | None) -> Stay | None:
    return None if other is None or (other.held_on, other.joined) == (stay.held_on, stay.joined) else other


def _dates(sheet: Sheet) -> Iterator[str]:
    yield from sheet.above.get("day", ())
    for table in sheet.tables:
        for row in table.rows:
            yield from (text for name in _MOMENTS if (text := table.cell(row, name)))


def _hint(sheet: Sheet) -> Order | None:
    """The order of dates in cells that are not read, such as a day of registration; they may be written otherwise."""
    cells = [text for texts in sheet.above.values() for text in texts]
    cells += [cell for table in sheet.tables for row in table.rows for cell in row.cells]
    try:
        return evidence_of(cells).order
    except FileRefusedError:
        return None


class _Reading:
    """One list being read."""

    def __init__(self, sheet: Sheet, order: Order) -> None:
        self.sheet, self.order = sheet, order
        self.rejected: dict[int, str] = {}
        self.left_out: Counter[str] = Counter()
        self.doubts: list[str] = []
        people = [self._named(table, row) for table in sheet.tables for row in table.rows]
        self.people = People(people, renames=sheet.tool in MEETINGS)
        self.letters = words.letters_of(
            {table.cell(row, "gender") for table in sheet.tables for row in table.rows}
        )
        self.asks_gender = any("gender" in table.columns for table in sheet.tables)

    def listed(self) -> Listed:
        self._require_evidence()
        stays = [
            stay for table in self.sheet.tables for row in table.rows if (stay := self._read(table, row))
        ]
        return Listed(
            self.sheet.tool, self._once(stays), self.rejected, self.left_out, self.asks_gender, self.doubts
        )

    def _require_evidence(self) -> None:
        """Refuse registrations of which nobody was checked in: who came is not in them."""
        for column in ("status", "attended"):
            answers = [
                words.answer_of(table.cell(row, column))
                for table in self.sheet.tables
                if column in table.columns
                for row in table.rows
            ]
            if answers and True not in answers:
                raise FileRefusedError(
                    "The list has people who registered and nobody who is marked as present, so it does not say who"
                    " came. Check people in (Eventbrite), or mark who came in a column “Attended” with yes or no."
                )

    def _read(self, table: Table, row: Row) -> Stay | None:
        """A row as a stay; None where nobody was there, which is counted, or it cannot be read, which is kept."""
        try:
            if (reason := self._absent(table, row)) is not None:
                self.left_out[reason] += 1
                return None
            return self._stay(table, row)
        except UnreadableRowError as error:
            self.rejected[row.number] = str(error)
            return None

    def _absent(self, table: Table, row: Row) -> str | None:
        first = next(cell for cell in row.cells if cell)
        who = self._named(table, row)
        if normalize_text(first).split(" ")[0] in words.known("totals") or normalize_text(
            table.cell(row, "name")
        ) in words.known("totals"):
            return "a total"
        if not who.known and all(cell.strip(".").isdecimal() for cell in row.cells if cell):
            return "a number and nobody beside it"
        for column in ("status", "attended"):
            if column in table.columns and self._came(table.cell(row, column)) is False:
                return "registered, not present"
        if words.answer_of(table.cell(row, "waiting")) and "waiting" in table.columns:
            return "left in the waiting room"
        if table.is_signed and not table.cell(row, "signature"):
            return "without a signature, where others have signed"
        return None

    @staticmethod
    def _came(text: str) -> bool:
        answer = words.answer_of(text)
        if answer is None:
            if normalize_text(text) in words.known("organisers"):
                return True
            raise UnreadableRowError("The cell that says whether the person came is neither yes nor no")
        return answer

    def _named(self, table: Table, row: Row) -> Named:
        parts = [table.cell(row, name) for name in ("name", "given_name", "family_name")]
        whole = parts[0] or " ".join(filter(None, parts[1:]))
        return named(whole, table.cell(row, "email"))

    def _stay(self, table: Table, row: Row) -> Stay:
        who = self._named(table, row)
        if len(row.cells) < len(table.header) and any(row.cells[1:]) and self.sheet.is_ragged:
            raise UnreadableRowError(
                f"The row has {len(row.cells)} fields where the header has {len(table.header)}: it was cut off"
            )
        if not who.known:
            raise UnreadableRowError("The row has neither a name nor an e-mail address")
        if self.sheet.tool == "sign_in" and not who.email and ":" in table.cell(row, "name"):
            raise UnreadableRowError("The cell under the name holds a note")
        joined, left = self._moment(table, row, "joined"), self._moment(table, row, "left")
        stay = Stay(
            row.number,
            self.people.identity(who),
            self._role(table, row),
            self._gender(table.cell(row, "gender")),
            table.cell(row, "event_code") or self.sheet.first("event_code"),
            without_personal(table.cell(row, "event_title") or self.sheet.first("event_title") or "") or None,
            self._day(table, row, joined),
            _second(joined) if left else None,
            _second(left) if joined else None,
            None,
        )
        return self._timed(stay, table, row)

    def _timed(self, stay: Stay, table: Table, row: Row) -> Stay:
        if stay.joined is not None and stay.left is not None:
            if not 0 <= stay.left - stay.joined <= words.LONGEST:
                raise UnreadableRowError("The person left before joining, or more than two weeks later")
            return replace(stay, seconds=stay.left - stay.joined)
        if "time" not in table.columns:
            return stay
        seconds = words.seconds_of(table.cell(row, "time"))
        if seconds is None:
            raise UnreadableRowError("How long the person was there cannot be read")
        return replace(stay, seconds=seconds)

    def _moment(self, table: Table, row: Row, column: str) -> datetime | None:
        text = table.cell(row, column)
        if not text.strip(" -–"):
            return None
        try:
            return datetime.fromisoformat(read_moment(text, self.order)).replace(tzinfo=None)
        except ValueError:
            raise UnreadableRowError("When the person joined or left cannot be read") from None

    def _day(self, table: Table, row: Row, joined: datetime | None) -> str | None:
        """The day as the list writes it, by its own clock."""
        for text in (table.cell(row, "day"), self.sheet.first("day") or "", table.cell(row, "first_joined")):
            if text:
                try:
                    return read_moment(text, self.order)[:10]
                except ValueError:
                    continue
        return joined.date().isoformat() if joined else None

    def _role(self, table: Table, row: Row) -> str:
        texts = (table.cell(row, "role"), table.cell(row, "attended"))
        leads = table.leads or any(normalize_text(text) in words.known("organisers") for text in texts)
        email = normalize_text(table.cell(row, "email"))
        return "Organiser" if leads or (email and email == self.sheet.host) else "Participant"

    def _gender(self, text: str) -> str | None:
        if not text or len(text) > _LONGEST_GENDER:
            return None
        return self.letters.get(normalize_text(text)) or without_personal(text)

    def _once(self, stays: list[Stay]) -> list[Stay]:
        """Without the rows of a summary that repeat people whose comings and goings are listed one by one."""
        timed = {stay.person for stay in stays if stay.joined is not None}
        leading = {stay.person for stay in stays if stay.role == "Organiser"}
        kept = [stay for stay in stays if stay.joined is not None or stay.person not in timed]
        return [replace(stay, role="Organiser") if stay.person in leading else stay for stay in kept]


def _second(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp())
