"""Modules and fields of the simulated Zoho CRM, and how they drift."""

from __future__ import annotations

from typing import Any

import pytest

from mel_pipeline.sandbox.zoho import Account, Field
from mel_pipeline_tests.fixtures.zoho_client import Client, asking


@pytest.fixture
def account() -> Account:
    made = Account()
    made.add_module(
        "Contacts",
        [
            Field("First_Name", "text", visible=False, length=40),
            Field("Owner", "ownerlookup"),
            Field("Age", "integer", "Age in years"),
            Field("Odd", "text", json_type=None),
            Field("Story", "textarea", length=32_000),
        ],
    )
    made.add_module("Lab_Sessions", [Field("Name", "text")], plural_label="Sessions")
    made.add_module("Projects", [], module_name="CM7")
    return made


def fields_of(zoho: Client, module: str = "Contacts") -> dict[str, dict[str, Any]]:
    answer = zoho.get("settings/fields", module=module)
    assert answer.status_code == 200, answer.text
    return {field["api_name"]: field for field in answer.json()["fields"]}


@pytest.mark.slow
def test_a_custom_module_has_a_module_name_that_differs_from_its_api_name(account: Account) -> None:
    with asking(account) as zoho:
        modules = {m["api_name"]: m for m in zoho.get("settings/modules").json()["modules"]}
    assert {name: module["module_name"] for name, module in modules.items()} == {
        "Contacts": "Contacts",
        "Lab_Sessions": "CustomModule2",
        "Projects": "CM7",
    }
    assert modules["Lab_Sessions"]["plural_label"] == "Sessions"
    assert [module["generated_type"] for module in modules.values()] == ["default", "custom", "custom"]


@pytest.mark.slow
def test_fields_report_their_types_and_some_omit_the_json_type(account: Account) -> None:
    with asking(account) as zoho:
        fields = fields_of(zoho)
    assert {"id", "Created_Time", "Modified_Time"} <= set(fields)
    assert fields["Age"]["field_label"] == "Age in years"
    assert (fields["Age"]["data_type"], fields["Age"]["json_type"]) == ("integer", "integer")
    assert (fields["Owner"]["json_type"], fields["First_Name"]["json_type"]) == ("jsonobject", "string")
    assert "json_type" not in fields["Odd"]
    assert (fields["Story"]["length"], fields["Story"]["textarea"]) == (32_000, {"type": "rich_text"})
    assert (fields["Owner"]["custom_field"], fields["Age"]["custom_field"]) == (False, True)


@pytest.mark.slow
def test_a_field_hidden_from_the_view_is_listed_and_holds_data(account: Account) -> None:
    account.modules["Contacts"].insert({"First_Name": "Ada"})
    with asking(account) as zoho:
        assert fields_of(zoho)["First_Name"]["view_type"]["view"] is False
        assert zoho.rows("Contacts", fields="First_Name")[0]["First_Name"] == "Ada"


@pytest.mark.slow
def test_a_new_a_removed_and_a_retyped_field_do_not_move_any_time_of_change(account: Account) -> None:
    contacts = account.modules["Contacts"]
    contacts.insert({"Age": 36, "Odd": "1"})
    with asking(account) as zoho:
        before = zoho.rows("Contacts", fields="Age,Odd,City,Modified_Time")[0]
        account.clock.advance(60)
        contacts.add_field(Field("City", "text"))
        contacts.remove_field("Odd")
        contacts.retype_field("Age", "text")
        after = zoho.rows("Contacts", fields="Age,Odd,City,Modified_Time")[0]
        fields = fields_of(zoho)
    assert before["Modified_Time"] == after["Modified_Time"]
    assert ("City" in before, "City" in after) == (False, True)
    assert ("Odd" in before, "Odd" in after) == (True, False)
    assert fields["Age"]["data_type"] == "text"
    assert ("City" in fields, "Odd" in fields) == (True, False)


@pytest.mark.slow
def test_fields_are_listed_for_one_module_at_a_time(account: Account) -> None:
    with asking(account) as zoho:
        assert zoho.refused("settings/fields") == (400, "REQUIRED_PARAM_MISSING")
        assert zoho.refused("settings/fields", module="Nothing") == (400, "INVALID_MODULE")


@pytest.mark.slow
def test_a_pick_list_reports_the_values_in_use() -> None:
    account = Account()
    seats = account.add_module(
        "Board_Seats", [Field("Role", "picklist"), Field("Themes", "multiselectpicklist")]
    )
    seats.insert({"Role": "President", "Themes": ["Care", "Air"]})
    seats.insert({"Role": "Member", "Themes": ["Air"]})
    with asking(account) as zoho:
        fields = fields_of(zoho, "Board_Seats")
    assert [word["actual_value"] for word in fields["Role"]["pick_list_values"]] == ["Member", "President"]
    assert [word["actual_value"] for word in fields["Themes"]["pick_list_values"]] == ["Air", "Care"]
