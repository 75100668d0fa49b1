"""What a load is not sure of in a survey, as sentences for the MEL lead: each says what to do. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta

import pandas as pd

from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.shared.survey.advice import counted, inspect_command
from mel_pipeline.sources.shared.survey.figures import MOST
from mel_pipeline.sources.shared.survey.personal import without_personal
from mel_pipeline.sources.shared.survey.proposing import Found, unknown_genders
from mel_pipeline.sources.shared.survey.scale import Scale, common_genders

_ENOUGH = 8  # answers; fewer may all be low by chance
_OTHER_TOP = 5
_A_DAY = timedelta(days=1)  # today east of here
_SHOWN, _LONGEST = 6, 40  # answers in a warning, and characters of each


class Doubts:
    """Collects what is doubtful while the responses of one survey pass."""

    def __init__(
        self,
        name: str,
        scale: Scale,
        other_range: tuple[int, int] | None,
        covered: tuple[date, date],
        genders: Collection[str] | None = None,
    ) -> None:
        """``genders``: labels that are known, as ``normalize_answer`` gives them; None: the organisation's."""
        self._name, self._scale, self._range = name, scale, other_range
        first, today = covered
        self._covered = (first.isoformat(), min(today, date.max - _A_DAY) + _A_DAY)
        self._genders = common_genders() if genders is None else genders
        self._answered, self._highest = 0, 0.0
        self._outside: list[str] = []
        self._unknown: Counter[str] = Counter()

    def note(self, batch: Batch) -> None:
        found = pd.to_numeric(batch.frame["recommendation"], errors="coerce").dropna()
        self._answered += len(found)
        self._highest = max(self._highest, found.max() if len(found) else 0)
        days = batch.frame.loc[batch.frame["event_code"].isna(), "answered_at"].dropna().str[:10]
        self._outside += days[(days < self._covered[0]) | (days > str(self._covered[1]))].tolist()
        named = batch.frame[["gender", "gender_key"]].dropna()
        self._unknown.update(named.loc[~named["gender_key"].isin(self._genders), "gender"])

    @property
    def proposals(self) -> list[Found]:
        """Answers about gender that the workbook proposes to explain."""
        return unknown_genders(self._name, self._unknown)

    @property
    def sentences(self) -> list[str]:
        found = []
        if self._scale.advice:
            found.append(
                f"{self._name}: {self._scale.advice}. The next download of the workbook proposes the rows on the sheet"
                f" Answer scales; {inspect_command(self._name)} shows them as well."
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
        if self._outside:
            days = sorted(self._outside)
            found.append(
                f"{self._name}: {counted(len(days), 'response was', 'responses were')} answered on days that no quarter"
                f" covers ({', '.join(dict.fromkeys([days[0], days[-1]]))}), and no event says otherwise: no figure counts"
                " them. Check the order of day, month and year in the file; where the tool hides its times, write"
                " `event_code:` into a codebook of this survey."
            )
        if self._unknown:
            listed = ", ".join(
                f"'{without_personal(text)[:_LONGEST]}' ({times})"
                for text, times in self._unknown.most_common(_SHOWN)
            )
            found.append(
                f"{self._name}: no scale knows these answers about gender, so they count as not recognised: {listed}."
                " Add them on the sheet Answer scales of the workbook."
            )
        return found
