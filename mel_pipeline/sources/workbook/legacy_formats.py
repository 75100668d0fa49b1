"""What the YAML and CSV files of before say, as rows of the workbook: a reader for each kind of file. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from mel_pipeline.core.target_path import last_day
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sources.workbook.cells import clean_text, number_text
from mel_pipeline.sources.workbook.sheets import LANGUAGES

_PAIRS = 3
_ROLES_OF_BOOK = {
    "personal": "personal",
    "ignored": "ignored",
    "surveys": "survey_name",
    "form": "form_question",
}
_SETTINGS_OF_BOOK = {
    "event_code": "fixed_event",
    "language": "fixed_language",
    "date_order": "date_order",
    "zone": "time_zone",
}
EARLIER = "earlier"  # in a row: what a target said before


class MisreadError(Exception):
    """The file is not what it should be; the text says what to do."""


Rows = Iterator[tuple[str, dict[str, Any]]]


def _targets(content: bytes, _: str) -> Rows:
    for indicator, written in (from_yaml(content) or {}).items():
        stated = written or {}
        if unknown := sorted(set(stated) - {"baseline", "targets", "assessed_on"}):
            raise MisreadError(f"{indicator} has '{unknown[0]}', which is neither baseline nor targets")
        rows = list(_stated(str(indicator), stated))
        if assessed := _text(stated.get("assessed_on")):
            if not rows:
                raise MisreadError(
                    f"{indicator} has assessed_on, and neither a baseline nor a target beside it"
                )
            rows[0]["assessed_on"] = assessed
        for row in rows:
            yield "targets", row


def _stated(indicator: str, stated: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if baseline := stated.get("baseline"):
        yield {
            "indicator": indicator, "kind": "baseline", "period": _text(baseline["period"]),
            "value": _text(baseline["value"]), **_by_language("reason", baseline.get("quality")),
        }  # fmt: skip
    for target in stated.get("targets") or []:
        yield _target(indicator, target)
        for step in target.get("milestones") or []:
            yield {
                "indicator": indicator, "kind": "milestone", "period": _text(step["date"]),
                "value": _text(step["value"]), **_by_language("reason", step["reason"]),
            }  # fmt: skip


def _target(indicator: str, target: Mapping[str, Any]) -> dict[str, Any]:
    """A target as it was revised last, with what it said before."""
    if unknown := sorted(set(target) - {"period", "value", "origin", "milestones", "revisions"}):
        raise MisreadError(f"a target of {indicator} has '{unknown[0]}'")
    row: dict[str, Any] = {
        "indicator": indicator, "kind": "target", "period": _text(target["period"]),
        "value": _text(target["value"]), **_by_language("reason", target["origin"]),
    }  # fmt: skip
    states = []
    for step in sorted(target.get("revisions") or [], key=lambda one: last_day(str(one["date"]))):
        day = last_day(str(step["date"])).isoformat()
        states.append({**row, "until": day})
        reason = {f"reason_{language}": None for language in LANGUAGES} | _by_language(
            "reason", step["reason"]
        )
        row = {**row, "value": _text(step["value"]), "stated_on": day, **reason}
    return {**row, EARLIER: states}


def _scales(content: bytes, _: str) -> Rows:
    for scale, meanings in (from_yaml(content) or {}).items():
        for meaning in meanings:
            for label in meaning.get("labels") or []:
                yield "answer_scales", {
                    "scale": str(scale), "label": _text(label), "score": _text(meaning.get("score")),
                    "code": _text(meaning.get("code")),
                    "non_answer": "yes" if meaning.get("kind") == "non_answer" else None,
                }  # fmt: skip


def _narrative(content: bytes, period: str) -> Rows:
    written = from_yaml(content) or {}
    if unknown := sorted(set(written) - {"main_points", "lessons", "comments", "decisions"}):
        raise MisreadError(f"there is no part '{unknown[0]}'")
    for place, text in enumerate(written.get("main_points") or [], start=1):
        yield "main_points", {"edition": period, "position": str(place), **_by_language("text", text)}
    for text in written.get("lessons") or []:
        yield "lessons", {"edition": period, "kind": "lesson", **_by_language("text", text)}
    for item in written.get("comments") or []:
        yield "lessons", {
            "edition": period, "kind": "theme", "people": _text(item["people"]),
            **_by_language("text", item["theme"]),
        }  # fmt: skip
    for item in written.get("decisions") or []:
        texts = {key: text for key, text in item.items() if key in LANGUAGES}
        if unknown := sorted(set(item) - set(texts) - {"owner_role", "due", "open"}):
            raise MisreadError(f"a decision has '{unknown[0]}'")
        yield "decisions", {
            "edition": period, **_by_language("text", texts), "owner_role": _text(item["owner_role"]),
            "due_on": _text(item.get("due")), "open": "yes" if item.get("open", True) else "no",
        }  # fmt: skip


def _corrections(content: bytes, _: str) -> Rows:
    for number, line in enumerate(from_yaml(content) or [], start=1):
        match, new = dict(line["match"]), dict(line.get("set") or {})
        if max(len(match), len(new)) > _PAIRS:
            raise MisreadError(f"correction {number} names more than {_PAIRS} columns, and a row has no more")
        yield "corrections", {
            **{name: _text(line[name]) for name in ("source", "entity", "action", "reason", "provider")},
            "stated_on": _text(line["date"]),
            **_pairs("match", match), **_pairs("set", new),
        }  # fmt: skip


def _pairs(stem: str, written: Mapping[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for number, (column, value) in enumerate(written.items(), start=1):
        found |= {f"{stem}_column_{number}": _text(column), f"{stem}_value_{number}": _text(value)}
    return found


def _cities(content: bytes, _: str) -> Rows:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MisreadError("it is not UTF-8; save it again as 'CSV UTF-8'") from None
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    header = [cell.strip().lower() for cell in table[0]] if table else []
    if missing := [name for name in ("answer", "country", "decision") if name not in header]:
        raise MisreadError(f"no column {' or '.join(missing)} in the first row")
    for cells in table[1:]:
        row = dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=False))
        if decision := " ".join(row["decision"].split()):
            yield (
                "cities",
                {
                    "answer": _text(row["answer"].removeprefix("'")),
                    "country": _text(row["country"].removeprefix("'")),
                    "decision": decision.removeprefix("'"),
                },
            )


def _codebook(content: bytes, name: str) -> Rows:
    book = from_yaml(content) or {}
    known = {*_ROLES_OF_BOOK, *_SETTINGS_OF_BOOK, "questions", "scale", "languages", "missing", "consent"}
    if unknown := sorted(set(book) - known):
        raise MisreadError(f"there is no part '{unknown[0]}'")
    yield from book_rows(name, book)


def book_rows(name: str, book: Mapping[str, Any]) -> Rows:
    """The rows of a codebook, as its YAML has it."""
    listed = {role: book.get(key) or [] for key, role in _ROLES_OF_BOOK.items()}
    if not listed["survey_name"] and not listed["form_question"]:
        listed["survey_name"] = ["*"]  # it applied to all
    listed |= {"not_answered": book.get("missing") or [], **(book.get("questions") or {})}
    listed |= {role: [book[key]] for key, role in _SETTINGS_OF_BOOK.items() if book.get(key)}
    for role, texts in listed.items():
        for text in texts:
            yield "survey_questions", {"codebook": name, "role": role, "question": _text(text)}
    for code, texts in (book.get("languages") or {}).items():
        for text in texts:
            yield (
                "survey_questions",
                {"codebook": name, "role": "language_name", "question": _text(text), "code": str(code)},
            )
    for answer, agrees in (book.get("consent") or {}).items():
        role = "consents" if agrees else "does_not_consent"
        yield "survey_questions", {"codebook": name, "role": role, "question": _text(answer)}
    for label, score in (book.get("scale") or {}).items():
        means = {"non_answer": "yes"} if score == "non_answer" else {"score": _text(score)}
        yield "answer_scales", {"codebook": name, "scale": "satisfaction", "label": _text(label), **means}


READERS = {
    "targets": _targets,
    "answer_scales": _scales,
    "narrative": _narrative,
    "corrections": _corrections,
    "cities": _cities,
    "codebooks": _codebook,
}


def _by_language(stem: str, written: Any) -> dict[str, str | None]:
    texts = {"en": written} if isinstance(written, str) else dict(written or {})
    if unknown := sorted(set(texts) - set(LANGUAGES)):
        raise MisreadError(f"the workbook has no column for texts in '{unknown[0]}'")
    return {f"{stem}_{language}": _text(text) for language, text in texts.items()}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise MisreadError("YAML reads yes, no, on and off as true and false; write such a text in quotes")
    if isinstance(value, int | float):
        return number_text(float(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list):
        raise MisreadError("a text is expected where a list stands")
    return clean_text(str(value)) or None
