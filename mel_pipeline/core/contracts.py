"""What a source promises: the pydantic model of ``sources/<name>/contract.yml``. Reads YAML, nothing else.

Shared by three readers: sources take the fields to request from it, quality the expectations, the
Dagster layer descriptions and owners.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.organisation import FILE, Facts, facts, folder, programme_names, region_names
from mel_pipeline.core.yaml_io import from_yaml

SOURCES = Path(__file__).parents[1] / "sources"
# Staging column: ",name," of each id that lacked the expected form before it became a pseudonym.
MALFORMED = "_malformed"
JUDGING = 2  # what a broken rule costs; raised so that rows judged otherwise are read again. 2: cells


class Column(BaseModel):
    """One column of a raw table. Values are stored as text; ``type`` says what the text must parse as."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text", "integer", "number", "boolean", "date", "datetime"] = "text"
    required: bool = False  # empty is not allowed
    allowed: list[str] | None = None  # empty values are judged by `required` alone
    allowed_from: Literal["regions", "pipelines", "programmes"] | None = (
        None  # a list of the organisation instead
    )
    pattern: str | None = None  # Python regular expression, full match
    minimum: float | None = None
    maximum: float | None = None
    person: Literal["key", "text"] | None = (
        None  # key: stored as a pseudonym; text: may reveal something about a person
    )
    references: str | None = None  # entity of the same source whose row_key this column holds
    api_name: str | None = None  # the source's own name, where it differs
    ends: bool = (
        False  # the day from which a row no longer counts: one that cannot be read is named in the report
    )
    description: str = ""


class Kept(BaseModel):
    """Stored rows that a new version without content does not replace: those with one of ``stored`` in a column, by
    rows with one of ``over`` in it."""

    model_config = ConfigDict(extra="forbid")

    column: str
    stored: list[Annotated[str, Field(pattern=r"[a-z_]+")]]
    over: list[Annotated[str, Field(pattern=r"[a-z_]+")]]


class EntityContract(BaseModel):
    """One entity of a source: its own table, or rows of a shared one (``shape``)."""

    model_config = ConfigDict(extra="forbid")

    title: str
    description: str
    grain: str  # "One row per ..."
    row_key: list[str]  # columns that identify a row; joined by "|" into _row_key
    shape: str | None = None  # of shapes.yml: it gives grain, key, columns and the table
    shared_table: str | None = None  # comes with the shape
    discriminator: str | None = None  # column of the shared table that holds the source's name
    load: Literal["incremental", "snapshot", "quarter", "files"]
    object: str | None = None  # the source's name for it (Zoho module, People form, ...)
    changed_at: str | None = None  # column with the moment of the last change at the source
    keeps: Kept | None = None
    blocking: bool = True  # a KPI depends on it: a broken contract stops everything downstream
    min_rows: int = 1
    max_quarantined_pct: float = 5.0
    max_age_days: int = 7  # after longer without a load the data count as late
    max_fall_pct: float = 30.0  # a larger drop in rows since the last load is flagged
    keep_months: int | None = None  # data about people is removed after this
    legal_ground: str | None = None  # of processing data about people, for the record of processing
    columns: dict[str, Column]

    def needs(self, column: str) -> bool:
        """Whether a row is nothing without this cell; otherwise it is stored with the cell empty."""
        return self.columns[column].required or column in (*self.row_key, self.discriminator)


class Metric(BaseModel):
    """What a platform's metric counts. ``additive`` figures may be summed over days, contents, accounts."""

    model_config = ConfigDict(extra="forbid")

    title: str
    counts: Literal[
        "views", "reach", "interactions", "new_followers", "visits", "page_views", "visitors",
        "sent", "delivered", "opens", "clicks", "unsubscribes", "bounces", "complaints", "other",
    ]  # fmt: skip
    additive: bool
    retired_on: date | None = None
    replaced_by: str | None = None


class Setting(BaseModel):
    """A setting of one source: ``MEL_<SOURCE>_<NAME>``."""

    model_config = ConfigDict(extra="forbid")

    description: str
    secret: bool = False
    default: str = ""
    optional: bool = False  # may stay empty
    sample: str = ""  # value for the sample organisation; {sandbox} is its address


class Consent(BaseModel):
    """Consent in a browser (OAuth 2.0, authorization code), for `mel connect`. Addresses name settings in braces."""

    model_config = ConfigDict(extra="forbid")

    authorize: str
    token: str
    scopes: list[str]
    separator: str = " "  # between scopes
    parameters: dict[str, str] = {}
    pkce: bool = False
    keeps: Literal["refresh_token", "access_token"]  # of the answer; the setting has the same name
    settings: str = (
        ""  # MEL_<THIS>_…: where several sources share client and addresses, as fields of the settings
    )
    may: str  # what the credentials allow
    ends: str  # when they end


class Retirement(BaseModel):
    """The day from which a version of an API may no longer answer: stated, or years after the month in a setting."""

    model_config = ConfigDict(extra="forbid")

    version: str = ""
    ends_on: date | None = None
    setting: str = ""  # holds the version as YYYYMM
    years: int = 0
    page: str  # where the provider says so

    def day(self, version: str) -> date:
        """The first day without it. ``version``: what ``setting`` holds, where there is one."""
        if self.ends_on is not None:
            return self.ends_on
        return date(
            int(version[:4]) + self.years, int(version[4:6]), 15
        )  # LinkedIn ends versions in mid-month


