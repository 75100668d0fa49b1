"""Zoho's error responses, and parsing of request parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_MESSAGES = {
    "AUTHENTICATION_FAILURE": "Authentication failed",
    "INVALID_TOKEN": "invalid oauth token",
    "OAUTH_SCOPE_MISMATCH": "Unauthorized",
    "NO_PERMISSION": "permission denied",
    "INVALID_MODULE": "the module name given seems to be invalid",
    "REQUIRED_PARAM_MISSING": "required param is missing",
    "LIMIT_EXCEEDED": "limit exceeded",
    "EXPIRED_VALUE": "Page token expired",
    "TOKEN_BOUND_DATA_MISMATCH": "The page_token given seems to be invalid or input param is added or altered or deleted",
    "AMBIGUITY_DURING_PROCESSING": "ambiguity while processing the request",
    "DISCRETE_PAGINATION_LIMIT_EXCEEDED": "You can only get the first 2000 records without using page_token param",
    "PAGINATION_LIMIT_EXCEEDED": "You can only get upto 100000 records using page_token param",
    "PATTERN_NOT_MATCHED": "Please check whether the input values are correct",
    "TOO_MANY_REQUESTS": "You have reached a limit on the number of requests. Please try again after some time.",
    "INTERNAL_ERROR": "Internal Server Error",
    "RESOURCE_NOT_FOUND": "The requested resource doesn't exist.",
}


class RefusedError(Exception):
    """A refused call; ``code`` is Zoho's error code."""

    def __init__(
        self,
        code: str,
        details: dict[str, Any] | None = None,
        status: int = 400,
        message: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.details, self.status = code, details or {}, status
        self.message = message or _MESSAGES.get(code, "invalid data")

    def answer(self) -> Response:
        body = {"code": self.code, "details": self.details, "message": self.message, "status": "error"}
        return JSONResponse(body, self.status)


def whole_number(request: Request, name: str, default: int, most: int | None = None) -> int:
    """A positive integer parameter.

    Raises:
        RefusedError: INVALID_DATA, not such a number.
    """
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or int(text) < 1 or (most is not None and int(text) > most):
        raise RefusedError("INVALID_DATA", {"param_name": name})
    return int(text)


def choice(request: Request, name: str, values: tuple[str, ...]) -> str:
    """An enumerated parameter; the first value is the default.

    Raises:
        RefusedError: INVALID_DATA, none of the values.
    """
    text = request.query_params.get(name, values[0])
    if text not in values:
        raise RefusedError("INVALID_DATA", {"param_name": name, "supported_values": list(values)})
    return text


def modified_since(request: Request) -> float | None:
    """The header If-Modified-Since as seconds since 1970: ISO 8601 or an HTTP date.

    Raises:
        RefusedError: INVALID_DATA, it is neither.
    """
    text = request.headers.get("if-modified-since")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            raise RefusedError("INVALID_DATA", {"header": "If-Modified-Since"}) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
