"""Map Zoho CRM's error codes to exceptions, in one place: permanent, transient, or a change of reading method."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mel_pipeline.core.errors import PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.sources.shared.http import Answer, TryAgainError, explain_status
from mel_pipeline.sources.shared.waits import seconds_until

_STANDARD = {"Accounts", "Contacts", "Deals", "Leads", "Campaigns", "Events", "Tasks", "Products"}
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,60}")
_BOUND = ("EXPIRED_VALUE", "TOKEN_BOUND_DATA_MISMATCH")


class ScopeError(PermanentSourceError):
    """The token lacks a scope; the message names it."""


class PageTokenError(TransientSourceError):
    """A page token is no longer valid: the scan restarts."""


class PageReachError(TransientSourceError):
    """Zoho lists no further page by page: another method continues."""


def scope_of(module: str) -> str:
    """The scope that lets a token read a module."""
    return f"ZohoCRM.modules.{module.lower() if module in _STANDARD else 'custom'}.READ"


def is_error(data: Mapping[str, object], promised: str) -> bool:
    """Whether the body of a 200 is an error: as a whole, or in place of its records."""
    if data.get("status") == "error" or (promised not in data and ({"code", "error"} & data.keys())):
        return True
    found = data.get(promised)
    return isinstance(found, list) and any(
        isinstance(one, dict) and one.get("status") == "error" and "code" in one and "id" not in one
        for one in found
    )


def explain_error(
    answer: Answer, module: str, scope: str, throttled: float, *, with_token: bool = False
) -> SourceError:
    """Map a response that is neither data nor empty to an exception.

    Args:
        scope: what the token needs for this call.
        throttled: seconds to wait when Zoho throttles without saying for how long.
        with_token: the call continued from a page token.
    """
    data = error_body(answer)
    if isinstance(listed := data.get("data"), list):  # the error stands in place of the records
        data = next((one for one in listed if isinstance(one, dict) and "code" in one), data)
    code = str(data.get("code", ""))
    if answer.status == 429 or code == "TOO_MANY_REQUESTS":
        return _too_many(answer, data.get("details"), throttled)
    if code in _BOUND or (with_token and code == "INVALID_DATA"):  # the latter: another user's token
        return PageTokenError(
            f"{answer.what}: the page token is no longer valid ({code}). Run the load again later."
        )
    if code == "PAGINATION_LIMIT_EXCEEDED":
        return PageReachError(f"{answer.what}: Zoho lists only 100,000 records page by page.")
    meaning = {
        "OAUTH_SCOPE_MISMATCH": f"the token may not read the module {module}; it lacks the scope {scope}."
        " Make a refresh token with that scope and set MEL_ZOHO_REFRESH_TOKEN.",
        "NO_PERMISSION": f"the token's user has no permission for the module {module}."
        " Give it to that user in Zoho (Setup, Security, Profiles).",
        "INVALID_MODULE": f"there is no module {module}. Correct its API name in mapping.yml;"
        " `mel zoho map` shows the modules there are.",
    }
    if code in meaning:
        kind = ScopeError if code == "OAUTH_SCOPE_MISMATCH" else PermanentSourceError
        return kind(f"{answer.what}: {meaning[code]}")
    plain = _CODE.fullmatch(code)  # other text may name people or repeat what was sent
    if answer.status < 300:
        said = f"Zoho answered '{code}'" if plain else "Zoho answered with an error"
        return TryAgainError(f"{answer.what}: {said} in place of data. Run the load again later.")
    hint = f"Zoho answered '{code}'." if plain else "Check MEL_ZOHO_API_URL."
    return explain_status(answer, hint)


def error_body(answer: Answer) -> dict[str, object]:
    """The JSON body of an error response; empty when it is not JSON."""
    try:
        return answer.record()
    except SourceError:
        return {}


def _too_many(answer: Answer, details: object, throttled: float) -> TryAgainError:
    """No Retry-After is documented; one description shows ``details.retry_after``."""
    stated = details.get("retry_after") if isinstance(details, dict) else None
    header = answer.headers.get("Retry-After", "")
    known = next((wait for text in (stated, header) if (wait := seconds_until(text)) is not None), None)
    return TryAgainError(
        f"{answer.what}: HTTP {answer.status}, too many concurrent calls or too many in a day. Run the load again later.",
        throttled if known is None else known,
    )
