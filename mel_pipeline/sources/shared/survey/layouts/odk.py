"""ODK Central (CSV of the form's main table, or its OData rows as a table): group-question, question/choice."""

from __future__ import annotations

from mel_pipeline.sources.shared.survey.forms import form_questions, has_offset
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Sheet

TOOL = "odk"
_CSV: dict[str, Builtin] = {
    "SubmissionDate": "completed_at",
    "KEY": "response_id",  # stays when a response is edited; meta-instanceID does not
    "meta-instanceID": "ignored",
    "meta-instanceName": "personal",  # often made of the respondent's name
    "SubmitterID": "personal",
    "SubmitterName": "personal",
    "DeviceID": "personal",
    "AttachmentsPresent": "ignored",
    "AttachmentsExpected": "ignored",
    "Status": "ignored",  # of the attachments
    "ReviewState": "validity",
    "Edits": "ignored",
    "FormVersion": "ignored",
    "today": "ignored",
    "end": "ignored",
    "deviceid": "personal",
    "phonenumber": "personal",
    "username": "personal",
    "email": "personal",
    "audit": "personal",
}
_SYSTEM: dict[str, Builtin] = {
    "submissionDate": "completed_at",
    "submitterId": "personal",
    "submitterName": "personal",
    "deviceId": "personal",
    "updatedAt": "ignored",
    "deletedAt": "ignored",
    "attachmentsPresent": "ignored",
    "attachmentsExpected": "ignored",
    "status": "ignored",
    "reviewState": "validity",
    "edits": "ignored",
    "formVersion": "ignored",
}
_MARKS = ("/", ".", "-", "_")  # between the parts of a path, by whatever made OData rows a table


def recognise(sheet: Sheet) -> Layout | None:
    """Central's own columns are there, and the table is not one of a repeated group."""
    header = sheet.first_rows[0] if sheet.first_rows else []
    names = set(header)
    if "PARENT_KEY" in names:
        return None
    if {"SubmissionDate", "KEY"} <= names and names & {"ReviewState", "SubmitterID", "meta-instanceID"}:
        return _layout(sheet, dict(_CSV), "-", "ODK Central: by SubmissionDate and KEY.")
    mark = next((mark for mark in _MARKS if f"__system{mark}submissionDate" in names), None)
    if mark and "__id" in names:
        builtins: dict[str, Builtin] = {f"__system{mark}{name}": kind for name, kind in _SYSTEM.items()}
        builtins |= {
            "__id": "response_id",
            f"meta{mark}instanceID": "ignored",
            f"meta{mark}instanceName": "personal",
        }
        return _layout(sheet, builtins, mark, "ODK Central, OData: by __id and __system.")
    return None


def _layout(sheet: Sheet, builtins: dict[str, Builtin], mark: str, note: str) -> Layout:
    header = sheet.first_rows[0]
    for name in ("start", f"meta{mark}start"):
        if name in header:
            builtins[name] = "started_at" if has_offset(sheet, header.index(name), 1) else "ignored"
    return Layout(
        TOOL,
        form_questions(sheet, builtins, 1, separator=mark),
        not_valid={"rejected": "rejected in review"},
        zone="UTC",
        notes=(note,),
    )
