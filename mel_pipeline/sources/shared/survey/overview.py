"""What the figures get from an export, and what is left to do, in words for the person who keeps the surveys. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mel_pipeline.sources.shared.survey.codebook import Codebook, Role
from mel_pipeline.sources.shared.survey.plan import Plan

_NAMES: dict[Role, str] = {
    "overall_satisfaction": "overall satisfaction",
    "recommendation": "recommendation",
    "gender": "gender",
    "city": "city",
    "event_code": "event",
}


def numbered(columns: Sequence[int]) -> str:
    """Columns as people count them: `column 3`, `columns 3, 4 and 5`, `columns 5 to 9`."""
    numbers = [column + 1 for column in sorted(columns)]
    if len(numbers) == 1:
        return f"column {numbers[0]}"
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"columns {numbers[0]} to {numbers[-1]}"
    return f"columns {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def figures_in(plan: Plan, book: Codebook, guessed: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Where each question of the figures is read from.

    Args:
        guessed: columns by the role that they may have.
    """
    found = {}
    for role, name in _NAMES.items():
        if columns := plan.columns_of(role):
            found[name] = numbered(columns)
        elif role == "recommendation" and "recommendation" in plan.builtins:
            found[name] = numbered([plan.builtins["recommendation"]])
        elif role == "event_code" and book.event_code:
            found[name] = f"{book.event_code}, by the codebook"
        elif role in guessed:
            found[name] = f"not read; perhaps {numbered(guessed[role])}"
        else:
            found[name] = "not found in this file"
    return found
