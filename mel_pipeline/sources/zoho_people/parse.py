"""Turn Zoho People's responses into rows and its error codes into exceptions. Pure: no HTTP, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import ContractError, PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.sources.shared.base import Batch, Rejected, frame_of, key_of, payload_of, text_of
from mel_pipeline.sources.shared.http import TryAgainError, clean

NO_RECORDS = 7024
BAD_TOKEN = frozenset({401, 7202, 7203, 7218})  # invalid, expired or missing token
LOCKED_SECONDS = 300.0  # after 400 calls in a minute
_TOO_MANY_CALLS = frozenset({7072, 7073, 7209})
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_ZOHO_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})")


def iso_date(text: str) -> str:
    """``05-Mar-2021`` as ``2021-03-05``; an ISO date stays as it is.

    Raises:
        ValueError: it is neither.
    """
    if match := _ZOHO_DATE.fullmatch(text.strip()):
        month = _MONTHS.get(match[2].lower())
        if month is None:
            raise ValueError("there is no such month")
        return date(int(match[3]), month, int(match[1])).isoformat()
    return date.fromisoformat(text.strip()).isoformat()


def error_code(response: Mapping[str, object]) -> tuple[int, str] | None:
    """Zoho People reports errors inside HTTP 200. Code and message; None when there is no error."""
    if str(response.get("status")) == "0":
        return None
    errors = response.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else errors
    first = first if isinstance(first, dict) else {}
    code = str(first.get("code", ""))
    return (int(code) if code.isdecimal() and len(code) < 10 else 0), str(
        first.get("message") or response.get("message") or ""
    )


def explain_error(what: str, code: int, message: str) -> SourceError:
    """Map an error code to an exception; Zoho's message is shortened and cleaned."""
    if code in _TOO_MANY_CALLS:
        return TryAgainError(
            f"{what}: too many calls (code {code}); Zoho People locks for five minutes.", LOCKED_SECONDS
        )
    if code in BAD_TOKEN:
        return PermanentSourceError(
            f"{what}: the token was rejected (code {code}). Make a refresh token with the scope"
            " ZOHOPEOPLE.forms.READ and set MEL_ZOHO_REFRESH_TOKEN."
        )
    return PermanentSourceError(
        f"{what}: Zoho People answered code {code}, '{clean(message)}'."
        " Check the form's name in sources/zoho_people/contract.yml and the token's permissions."
    )


def records_of(response: Mapping[str, object], what: str) -> list[Mapping[str, object]]:
    """The records of a page: ``result`` is a list of {record id: [fields]}."""
    result = response.get("result")
    if not isinstance(result, list):
        raise PermanentSourceError(f"{what}: the response has no list of records. Check MEL_ZOHO_PEOPLE_URL.")
    found = [
        fields
        for entry in result
        if isinstance(entry, dict)
        for versions in entry.values()
        if isinstance(versions, list)
        for fields in versions
    ]
    if len(found) < len(result) or not all(isinstance(fields, dict) for fields in found):
        raise TransientSourceError(f"{what}: an entry of the list is no record. Run the load again later.")
    return found


def identity(record: Mapping[str, object], contract: EntityContract) -> tuple[str | None, ...]:
    """The values of a record's key fields."""
    return tuple(text_of(record.get(contract.columns[name].api_name or name)) for name in contract.row_key)


def empty_batch(contract: EntityContract, note: str) -> Batch:
    """No rows, and a note for the log of the load."""
    return Batch(frame_of([], contract), notes=[note])


def parse_page(records: list[Mapping[str, object]], contract: EntityContract, page: int) -> Batch:
    """Records as rows, dates in ISO; a row whose date cannot be read is rejected, not guessed.

    Raises:
        ContractError: a column is missing from every record.
    """
    names = {name: column.api_name or name for name, column in contract.columns.items()}
    if records and (gone := [api for api in names.values() if not any(api in record for record in records)]):
        raise ContractError(
            f"Zoho People {contract.object} page {page}: the fields {', '.join(gone)} are not in the response."
            " They were renamed or removed, or the token's user may not see them."
        )
    rows: list[dict[str, str | None]] = []
    rejected: list[Rejected] = []
    for number, record in enumerate(records, start=1):
        row = {name: text_of(record.get(api)) for name, api in names.items()}
        place = f"page {page}, row {number}"
        _read_dates(row, contract)
        if key_of(row, contract) is None:
            key = contract.row_key[0]
            reason = f"The record has no {key}."
            rejected.append(Rejected(place, None, key, reason, payload_of(row, contract)))
        else:
            rows.append({**row, "_source_ref": place})
    return Batch(frame_of(rows, contract), rejected, fetched=len(records))


def _read_dates(row: dict[str, str | None], contract: EntityContract) -> None:
    """Convert the date columns of a row to ISO. An unreadable one stays as it is, for the contract checks."""
    for name, column in contract.columns.items():
        if column.type == "date" and (text := row[name]):
            with suppress(ValueError):
                row[name] = iso_date(text)
