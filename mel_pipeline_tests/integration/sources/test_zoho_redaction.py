"""Every way Zoho can fail, without a secret or a person in anything that is written."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from mel_pipeline.core.settings import load_settings
from mel_pipeline.defs import build
from mel_pipeline.defs.context import Mel
from mel_pipeline.sandbox.server import running_account
from mel_pipeline.sandbox.zoho import Account
from mel_pipeline.sandbox.zoho.sample import account_of
from mel_pipeline.sources import open_source
from mel_pipeline.sources.shared import http
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import TODAY
from mel_pipeline_tests.fixtures.zoho_stub import QUICK

PERSON, MAIL, ADDRESS = "Anna Persona", "anna.persona@example.org", "192.0.2.77"
CREDENTIALS = ("sample-client-secret", "sample-refresh-token")
LEAK = {
    "code": f"INTERNAL_ERROR {CREDENTIALS[1]} {MAIL}",
    "message": f"{PERSON} <{MAIL}> at {ADDRESS}, refresh_token={CREDENTIALS[1]}&client_secret={CREDENTIALS[0]}",
    "details": {"token": CREDENTIALS[1], "user": PERSON},
    "status": "error",
}
PAGE = f"<html><body>Signed out: {PERSON}, {MAIL}, {CREDENTIALS[0]}</body></html>".encode()
RECORDS = r"/crm/v8/Contacts$"


def fault(match: str = RECORDS, **kind: object) -> Callable[[Account], None]:
    return lambda account: account.faults.add(match, times=None, **kind)


def revoke(account: Account) -> None:
    account.faults.add("^/oauth", times=None, status=200, body={"error": "invalid_code", "for": MAIL})


def lacks(scope: str) -> Callable[[Account], None]:
    return lambda account: account.scopes.discard(scope)


def leads_away(account: Account) -> None:
    """The sign-in names another host, as a forged response would."""
    body = {"access_token": "1000.forged", "api_domain": f"https://zoho.example.org/{CREDENTIALS[1]}"}
    account.faults.add("^/oauth", times=None, status=200, body=body)


def drop_a_field(account: Account) -> None:
    account.modules["Contacts"].remove_field("Gender")


def bad_rows(account: Account) -> None:
    module = account.modules["Contacts"]
    values = {"Last_Name": PERSON, "Email": MAIL, "Gender": "Unheard of", "Preferred_Language": "xx"}
    for _ in range(5):
        module.insert(values)


FAILURES: dict[str, Callable[[Account], None]] = {
    "revoked": revoke,
    "sign-in refused with words": fault("^/oauth", status=400, body={"error": f"why {CREDENTIALS[1]} {MAIL}"}),
    "sign-in throttled": fault("^/oauth", status=400, body=LEAK | {"status": "failure"}),
    "sign-in is a page": fault("^/oauth", status=200, body=PAGE),
    "sign-in leads away": leads_away,
    "401 for good": fault(status=401, body=LEAK | {"code": "INVALID_TOKEN"}),
    "scope": lambda account: account.faults.revoke_scope("Contacts"),
    "no permission": lambda account: account.faults.deny("Contacts"),
    "metadata not allowed": lacks("ZohoCRM.settings.fields.READ"),
    "400 with words": fault(status=400, body=LEAK),
    "429": fault(status=429, body=LEAK),
    "500": fault(status=500, body=LEAK),
    "503": fault(status=503, body=PAGE),
    "a page": fault(status=200, body=PAGE),
    "a list": fault(status=200, body={"data": LEAK}),
    "redirect": fault(status=302, headers={"Location": f"https://x.example/?t={CREDENTIALS[1]}"}),
    "reset": fault(reset=True),
    "truncated": fault(truncate=True),
    "count refused": fault("/actions/count$", status=400, body=LEAK),
    "deleted refused": fault("/deleted$", status=400, body=LEAK),
    "field gone": drop_a_field,
    "bad rows": bad_rows,
}  # fmt: skip


@dataclass
class Written:
    """Everything a run leaves behind or prints."""

    parts: list[str] = field(default_factory=list)

    def add(self, *texts: object) -> None:
        self.parts += [str(text) for text in texts]


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: object) -> Iterator[Account]:
    """The sample's account, configured by the environment as in production, and a client with short timeouts."""
    own = account_of(sandbox.organisation)  # type: ignore[attr-defined]
    with running_account(own) as server:
        for name in ("ZOHO_ACCOUNTS_URL", "ZOHO_API_URL", "ZOHO_PEOPLE_URL"):
            monkeypatch.setenv(f"MEL_{name}", server.url)
        monkeypatch.setenv("MEL_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("MEL_SANDBOX_PORT", str(server.port))  # it responds there, so no other is started
        monkeypatch.setenv("MEL_TODAY", str(TODAY))
        monkeypatch.setattr(http, "Policy", lambda: QUICK)
        yield own


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.long
def test_a_failure_leaves_no_secret_and_no_person_in_anything_written(
    account: Account,
    tmp_path: Path,
    failure: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    issued: set[str] = set()
    account.faults.on_call = lambda call: issued.update(account.oauth.tokens)
    FAILURES[failure](account)
    written = Written()
    table = dg.AssetKey("raw_zoho_crm__contacts")
    (asset,) = (made for made in build().assets or [] if table in made.keys)  # type: ignore[union-attr]
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        result = dg.materialize([asset], resources={"mel": Mel()}, instance=instance, raise_on_error=False)
        written.add(*result.all_events, *instance.all_logs(result.run_id))
    failed = not result.success or not all(c.passed for c in result.get_asset_check_evaluations())
    assert failed, "the failure happened"
    settings = load_settings()
    try:
        list(open_source("zoho_crm", settings).pull("contacts", quarter=None, cursor=None).batches)
    except Exception as error:
        written.add(repr(error), "".join(traceback.format_exception(error)))
    warehouse = Warehouse(settings.database_url)
    written.add(*(warehouse.read(f'select * from "{table}"').to_csv() for table in warehouse.tables()))
    kept_secret = settings.secrets_dir
    files = [p for p in tmp_path.rglob("*") if p.is_file() and kept_secret not in p.parents]
    written.add(
        *(path.read_bytes().decode("utf-8", "ignore") for path in files), caplog.text, *capfd.readouterr()
    )
    text = "\n".join(written.parts)
    leaked = [word for word in (*CREDENTIALS, *issued, PERSON, MAIL, ADDRESS) if word in text]
    assert leaked == [], [text[max(0, text.find(w) - 300) : text.find(w) + 100] for w in leaked]
    assert all(oct(path.stat().st_mode)[-3:] == "600" for path in kept_secret.glob("*"))