class SourceContract(BaseModel):
    """A source: its owner, its settings, its entities."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    owner: str = "team:it"
    provider: str = ""  # the company whose sign-in it is, where several sources share it
    kind: Literal["social", "web", "newsletter", "survey", "stated"] | None = (
        None  # stated: by people, in the workbook
    )
    describes_fields: bool = False  # can list its own fields, so drift is detected
    settings: dict[str, Setting] = {}
    consent: Consent | None = None
    retirement: Retirement | None = None
    metrics: dict[str, Metric] = {}  # for platforms: every metric it loads
    entities: dict[str, EntityContract] = Field(min_length=1)

    def people(self, entity: str) -> list[str]:
        """Columns of an entity that hold pseudonyms."""
        return [name for name, column in self.entities[entity].columns.items() if column.person == "key"]

    def asset(self, entity: str) -> str:
        """Name of an entity where it is loaded: the Dagster asset, the staging table."""
        return f"raw_{self.name}__{entity}"

    def table(self, entity: str) -> str:
        """Name of the raw table that holds an entity's rows; entities with a shape share one."""
        return self.entities[entity].shared_table or self.asset(entity)


@lru_cache
def load_contract(path: Path) -> SourceContract:
    """Read one contract.

    Raises:
        ContractError: the file is not valid; the message names the file and the field.
    """
    try:
        written = from_yaml(path.read_text(encoding="utf-8"))
        entities = {
            name: _shaped(entity, written.get("metrics") or {})
            for name, entity in written["entities"].items()
        }
        return SourceContract.model_validate({**written, "entities": entities})
    except (ValidationError, yaml.YAMLError, KeyError) as error:
        raise ContractError(f"Reading the contract {path}: {error}") from error


def _shaped(entity: dict[str, Any], metrics: Mapping[str, object]) -> dict[str, Any]:
    """An entity as written, completed from its shape."""
    name = entity.get("shape")
    if name is None:
        return entity
    shape = dict(shapes()[name])
    columns = dict(shape.pop("columns"))
    if "metric" in columns:
        columns["metric"] = {**columns["metric"], "allowed": list(metrics)}
    return {"shared_table": shape.pop("table"), **shape, **entity, "columns": columns}


@lru_cache
def shapes() -> dict[str, dict[str, Any]]:
    """``sources/shared/platform/shapes.yml`` as written."""
    text = (SOURCES / "shared" / "platform" / "shapes.yml").read_text(encoding="utf-8")
    written: dict[str, dict[str, Any]] = from_yaml(text)
    return written


@lru_cache
def assets_of(table: str) -> tuple[str, ...]:
    """Asset names of the entities stored in a raw table or its history; empty for other tables."""
    landed = table.removesuffix("_history")
    return tuple(
        contract.asset(entity)
        for contract in map(contract_of, source_names())
        for entity in contract.entities
        if contract.table(entity) == landed
    )


@lru_cache(maxsize=1)
def source_names() -> tuple[str, ...]:
    """Every source: a folder in ``sources/`` that holds a contract."""
    return tuple(sorted(path.parent.name for path in SOURCES.glob("*/contract.yml")))


def contract_of(source: str) -> SourceContract:
    """The contract of a source, with the organisation's own lists and sizes in it. Errors as ``load_contract``."""
    contract = load_contract(SOURCES / source / "contract.yml")
    place = folder()
    own = facts(place)
    start = contract.asset("")
    fewest = {
        name.removeprefix(start): rows for name, rows in own.fewest_rows.items() if name.startswith(start)
    }
    if unknown := sorted(fewest.keys() - contract.entities):
        raise ContractError(
            f"Reading {place / FILE}: fewest_rows names {start}{unknown[0]}, which is no table of"
            f" {contract.title}. There are: {', '.join(map(contract.asset, contract.entities))}."
        )
    lists = _lists(own, place) if _needs_lists(contract) else ()
    return _with_own(source, lists, tuple(fewest.items())) if lists or fewest else contract


def _lists(own: Facts, place: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pipelines = (own.fund_pipeline, *own.other_pipelines)
    return (
        ("regions", tuple(region_names(place))),
        ("pipelines", pipelines),
        ("programmes", tuple(programme_names(place))),
    )


def _needs_lists(contract: SourceContract) -> bool:
    return any(
        column.allowed_from for entity in contract.entities.values() for column in entity.columns.values()
    )


@lru_cache(maxsize=8)
def _with_own(
    source: str, lists: tuple[tuple[str, tuple[str, ...]], ...], fewest: tuple[tuple[str, int], ...]
) -> SourceContract:
    contract = load_contract(SOURCES / source / "contract.yml").model_copy(deep=True)
    allowed = dict(lists)
    for entity in contract.entities.values():
        for column in entity.columns.values():
            if column.allowed_from is not None:
                column.allowed = list(allowed[column.allowed_from])
    for name, rows in fewest:
        contract.entities[name].min_rows = rows
    return contract


def fingerprint_of(contract: EntityContract) -> str:
    """Changes with any column or rule; an incremental source then reads everything again."""
    rules = {
        name: column.model_dump(exclude={"description", "ends"}) for name, column in contract.columns.items()
    }
    written = json.dumps([JUDGING, rules], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()[:12]
