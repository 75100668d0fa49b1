"""Survey exports as rows of text: headers recognised, dates decided per file, personal data left out. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from mel_pipeline.sources.base import Batch, Rejected, as_frame
from mel_pipeline.sources.zoho_survey.reading import Table, UnreadableExport, read_table

PERSONAL = re.compile(r"[^@\s]+@[^@\s]+\.\w+|\b\d{1,3}(?:\.\d{1,3}){3}\b|https?://", re.IGNORECASE)
PERSONAL_HEADER = re.compile(r"\b(e-?mail|courriel|correo|phone|telefono|telephone|surname|apellido|nombre|nom|name|ip)\b")
DATE_FORMS = {
    "day first": ["%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"],
    "month first": ["%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S"],
    "year first": ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S"],
    "month by name": ["%b %d, %Y %H:%M:%S", "%d-%b-%Y %H:%M:%S"],
}
REQUIRED = ("response_id", "status", "completed_at", "event_code")


@dataclass(frozen=True)
class Layout:
    """Where each known column stands; ``others`` are questions kept under their own text."""

    places: dict[str, list[int]]
    others: dict[int, str]


def export_to_batch(
    content: bytes, file_name: str, file_hash: str, columns: Sequence[str], date_order: str | None = None
) -> Batch:
    """One export. What cannot be read at all is one rejected file; other files are not touched by it.

    Args:
        date_order: "day first" or "month first" for files all of whose dates can be read both ways.
    """
    try:
        table = read_table(content)
        layout = recognise(table.header)
        dates = _date_form(table, layout, date_order)
    except UnreadableExport as error:
        return Batch(as_frame([], columns), [Rejected(file_name, None, None, str(error))])
    stem = file_name.rsplit(".", 1)[0]
    rows = [
        {**_response(cells, layout, dates), "survey": stem, "file_hash": file_hash, "_source_ref": f"{file_name}, row {line}"}
        for line, cells in table.rows
    ]
    return Batch(as_frame(rows, columns))


def recognise(header: list[str]) -> Layout:
    """What each column is.

    Raises:
        UnreadableExport: a column no response can do without is missing.
    """
    known, dropped = _codebook()
    places: dict[str, list[int]] = {}
    others: dict[int, str] = {}
    for number, name in enumerate(header):
        plain = normalised(name)
        if plain in known:
            places.setdefault(known[plain], []).append(number)
        elif plain not in dropped and not PERSONAL_HEADER.search(plain):
            others[number] = name
    missing = [name for name in REQUIRED if name not in places]
    if missing:
        seen = ", ".join(f"'{name}'" for name in header[:8])
        raise UnreadableExport(
            f"These columns are missing: {', '.join(missing)}. The header begins with {seen}."
            " Export from Zoho Survey with all columns and the hidden variable event_code, or add the header's"
            " words to zoho_survey/codebook.yml."
        )
    return Layout(places, others)


def normalised(text: str) -> str:
    """Without accents, capitals, doubled and surrounding space."""
    bare = unicodedata.normalize("NFKD", text.strip().casefold())
    return re.sub(r"\s+", " ", "".join(letter for letter in bare if not unicodedata.combining(letter)))


def _response(cells: list[str], layout: Layout, dates: list[str]) -> dict[str, str | None]:
    def first(name: str) -> str | None:
        """The NPS value stands in the built-in column while its own question is empty, so the first filled one."""
        return next((text for place in layout.places.get(name, []) if (text := cells[place].strip())), None)

    others = {
        question: cells[place].strip()
        for place, question in layout.others.items()
        if cells[place].strip() and not PERSONAL.search(cells[place])
    }
    return {
        "response_id": first("response_id"),
        "status": _status(first("status")),
        "started_at": _moment(first("started_at"), dates),
        "completed_at": _moment(first("completed_at"), dates),
        "event_code": first("event_code"),
        "language": first("language"),
        "overall_satisfaction": first("overall_satisfaction"),
        "recommendation": first("recommendation"),
        "gender": first("gender"),
        "open_comment": _without_personal(first("open_comment")),
        "other_answers": json.dumps(others, ensure_ascii=False, sort_keys=True) if others else None,
    }


def _without_personal(text: str | None) -> str | None:
    return PERSONAL.sub("[removed]", text) if text else None


def _status(text: str | None) -> str | None:
    """In English; an unknown status stays as it is and breaks the contract by name."""
    return _statuses().get(normalised(text), text) if text else None


def _moment(text: str | None, forms: list[str]) -> str | None:
    """ISO without zone; a text that is no date stays as it is and is put aside by the contract."""
    if text is None:
        return None
    for form in forms:
        try:
            return datetime.strptime(text, form).isoformat()
        except ValueError:
            pass
    return text


def _date_form(table: Table, layout: Layout, declared: str | None) -> list[str]:
    """One order of day and month for the whole file.

    Raises:
        UnreadableExport: every date can be read both ways and no order is declared.
    """
    places = [place for name in ("started_at", "completed_at") for place in layout.places.get(name, [])]
    texts = [cells[place].strip() for _, cells in table.rows for place in places if cells[place].strip()]
    fitting = {name: forms for name, forms in DATE_FORMS.items() if any(_reads(text, forms) for text in texts)}
    full = {name: forms for name, forms in fitting.items() if all(_reads(text, forms) for text in texts)}
    candidates = full or fitting
    if {"day first", "month first"} <= set(candidates):
        if not full and len(fitting) == 2:
            return _better_of(texts, fitting)
        if declared in candidates:
            return candidates[declared]
        example = texts[0]
        readings = [datetime.strptime(example, next(f for f in forms if _reads(example, [f]))).date().isoformat() for forms in candidates.values()]
        raise UnreadableExport(
            f"Every date can be read in two ways: '{example}' is {' or '.join(readings)}."
            " State `date_order` in zoho_survey/codebook.yml, or export with dates like 2024-03-05."
        )
    return next(iter(candidates.values()), DATE_FORMS["year first"])


def _better_of(texts: list[str], fitting: dict[str, list[str]]) -> list[str]:
    """Damaged dates among good ones: the order that reads more of them; the others are put aside by row."""
    return max(fitting.values(), key=lambda forms: sum(_reads(text, forms) for text in texts))


def _reads(text: str, forms: Sequence[str]) -> bool:
    for form in forms:
        try:
            datetime.strptime(text, form)
        except ValueError:
            continue
        return True
    return False


@lru_cache(maxsize=1)
def _book() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "codebook.yml").read_text(encoding="utf-8"))
    return loaded


def declared_date_order() -> str | None:
    """The order of day and month that the account is set to, where the codebook states one."""
    order: str | None = _book().get("date_order")
    return order


@lru_cache(maxsize=1)
def _codebook() -> tuple[dict[str, str], set[str]]:
    book = _book()
    known = {normalised(text): name for part in ("columns", "questions") for name, texts in book[part].items() for text in texts}
    return known, {normalised(text) for text in book["dropped"]}


@lru_cache(maxsize=1)
def _statuses() -> dict[str, str]:
    return {normalised(text): name for name, texts in _book()["statuses"].items() for text in texts}
