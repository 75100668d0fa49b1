"""The sample organisation's records as Zoho CRM v8 and Zoho People write them. No HTTP here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.zoho.account import Account
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.schema import INDIA, MADRID, Field
from mel_pipeline.sandbox.zoho.schema import stamp as stamped

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIELDS: dict[str, dict[str, str]] = {
    "Accounts": {"Account_Name": "text", "Organisation_Type": "picklist", "Member_Type": "picklist", "Region": "picklist", "Country_Code": "text", "Jurisdiction_Type": "picklist", "Part_Of": "lookup", "Joined_On": "date", "Left_On": "date"},
    "Contacts": {"First_Name": "text", "Last_Name": "text", "Email": "email", "Account_Name": "lookup", "Gender": "picklist", "Preferred_Language": "picklist"},
    "Deals": {"Deal_Name": "text", "Account_Name": "lookup", "Pipeline": "picklist", "Stage": "picklist", "Edition": "text", "Amount": "currency", "Currency": "picklist", "Exchange_Rate": "double", "Signed_On": "date"},
    "Network_Events": {"Name": "text", "Event_Code": "text", "Event_Type": "picklist", "Lab": "text", "Programme": "picklist", "Themes": "multiselectpicklist", "Line_of_Action": "multiselectpicklist", "Format": "picklist", "Event_Status": "picklist", "Organised_By_Network": "boolean", "Start_Time": "datetime", "End_Time": "datetime"},
    "Participations": {"Event": "lookup", "Contact": "lookup", "Account": "lookup", "Role": "picklist", "Attended": "boolean", "Survey_Invited": "boolean"},
    "Board_Seats": {"Account": "lookup", "Contact": "lookup", "Seat_Role": "picklist", "Term_Start": "date", "Term_End": "date"},
}  # fmt: skip
LABELS = {"Accounts": "Organisations", "Contacts": "People", "Deals": "Contributions", "Network_Events": "Events", "Participations": "Participations", "Board_Seats": "Board seats"}  # fmt: skip

Written = tuple[str, datetime, datetime, dict[str, Any]]  # id, created, modified, values


def account_of(organisation: Organisation, clock: Clock | None = None) -> Account:
    """The sample organisation's account; its clock starts after the last record was written."""
    account = Account(clock or Clock(latest(organisation)))
    seed(account, organisation)
    return account


def seed(account: Account, organisation: Organisation) -> None:
    """Insert the organisation's records into an account, and delete those that were deleted."""
    for name, records in modules(organisation).items():
        fields = [Field(field, kind) for field, kind in FIELDS[name].items()]
        module = account.add_module(name, fields, plural_label=LABELS[name])
        for id, created, modified, values in records:
            module.insert(values, id, created, modified)
        for number, (id, created, values) in enumerate(_duplicates(name, organisation)):
            module.insert(values, id, created, created)
            at = _utc(organisation.now) - timedelta(days=3 * number + 2)
            module.delete(id, permanent=number % 2 == 0, at=at)
    account.forms["employee"] = employees(organisation)
    account.campaigns += organisation.newsletter


def latest(organisation: Organisation) -> datetime:
    """Time of the last written record, but no earlier than the organisation's ``now``."""
    written = (record[2] for records in modules(organisation).values() for record in records)
    return max(_utc(organisation.now), *written)


@lru_cache(maxsize=4)
def modules(organisation: Organisation) -> dict[str, list[Written]]:
    """Live records by module, oldest first."""
    makers = {
        "Accounts": _accounts(organisation),
        "Contacts": _contacts(organisation),
        "Deals": _deals(organisation),
        "Network_Events": _events(organisation),
        "Participations": _participations(organisation),
        "Board_Seats": _board_seats(organisation),
    }
    return {name: [_written(record) for record in records] for name, records in makers.items()}


def _written(record: dict[str, Any]) -> Written:
    system = {name: str(record.pop(name)) for name in ("id", "Created_Time", "Modified_Time")}
    created, modified = (datetime.fromisoformat(system[name]) for name in ("Created_Time", "Modified_Time"))
    return system["id"], created, modified, record


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def stamp(moment: datetime, zone: ZoneInfo = MADRID) -> str:
    """A time of the organisation (naive UTC) as Zoho formats it."""
    return stamped(_utc(moment).timestamp(), zone)


def _lookup(record_id: str | None, name: str) -> dict[str, str] | None:
    return {"name": name, "id": record_id} if record_id else None


def _system(record_id: str, created: datetime, modified: datetime, now: datetime) -> dict[str, Any]:
    """Future changes have not been made yet. Some users write from India: mixed offsets."""
    changed = modified if modified <= now else created
    zone = INDIA if int(record_id) // 1000 % 7 == 0 else MADRID
    return {"id": record_id, "Created_Time": stamp(created), "Modified_Time": stamp(changed, zone)}


