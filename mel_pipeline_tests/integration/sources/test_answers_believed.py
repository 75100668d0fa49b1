"""Over loopback sockets: responses are judged by their content, and endless lists are stopped."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import SourceError, TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.ingest.guarding import Guarded
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.sources.shared.base import Pull
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline.sources.shared.values import IDLE_PAGES, Novelty
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.loopback import Reply, Request, serving

QUICK = Policy(connect=2, read=5, attempts=2, backoff=0.001, longest_wait=0.2, throttled=0.01)
FORM = {
    "uid": "f",
    "content": {"survey": [{"type": "text", "name": "city", "label": ["City"]}], "choices": []},
}
RECENT = Quarter(2026, 3)


def settings_for(source: str, url: str, home: Path) -> Settings:
    settings = with_sample_values(Settings(home=home, _env_file=None), 1)
    settings = settings.model_copy(
        update={
            "zoho_accounts_url": url,
            "zoho_api_url": url,
            "zoho_people_url": url,
            "zoho_campaigns_url": url,
        }
    )
    names = [name for name in contract_of(source).settings if name.endswith("url")]
    return settings.with_source(source, **dict.fromkeys(names, url))


def ask(source: str, entity: str, answer: Any, home: Path) -> int:
    """Load from a service with this response; returns the number of requests it received."""
    with serving(answer) as service:
        client = import_module(f"mel_pipeline.sources.{source}.client")
        opened = client.open(settings_for(source, service.url, home), QUICK)
        try:
            for _ in Guarded(opened, contract_of(source)).pull(entity, quarter=RECENT, cursor=None).batches:
                assert len(service.requests) < 50
        finally:
            asked = len(service.requests)
    return asked


@pytest.mark.fault(45)
@pytest.mark.parametrize("grows", [True, False])
def test_a_count_that_never_ends_does_not_page_forever(tmp_path: Path, grows: bool) -> None:
    asked = iter(range(1, 10_000))

    def kobo(request: Request) -> Reply:
        if not request.path.endswith("/data/"):
            return Reply(FORM)
        number = next(asked)
        return Reply({"count": 10**6 * (number if grows else 1), "results": [{"_id": 1, "city": "Lima"}]})

    with pytest.raises(TransientSourceError, match="brings nothing new"):
        ask("kobo", "responses", kobo, tmp_path)
    assert next(asked) < 5


@pytest.mark.fault(45)
def test_a_list_of_posts_that_repeats_forever_is_stopped(tmp_path: Path) -> None:
    post = {"publishedAt": 1_785_000_000_000, "commentary": "Hello"}
    page = {"elements": [{"id": f"urn:li:share:{n}", **post} for n in range(100)]}
    with pytest.raises(TransientSourceError, match="brings nothing new"):
        ask("linkedin", "contents", lambda request: Reply(page), tmp_path)


SIGNED_IN = {
    "access_token": "a",
    "token_type": "Bearer",
    "expires_in": 3600,
    "api_domain": "http://127.0.0.1",
}
SAME_PERSON = {"7": [{"Zoho_ID": "7", "EmployeeID": "7"}]}
CAMPAIGN = {
    "campaignkey": "k",
    "campaign_name": "One",
    "campaign_status": "Sent",
    "sent_time": "1785000000000",
}


def _report(request: Request) -> Reply:
    """A report whose announced length no page reaches."""
    wanted = json.loads(request.body)
    headers = {
        f"{part}Headers": [{"name": one["name"]} for one in wanted[f"{part}s"]]
        for part in ("dimension", "metric")
    }
    row = {
        f"{part}Values": [{"value": "20260701" if part == "dimension" else "1"} for _ in wanted[f"{part}s"]]
        for part in ("dimension", "metric")
    }
    return Reply({**headers, "rows": [row], "rowCount": 10**9, "metadata": {"timeZone": "Europe/Madrid"}})


ENDLESS = {
    ("ga4", "daily"): _report,
    ("zoho_people", "employees"): lambda _: Reply({"response": {"status": 0, "result": [SAME_PERSON] * 200}}),
    ("zoho_campaigns", "contents"): lambda _: Reply(
        {
            "code": "200",
            "status": "success",
            "recent_campaigns": [{**CAMPAIGN, "campaign_key": f"k{n}"} for n in range(20)],
        }
    ),
}


@pytest.mark.fault(45)
@pytest.mark.parametrize(("source", "entity"), ENDLESS)
def test_a_page_that_comes_again_and_again_ends_the_load(source: str, entity: str, tmp_path: Path) -> None:
    """Whatever the next page is asked for: by position, by the last record, by an announced number of rows."""

    def answer(request: Request) -> Reply:
        if "refresh_token" in request.body.decode():
            return Reply({**SIGNED_IN, "api_domain": f"http://{request.headers['Host']}"})
        return ENDLESS[source, entity](request)

    with pytest.raises(TransientSourceError, match="brings nothing new"):
        ask(source, entity, answer, tmp_path)


@pytest.mark.fault(45)
def test_new_positions_without_new_records_are_an_endless_list_and_a_few_empty_pages_are_none() -> None:
    calm = Novelty("A list")
    for number in range(100):
        calm.require_next(f"token {number}", [number] if number % IDLE_PAGES == 0 else [])
    endless = Novelty("A list")
    with pytest.raises(TransientSourceError, match="brings nothing new"):
        for number in range(100):
            endless.require_next(f"token {number}", [{"id": "the same"}])
    with pytest.raises(TransientSourceError, match="brings nothing new"):
        endless.require_next("token 1", ["something new"])


@pytest.mark.fault(42)
@pytest.mark.behaviour(
    "promised", "brevo", "facebook", "ga4", "instagram", "linkedin", "mailchimp", "x", "youtube"
)
@pytest.mark.parametrize(
    "body", [{}, {"message": "maintenance"}, {"status": "error"}, {"error": "busy"}], ids=str
)
@pytest.mark.parametrize(
    ("source", "entity"),
    [("kobo", "responses"), ("odk", "responses"), ("linkedin", "accounts"), ("linkedin", "contents"), ("x", "accounts"),
     ("x", "contents"), ("mailchimp", "contents"), ("brevo", "contents"), ("instagram", "accounts"),
     ("instagram", "contents"), ("facebook", "contents"), ("ga4", "daily"), ("youtube", "accounts"), ("youtube", "contents")],
)  # fmt: skip
def test_a_200_without_the_promised_content_is_not_an_empty_response(
    tmp_path: Path, source: str, entity: str, body: dict[str, Any]
) -> None:
    def answer(request: Request) -> Reply:
        signs_in = {"access_token": "a", "token": "t", "expires_in": 3600}
        return Reply(signs_in if "token" in request.path or "sessions" in request.path else body)

    entity = entity if entity in contract_of(source).entities else next(iter(contract_of(source).entities))
    with pytest.raises(SourceError, match=r"\w.*\."):
        ask(source, entity, answer, tmp_path)


class Broken:
    """A client that raises an unforeseen error."""

    def pull(self, entity: str, **options: object) -> Pull:
        def batches() -> Any:
            yield from ()
            raise KeyError("somebody@example.org")

        return Pull(batches())


@pytest.mark.fault(41)
def test_an_unforeseen_error_is_an_outage_of_that_source_and_quotes_no_record(tmp_path: Path) -> None:
    warehouse = Warehouse(f"duckdb:///{tmp_path}/w.duckdb", 10)
    with pytest.raises(TransientSourceError, match=r"could not be read \(KeyError at") as caught:
        load_entity(Broken(), contract_of("kobo"), "responses", warehouse)
    assert "example.org" not in f"{caught.value}{caught.value.__cause__}"
    assert warehouse.read("select status from load_ledger")["status"].tolist() == ["failed"]
