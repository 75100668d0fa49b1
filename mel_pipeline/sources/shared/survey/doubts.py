"""What a load is not sure of in a survey, as sentences for the MEL lead: each says what to do. Pure."""

from __future__ import annotations

import pandas as pd

from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.shared.survey.advice import inspect_command
from mel_pipeline.sources.shared.survey.figures import MOST
from mel_pipeline.sources.shared.survey.scale import Scale

_ENOUGH = 8  # answers; fewer may all be low by chance
_OTHER_TOP = 5


class Doubts:
    """Collects what is doubtful while the responses of one survey pass."""

    def __init__(self, name: str, scale: Scale, other_range: tuple[int, int] | None) -> None:
        self._name, self._scale, self._range = name, scale, other_range
        self._answered, self._highest = 0, 0.0

    def note(self, batch: Batch) -> None:
        found = pd.to_numeric(batch.frame["recommendation"], errors="coerce").dropna()
        self._answered += len(found)
        self._highest = max(self._highest, found.max() if len(found) else 0)

    @property
    def sentences(self) -> list[str]:
        found = []
        if self._scale.advice:
            found.append(
                f"{self._name}: {self._scale.advice}; {inspect_command(self._name)} proposes the lines."
            )
        if self._range:
            low, high = self._range
            found.append(
                f"{self._name}: the question of recommendation runs from {low} to {high}, so it is no 0 to {MOST}, and its"
                " answers are left out. Ask it from 0 to 10."
            )
        elif self._answered >= _ENOUGH and self._highest <= _OTHER_TOP:
            found.append(
                f"{self._name}: none of {self._answered} recommendations is above {_OTHER_TOP}. If the form asks from 1 to"
                f" {_OTHER_TOP}, list the question under `ignored:` in a codebook of this survey."
            )
        return found
