"""Zoho's sign-in over real HTTP: tokens, their limits, and what a scope opens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from mel_pipeline.sandbox.server import running_account
from mel_pipeline.sandbox.zoho import REFRESH, Account, Field
from mel_pipeline_tests.fixtures.zoho_client import JOBS, Client, asking, reason

CONTACT = {"fields": "Last_Name"}


def made_account() -> Account:
    made = Account()
    for name in ("Contacts", "Deals", "Network_Events"):
        made.add_module(name, [Field("Last_Name", "text")]).fill(3)
    return made


@pytest.fixture
def account() -> Account:
    return made_account()


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """A client of an account that no test changes."""
    with asking(made_account()) as zoho:
        yield zoho


@pytest.mark.slow
def test_a_refresh_gives_a_bearer_token_for_an_hour_and_the_api_host(account: Account) -> None:
    with asking(account) as zoho:
        first, second = zoho.refresh().json(), zoho.refresh().json()
        assert first["api_domain"] == zoho.url
        assert (first["token_type"], first["expires_in"]) == ("Bearer", 3600)
        assert first["access_token"] != second["access_token"]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client_secret"),
        ({"refresh_token": "x"}, "invalid_code"),
        ({"grant_type": "password"}, "invalid_code"),
    ],
)
def test_bad_credentials_answer_200_with_an_error(
    shared: Client, changed: dict[str, str], error: str
) -> None:
    answer = shared.refresh(**changed)
    assert (answer.status_code, answer.json()) == (200, {"error": error})


@pytest.mark.slow
def test_the_eleventh_refresh_in_ten_minutes_is_throttled_and_a_later_one_is_not(account: Account) -> None:
    with asking(account) as zoho:
        assert all("access_token" in zoho.refresh().json() for _ in range(9))
        refused = zoho.refresh()
        assert (refused.json()["error"], refused.json()["status"]) == ("Access Denied", "failure")
        account.clock.advance(601)
        assert "access_token" in zoho.refresh().json()


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["200", "400"])
def test_a_sign_in_can_be_throttled_in_either_shape_and_in_any_language(account: Account, shape: str) -> None:
    with asking(account) as zoho:
        account.faults.throttle_sign_in(2, shape, "Ha realizado demasiadas solicitudes.")  # type: ignore[arg-type]
        for _ in range(2):
            answer = zoho.refresh()
            assert answer.status_code == int(shape)
            assert answer.json()["error_description"] == "Ha realizado demasiadas solicitudes."
        assert "access_token" in zoho.refresh().json()


@pytest.mark.slow
def test_the_sixteenth_token_revokes_the_oldest(account: Account) -> None:
    with asking(account) as zoho:
        tokens = [zoho.token]
        for _ in range(15):
            account.clock.advance(61)
            tokens.append(zoho.refresh().json()["access_token"])
        statuses = []
        for zoho.token in tokens:
            statuses.append(zoho.get("Contacts", **CONTACT).status_code)
        assert statuses == [401, *[200] * 15]


@pytest.mark.slow
def test_an_access_token_expires_after_an_hour_on_the_accounts_own_clock(account: Account) -> None:
    with asking(account) as zoho:
        account.clock.advance(3_590)
        assert zoho.get("Contacts", **CONTACT).status_code == 200
        account.clock.advance(10)
        assert zoho.refused("Contacts", **CONTACT) == (401, "INVALID_TOKEN")


@pytest.mark.slow
def test_access_tokens_can_be_revoked_at_once(account: Account) -> None:
    with asking(account) as zoho:
        account.faults.expire_access_tokens()
        assert zoho.refused("Contacts", **CONTACT) == (401, "INVALID_TOKEN")
        zoho.sign_in()
        assert zoho.get("Contacts", **CONTACT).status_code == 200


@pytest.mark.parametrize("path", ["Contacts", "Contacts/deleted", "settings/modules", "settings/fields"])
def test_the_crm_refuses_calls_without_a_valid_token(shared: Client, path: str) -> None:
    stranger = Client(shared.url, shared.session)
    stranger.token = "wrong"
    assert stranger.refused(path) == (401, "INVALID_TOKEN")
    bare = requests.get(f"{shared.url}/crm/v8/{path}", timeout=10)
    assert reason(bare) == (401, "AUTHENTICATION_FAILURE")


@pytest.mark.slow
def test_another_data_centre_can_be_returned(account: Account) -> None:
    account.oauth.api_domain = "https://www.zohoapis.ca"
    with running_account(account) as served, requests.Session() as session:
        answer = Client(served.url, session).refresh().json()
    assert answer["api_domain"] == "https://www.zohoapis.ca"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scope", "allowed", "refused"),
    [
        ("ZohoCRM.modules.contacts.READ", "Contacts", "Deals"),
        ("ZohoCRM.modules.Deals.ALL", "Deals", "Network_Events"),
        ("ZohoCRM.modules.custom.READ", "Network_Events", "Contacts"),
    ],
)
def test_a_scope_opens_only_its_module(account: Account, scope: str, allowed: str, refused: str) -> None:
    account.scopes.discard("ZohoCRM.modules.ALL")
    account.scopes.add(scope)
    with asking(account) as zoho:
        assert zoho.get(allowed, **CONTACT).status_code == 200
        assert zoho.refused(refused, **CONTACT) == (401, "OAUTH_SCOPE_MISMATCH")
        assert zoho.refused(f"{refused}/deleted") == (401, "OAUTH_SCOPE_MISMATCH")


@pytest.mark.slow
def test_settings_queries_bulk_jobs_people_and_campaigns_have_separate_scopes(account: Account) -> None:
    account.scopes.intersection_update({"ZohoCRM.modules.ALL"})
    job = {"query": {"module": {"api_name": "Contacts"}}}
    with asking(account) as zoho:
        assert zoho.get("Contacts", **CONTACT).status_code == 200
        answers = [
            zoho.get("settings/modules"),
            zoho.get("settings/fields", module="Contacts"),
            zoho.coql("select id from Contacts where id is not null"),
            zoho.post(JOBS, job),
            zoho.ask("/people/api/forms/employee/getRecords"),
            zoho.ask("/campaigns/api/v1.1/recentcampaigns", resfmt="JSON"),
        ]
    assert {reason(answer) for answer in answers} == {(401, "OAUTH_SCOPE_MISMATCH")}


@pytest.mark.slow
def test_a_page_token_belongs_to_the_user_it_was_given_to(account: Account) -> None:
    account.oauth.users["second-refresh-token"] = "546000000000000002"
    with asking(account) as zoho:
        token = zoho.get("Contacts", per_page=2, **CONTACT).json()["info"]["next_page_token"]
        zoho.sign_in(refresh_token="second-refresh-token")
        other = zoho.refused("Contacts", per_page=2, page_token=token, **CONTACT)
        assert other == (400, "INVALID_DATA")
        zoho.sign_in(refresh_token=REFRESH)
        assert zoho.get("Contacts", per_page=2, page_token=token, **CONTACT).status_code == 200
