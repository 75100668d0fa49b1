"""An export's table into responses, without personal data. Pure: no folder, no clock.

Whatever leaves this module holds no IP, e-mail, browser, name or response link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mel_pipeline.contracts import EntityContract
from mel_pipeline.sources.base import Rejected, key_of, payload_of
from mel_pipeline.sources.dates import Order, order_of, read_moment
from mel_pipeline.sources.files import FileRefusedError, Table, read_table
from mel_pipeline.sources.zoho_survey.codebook import Codebook, plain

Row = dict[str, str | None]

_NEEDED = {"response_id": "the response id", "status": "the response status", "event_code": "the event code"}
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_IP = r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}(?::?[0-9A-Fa-f]{1,4})\b"
_PHONE = r"\+\d[\d ().-]{7,}\d"
_PERSONAL_VALUE = re.compile(f"{_EMAIL}|{_IP}|{_PHONE}")
_PERSONAL_HEADER = re.compile(  # on plain text; whole words, so that "name of the city" stays
    r"\b(ip|e ?mail|user agent|agente (de )?usuario|agent utilisateur|correo( electronico)?|courriel|mail"
    r"|phone|telephone|telefono|movil|mobile|whatsapp|passport|pasaporte|passeport"
    r"|(your|first|last|full|family|respondent) name|surname|su nombre|nombre completo|nombres? y apellidos?"
    r"|apellidos?|votre nom|prenom|nom de famille|response url)\b|^(name|nombre|nom)$"
)


@dataclass(frozen=True)
class Parsed:
    """The responses of one file."""

    rows: list[Row]
    rejected: list[Rejected]
    notes: list[str] = field(default_factory=list)


def parse_file(name: str, content: bytes, digest: str, contract: EntityContract, book: Codebook) -> Parsed:
    """Read one export.

    Args:
        name: the file's name, for messages and the ``survey`` column.
        digest: SHA-256 of the content.

    Raises:
        FileRefusedError: the file as a whole cannot be read.
    """
    table = read_table(content)
    cells_of_rows = list(table.rows())
    columns = _columns(table, book)
    personal = _personal_columns(table, cells_of_rows, book, columns)
    others = {
        index: header
        for index, header in enumerate(table.header)
        if index not in columns.values()
        and index not in personal
        and book.role(header) != "ignored"
        and header
    }
    moments = [columns[role] for role in ("started_at", "completed_at") if role in columns]
    order = order_of(
        (cells[index] for cells in cells_of_rows for index in moments),
        book.date_order,
        ", or set date_order in codebook.yml",
    )
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for number, cells in enumerate(cells_of_rows, start=2):
        row, reason = _response(cells, columns, others, order, book)
        row |= {"survey": name.rsplit(".", 1)[0], "file_hash": digest, "_source_ref": f"{name}, row {number}"}
        if reason:
            place = f"{name}, row {number}"
            rejected.append(
                Rejected(place, key_of(row, contract), reason[0], reason[1], payload_of(row, contract))
            )
        else:
            rows.append(row)
    note = f"{name}: {table.how}; {table.count} responses; {len(personal)} personal columns left out."
    return Parsed(rows, rejected, [note])


def latest_versions(files: Sequence[Sequence[Row]]) -> tuple[list[Row], list[list[Row]]]:
    """Tell superseded versions of a response from the latest one, over all files.

    The latest is the one completed last; of equals, the one of the later file.

    Returns:
        Superseded rows, and for each file the rows that count.
    """
    best: dict[str, tuple[str, int, int]] = {}
    for number, rows in enumerate(files):
        for position, row in enumerate(rows):
            rank = (row["completed_at"] or row["started_at"] or "", number, position)
            key = str(row["response_id"])
            best[key] = max(best.get(key, rank), rank)
    winners = {(key, number, position) for key, (_, number, position) in best.items()}
    superseded: list[Row] = []
    kept: list[list[Row]] = []
    for number, rows in enumerate(files):
        marked = [
            ((str(row["response_id"]), number, position) in winners, row) for position, row in enumerate(rows)
        ]
        kept.append([row for wins, row in marked if wins])
        superseded += [row for wins, row in marked if not wins]
    return superseded, kept


def _columns(table: Table, book: Codebook) -> dict[str, int]:
    """Role → position, for every column whose header the codebook knows."""
    columns: dict[str, int] = {}
    for index, header in enumerate(table.header):
        role = book.role(header)
        if role in (None, "personal", "ignored"):
            continue
        if role in columns:
            raise FileRefusedError(
                f"Columns {columns[role] + 1} and {index + 1} both mean {role.replace('_', ' ')}."
                " Remove one from the export, or mend codebook.yml."
            )
        columns[role] = index
    if missing := [words for role, words in _NEEDED.items() if role not in columns]:
        raise FileRefusedError(
            f"No column was recognised for {' or '.join(missing)}. Export it with these columns,"
            " or add the header's wording to codebook.yml."
        )
    return columns


def _personal_columns(
    table: Table, rows: Sequence[list[str]], book: Codebook, columns: Mapping[str, int]
) -> set[int]:
    """Columns that are personal by the codebook, by their header, or by any of their values."""
    known = set(columns.values())
    return {
        index
        for index, header in enumerate(table.header)
        if index not in known
        and book.role(header) != "ignored"
        and (
            book.role(header) == "personal"
            or _PERSONAL_HEADER.search(plain(header))
            or _PERSONAL_VALUE.search(header)
            or any(_PERSONAL_VALUE.search(row[index]) for row in rows)
        )
    }


def _response(
    cells: list[str], columns: Mapping[str, int], others: Mapping[int, str], order: Order, book: Codebook
) -> tuple[Row, tuple[str, str] | None]:
    """One response, and the column and reason if it cannot be read."""

    def cell(role: str) -> str | None:
        text = cells[columns[role]].strip() if role in columns else ""
        return _PERSONAL_VALUE.sub("[removed]", text) or None

    status, language = cell("status"), cell("language")
    # The tool leaves the question's own column empty and puts the value into the built-in one.
    promoter = cell("recommendation") or cell("recommendation_question")
    answers = {header: cells[index].strip() for index, header in others.items() if cells[index].strip()}
    row: Row = {
        "response_id": cells[columns["response_id"]].strip() or None,
        "status": book.status(status) if status else None,
        "event_code": cell("event_code"),
        "language": book.language(language) if language else None,
        "recommendation": promoter,
        "other_answers": json.dumps(answers, ensure_ascii=False, sort_keys=True) if answers else None,
        "started_at": None,
        "completed_at": None,
    }
    row |= {role: cell(role) for role in ("overall_satisfaction", "gender", "open_comment")}
    reason = None if row["response_id"] else ("response_id", "The response has no id.")
    for role in ("started_at", "completed_at"):
        if text := cell(role):
            try:
                row[role] = read_moment(text, order)
            except ValueError:
                reason = reason or (role, f"The date in {role} cannot be read.")
    return row, reason
