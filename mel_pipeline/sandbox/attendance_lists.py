"""Attendance lists of the sample's trainings, as the tools write them, dropped into a folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mel_pipeline.sandbox.dropped import drop
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.organisation.activity import Event

YEARS = (2024, 2025)
_ZONE = ZoneInfo("Europe/Madrid")  # of those who download the reports
_SPANISH = {"Woman": "Mujer", "Man": "Hombre", "Non-binary": "No binario", "Self-described": "No binario", "Prefers not to say": "Prefiero no decirlo"}  # fmt: skip
_FRENCH = {"Woman": "Femme", "Man": "Homme", "Non-binary": "Non binaire", "Self-described": "Non binaire", "Prefers not to say": "Je préfère ne pas répondre"}  # fmt: skip


class Guest(NamedTuple):
    """Somebody at a training, by the clock on the wall. ``back``: when they came back, if they had left."""

    name: str
    email: str
    gender: str
    joined: datetime
    left: datetime
    back: datetime | None


def write_attendance_lists(folder: Path, organisation: Organisation) -> list[Path]:
    """Write a list for each of a few trainings a year; unchanged files are left alone."""
    return drop(folder, lists(organisation))


def lists(organisation: Organisation) -> Iterator[tuple[str, bytes]]:
    """File names and bytes."""
    events = {event.code: event for event in organisation.events}
    for year in YEARS:
        for ending, (name, write) in _LISTS.items():
            event = events.get(f"TRN-{year}-{ending}")
            if event is not None and event.end + timedelta(days=1) <= organisation.now:
                yield (
                    name.format(code=event.code, day=_local(event.start).date()),
                    write(event, _guests(event, organisation)),
                )


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(_ZONE).replace(tzinfo=None)


def _guests(event: Event, organisation: Organisation) -> list[Guest]:
    """Who came by the CRM; one in twelve did not stay for half of it, and one in ten lost the connection once."""
    people = {contact.id: contact for contact in organisation.contacts}
    found = []
    for row in organisation.participations:
        if row.event is not event or not row.attends or row.contact is None or row.role != "Participant":
            continue
        person = people[row.contact]
        rng = Random(f"stay {row.id}")
        joined = _local(event.start) + timedelta(seconds=rng.randint(-300, 600))
        left = _local(event.end) - timedelta(seconds=rng.randint(0, 900))
        if rng.random() < 1 / 12:
            left = joined + timedelta(seconds=rng.randint(300, 3000))
        back = (
            joined + timedelta(seconds=1500)
            if left - joined > timedelta(hours=1) and rng.random() < 0.1
            else None
        )
        found.append(
            Guest(
                f"Sample Person {person.number}",
                f"person{person.number}@example.org",
                person.gender or "",
                joined,
                left,
                back,
            )
        )
    return found


def _stays(guest: Guest) -> list[tuple[datetime, datetime]]:
    if guest.back is None:
        return [(guest.joined, guest.left)]
    return [(guest.joined, guest.back - timedelta(seconds=90)), (guest.back, guest.left)]


def _zoom(event: Event, guests: list[Guest]) -> bytes:
    def stamp(moment: datetime) -> str:
        return moment.strftime("%m/%d/%Y %I:%M:%S %p")

    opened, closed = _local(event.start) - timedelta(minutes=10), _local(event.end)
    host = ["Sample Trainer", "trainer@example.org"]
    rows = [
        ["Topic", "ID", "Host name", "Host email", "Start time", "End time", "Participants", "Duration (minutes)"],
        [event.name, "843 1234 5678", *host, stamp(opened), stamp(closed), str(len(guests)), "130"],
        [],
        ["Name (original name)", "Email", "Join time", "Leave time", "Duration (minutes)", "Guest", "Recording disclaimer response", "In waiting room"],
        [*host, stamp(opened), stamp(closed), "130", "No", "", "No"],
    ]  # fmt: skip
    for guest in guests:
        rows += [
            [
                guest.name,
                guest.email,
                stamp(first),
                stamp(last),
                str(round((last - first).seconds / 60)),
                "Yes",
                "OK",
                "No",
            ]
            for first, last in _stays(guest)
        ]
    return _csv(rows)


def _webinar(event: Event, guests: list[Guest]) -> bytes:
    def stamp(moment: datetime) -> str:
        return moment.strftime("%b %d, %Y %H:%M:%S")

    opened = _local(event.start) - timedelta(minutes=10)
    shared = ["Join Time", "Leave Time", "Time in Session (minutes)", "Is Guest", "Country/Region Name"]
    rows = [
        ["Attendee Report"],
        ["Report Generated:", stamp(_local(event.end))],
        ["Topic", "Webinar ID", "Actual Start Time", "Actual Duration (minutes)", "# Registered", "# Cancelled", "Unique Viewers", "Total Users", "Max Concurrent Views", "Enable Registration"],
        [event.name, "843 1234 9999", stamp(opened), "130", str(len(guests) + 1), "0", str(len(guests)), str(len(guests)), str(len(guests)), "Yes"],
        ["Host Details"],
        ["Attended", "User Name (Original Name)", "Email", *shared, ""],
        ["Yes", "Sample Trainer", "trainer@example.org", stamp(opened), stamp(_local(event.end)), "130", "No", "Spain", ""],
        ["Attendee Details"],
        ["Attended", "User Name (Original Name)", "First Name", "Last Name", "Email", "Registration Time", "Approval Status", *shared, "How do you describe your gender?", ""],
    ]  # fmt: skip
    for guest in guests:
        _, last = guest.name.rsplit(" ", 1)
        rows += [
            ["Yes", guest.name, "Sample Person", last, guest.email, stamp(opened - timedelta(days=9)), "approved", stamp(joined), stamp(left), str(round((left - joined).seconds / 60)), "Yes", "Spain", guest.gender, ""]
            for joined, left in _stays(guest)
        ]  # fmt: skip
    rows.append(["No", "Sample Absent", "Sample", "Absent", "absent@example.org", stamp(opened - timedelta(days=9)), "approved", "--", "--", "--", "--", "Spain", "Woman", ""])  # fmt: skip
    return _csv(rows)


def _teams(event: Event, guests: list[Guest]) -> bytes:
    def stamp(moment: datetime) -> str:
        return moment.strftime("%d/%m/%Y, %H:%M:%S")  # as in a European language

    def length(seconds: int) -> str:
        hours, rest = divmod(seconds, 3600)
        return f"{f'{hours}h ' if hours else ''}{rest // 60}m {rest % 60}s"

    opened, closed = _local(event.start) - timedelta(minutes=10), _local(event.end)
    host = [
        "Sample Trainer",
        stamp(opened),
        stamp(closed),
        length((closed - opened).seconds),
        "trainer@example.org",
    ]
    lines = [
        ["1. Summary"],
        ["Meeting title", event.name],
        ["Attended participants", str(len(guests) + 1)],
        ["Start time", stamp(opened)],
        ["End time", stamp(closed)],
        ["Meeting duration", length((closed - opened).seconds)],
        ["Average attendance time", "1h 40m 0s"],
        [],
        ["2. Participants"],
        ["Name", "First Join", "Last Leave", "In-Meeting Duration", "Email", "Participant ID (UPN)", "Role"],
        [*host, "trainer@example.org", "Organizer"],
    ]
    for guest in guests:
        seconds = sum((left - joined).seconds for joined, left in _stays(guest))
        lines.append([f"{guest.name} (Guest)", stamp(guest.joined), stamp(guest.left), length(seconds), guest.email, guest.email, "Presenter"])  # fmt: skip
    lines += [[], ["3. In-Meeting Activities"], ["Name", "Join Time", "Leave Time", "Duration", "Email", "Role"], [*host, "Organizer"]]  # fmt: skip
    for guest in guests:
        lines += [
            [f"{guest.name} (Guest)", stamp(joined), stamp(left), length((left - joined).seconds), guest.email, "Presenter"]
            for joined, left in _stays(guest)
        ]  # fmt: skip
    return "\n".join("\t".join(cells) for cells in lines).encode("utf-16")


def _eventbrite(event: Event, guests: list[Guest]) -> bytes:
    header = ["Order #", "Order Date", "First Name", "Last Name", "Email", "Quantity", "Ticket Type", "Attendee #", "Event Name", "Event Start Date", "Attendee Status", "Gender"]  # fmt: skip
    day = _local(event.start).date()
    rows = [header]
    for number, guest in enumerate(guests, start=1):
        first, last = guest.name.rsplit(" ", 1)
        rows.append([str(9000 + number), str(day - timedelta(days=9)), first, last, guest.email, "1", "General admission", str(70000 + number), event.name, str(day), "Checked In", guest.gender])  # fmt: skip
    rows.append(["9999", str(day - timedelta(days=2)), "Sample", "Absent", "absent@example.org", "1", "General admission", "79999", event.name, str(day), "Attending", "Woman"])  # fmt: skip
    return _csv(rows)


def _french_sheet(event: Event, guests: list[Guest]) -> bytes:
    day = _local(event.start).date()
    rows = [
        [f"Feuille de présence ; {event.code}", "", "", ""],
        ["Date :", f"{day.day}/{day.month}/{day.year}", "", ""],
        ["N°", "Prénom et nom", "Courriel", "Genre"],
    ]
    rows += [
        [str(number), guest.name, guest.email, _FRENCH.get(guest.gender, "")]
        for number, guest in enumerate(guests, start=1)
    ]
    rows += [[str(len(guests) + 1), "", "", ""], ["", "Total", str(len(guests)), ""]]
    return _csv(rows, delimiter=";")


def _spanish_sheet(event: Event, guests: list[Guest]) -> bytes:
    from xlsxwriter import Workbook

    day = _local(event.start).date()
    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    book.set_properties({"created": datetime(2024, 1, 1)})
    sheet = book.add_worksheet("Asistencia")
    rows = [
        ["Hoja de asistencia (datos de muestra)"],
        ["Código:", event.code],
        ["Fecha:", f"{day.day} de {_MONTHS[day.month - 1]} de {day.year}"],
        ["N.º", "Nombre y apellidos", "Correo electrónico", "¿Cuál es su género?", "Firma"],
    ]
    rows += [
        [str(number), guest.name, guest.email, _SPANISH.get(guest.gender, ""), "x"]
        for number, guest in enumerate(guests, start=1)
    ]
    for place, cells in enumerate(rows):
        sheet.write_row(place, 0, cells)
    book.close()
    return content.getvalue()


_MONTHS = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
]
_LISTS: dict[str, tuple[str, Callable[[Event, list[Guest]], bytes]]] = {
    "Q1-01": ("attendee-report-{code}.csv", _webinar),
    "Q2-01": ("Attendance report {day}.csv", _teams),
    "Q3-01": ("eventbrite-{code}.csv", _eventbrite),
    "Q4-01": ("Hoja de asistencia {day}.xlsx", _spanish_sheet),
    "Q1-03": ("participants_{code}.csv", _zoom),
    "Q2-02": ("Feuille de présence {code}.csv", _french_sheet),
}


def _csv(rows: list[list[str]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8-sig")
