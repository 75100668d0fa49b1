"""The review list of unmatched answers: suggested by similarity, decided by the MEL lead, kept in a file.

A decision overrides every rule, survives each rewrite of the file, and is never made by the code.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.ingest.identity.aliases import Aliases
from mel_pipeline.ingest.identity.cities import Members, match, readings
from mel_pipeline.ingest.identity.keys import city_key

HEADER = ["answer", "country", "times", "suggestion", "similarity", "decision"]
NOT_A_MEMBER = "not a member"
MIN_SIMILARITY = 80  # of 100; below it a suggestion costs more time than it saves
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Key = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """A city as answered, and how often. ``country`` is empty where none was given."""

    text: str
    country: str
    times: int

    @property
    def key(self) -> Key:
        return city_key(self.text), normalize_text(self.country)


@dataclass(frozen=True)
class Line:
    """A line of the list."""

    answer: Answer
    decision: str = ""
    suggestion: str = ""
    similarity: int | None = None


@dataclass(frozen=True)
class Review:
    """The MEL lead's decisions.

    ``lines`` are all lines with a ``decision``. ``confirmed`` holds the account of each valid decision, None for
    "not a member"; ``problems`` says what is wrong with the others.
    """

    lines: Mapping[Key, Line] = field(default_factory=dict)
    confirmed: Mapping[Key, str | None] = field(default_factory=dict)
    problems: Sequence[str] = ()


def read_review(path: Path, members: Members) -> Review:
    """The decisions in the file; none where there is no file yet.

    Raises:
        ContractError: the file is not such a list. It is left unchanged.
    """
    lines: dict[Key, Line] = {}
    confirmed: dict[Key, str | None] = {}
    problems: list[str] = []
    conflicting: set[Key] = set()
    for number, row in _rows(path):
        decision = " ".join(row["decision"].split())
        if not decision:
            continue
        place = f"{path.name}, row {number}"
        answer = Answer(row["answer"].removeprefix("'"), row["country"].removeprefix("'"), 0)
        account, problem = _account(decision, members)
        if answer.key in lines and normalize_text(lines[answer.key].decision) != normalize_text(decision):
            conflicting.add(answer.key)
            problems.append(f"{place}: '{answer.text}' is decided twice, differently. Keep one of them.")
            decision = f"{lines[answer.key].decision} / {decision}"
        elif problem:
            problems.append(f"{place}: {problem}")
        else:
            confirmed[answer.key] = account
        lines[answer.key] = Line(answer, decision)
    return Review(lines, {key: one for key, one in confirmed.items() if key not in conflicting}, problems)


def review_of(answers: Iterable[Answer], review: Review, members: Members, aliases: Aliases) -> list[Line]:
    """The updated list: open answers first, the most frequent on top, then the decided ones."""
    counted: dict[Key, Answer] = {}
    for answer in sorted(answers, key=lambda one: (-one.times, one.text, one.country)):
        first = counted.get(answer.key, answer)
        times = answer.times + (counted[answer.key].times if answer.key in counted else 0)
        counted[answer.key] = Answer(first.text, first.country, times)
    choices = _choices(members)
    decided = [
        Line(
            counted.get(key, line.answer), line.decision, *_suggestion(line.answer, choices, members, aliases)
        )
        for key, line in review.lines.items()
    ]
    waiting = [
        Line(answer, "", *_suggestion(answer, choices, members, aliases))
        for key, answer in counted.items()
        if key not in review.lines
        and match(key[0], answer.country, members, aliases, review.confirmed) is None
    ]
    return [
        *sorted(waiting, key=lambda line: (-line.answer.times, line.answer.key)),
        *sorted(decided, key=lambda line: line.answer.key),
    ]


def write_review(path: Path, lines: Iterable[Line]) -> bool:
    """Write the list in one step, readable by Excel. Returns False and writes nothing if unchanged."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(HEADER)
    for line in lines:
        answer = line.answer
        similarity = "" if line.similarity is None else line.similarity
        table.writerow(
            [
                _cell(answer.text),
                _cell(answer.country),
                answer.times,
                line.suggestion,
                similarity,
                _cell(line.decision),
            ]
        )
    content = b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Rows with their number in the file. Excel may have saved it with semicolons or tabs."""
    if not path.exists():
        return []
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ContractError(
            f"Reading the decisions in {path}: it is not UTF-8. Save it again as 'CSV UTF-8'. Until then"
            " the matches of the last run stay valid, and the file is not touched."
        ) from None
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise ContractError(
            f"Reading the decisions in {path}: {error}. Fix the quotation marks, or move the file away and run"
            " `mel cities` for a new one. It was not touched."
        ) from error
    header = [cell.strip().lower() for cell in table[0]] if table else []
    if missing := [name for name in ("answer", "country", "decision") if name not in header]:
        raise ContractError(
            f"Reading the decisions in {path}: no column {' or '.join(missing)} in the first row. Restore"
            f" the header ({', '.join(HEADER)}). The file was not touched."
        )
    return [
        (number, dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=False)))
        for number, row in enumerate(table[1:], start=2)
        if any(cell.strip() for cell in row)
    ]


def _account(decision: str, members: Members) -> tuple[str | None, str]:
    """The account a decision names (None: not a member), or what is wrong with it."""
    wanted = normalize_text(decision)
    if wanted == NOT_A_MEMBER:
        return None, ""
    found = members.by_name.get(wanted, []) or members.by_alias.get(wanted, [])
    if len(found) == 1:
        return found[0].account_id, ""
    if found:
        return None, f"'{decision}' names {len(found)} members. Write the full name of one of them."
    return None, (
        f"'{decision}' is not a member. Write a member's name as in the CRM, '{NOT_A_MEMBER}', or nothing."
    )


def _choices(members: Members) -> dict[str, list[str]]:
    """Every known name of a member, with the members' names as in the CRM."""
    return {
        key: sorted({member.name for member in found})
        for key, found in {**members.by_alias, **members.by_name}.items()
        if found
    }


def _suggestion(
    answer: Answer, choices: Mapping[str, list[str]], members: Members, aliases: Aliases
) -> tuple[str, int | None]:
    """The most similar member in the answered country, or of all if none was given; and the similarity, of 100."""
    from rapidfuzz import fuzz, process

    found: tuple[str, int | None] = ("", None)
    for key, code in list(readings(answer.key[0], answer.country, aliases)) or [(answer.key[0], None)]:
        home = {member.name for member in members.all if code is None or members.country(member) == code}
        near = [name for name, carried in choices.items() if home.intersection(carried)]
        best = process.extractOne(key, near, scorer=fuzz.WRatio, score_cutoff=MIN_SIMILARITY)
        if best and best[1] > (found[1] or 0):
            found = " / ".join(name for name in choices[best[0]] if name in home), int(best[1])
    return found


def _cell(text: str) -> str:
    """Spreadsheets execute a cell that starts like a formula; an apostrophe keeps it text."""
    return f"'{text}" if text.startswith(_FORMULA) else text
