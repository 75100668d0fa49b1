"""What a Get Records call asks for, and which slice of the records answers it. Pure: no HTTP, no clock."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mel_pipeline.sandbox.crm_module import CrmModule

MOST_FIELDS = 50
MOST_PER_PAGE = 200
REACH_OF_PAGE = 2_000
REACH_OF_TOKEN = 100_000
TOKEN_SECONDS = 24 * 3600
SORTABLE = ("id", "Created_Time", "Modified_Time")


class Refusal(Exception):
    """An error answer in Zoho's form."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})

    def body(self) -> dict[str, object]:
        return {"code": self.code, "details": self.details, "message": self.message, "status": "error"}


@dataclass(frozen=True)
class Asked:
    """One Get Records call, read and checked."""

    fields: tuple[str, ...]
    per_page: int
    page: int
    token: str | None
    sort_by: str
    descending: bool
    since: float | None  # seconds since the epoch
    fingerprint: str

    @classmethod
    def read(cls, module: CrmModule, query: dict[str, str], since: str | None) -> Asked:
        """Check the parameters as the API does.

        Raises:
            Refusal: with the code the real API gives.
        """
        fields = tuple(name.strip() for name in query.get("fields", "").split(",") if name.strip())
        if not fields:
            raise Refusal(
                400,
                "REQUIRED_PARAM_MISSING",
                "One of the expected parameter is missing",
                {"param_name": "fields"},
            )
        if len(fields) > MOST_FIELDS:
            raise Refusal(400, "LIMIT_EXCEEDED", "Only 50 fields can be fetched", {"limit": MOST_FIELDS})
        token = query.get("page_token")
        if token and "page" in query:
            raise Refusal(
                400,
                "AMBIGUITY_DURING_PROCESSING",
                "page and page_token cannot be given together",
                {"ambiguity_due_to": [{"param_name": "page"}, {"param_name": "page_token"}]},
            )
        per_page = whole_number(query, "per_page", MOST_PER_PAGE, maximum=MOST_PER_PAGE)
        page = whole_number(query, "page", 1)
        sort_by, order = query.get("sort_by", "id"), query.get("sort_order", "desc")
        if sort_by not in SORTABLE or order not in ("asc", "desc"):
            raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "sort_by"})
        bound = json.dumps([module.api_name, fields, per_page, sort_by, order, since])
        return cls(
            fields,
            per_page,
            page,
            token,
            sort_by,
            order == "desc",
            read_instant(since).timestamp() if since else None,
            hashlib.blake2s(bound.encode(), digest_size=8).hexdigest(),
        )


def page_of(asked: Asked, total: int, now: float) -> tuple[range, str]:
    """The positions of one page and its ``info`` block as JSON text.

    Raises:
        Refusal: beyond the reach of page or token, or the token is expired or foreign.
    """
    start = _start_of_token(asked, now) if asked.token else (asked.page - 1) * asked.per_page
    end = start + asked.per_page
    if asked.token is None and end > REACH_OF_PAGE:
        raise Refusal(
            400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "page reaches 2000 records, use page_token", {"limit": REACH_OF_PAGE}
        )
    if asked.token is not None and end > REACH_OF_TOKEN:
        raise Refusal(
            400, "PAGINATION_LIMIT_EXCEEDED", "page_token reaches 100000 records", {"limit": REACH_OF_TOKEN}
        )
    positions = range(start, min(end, total))
    more = end < total
    expiry = datetime.fromtimestamp(now + TOKEN_SECONDS, UTC).isoformat(timespec="seconds")
    info = {
        "per_page": asked.per_page,
        "count": len(positions),
        "page": start // asked.per_page + 1,
        "sort_by": asked.sort_by,
        "sort_order": "desc" if asked.descending else "asc",
        "more_records": more,
        "next_page_token": _token(end, asked.fingerprint, now) if more else None,
        "previous_page_token": _token(start - asked.per_page, asked.fingerprint, now) if start else None,
        "page_token_expiry": expiry if more or start else None,
    }
    return positions, json.dumps(info, separators=(",", ":"))


def whole_number(query: Mapping[str, str], name: str, default: int, maximum: int | None = None) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1 or (maximum is not None and int(text) > maximum):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": name, "maximum": maximum})
    return int(text)


def read_instant(text: str) -> datetime:
    """An ISO instant with an offset; without one it is read as UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refusal(
            400, "INVALID_DATA", "invalid data", {"api_name": "If-Modified-Since", "expected_data_type": "datetime"}
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _token(start: int, fingerprint: str, issued: float) -> str:
    body = json.dumps([start, fingerprint, round(issued, 3)], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.blake2s(body, digest_size=6).digest() + body).decode().rstrip("=")


def _start_of_token(asked: Asked, now: float) -> int:
    token = asked.token or ""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raw = b""
    body = raw[6:]
    if not body or hashlib.blake2s(body, digest_size=6).digest() != raw[:6]:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"param_name": "page_token"})
    start, fingerprint, issued = json.loads(body)
    if fingerprint != asked.fingerprint:
        raise Refusal(
            400,
            "TOKEN_BOUND_DATA_MISMATCH",
            "the parameters differ from those the page_token was made with",
            {"param_name": "page_token"},
        )
    if now - issued > TOKEN_SECONDS:
        raise Refusal(400, "EXPIRED_VALUE", "the page_token has expired", {"param_name": "page_token"})
    return int(start)
