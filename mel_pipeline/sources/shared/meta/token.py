"""When an access token for Meta's Graph API expires. No platform by name here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError
from mel_pipeline.sources.shared.meta.graph import Graph
from mel_pipeline.sources.shared.meta.graph_errors import Wording
from mel_pipeline.sources.shared.values import unix_moment

WARN_DAYS = 14


def warning_of(graph: Graph, token: str, today: date) -> str | None:
    """A warning if the token expires soon, or if the platform does not say. The token is sent in the body.

    Raises:
        ReauthoriseError: it has expired.
        TransientSourceError: there is no answer for now.
    """
    form = {"input_token": token, "method": "get"}
    try:
        data = graph.ask("token", "debug_token", token, form=form)
    except ReauthoriseError:
        raise
    except PermanentSourceError:
        return f"{graph.wording.platform} does not say when the access token expires."
    return expiry_warning(data, today, graph.wording)


def expiry_warning(data: Mapping[str, object], today: date, wording: Wording) -> str | None:
    """A warning if the token, or its access to data, expires within two weeks. Zero means never."""
    found = data.get("data")
    details = found if isinstance(found, Mapping) else {}
    ends = [
        moment.date()
        for name in ("expires_at", "data_access_expires_at")
        if details.get(name) and (moment := unix_moment(details.get(name))) is not None
    ]
    if not ends or (min(ends) - today).days > WARN_DAYS:
        return None
    return (
        f"The {wording.platform} access token expires on {min(ends)}. Generate a new one before then and set"
        f" {wording.token_setting}."
    )
