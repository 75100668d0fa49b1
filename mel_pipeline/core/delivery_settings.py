"""Settings of e-mail, delivery and notifications; part of ``Settings``. Addresses are secrets and never printed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

NOTHING = SecretStr("")
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class DeliverySettings(BaseSettings):
    """Where editions and notifications go, and by which server."""

    team: bool = Field(
        False,
        description="A team relies on this installation: the nightly schedule and the sensors are on from the start.",
    )
    smtp_host: str = Field("", description="Mail server; without it no e-mail is sent.")
    smtp_port: int | None = Field(None, ge=1, le=65535, description="587, 465 or 25 by default, as secured.")
    smtp_secure: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="How the connection is secured: starttls, tls or none (a relay on this network).",
    )
    smtp_user: str = Field("", description="Account at the mail server, if it requires one.", repr=False)
    smtp_password: SecretStr = Field(NOTHING, description="Password of that account.")
    smtp_ca_file: Path | None = Field(
        None, description="Your own CA certificate, if the mail server's certificate is not publicly signed."
    )
    smtp_timeout_seconds: float = Field(30.0, gt=0, description="Longest wait for a reply from the server.")
    mail_from: SecretStr = Field(NOTHING, description="Sender address of editions and notifications.")
    mail_to: SecretStr = Field(
        NOTHING,
        description="Who gets published editions, by language of the e-mail: `en: a@x.org, b@x.org; fr: c@x.org`.",
    )
    mail_draft_to: SecretStr = Field(NOTHING, description="The MEL lead, the only recipient of drafts.")
    mail_attach_mb: float = Field(
        5.0, ge=0, description="A PDF up to this size is attached; 0 attaches none."
    )
    reports_url: str = Field(
        "", description="Address under which the folder of reports can be opened, for links."
    )
    deliver_dir: Path | None = Field(
        None, description="Folder (such as a shared drive) that gets a copy of every published edition."
    )
    notify_to: SecretStr = Field(NOTHING, description="Who gets failures and warnings by e-mail.")
    notify_webhook: SecretStr = Field(
        NOTHING, description="Chat webhook that gets them (Slack, Mattermost, Teams, Google Chat)."
    )
    notify_urls: SecretStr = Field(
        NOTHING,
        description="Services that get them as well, as Apprise addresses separated by spaces: msteams://…, matrixs://….",
    )
    heartbeat_url: SecretStr = Field(
        NOTHING,
        description="Address requested after each nightly run that succeeds; a monitor elsewhere raises the alarm without.",
    )
    ui_url: str = Field(
        "http://127.0.0.1:3000", description="Address of the Dagster UI, for links in notifications."
    )
    last_quarter_days: int = Field(
        30, ge=0, description="Days after the end of a quarter by which its figures and report are due."
    )

    @property
    def mails(self) -> bool:
        """Whether published editions are mailed."""
        return bool(self.smtp_host and self.mail_to.get_secret_value())

    @property
    def notifies(self) -> bool:
        """Whether notifications have a channel."""
        by_mail = self.smtp_host and self.notify_to.get_secret_value()
        in_chat = self.notify_webhook.get_secret_value() or self.notify_urls.get_secret_value()
        return bool(by_mail or in_chat)
