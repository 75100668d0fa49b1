"""Messages to chat services, SMS gateways and others, by Apprise: one address names a service and its credentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mel_pipeline.core.errors import DeliveryError, SettingsError

if TYPE_CHECKING:
    from apprise import Apprise

SETTING = "MEL_NOTIFY_URLS"
SECONDS = 15  # for one service; Dagster allows a sensor a minute


def services(text: str) -> list[str]:
    """The addresses of the setting: separated by spaces or lines, as they may contain commas.

    Raises:
        SettingsError: one is not understood. It is named by its position, as it holds credentials.
    """
    urls = text.split()
    for place, url in enumerate(urls, start=1):
        if not _service(url):
            raise SettingsError(
                f"{SETTING}: address {place} ({_scheme(url)}) is not understood. Apprise's documentation lists services and"
                " how their addresses are written."
            )
    return urls


def send(urls: Sequence[str], title: str, text: str) -> None:
    """Send a message to every service; one that fails does not stop the others.

    Raises:
        DeliveryError: some refused it or could not be reached; named by position and kind.
    """
    failed = []
    for place, url in enumerate(urls, start=1):
        result = _service(url).notify(body=text, title=title, timeout=SECONDS)
        if not result:
            failed.append(f"address {place} ({_scheme(url)})")
    if failed:
        raise DeliveryError(
            f"Sending to the services of {SETTING}: {', '.join(failed)} did not take the message. Check the address and that"
            " the service may be reached from this machine."
        )


def _service(url: str) -> Apprise:
    """Holds no service when the address is not understood."""
    import apprise

    one = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, app_id="mel", app_desc=""))
    one.add(url)
    return one


def _scheme(url: str) -> str:
    return urlsplit(url).scheme or "without a scheme"
