"""Read every catalogue file into one object. Cheap: Dagster reads it at each definition load."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mel_pipeline.core.errors import CatalogueError
from mel_pipeline.core.languages import Text
from mel_pipeline.core.normalize_text import normalize_answer
from mel_pipeline.core.organisation import PROGRAMMES, facts
from mel_pipeline.core.organisation import folder as organisation_folder
from mel_pipeline.core.target_path import last_day
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.sources.workbook import versions
from mel_pipeline.transform.catalogue.choices import names_in, with_choices, with_indicators_read
from mel_pipeline.transform.catalogue.manual import manual_indicators, with_manual
from mel_pipeline.transform.catalogue.models import (
    Baseline,
    Campaign,
    Indicator,
    LineOfAction,
    Programme,
    Region,
    ScaleLabel,
    Stated,
    Target,
    Wording,
)
from mel_pipeline.transform.catalogue.stated import PLACE, labels_of, stated_of

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Version

SCALES = "workbook (Answer scales)"
PROGRAMME = "programme"  # the breakdown that only organisations with programmes have
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
    programmes: list[Programme] = []
    stated: dict[str, Stated]
    currency: str
    refused: list[str] = []  # rows of the workbook that cannot be an indicator, as sentences

    def by_model(self, name: str) -> Indicator | None:
        """The indicator a model calculates, if it is one of its own."""
        calculated = (indicator for indicator in self.indicators if not indicator.stated)
        return next((indicator for indicator in calculated if indicator.model == name), None)

    def lines_of(self, indicator_id: str) -> list[int]:
        """Number of the line of action it stands under, then of those that refer to it; none if no line names it."""
        lines = self.lines_of_action
        stands = [line.number for line in lines if indicator_id in line.indicators]
        return stands + [
            line.number for line in lines if indicator_id in line.also and line.number not in stands
        ]

    def baseline_of(self, indicator_id: str) -> Baseline | None:
        return self.stated.get(indicator_id, Stated()).baseline

    def targets_of(self, indicator_id: str) -> list[Target]:
        return self.stated.get(indicator_id, Stated()).targets

    def assessed_on(self, indicator_id: str) -> date | None:
        """Day of its last data-quality assessment, as the organisation states it."""
        return self.stated.get(indicator_id, Stated()).assessed_on


def catalogue_of(settings: Settings) -> Catalogue:
    """The catalogue with what the workbook states now. Errors as ``load_catalogue``."""
    return load_catalogue(settings.sql_dir, settings.organisation, versions.current(settings))


def load_catalogue(
    folder: Path, organisation: Path | None = None, stated: Version | None = None
) -> Catalogue:
    """Read the indicators of an SQL project and the lists of the organisation.

    Args:
        folder: the SQL project, or the folder with the ``ind_*.yml`` files itself.
        organisation: its folder; that of the settings by default.
        stated: version of the workbook; None: what the organisation's folder states at the start.

    Raises:
        CatalogueError: a file is missing or wrong; the message names the file and the field.
    """
    own = organisation or organisation_folder()
    programmes = _programmes(own / PROGRAMMES)
    indicators = _in_own_words(load_indicators(folder), own / "indicators.yml")
    if not programmes:
        indicators = [_without_programmes(indicator) for indicator in indicators]
    calculated = with_choices(indicators, _names_read(folder))
    workbook = stated or versions.of_organisation(own)
    for what in ("targets", "answer_scales"):
        if what in workbook.problems:
            raise CatalogueError(workbook.problems[what])
    by_hand = manual_indicators(workbook.rows.get("manual_indicators", ()), calculated)
    lines = _listed(own / "lines_of_action.yml", "lines_of_action", LineOfAction.model_validate)
    catalogue = Catalogue(
        indicators=[*calculated, *by_hand.indicators],
        campaigns=_listed(own / "campaigns.yml", "campaigns", Campaign.model_validate, least=0),
        scale_labels=[
            _valid(Path(SCALES), str(entry["label"]), ScaleLabel.model_validate, entry)
            for entry in labels_of(workbook)
        ],
        lines_of_action=with_manual(lines, by_hand.lines),
        refused=by_hand.refused,
        regions=_listed(own / "regions.yml", "regions", Region.model_validate),
        programmes=programmes,
        currency=facts(own).currency,
        stated={
            name: _valid(Path(PLACE), name, Stated.model_validate, item)
            for name, item in stated_of(workbook).items()
        },
    )
    _check(catalogue, [str(row["code"]) for row in workbook.rows.get("manual_indicators", ())])
    return catalogue


def _programmes(path: Path) -> list[Programme]:
    return _listed(path, "programmes", Programme.model_validate, least=0) if path.is_file() else []


def _without_programmes(indicator: Indicator) -> Indicator:
    kept = [name for name in indicator.disaggregations if name != PROGRAMME]
    return indicator.model_copy(update={"disaggregations": kept})


def load_indicators(folder: Path) -> list[Indicator]:
    """The indicators of an SQL project in their order. Arguments and errors as ``load_catalogue``."""
    indicators_folder = folder / INDICATORS if (folder / INDICATORS).is_dir() else folder
    indicators = [_indicator(path) for path in sorted(indicators_folder.glob("ind_*.yml"))]
    if not indicators:
        raise CatalogueError(f"Reading the indicators in {indicators_folder}: there is no ind_*.yml file.")
    return sorted(indicators, key=lambda indicator: (indicator.position, indicator.id))


def _names_read(folder: Path) -> dict[str, frozenset[str]]:
    """By SQL model of an indicator, the names that it uses."""
    indicators = folder / INDICATORS if (folder / INDICATORS).is_dir() else folder
    found = {}
    for path in sorted(indicators.glob("ind_*.yml")):
        sql = path.with_suffix(".sql")
        meta = _read(path)["models"][0]["config"]["meta"]
        text = sql.read_text(encoding="utf-8") if sql.is_file() else ""
        found[path.stem] = names_in(text, meta.get("reads_slice_of") or ())
    return with_indicators_read(found)


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


def _in_own_words(indicators: list[Indicator], path: Path) -> list[Indicator]:
    """Indicators with the organisation's words where it has given any."""
    if not path.is_file():
        return indicators
    known = [indicator.id for indicator in indicators]
    given = {
        name: _valid(path, name, Wording.model_validate, item or {}) for name, item in _read(path).items()
    }
    _require_known(path.name, list(given), known)
    words = {name: own.model_dump(exclude_none=True) for name, own in given.items()}
    return [
        indicator.model_copy(update={key: Text(text) for key, text in words.get(indicator.id, {}).items()})
        for indicator in indicators
    ]


