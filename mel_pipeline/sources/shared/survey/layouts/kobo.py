"""KoBoToolbox (CSV, the main sheet of an XLSX): the columns Kobo appends, choices in separate columns, HXL tags."""

from __future__ import annotations

import re

from mel_pipeline.sources.shared.survey.forms import form_questions, has_offset
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Sheet

TOOL = "kobo"
_NEEDED = {"_id", "_uuid", "_submission_time"}
_BUILTINS: dict[str, Builtin] = {
    "_id": "response_id",  # stays when a response is edited; _uuid does not
    "_submission_time": "completed_at",
    "_uuid": "uuid",
    "_index": "ignored",  # counts the rows of this one export
    "_status": "ignored",
    "_tags": "ignored",
    "_version_": "ignored",
    "__version__": "ignored",
    "_validation_status": "validity",
    "_xform_id_string": "ignored",
    "_bamboo_dataset_id": "ignored",
    "meta/rootUuid": "ignored",
    "meta/instanceID": "ignored",
    "formhub/uuid": "ignored",
    "today": "ignored",
    "end": "ignored",  # by the device's clock; the server's time is used
    "_notes": "personal",  # written by staff about the respondent
    "_submitted_by": "personal",
    "_geolocation": "personal",
    "_attachments": "personal",
    "meta/instanceName": "personal",
    "deviceid": "personal",
    "subscriberid": "personal",
    "simserial": "personal",
    "phonenumber": "personal",
    "username": "personal",
    "audit": "personal",
}
_NOT_VALID = dict.fromkeys(
    (
        "not approved",
        "validation status not approved",
        "non approuve",
        "no aprobado",
        "no aprovat",
        "rejected",
    ),
    "rejected in review",
)
_HXL = re.compile(r"#[A-Za-z][A-Za-z0-9_]*(\s*[+,#]\s*[A-Za-z][A-Za-z0-9_]*)*")


def recognise(sheet: Sheet) -> Layout | None:
    """Kobo's own columns are there, and the table is not one of a repeated group."""
    header = sheet.first_rows[0] if sheet.first_rows else []
    if not set(header) >= _NEEDED or "_parent_index" in header:
        return None
    tags = len(sheet.first_rows) > 1 and _is_tags(sheet.first_rows[1])
    rows = 2 if tags else 1
    builtins = dict(_BUILTINS)
    if "start" in header:
        builtins["start"] = "started_at" if has_offset(sheet, header.index("start"), rows) else "ignored"
    return Layout(
        TOOL,
        form_questions(sheet, builtins, rows, separator="/"),
        header_rows=rows,
        not_valid=_NOT_VALID,
        ids_within_server=True,
        zone="UTC",  # of _submission_time, which is written without one
        notes=(
            "Kobo: by _id, _uuid and _submission_time.",
            *(["The second row holds HXL tags."] if tags else []),
        ),
    )


def _is_tags(row: list[str]) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    return bool(cells) and all(_HXL.fullmatch(cell) for cell in cells)
