"""What the pipeline tells people unasked: by e-mail, in a chat, or both. Each thing is told once.

What was told stands in a file of MEL_HOME, not in the warehouse: a warehouse that cannot be opened is one of the
things to tell.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import DeliveryError, MelError
from mel_pipeline.delivery.channels.redaction import redacted
from mel_pipeline.delivery.channels.smtp import Server, send
from mel_pipeline.delivery.channels.webhook import post
from mel_pipeline.delivery.message import Letter, message
from mel_pipeline.delivery.recipients import one_address, recipients

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.core.settings import Settings

FILE = "notices.json"
MOST_KEPT = 500
MOST_LINES = 12
MOST_LETTERS = 600  # of a check's sentence: what to do stands at its end


@dataclass(frozen=True)
class Notification:
    """Something to tell. ``link`` leads to where it can be seen."""

    title: str
    lines: tuple[str, ...]
    link: str = ""

    def text(self) -> str:
        """As people get it, without addresses and secrets; the link is our own."""
        shown = [redacted(line) for line in self.lines[:MOST_LINES]]
        if len(self.lines) > MOST_LINES:
            shown.append(f"... and {len(self.lines) - MOST_LINES} more in the Dagster UI.")
        return "\n".join([redacted(self.title), "", *shown, *(["", self.link] if self.link else [])])


class NotificationLog:
    """What was told last about each subject."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE

    def last(self, subject: str) -> Any:
        """None when nothing was ever told."""
        return self._read().get(subject)

    def record(self, subject: str, told: Any) -> None:
        """Replace what was told; the oldest subjects are forgotten."""
        known = {name: value for name, value in self._read().items() if name != subject}
        known = dict(list(known.items())[-MOST_KEPT + 1 :]) | {subject: told}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{FILE}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(self.path)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # then something is told once more, which is better than not at all
        return known if isinstance(known, dict) else {}


def notify(settings: Settings, notice: Notification) -> None:
    """Tell it on every channel that is set; one that fails keeps no other from being used.

    Raises:
        DeliveryError: a channel failed; which and why, without addresses.
    """
    failed: list[str] = []
    for channel in (_by_mail, _in_chat):
        try:
            channel(settings, notice)
        except MelError as error:
            failed.append(str(error))
    if failed:
        raise DeliveryError(f"Telling that '{redacted(notice.title)}': {' '.join(failed)}")


def notify_once(settings: Settings, subject: str, told: Any, notice: Notification) -> bool:
    """Tell it unless just this was the last told about the subject; True when it was told."""
    log = NotificationLog(settings.home)
    if log.last(subject) == told:
        return False
    notify(settings, notice)
    log.record(subject, told)
    return True


def _by_mail(settings: Settings, notice: Notification) -> None:
    to = recipients(settings.notify_to.get_secret_value(), "MEL_NOTIFY_TO")
    if not to:
        return
    sender = one_address(settings.mail_from.get_secret_value(), "MEL_MAIL_FROM")
    moment = datetime.now(UTC)
    subject = " ".join(f"{settings.organisation} MEL: {redacted(notice.title)}".split())
    letter = Letter(subject, notice.text() + "\n")
    key = hashlib.sha256(f"{letter.digest} {moment.isoformat()}".encode()).hexdigest()
    messages = {
        person.place: message(letter, sender, person.address, moment, f"{key} {number}")
        for number, person in enumerate(to)
    }
    failed = send(_impatient_server(settings), sender, messages, lambda _: None)
    if failed:
        raise DeliveryError("; ".join(f"{place}: {why}" for place, why in failed.items()))


def _impatient_server(settings: Settings) -> Server:
    """Dagster gives a sensor a minute; what is not told then is told at the next occasion."""
    from mel_pipeline.delivery.service import mail_server

    given = mail_server(settings)
    return replace(given, attempts=2, wait_seconds=3.0, timeout_seconds=min(8.0, given.timeout_seconds))


def _in_chat(settings: Settings, notice: Notification) -> None:
    if url := settings.notify_webhook.get_secret_value():
        post(url, notice.text(), attempts=2)


def run_link(settings: Settings, run_id: str) -> str:
    return f"{settings.ui_url.rstrip('/')}/runs/{run_id}"


def failure(job: str, partition: str, reasons: Collection[str], link: str) -> Notification:
    """A run that failed; what was published before still stands."""
    what = f"{job} {partition}".rstrip()
    lines = (*reasons, "What was published before still stands. Mend the above and run it again.")
    return Notification(f"{what} failed", lines, link)


def recovery(job: str, partition: str, link: str) -> Notification:
    return Notification(
        f"{job} {partition}".rstrip() + " works again", ("The run after the failure has succeeded.",), link
    )


def warnings(partition: str, now: dict[str, str], before: Collection[str], link: str) -> Notification:
    """The checks that warn, new ones first.

    Args:
        now: check → sentence.
        before: checks that warned when this was last told.
    """
    told = {name: f"{name}: {_in_short(text)}" for name, text in sorted(now.items())}
    new = [f"New: {line}" for line in grouped([told[name] for name in told if name not in before])]
    still = [f"Still: {line}" for line in grouped([told[name] for name in told if name in before])]
    gone = [f"Mended: {name}" for name in sorted(set(before) - set(now))]
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
            f"The last nightly run ended {hours / 24:.0f} days ago. Look whether every_night is on under Automation"
            " and whether a run hangs; one run brings everything since.",
        ),
    )


def report_link(settings: Settings, period: str) -> str:
    """The page of an edition: where reports can be opened, else beside the Dagster UI."""
    folder = settings.reports_url or f"{settings.ui_url.rstrip('/')}/reports"
    return f"{folder.rstrip('/')}/{period}/report-en.html"


def report_ready(settings: Settings, period: str, sentence: str) -> Notification:
    lines = (f"Its files lie in {settings.published_dir / period}.", *([sentence] if sentence else []))
    return Notification(f"the report {period} is ready", lines, report_link(settings, period))


def grouped(problems: list[str]) -> list[str]:
    """Problems with one reason told once: an outage fails every table of a source.

    Each reads "asset: sentence. what was asked: reason", or otherwise, and is then left as it is.
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
    """The first two lines: of a table's rows the first counts them, the second says what is wrong."""
    lines = [line.removeprefix("- ").strip() for line in text.strip().splitlines()]
    return shorten(" ".join(filter(None, lines[:2])), MOST_LETTERS, placeholder=" ...").rstrip(":")
