"""The catalogue as frames for the tables ``raw_catalogue__<name>``. Text in every cell, as in every raw table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.languages import BASE, Text
from mel_pipeline.core.normalize_text import normalize_answer
from mel_pipeline.transform.catalogue.catalogue import Catalogue
from mel_pipeline.transform.catalogue.models import Indicator, Part, Stated, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

Row = dict[str, str | None]
SENTENCE = "sentence"  # its code in the translations is the English sentence itself
MONEY = "money"  # the unit of an amount; tables hold the organisation's currency


def catalogue_frames(catalogue: Catalogue) -> dict[str, pd.DataFrame]:
    """One frame for each of ``Catalogue.table_names``, columns as text, missing values as NA."""
    import pandas as pd

    rows: dict[str, list[Row]] = {
        "indicators": [_indicator(indicator, catalogue) for indicator in catalogue.indicators],
        "targets": [row for indicator in catalogue.indicators for row in _targets(indicator.id, catalogue)],
        "campaigns": [
            {"campaign_id": item.id, "name": item.name.en, "kind": item.kind, "hashtag": item.hashtag}
            for item in catalogue.campaigns
        ],
        "scale_labels": [
            {
                "scale": item.scale,
                "label": item.label,
                "label_key": normalize_answer(item.label),
                "kind": item.kind,
                "score": _text(item.score),
                "code": item.code,
            }
            for item in catalogue.scale_labels
        ],
        "lines_of_action": [
            {"number": str(item.number), "name_en": item.name.en} for item in catalogue.lines_of_action
        ],
        "regions": [
            {
                "position": str(position),
                "name_en": item.name.en,
                "map_column": _text(item.place[0]) if item.place else None,
                "map_row": _text(item.place[1]) if item.place else None,
            }
            for position, item in enumerate(catalogue.regions, start=1)
        ],
        "translations": list(_translations(catalogue)),
    }
    platforms = [
        contract
        for contract in map(contract_of, source_names())
        if contract.kind not in (None, "survey", "stated")
    ]
    rows["platforms"] = [
        {"platform": contract.name, "title": contract.title, "kind": contract.kind} for contract in platforms
    ]
    rows["metrics"] = [
        {
            "platform": contract.name,
            "metric": name,
            "title": metric.title,
            "counts": metric.counts,
            "is_additive": _text(metric.additive),
        }
        for contract in platforms
        for name, metric in contract.metrics.items()
    ]
    return {
        name: pd.DataFrame(rows[name], columns=COLUMNS[name], dtype="str") for name in catalogue.table_names
    }


COLUMNS: dict[str, list[str]] = {
    "indicators": [
        *("indicator_id", "position", "headline", "pictured", "name_en", "definition_en"),
        *("unit", "numerator_text", "denominator_text"),
        *("aggregation", "direction", "band_low", "band_high"),
        *("baseline_value", "baseline_period", "baseline_note"),
        *("disaggregations", "lines_of_action", "source", "frequency", "owner_role"),
        *("level", "collection", "rationale_en", "assessed_on"),
        *("limitations_en", "decimals", "chart", "chart_dimension", "interval_covers", "parts"),
        *("is_stated", "is_about_people"),
    ],
    "targets": ["indicator_id", "dimension", "category", "period", "kind", "on_date", "value", "origin"],
    "campaigns": ["campaign_id", "name", "kind", "hashtag"],
    "scale_labels": ["scale", "label", "label_key", "kind", "score", "code"],
    "lines_of_action": ["number", "name_en"],
    "regions": ["position", "name_en", "map_column", "map_row"],
    "translations": ["subject", "code", "field", "language", "text"],
    "platforms": ["platform", "title", "kind"],
    "metrics": ["platform", "metric", "title", "counts", "is_additive"],
}


def _indicator(indicator: Indicator, catalogue: Catalogue) -> Row:
    low, high = indicator.band or (None, None)
    baseline = catalogue.baseline_of(indicator.id)
    return {
        "indicator_id": indicator.id,
        "position": str(indicator.position),
        "headline": _text(indicator.headline),
        "pictured": _text(indicator.pictured),
        "name_en": indicator.name.en,
        "definition_en": indicator.definition.en,
        "unit": catalogue.currency if indicator.unit == MONEY else indicator.unit,
        "numerator_text": indicator.formula.numerator,
        "denominator_text": indicator.formula.denominator,
        "aggregation": indicator.aggregation,
        "direction": indicator.direction,
        "band_low": _text(low),
        "band_high": _text(high),
        "baseline_value": _text(baseline.value) if baseline else None,
        "baseline_period": baseline.period if baseline else None,
        "baseline_note": baseline.quality.en if baseline and baseline.quality else None,
        "disaggregations": ";".join(indicator.disaggregations) or None,
        "lines_of_action": ";".join(map(str, catalogue.lines_of(indicator.id))) or None,
        "source": ", ".join(indicator.source),
        "frequency": indicator.frequency,
        "owner_role": indicator.owner_role,
        "level": indicator.level,
        "collection": indicator.collection,
        "rationale_en": indicator.rationale.en,
        "assessed_on": str(assessed) if (assessed := catalogue.assessed_on(indicator.id)) else None,
        "limitations_en": indicator.limitations.en,
        "decimals": str(indicator.decimals),
        "chart": indicator.chart.kind,
        "chart_dimension": indicator.chart.dimension,
        "interval_covers": indicator.interval,
        "parts": indicator.parts,
        "is_stated": _text(indicator.stated),
        "is_about_people": _text(indicator.disclosure is not None),
    }


def _targets(indicator_id: str, catalogue: Catalogue) -> Iterator[Row]:
    """One row per stated value, of the whole and of its parts. A baseline of the whole stands with the indicator."""
    stated = catalogue.stated.get(indicator_id)
    whole: Row = {"indicator_id": indicator_id, "dimension": None, "category": None}
    for target in stated.targets if stated else ():
        yield from _target(whole, target)
    for part in stated.parts if stated else ():
        of = whole | {"dimension": part.dimension, "category": part.category}
        if part.baseline and part.baseline.value is not None:
            first, quality = part.baseline.period, part.baseline.quality
            value = {"value": _text(part.baseline.value), "origin": quality.en if quality else None}
            yield of | {"period": first, "kind": "baseline", "on_date": first} | value
        for target in part.targets:
            yield from _target(of, target)


def _target(part: Row, target: Target) -> Iterator[Row]:
    """The target itself, its milestones and its revisions."""
    of: Row = part | {"period": target.period}
    yield of | {
        "kind": "target",
        "on_date": target.period,
        "value": _text(target.value),
        "origin": target.origin.en,
    }
    for kind, steps in (("milestone", target.milestones), ("revision", target.revisions)):
        for step in steps:
            stated: Row = {"on_date": step.date, "value": _text(step.value), "origin": step.reason.en}
            yield of | {"kind": kind} | stated


def _translations(catalogue: Catalogue) -> Iterator[Row]:
    """Every text in every language but English, one row each: a further language is rows, not columns."""
    texts: list[tuple[str, str, str, Text]] = [
        *(
            ("indicator", item.id, field, getattr(item, field))
            for item in catalogue.indicators
            for field in ("name", "definition", "limitations", "rationale")
        ),
        *(("line_of_action", str(item.number), "name", item.name) for item in catalogue.lines_of_action),
        *(("region", item.name.en, "name", item.name) for item in catalogue.regions),
        *((SENTENCE, text.en, "text", text) for text in _sentences(catalogue)),
    ]
    for subject, code, field, text in texts:
        for language, words in text.by_language.items():
            if language != BASE:
                yield {"subject": subject, "code": code, "field": field, "language": language, "text": words}


def _sentences(catalogue: Catalogue) -> Iterator[Text]:
    """What stands about baselines and targets, and names of campaigns and programmes, each once."""
    stated: list[Stated | Part] = []
    for item in catalogue.stated.values():
        stated += [item, *item.parts]
    texts = [of.baseline.quality for of in stated if of.baseline and of.baseline.quality]
    targets = [target for of in stated for target in of.targets]
    texts += [target.origin for target in targets]
    texts += [step.reason for target in targets for step in (*target.milestones, *target.revisions)]
    texts += [campaign.name for campaign in catalogue.campaigns]
    texts += [programme.name for programme in catalogue.programmes]
    yield from {text.en: text for text in texts}.values()


def _text(value: float | bool | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.15g}"
