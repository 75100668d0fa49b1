"""An e-mail to one person: text and HTML with the same content, optionally a PDF. No I/O but the attachment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from mel_pipeline.core.errors import DeliveryError
from mel_pipeline.core.languages import BASE

POLICY = SMTP.clone(max_line_length=76)
_LINE_SEPARATORS = dict.fromkeys((0x85, 0x2028, 0x2029), " ")  # they come with names pasted from documents


@dataclass(frozen=True)
class Letter:
    """The content sent to every recipient of one language. ``html`` may be empty."""

    subject: str
    text: str
    html: str = ""
    language: str = BASE
    attachment: Path | None = None
    attachment_name: str = ""

    @property
    def digest(self) -> str:
        """Hash of the content; the attachment follows from it."""
        return hashlib.sha256("\0".join((self.subject, self.text, self.html)).encode()).hexdigest()


def message(letter: Letter, sender: str, to: str, moment: datetime, key: str) -> EmailMessage:
    """The e-mail to one address.

    Args:
        moment: with a time zone.
        key: the same key gives the same Message-ID, so a repeated message is recognised.

    Raises:
        DeliveryError: a header would contain a line break or another control character, or the
            attachment cannot be read.
    """
    subject = letter.subject.translate(_LINE_SEPARATORS)
    for name, value in (("subject", subject), ("sender", sender), ("recipient", to)):
        if any(ord(char) < 32 or ord(char) == 127 for char in value) or len(value.splitlines()) > 1:
            raise DeliveryError(f"Writing an e-mail: its {name} contains a line break. Nothing was sent.")
    made = EmailMessage(policy=POLICY)
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = format_datetime(moment)
    made["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # suppresses out-of-office replies
    made["Content-Language"] = letter.language
    made.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        made.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if letter.attachment is not None:
        made.add_attachment(
            _content(letter.attachment),
            maintype="application",
            subtype="pdf",
            filename=letter.attachment_name,
        )
    return made


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeliveryError(f"Attaching {path}: {error.strerror}. Write the edition again.") from error
