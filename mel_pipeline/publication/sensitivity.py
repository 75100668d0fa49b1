"""Which indicators describe persons, and how each of them is protected: read from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.transform.catalogue import catalogue_of

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.disclosure import Sensitivity


def people_indicators(settings: Settings) -> set[str]:
    """Indicators whose figures describe persons."""
    return {item.id for item in catalogue_of(settings).indicators if item.disclosure is not None}


def sensitivities(settings: Settings) -> dict[str, Sensitivity]:
    """How each indicator about persons is protected, from the catalogue."""
    from mel_pipeline.publication.disclosure import Sensitivity

    return {
        item.id: Sensitivity(
            item.disclosure.group,
            item.disclosure.people,
            item.aggregation,
            item.unit,
            tuple(str(score) for score in item.disclosure.answers),
            item.stated,
        )
        for item in catalogue_of(settings).indicators
        if item.disclosure is not None
    }
