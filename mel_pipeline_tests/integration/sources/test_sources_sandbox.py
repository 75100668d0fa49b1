"""Every source against the sample organisation: end to end from the API to the raw table."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import NotSetUpError, SettingsError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.sandbox import Sandbox, running
from mel_pipeline.sources import open_source
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.shared import made_once

TODAY = date(2026, 11, 20)
ENTITIES = [(source, entity) for source in source_names() for entity in contract_of(source).entities]
PERSONAL = re.compile(r"192\.0\.2|@example|Mozilla|survey\.example|Sample person")

# Great Expectations imports a deprecated module, and pandas warns about groups in the patterns it gets.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This pattern is interpreted:UserWarning"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a first run, with ``first-run.pickle``: the results of its loads. Made by one worker."""

    def make(made: Path) -> None:
        with running(
            today=TODAY, survey_dir=made / "survey_exports", attendance_dir=made / "attendance_lists"
        ) as box:
            settings, warehouse = settings_at(made, box), warehouse_at(made)
            results = {
                (source, entity): load(source, entity, settings, warehouse) for source, entity in ENTITIES
            }
        warehouse.fold()
        warehouse.engine.dispose()
        (made / "first-run.pickle").write_bytes(pickle.dumps(results))

    own = tmp_path_factory.mktemp("home")
    shutil.copytree(made_once(tmp_path_factory, "first-run", make), own, dirs_exist_ok=True)
    return own


@pytest.fixture(scope="module")
def box(home: Path) -> Iterator[Sandbox]:
    with running(
        today=TODAY, survey_dir=home / "survey_exports", attendance_dir=home / "attendance_lists"
    ) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def settings(box: Sandbox, home: Path) -> Settings:
    return settings_at(home, box)


@pytest.fixture(scope="module")
def warehouse(home: Path) -> Warehouse:
    return warehouse_at(home)


@pytest.fixture(scope="module")
def first_run(home: Path) -> dict[tuple[str, str], LoadResult]:
    found: dict[tuple[str, str], LoadResult] = pickle.loads((home / "first-run.pickle").read_bytes())
    return found


def settings_at(home: Path, box: Sandbox) -> Settings:
    return with_sample_values(Settings(home=home, today=TODAY, _env_file=None), box.port)


