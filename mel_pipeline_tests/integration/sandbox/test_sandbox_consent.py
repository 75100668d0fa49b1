"""The browser step of OAuth 2.0 over real HTTP: what a person is shown, and what the code they give is worth."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms import google, linkedin, linkedin_oauth, youtube
from mel_pipeline.sandbox.zoho import CLIENT, REFRESH, SECRET, Account, Field
from mel_pipeline_tests.fixtures.zoho_client import Client, asking

HERE = "http://127.0.0.1:8765/callback"
ANYWHERE = "http://127.0.0.1:49217/"


class Consent:
    """A browser and an app at one service: ``page`` and ``press`` are the browser's, ``exchange`` is the app's."""

    def __init__(self, page: str, token: str, app: tuple[str, str], **asked: str) -> None:
        self.address, self.token, self.app = page, token, app
        self.asked = {
            "response_type": "code",
            "client_id": app[0],
            "redirect_uri": HERE,
            "state": "s&t",
        } | asked

    def page(self, **changed: str) -> requests.Response:
        asked = self.asked | changed
        return requests.get(self.address, params=asked, timeout=10, allow_redirects=False)

    def press(self, button: str = "accept", unticked: str = "", **changed: str) -> dict[str, str]:
        """The parameters that the app gets back."""
        page = self.page(**changed)
        assert page.status_code == 200
        assert 'id="accept"' in page.text and 'id="reject"' in page.text
        boxes = [
            name
            for name in re.findall(r'name="(grant [^"]+)"', page.text)
            if unticked not in name or not unticked
        ]
        form = {"decision": button, **dict.fromkeys(boxes, "on")}
        answer = requests.post(page.url, data=form, timeout=10, allow_redirects=False)
        return returned(answer, (self.asked | changed)["redirect_uri"])

    def exchange(self, code: str, **changed: str) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.asked["redirect_uri"]}
        form |= {"client_id": self.app[0], "client_secret": self.app[1], **changed}
        return requests.post(self.token, data=form, timeout=10)

    def tokens(self, **asked: str) -> dict[str, Any]:
        return dict(self.exchange(self.press(**asked)["code"]).json())

    def renew(self, refresh: str) -> requests.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        return requests.post(
            self.token, data=form | {"client_id": self.app[0], "client_secret": self.app[1]}, timeout=10
        )


def returned(answer: requests.Response, address: str) -> dict[str, str]:
    assert answer.status_code == 302
    to = urlsplit(answer.headers["location"])
    assert f"{to.scheme}://{to.netloc}{to.path}" == address
    return {name: value for name, (value,) in parse_qs(to.query, keep_blank_values=True).items()}


def refused(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


# Zoho


@pytest.fixture
def account() -> Account:
    made = Account()
    for name in ("Contacts", "Deals"):
        made.add_module(name, [Field("Last_Name", "text")]).fill(2)
    return made


@pytest.fixture
def zoho(account: Account) -> Iterator[Client]:
    with asking(account) as client:
        yield client


def at_zoho(client: Client, scope: str = "ZohoCRM.modules.contacts.READ,ZohoCRM.org.READ") -> Consent:
    pages = (f"{client.url}/oauth/v2/{name}" for name in ("auth", "token"))
    return Consent(*pages, (CLIENT, SECRET), scope=scope, access_type="offline", prompt="consent")


@pytest.mark.slow
def test_consent_at_zoho_yields_a_code_its_data_centre_and_tokens_that_open_what_was_asked(
    zoho: Client,
) -> None:
    consent = at_zoho(zoho)
    assert "<li>ZohoCRM.modules.contacts.READ</li><li>ZohoCRM.org.READ</li>" in consent.page().text
    back = consent.press()
    assert (back["state"], back["location"], back["accounts-server"]) == ("s&t", "eu", zoho.url)
    given = consent.exchange(back["code"]).json()
    assert (given["token_type"], given["expires_in"], given["api_domain"]) == ("Bearer", 3600, zoho.url)
    assert given["scope"] == "ZohoCRM.modules.contacts.READ ZohoCRM.org.READ"
    for token in (given["access_token"], zoho.sign_in(refresh_token=given["refresh_token"])):
        zoho.token = token
        assert zoho.get("Contacts", fields="Last_Name").status_code == 200
        assert zoho.refused("Deals", fields="Last_Name") == (401, "OAUTH_SCOPE_MISMATCH")
    zoho.sign_in(refresh_token=REFRESH)
    assert zoho.get("Deals", fields="Last_Name").status_code == 200


@pytest.mark.slow
def test_a_code_of_zoho_works_once_within_two_minutes_and_for_its_own_address(
    account: Account, zoho: Client
) -> None:
    consent = at_zoho(zoho)
    used, late = consent.press()["code"], consent.press()["code"]
    assert "access_token" in consent.exchange(used).json()
    assert refused(consent.exchange(late, redirect_uri=ANYWHERE)) == (200, "invalid_redirect_uri")
    account.clock.advance(121)
    for code in (used, late, "1000.guessed.guessed"):
        assert refused(consent.exchange(code)) == (200, "invalid_code")
    assert refused(consent.exchange("any", client_secret="wrong")) == (200, "invalid_client_secret")


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "x"}, {"redirect_uri": ANYWHERE}, {"scope": "ZohoShop.ALL"}, {"response_type": "token"}],
    ids=str,
)
def test_zoho_shows_an_error_and_sends_nobody_anywhere_when_the_request_is_wrong(
    zoho: Client, wrong: dict[str, str]
) -> None:
    answer = at_zoho(zoho).page(**wrong)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "Zoho refused the request" in answer.text and 'id="accept"' not in answer.text


@pytest.mark.slow
def test_a_rejection_at_zoho_and_an_eleventh_code_in_ten_minutes_are_access_denied(zoho: Client) -> None:
    consent = at_zoho(zoho)
    assert consent.press("reject") == {"state": "s&t", "error": "access_denied"}
    assert all("code" in consent.press() for _ in range(10))
    assert consent.press()["error"] == "access_denied"


@pytest.mark.slow
def test_zoho_gives_a_refresh_token_for_offline_access_the_first_time_and_with_a_new_consent(
    zoho: Client,
) -> None:
    consent = at_zoho(zoho)
    kinds = [("online", "consent"), ("offline", ""), ("offline", ""), ("offline", "consent")]
    given = [consent.tokens(access_type=access, prompt=prompt) for access, prompt in kinds]
    assert ["refresh_token" in tokens for tokens in given] == [False, True, False, True]


@pytest.mark.slow
def test_the_twenty_first_refresh_token_at_zoho_ends_the_first_and_its_access_tokens(
    account: Account, zoho: Client
) -> None:
    consent = at_zoho(zoho)
    first = consent.tokens()
    for _ in range(19):
        account.clock.advance(61)
        consent.tokens()
    assert refused(zoho.refresh()) == (200, "invalid_code")  # the sample's own was the oldest
    zoho.token = first["access_token"]
    assert zoho.get("Contacts", fields="Last_Name").status_code == 200
    account.clock.advance(61)
    consent.tokens()
    assert zoho.refused("Contacts", fields="Last_Name") == (401, "INVALID_TOKEN")
    assert refused(consent.renew(first["refresh_token"])) == (200, "invalid_code")


# Google


@pytest.fixture
def box(box: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, whose clock goes back afterwards to where it was."""
    before = box.zoho.clock.seconds()
    yield box
    box.zoho.clock.advance(before - box.zoho.clock.seconds())


