"""Choices that several indicators share (``choices.yml``), added to the limitations of those that they concern."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mel_pipeline.core.languages import Text
from mel_pipeline.core.yaml_io import yaml_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mel_pipeline.transform.catalogue.models import Indicator

FILE = Path(__file__).with_name("choices.yml")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class Choice(BaseModel):
    """``reads``: tables, one of which the model reads; ``names``: columns, one of which it names; ``units``: of figures;
    ``breakdowns``: a disaggregation of the indicator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Text
    reads: list[str] = []
    names: list[str] = []
    units: list[str] = []
    breakdowns: list[str] = []

    def concerns(self, indicator: Indicator, named: frozenset[str]) -> bool:
        if self.units:
            return indicator.unit in self.units
        if self.breakdowns:
            return bool(set(indicator.disaggregations) & set(self.breakdowns))
        return bool(named & set(self.reads)) and (not self.names or bool(named & set(self.names)))


@lru_cache(maxsize=1)
def choices() -> tuple[Choice, ...]:
    return tuple(Choice.model_validate(entry) for entry in yaml_file(FILE))


def with_choices(indicators: Iterable[Indicator], read: Mapping[str, frozenset[str]]) -> list[Indicator]:
    """Indicators whose limitations say the choices that they share with others.

    Args:
        read: by SQL model, the names that it uses; those of indicators that it reads included.
    """
    found = []
    for indicator in indicators:
        named = read.get(indicator.model, frozenset())
        texts = [choice.text for choice in choices() if choice.concerns(indicator, named)]
        own = indicator.limitations.by_language
        said = {
            language: " ".join([words, *(text.by_language.get(language, text.en) for text in texts)])
            for language, words in own.items()
        }
        found.append(indicator.model_copy(update={"limitations": Text(said)}))
    return found


def names_in(sql: str, reads: Iterable[str] = ()) -> frozenset[str]:
    """The names that a model uses: tables, columns, macros; and tables that its YAML says it reads."""
    return frozenset(_NAME.findall(sql)) | frozenset(reads)


def with_indicators_read(named: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The same, with the names of indicators that an indicator is made of."""
    return {
        model: names.union(*(named[other] for other in names if other in named and other != model))
        for model, names in named.items()
    }
