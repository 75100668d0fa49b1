"""Notifications by e-mail, chat or both, each sent once.

The log of sent notifications is a file in MEL_HOME, not in the warehouse: an unreachable warehouse is itself a
reason to notify.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import DeliveryError, MelError
from mel_pipeline.delivery.channels import services
from mel_pipeline.delivery.channels.redaction import redacted
from mel_pipeline.delivery.channels.smtp import Server, send
from mel_pipeline.delivery.channels.webhook import post
from mel_pipeline.delivery.message import Letter, message
from mel_pipeline.delivery.recipients import one_address, recipients

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.core.settings import Settings

FILE = "notices.json"
DOCTOR = "doctor"  # subject of what `mel doctor` finds
MAX_SUBJECTS = 500
QUARTER = re.compile(r"\d{4}-Q[1-4]")
MOST_LINES = 12
MOST_LETTERS = 600  # of a check's sentence: the remedy comes at its end


@dataclass(frozen=True)
class Notification:
    """One message. ``link`` leads to the run or report it is about."""

    title: str
    lines: tuple[str, ...]
    link: str = ""

    def text(self) -> str:
        """The text as sent, without addresses and secrets; the link is our own."""
        shown = [redacted(line) for line in self.lines[:MOST_LINES]]
        if len(self.lines) > MOST_LINES:
            shown.append(f"... and {len(self.lines) - MOST_LINES} more in the Dagster UI.")
        return "\n".join([redacted(self.title), "", *shown, *(["", self.link] if self.link else [])])


class NotificationLog:
    """The state last notified for each subject."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE

    def last(self, subject: str) -> Any:
        """None if nothing has been sent yet."""
        return self._read().get(subject)

    def record(self, subject: str, state: Any) -> None:
        """Replace the state of a subject; the oldest subjects are dropped."""
        known = {name: value for name, value in self._read().items() if name != subject}
        known = dict(list(known.items())[-MAX_SUBJECTS + 1 :]) | {subject: state}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{FILE}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(self.path)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # a repeated notification is better than none
        return known if isinstance(known, dict) else {}


def notify(settings: Settings, notification: Notification) -> None:
    """Send on every configured channel; a failing one does not stop the others.

    Raises:
        DeliveryError: a channel failed; says which and why, without addresses.
    """
    failed: list[str] = []
    for channel in (_by_mail, _in_chat, _to_services):
        try:
            channel(settings, notification)
        except MelError as error:
            failed.append(str(error))
    if failed:
        raise DeliveryError(f"Sending the notification '{redacted(notification.title)}': {' '.join(failed)}")


def notify_once(settings: Settings, subject: str, state: Any, notification: Notification) -> bool:
    """Notify unless this state was the last one sent for the subject. Returns whether it was sent."""
    log = NotificationLog(settings.home)
    if log.last(subject) == state:
        return False
    notify(settings, notification)
    log.record(subject, state)
    return True


def _by_mail(settings: Settings, notification: Notification) -> None:
    to = recipients(settings.notify_to.get_secret_value(), "MEL_NOTIFY_TO")
    if not to:
        return
    sender = one_address(settings.mail_from.get_secret_value(), "MEL_MAIL_FROM")
    moment = datetime.now(UTC)
    subject = " ".join(f"{settings.organisation_name} MEL: {redacted(notification.title)}".split())
    letter = Letter(subject, notification.text() + "\n")
    key = hashlib.sha256(f"{letter.digest} {moment.isoformat()}".encode()).hexdigest()
    messages = {
        person.place: message(letter, sender, person.address, moment, f"{key} {number}")
        for number, person in enumerate(to)
    }
    failed = send(_impatient_server(settings), sender, messages, lambda _: None)
    if failed:
        raise DeliveryError("; ".join(f"{place}: {why}" for place, why in failed.items()))


def _impatient_server(settings: Settings) -> Server:
    """Short timeouts: Dagster allows a sensor a minute. Unsent notifications go out on the next tick."""
    from mel_pipeline.delivery.service import mail_server

    given = mail_server(settings)
    return replace(given, attempts=2, wait_seconds=3.0, timeout_seconds=min(8.0, given.timeout_seconds))


def _in_chat(settings: Settings, notification: Notification) -> None:
    if url := settings.notify_webhook.get_secret_value():
        post(url, notification.text(), attempts=2)


def _to_services(settings: Settings, notification: Notification) -> None:
    if urls := services.services(settings.notify_urls.get_secret_value()):
        title = f"{settings.organisation_name} MEL: {redacted(notification.title)}"
        services.send(urls, title, notification.text())


