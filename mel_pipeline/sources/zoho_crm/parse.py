"""Zoho CRM answers into rows, and what its error codes mean. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from mel_pipeline.contracts import EntityContract
from mel_pipeline.errors import ContractError, PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.sources.base import Batch, Rejected, payload_of, text_of
from mel_pipeline.sources.http import Answer, TryAgainError, clean, explain_status

FIELDS_A_CALL = 50  # more are refused with LIMIT_EXCEEDED
_ALWAYS = ("id", "Modified_Time")
_STANDARD_MODULES = {"Accounts", "Contacts", "Deals", "Leads", "Campaigns", "Events", "Tasks", "Products"}


def api_names(contract: EntityContract) -> dict[str, str]:
    """Column of the raw table → field of Zoho."""
    return {name: column.api_name or name for name, column in contract.columns.items()}


def field_slices(contract: EntityContract) -> list[list[str]]:
    """The fields to ask for, at most 50 a call; id and Modified_Time in each, to join slices by."""
    wanted = [name for name in api_names(contract).values() if name not in _ALWAYS]
    room = FIELDS_A_CALL - len(_ALWAYS)
    return [[*_ALWAYS, *wanted[start : start + room]] for start in range(0, max(len(wanted), 1), room)]


def instant(text: object) -> datetime | None:
    """A Zoho datetime as an instant; None when it is empty, unreadable or carries no offset."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def changed_since(record: Mapping[str, object], since: datetime | None) -> bool:
    """Whether a record belongs to this pull. One whose time cannot be read stays in: quality judges it."""
    if since is None:
        return True
    moment = instant(record.get("Modified_Time"))
    return moment is None or moment >= since


def parse_page(records: Sequence[Mapping[str, object]], contract: EntityContract, page: int) -> Batch:
    """Records of one page as rows.

    Raises:
        ContractError: a field is missing from every record: renamed, removed, or hidden from the token.
    """
    names = api_names(contract)
    if records and (gone := [api for api in names.values() if not any(api in record for record in records)]):
        raise ContractError(
            f"Zoho CRM {contract.object} page {page}: the fields {', '.join(gone)} are not in the answer."
            " They were renamed, removed, or the token's user may not see them."
            " Put them right in Zoho, or the contract in sources/zoho_crm/contract.yml."
        )
    texts = {name: [text_of(record.get(api)) for record in records] for name, api in names.items()}
    texts["_source_ref"] = [f"page {page}, row {number}" for number in range(1, len(records) + 1)]
    frame = pd.DataFrame(texts, dtype="str")
    keyless = [n for n in range(len(records)) if any(texts[key][n] is None for key in contract.row_key)]
    if not keyless:
        return Batch(frame, fetched=len(records))
    reason = f"The record has no {' and '.join(contract.row_key)}."
    rejected = [
        Rejected(str(texts["_source_ref"][n]), None, None, reason, payload_of(cells_of(texts, n), contract))
        for n in keyless
    ]
    return Batch(frame.drop(index=keyless).reset_index(drop=True), rejected, fetched=len(records))


def cells_of(texts: Mapping[str, Sequence[str | None]], number: int) -> dict[str, str | None]:
    """One row out of columns."""
    return {name: values[number] for name, values in texts.items()}


def join_slices(
    slices: Sequence[Mapping[str, Mapping[str, object]]],
) -> tuple[list[dict[str, object]], list[str]]:
    """Join slices of fields by id.

    Returns:
        Whole records, and the ids of records that changed, came or went between two slices: half of
        such a record would be old and half new, so it has to be fetched again.
    """
    whole: list[dict[str, object]] = []
    torn: list[str] = []
    for identity in dict.fromkeys(identity for part in slices for identity in part):
        parts = [part[identity] for part in slices if identity in part]
        if len(parts) == len(slices) and len({str(part.get("Modified_Time")) for part in parts}) == 1:
            whole.append({name: value for part in parts for name, value in part.items()})
        else:
            torn.append(identity)
    return whole, torn


def explain_error(  # noqa: PLR0911 - one return a meaning
    answer: Answer, module: str, throttled: float
) -> SourceError:
    """What an answer that is neither data nor "nothing there" means, by Zoho's code."""
    data = answer.record() if answer.body.strip() else {}
    code = str(data.get("code", ""))
    details = data.get("details")
    match code:
        case "OAUTH_SCOPE_MISMATCH":
            kind = module.lower() if module in _STANDARD_MODULES else "custom"
            return PermanentSourceError(
                f"{answer.what}: the token may not read the module {module}; it lacks the scope"
                f" ZohoCRM.modules.{kind}.READ. Make a refresh token with that scope"
                " and set MEL_ZOHO_REFRESH_TOKEN."
            )
        case "NO_PERMISSION":
            return PermanentSourceError(
                f"{answer.what}: the token's user has no permission for the module {module}."
                " Give it to that user in Zoho (Setup, Security, Profiles)."
            )
        case "INVALID_MODULE":
            return PermanentSourceError(
                f"{answer.what}: there is no module {module}. Check `object` in its contract.yml."
            )
        case "PAGINATION_LIMIT_EXCEEDED":
            return PermanentSourceError(
                f"{answer.what}: more than 100,000 records in one pull, more than Zoho lists page by page."
                " Nothing was stored. Use a bulk export for the first load."
            )
        case "EXPIRED_VALUE" | "TOKEN_BOUND_DATA_MISMATCH":
            return TransientSourceError(
                f"{answer.what}: the page token is no longer valid ({code}). Run the load again; it starts"
                " from the last stored position."
            )
    if answer.status == 429:
        wait = details.get("retry_after") if isinstance(details, dict) else None
        asked = explain_status(answer, "")
        known = asked.wait_seconds if isinstance(asked, TryAgainError) else None
        seconds = float(str(wait)) if str(wait).isdigit() else known
        return TryAgainError(str(asked), throttled if seconds is None else seconds)
    hint = f"Zoho answered '{clean(code)}'." if code else "Check MEL_ZOHO_API_URL."
    return explain_status(answer, hint)
