"""Unmatched answers: a member is suggested by similarity, decided by the MEL lead in the workbook.

A decision overrides every rule and is never made by the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.ingest.identity.aliases import Aliases
from mel_pipeline.ingest.identity.cities import Member, Members, match, readings
from mel_pipeline.ingest.identity.keys import city_key

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Row

NOT_A_MEMBER = "not a member"
MIN_SIMILARITY = 80  # of 100; below it a suggestion costs more time than it saves

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


def read_review(rows: Iterable[Row], members: Members) -> Review:
    """The decisions in rows of the workbook's sheet Cities."""
    lines: dict[Key, Line] = {}
    confirmed: dict[Key, str | None] = {}
    problems: list[str] = []
    conflicting: set[Key] = set()
    for row in rows:
        decision = " ".join((row.get("decision") or "").split())
        if not decision:
            continue
        place = f"Workbook, Cities, {row.get('id')}"
        answer = Answer(row.get("answer") or "", row.get("country") or "", 0)
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


def wrong_decision(decision: str, members: Members) -> str:
    """What is wrong with a decision; empty: nothing."""
    return _account(decision, members)[1]


def named_by(decision: str, members: Members) -> list[Member]:
    """The members that a decision could mean."""
    wanted = normalize_text(decision)
    return members.by_name.get(wanted, []) or members.by_alias.get(wanted, [])


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


def _account(decision: str, members: Members) -> tuple[str | None, str]:
    """The account a decision names (None: not a member), or what is wrong with it."""
    wanted = normalize_text(decision)
    if wanted == NOT_A_MEMBER:
        return None, ""
    found = named_by(decision, members)
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
