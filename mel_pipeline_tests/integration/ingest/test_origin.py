"""Data carry their origin: the sample never becomes real, and no account continues from another's cursor."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.contracts import source_names
from mel_pipeline.core.errors import OriginError
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.ingest.origin import holds_sample, note_origin, origin_of, require_origin
from mel_pipeline.reporting.inputs.editions import read_edition
from mel_pipeline.sandbox.server import running_account
from mel_pipeline.sandbox.zoho import Account
from mel_pipeline.sources import open_source
from mel_pipeline.sources.shared.base import Client
from mel_pipeline.sources.zoho_crm.client import open_api
from mel_pipeline.warehouse.emptying import empty_warehouse
from mel_pipeline_tests.fixtures.organisation import Small, member, organisation, seven_members

pytestmark = pytest.mark.slow

CRM = {"zoho_api_url": "https://www.zohoapis.eu", "zoho_accounts_url": "https://accounts.zoho.eu"}


def real(small: Small, **changes: object) -> Settings:
    return small.settings.model_copy(update={"sample": False, **CRM, **changes})


@pytest.mark.fault(34)
def test_a_home_with_sample_data_refuses_real_accounts_and_the_reverse(tmp_path: Path) -> None:
    small = organisation(tmp_path / "sample")
    small.load("accounts", [member(1)])
    note_origin(small.warehouse, small.settings, "zoho_crm")
    other = organisation(tmp_path / "real")
    other.load("accounts", [member(1)])
    note_origin(other.warehouse, real(other), "zoho_crm")
    for source in source_names():
        require_origin(small.warehouse, small.settings, source)
        require_origin(other.warehouse, real(other), source)
        with pytest.raises(OriginError, match="this home holds sample data"):
            require_origin(small.warehouse, real(small), source)
        with pytest.raises(OriginError, match="this home holds real data"):
            require_origin(other.warehouse, other.settings, source)


@pytest.mark.fault(34)
@pytest.mark.long
def test_sample_figures_are_marked_as_such_whatever_the_settings_say(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    seven_members(small)
    settings = real(small, organisation_name="Real Network")
    assert not read_edition(small.warehouse, settings, "2024-Q4").is_sample
    note_origin(small.warehouse, small.settings, "zoho_crm")
    edition = read_edition(small.warehouse, settings, "2024-Q4")
    assert edition.is_sample and edition.organisation == "Real Network"


@pytest.mark.fault(34)
def test_another_account_or_address_is_refused_but_an_additional_account_is_not(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    ids = {"access_token": "t", "account_ids": "1,2"}
    settings = real(small).with_source("instagram", **ids)
    small.load("accounts", [], source="instagram")
    note_origin(small.warehouse, settings, "instagram")
    for given in ("2", "1,2,3", "2,1"):
        require_origin(small.warehouse, settings.with_source("instagram", account_ids=given), "instagram")
    for changed in ({"account_ids": "8,9"}, {"api_url": "https://graph.example"}):
        with pytest.raises(OriginError, match="another account or address"):
            require_origin(small.warehouse, settings.with_source("instagram", **changed), "instagram")
    moved = settings.with_source("instagram", api_url="https://graph.example")
    note_origin(small.warehouse, moved, "instagram", replace=True)
    require_origin(small.warehouse, moved, "instagram")


def test_a_cursor_of_one_data_centre_is_not_used_in_another(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [member(1)])
    note_origin(small.warehouse, real(small), "zoho_crm")
    with pytest.raises(OriginError, match="mel warehouse same-account zoho_crm"):
        require_origin(small.warehouse, real(small, zoho_api_url="https://www.zohoapis.com"), "zoho_crm")


@pytest.mark.fault(34)
def test_another_zoho_account_at_the_same_address_is_refused_where_the_token_may_tell(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [member(1)])
    with running_account(Account()) as served:
        settings = with_sample_values(small.settings, 1).model_copy(
            update={"sample": False, "zoho_api_url": served.url, "zoho_accounts_url": served.url}
        )
        account = open_api(settings).organisation()
    assert account == Account().zgid
    note_origin(small.warehouse, settings, "zoho_crm")  # before the token had the scope
    require_origin(small.warehouse, settings, "zoho_crm", account)
    note_origin(small.warehouse, settings, "zoho_crm", account)
    require_origin(small.warehouse, settings, "zoho_crm", account)
    require_origin(small.warehouse, settings, "zoho_crm")  # the scope was withdrawn
    with pytest.raises(OriginError, match="another account or address"):
        require_origin(small.warehouse, settings, "zoho_crm", "999")


def test_a_token_that_may_not_read_the_organisation_loads_as_before(tmp_path: Path) -> None:
    account = Account()
    account.scopes.discard("ZohoCRM.org.READ")
    with running_account(account) as served:
        settings = with_sample_values(organisation(tmp_path).settings, 1).model_copy(
            update={"sample": False, "zoho_api_url": served.url, "zoho_accounts_url": served.url}
        )
        source = open_source("zoho_crm", settings)
        assert isinstance(source, Client) and source.account() is None


def test_an_address_that_never_returned_data_can_be_corrected(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    wrong = real(small, zoho_api_url="https://www.zohoapis.xx")
    note_origin(small.warehouse, wrong, "zoho_crm")
    require_origin(small.warehouse, real(small), "zoho_crm")


def test_the_sample_on_another_port_is_the_same_sample(tmp_path: Path) -> None:
    settings = organisation(tmp_path).settings
    one, two = (with_sample_values(settings, port) for port in (8001, 8002))
    for source in source_names():
        assert origin_of(one, source) == origin_of(two, source)


@pytest.mark.exhaustive
def test_an_emptied_home_accepts_another_origin_and_published_quarters_need_an_extra_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = organisation(tmp_path)
    seven_members(small)
    note_origin(small.warehouse, small.settings, "zoho_crm")
    small.publish("2024-Q4")
    monkeypatch.setenv("MEL_HOME", str(small.settings.home))
    refused = CliRunner().invoke(app, ["warehouse", "empty", "--yes"])
    assert refused.exit_code != 0 and "published quarters" in str(refused.exception)
    assert holds_sample(small.warehouse)
    assert CliRunner().invoke(app, ["warehouse", "empty", "--yes", "--published-too"]).exit_code == 0
    assert small.warehouse.tables() == set()
    require_origin(small.warehouse, real(small), "zoho_crm")
    assert small.load("accounts", [member(1)]).new == 1


@pytest.mark.long
def test_a_database_on_a_server_is_emptied_too(tmp_path: Path, postgres_url: str) -> None:
    small = organisation(tmp_path, warehouse_url=postgres_url)
    seven_members(small)
    assert empty_warehouse(small.warehouse) > 50
    assert small.warehouse.tables() == set()
    assert small.load("accounts", [member(1)]).new == 1
