"""Deliver an edition: check its files, mail it to those who have not received it, copy it to a folder.

Unpublished figures go only to the MEL lead, marked as a draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.delivery_settings import PORTS
from mel_pipeline.core.errors import DeliveryError, SettingsError
from mel_pipeline.core.languages import BASE
from mel_pipeline.delivery.channels.folder import copy_edition
from mel_pipeline.delivery.channels.smtp import Server, send
from mel_pipeline.delivery.integrity import faults
from mel_pipeline.delivery.message import Letter, message
from mel_pipeline.delivery.recipients import Recipient, one_address, recipients
from mel_pipeline.publication.store import last_publication
from mel_pipeline.reporting.inputs.editions import read_edition, write_edition
from mel_pipeline.reporting.inputs.folders import editions_dir
from mel_pipeline.reporting.text.languages import languages, refused
from mel_pipeline.warehouse import tables
from mel_pipeline.warehouse.migrating import ensure_tables

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.store import Entry
    from mel_pipeline.reporting import Edition
    from mel_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Delivered:
    """Result of a delivery. ``had``: recipients who already have this version; ``notes``: warnings."""

    period: str
    sent: int = 0
    had: int = 0
    copied_to: str = ""
    notes: list[str] = field(default_factory=list)
    dry_run: bool = False

    @property
    def sentence(self) -> str:
        verb = "would go" if self.dry_run else "went"
        parts = [f"{self.period}: {self.sent} e-mail{'' if self.sent == 1 else 's'} {verb} out"]
        if self.had:
            parts.append(f"{self.had} recipient{' has' if self.had == 1 else 's have'} this version already")
        if self.copied_to:
            parts.append(f"the edition is in {self.copied_to}")
        return "; ".join(parts) + "."


@dataclass(frozen=True)
class _Delivery:
    """One delivery: which edition, to whom, as what."""

    warehouse: Warehouse
    settings: Settings
    edition: Edition
    published: Entry | None
    draft: bool
    to: list[Recipient]
    sender: str
    server: Server | None

    @property
    def folder(self) -> Path:
        return (
            editions_dir(self.settings, published=self.edition.publication is not None) / self.edition.period
        )

    @property
    def version(self) -> int:
        return 0 if self.draft or self.published is None else self.published.version or 1

    @property
    def languages(self) -> list[str]:
        return sorted({recipient.language for recipient in self.to}) or [BASE]


def mail_server(settings: Settings) -> Server:
    """The mail server of the settings.

    Raises:
        SettingsError: none is set.
    """
    if not settings.smtp_host:
        raise SettingsError("Sending e-mail: no mail server. Set MEL_SMTP_HOST and MEL_MAIL_FROM.")
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port or PORTS[settings.smtp_secure],
        secure=settings.smtp_secure,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        ca_file=settings.smtp_ca_file,
        timeout_seconds=settings.smtp_timeout_seconds,
    )


def deliver(
    warehouse: Warehouse,
    settings: Settings,
    period: str,
    *,
    draft: bool = False,
    again: bool = False,
    dry_run: bool = False,
) -> Delivered:
    """Rewrite the edition if it has changed, check it, send and copy it.

    Args:
        period: a quarter (``2024-Q4``) or a year.
        draft: send it only to the MEL lead, marked as a draft; nothing is copied.
        again: also send to those who already have this version.
        dry_run: write, send and copy nothing; only say what would happen.

    Raises:
        DeliveryError: not published, files missing or blank, or some recipients could not be reached.
        SettingsError: no recipients, or a wrong setting.
        ReportError: the period has not been calculated, or a page cannot be written.
    """
    quarter = period if "-Q" in period else f"{period}-Q4"
    published = last_publication(warehouse, quarter)
    to = _recipients(settings, draft=draft)
    if published is None and not draft:
        raise DeliveryError(
            f"Delivering {period}: its figures are not published. Publish {quarter} first (`mel publish {quarter}`),"
            " or send it to the MEL lead as a draft (`--draft`)."
        )
    sender = one_address(settings.mail_from.get_secret_value(), "MEL_MAIL_FROM") if to else ""
    server = mail_server(settings) if to else None
    edition = read_edition(warehouse, settings, period)
    if edition.publication is not None and edition.publication.recall is not None:
        raise DeliveryError(
            f"Delivering {period}: version {edition.publication.version} is recalled. Publish a restated version first"
            f" (`mel publish {quarter}`)."
        )
    task = _Delivery(warehouse, settings, edition, published, draft, to, sender, server)
    _require_languages(task)
    # Sent files must show the current state: those written before publication still say provisional.
    if not dry_run:
        write_edition(edition, settings, task.languages)
    _require_whole(task, dry_run=dry_run)
    copied = _copy(task, dry_run=dry_run)
    sent, had, notes = _mail(task, server, again=again, dry_run=dry_run) if server else (0, 0, [])
    return Delivered(period, sent, had, copied, notes, dry_run)


def _recipients(settings: Settings, *, draft: bool) -> list[Recipient]:
    if draft:
        found = recipients(settings.mail_draft_to.get_secret_value(), "MEL_MAIL_DRAFT_TO")
        if not found:
            raise SettingsError("Sending a draft: no recipient. Set MEL_MAIL_DRAFT_TO to the MEL lead.")
        return found
    found = recipients(settings.mail_to.get_secret_value(), "MEL_MAIL_TO")
    if not found and settings.deliver_dir is None:
        raise SettingsError(
            "Delivering an edition: no recipients and no folder. Set MEL_MAIL_TO, or MEL_DELIVER_DIR."
        )
    return found


def _require_languages(task: _Delivery) -> None:
    sources = task.settings.report_sources
    known = languages(sources)
    if missing := [name for name in task.languages if name not in known]:
        raise SettingsError(
            f"Delivering {task.edition.period}: there is no edition in '{missing[0]}' ({', '.join(sorted(known))})."
            " Change the language in MEL_MAIL_TO or MEL_MAIL_DRAFT_TO."
        )
    if incomplete := refused(task.edition, sources, task.languages):
        raise DeliveryError(
            f"Delivering {task.edition.period}: {next(iter(incomplete.values()))} Nothing was sent or copied."
        )


def _require_whole(task: _Delivery, *, dry_run: bool) -> None:
    headline = task.edition.indicators.loc[
        task.edition.indicators["headline"].astype(str).str.lower() == "true", "indicator_id"
    ]
    needed = [f"report-{language}.html" for language in task.languages]
    for language in task.languages:
        suffix = "" if language == BASE else f"-{language}"
        needed += [f"charts/{name}{suffix}.{kind}" for name in headline for kind in ("svg", "png")]
    frozen = task.published is not None and not (task.draft or dry_run)  # a dry run rewrites no page
    since = task.published.happened_at.replace(tzinfo=UTC) if task.published and frozen else None
    if wrong := faults(task.folder, needed, since):
        raise DeliveryError(
            f"Delivering {task.edition.period}: the edition in {task.folder} is incomplete; nothing was sent or"
            f" copied. {' '.join(wrong)} Write it again (job quarterly_report or annual_edition)."
        )


def _copy(task: _Delivery, *, dry_run: bool) -> str:
    into = task.settings.deliver_dir
    if into is None or task.draft:
        return ""
    if not dry_run:
        copy_edition(task.folder, into)
    return str(into / task.edition.period)


def _mail(task: _Delivery, server: Server, *, again: bool, dry_run: bool) -> tuple[int, int, list[str]]:
    """How many were sent, how many already had it, warnings."""
    from mel_pipeline.ingest.privacy.pseudonyms import load_pseudonyms

    pseudonyms = load_pseudonyms(task.settings)
    notes: list[str] = []
    letters = {language: _letter(task, language, notes) for language in task.languages}
    known = {pseudonyms.of("mail", person.address.lower()): person for person in task.to}
    done = set() if again else _had(task, letters)
    due = {key: person for key, person in known.items() if key not in done}
    if dry_run:
        return len(due), len(known) - len(due), notes
    moment = datetime.now(UTC)
    messages: dict[str, EmailMessage] = {}
    for key, person in due.items():
        letter = letters[person.language]
        identity = [
            task.edition.period,
            str(task.version),
            letter.digest,
            key,
            moment.isoformat() if again else "",
        ]
        messages[key] = message(letter, task.sender, person.address, moment, " ".join(identity))
    failed = send(server, task.sender, messages, partial(_note, task, letters, due)) if messages else {}
    if failed:
        raise DeliveryError(_failure_message(task, due, failed))
    return len(due), len(known) - len(due), notes


def _letter(task: _Delivery, language: str, notes: list[str]) -> Letter:
    from mel_pipeline.reporting.mail import edition_mail

    page = f"{task.edition.period}/report-{language}.html"
    if task.edition.publication is None:
        place = str(task.folder.parent / page)  # readers cannot open it
    elif task.settings.reports_url:
        place = f"{task.settings.reports_url.rstrip('/')}/{page}"
    else:
        folder = None if task.draft else task.settings.deliver_dir
        place = str((folder or task.settings.published_dir) / page)
    attachment = _attachment(task, language, notes)
    mail = edition_mail(
        task.edition,
        task.settings.report_sources,
        language,
        draft=task.draft,
        place=place,
        attached=attachment is not None,
    )
    name = f"{task.settings.organisation_name}-{task.edition.period}-{language}{'-DRAFT' if task.draft else ''}.pdf"
    return Letter(mail.subject, mail.text, mail.html, language, attachment, name)


def _attachment(task: _Delivery, language: str, notes: list[str]) -> Path | None:
    """The PDF, if it exists, is small enough and not older than the page."""
    path = task.folder / f"report-{language}.pdf"
    if not path.is_file() or not task.settings.mail_attach_mb:
        return None
    size = path.stat().st_size / 1e6
    if size > task.settings.mail_attach_mb:
        notes.append(f"{path.name} has {size:.1f} MB, more than MEL_MAIL_ATTACH_MB: not attached.")
        return None
    page = task.folder / f"report-{language}.html"
    if path.stat().st_mtime < page.stat().st_mtime:
        notes.append(f"{path.name} is older than the page: not attached. Write the edition again.")
        return None
    return path


def _had(task: _Delivery, letters: dict[str, Letter]) -> set[str]:
    """Pseudonyms of recipients who have this version; for a draft, this very draft."""
    table = tables.delivery
    if not task.warehouse.has_table(table.name):
        return set()
    query = sa.select(table.c.recipient).where(
        table.c.period == task.edition.period, table.c.version == task.version
    )
    if task.draft:
        query = query.where(table.c.content.in_([letter.digest for letter in letters.values()]))
    with task.warehouse.connect() as connection:
        return set(connection.execute(query).scalars())


def _note(task: _Delivery, letters: dict[str, Letter], due: dict[str, Recipient], key: str) -> None:
    """Recorded as each message is accepted, so that a later failure never sends it twice."""
    language = due[key].language
    with task.warehouse.transaction() as connection:
        ensure_tables(connection)
        connection.execute(
            sa.insert(tables.delivery).values(
                period=task.edition.period,
                version=task.version,
                content=letters[language].digest,
                language=language,
                recipient=key,
                sent_at=utc_now(),
            )
        )


def _failure_message(task: _Delivery, due: dict[str, Recipient], failed: dict[str, str]) -> str:
    """Who did not get it, by reason and position in the setting."""
    reasons: dict[str, list[str]] = {}
    for key, why in failed.items():
        reasons.setdefault(why, []).append(due[key].place)
    lines = [f"{', '.join(places)}: {why}" for why, places in reasons.items()]
    return (
        f"Delivering {task.edition.period}: {len(failed)} of {len(due)} e-mails were not sent. {' '.join(lines)}"
        " Fix the above and deliver again: it goes only to those who have not received it."
    )
