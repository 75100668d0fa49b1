"""Send messages by SMTP, one per recipient, and explain the server's replies. Errors name hosts, never people."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from mel_pipeline.core.deadline import Deadline, limited
from mel_pipeline.core.errors import DeliveryError, SettingsError, TransientSourceError

LARGEST_REPLY = 1 << 16  # bytes
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """A mail server and the retry policy: greylisting servers accept only a later attempt."""

    host: str
    port: int
    secure: Literal["starttls", "tls", "none"] = "starttls"
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 30.0
    attempts: int = 4
    wait_seconds: float = 20.0  # doubles with each attempt

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class _Fault:
    """Why a message was not accepted; ``lasting`` if retrying cannot help."""

    sentence: str
    lasting: bool


class _SMTP(smtplib.SMTP):
    """Each reply of the server has to be complete within the timeout, however it drips, and has an end."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self._deadline = Deadline("The mail server", float(self.timeout), most_bytes=LARGEST_REPLY)
            self.file = limited(self.sock.makefile("rb"), self.sock, self._deadline)
        self._deadline.restart()
        try:
            return super().getreply()
        except TransientSourceError:
            self.close()
            raise


class _SecureSMTP(_SMTP, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


def send(
    server: Server, sender: str, messages: Mapping[str, EmailMessage], accepted: Callable[[str], None]
) -> dict[str, str]:
    """Send every message to the address in its To header; temporary refusals are retried.

    Args:
        messages: by any key of the caller.
        accepted: called with the key as soon as the server accepts a message.

    Returns:
        Key → reason, for messages that were not accepted; empty if all were.

    Raises:
        DeliveryError: nothing can be sent: sign-in, certificate or sender refused.
        SettingsError: a password would be sent unencrypted.
    """
    _require_privacy(server)
    waiting, refused = dict(messages), dict[str, str]()

    def one_round() -> dict[str, str]:
        later: dict[str, str] = {}
        for key, fault in _sent(server, sender, dict(waiting), accepted):
            if fault is not None and not fault.lasting:
                later[key] = fault.sentence
                continue
            del waiting[key]
            if fault is not None:
                refused[key] = fault.sentence
        return later

    def given_up(state: RetryCallState) -> dict[str, str]:
        left: dict[str, str] = state.outcome.result() if state.outcome else {}
        return {key: f"{why} Tried {server.attempts} times." for key, why in left.items()}

    tries = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_attempt(server.attempts),
        wait=wait_exponential(multiplier=server.wait_seconds, min=0, max=600),
        retry_error_callback=given_up,
    )
    return refused | tries(one_round)


def _sent(
    server: Server, sender: str, messages: Mapping[str, EmailMessage], accepted: Callable[[str], None]
) -> list[tuple[str, _Fault | None]]:
    """One round over one connection; after a dropped connection the rest is left for the next round."""
    outcomes: list[tuple[str, _Fault | None]] = []
    keys = list(messages)
    connection: smtplib.SMTP | None = None
    try:
        connection = _open(server, sender)
        while keys:
            fault = _sent_one(server, connection, sender, messages[keys[0]])
            if fault is None:
                accepted(keys[0])
            outcomes.append((keys.pop(0), fault))
    except (
        smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, OSError, TransientSourceError
    ) as error:  # fmt: skip
        fault = _Fault(_unreachable(server, error), lasting=False)
        outcomes += [(key, fault) for key in keys]
    finally:
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError, TransientSourceError):
                connection.quit()
            connection.close()
    return outcomes


def _open(server: Server, sender: str) -> smtplib.SMTP:
    """A secured connection, signed in."""
    own = sender.rpartition("@")[2] or "localhost"  # not the machine's name
    context = _context(server)
    try:
        connection: smtplib.SMTP
        if server.secure == "tls":
            connection = _SecureSMTP(
                server.host, server.port, own, timeout=server.timeout_seconds, context=context
            )
        else:
            connection = _SMTP(server.host, server.port, own, timeout=server.timeout_seconds)
    except ssl.SSLError as error:
        raise _insecure(server, error) from None
    try:
        if server.secure == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
    except BaseException as error:
        connection.close()
        raise _explained(server, error) from None
    return connection