VERIFIER = "a-verifier-of-at-least-forty-three-characters"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BOTH = f"{google.YOUTUBE} {google.YOUTUBE_ANALYTICS}"


def at_google(
    box: Sandbox, client: str = google.CLIENT, secret: str = google.SECRET, **asked: str
) -> Consent:
    asked = {"scope": BOTH, "redirect_uri": ANYWHERE, "access_type": "offline", "prompt": "consent"} | asked
    return Consent(
        f"{box.url}/youtube/o/oauth2/v2/auth", f"{box.url}/youtube/token", (client, secret), **asked
    )


def channels(box: Sandbox, token: str) -> requests.Response:
    query = {"id": youtube.CHANNEL, "part": "statistics"}
    bearer = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{box.url}/youtube/youtube/v3/channels", params=query, headers=bearer, timeout=10)


@pytest.mark.slow
def test_consent_at_google_with_pkce_on_any_loopback_port_yields_tokens_that_work(box: Sandbox) -> None:
    consent = at_google(box, code_challenge=CHALLENGE, code_challenge_method="S256")
    back = consent.press()
    assert (back["state"], back["scope"]) == ("s&t", BOTH)
    given = consent.exchange(back["code"], code_verifier=VERIFIER).json()
    assert (given["expires_in"], given["token_type"], given["scope"]) == (3599, "Bearer", BOTH)
    assert "refresh_token_expires_in" not in given
    again = consent.renew(given["refresh_token"]).json()
    assert [channels(box, one["access_token"]).status_code for one in (given, again)] == [200, 200]


