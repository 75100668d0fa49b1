"""Bulk Read: jobs over a snapshot of a module, told by state, fetched as ZIP.

A job goes one state further each time it is asked about. Converted leads are not in the result.
"""

from __future__ import annotations

import csv
import io
import secrets
import zipfile
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.zoho.account import Account, Call, Job, RefusalError
from mel_pipeline.sandbox.zoho.modules import Module

ROWS_A_JOB, START_CREDITS, TOKEN_LIFE, DOWNLOADS_A_MINUTE = 200_000, 50, 86_400, 10
NOT_EXPORTED = ("Notes", "Attachments", "Emails")
STATES = ("ADDED", "QUEUED", "IN PROGRESS", "COMPLETED")
SCOPE = "ZohoCRM.bulk.READ"


def routes(account: Account) -> list[Route]:
    async def start(request: Request, call: Call) -> Response:
        query = (await request.json()).get("query") or {}
        name = str((query.get("module") or {}).get("api_name", ""))
        await account.permit(request, call, credits=START_CREDITS, scope=SCOPE, module=name)
        job = (
            _continued(account, str(query["page_token"]))
            if "page_token" in query
            else _job(account, name, query)
        )
        account.jobs[job.id] = job
        details = {
            "id": job.id,
            "operation": "read",
            "state": "ADDED",
            "created_time": job.created.isoformat(),
        }
        added = {
            "status": "success",
            "code": "ADDED_SUCCESSFULLY",
            "message": "Added successfully.",
            "details": details,
        }
        return JSONResponse({"data": [added], "info": {}}, 201)

    async def status(request: Request, call: Call) -> Response:
        await account.permit(request, call, scope=SCOPE)
        job = _known(account, request)
        job.polls += 1
        state = STATES[min(job.polls, len(STATES)) - 1]
        if account.faults.bulk == "stuck":
            state = STATES[min(job.polls, len(STATES) - 1) - 1]
        told: dict[str, Any] = {"id": job.id, "operation": "read", "state": state, "file_type": "csv"}
        if account.faults.bulk == "fail" and job.polls > 1:
            told |= {"state": "FAILURE", "result": {"error_message": "Internal error while exporting"}}
        elif state != "ADDED":  # early states carry a result as well: the state alone counts
            told["result"] = _result(account, job, completed=state == "COMPLETED")
        return JSONResponse({"data": [told]})

    async def result(request: Request, call: Call) -> Response:
        await account.permit(request, call, scope=SCOPE)
        job = _known(account, request)
        if job.polls < len(STATES):
            raise RefusalError("JOB_NOT_COMPLETED")
        while account.downloads and account.downloads[0] <= account.now - 60:
            account.downloads.popleft()
        if len(account.downloads) >= DOWNLOADS_A_MINUTE:
            raise RefusalError("TOO_MANY_REQUESTS", 429)
        account.downloads.append(account.now)
        content = _archive(job)
        if account.faults.bulk == "truncated":
            content = content[: len(content) // 2]
        return Response(content, media_type="application/zip")

    base = "/crm/bulk/v8/read"
    return [
        Route(base, account.served(start), methods=["POST"]),
        Route(base + "/{job:int}", account.served(status)),
        Route(base + "/{job:int}/result", account.served(result)),
    ]


def _known(account: Account, request: Request) -> Job:
    job = account.jobs.get(str(request.path_params["job"]))
    if job is None:
        raise RefusalError("INVALID_DATA", 404)
    return job


def _job(account: Account, name: str, query: Mapping[str, Any]) -> Job:
    if name in NOT_EXPORTED:
        raise RefusalError("NOT_SUPPORTED")
    module = account.module(name)
    fields = [str(field) for field in query.get("fields") or module.fields]
    unknown = [field for field in fields if field not in module.fields]
    if unknown:
        raise RefusalError("INVALID_DATA", details={"api_name": unknown[0]})
    snapshot = list(module.listed("id", backwards=False, since=None, converted="false"))
    return Job(_new_id(account), module, fields, snapshot, 0, account.clock.now())


def _continued(account: Account, token: str) -> Job:
    if token not in account.job_tokens:
        raise RefusalError("INVALID_DATA")
    before, issued = account.job_tokens[token]
    if account.now - issued > TOKEN_LIFE:
        raise RefusalError("EXPIRED_VALUE")
    begin = before.start + ROWS_A_JOB
    return Job(_new_id(account), before.module, before.fields, before.records, begin, account.clock.now())


def _new_id(account: Account) -> str:
    return str(546_000_009_000_000_000 + len(account.jobs))


def _result(account: Account, job: Job, *, completed: bool) -> dict[str, Any]:
    rows = min(max(len(job.records) - job.start, 0), ROWS_A_JOB)
    more = job.start + ROWS_A_JOB < len(job.records)
    token = None
    if completed and more:
        token = secrets.token_urlsafe(24)
        account.job_tokens[token] = (job, account.now)
    return {
        "page": job.start // ROWS_A_JOB + 1,
        "per_page": ROWS_A_JOB,
        "count": rows,
        "download_url": f"/crm/bulk/v8/read/{job.id}/result",
        "more_records": more,
        "next_page_token": token,
    }


def _archive(job: Job) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    names = ["Id" if name == "id" else name for name in job.fields]
    writer.writerow(names)
    for record in job.records[job.start : job.start + ROWS_A_JOB]:
        writer.writerow([_cell(job.module, record, name) for name in job.fields])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{job.id}.csv", text.getvalue())
    return packed.getvalue()


def _cell(module: Module, record: Mapping[str, Any], name: str) -> str:
    """Lookups come as bare ids, multi-selects joined by semicolons."""
    field = module.fields.get(name)
    value = field.formula(record) if field and field.formula else record.get(name)
    if isinstance(value, dict):
        return str(value.get("id", ""))
    if isinstance(value, list):
        return ";".join(str(item.get("id", "")) if isinstance(item, dict) else str(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
