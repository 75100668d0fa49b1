"""Compare the mapping with a Zoho account: what matches, what is missing, what might be meant. Pure: no HTTP."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import yaml

from mel_pipeline.core.contracts import Column, EntityContract, SourceContract
from mel_pipeline.sources.zoho_crm.mapping import EntityMapping
from mel_pipeline.sources.zoho_crm.mapping import Mapping as Names

Metadata = Mapping[str, object]  # Zoho's metadata of a module or field

PERSONAL = frozenset({"email", "phone"})
_PERSONAL_NAMES = frozenset(
    {"first_name", "last_name", "full_name", "email", "phone", "mobile", "skype_id", "twitter"}
)
_MIN_SIMILARITY = 0.6
_COMPATIBLE_TYPES = {
    "date": {"date"},
    "datetime": {"datetime"},
    "number": {"currency", "double", "integer", "bigint", "decimal", "percent", "formula"},
    "integer": {"integer", "bigint", "autonumber"},
    "boolean": {"boolean"},
}


@dataclass(frozen=True)
class Placement:
    """One column of the contract: the field it is read from, or a proposed one.

    ``evidence`` gives the evidence of a proposal; ``unknown_values`` the pick-list values that the contract lacks.
    """

    column: str
    field: str | None
    is_mapped: bool
    evidence: str = ""
    unknown_values: list[str] = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class Findings:
    """One entity. ``module`` is None when none is similar; ``unmapped`` are the fields without a column."""

    entity: str
    module: str | None
    module_exists: bool
    placements: list[Placement]
    unmapped: list[str]
    personal: list[str]

    @property
    def complete(self) -> bool:
        return self.module_exists and all(place.is_mapped for place in self.placements)


def likely_module(entity: str, contract: EntityContract, modules: Iterable[Metadata]) -> str | None:
    """The module whose name or label is most similar to the entity's; None when none is."""
    wanted = (entity, contract.title)
    scored = [
        (
            max(
                _similarity(name, text)
                for name in wanted
                for text in _names(module, "plural_label", "singular_label")
            ),
            module,
        )
        for module in modules
    ]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, {}))
    return str(best["api_name"]) if score >= _MIN_SIMILARITY else None


def compare(
    entity: str,
    contract: EntityContract,
    mapping: EntityMapping | None,
    module: str | None,
    fields: Sequence[Metadata],
) -> Findings:
    """Compare an entity with the fields of a module (none if the module does not exist)."""
    existing = {str(one["api_name"]): one for one in fields}
    taken = {mapped.field for mapped in mapping.fields.values()} if mapping else set()
    placed = [_place(name, column, mapping, existing, taken) for name, column in contract.columns.items()]
    read = {place.field for place in placed if place.is_mapped}
    rest = {name: one for name, one in existing.items() if name not in read and name != "id"}
    personal = sorted(name for name, one in rest.items() if _is_personal(name, one))
    return Findings(
        entity=entity,
        module=module,
        module_exists=bool(existing),
        placements=placed,
        unmapped=[
            f"{name} ({one.get('data_type', 'unknown')})"
            for name, one in sorted(rest.items())
            if name not in personal
        ],
        personal=personal,
    )


def _place(
    name: str, column: Column, mapping: EntityMapping | None, there: Mapping[str, Metadata], taken: set[str]
) -> Placement:
    mapped = mapping.fields.get(name) if mapping else None
    if mapped is not None and (mapped.field in there or (mapped.field == "id" and there)):
        known = set(column.allowed or ()) | set(mapped.values)
        return Placement(
            name,
            mapped.field,
            True,
            unknown_values=_unknown_values(column, there.get(mapped.field, {}), known),
        )
    scored = [
        (score, why, api)
        for api, one in there.items()
        if api not in taken
        and not _is_personal(api, one)
        and (score := (hint := _match_score(name, column, one))[0]) >= _MIN_SIMILARITY
        for why in [hint[1]]
    ]
    if not scored:
        return Placement(name, None, False)
    _, why, api = max(scored)
    return Placement(name, api, False, why, _unknown_values(column, there[api], set(column.allowed or ())))


def _match_score(name: str, column: Column, one: Metadata) -> tuple[float, str]:
    """How well a field matches a column, and the evidence in words."""
    kind = str(one.get("data_type", ""))
    if column.type in _COMPATIBLE_TYPES and kind not in _COMPATIBLE_TYPES[column.type]:
        return 0.0, ""
    similarity, text = max((_similarity(name, text), text) for text in _names(one, "field_label"))
    words = _pick_list_values(one)
    shared = [word for word in words if word in (column.allowed or ())]
    if shared and len(shared) * 2 >= len(words):
        return max(similarity, 0.9), f"its values include {', '.join(shared[:3])}"
    return similarity, f"its name '{text}' is like '{name}', type {kind}"


def _unknown_values(column: Column, one: Metadata, known: set[str]) -> list[str]:
    return [word for word in _pick_list_values(one) if word not in known] if column.allowed else []


def _pick_list_values(one: Metadata) -> list[str]:
    values = one.get("pick_list_values")
    listed = [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    words = [str(value.get("actual_value") or value.get("display_value") or "") for value in listed]
    return [word for word in words if word and word != "-None-"]


def _is_personal(name: str, one: Metadata) -> bool:
    return str(one.get("data_type")) in PERSONAL or name.lower() in _PERSONAL_NAMES


def _names(one: Metadata, *labels: str) -> list[str]:
    return [str(one[key]) for key in ("api_name", *labels) if one.get(key)]


def _similarity(one: str, other: str) -> float:
    first, second = (" ".join(re.findall(r"[a-z0-9]+", text.lower())) for text in (one, other))
    return SequenceMatcher(None, first, second).ratio()


def as_yaml(found: Sequence[Findings], mapping: Names, contract: SourceContract) -> str:
    """A mapping file: matches as they are, proposals with their evidence as comments, gaps named."""
    lines = ["# Proposed by `mel zoho map`. Review every line marked 'proposed'; no guess is made silently."]
    for one in found:
        lines += [
            f"{one.entity}:",
            f"  module: {one.module or '# none is like it: write its API name'}",
            "  fields:",
        ]
        for place in one.placements:
            known = mapping[one.entity].fields.get(place.column) if one.entity in mapping else None
            if place.field is None:
                needed = (
                    "required"
                    if contract.entities[one.entity].columns[place.column].required
                    else "may stay out"
                )
                lines.append(f"    # {place.column}: no field is like it ({needed})")
                continue
            written: object = place.field
            if place.is_mapped and known is not None and (known.values or known.whole or known.label):
                written = known.model_dump(exclude_defaults=True)
            text = yaml.safe_dump(written, default_flow_style=True, allow_unicode=True, width=1_000)
            comment = f"  # proposed: {place.evidence}" if not place.is_mapped else ""
            lines.append(f"    {place.column}: {text.removesuffix('...' + chr(10)).strip()}{comment}")
            if place.unknown_values:
                lines.append(f"    #   words the pipeline does not know: {', '.join(place.unknown_values)}")
    return "\n".join(lines) + "\n"
