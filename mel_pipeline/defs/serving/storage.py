"""Dagster's runs and events on PostgreSQL, with the URL of the settings: dagster.yaml names this class, not the URL.

Every program of Dagster reads ``.env`` of its folder again and puts it over the environment, so a URL completed there by
us does not last. It is completed here, where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from mel_pipeline.core import environment
from mel_pipeline.core.errors import SettingsError

STORAGE_URL = "MEL_DAGSTER_STORAGE_URL"
DRIVER = (
    "postgresql+psycopg2"  # SQLAlchemy's default is psycopg 3, with which Dagster fails at its first event
)
IN_UTC = "-ctimezone=UTC"  # Dagster reads times without zone as UTC


class SettingsStorage(DagsterPostgresStorage):
    """Storage whose URL stands in ``MEL_DAGSTER_STORAGE_URL``, and in no file of Dagster's."""

    @classmethod
    def config_type(cls) -> Any:
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003 - there is none
    ) -> SettingsStorage:
        """Raises SettingsError without a URL."""
        url = environment.value_of(STORAGE_URL)
        if not url:
            raise SettingsError(
                f"Opening Dagster's storage: its dagster.yaml says PostgreSQL and {STORAGE_URL} is empty. Set it in"
                f" {environment.env_file()}."
            )
        return cls(postgres_url=complete(url), inst_data=inst_data)


def complete(url: str) -> str:
    """The URL with the driver that Dagster needs and sessions in UTC, however it was written."""
    parsed = sa.make_url(f"{DRIVER}:{url.split(':', 1)[1]}")
    options = parsed.query.get("options", "")
    given = " ".join(options) if isinstance(options, tuple) else options
    return parsed.update_query_dict({"options": f"{given} {IN_UTC}".strip()}).render_as_string(
        hide_password=False
    )
