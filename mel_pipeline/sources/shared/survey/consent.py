"""Who agreed to the use of their answers, where a codebook names the question. Pure.

Only a clear yes counts. A response without one is left out, by reason, before anything of it is judged or stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.advice import counted
from mel_pipeline.sources.shared.survey.cells import Cells, Texts
from mel_pipeline.sources.shared.survey.codebook import UNANSWERED, Codebook
from mel_pipeline.sources.shared.survey.personal import without_personal

Mask: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.bool_]]"

REFUSED, NO_ANSWER, UNCLEAR = (
    "without consent",
    "without an answer about consent",
    "with an unclear answer about consent",
)
_SHOWN, _LONGEST = 6, 40  # answers in a warning, and characters of each
_YES = {
    "yes", "y", "true", "checked", "selected", "agree", "agreed", "i agree", "i accept", "i consent", "accept", "accepted",
    "oui", "vrai", "d accord", "j accepte", "je consens", "j autorise", "je suis d accord",
    "si", "verdadero", "acepto", "autorizo", "consiento", "de acuerdo", "estoy de acuerdo",
    "accepto", "autoritzo", "consento", "d acord", "hi estic d acord",
}  # fmt: skip
_NO = {
    "no", "n", "false", "unchecked", "not selected", "disagree", "i disagree", "i do not agree", "i don t agree",
    "i do not accept", "i do not consent", "decline", "declined",
    "non", "faux", "je n accepte pas", "je refuse", "je ne consens pas", "je ne suis pas d accord", "pas d accord",
    "falso", "no acepto", "no autorizo", "no estoy de acuerdo",
    "no accepto", "no autoritzo", "no hi estic d acord",
}  # fmt: skip
_FIGURES = {"1": True, "0": False}  # of a box that was ticked or not; 1 and 2 may be either


def agreement(text: str, book: Codebook) -> bool | None:
    """What an answer says; None if it is not clear."""
    plain = normalize_text(text)
    if (declared := book.agreement(text)) is not None:
        return declared
    if plain in _FIGURES:
        return _FIGURES[plain]
    return True if plain in _YES else False if plain in _NO else None


def says_no(text: str) -> bool:
    """Whether an answer plainly refuses."""
    plain = normalize_text(text)
    return plain in _NO or _FIGURES.get(plain) is False


class Consents:
    """Leaves out who did not agree, and counts them by reason. A survey whose codebook names no question keeps all."""

    def __init__(self, book: Codebook) -> None:
        self._book = book
        self._unclear: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.ids: dict[str, None] = {}

    def agreed(self, cells: Cells) -> Mask | None:
        """Which responses of a chunk may be used; None: all, as nobody was asked."""
        if "consent" not in cells.plan.roles:
            return None
        reasons = self._reasons(cells.role("consent"))
        return np.array([reason is None for reason in reasons], dtype=bool)

    def screen(self, cells: Cells, ids: Iterable[str | None]) -> Mask | None:
        """As ``agreed``, and the others are counted and their ids noted."""
        if (mask := self.agreed(cells)) is None:
            return None
        texts = cells.role("consent")
        self.left_out.update(reason for reason in self._reasons(texts) if reason)
        self._unclear.update(text for text in texts if text and agreement(text, self._book) is None)
        self.ids |= {one: None for one, may in zip(ids, mask.tolist(), strict=True) if one and not may}
        return mask

    def _reasons(self, texts: Texts) -> list[str | None]:
        return [self._reason(text) for text in texts]

    def _reason(self, text: str | None) -> str | None:
        if text is None:
            return None if self._book.consent.get(UNANSWERED) else NO_ANSWER
        agreed = agreement(text, self._book)
        return None if agreed else UNCLEAR if agreed is None else REFUSED

    @property
    def warnings(self) -> list[str]:
        """What a person has to decide: answers that are neither yes nor no, and responses without an answer."""
        found = []
        if self._unclear:
            listed = ", ".join(
                f"'{without_personal(text)[:_LONGEST]}' ({times})"
                for text, times in self._unclear.most_common(_SHOWN)
            )
            found.append(
                f"the question of consent has answers that are neither yes nor no: {listed}. These responses are left"
                " out. Write what each answer means into the survey's codebook: in the workbook, sheet Survey questions, as"
                " 'setting: answer that consents' or 'setting: answer that does not consent'."
            )
        if times := self.left_out[NO_ANSWER]:
            who = counted(times, "response does", "responses do")
            found.append(
                f"{who} not answer the question of consent: left out. If the form did not ask it yet, write"
                f" '{UNANSWERED}' as an answer that consents into the survey's codebook."
            )
        return found