@pytest.mark.parametrize(
    ("changed", "error", "described"),
    [
        ({}, "invalid_grant", "Missing code verifier."),
        ({"code_verifier": "another"}, "invalid_grant", "Invalid code verifier."),
        ({"redirect_uri": HERE}, "redirect_uri_mismatch", "Bad Request"),
        ({"code": "4/0Aguessed"}, "invalid_grant", "Malformed auth code."),
    ],
)
def test_google_answers_400_to_an_exchange_that_does_not_fit_its_request(
    box: Sandbox, changed: dict[str, str], error: str, described: str
) -> None:
    consent = at_google(box, code_challenge=CHALLENGE, code_challenge_method="S256")
    answer = consent.exchange(**({"code": consent.press()["code"]} | changed))
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": described}


def test_a_scope_unticked_at_google_is_not_granted_and_its_calls_are_refused(box: Sandbox) -> None:
    consent = at_google(box)
    back = consent.press(unticked="youtube.readonly")
    given = consent.exchange(back["code"]).json()
    assert back["scope"] == given["scope"] == google.YOUTUBE_ANALYTICS
    error = channels(box, given["access_token"]).json()["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (403, "insufficientPermissions")
    assert consent.press(unticked="readonly")["error"] == consent.press("reject")["error"] == "access_denied"


def test_a_refresh_token_of_a_google_project_in_testing_says_that_it_ends_after_a_week_and_does(
    box: Sandbox,
) -> None:
    consent = at_google(box, google.TESTING, google.TESTING_SECRET)
    given, lasting = consent.tokens(), at_google(box).tokens()
    assert given["refresh_token_expires_in"] == 604_799
    box.zoho.clock.advance(604_800)
    assert refused(consent.renew(given["refresh_token"])) == (400, "invalid_grant")
    assert "access_token" in at_google(box).renew(lasting["refresh_token"]).json()


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"redirect_uri": "http://example.org/"}, 400, "redirect_uri_mismatch"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, 400, "invalid_scope"),
        ({"scope": ""}, 400, "invalid_request"),
    ],
)
def test_google_blocks_a_wrong_request_on_its_own_page(
    box: Sandbox, wrong: dict[str, str], status: int, error: str
) -> None:
    answer = at_google(box).page(**wrong)
    assert (answer.status_code, "location" in answer.headers) == (status, False)
    assert f"Error {status}: {error}" in answer.text


# LinkedIn


def at_linkedin(box: Sandbox, app: tuple[str, str] = linkedin_oauth.APP) -> Consent:
    pages = (f"{box.url}/linkedin/oauth/v2/{name}" for name in ("authorization", "accessToken"))
    return Consent(*pages, app, scope=" ".join(linkedin_oauth.SCOPES))


