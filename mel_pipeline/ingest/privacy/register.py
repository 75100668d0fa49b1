"""The record of processing (article 30 of the GDPR), from the contracts: what, why, on what ground, how long, who."""

from __future__ import annotations

from dataclasses import dataclass

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.ingest.privacy.keys import entities_about_people

RECIPIENTS = (
    "MEL lead and IT, as pseudonyms; readers of reports receive aggregates only, with small groups withheld"
)
HEAD = """# Record of processing of {organisation}

Printed by `mel privacy register` from the contracts of the sources (`legal_ground`, `keep_months`, columns marked
`person`). The legal grounds are proposals: have the person responsible for data protection confirm them. Names,
addresses and numbers of people are never requested; people are pseudonyms with a key.
"""


@dataclass(frozen=True)
class Activity:
    """One entity with data about people, in words."""

    source: str
    title: str
    what: str
    data: str
    why: str
    ground: str
    kept: str
    recipients: str = RECIPIENTS


def activities() -> list[Activity]:
    """Everything about people, by source and entity."""
    found = []
    for source, entity in entities_about_people():
        contract = contract_of(source)
        details = contract.entities[entity]
        keys = [name for name, column in details.columns.items() if column.person == "key"]
        texts = [name for name, column in details.columns.items() if column.person == "text"]
        data = (
            [f"pseudonym in {', '.join(keys)}"]
            if keys
            else ["no pseudonym: answers are not linked to people"]
        )
        data += [f"free text in {', '.join(texts)}"] if texts else []
        limited = f"{details.keep_months} months" if details.keep_months else ""
        kept = "as long as figures depend on the rows"
        if limited:
            kept = f"free text, earlier versions and quarantined rows {limited}; the rest {kept}"
        found.append(
            Activity(
                source,
                f"{contract.title}: {details.title}",
                details.title,
                "; ".join(data),
                " ".join(details.description.split()),
                details.legal_ground or "",
                kept,
            )
        )
    return found


def register(organisation: str) -> str:
    """The record as Markdown."""
    lines = [HEAD.format(organisation=organisation)]
    for item in activities():
        lines += [
            f"## {item.title}\n",
            f"- **Data**: {item.data}",
            f"- **Purpose**: {item.why}",
            f"- **Legal ground**: {item.ground}",
            f"- **Kept**: {item.kept}",
            f"- **Recipients**: {item.recipients}",
            "- **Rights**: access by `mel privacy export`, erasure by `mel privacy erase`\n",
        ]
    return "\n".join(lines)
