"""What each column of a survey is: roles by the codebook, choices that belong together, what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from mel_pipeline.sources.shared.survey.codebook import Codebook, Role
from mel_pipeline.sources.shared.survey.joining import Join, Part, join_of
from mel_pipeline.sources.shared.survey.model import Answers, Builtin, Question
from mel_pipeline.sources.shared.survey.personal import asks_for_contacts, is_personal_header


@dataclass(frozen=True)
class Plan:
    """Columns by number. ``choices`` maps a question to its choices and their columns.

    ``joins`` are answers that several columns give together. They become columns of their own, after those of the
    export, and ``roles`` counts them there.
    """

    builtins: dict[Builtin, int]
    roles: dict[Role, int]
    others: dict[int, str]  # column -> label of its answer
    choices: dict[str, list[tuple[int, str]]]
    personal: dict[int, str]  # column -> why it is left out
    joins: tuple[Join, ...] = ()
    summaries: dict[str, int] = field(default_factory=dict)  # question -> column that repeats its choices

    @property
    def columns(self) -> set[int]:
        """Everything that is read."""
        grouped = {column for group in self.choices.values() for column, _ in group}
        grouped |= {column for join in self.joins for column in join.columns}
        return {*self.builtins.values(), *self.roles.values(), *self.others, *grouped}

    def columns_of(self, role: Role) -> list[int]:
        """The columns of the export that answer for a role; none if it is not asked."""
        for join in self.joins:
            if join.role == role:
                return sorted(join.columns)
        return [self.roles[role]] if role in self.roles else []

    def role_of(self, column: int) -> Role | None:
        """The role of a column, by itself or with others."""
        own = {found: role for role, found in self.roles.items()}
        own |= {found: cast("Role", join.role) for join in self.joins for found in join.columns}
        return own.get(column)


def plan_of(answers: Answers, book: Codebook) -> Plan:
    """What each column is, from the questions and the first chunk of answers."""
    questions = answers.layout.questions
    personal = _personal(answers, book)
    builtins: dict[Builtin, int] = {}
    parts: dict[Role, list[Part]] = {}
    others: dict[int, str] = {}
    choices: dict[str, list[tuple[int, str]]] = {}
    summaries: dict[str, int] = {}
    for column, question in enumerate(questions):
        if column in personal or question.builtin == "ignored":
            continue
        if question.builtin:
            builtins.setdefault(question.builtin, column)
            continue
        role = book.role(question)
        if question.written_beside and role is None:
            _write_beside(parts, column, question, book)
        if role == "ignored":
            continue
        if role and role != "personal":
            part = Part(column, question.text, question.choice, question.is_summary)
            if question.choice is None and not question.is_summary:
                part = replace(part, branch=f"{column}")
            parts.setdefault(role, []).append(part)
        elif question.is_summary:
            summaries[question.text] = column
        elif question.choice is not None:
            choices.setdefault(question.text, []).append((column, question.choice))
        else:
            others[column] = question.text
    roles, joins = _roles_and_joins(parts, questions)
    return Plan(
        builtins,
        roles,
        _unique_labels(others, choices, questions),
        choices,
        personal,
        tuple(joins),
        summaries,
    )


def _write_beside(parts: dict[Role, list[Part]], column: int, question: Question, book: Codebook) -> None:
    """What people write beside a choice says that they chose it."""
    text, label = question.written_beside or ("", "")
    role = book.role(Question(text, text))
    if role and role not in ("personal", "ignored"):
        parts.setdefault(cast("Role", role), []).append(Part(column, text, label, is_other=True))


def _roles_and_joins(
    parts: Mapping[Role, Sequence[Part]], questions: Sequence[Question]
) -> tuple[dict[Role, int], list[Join]]:
    roles: dict[Role, int] = {}
    joins: list[Join] = []
    for role, columns in parts.items():
        join = join_of(role, columns, questions)
        if join is None:
            roles[role] = columns[0].column
        elif len(join.parts) == 1 and join.parts[0].label is None:
            roles[role] = join.parts[0].column
        else:
            roles[role] = len(questions) + len(joins)
            joins.append(join)
    return roles, joins


def _personal(answers: Answers, book: Codebook) -> dict[int, str]:
    """Columns to leave out, and why: the tool, the codebook, the header or the answers."""
    found: dict[int, str] = {}
    for column, question in enumerate(answers.layout.questions):
        role = book.role(question)
        if question.builtin == "personal":
            found[column] = "the tool writes it"
        elif question.builtin or role == "ignored":
            continue
        elif role == "personal":
            found[column] = "by the codebook"
        elif role:
            continue  # addresses inside an answer are removed
        elif is_personal_header(question.text):
            found[column] = "by its header"
        elif question.choice is None and asks_for_contacts(answers.frame[column].dropna().unique()):
            found[column] = "by its answers"
    return found


def _unique_labels(
    others: dict[int, str], choices: dict[str, list[tuple[int, str]]], questions: Sequence[Question]
) -> dict[int, str]:
    """Questions with the same text are labelled by key, so that no answer overwrites another."""
    texts = [*others.values(), *choices]
    return {
        column: text if texts.count(text) == 1 else questions[column].key for column, text in others.items()
    }
