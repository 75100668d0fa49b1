"""Zoho People's form records over HTTP: errors come inside HTTP 200, at most 400 calls per minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account

MOST, CALLS, WINDOW, LOCK = 200, 400, 60, 300
BLOCKED = "API access blocked since threshold limit exceeded. Please try after some time"


class People:
    """Records of the account's forms. One call too many locks them for five minutes."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._window = account.window(CALLS, WINDOW, LOCK)

    async def records(self, request: Request) -> Response:
        """``GET /people/api/forms/{form}/getRecords``: 200 records per call, counted from 1."""
        self._account.oauth.require("ZOHOPEOPLE.forms.READ")
        if not self._window.admits():
            return _refused(request, 7209, BLOCKED)
        form, query = request.path_params["form"], request.query_params
        if form not in self._account.forms:
            return _refused(request, 7011, f"Form name '{form}' is invalid")
        first, limit = query.get("sIndex", "1"), query.get("limit", str(MOST))
        since = query.get("modifiedtime", "0")
        if not (first.isdecimal() and limit.isdecimal() and since.isdecimal()):
            return _refused(request, 7034, "Invalid input value")
        if int(limit) > MOST:
            return _refused(request, 7021, "Maximum record limit 200 is exceeded")
        chosen = [
            row for row in self._account.forms[form] if since == "0" or int(row["ModifiedTime"]) > int(since)
        ]
        part = chosen[max(int(first), 1) - 1 :][: int(limit)]
        if not part:
            return _refused(request, 7024, "No records found")
        body = {
            "result": [{row["Zoho_ID"]: [row]} for row in part],
            "message": "Data fetched successfully",
            "uri": request.url.path,
            "status": 0,
        }
        return JSONResponse({"response": body})


def _refused(request: Request, code: int, message: str) -> Response:
    body = {
        "message": "Error occurred",
        "uri": request.url.path,
        "errors": {"code": code, "message": message},
        "status": 1,
    }
    return JSONResponse({"response": body})
