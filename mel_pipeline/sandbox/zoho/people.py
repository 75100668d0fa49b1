"""Zoho People: one form's records, 200 at a time, errors inside status 200."""

from __future__ import annotations

from collections import deque

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.zoho.account import Account, Call, RefusalError
from mel_pipeline.sandbox.zoho.sample import employees

MOST, CALLS_A_MINUTE, LOCK = 200, 400, 300
_URI = "/people/api/forms/employee/getRecords"


def routes(account: Account) -> list[Route]:
    made: deque[float] = deque()
    locked_until = [0.0]

    async def records(request: Request, call: Call) -> Response:
        try:
            await account.permit(request, call, credits=0)
        except RefusalError as refusal:
            if refusal.status != 401:
                raise
            return _error(7203, "Authorization failure.", 401)
        while made and made[0] <= account.now - 60:
            made.popleft()
        if len(made) >= CALLS_A_MINUTE:
            locked_until[0] = account.now + LOCK
        if account.now < locked_until[0]:
            return _error(7073, "Threshold exceeded. Calls are locked for five minutes.")
        made.append(account.now)
        query = request.query_params
        start, limit = int(query.get("sIndex", 1)), int(query.get("limit", MOST))
        if limit > MOST:
            return _error(7021, "The number of records per fetch cannot exceed 200")
        rows = employees(account.organisation) if account.organisation else []
        since = int(query.get("modifiedtime", 0))
        part = [row for row in rows if int(row["ModifiedTime"]) >= since][start - 1 : start - 1 + limit]
        if not part:
            return _error(7024, "No records found")
        result = [{row["Zoho_ID"]: [row]} for row in part]
        told = {"result": result, "message": "Data fetched successfully", "uri": _URI, "status": 0}
        return JSONResponse({"response": told})

    return [Route(_URI, account.served(records))]


def _error(code: int, message: str, status: int = 200) -> Response:
    errors = {"code": code, "message": message}
    told = {"message": "Error occurred", "uri": _URI, "errors": errors, "status": 1}
    return JSONResponse({"response": told}, status)