def size(box: Sandbox, token: str) -> tuple[int, str]:
    address = f"{box.url}/linkedin/rest/networkSizes/urn%3Ali%3Aorganization%3A{linkedin.ORGANISATION}"
    headers = {"Authorization": f"Bearer {token}", "LinkedIn-Version": linkedin.SAMPLE_VERSION}
    answer = requests.get(address, headers=headers, timeout=10)
    return answer.status_code, answer.json().get("code", "")


def introspected(box: Sandbox, token: str) -> dict[str, Any]:
    form = {"client_id": linkedin_oauth.APP[0], "client_secret": linkedin_oauth.APP[1], "token": token}
    return dict(requests.post(f"{box.url}/linkedin/oauth/v2/introspectToken", data=form, timeout=10).json())


def test_consent_at_linkedin_yields_a_token_of_sixty_days_and_no_refresh_token(box: Sandbox) -> None:
    consent = at_linkedin(box)
    given = consent.tokens()
    assert given["expires_in"] == 5_184_000 and given["scope"] == consent.asked["scope"]
    assert "refresh_token" not in given
    token = given["access_token"]
    assert size(box, token) == (200, "")
    known = introspected(box, token)
    assert (known["active"], known["scope"]) == (True, "r_organization_social,rw_organization_admin")
    box.zoho.clock.advance(5_184_000)
    assert size(box, token) == (401, "EXPIRED_ACCESS_TOKEN")
    assert introspected(box, token)["status"] == "expired"
    assert size(box, linkedin.TOKEN) == (200, "")


def test_an_approved_partner_of_linkedin_renews_for_a_year_that_renewals_do_not_extend(box: Sandbox) -> None:
    consent = at_linkedin(box, linkedin_oauth.PARTNER)
    given = consent.tokens()
    assert given["refresh_token_expires_in"] == 31_536_000
    box.zoho.clock.advance(31_536_000 - 5 * 86_400)
    renewed = consent.renew(given["refresh_token"]).json()
    assert renewed["expires_in"] == renewed["refresh_token_expires_in"] == pytest.approx(5 * 86_400, abs=30)
    assert size(box, renewed["access_token"]) == (200, "")
    box.zoho.clock.advance(5 * 86_400)
    assert refused(consent.renew(given["refresh_token"])) == (400, "invalid_request")


def test_linkedin_sends_the_member_back_with_its_own_words_for_a_cancellation_and_a_scope_not_approved(
    box: Sandbox,
) -> None:
    consent = at_linkedin(box)
    cancelled = consent.press("reject")
    assert (cancelled["error"], cancelled["state"]) == ("user_cancelled_authorize", "s&t")
    back = returned(consent.page(scope="r_ads"), HERE)
    assert back["error"] == "unauthorized_scope_error"
    assert back["error_description"] == "Scope &quot;r_ads&quot; is not authorized for your application"


@pytest.mark.parametrize("wrong", [{"client_id": "x"}, {"redirect_uri": ANYWHERE}], ids=str)
def test_linkedin_shows_an_error_when_app_or_address_is_not_registered(
    box: Sandbox, wrong: dict[str, str]
) -> None:
    answer = at_linkedin(box).page(**wrong)
    assert (answer.status_code, "location" in answer.headers) == (401, False)


def test_a_code_of_linkedin_works_once_within_half_an_hour(box: Sandbox) -> None:
    consent = at_linkedin(box)
    used, late = consent.press()["code"], consent.press()["code"]
    assert refused(consent.exchange(used, client_secret="wrong")) == (401, "invalid_client")
    missing = consent.exchange(used, redirect_uri="")
    assert missing.json()["error_description"] == 'A required parameter "redirect_uri" is missing'
    assert "access_token" in consent.exchange(used).json()
    assert refused(consent.exchange(used)) == (401, "invalid_request")
    box.zoho.clock.advance(1_801)
    assert refused(consent.exchange(late)) == (400, "invalid_redirect_uri")
