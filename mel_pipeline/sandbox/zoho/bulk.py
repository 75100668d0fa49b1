"""Bulk Read: create a job, poll it, download its result as a ZIP with one CSV file.

Where Zoho's documentation is silent: a result holds the records as of the job's completion, in the
order of ids; converted leads are omitted unless the criteria name Converted__s; rich text is truncated
as in lists; early states carry an empty result block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.bulk_files import zipped_csv
from mel_pipeline.sandbox.zoho.columns import Record, list_readers
from mel_pipeline.sandbox.zoho.coql import json_body
from mel_pipeline.sandbox.zoho.criteria import Comparison, Condition, Group, columns_of, predicate
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.schema import USER, stamp

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account

PATH = "/crm/bulk/v8/read"
CREDITS, DOWNLOADS, DOWNLOAD_WINDOW = 50, 10, 60
REFUSED_MODULES = frozenset({"Notes", "Attachments", "Emails"})
STATES = ("ADDED", "QUEUED", "IN PROGRESS", "COMPLETED")
_SECONDS = (5, 15, 60)  # after which a job reaches each further state on its own
_COMPARATORS = {
    "equal": "=", "not_equal": "!=", "greater_than": ">", "greater_equal": ">=", "less_than": "<",
    "less_equal": "<=", "in": "in",
}  # fmt: skip


@dataclass
class Job:
    id: str
    module: Module
    names: list[str]
    criteria: Condition | None
    start: int
    user: str
    created: float
    polls: int = 0
    records: list[Record] | None = None  # set once it has run
    next_token: str | None = None


class Bulk:
    """Jobs advance one state per poll, and on their own within a minute."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.jobs: dict[str, Job] = {}
        self._downloads = account.window(DOWNLOADS, DOWNLOAD_WINDOW)

    async def create(self, request: Request) -> Response:
        """``POST /crm/bulk/v8/read``: 50 credits."""
        self._account.oauth.require("ZohoCRM.bulk.READ")
        request.state.call.body = await json_body(request)
        query = request.state.call.body.get("query")
        if not isinstance(query, dict):
            raise RefusedError("MANDATORY_NOT_FOUND", {"api_name": "query"})
        job = self._following(query, request) if "page_token" in query else self._new(query, request)
        self.jobs[job.id] = job
        details = {**self._about(job), "state": STATES[0]}
        added = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully."}
        return JSONResponse({"data": [{**added, "details": details}], "info": {}}, 201)

    def _new(self, query: Mapping[str, Any], request: Request) -> Job:
        requested = query.get("module")
        name = str(requested.get("api_name")) if isinstance(requested, dict) else str(requested)
        if name in REFUSED_MODULES:
            message = "The module does not support this operation"
            raise RefusedError("NOT_SUPPORTED", {"module": name}, message=message)
        module = self._account.readable(name)
        known = [field.api_name for field in module.fields.values() if field.in_lists]
        names = [str(field) for field in query.get("fields") or known]
        if wrong := [field for field in names if field not in known]:
            raise RefusedError("INVALID_DATA", {"api_name": wrong[0], "json_path": "$.query.fields"})
        criteria = _criteria(query["criteria"]) if query.get("criteria") else None
        if criteria is not None:
            predicate(criteria, module.fields)  # refuses unsupported criteria
        start = (int(query.get("page") or 1) - 1) * self._account.bulk.rows
        return self._job(module, names, criteria, start, request)

    def _following(self, query: Mapping[str, Any], request: Request) -> Job:
        """The next batch of another job; the token carries its module, fields and criteria."""
        token = self._account.page_tokens.find(str(query["page_token"]), None, request.state.user)
        before = self.jobs.get(token.bound_to)
        if before is None:
            raise RefusedError("TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
        self._account.readable(before.module.api_name)
        return self._job(before.module, before.names, before.criteria, token.position, request)

    def _job(
        self, module: Module, names: list[str], criteria: Condition | None, start: int, request: Request
    ) -> Job:
        user, now = request.state.user, self._account.clock.seconds()
        return Job(str(self._account.next_id()), module, names, criteria, start, user, now)

    async def details(self, request: Request) -> Response:
        """``GET /crm/bulk/v8/read/{job}``."""
        job = self._job_of(request)
        job.polls += 1
        state = self._state(job)
        body = {**self._about(job), "state": state, "query": self._query_of(job), "file_type": "csv"}
        if state == "COMPLETED":
            body["result"] = self._result(job)
        elif state == "FAILURE":
            reason = {
                "code": "INTERNAL_ERROR",
                "message": "The job could not be completed.",
                "status": "error",
            }
            body["result"] = {"error_message": reason}
        elif state != "ADDED":
            empty = {"page": 1, "per_page": self._account.bulk.rows, "count": 0, "more_records": False}
            body["result"] = {**empty, "download_url": f"{PATH}/{job.id}/result"}
        return JSONResponse({"data": [body]})

    async def download(self, request: Request) -> Response:
        """``GET /crm/bulk/v8/read/{job}/result``: ten per minute."""
        job = self._job_of(request)
        if not self._downloads.admits():
            raise RefusedError("TOO_MANY_REQUESTS", status=429)
        if self._state(job) != "COMPLETED":
            raise RefusedError("RESOURCE_NOT_FOUND", {"resource": "result"}, 404)
        pieces = self._pieces(job)
        headers = {"Content-Disposition": f"attachment; filename={job.id}.zip"}
        if self._account.faults.bulk == "truncated":
            whole = b"".join(pieces)
            return Response(whole[: len(whole) // 2], headers=headers, media_type="application/zip")
        return StreamingResponse(pieces, headers=headers, media_type="application/zip")

    def _pieces(self, job: Job) -> Iterator[bytes]:
        readers = list_readers(job.module.fields, job.names)
        names = [self._account.bulk.id_column if name == "id" else name for name in readers]
        return zipped_csv(f"{job.id}.csv", names, list(readers.values()), self._ran(job))

    def _job_of(self, request: Request) -> Job:
        self._account.oauth.require("ZohoCRM.bulk.READ")
        job = self.jobs.get(request.path_params["job"])
        if job is None:
            raise RefusedError("RESOURCE_NOT_FOUND", {"resource": "job"}, 404)
        self._account.readable(job.module.api_name)
        return job

    def _state(self, job: Job) -> str:
        age = self._account.clock.seconds() - job.created
        step = max(min(job.polls, 3), sum(age >= seconds for seconds in _SECONDS))
        if self._account.faults.bulk == "stuck" and job.records is None:
            step = min(step, 1)
        if step == 3 and self._account.faults.bulk == "fail":
            return "FAILURE"
        return STATES[step]

    def _ran(self, job: Job) -> list[Record]:
        """The records of the job, fixed when it is first seen complete."""
        if job.records is None:
            named = columns_of(job.criteria) if job.criteria else []
            found = job.module.view("id", "both" if "Converted__s" in named else "false")
            if job.criteria is not None:
                matches = predicate(job.criteria, job.module.fields)
                found = [record for record in found if matches(record)]
            end = job.start + self._account.bulk.rows
            job.records = found[job.start : end]
            if end < len(found):
                job.next_token = self._account.page_tokens.issue(job.id, job.user, end)
        return job.records

    def _result(self, job: Job) -> dict[str, Any]:
        count = len(self._ran(job))
        result = {
            "page": job.start // self._account.bulk.rows + 1,
            "per_page": self._account.bulk.rows,
            "count": count,
            "download_url": f"{PATH}/{job.id}/result",
            "more_records": job.next_token is not None,
        }
        return {**result, "next_page_token": job.next_token} if job.next_token else result

    def _about(self, job: Job) -> dict[str, Any]:
        user = {"id": job.user, "name": USER["name"]}
        about = {"id": job.id, "operation": "read", "created_by": user}
        return {**about, "created_time": stamp(job.created)}

    def _query_of(self, job: Job) -> dict[str, Any]:
        module = {"api_name": job.module.api_name}
        return {"module": module, "fields": job.names, "page": job.start // self._account.bulk.rows + 1}


def _criteria(given: Any) -> Condition:
    """Parse one criterion, or a group joined by ``and`` or ``or``."""
    if not isinstance(given, dict):
        raise RefusedError("INVALID_DATA", {"json_path": "$.query.criteria"})
    if "group" in given:
        parts = tuple(_criteria(part) for part in given["group"])
        return Group(str(given.get("group_operator", "and")).lower(), parts)
    field, comparator, value = given.get("field"), str(given.get("comparator")), given.get("value")
    name = str(field.get("api_name")) if isinstance(field, dict) else str(given.get("api_name"))
    if comparator == "between" and isinstance(value, list) and len(value) == 2:
        return Group("and", (Comparison(name, ">=", str(value[0])), Comparison(name, "<=", str(value[1]))))
    if comparator not in _COMPARATORS:
        details = {"api_name": name, "comparator": comparator}
        raise RefusedError("FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED", details)
    if value == "${EMPTY}":
        return Comparison(name, "is null" if comparator == "equal" else "is not null")
    literal = [str(part) for part in value] if isinstance(value, list) else _text(value)
    return Comparison(name, _COMPARATORS[comparator], literal)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
