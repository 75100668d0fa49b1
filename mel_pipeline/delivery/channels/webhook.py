"""Post JSON ``{"text": ...}`` to a chat webhook; request a monitor's address. Their paths are secrets and never printed."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from mel_pipeline.core.deadline import Deadline, within
from mel_pipeline.core.errors import DeliveryError, SettingsError, TransientSourceError

TIMES = (3.0, 6.0)  # seconds to connect, between two bytes
LONGEST = 10.0  # seconds for a whole answer
MOST_CHARACTERS = 3_000  # Google Chat takes 4,096, Slack more
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def post(url: str, text: str, attempts: int = 3, wait_seconds: float = 2.0) -> None:
    """Post a text; temporary failures are retried.

    Raises:
        SettingsError: not a valid https address.
        DeliveryError: the host cannot be reached or refuses; names host and status only.
    """
    shown = text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
    _call("POST", url, {"text": shown}, _Place("MEL_NOTIFY_WEBHOOK", "chat"), attempts, wait_seconds)


def ping(url: str, attempts: int = 2, wait_seconds: float = 2.0) -> None:
    """Request an address, so that a monitor knows all is well. Errors as ``post``."""
    _call("GET", url, None, _Place("MEL_HEARTBEAT_URL", "monitor"), attempts, wait_seconds)


@dataclass(frozen=True)
class _Place:
    """The setting that names it, and what it is."""

    setting: str
    what: str


def _call(
    method: str, url: str, body: dict[str, str] | None, place: _Place, attempts: int, wait_seconds: float
) -> None:
    import requests

    from mel_pipeline.sources.shared.deadline import DeadlineAdapter

    parts = urlsplit(url)
    if not parts.hostname or not (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    ):
        raise SettingsError(
            f"{place.setting}: not an https address. Copy the full address from your {place.what}."
        )
    host = parts.hostname

    def once() -> str:
        try:
            with within(Deadline(f"The {place.what}", LONGEST)), requests.Session() as session:
                session.mount("https://", DeadlineAdapter())
                session.mount("http://", DeadlineAdapter())
                answer = session.request(
                    method, url, json=body, timeout=TIMES, allow_redirects=False, stream=True
                )
                answer.close()  # its text is never read
        except requests.RequestException as error:  # its text contains the address
            return f"it could not be reached ({type(error).__name__})"
        except TransientSourceError:
            return f"its answer took longer than {LONGEST:g} seconds"
        if answer.status_code == 429 or answer.status_code >= 500:
            return f"it answered {answer.status_code}"
        if not answer.ok or answer.is_redirect:
            raise DeliveryError(
                f"Calling the {place.what} at {host}: it refuses ({answer.status_code}). Create a new address there and set"
                f" {place.setting}."
            )
        return ""

    def last(state: RetryCallState) -> str:
        return str(state.outcome.result()) if state.outcome else ""

    tries = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_attempt(attempts),
        wait=wait_exponential(multiplier=wait_seconds, min=0, max=30),
        retry_error_callback=last,
    )
    if why := tries(once):
        raise DeliveryError(f"Calling the {place.what} at {host}: {why}. Tried {attempts} times.")
