"""What holds for every platform: each source with a kind, against its simulator. New folders are included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest

from mel_pipeline.core.contracts import contract_of, shapes, source_names
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError, TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms import Kind
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline_tests.conftest import Organisation

pytestmark = pytest.mark.exhaustive  # many loads; the fast tests have one of each kind

API_SOURCES = [name for name in source_names() if contract_of(name).kind not in (None, "stated")]
PLATFORMS = [name for name in API_SOURCES if contract_of(name).kind != "survey"]
WITH_FAULTS = [name for name in API_SOURCES if name != "zoho_campaigns"]  # its simulator is part of Zoho's
QUICK = Policy(connect=2, read=5, attempts=2, backoff=0.001, longest_wait=0.2, throttled=0.01)
RECENT = Quarter(2026, 3)  # every platform still has data for it


def load(organisation: Organisation, source: str, entity: str) -> LoadResult:
    client = import_module(f"mel_pipeline.sources.{source}.client").open(organisation.settings, QUICK)
    return load_entity(client, contract_of(source), entity, organisation.warehouse, quarter=RECENT)


def stored(organisation: Organisation) -> int:
    """Rows with data; figures a platform does not offer need no request."""
    tables = {
        "raw_platforms__accounts": "true",
        "raw_platforms__contents": "true",
        "raw_platforms__metrics": "availability = 'given'",
        "raw_surveys__responses": "true",
    }
    return sum(
        int(organisation.warehouse.read(f"select count(*) n from {name} where {condition}")["n"][0])
        for name, condition in tables.items()
        if organisation.warehouse.has_table(name)
    )


def refusals(
    organisation: Organisation, sandbox: Sandbox, source: str, error: type[SourceError]
) -> list[SourceError]:
    """Load every entity; each that calls the platform has to fail."""
    found = []
    for entity in contract_of(source).entities:
        calls = len(sandbox.platforms[source].calls)
        try:
            load(organisation, source, entity)
        except error as refused:
            found.append(refused)
        else:
            assert len(sandbox.platforms[source].calls) == calls, entity
    assert found
    return found


@contextmanager
def failing(sandbox: Sandbox, source: str, kind: Kind) -> Iterator[None]:
    sandbox.platforms[source].fail(kind)
    try:
        yield
    finally:
        sandbox.platforms[source].fail(None)


@pytest.mark.behaviour("resumed", "*")
@pytest.mark.parametrize("source", API_SOURCES)
def test_loading_again_adds_and_changes_nothing(organisation: Organisation, source: str) -> None:
    entities = list(contract_of(source).entities)
    first = {entity: load(organisation, source, entity) for entity in entities}
    assert sum(result.new for result in first.values()) > 0
    assert [result.waiting for result in first.values() if result.waiting] == []
    before = stored(organisation)
    again = [load(organisation, source, entity) for entity in entities]
    assert [(result.new, result.changed, result.deleted) for result in again] == [(0, 0, 0)] * len(entities)
    assert stored(organisation) == before


@pytest.mark.behaviour("broken_answer", "*")
@pytest.mark.parametrize("source", WITH_FAULTS)
@pytest.mark.fault(16)
def test_a_login_page_instead_of_data_is_refused_and_nothing_is_stored(
    organisation: Organisation, sandbox: Sandbox, source: str
) -> None:
    with failing(sandbox, source, "login_page"):
        refusals(organisation, sandbox, source, PermanentSourceError)
    assert stored(organisation) == 0


@pytest.mark.parametrize("source", WITH_FAULTS)
def test_an_outage_is_transient_and_nothing_is_stored_during_it(
    organisation: Organisation, sandbox: Sandbox, source: str
) -> None:
    with failing(sandbox, source, "down"):
        refusals(organisation, sandbox, source, TransientSourceError)
    assert stored(organisation) == 0
    assert load(organisation, source, next(iter(contract_of(source).entities))).new > 0


@pytest.mark.behaviour("reauthorise", "*")
@pytest.mark.behaviour("no_secrets", "*")
@pytest.mark.parametrize("source", WITH_FAULTS)
def test_an_expired_token_says_which_setting_to_renew_and_shows_none(
    organisation: Organisation, sandbox: Sandbox, source: str
) -> None:
    with failing(sandbox, source, "expired_token"):
        for refused in refusals(organisation, sandbox, source, ReauthoriseError):
            assert f"MEL_{source.upper()}_" in str(refused)
            assert "sample-" not in str(refused)
    assert stored(organisation) == 0


@pytest.mark.behaviour("throttling", "*")
@pytest.mark.parametrize("source", WITH_FAULTS)
def test_throttling_that_lasts_is_left_to_the_next_run(
    organisation: Organisation, sandbox: Sandbox, source: str
) -> None:
    entity = next(iter(contract_of(source).entities))
    with failing(sandbox, source, "throttled"), pytest.raises(SourceError) as caught:
        load(organisation, source, entity)
    assert isinstance(caught.value, TransientSourceError)
    assert load(organisation, source, entity).new > 0


@pytest.mark.behaviour("missing_not_zero", "*")
@pytest.mark.parametrize("source", PLATFORMS)
def test_a_figure_is_there_when_it_says_so_and_only_then(organisation: Organisation, source: str) -> None:
    for entity, details in contract_of(source).entities.items():
        if details.shape == "metrics":
            load(organisation, source, entity)
    wrong = organisation.warehouse.read(
        "select count(*) n from raw_platforms__metrics where (value is null) = (availability = 'given')"
    )
    assert wrong["n"][0] == 0


@pytest.mark.behaviour("unique_not_added", "*")
@pytest.mark.parametrize("source", PLATFORMS)
def test_every_figure_is_of_a_metric_the_contract_explains(organisation: Organisation, source: str) -> None:
    """A unique metric marked additive would be summed, so the common ones are checked by name."""
    contract = contract_of(source)
    unique = {name for name, metric in contract.metrics.items() if not metric.additive}
    for name, metric in contract.metrics.items():
        assert (name in unique) == (metric.counts in ("reach", "visitors", "opens", "clicks")) or (
            metric.counts == "other"
        ), name
    assert {entity.shape for entity in contract.entities.values()} <= set(shapes())