def run_link(settings: Settings, run_id: str, period: str = "") -> str:
    """The run, and the overview of the quarter it is about, one a line."""
    place = settings.ui_url.rstrip("/")
    run = f"{place}/runs/{run_id}"
    is_quarter = QUARTER.fullmatch(period)
    overview = f"{place}/assets/quarter_overview?view=partitions&partition={period}"
    return f"{run}\n{period} at a glance: {overview}" if is_quarter else run


def failure(job: str, partition: str, reasons: Collection[str], link: str) -> Notification:
    """A failed run; earlier publications are unaffected."""
    what = f"{job} {partition}".rstrip()
    lines = (*reasons, "What was published before is unaffected. Fix the above and run it again.")
    return Notification(f"{what} failed", lines, link)


def broken(lines: Collection[str]) -> Notification:
    """What `mel doctor` found broken, or that it no longer finds anything."""
    if not lines:
        return Notification(
            "mel doctor finds nothing broken any more", ("Everything it named has been mended.",)
        )
    return Notification(f"mel doctor: {len(lines)} broken", tuple(lines))


def recovery(job: str, partition: str, link: str) -> Notification:
    return Notification(
        f"{job} {partition}".rstrip() + " works again", ("The run after the failure has succeeded.",), link
    )


def warnings(partition: str, now: dict[str, str], before: Collection[str], link: str) -> Notification:
    """The checks that warn, new ones first.

    Args:
        now: check → sentence.
        before: checks that warned in the last notification.
    """
    lines = {name: f"{name}: {_in_short(text)}" for name, text in sorted(now.items())}
    new = [f"New: {line}" for line in grouped([lines[name] for name in lines if name not in before])]
    still = [f"Still: {line}" for line in grouped([lines[name] for name in lines if name in before])]
    gone = [f"Fixed: {name}" for name in sorted(set(before) - set(now))]
    title = (
        f"{partition}: {len(now)} check{'s' if len(now) != 1 else ''} worth a look"
        if now
        else (f"{partition}: no check warns any more")
    )
    return Notification(title, (*new, *gone, *still), link)


def nothing_ran(hours: float) -> Notification:
    return Notification(
        "no nightly run",
        (
            f"The last nightly run ended {hours / 24:.0f} days ago. Check that every_night is on under Automation"
            " and that no run hangs; one run catches up on everything.",
        ),
    )


def duties(sentences: Collection[str], link: str) -> Notification:
    """What is late or falls due, by role and day."""
    count = len(sentences)
    return Notification(f"{count} {'duties are' if count != 1 else 'duty is'} due", tuple(sentences), link)


def report_link(settings: Settings, period: str) -> str:
    """The page of an edition: under MEL_REPORTS_URL, otherwise beside the Dagster UI. A draft only there."""
    place = settings.ui_url.rstrip("/")
    folder = f"{place}/drafts" if _is_draft(settings, period) else settings.reports_url or f"{place}/reports"
    return f"{folder.rstrip('/')}/{period}/report-en.html"


def report_ready(settings: Settings, period: str, sentence: str) -> Notification:
    is_draft = _is_draft(settings, period)
    folder = settings.drafts_dir if is_draft else settings.published_dir
    lines = (f"Its files are in {folder / period}.", *([sentence] if sentence else []))
    what = f"the draft of {period}" if is_draft else f"the report {period}"
    return Notification(f"{what} is ready", lines, report_link(settings, period))


def _is_draft(settings: Settings, period: str) -> bool:
    return (settings.drafts_dir / period / "report-en.html").is_file()


def grouped(problems: list[str]) -> list[str]:
    """Merge problems with the same reason: an outage fails every table of a source.

    Expects "asset: sentence. request: reason"; anything else is left as it is.
    """
    alike: dict[str, list[str]] = {}
    for problem in problems:
        alike.setdefault(problem.split(": ", 2)[-1] if problem.count(": ") > 1 else problem, []).append(
            problem
        )
    return [
        same[0] if len(same) == 1 else f"{_names([problem.split(': ')[0] for problem in same])}: {reason}"
        for reason, same in alike.items()
    ]


def _names(assets: list[str]) -> str:
    return f"{', '.join(assets[:-1])} and {assets[-1]}"


def _in_short(text: str) -> str:
    """The first two lines: for rows of a table the first counts them, the second says what is wrong."""
    lines = [line.removeprefix("- ").strip() for line in text.strip().splitlines()]
    return shorten(" ".join(filter(None, lines[:2])), MOST_LETTERS, placeholder=" ...").rstrip(":")