def _accounts(org: Organisation) -> Iterator[dict[str, Any]]:
    names = {account.id: account.name for account in org.accounts}
    for account in org.accounts:
        left = account.left_on if account.left_on and account.left_on <= org.today else None
        yield {
            **_system(account.id, account.created, account.modified, org.now),
            "Account_Name": account.name,
            "Organisation_Type": account.kind,
            "Member_Type": account.member_type,
            "Region": account.region,
            "Country_Code": account.country,
            "Jurisdiction_Type": account.jurisdiction,
            "Part_Of": _lookup(account.part_of, names[account.part_of]) if account.part_of in names else None,
            "Joined_On": account.joined_on.isoformat() if account.joined_on else None,
            "Left_On": left.isoformat() if left else None,
        }


def _contacts(org: Organisation) -> Iterator[dict[str, Any]]:
    names = {account.id: account.name for account in org.accounts}
    for contact in org.contacts:
        yield {
            **_system(contact.id, contact.created, contact.modified, org.now),
            "First_Name": None,
            "Last_Name": f"Sample person {contact.number:04}",
            "Email": None,
            "Account_Name": _lookup(contact.account, names[contact.account]),
            "Gender": contact.gender,
            "Preferred_Language": contact.language,
        }


def _deals(org: Organisation) -> Iterator[dict[str, Any]]:
    names = {account.id: account.name for account in org.accounts}
    for deal in org.deals:
        signed = deal.signed_on if deal.signed_on and deal.signed_on <= org.today else None
        yield {
            **_system(deal.id, deal.created, deal.modified, org.now),
            "Deal_Name": deal.name,
            "Account_Name": _lookup(deal.account, names[deal.account]),
            "Pipeline": deal.pipeline,
            "Stage": "Negotiation" if deal.stage == "Signed" and not signed else deal.stage,
            "Edition": deal.edition,
            "Amount": deal.amount,
            "Currency": deal.currency,
            "Exchange_Rate": deal.rate,
            "Signed_On": signed.isoformat() if signed else None,
        }


def _events(org: Organisation) -> Iterator[dict[str, Any]]:
    for event in org.events:
        over = event.end <= org.now
        yield {
            **_system(event.id, event.created, event.end + timedelta(hours=20), org.now),
            "Name": event.name,
            "Event_Code": event.code,
            "Event_Type": event.kind,
            "Lab": event.lab,
            "Programme": event.programme,
            "Themes": event.themes.split(";"),
            "Line_of_Action": event.lines.split(";"),
            "Format": event.format,
            "Event_Status": "Cancelled" if event.cancelled else "Held" if over else "Planned",
            "Organised_By_Network": event.own,
            "Start_Time": stamp(event.start),
            "End_Time": stamp(event.end),
        }


def _participations(org: Organisation) -> Iterator[dict[str, Any]]:
    people = {contact.id: f"Sample person {contact.number:04}" for contact in org.contacts}
    names = {account.id: account.name for account in org.accounts}
    for row in org.participations:
        settled = row.settled <= org.now
        yield {
            **_system(row.id, row.created, row.settled, org.now),
            "Event": _lookup(row.event.id, row.event.name),
            "Contact": _lookup(row.contact, people.get(row.contact or "", "")),
            "Account": _lookup(row.account, names.get(row.account or "", "")),
            "Role": row.role,
            "Attended": row.attends and settled,
            "Survey_Invited": row.invited and settled,
        }


def _board_seats(org: Organisation) -> Iterator[dict[str, Any]]:
    people = {contact.id: f"Sample person {contact.number:04}" for contact in org.contacts}
    names = {account.id: account.name for account in org.accounts}
    for seat in org.board:
        yield {
            **_system(seat.id, seat.modified - timedelta(days=30), seat.modified, org.now),
            "Account": _lookup(seat.account, names[seat.account]),
            "Contact": _lookup(seat.contact, people[seat.contact]),
            "Seat_Role": seat.role,
            "Term_Start": seat.start.isoformat(),
            "Term_End": seat.end.isoformat() if seat.end else None,
        }


def _duplicates(name: str, org: Organisation) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """Duplicate people and registrations, merged in recent weeks."""
    if name not in ("Contacts", "Participations"):
        return
    # Between the ids of the others, which are multiples of ten, so that there may be any number of these.
    start = 546_000_000_290_000_505 if name == "Contacts" else 546_000_000_490_000_505
    for number in range(4):
        created = _utc(org.now) - timedelta(days=40 + number)
        values = {"Last_Name": "Sample person"} if name == "Contacts" else {"Role": "Participant"}
        yield str(start + number), created, values


def employees(org: Organisation) -> list[dict[str, Any]]:
    """Zoho People's employee form; dates as the form prints them, empty text for null."""
    rows = []
    for person in org.staff:
        left = person.left_on if person.left_on and person.left_on <= org.today else None
        rows.append(
            {
                "Zoho_ID": person.id,
                "Gender": person.gender,
                "Employment_Type": person.employment,
                "Date_of_joining": person.joined_on.strftime("%d-%b-%Y"),
                "Date_of_exit": left.strftime("%d-%b-%Y") if left else "",
                "ModifiedTime": str(
                    int(datetime(*(left or person.joined_on).timetuple()[:3], tzinfo=UTC).timestamp() * 1000)
                ),
            }
        )
    return rows
