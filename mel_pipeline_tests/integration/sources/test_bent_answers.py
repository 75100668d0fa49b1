"""Answers of every platform, bent on their way over loopback: a figure is the right one, or there is none."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import MelError, SourceError, TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.ingest.guarding import Guarded
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline_tests.conftest import TODAY
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.loopback import Reply, Request, serving
from mel_pipeline_tests.fixtures.relay import Relay, bent, relaying

HASTY = Policy(attempts=1, backoff=0.0, longest_wait=0.0, throttled=0.0, job=0.0, poll=0.0)
PLATFORMS = [
    name
    for name in source_names()
    if contract_of(name).kind not in (None, "stated", "survey") and name != "zoho_campaigns"
]
Figures = dict[str, str | None]


@pytest.fixture(scope="module")
def relay(sandbox: Sandbox) -> Iterator[tuple[Relay, int]]:
    with relaying(sandbox.port) as both:
        yield both


def figures(home: Path, port: int, source: str, entity: str) -> Figures:
    """What a load would store, by row key: the value of a metric, or the followers of an account, if it is a count."""
    settings = with_sample_values(
        Settings(home=home, today=TODAY, first_quarter="2026-Q2", _env_file=None), port
    )
    contract = contract_of(source)
    client = import_module(f"mel_pipeline.sources.{source}.client").open(settings, HASTY)
    found: Figures = {}
    for batch in Guarded(client, contract).pull(entity, quarter=Quarter(2026, 3), cursor=None).batches:
        frame = batch.frame.astype(object).where(batch.frame.notna(), None)
        for row in frame.to_dict("records"):
            value = row.get("value", row.get("followers"))
            key = "|".join(str(row[name]) for name in contract.entities[entity].row_key)
            found[key] = str(value) if value is not None and str(value).isdecimal() else None
            assert value is None or "value" not in row or found[key] or str(value).startswith("-"), row
    return found


@pytest.mark.exhaustive  # each example is a load over HTTP
@pytest.mark.deep
@pytest.mark.fault(128)
@pytest.mark.parametrize("source", PLATFORMS)
def test_what_is_wrong_in_an_answer_makes_no_figure_another_one(
    relay: tuple[Relay, int], tmp_path: Path, source: str
) -> None:
    bending, port = relay
    entities = [name for name, one in contract_of(source).entities.items() if one.shape != "contents"]
    outcomes: dict[str, int] = {}
    for entity in entities:
        bending.begin()
        calm = figures(tmp_path, port, source, entity)
        calls = list(bending.asked)
        for number in range(examples(2, 40) if calls else 0):
            luck = random.Random(f"{source} {entity} {number}")
            victim = luck.choice(calls)
            bending.begin(
                lambda call, body, victim=victim, luck=luck: bent(body, luck) if call == victim else body
            )
            try:
                found = figures(tmp_path, port, source, entity)
            except MelError as error:
                assert isinstance(error, SourceError)
                outcomes[type(error).__name__] = outcomes.get(type(error).__name__, 0) + 1
                continue
            wrong = {key: (calm.get(key), value) for key, value in found.items() if value != calm.get(key)}
            assert not {key: pair for key, pair in wrong.items() if pair[1] is not None}, number
            outcomes["read"] = outcomes.get("read", 0) + 1
    print(source, outcomes)


@pytest.mark.fault(128)
@pytest.mark.parametrize(
    ("value", "stored"), [(-5, False), (5, True), ("12 %", False), (True, False), (None, True)], ids=str
)
def test_a_value_that_is_no_count_or_below_zero_is_quarantined(
    tmp_path: Path, value: object, stored: bool
) -> None:
    def matomo(request: Request) -> Reply:
        if request.form["method"] != "VisitsSummary.get":
            return Reply({"idsite": 1, "name": "campaign"})
        return Reply({f"2026-11-{day:02}": {"nb_visits": value, "nb_actions": 1} for day in range(1, 20)})

    with serving(matomo) as service:
        base = Settings(home=tmp_path, today=TODAY, first_quarter="2026-Q4", _env_file=None)
        own = base.with_source("matomo", url=service.url, token="t", site_ids="1")
        client = import_module("mel_pipeline.sources.matomo.client").open(own, HASTY)
        pull = Guarded(client, contract_of("matomo")).pull("daily", quarter=None, cursor=None)
        batches = list(pull.batches)
    visits = [m for batch in batches for m in batch.frame["metric"] if m == "nb_visits"]
    reasons = {row.reason for batch in batches for row in batch.rejected if "missing" not in row.reason}
    assert bool(visits) is stored and bool(reasons) is not stored
    assert all("The value of nb_visits is" in reason for reason in reasons)


@pytest.mark.fault(129)
def test_an_answer_about_one_account_that_lacks_what_it_promises_does_not_stop_the_others(
    relay: tuple[Relay, int], tmp_path: Path
) -> None:
    bending, port = relay
    bending.begin()
    calm = figures(tmp_path, port, "instagram", "accounts")
    assert len(calm) == 3
    first = bending.asked[0]
    bending.begin(lambda call, body: b"{}" if call == first else body)
    found = figures(tmp_path, port, "instagram", "accounts")
    assert len(found) == 2 and found.items() <= calm.items()
    bending.begin(lambda _, body: b"{}" if body else body)
    with pytest.raises(TransientSourceError, match="holds no id"):
        figures(tmp_path, port, "instagram", "accounts")


@pytest.mark.fault(129)
@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("x", {"data": [], "meta": {"result_count": 7}}),
        ("x", {"data": None, "meta": {"result_count": 7}}),
        ("youtube", {"items": None, "pageInfo": {"totalResults": 7}}),
        ("youtube", {"items": [{"id": "UC1", "contentDetails": {}}], "pageInfo": {"totalResults": 1}}),
    ],
    ids=["x empty", "x null", "youtube null", "youtube no list"],
)
def test_fewer_records_than_an_answer_counts_are_not_taken_for_all(
    tmp_path: Path, source: str, body: dict[str, object]
) -> None:
    def answer(request: Request) -> Reply:
        return Reply({"access_token": "a", "expires_in": 3600} if "token" in request.path else body)

    with (
        serving(answer) as service,
        pytest.raises(SourceError, match=r"counts 7|no items|list of its|knows no"),
    ):
        figures(tmp_path, int(service.url.rpartition(":")[2]), source, "contents")
