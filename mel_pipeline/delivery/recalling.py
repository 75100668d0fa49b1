"""Recall an edition: the ledger first, then its files, the site, the shared folder, and a message to everyone who got it.

Repeating it finishes what was interrupted: nobody is written to twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import DeliveryError, SettingsError
from mel_pipeline.delivery.channels.folder import copy_edition
from mel_pipeline.delivery.channels.smtp import send
from mel_pipeline.delivery.message import Letter, message
from mel_pipeline.delivery.recipients import Recipient, one_address, recipients
from mel_pipeline.delivery.service import mail_server
from mel_pipeline.publication.recall import recall, recall_of
from mel_pipeline.reporting.inputs.editions import read_edition, write_edition
from mel_pipeline.reporting.inputs.folders import editions_dir
from mel_pipeline.reporting.inputs.site_data import write_site
from mel_pipeline.reporting.recall_mail import recall_mail
from mel_pipeline.warehouse import tables
from mel_pipeline.warehouse.migrating import ensure_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.periods import Quarter
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.store import Entry
    from mel_pipeline.reporting import Edition
    from mel_pipeline.warehouse import Warehouse


@dataclass
class Recalled:
    """What became of a recall. ``notes``: what a person still has to do."""

    quarter: str
    version: int
    editions: list[str] = field(default_factory=list)
    told: int = 0
    had: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        marked = f"{self.quarter}, version {self.version}, is recalled; marked: {' and '.join(self.editions) or 'nothing'}"
        sent = f"{self.told} receiver{' was' if self.told == 1 else 's were'} written to"
        return f"{marked}; {sent}" + (f", {self.had} had been already." if self.had else ".")


def recall_edition(
    warehouse: Warehouse,
    settings: Settings,
    quarter: Quarter,
    role: str = "",
    reason: str = "",
    by: Person | None = None,
) -> Recalled:
    """Recall the published version of a quarter and of the year that it closes, or finish doing so.

    Args:
        role, reason, by: as for ``publication.recall``; without role and reason a recall is only finished.

    Raises:
        PublicationError: nothing is published or, without role and reason, nothing was recalled.
        DeliveryError: some receivers could not be written to; repeat it.
        ReportError: an edition cannot be written.
    """
    found = recall_of(warehouse, str(quarter))
    if role or reason or found is None:
        found = recall(warehouse, quarter, role, reason, by)
    done = Recalled(str(quarter), found.version or 1)
    editions = [read_edition(warehouse, settings, period) for period in _periods(warehouse, quarter)]
    for edition in editions:
        write_edition(edition, settings)
        done.editions.append(edition.period)
        _copy(settings, edition, done)
    write_site(warehouse, settings)
    _tell(warehouse, settings, editions, found, done)
    return done


def _periods(warehouse: Warehouse, quarter: Quarter) -> list[str]:
    rows = warehouse.records(
        "select distinct period from released_figures where quarter = :quarter and grain <> 'month' order by period desc",
        {"quarter": str(quarter)},
    )
    return [str(row["period"]) for row in rows]


def _copy(settings: Settings, edition: Edition, done: Recalled) -> None:
    """The shared folder gets the marked files in place of the others."""
    into = settings.deliver_dir
    if into is None or not (into / edition.period).is_dir():
        return
    copy_edition(editions_dir(settings, published=True) / edition.period, into)
    done.notes.append(
        f"The copy in {into / edition.period} is marked as well. Copies made elsewhere are not."
    )


def _tell(
    warehouse: Warehouse, settings: Settings, editions: list[Edition], found: Entry, done: Recalled
) -> None:
    receivers = {
        edition.period: _receivers(warehouse, edition.period, found.version or 1) for edition in editions
    }
    if not any(receivers.values()):
        return
    from mel_pipeline.ingest.privacy.pseudonyms import load_pseudonyms

    listed = recipients(settings.mail_to.get_secret_value(), "MEL_MAIL_TO")
    pseudonyms = load_pseudonyms(settings)
    known = {pseudonyms.of("mail", person.address.lower()): person for person in listed}
    if unknown := {key for keys in receivers.values() for key in keys} - known.keys():
        done.notes.append(
            f"{len(unknown)} of those who received it {'is' if len(unknown) == 1 else 'are'} no longer in MEL_MAIL_TO, and"
            " only pseudonyms are stored: tell them yourself."
        )
    for edition in editions:
        told = _receivers(warehouse, edition.period, -(found.version or 1))
        due = {
            key: known[key] for key in sorted(receivers[edition.period]) if key in known and key not in told
        }
        done.had += len(set(receivers[edition.period]) & told)
        if due:
            done.told += _send(warehouse, settings, edition, found, due)


def _receivers(warehouse: Warehouse, period: str, version: int) -> set[str]:
    """Pseudonyms of those who got this version; of a negative one, the news that it is recalled."""
    table = tables.delivery
    if not warehouse.has_table(table.name):
        return set()
    query = sa.select(table.c.recipient).where(table.c.period == period, table.c.version == version)
    with warehouse.connect() as connection:
        return set(connection.execute(query).scalars())


def _send(
    warehouse: Warehouse, settings: Settings, edition: Edition, found: Entry, due: Mapping[str, Recipient]
) -> int:
    try:
        sender = one_address(settings.mail_from.get_secret_value(), "MEL_MAIL_FROM")
        server = mail_server(settings)
    except SettingsError as error:
        raise DeliveryError(
            f"Telling the receivers of {edition.period}: {error} The recall itself is done; then run `mel recall"
            f" {found.quarter}` again."
        ) from None
    letters = {
        language: Letter(*recall_mail(edition, settings.report_sources, language), "", language)
        for language in {person.language for person in due.values()}
    }
    moment = datetime.now(UTC)
    messages = {
        key: message(
            letters[person.language],
            sender,
            person.address,
            moment,
            f"recall {edition.period} {found.version} {key}",
        )
        for key, person in due.items()
    }
    failed = send(server, sender, messages, partial(_note, warehouse, edition.period, found, letters, due))
    if failed:
        reasons = "; ".join(f"{due[key].place}: {why}" for key, why in failed.items())
        raise DeliveryError(
            f"Telling the receivers of {edition.period}: {len(failed)} of {len(due)} e-mails were not sent. {reasons}"
            f" The recall itself is done; run `mel recall {found.quarter}` again: it writes to those alone."
        )
    return len(due)


def _note(
    warehouse: Warehouse,
    period: str,
    found: Entry,
    letters: Mapping[str, Letter],
    due: Mapping[str, Recipient],
    key: str,
) -> None:
    language = due[key].language
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        connection.execute(
            sa.insert(tables.delivery).values(
                period=period,
                version=-(found.version or 1),  # the news that this version is recalled
                content=letters[language].digest,
                language=language,
                recipient=key,
                sent_at=utc_now(),
            )
        )