def _explained(server: Server, error: BaseException) -> BaseException:
    """What a failed handshake means; possibly temporary errors are returned as they are."""
    if isinstance(error, ssl.SSLError):
        return _insecure(server, error)
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code < 500:
        return smtplib.SMTPServerDisconnected("put off")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return DeliveryError(
            f"Signing in at the mail server {server.name}: user or password refused ({error.smtp_code})."
            " Check MEL_SMTP_USER and MEL_SMTP_PASSWORD; many providers require an app password."
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        what = "STARTTLS" if "STARTTLS" in str(error) else "signing in"
        return DeliveryError(
            f"Opening the mail server {server.name}: it does not offer {what}. Check MEL_SMTP_PORT and"
            " MEL_SMTP_SECURE (tls for port 465, starttls for 587)."
        )
    if isinstance(error, smtplib.SMTPResponseException):
        return DeliveryError(
            f"Opening the mail server {server.name}: it refuses the connection ({error.smtp_code}). Ask its administrator."
        )
    return error


def _sent_one(server: Server, connection: smtplib.SMTP, sender: str, message: EmailMessage) -> _Fault | None:
    try:
        connection.send_message(message, from_addr=sender, to_addrs=[message["To"].addresses[0].addr_spec])
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        return _refused(server, code, answer, "the address")
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code >= 500:
            raise DeliveryError(
                f"Sending by {server.name}: the server does not allow MEL_MAIL_FROM as sender"
                f" ({error.smtp_code}). Use an address of the account that signs in."
            ) from None
        return _refused(server, error.smtp_code, error.smtp_error, "the sender")
    except smtplib.SMTPDataError as error:
        return _refused(server, error.smtp_code, error.smtp_error, "the message")
    return None


def _refused(server: Server, code: int, answer: bytes | str, what: str) -> _Fault:
    """Report only codes: the text of a server's reply may name a person."""
    words = answer.decode("ascii", "replace") if isinstance(answer, bytes) else str(answer)
    first = words.split(" ", 1)[0]
    detail = f"{code} {first}" if first[:2] in ("4.", "5.") and len(first) < 10 else str(code)
    if code == 421:
        raise smtplib.SMTPServerDisconnected("the server closes")
    if code < 500:
        return _Fault(f"{server.name} put {what} off ({detail}).", lasting=False)
    return _Fault(f"{server.name} refuses {what} ({detail}).", lasting=True)


def _unreachable(server: Server, error: Exception) -> str:
    if isinstance(error, TimeoutError | TransientSourceError) or "timed out" in str(
        error
    ):  # smtplib wraps it
        why = f"no answer within {server.timeout_seconds:g} seconds"
    elif isinstance(error, smtplib.SMTPException):
        why = "the server closed the connection"
    else:
        why = (getattr(error, "strerror", None) or type(error).__name__).lower()
    return f"The mail server {server.name} could not be used: {why}."


def _insecure(server: Server, error: ssl.SSLError) -> DeliveryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted ({error.verify_message})"
        what = "For your own certificate authority set MEL_SMTP_CA_FILE; otherwise ask the server's administrator"
    else:
        why = "no secure connection could be made"
        what = "Check MEL_SMTP_PORT and MEL_SMTP_SECURE (tls for port 465, starttls for 587)"
    return DeliveryError(f"Opening the mail server {server.name}: {why}. {what}.")


def _context(server: Server) -> ssl.SSLContext | None:
    if server.secure == "none":
        return None
    try:
        return ssl.create_default_context(cafile=server.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"MEL_SMTP_CA_FILE: {server.ca_file} cannot be read as a certificate. Give a PEM file."
        ) from error


def _require_privacy(server: Server) -> None:
    if server.secure == "none" and server.user and server.host not in LOOPBACK:
        raise SettingsError(
            "MEL_SMTP_SECURE=none with MEL_SMTP_USER: the password would be sent unencrypted. Set starttls or tls."
        )
