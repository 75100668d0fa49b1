"""What an export holds, for the person who writes its codebook: columns, guesses with their evidence, personal data.

A guess is only shown. It takes effect once it is written into a codebook.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import yaml

from mel_pipeline.sources.shared.survey.binding import first_download, questions_of_form
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.shared.survey.joining import joined
from mel_pipeline.sources.shared.survey.looks import Looks, Scales, answers_in, asked, is_closed, looks_like
from mel_pipeline.sources.shared.survey.model import Answers, Builtin, Question
from mel_pipeline.sources.shared.survey.overview import figures_in, numbered
from mel_pipeline.sources.shared.survey.personal import without_personal
from mel_pipeline.sources.shared.survey.plan import Plan, plan_of
from mel_pipeline.sources.shared.survey.scale import NO_SCALE, Scale, scale_of

_SHOWN = 6
_BUILTINS: dict[Builtin, str] = {
    "response_id": "id of the response",
    "uuid": "second id of the response",
    "status": "whether the response is complete",
    "validity": "what leaves previews, tests, spam and rejected responses out",
    "started_at": "start of the response",
    "completed_at": "end of the response",
    "recommendation": "recommendation, as the tool counts it",
    "ignored": "not needed",
}


@dataclass(frozen=True)
class Column:
    """One column: what it is, or may be, and why."""

    number: int
    header: str
    what: str
    why: str
    guess: Looks | None = None
    answered: int = 0
    answers: Sequence[str] = ()  # of a closed question, the most frequent first
    question: str = ""  # of a guess, as a codebook names it


@dataclass(frozen=True)
class Inspection:
    """What was found in an export. ``scale``: of the overall question, by the answers inspected."""

    survey: str
    tool: str
    how: Sequence[str]
    responses: int
    columns: Sequence[Column]
    scale: Scale = NO_SCALE
    removed: Mapping[str, int] = field(default_factory=dict)  # header -> answers with an address in them
    asks_no_event: bool = False
    form: Sequence[str] = ()
    figures: Mapping[str, str] = field(
        default_factory=dict
    )  # question of the figures -> where it is read from

    @property
    def to_do(self) -> str:
        """What is left to do, in a sentence."""
        if self.guesses or self.scale.unknown or self.asks_no_event:
            return (
                "Run the same command with --write. Open the codebook it writes, take away the # before the lines that"
                " are right, save it, and run `mel workbook import`. The next load uses it."
            )
        return "Nothing: the next load reads it so."

    @property
    def guesses(self) -> list[Column]:
        return [column for column in self.columns if column.guess]

    def codebook(self, *, form: bool = True) -> str:
        """A codebook to review: guesses are commented out, unmapped labels still need a score.

        Args:
            form: with the questions of the form, which bind it to the form.
        """
        bound = [
            "form:  # the questions of the form: the codebook follows them, whatever the file is called",
            *(f"  - {_quoted(text)}" for text in self.form),
        ]
        lines = [
            f"# Codebook of the survey {self.survey}, proposed by `mel survey inspect`.",
            "# Lines that begin with # are guesses: check them. Where one is right, remove the # before it, and before the",
            "# lines above it that end in a colon.",
            _yaml({"surveys": [first_download(self.survey)]}),
            *(bound if form and self.form else []),
            *self._proposed(),
        ]
        if self.scale.unknown:
            lines += self.scale.proposed()
        if self.asks_no_event:
            lines.append('#event_code: "?"  # the CRM\'s code of the event: the survey does not ask')
        return "\n".join(lines) + "\n"

    def _proposed(self) -> list[str]:
        """Each guessed role with its questions."""
        roles: dict[str, list[Column]] = {}
        for column in self.guesses:
            roles.setdefault(str(column.guess), []).append(column)
        lines = ["#questions:"] if roles else []
        for role, columns in roles.items():
            hints = ["Responses without a yes are left out."] if role == "consent" else []
            hints += ["Keep one, unless nobody answers two of them."] if len(columns) > 1 else []
            lines.append(" ".join([f"#  {role}:", *([" #", *hints] if hints else [])]))
            for column in columns:
                lines.append(f"#    - {_quoted(column.question)}  # {column.why}")
        return lines


def inspect(first: Answers, responses: int, how: Sequence[str], book: Codebook, scales: Scales) -> Inspection:
    """Inspect the first answers of an export.

    Args:
        responses: how many there are in all.
        how: how it was read, for people.
        scales: labels the catalogue knows.
    """
    plan = plan_of(first, book)
    unread = asked(first, plan)
    whole = joined(first, plan.joins, first.layout.missing | frozenset(book.missing))
    columns = [
        _guessed(
            _inspect_column(number, question, first, plan, book),
            question,
            unread.get(number),
            plan,
            book,
            scales,
        )
        for number, question in enumerate(first.layout.questions)
    ]
    scale = _scale(whole, plan, columns, unread, book)
    removed = {
        question.text: count
        for number, question in enumerate(first.layout.questions)
        if number in plan.columns
        and (
            count := sum(
                times for text, times in answers_in(first, number).items() if without_personal(text) != text
            )
        )
    }
    asks_no_event = "event_code" not in plan.roles and not book.event_code
    return Inspection(
        first.survey,
        first.layout.tool,
        how,
        responses,
        columns,
        scale,
        removed,
        asks_no_event,
        questions_of_form(first.layout.questions),
        figures_in(plan, book, _by_role(columns)),
    )


def _by_role(columns: Sequence[Column]) -> Mapping[str, Sequence[int]]:
    found: dict[str, list[int]] = {}
    for column in columns:
        if column.guess:
            found.setdefault(column.guess, []).append(column.number - 1)
    return found


def _inspect_column(number: int, question: Question, answers: Answers, plan: Plan, book: Codebook) -> Column:
    header = question.text if question.choice is None else f"{question.text} [{question.choice}]"
    if number in plan.personal:
        return Column(number + 1, header, "personal, never read", plan.personal[number])
    counted = answers_in(answers, number)
    answered = counted.total()
    if question.builtin:
        what = _BUILTINS.get(question.builtin, question.builtin)
        return Column(number + 1, header, what, "the tool writes it", answered=answered)
    role = plan.role_of(number) or book.role(question)
    if question.choice is not None or question.is_summary:
        what = "a choice of its question" if question.choice is not None else "its choices in one cell"
        what = f"{role.replace('_', ' ')}: {what}" if role else what
        return Column(number + 1, header, what, "its choices have columns of their own", answered=answered)
    shown = _closed(counted)
    if role:
        what = "not needed" if role == "ignored" else role.replace("_", " ")
        own = next((join.columns for join in plan.joins if number in join.columns), [number])
        if len(own) > 1:
            what += f", together with {numbered([column for column in own if column != number])}"
        return Column(number + 1, header, what, "the codebook knows it", answered=answered, answers=shown)
    return Column(number + 1, header, "kept, in no figure", "", None, answered, shown)


def _guessed(
    column: Column,
    question: Question,
    counted: Counter[str] | None,
    plan: Plan,
    book: Codebook,
    scales: Scales,
) -> Column:
    """With what an unread question looks like, unless another column has that role."""
    guess = looks_like(question, counted, book, scales) if counted else None
    if guess is None or guess.role in plan.roles:
        return column
    return replace(column, guess=guess.role, why=guess.why, question=question.text)


def _scale(
    whole: Answers,
    plan: Plan,
    columns: Sequence[Column],
    unread: Mapping[int, Counter[str]],
    book: Codebook,
) -> Scale:
    """Of the overall question, or of those that look like it."""
    if (role := plan.roles.get("overall_satisfaction")) is not None:
        question = whole.layout.questions[role]
        others = [question.text, *(label for _, label in question.labels)]
        return scale_of(dict(_answers(whole, role).most_common()), others, book)
    guessed = [column for column in columns if column.guess == "overall_satisfaction"]
    answers: Counter[str] = Counter()
    for column in guessed:
        for text, times in unread[column.number - 1].items():
            answers[without_personal(text)] += times
    return scale_of(dict(answers.most_common()), [column.question for column in guessed], book)


def _answers(answers: Answers, number: int) -> Counter[str]:
    labels = dict(answers.layout.questions[number].labels)
    found: Counter[str] = Counter()
    for text, times in answers_in(answers, number).items():
        found[without_personal(labels.get(text, text))] += times
    return found


def _closed(counted: Counter[str]) -> list[str]:
    """The answers of a question with few, short ones; nothing that people wrote in their own words."""
    if not is_closed(counted):
        return []
    return [without_personal(text) for text, _ in counted.most_common(_SHOWN)]


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, allow_unicode=True, default_flow_style=False).strip()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # valid in YAML, and emoji stay readable
