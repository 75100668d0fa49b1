"""IATI 2.03: each project as an activity, its logframe as results. What the standard asks for and nobody stated is named.

https://iatistandard.org/en/iati-standard/203/activity-standard/ has the order of the elements and the code lists.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from mel_pipeline.reporting.figures.measures import missing, words
from mel_pipeline.reporting.packs.content import Pack, View, projects_for
from mel_pipeline.reporting.packs.iati_results import add_results
from mel_pipeline.reporting.packs.iati_xml import Names, child, day_of, moment, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from mel_pipeline.core.donors import Donor

VERSION = "2.03"
ORGANISATION = re.compile(r"[A-Z]{2}-[A-Z0-9_]+(-[A-Za-z0-9._-]+)?")
STATUS = {"planned": "1", "active": "2", "completed": "4", "stopped": "5"}  # of the list ActivityStatus
FUNDING, IMPLEMENTING = "1", "4"  # OrganisationRole
INCOMING, OUTGOING, SPENT = "11", "2", "4"  # TransactionType


def what_is_missing(pack: Pack) -> list[str]:
    """What stands against a valid file, one sentence each; empty where nothing does."""
    own, found = pack.donors.reporting, []
    if not ORGANISATION.fullmatch(own.iati):
        found.append(
            "The organisation's own identifier (reporting: iati) is missing or not written like XM-DAC-12345:"
            " add it to donors.yml."
        )
    if not own.type:
        found.append(
            "The organisation's kind (reporting: type, a code of OrganisationType) is missing: add it to donors.yml."
        )
    codes = listed(pack)
    if not codes:
        found.append("No project of the workbook belongs to a donor of donors.yml.")
    for donor in pack.donors.donors:
        if projects_for(donor, pack.register) and not (ORGANISATION.fullmatch(donor.iati) and donor.type):
            found.append(f"{donor.name} has no identifier and type of IATI: add them to donors.yml.")
    for row in _rows(pack):
        code = words(row["project_id"])
        facts = pack.donors.projects.get(code)
        if facts is None or not facts.sector:
            found.append(f"{code} has no sector: add its code of OECD DAC to donors.yml.")
        if facts is None or not (facts.countries or facts.region):
            found.append(f"{code} has no countries and no region: add them to donors.yml.")
        elif facts.countries and abs(sum(facts.countries.values()) - 100) > 0.01:
            found.append(
                f"The countries of {code} add up to {sum(facts.countries.values()):g} per cent, not 100: correct donors.yml."
            )
        if missing(row["currency"]):
            found.append(f"{code} has no currency: state it in the workbook, sheet Projects.")
        if missing(row["starts_on"]):
            found.append(f"{code} has no first day: state it in the workbook, sheet Projects.")
    return found


def listed(pack: Pack) -> list[str]:
    """Codes of the projects of any donor, each once."""
    return list(
        dict.fromkeys(code for donor in pack.donors.donors for code in projects_for(donor, pack.register))
    )


def activities(pack: Pack, languages: Sequence[str]) -> bytes:
    """The file of all projects. ``what_is_missing`` must be empty."""
    root = ET.Element(
        "iati-activities", {"version": VERSION, "generated-datetime": moment(pack.edition.data_as_of)}
    )
    if pack.edition.publication is None or pack.edition.publication.recall or pack.edition.is_sample:
        root.append(ET.Comment(f" {' · '.join(View(pack, 'en').marks)} "))
    for row in _rows(pack):
        root.append(_activity(pack, row, Names(languages)))
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()


def _rows(pack: Pack) -> list[dict[str, Any]]:
    wanted = listed(pack)
    rows = pack.register.projects.to_dict("records") if len(pack.register.projects) else []
    return [
        {str(key): value for key, value in row.items()} for row in rows if words(row["project_id"]) in wanted
    ]


def _activity(pack: Pack, row: Mapping[str, Any], names: Names) -> ET.Element:
    code, own = words(row["project_id"]), pack.donors.reporting
    facts = pack.donors.projects[code]
    currency = words(row["currency"])
    activity = ET.Element("iati-activity", {
        "{http://www.w3.org/XML/1998/namespace}lang": "en", "default-currency": currency,
        "last-updated-datetime": moment(pack.edition.data_as_of),
    })  # fmt: skip
    child(activity, "iati-identifier", text=f"{own.iati}-{facts.identifier or code}")
    names.put(
        child(activity, "reporting-org", ref=own.iati, type=own.type), {"en": pack.edition.organisation}
    )
    names.put(child(activity, "title"), names_of(row, "name"))
    names.put(child(activity, "description", type="1"), _purpose(pack, code) or names_of(row, "name"))
    donors = [donor for donor in pack.donors.donors if code in projects_for(donor, pack.register)]
    for donor in donors:
        names.put(
            child(activity, "participating-org", ref=donor.iati, type=donor.type, role=FUNDING),
            {"en": donor.name},
        )
    names.put(
        child(activity, "participating-org", ref=own.iati, type=own.type, role=IMPLEMENTING),
        {"en": pack.edition.organisation},
    )
    _references(activity, donors, code, names)
    child(activity, "activity-status", code=STATUS.get(words(row["status"]), "2"))
    _dates(activity, row, pack.edition.data_as_of)
    for country, share in facts.countries.items():
        child(activity, "recipient-country", code=country, percentage=f"{share:g}")
    if facts.region and not facts.countries:
        child(activity, "recipient-region", code=facts.region, vocabulary="1", percentage="100")
    child(activity, "sector", code=facts.sector, vocabulary="1", percentage="100")
    _money(activity, pack, code, currency, names)
    add_results(activity, View(pack, "en"), code, row, names)
    return activity


def _references(activity: ET.Element, donors: Sequence[Donor], code: str, names: Names) -> None:
    """Numbers of the agreements: identifiers by other organisations (type A9)."""
    for donor in donors:
        if number := donor.references.get(code):
            other = child(activity, "other-identifier", ref=number, type="A9")
            names.put(child(other, "owner-org", ref=donor.iati), {"en": donor.name})


def _purpose(pack: Pack, code: str) -> dict[str, str]:
    """The highest statement of the logframe."""
    frame = pack.register.logframe
    mine = [
        row for row in (frame.to_dict("records") if len(frame) else []) if words(row["project_id"]) == code
    ]
    return names_of(mine[0], "statement") if mine else {}


def _dates(activity: ET.Element, row: Mapping[str, Any], today: date) -> None:
    begun = day_of(row["starts_on"])
    if begun is not None:
        child(
            activity, "activity-date", type="2" if begun <= today else "1", **{"iso-date": begun.isoformat()}
        )
    ended = day_of(row["ends_on"])
    if ended is not None:
        over = words(row["status"]) == "completed" and ended <= today
        child(activity, "activity-date", type="4" if over else "3", **{"iso-date": ended.isoformat()})


def _money(activity: ET.Element, pack: Pack, code: str, currency: str, names: Names) -> None:
    """Budgets by year, then what came in, what was granted, and what was spent."""
    today = pack.edition.data_as_of
    frame = pack.register.finances
    years = [
        row for row in (frame.to_dict("records") if len(frame) else []) if words(row["project_id"]) == code
    ]
    for row in years:
        if missing(row["budget"]):
            continue
        year = int(row["year"])
        budget = child(activity, "budget", type="1", status="2")
        child(budget, "period-start", **{"iso-date": f"{year}-01-01"})
        child(budget, "period-end", **{"iso-date": f"{year}-12-31"})
        _value(budget, row["budget"], words(row["currency"]) or currency, f"{year}-01-01")
    agreed = pack.register.partnerships
    for row in agreed.to_dict("records") if len(agreed) else []:
        day = day_of(row["agreed_on"])
        kind = {"funding": INCOMING, "grant": OUTGOING}.get(words(row["kind"]))
        if (
            words(row["project_id"]) == code
            and kind
            and day
            and day <= today
            and not missing(row["amount"])
            and words(row["status"]) in ("agreed", "completed")
        ):
            _transaction(
                activity,
                kind,
                row["amount"],
                words(row["currency"]) or currency,
                day,
                words(row["partner"]),
                names,
            )
    for row in years:
        if not missing(row["spent"]):
            last = min(f"{int(row['year'])}-12-31", today.isoformat())
            _transaction(activity, SPENT, row["spent"], words(row["currency"]) or currency, last, "", names)


def _transaction(
    activity: ET.Element, kind: str, amount: Any, currency: str, day: Any, partner: str, names: Names
) -> None:
    entry = child(activity, "transaction")
    child(entry, "transaction-type", code=kind)
    child(entry, "transaction-date", **{"iso-date": str(day)})
    _value(entry, amount, currency, str(day))
    if partner:
        names.put(child(entry, "provider-org" if kind == INCOMING else "receiver-org"), {"en": partner})


def _value(parent: ET.Element, amount: Any, currency: str, day: str) -> None:
    child(parent, "value", text=f"{float(amount):.12g}", currency=currency, **{"value-date": day})