def _listed(path: Path, key: str, validate: Callable[[Any], T], least: int = 1) -> list[T]:
    entries = _read(path).get(key)
    if not isinstance(entries, list) or len(entries) < least:
        wanted = " with at least one entry" if least else ", or [] if there are none"
        raise CatalogueError(f"{path.name}: '{key}' has to be a list{wanted}.")
    return [
        _valid(path, f"{key}, entry {number}", validate, item) for number, item in enumerate(entries, start=1)
    ]


def _check(catalogue: Catalogue, manual: list[str]) -> None:
    """Checks across files. ``manual``: codes of indicators counted by hand."""
    known = [indicator.id for indicator in catalogue.indicators]
    for line in catalogue.lines_of_action:
        _require_known(f"lines_of_action.yml, line {line.number}", [*line.indicators, *line.also], known)
    _require_known(PLACE, list(catalogue.stated), [*known, *manual])
    for indicator in catalogue.indicators:
        _require_judgeable(indicator, catalogue.targets_of(indicator.id))
    _unique("number", [(line.number, "lines_of_action.yml") for line in catalogue.lines_of_action])
    _unique("position", [(indicator.position, indicator.model) for indicator in catalogue.indicators])
    _unique("hashtag", [(campaign.hashtag.lower(), campaign.id) for campaign in catalogue.campaigns])
    _unique("label", [((item.scale, item.label), SCALES) for item in catalogue.scale_labels])
    meanings: dict[tuple[str, str], tuple[object, ...]] = {}
    for item in catalogue.scale_labels:
        meaning = (item.kind, item.score, item.code)
        if meanings.setdefault((item.scale, normalize_answer(item.label)), meaning) != meaning:
            raise CatalogueError(
                f"{SCALES}: '{item.label}' reads like a label with another meaning once accents are left out."
            )


def _require_judgeable(indicator: Indicator, targets: list[Target]) -> None:
    """A target that no report could judge would be read as one that nobody missed."""
    if targets and indicator.direction in ("in_band", "context"):
        why = "is judged by its band" if indicator.direction == "in_band" else "has no good direction"
        raise CatalogueError(f"{PLACE}, {indicator.id}: it {why}, so a target has no meaning. Remove it.")
    for target in targets:
        if late := [
            step.date for step in target.milestones if last_day(step.date) >= last_day(target.period)
        ]:
            raise CatalogueError(
                f"{PLACE}, {indicator.id}: the milestone of {late[0]} is not before its target of {target.period}."
                " Correct the date."
            )


def _require_known(place: str, named: list[str], known: list[str]) -> None:
    for name in named:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise CatalogueError(
                f"{place}: there is no indicator {name}.{hint} docs/indicators.md lists all."
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
