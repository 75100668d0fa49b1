"""The organisation's own names: its Zoho module for each entity, its field for each column. Reads one YAML file, no API."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import Settings
from mel_pipeline.core.yaml_io import from_yaml

FILE = "mapping.yml"
SHIPPED = EXAMPLE / FILE


class FieldMapping(BaseModel):
    """One column of the contract and the Zoho field it is read from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str  # API name
    label: str | None = None  # heading in files exported by hand; the API name with spaces by default
    values: dict[str, str] = Field(default_factory=dict)  # the organisation's values -> the contract's
    whole: bool = False  # lists cut rich text at 500 characters: read such records one by one

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, written: Any) -> Any:
        return {"field": written} if isinstance(written, str) else written

    @property
    def heading(self) -> str:
        return self.label or self.field.replace("_", " ")


class EntityMapping(BaseModel):
    """One entity of the contract and the Zoho module it is read from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    module: str  # API name
    fields: dict[str, FieldMapping]

    @property
    def api_names(self) -> list[str]:
        """The fields to request, each once, in the order of the file."""
        return list(dict.fromkeys(mapped.field for mapped in self.fields.values()))


Mapping = dict[str, EntityMapping]


def mapping_for(settings: Settings) -> Mapping:
    """The mapping of this installation: ``MEL_ZOHO_MAPPING``, else that of the organisation, else the example's."""
    own = settings.organisation / FILE
    return load_mapping(settings.zoho_mapping or (own if own.is_file() else SHIPPED), contract_of("zoho_crm"))


def load_mapping(path: Path, contract: SourceContract) -> Mapping:
    """Read a mapping and validate it against the contract.

    Raises:
        SettingsError: it cannot be read, names something the contract does not know, or leaves out a
            required column.
    """
    return _read(path, contract.model_dump_json())


@lru_cache(maxsize=8)
def _read(path: Path, contract_json: str) -> Mapping:
    contract = SourceContract.model_validate_json(contract_json)
    try:
        written = from_yaml(path.read_text(encoding="utf-8")) or {}
        mapping = {name: EntityMapping.model_validate(entity) for name, entity in written.items()}
    except (OSError, yaml.YAMLError, ValidationError, AttributeError) as error:
        raise SettingsError(f"Reading the Zoho mapping {path}: {error}") from None
    if faults := list(_faults(mapping, contract)):
        raise SettingsError(f"Reading the Zoho mapping {path}: {' '.join(faults)}")
    return mapping


def _faults(mapping: Mapping, contract: SourceContract) -> list[str]:
    faults = [f"'{name}' is not an entity of the contract." for name in mapping.keys() - contract.entities]
    for name, entity in contract.entities.items():
        if name not in mapping:
            faults.append(f"'{name}' has no module; add it, or run `mel zoho map`.")
            continue
        fields = mapping[name].fields
        faults += [
            f"{name}: the contract has no column '{column}'." for column in fields.keys() - entity.columns
        ]
        faults += [
            f"{name}: '{column}' has a field, but the organisation's folder lists no {rule.allowed_from}. List them"
            f" in {rule.allowed_from}.yml, or leave the column out."
            for column, rule in entity.columns.items()
            if column in fields and rule.allowed == []
        ]
        faults += [
            f"{name}: the required column '{column}' has no field."
            for column, rule in entity.columns.items()
            if column not in fields and (rule.required or column in entity.row_key)
        ]
    return faults
