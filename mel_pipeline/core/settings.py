"""All settings, read in one place: ``MEL_*`` environment variables or the ``.env`` file (see ``environment``).

Nothing else reads them.

With ``MEL_SAMPLE=true`` (the default) unset values point at the sample organisation on this
machine. Production differs by settings alone.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from mel_pipeline.core import connected, environment
from mel_pipeline.core.delivery_settings import DeliverySettings
from mel_pipeline.core.environment import SHIPPED, user_folder
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.login_settings import LoginSettings
from mel_pipeline.core.organisation import Licence, facts, folder
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.source_settings import SourceSettings, declared, source_settings

PROJECT = environment.PROJECT
SANDBOX_PORT = 8723


class Settings(DeliverySettings, LoginSettings):
    """Every setting in one object; secrets are SecretStr and never printed."""

    model_config = SettingsConfigDict(env_prefix="MEL_", extra="ignore", frozen=True)

    sample: bool = Field(True, description="Use the sample organisation instead of real accounts.")
    organisation: Path = Field(
        default_factory=folder,
        description="Folder with what is true of your organisation alone: name, plan, regions, languages (`mel init FOLDER`"
        " makes one). The shipped example by default.",
    )
    organisation_name: str = Field("", description="Name printed on the reports; `name` of organisation.yml.")
    licence: Licence | None = Field(
        None, description="Creative Commons licence of published figures; printed on page and data."
    )
    project_dir: Path = Field(
        default_factory=lambda: SHIPPED if SHIPPED.is_dir() else PROJECT,
        description="Folder that holds dbt_like_sql/ and reports/.",
    )
    home: Path = Field(
        default_factory=lambda: user_folder() if SHIPPED.is_dir() else PROJECT / ".mel",
        description="Where the warehouse, Dagster's history and caches live. By default .mel in a clone, otherwise"
        " your user folder for application data.",
    )
    reports_dir: Path | None = Field(
        None,
        description="Where finished reports go; reports/published by default, without a clone reports in MEL_HOME.",
    )
    warehouse_url: str | None = Field(
        None, description="SQLAlchemy URL; a DuckDB file in MEL_HOME by default."
    )
    dagster_storage_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL database of Dagster's runs and events: postgresql://user:password@host/dagster."
        " SQLite files in MEL_HOME by default.",
    )
    spark_master: str = Field(
        "",
        description="Spark cluster that runs the SQL models: spark://host:7077. Empty: the warehouse does.",
    )
    spark_lake: Path | None = Field(
        None, description="Folder for Spark's tables, under the same path on every worker."
    )
    spark_wait_seconds: float = Field(
        300.0, gt=0, description="How long a Spark job may wait for a worker before it fails."
    )
    lock_wait_seconds: float = Field(
        60.0, ge=0, description="How long to wait for another run to finish writing."
    )
    time_zone: str = Field("UTC", description="Business time zone that decides which quarter an event is in.")
    first_quarter: str = Field("2023-Q1", description="First quarter with data.")
    today: date | None = Field(None, description="Pretend that today is this day (tests, demonstrations).")
    languages: str = Field(
        "en,fr,es",
        description="Languages of the reports, of those in reports/locales; English always among them. Empty: all.",
    )
    formats: str = Field(
        "html,pdf,xlsx,csv", description="Formats of the reports; the page is always written."
    )
    processes: int = Field(
        0,
        ge=0,
        description="Processes that draw reports; as many as there are processors by default. 1: everything in one.",
    )
    workbook_dir: Path | None = Field(
        None,
        description="Folder for edited workbooks: what a file in it would change is previewed in Dagster. By default"
        " workbook/inbox in MEL_HOME.",
    )
    min_cell: int = Field(5, ge=1, description="Groups of people smaller than this are not shown.")
    pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="Key of people's pseudonyms; created in MEL_HOME/secrets if not set. Keep a copy.",
    )
    keep_runs_days: int = Field(
        90,
        ge=7,
        description="Runs older than this leave Dagster's history, but for the last of each job and quarter.",
    )
    backup_dir: Path | None = Field(
        None, description="Folder for backups, on another disk: `mel backup` writes one a time into it."
    )
    backup_days: int = Field(
        90,
        ge=1,
        description="Backups older than this are removed: until then they hold people who were erased.",
    )
    backup_passphrase: SecretStr = Field(
        SecretStr(""),
        description="Encrypts the keys beside each backup. Without it they are not backed up. Keep it elsewhere.",
    )

    sandbox_port: int = Field(SANDBOX_PORT, ge=0, le=65535)
    sandbox_fail: str = Field(
        "",
        description="Sample platforms that fail, to see how a report handles it: instagram=expired_token.",
    )

    zoho_accounts_url: str = ""
    zoho_api_url: str = ""
    zoho_client_id: str = ""
    zoho_client_secret: SecretStr = SecretStr("")
    zoho_refresh_token: SecretStr = SecretStr("")
    zoho_people_url: str = ""
    zoho_campaigns_url: str = ""
    zoho_mapping: Path | None = Field(
        None,
        description="Another mapping of your CRM's modules and fields than mapping.yml of your organisation.",
    )
    zoho_export_dir: Path | None = Field(
        None, description="Drop folder for manual CRM exports; when set, the API is not called."
    )
    zoho_concurrency: int = Field(
        5,
        ge=1,
        le=25,
        description="Concurrent calls to Zoho CRM; 5 suits every edition, Enterprise allows more.",
    )
    zoho_credit_reserve: int = Field(
        1_000, ge=0, description="Daily API credits left for other users; below that, a load waits."
    )
    survey_dir: Path | None = Field(None, description="Drop folder for survey exports.")
    attendance_dir: Path | None = Field(None, description="Drop folder for attendance lists.")

    sandbox_url: str | None = Field(None, exclude=True, description="Address of the sample organisation.")
    source_values: dict[str, dict[str, str]] = Field(
        {},
        exclude=True,
        repr=False,
        description="Source settings that override the environment (tests).",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Given values, then the environment, then ``.env``, then the organisation's own file."""
        given = init_settings().get("organisation")
        own = facts(Path(given) if given else folder())
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            InitSettingsSource(settings_cls, own.settings()),
        )

    @field_validator("warehouse_url")
    @classmethod
    def _warehouse_is_of_a_known_kind(cls, text: str | None) -> str | None:
        if text and not text.startswith(("duckdb://", "postgresql:", "postgresql+", "postgres:")):
            raise ValueError(
                "write it like duckdb:////data/mel.duckdb or postgresql://user:password@host/mel"
            )
        return text

    @field_validator("first_quarter")
    @classmethod
    def _first_quarter_is_a_quarter(cls, text: str) -> str:
        return str(Quarter.parse(text))

    @field_validator("time_zone")
    @classmethod
    def _time_zone_exists(cls, text: str) -> str:
        try:
            ZoneInfo(text)
        except (KeyError, ValueError):
            raise ValueError("not a time zone; write it like Africa/Nairobi") from None
        return text

    @cached_property
    def current_day(self) -> date:
        """Today in the business time zone."""
        return self.today or datetime.now(ZoneInfo(self.time_zone)).date()

    def source(self, name: str) -> SourceSettings:
        """The settings a source declares in its contract."""
        return source_settings(name, self.source_values.get(name, {}), self.sandbox_url)

    def with_source(self, name: str, **values: str) -> Settings:
        """The same settings with other values for one source."""
        merged = {**self.source_values, name: {**self.source_values.get(name, {}), **values}}
        return self.model_copy(update={"source_values": merged})

    @property
    def currency(self) -> str:
        """Of amounts in the reports."""
        return facts(self.organisation).currency

    @property
    def fund_pipeline(self) -> str:
        """Name in the CRM of the pipeline that holds contributions to the organisation's fund."""
        return facts(self.organisation).fund_pipeline

    @property
    def sign_off(self) -> bool:
        """Whether owners of the lines of action sign before a quarter is published."""
        return facts(self.organisation).sign_off

    @property
    def workbook_folder(self) -> Path:
        """Where edited workbooks are dropped."""
        return self.workbook_dir or self.home / "workbook" / "inbox"

    @property
    def open_quarter(self) -> Quarter:
        return Quarter.of(self.current_day)

    @property
    def sql_dir(self) -> Path:
        return self.project_dir / "dbt_like_sql"

    @property
    def report_sources(self) -> Path:
        """Templates, texts and the chart style."""
        return self.project_dir / "reports"

    @property
    def published_dir(self) -> Path:
        if self.reports_dir:
            return self.reports_dir
        return self.home / "reports" if self.project_dir == SHIPPED else self.report_sources / "published"

    @property
    def drafts_dir(self) -> Path:
        """Editions that are not published: for the MEL lead, apart from what readers open."""
        return self.home / "drafts"

    @property
    def database_url(self) -> str:
        return self.warehouse_url or f"duckdb:///{self.home / 'warehouse.duckdb'}"

    @property
    def survey_folder(self) -> Path:
        return self.survey_dir or self.home / "survey_exports"

    @property
    def attendance_folder(self) -> Path:
        return self.attendance_dir or self.home / "attendance_lists"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def pictures_dir(self) -> Path:
        """Cache of rendered charts and pages."""
        return self.home / "pictures"

    @property
    def secrets_dir(self) -> Path:
        """Token caches, readable only by the owner."""
        return self.home / "secrets"


