"""Bulk Read: start a job, wait for it, download its ZIP, yield its rows. Whole modules at 50 credits per 200,000 rows."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from mel_pipeline.core.errors import ContractError, PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.core.gc_paused import gc_paused
from mel_pipeline.sources.shared.http import clean
from mel_pipeline.sources.zoho_crm.api import Api, Record, records_in
from mel_pipeline.sources.zoho_crm.plan import BULK, Progress

Columns = Mapping[str, Sequence[str]]  # by API name of the field

ROWS_A_BATCH = 10_000
MAX_RESULT_BYTES = 4 << 30  # unpacked
_PATH = re.compile(r"/crm/bulk/v8/read/\d+/result")
_BASE = "/crm/bulk/v8/read"


def by_bulk(api: Api, module: str, fields: Sequence[str], progress: Progress) -> Iterator[Columns]:
    """Rows of the module as text, one column per field, ten thousand at a time.

    The job of the next 200,000 rows runs at Zoho while this one's rows are read. The result of a partly stored job
    is downloaded again, and the rows already stored are skipped.

    Raises:
        SourceError: Zoho aborted the job, or it took too long.
    """
    progress.way = BULK
    left_behind = {progress.job, *progress.ahead[:1]}
    while True:
        if not progress.job:
            progress.job = _start(api, module, fields, progress.tokens)
        try:
            result = _wait(api, module, progress.job)
        except PermanentSourceError:
            gone = progress.job
            progress.job, progress.rows_done, progress.ahead = "", 0, []
            if gone not in left_behind:
                raise
            continue  # Zoho no longer has the job of the interrupted load: start a new one
        _start_ahead(api, module, fields, result, progress)
        with _downloaded(api, module, progress.job, result) as archive:
            yield from _rows(archive, module, fields, progress)
        progress.job, progress.rows_done = "", 0
        if not result.get("more_records"):
            progress.tokens = []
            return
        if progress.ahead:
            progress.job, token = progress.ahead
        elif not (token := _next_token(result, progress)):
            raise TransientSourceError(
                f"Zoho CRM Bulk Read of {module}: more records are announced and no new page token came with"
                " them. The next run reads everything again."
            )
        progress.tokens, progress.ahead = [token], []


def _next_token(result: Record, progress: Progress) -> str:
    """The token of the rows after this result; empty if there are none, or if it is this result's own."""
    token = str(result.get("next_page_token") or "") if result.get("more_records") else ""
    return "" if [token] == progress.tokens else token


def _start_ahead(api: Api, module: str, fields: Sequence[str], result: Record, progress: Progress) -> None:
    if progress.ahead or not (token := _next_token(result, progress)):
        return
    with suppress(SourceError):  # what is ready is read and stored first; then the job is asked for again
        progress.ahead = [_start(api, module, fields, [token]), token]


def _start(api: Api, module: str, fields: Sequence[str], tokens: Sequence[str]) -> str:
    query: dict[str, object] = {"module": {"api_name": module}, "fields": list(fields)}
    if tokens and tokens[0]:
        query = {"page_token": tokens[0]}
    data = api.bulk(module, _BASE, f"Zoho CRM Bulk Read of {module}", body={"query": query})
    started = records_in(data, "data")
    details = started[0].get("details") if started else None
    if not isinstance(details, dict) or "id" not in details:
        raise PermanentSourceError(
            f"Zoho CRM Bulk Read of {module}: the job was not accepted. Check that the module can be exported."
        )
    return str(details["id"])


def _wait(api: Api, module: str, job: str) -> dict[str, object]:
    """The job's result, once its state is COMPLETED; a result shown earlier does not count."""
    until = time.monotonic() + api.http.policy.job
    pause = api.http.policy.poll
    what = f"Zoho CRM Bulk Read of {module}"
    while True:
        found = records_in(api.bulk(module, f"{_BASE}/{job}", what), "data")
        status: Record = found[0] if found else {}
        state, result = status.get("state"), status.get("result")
        result = result if isinstance(result, dict) else {}
        if state == "COMPLETED":
            return result
        if state == "FAILURE":
            reason = result.get("error_message") or "no reason given"
            raise PermanentSourceError(
                f"{what}: Zoho aborted the job: {clean(reason)}. Check the fields in mapping.yml."
            )
        if time.monotonic() + pause > until:
            raise TransientSourceError(
                f"{what}: the job is still '{state}' after {api.http.policy.job / 60:.0f} minutes."
                " The next run checks it again."
            )
        api.http.sleep(pause)
        pause = min(pause * 1.5, 30.0)


@contextmanager
def _downloaded(api: Api, module: str, job: str, result: Record) -> Iterator[zipfile.ZipFile]:
    """The result as an open archive; a truncated download is repeated."""
    path = str(result.get("download_url") or f"{_BASE}/{job}/result")
    if not _PATH.fullmatch(path):  # relative to the API's host: the token goes nowhere else
        raise PermanentSourceError(
            f"Zoho CRM Bulk Read of {module}: the result's address is not on Zoho's API and is not followed."
        )
    what = f"Zoho CRM Bulk Read result of {module}"
    with tempfile.TemporaryDirectory(prefix="mel-zoho-") as folder:
        file = Path(folder) / "result.zip"
        for attempt in range(1, api.http.policy.attempts + 1):
            api.downloads.wait(what)
            api.bulk(module, path, what, into=file)
            try:
                archive = zipfile.ZipFile(file)
                break
            except zipfile.BadZipFile:
                if attempt == api.http.policy.attempts:
                    raise TransientSourceError(
                        f"{what}: the archive was cut short {attempt} times. The next run downloads it again."
                    ) from None
        with archive:
            yield archive


def _rows(
    archive: zipfile.ZipFile, module: str, fields: Sequence[str], progress: Progress
) -> Iterator[Columns]:
    members = [info for info in archive.infolist() if info.filename.endswith(".csv")]
    what = f"Zoho CRM Bulk Read result of {module}"
    if len(members) != 1:
        raise TransientSourceError(
            f"{what}: the archive does not hold exactly one CSV file. The next run downloads it again."
        )
    if members[0].file_size > MAX_RESULT_BYTES:
        raise PermanentSourceError(
            f"{what}: it unpacks to more than {MAX_RESULT_BYTES >> 30} GB and was refused."
        )
    try:
        with archive.open(members[0]) as file:
            reader = csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline=""), strict=True)
            header = ["id" if name == "Id" else name for name in next(reader, [])]
            if missing := [name for name in fields if name not in header]:
                raise ContractError(f"{what}: the fields {', '.join(missing)} are missing from it.")
            for _ in islice(reader, progress.rows_done):  # stored by an interrupted load
                pass
            while columns := _columns(reader, header):
                progress.rows_done += len(columns["id"])
                progress.seen += len(columns["id"])
                yield columns
    except (zipfile.BadZipFile, EOFError, csv.Error, UnicodeDecodeError, ValueError):
        raise TransientSourceError(
            f"{what}: the archive is damaged. The next run downloads it again."
        ) from None


def _columns(rows: Iterator[list[str]], header: Sequence[str]) -> dict[str, Sequence[str]]:
    """The next rows as columns; empty at the end. A line of another length is a ValueError."""
    with gc_paused():  # ten thousand live lists: scanning them took the collector as long as reading them
        batch = list(islice(rows, ROWS_A_BATCH))
        return dict(zip(header, zip(*batch, strict=True), strict=True)) if batch else {}
