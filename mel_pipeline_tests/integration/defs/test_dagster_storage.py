"""Dagster's runs and events on a real PostgreSQL server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from mel_pipeline.core.errors import SettingsError, WarehouseError
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.serving.instance import EARLIER, ON_POSTGRES, STORAGE_URL, open_instance, prepare_home
from mel_pipeline.defs.serving.storage import complete
from mel_pipeline_tests.fixtures.postgres import PASSWORD, Server

SET = (STORAGE_URL, "DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "DAGSTER_EVENT_BATCH_SIZE")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the environment variables that Dagster reads."""
    for name in SET:
        monkeypatch.delenv(name, raising=False)
    yield
    for name in SET:
        os.environ.pop(name, None)


def settings(home: Path, url: str) -> Settings:
    return Settings(home=home, dagster_storage_url=SecretStr(url), _env_file=None)


@dg.asset
def counted() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"dagster/row_count": 3})


def test_the_url_gets_its_driver_and_utc_and_keeps_what_it_says() -> None:
    for written in ("postgresql:", "postgres:", "postgresql+psycopg:", "postgresql+psycopg2:"):
        made = complete(
            f"{written}//mel:p%40ss@host:5433/dagster?options=-csearch_path%3Dmel&sslmode=require"
        )
        assert (
            made.startswith("postgresql+psycopg2://mel:p%40ss@host:5433/dagster?")
            and "sslmode=require" in made
        )
        assert "options=-csearch_path%3Dmel+-ctimezone%3DUTC" in made


@pytest.mark.slow
@pytest.mark.parametrize("written", ["postgresql:", "postgresql+psycopg:", "postgres:"])
@pytest.mark.sweep
def test_a_run_and_its_events_are_kept_on_the_server_in_utc_however_the_url_is_written(
    postgres: Server, postgres_url: str, tmp_path: Path, written: str
) -> None:
    postgres.execute("alter role mel_owner set timezone to 'Asia/Tokyo'")
    try:
        given = settings(tmp_path, postgres_url.replace("postgresql:", written))
        before = datetime.now(UTC).timestamp()
        with open_instance(given) as instance:
            result = dg.materialize([counted], instance=instance)
            assert result.success
        with open_instance(given) as again:
            [run] = again.get_runs()
            assert run.status == dg.DagsterRunStatus.SUCCESS
            [event] = again.fetch_materializations(counted.key, limit=10).records
            assert event.asset_materialization is not None
            assert event.asset_materialization.metadata["dagster/row_count"].value == 3
            assert before - 5 < event.timestamp < before + 120
            record = again.get_run_record_by_id(run.run_id)
            assert record is not None and before - 5 < record.create_timestamp.timestamp() < before + 120
        assert not list(given.dagster_home.rglob("*.db")), "nothing is kept in files"
    finally:
        postgres.execute("alter role mel_owner reset timezone")


@pytest.mark.slow
def test_the_password_is_written_to_no_file(postgres_url: str, tmp_path: Path) -> None:
    with open_instance(settings(tmp_path, postgres_url)) as instance:
        assert PASSWORD not in instance.get_ref().to_dict().__repr__(), "what is handed to other programs"
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not [text for text in files if PASSWORD.encode() in text]


def test_our_settings_follow_the_storage_and_those_of_an_operator_are_left_alone(
    postgres_url: str, tmp_path: Path
) -> None:
    target = prepare_home(settings(tmp_path, "")) / "dagster.yaml"
    plain = target.read_text(encoding="utf-8")
    assert "SettingsStorage" not in plain
    for earlier in (plain, plain + EARLIER):
        target.write_text(earlier, encoding="utf-8")
        prepare_home(settings(tmp_path, postgres_url))
        assert target.read_text(encoding="utf-8") == plain + ON_POSTGRES
    prepare_home(settings(tmp_path, ""))
    assert target.read_text(encoding="utf-8") == plain
    target.write_text("# mine\n", encoding="utf-8")
    prepare_home(settings(tmp_path, postgres_url))
    assert target.read_text(encoding="utf-8") == "# mine\n"


def test_an_unreachable_storage_is_explained_without_password_address_or_user(
    postgres: Server, postgres_url: str, tmp_path: Path
) -> None:
    wrong = postgres_url.replace(PASSWORD, "another-password")
    for url, words in (
        (wrong, "refused user or password"),
        (postgres.url("not_there"), "no such database"),
        ("postgresql://mel:secret-word@127.0.0.1:9/dagster", "cannot be reached"),
    ):
        with pytest.raises(WarehouseError, match=words) as caught:
            open_instance(settings(tmp_path, url))
        said = str(caught.value)
        assert "MEL_DAGSTER_STORAGE_URL" in said
        assert not [
            word
            for word in ("password:", "another-", "secret-word", "127.0.0.1", "mel_owner")
            if word in said
        ]
    postgres.execute("create role mel_stranger login password 'of-a-stranger'")
    try:
        stranger = postgres_url.replace("mel_owner", "mel_stranger").replace(PASSWORD, "of-a-stranger")
        with pytest.raises(WarehouseError, match=r"permission denied for schema public.* has to own"):
            open_instance(settings(tmp_path, stranger))
    finally:
        postgres.execute("drop role mel_stranger")
    with pytest.raises(SettingsError, match="not a PostgreSQL URL"):
        open_instance(settings(tmp_path, "sqlite:///somewhere.db"))