def load_settings(sandbox_port: int | None = None) -> Settings:
    """Read the settings; with ``MEL_SAMPLE`` true, sample values fill what is unset.

    Args:
        sandbox_port: port of the sample; ``MEL_SANDBOX_PORT`` by default.

    Raises:
        SettingsError: a name is no setting or a value cannot be read; the message names it, never its value.
    """
    _require_known_names()
    path = environment.env_file() if environment.written() else None
    try:
        settings = Settings(_env_file=path, _env_file_encoding=environment.ENCODING)  # type: ignore[call-arg]
    except ValidationError as error:
        lines = [_wrong(item["loc"], item["msg"]) for item in error.errors(include_input=False)]
        raise SettingsError(
            f"Reading the settings (environment and {path or '.env'}): {'; '.join(lines)}"
        ) from None
    made = _absolute_paths(settings)
    if settings.public_url and "ui_url" not in settings.model_fields_set:
        made["ui_url"] = settings.public_url
    settings = settings.model_copy(update=made)
    if not settings.sample:
        settings = settings.model_copy(update=connected.settings(settings.secrets_dir, Settings.model_fields))
    port = settings.sandbox_port if sandbox_port is None else sandbox_port
    return with_sample_values(settings, port) if settings.sample else settings


def _wrong(place: tuple[int | str, ...], words: str) -> str:
    """``place`` is empty where two settings do not fit together."""
    if not place:
        return words.removeprefix("Value error, ")
    return f"MEL_{'_'.join(map(str, place)).upper()}: {words}"


