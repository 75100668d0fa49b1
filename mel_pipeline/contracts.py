"""What a source promises: the pydantic model of ``sources/<name>/contract.yml``. Reads YAML, nothing else.

The contract is shared: a source reads from it which fields to ask for, quality turns it into
expectations, the Dagster layer takes descriptions and owners from it.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mel_pipeline.errors import ContractError

SOURCES = Path(__file__).parent / "sources"


class Column(BaseModel):
    """One column of a raw table. Values land as text; ``type`` says what the text must read as."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text", "integer", "number", "boolean", "date", "datetime"] = "text"
    required: bool = False  # empty is not allowed
    allowed: list[str] | None = None  # empty values are judged by `required` alone
    pattern: str | None = None  # Python regular expression, full match
    minimum: float | None = None
    maximum: float | None = None
    references: str | None = None  # entity of the same source whose row_key this column holds
    api_name: str | None = None  # the source's own name, where it differs
    description: str = ""


class EntityContract(BaseModel):
    """One raw table: ``raw_<source>__<entity>``."""

    model_config = ConfigDict(extra="forbid")

    title: str
    description: str
    grain: str  # "One row per ..."
    row_key: list[str]  # columns that identify a row; joined by "|" into _row_key
    load: Literal["incremental", "snapshot", "quarter", "files"]
    object: str | None = None  # the source's name for it (Zoho module, People form, ...)
    changed_at: str | None = None  # column with the moment of the last change at the source
    history: bool = False  # keep every version of a row in <table>_history
    blocking: bool = True  # a KPI depends on it: a broken contract stops what is downstream
    min_rows: int = 1
    max_quarantined_pct: float = 5.0
    columns: dict[str, Column]


class SourceContract(BaseModel):
    """A source: who owns it, how fresh it has to be, which entities it gives."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    owner: str = "team:it"
    describes_fields: bool = False  # it can list its own fields, so that drift is seen
    entities: dict[str, EntityContract] = Field(min_length=1)

    def table(self, entity: str) -> str:
        """Name of the raw table of one entity."""
        return f"raw_{self.name}__{entity}"


@lru_cache
def load_contract(path: Path) -> SourceContract:
    """Read one contract.

    Raises:
        ContractError: the file is not valid; the message names the file and the field.
    """
    try:
        return SourceContract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ContractError(f"Reading the contract {path}: {error}") from error


def source_names() -> list[str]:
    """Every source: a folder in ``sources/`` that holds a contract."""
    return sorted(path.parent.name for path in SOURCES.glob("*/contract.yml"))


def contract_of(source: str) -> SourceContract:
    return load_contract(SOURCES / source / "contract.yml")


def fingerprint_of(contract: EntityContract) -> str:
    """Changes when a column or rule changes: then an incremental source reads everything again."""
    rules = {name: column.model_dump(exclude={"description"}) for name, column in contract.columns.items()}
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:12]
