"""The organisation's own names: the mapping file, what `mel zoho map` proposes and `mel zoho check` finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sandbox.server import running_account
from mel_pipeline.sandbox.zoho import Account, Field
from mel_pipeline.sources.zoho_crm.mapping import SHIPPED, load_mapping

CRM = contract_of("zoho_crm")


def changed(tmp_path: Path, change: object) -> Path:
    written = from_yaml(SHIPPED.read_text("utf-8"))
    change(written)  # type: ignore[operator]
    path = tmp_path / "mapping.yml"
    path.write_text(yaml.safe_dump(written), "utf-8")
    return path


def test_the_shipped_mapping_names_every_column_of_the_contract() -> None:
    mapping = load_mapping(SHIPPED, CRM)
    for name, entity in CRM.entities.items():
        assert mapping[name].fields.keys() == entity.columns.keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(cities=m["accounts"]), "'cities' is not an entity"),
        (lambda m: m.pop("deals"), "'deals' has no module"),
        (lambda m: m["deals"]["fields"].update(colour="Colour"), "no column 'colour'"),
        (lambda m: m["accounts"]["fields"].pop("member_type"), "required column 'member_type' has no field"),
        (lambda m: m["accounts"].pop("module"), "module"),
        (lambda m: m["accounts"]["fields"].update(region={"feld": "Region"}), "feld"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_with_the_location(
    tmp_path: Path, change: object, message: str
) -> None:
    path = changed(tmp_path, change)
    with pytest.raises(SettingsError, match=message) as caught:
        load_mapping(path, CRM)
    assert str(path) in str(caught.value)


def test_a_column_the_organisation_does_not_record_may_be_left_out(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda m: m["accounts"]["fields"].pop("jurisdiction_type"))
    assert "jurisdiction_type" not in load_mapping(path, CRM)["accounts"].fields


def test_a_mapping_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yml"
    path.write_text("accounts: [", "utf-8")
    with pytest.raises(SettingsError, match="Reading the Zoho mapping"):
        load_mapping(path, CRM)


@pytest.fixture
def other_zoho(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """The CRM of another network, with other names for some modules and fields."""
    account = Account()
    names = load_mapping(SHIPPED, CRM)
    for entity in ("contacts", "deals", "events", "participations", "board_seats"):
        fields = [
            Field(n) for n in names[entity].api_names if n not in ("id", "Created_Time", "Modified_Time")
        ]
        account.add_module(names[entity].module, fields)
    account.modules["Contacts"].remove_field("Gender")
    account.modules["Contacts"].add_field(Field("Sexo", "picklist", "Gender stated"))
    account.modules["Contacts"].add_field(Field("Email", "email"))
    for word in ("Woman", "Man", "Otra"):
        account.modules["Contacts"].insert({"Sexo": word})
    cities = [Field("Account_Name"), Field("Member_Type"), Field("Network_Region", "picklist", "Region"),
              Field("Joined_the_network", "date", "Joined on"), Field("Population", "integer")]  # fmt: skip
    account.add_module("Member_Organisations", cities, plural_label="Organisations")
    with running_account(account) as server:
        for name in ("ZOHO_ACCOUNTS_URL", "ZOHO_API_URL"):
            monkeypatch.setenv(f"MEL_{name}", server.url)
        monkeypatch.setenv("MEL_SAMPLE", "false")  # starting it takes a second
        for name, value in (
            ("CLIENT_ID", "client"),
            ("CLIENT_SECRET", "client-secret"),
            ("REFRESH_TOKEN", "refresh-token"),
        ):
            monkeypatch.setenv(f"MEL_ZOHO_{name}", f"sample-{value}")
        monkeypatch.setenv("MEL_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("MEL_SANDBOX_PORT", "0")
        yield account


def mel(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["zoho", *words])
    return result.exit_code, result.output + (str(result.exception) if result.exception else "")


@pytest.mark.slow
def test_map_proposes_other_names_with_its_evidence_and_shows_what_it_could_not_place(
    other_zoho: Account,
) -> None:
    code, output = mel("map", "--unread")
    assert code == 0
    assert "✗ accounts: module Member_Organisations" in output
    assert "✗ region: perhaps Network_Region: its name 'Region' is like 'region', type picklist" in output
    assert "✗ joined_on: perhaps Joined_the_network" in output
    assert "✗ country_code: no similar field" in output
    assert "✗ gender: perhaps Sexo: its values include" in output
    assert "gender: values the pipeline does not know: Otra" in output
    assert "never read, personal: Email" in output
    assert (
        "unused fields: Joined_the_network (date), Network_Region (picklist), Population (integer)" in output
    )
    assert "✓ deals: module Deals, 12 of 12 columns" in output


@pytest.mark.slow
def test_map_writes_a_file_that_loads_once_its_gaps_are_filled(other_zoho: Account, tmp_path: Path) -> None:
    path = tmp_path / "ours.yml"
    assert mel("map", "--write", str(path))[0] == 0
    text = path.read_text("utf-8")
    assert "region: Network_Region  # proposed: its name 'Region' is like 'region'" in text
    assert "# country_code: no field is like it (may stay out)" in text
    mapping = load_mapping(path, CRM)
    assert mapping["accounts"].module == "Member_Organisations"
    assert mapping["contacts"].fields["gender"].field == "Sexo"
    code, output = mel("map", "--write", str(path))
    assert code == 1 and "already exists" in output


@pytest.mark.slow
def test_check_reports_for_each_item_whether_it_works_and_what_to_do(other_zoho: Account) -> None:
    other_zoho.scopes.discard("ZohoCRM.bulk.READ")
    other_zoho.faults.revoke_scope("Deals")
    code, output = mel("check")
    assert code == 1
    assert "✓ Sign-in: accepted" in output
    assert "✗ Organisations" in output and "there is no module Accounts" in output
    assert "✗ People: Contacts has no Gender; correct mapping.yml" in output
    assert "✗ Contributions" in output and "ZohoCRM.modules.deals.READ" in output
    assert (
        "✓ Events: Network_Events: 0 records; a first load reads them page by page, about 1 credit" in output
    )
    assert "✓ Queries (COQL): allowed" in output
    assert "· Bulk Read: not allowed for this token; needed beyond 100,000 records" in output
    assert "3 to fix before loads work" in output


@pytest.mark.slow
def test_check_stops_at_the_first_step_when_the_sign_in_fails(
    other_zoho: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_ZOHO_REFRESH_TOKEN", "1000.revoked")
    code, output = mel("check")
    assert code == 1
    assert "✗ Sign-in" in output and "set MEL_ZOHO_REFRESH_TOKEN" in output and "1000.revoked" not in output
    assert "Organisations" not in output


@pytest.mark.long
def test_check_of_the_sample_finds_nothing_to_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    monkeypatch.setenv("MEL_SANDBOX_PORT", "0")
    code, output = mel("check")
    assert (code, output.splitlines()[-1]) == (0, "Loads will work.")
    assert "People: Contacts: 4,321 records" in output