def _require_known_names() -> None:
    own = {f"MEL_{name.upper()}" for name, field in Settings.model_fields.items() if not field.exclude}
    if unknown := environment.names().keys() - own:
        of_sources = declared()  # reads every contract
        environment.require_known(unknown - of_sources, own | of_sources)


def path_settings() -> list[str]:
    """Names of the settings that hold a path, those of sources included."""
    own = [
        f"MEL_{name.upper()}" for name, field in Settings.model_fields.items() if _is_path(field.annotation)
    ]
    return [*own, "MEL_WAREHOUSE_URL", *(name for name in declared() if name.endswith("_DIR"))]


def _is_path(annotation: object) -> bool:
    return annotation is Path or Path in get_args(annotation)


def _absolute_paths(settings: Settings) -> dict[str, object]:
    made: dict[str, object] = {
        name: Path(environment.absolute(str(value), f"MEL_{name.upper()}"))
        for name in settings.model_fields_set
        if isinstance(value := getattr(settings, name), Path)
    }
    if settings.warehouse_url:
        made["warehouse_url"] = environment.absolute(settings.warehouse_url, "MEL_WAREHOUSE_URL")
    return made


def with_sample_values(settings: Settings, port: int) -> Settings:
    """The same settings, with every unset connection pointed at the sandbox on ``port``."""
    host = f"http://127.0.0.1:{port}"
    sample: dict[str, object] = {
        "zoho_accounts_url": host,
        "zoho_api_url": host,
        "zoho_client_id": "sample-client",
        "zoho_client_secret": SecretStr("sample-client-secret"),
        "zoho_refresh_token": SecretStr("sample-refresh-token"),
        "zoho_people_url": host,
        "zoho_campaigns_url": f"{host}/campaigns",
    }
    unset = {
        name: value
        for name, value in sample.items()
        if not (
            current.get_secret_value()
            if isinstance(current := getattr(settings, name), SecretStr)
            else current
        )
    }
    return settings.model_copy(update={**unset, "sandbox_url": host})
