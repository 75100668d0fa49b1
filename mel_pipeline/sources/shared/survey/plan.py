"""What each column of a survey is: roles by the codebook, choices that belong together, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.codebook import Codebook, Role
from mel_pipeline.sources.shared.survey.model import Answers, Builtin, Question
from mel_pipeline.sources.shared.survey.personal import asks_for_contacts, is_personal_header


@dataclass(frozen=True)
class Plan:
    """Columns by number. ``choices`` maps a question to its choices and their columns."""

    builtins: dict[Builtin, int]
    roles: dict[Role, int]
    others: dict[int, str]  # column -> label of its answer
    choices: dict[str, list[tuple[int, str]]]
    personal: dict[int, str]  # column -> why it is left out

    @property
    def columns(self) -> set[int]:
        """Everything that is read."""
        grouped = {column for group in self.choices.values() for column, _ in group}
        return {*self.builtins.values(), *self.roles.values(), *self.others, *grouped}


def plan_of(answers: Answers, book: Codebook) -> Plan:
    """What each column is, from the questions and the first chunk of answers.

    Raises:
        FileRefusedError: two columns mean the same.
    """
    questions = answers.layout.questions
    personal = _personal(answers, book)
    builtins: dict[Builtin, int] = {}
    roles: dict[Role, int] = {}
    others: dict[int, str] = {}
    choices: dict[str, list[tuple[int, str]]] = {}
    for column, question in enumerate(questions):
        if column in personal or question.builtin == "ignored":
            continue
        if question.builtin:
            builtins.setdefault(question.builtin, column)
            continue
        role = book.role(question)
        if role == "ignored":
            continue
        if question.choice is not None:
            choices.setdefault(question.text, []).append((column, question.choice))
        elif role and role != "personal":
            if role in roles:
                raise FileRefusedError(
                    f"Columns {roles[role] + 1} and {column + 1} both mean {role.replace('_', ' ')}."
                    " Remove one from the export, or name the right one in a codebook for this survey."
                )
            roles[role] = column
        else:
            others[column] = question.text
    return Plan(builtins, roles, _unique_labels(others, choices, questions), choices, personal)


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