def warehouse_at(home: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{home / 'warehouse.duckdb'}")


def load(source: str, entity: str, settings: Settings, warehouse: Warehouse) -> LoadResult:
    contract = contract_of(source)
    quarter = Quarter(2024, 4) if contract.entities[entity].load == "quarter" else None
    processing = row_processing_for(warehouse, settings, source, entity)
    return load_entity(
        open_source(source, settings), contract, entity, warehouse, quarter=quarter, processing=processing
    )


Loads = dict[tuple[str, str], LoadResult]


@pytest.mark.parametrize(("source", "entity"), ENTITIES)
@pytest.mark.long
def test_every_entity_loads_rows_and_hardly_any_are_quarantined(
    first_run: Loads, source: str, entity: str
) -> None:
    result = first_run[source, entity]
    details = contract_of(source).entities[entity]
    assert result.new > 0 or details.min_rows == 0, "people may state nothing"
    assert 100 * result.quarantined / max(result.fetched, 1) <= details.max_quarantined_pct


@pytest.mark.parametrize(("source", "entity"), ENTITIES)
def test_a_second_run_adds_and_changes_nothing(
    first_run: Loads, settings: Settings, warehouse: Warehouse, source: str, entity: str
) -> None:
    again = load(source, entity, settings, warehouse)
    assert (again.new, again.changed, again.deleted) == (0, 0, 0)
    assert again.fetched <= first_run[source, entity].fetched


def test_all_contacts_and_participations_arrive_exactly_once(
    first_run: Loads, box: Sandbox, warehouse: Warehouse
) -> None:
    assert first_run["zoho_crm", "contacts"].new == 4_321
    stored = warehouse.read("select count(*) n, count(distinct id) d from raw_zoho_crm__participations").iloc[
        0
    ]
    assert stored["n"] == stored["d"] == first_run["zoho_crm", "participations"].fetched > 2_000


@pytest.mark.parametrize("table", sorted({contract_of(source).table(entity) for source, entity in ENTITIES}))
def test_no_personal_value_of_the_sample_reaches_the_warehouse(
    first_run: Loads, warehouse: Warehouse, table: str
) -> None:
    stored = warehouse.read(f'select * from "{table}"')
    assert len(stored) > 0 or table.startswith("raw_workbook__")
    assert not PERSONAL.search(stored.to_csv())


@pytest.mark.behaviour("promoter_range", "zoho_survey")
def test_the_recommendation_of_eleven_is_left_empty_and_counted(first_run: Loads) -> None:
    result = first_run["survey_files", "responses"]
    assert (result.quarantined, result.lost_cells) == (0, 1)
    assert all("recommendation" in reason for reason in result.waiting)


def test_a_response_edited_between_two_exports_keeps_its_later_version(
    first_run: Loads, warehouse: Warehouse
) -> None:
    stored = warehouse.read(
        "select open_comment from raw_surveys__responses where open_comment like 'Edited%'"
    )
    assert len(stored) == 1
    assert first_run["survey_files", "responses"].repeated > 0


def test_new_followers_add_up_to_the_followers_of_today(
    first_run: Loads, box: Sandbox, warehouse: Warehouse
) -> None:
    # Completed months, and the days of the one that has begun.
    gained = warehouse.read(
        "select account_id, sum(cast(value as integer)) n from raw_platforms__metrics"
        " where platform = 'instagram' and availability = 'given' and (metric = 'follows_and_unfollows'"
        f" or (metric = 'follower_count' and period_start >= '{TODAY:%Y-%m}-01')) group by 1"
    ).set_index("account_id")["n"]
    for account in box.organisation.social:
        assert gained[account.id] == sum(v for day, v in account.new_followers.items() if day < TODAY)


def test_no_secret_of_the_sample_is_stored_but_in_the_token_cache(
    first_run: Loads, settings: Settings
) -> None:
    cached = next(settings.secrets_dir.iterdir())
    token = json.loads(cached.read_text())["access_token"].encode()
    others = [path for path in settings.home.rglob("*") if path.is_file() and path != cached]
    assert others
    secrets = (
        token,
        b"sample-client-secret",
        b"sample-refresh-token",
        b"sample-instagram-token",
        b"sample-matomo-token",
    )
    assert not [path for path in others if any(secret in path.read_bytes() for secret in secrets)]


def test_a_source_is_found_by_its_folder_and_an_unknown_one_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="zoho_crm"):
        open_source("geocities", settings)


@pytest.mark.parametrize(
    ("source", "setting"),
    [("zoho_crm", "zoho_client_id"), ("zoho_crm", "zoho_accounts_url"), ("zoho_people", "zoho_people_url"),
     ("zoho_campaigns", "zoho_campaigns_url")],
)  # fmt: skip
def test_an_empty_setting_is_named_before_any_request(settings: Settings, source: str, setting: str) -> None:
    with pytest.raises(SettingsError, match=f"MEL_{setting.upper()}"):
        open_source(source, settings.model_copy(update={setting: ""}))


@pytest.mark.parametrize(
    ("source", "given", "missing"),
    [("instagram", "access_token", "account_ids"), ("matomo", "token", "url"), ("matomo", "url", "token"),
     ("youtube", "channel_ids", "client_id"), ("linkedin", "organization_ids", "access_token")],
)  # fmt: skip
def test_a_source_that_is_set_up_in_part_names_what_is_missing_and_one_that_is_not_is_not_used(
    tmp_path: Path, source: str, given: str, missing: str
) -> None:
    own = Settings(home=tmp_path, sample=False)
    with pytest.raises(NotSetUpError, match="is not set up, so it is skipped"):
        open_source(source, own)
    value = "https://stats.example.org" if given == "url" else "x"
    with pytest.raises(SettingsError, match=f"MEL_{source}_".upper()) as caught:
        open_source(source, own.with_source(source, **{given: value}))
    assert not isinstance(caught.value, NotSetUpError)
