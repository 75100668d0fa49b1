"""Read every catalogue file into one object. Cheap: Dagster reads it at each definition load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mel_pipeline.core.errors import CatalogueError
from mel_pipeline.core.normalize_text import is_bare, normalize_answer
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.organisations import METROPOLIS
from mel_pipeline.transform.catalogue.models import Campaign, Indicator, LineOfAction, Region, ScaleLabel

INDICATORS = Path("models") / "marts" / "indicators"
T = TypeVar("T")


class Catalogue(BaseModel):
    """Everything that is defined rather than measured."""

    model_config = ConfigDict(frozen=True)

    table_names: ClassVar[tuple[str, ...]] = (
        "indicators",
        "targets",
        "campaigns",
        "scale_labels",
        "lines_of_action",
        "regions",
        "translations",
        "platforms",
        "metrics",
    )

    indicators: list[Indicator]
    campaigns: list[Campaign]
    scale_labels: list[ScaleLabel]
    lines_of_action: list[LineOfAction]
    regions: list[Region]

    def by_model(self, name: str) -> Indicator | None:
        """The indicator a model calculates, if it is one."""
        return next((indicator for indicator in self.indicators if indicator.model == name), None)


def load_catalogue(folder: Path) -> Catalogue:
    """Read the indicators of an SQL project and the lists of the organisation.

    Args:
        folder: the SQL project, or the folder with the ``ind_*.yml`` files itself.

    Raises:
        CatalogueError: a file is missing or wrong; the message names the file and the field.
    """
    indicators_folder = folder / INDICATORS if (folder / INDICATORS).is_dir() else folder
    indicators = [_indicator(path) for path in sorted(indicators_folder.glob("ind_*.yml"))]
    if not indicators:
        raise CatalogueError(f"Reading the indicators in {indicators_folder}: there is no ind_*.yml file.")
    catalogue = Catalogue(
        indicators=sorted(indicators, key=lambda indicator: (indicator.position, indicator.id)),
        campaigns=_listed(METROPOLIS / "campaigns.yml", "campaigns", Campaign.model_validate),
        scale_labels=_scale_labels(METROPOLIS / "scales.yml"),
        lines_of_action=_listed(
            METROPOLIS / "lines_of_action.yml", "lines_of_action", LineOfAction.model_validate
        ),
        regions=_listed(METROPOLIS / "regions.yml", "regions", Region.model_validate),
    )
    _check(catalogue)
    return catalogue


def _indicator(path: Path) -> Indicator:
    content = _read(path)
    try:
        entry = content["models"][0]
        meta = entry["config"]["meta"]["indicator"]
    except (KeyError, IndexError, TypeError) as error:
        raise CatalogueError(
            f"{path.name}: models → config → meta → indicator is missing ({error})."
        ) from error
    indicator = _valid(path, "indicator", Indicator.model_validate, meta)
    if not indicator.model == path.stem == entry.get("name"):
        raise CatalogueError(
            f"{path.name}: the file, the model name '{entry.get('name')}' and the id {indicator.id} do not"
            f" match. {indicator.id} is calculated by {indicator.model}."
        )
    return indicator


def _listed(path: Path, key: str, validate: Callable[[Any], T]) -> list[T]:
    entries = _read(path).get(key)
    if not isinstance(entries, list) or not entries:
        raise CatalogueError(f"{path.name}: '{key}' has to be a list with at least one entry.")
    return [
        _valid(path, f"{key}, entry {number}", validate, item) for number, item in enumerate(entries, start=1)
    ]


def _scale_labels(path: Path) -> list[ScaleLabel]:
    """``scales.yml`` groups labels by meaning; one entry a label comes out.

    A bare figure is not taken as a label of satisfaction: 5 is the best in one survey and the worst in another, so
    each survey's codebook says which.
    """
    content = _read(path)
    labels = []
    for scale, meanings in content.items():
        for number, meaning in enumerate(meanings, start=1):
            shared = {key: value for key, value in meaning.items() if key != "labels"}
            for label in meaning.get("labels") or []:
                if scale == "satisfaction" and is_bare(str(label)):
                    continue
                entry = {"scale": scale, "kind": "answer", **shared, "label": str(label).strip().lower()}
                labels.append(_valid(path, f"{scale}, entry {number}", ScaleLabel.model_validate, entry))
    return labels


def _check(catalogue: Catalogue) -> None:
    """Checks across files."""
    numbers = {line.number for line in catalogue.lines_of_action}
    for indicator in catalogue.indicators:
        if unknown := sorted(set(indicator.lines_of_action) - numbers):
            raise CatalogueError(
                f"{indicator.model}.yml: line of action {unknown[0]} is not in lines_of_action.yml."
            )
    _unique("position", [(indicator.position, indicator.model) for indicator in catalogue.indicators])
    _unique("hashtag", [(campaign.hashtag.lower(), campaign.id) for campaign in catalogue.campaigns])
    _unique("label", [((item.scale, item.label), "scales.yml") for item in catalogue.scale_labels])
    meanings: dict[tuple[str, str], tuple[object, ...]] = {}
    for item in catalogue.scale_labels:
        meaning = (item.kind, item.score, item.code)
        if meanings.setdefault((item.scale, normalize_answer(item.label)), meaning) != meaning:
            raise CatalogueError(
                f"scales.yml: '{item.label}' reads like a label with another meaning once accents are left out."
            )


def _unique(field: str, values: list[tuple[object, str]]) -> None:
    seen: dict[object, str] = {}
    for value, place in values:
        if value in seen:
            raise CatalogueError(
                f"{place}: the {field} {value} is already used by {seen[value]}. Choose another."
            )
        seen[value] = place


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml_file(path)
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueError(f"Reading {path.name}: {error}") from error
    if not isinstance(content, dict):
        raise CatalogueError(f"Reading {path.name}: expected a mapping at the top.")
    return content


def _valid(path: Path, place: str, validate: Callable[[Any], T], data: Any) -> T:
    try:
        return validate(data)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])) or place}: {item['msg']}" for item in error.errors()]
        raise CatalogueError(f"{path.name} ({place}): " + "; ".join(lines)) from None
