"""`kill -9` at random moments: a restart ends like an uninterrupted run."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from mel_pipeline.publication import store
from mel_pipeline.publication.rebuild import rebuild
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.forking import Forking
from mel_pipeline_tests.fixtures.interrupted import BEFORE, QUARTERS, STEPS, fill
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, organisation
from mel_pipeline_tests.fixtures.postgres import Server

pytestmark = pytest.mark.exhaustive  # every kill starts a process again

STEP = "import sys; from mel_pipeline_tests.fixtures.interrupted import run; run(*sys.argv[1:])"
MOMENTS = examples(1, 3)
# They record when and how often something ran; only their effects are compared.
ABOUT_RUNS = {
    "load_ledger", "calculation", "fingerprint", "lake_part", "source_cursor", "publication_ledger",
    "quality_result",
}  # fmt: skip
OF_A_RUN = {
    "_load_id", "_loaded_at", "load_id", "first_seen_at", "erased_at", "purged_at", "noted_at", "used_at",
    "first_used_at", "quarantined_at", "resolved_at", "seen_at",
}  # fmt: skip


def state(small: Small) -> dict[str, list[str]]:
    """Every table without the columns that identify a run, and the decisions of the ledger."""
    found = {}
    for table in sorted(small.warehouse.tables() - ABOUT_RUNS):
        rows = small.warehouse.records(f'select * from "{table}"')
        found[table] = sorted(
            str({name: value for name, value in row.items() if name not in OF_A_RUN}) for row in rows
        )
    entries = store.ledger(small.warehouse)
    found["ledger"] = sorted(
        {str((item.quarter, item.event, item.version, item.figures)) for item in entries}
    )
    found["last figures"] = [store.calculations(small.warehouse, quarter)[-1].figures for quarter in QUARTERS]
    return found


def seconds_of(forked: Forking, step: str, *place: str) -> float:
    begun = time.monotonic()
    forked.start(STEP, step, *place)
    assert forked.ended_well()
    return time.monotonic() - begun


def interrupt(forked: Forking, step: str, seconds: float, *place: str) -> None:
    """Kill a step at random moments of the time it takes, and start it again until it ends."""
    chance, killed = random.Random(step), 0
    while killed < MOMENTS:
        forked.start(STEP, step, *place)
        forked.kill_after(chance.uniform(0, seconds))
        if forked.ended_well():
            break
        killed += 1
    if killed == MOMENTS:
        seconds_of(forked, step, *place)
    assert killed, "it was killed, and not only after its end"


def require_same(step: str, calm: Small, other: Small) -> None:
    assert state(other) == state(calm)
    assert store.broken_links(other.warehouse) == []
    if step in ("erasure", "recalculation"):
        assert rebuild(other.warehouse, QUARTERS[0]).is_verified


@pytest.mark.deep
@pytest.mark.fault(1, 32)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_killed_at_any_moment_and_started_again_ends_as_one_that_was_not(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, forked: Forking, step: str
) -> None:
    begun = copy_of(tmp_path_factory, "two-quarters-one-published", tmp_path / "begun", fill)
    if step in BEFORE:
        BEFORE[step](begun)
    begun.warehouse.fold()
    begun.warehouse.engine.dispose()
    homes = {name: tmp_path / name for name in ("calm", "killed")}
    for home in homes.values():
        shutil.copytree(begun.settings.home, home)
    seconds = seconds_of(forked, step, str(homes["calm"]))
    interrupt(forked, step, seconds, str(homes["killed"]))
    require_same(step, *(organisation(home) for home in homes.values()))
    assert not list(homes["killed"].glob("*.before*")) and not list(homes["killed"].glob("*.rewritten"))


@pytest.fixture(scope="module")
def on_server(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Small:
    """Two quarters on PostgreSQL, the first published; each test gets copies."""
    begun = organisation(tmp_path_factory.mktemp("on-server"), warehouse_url=postgres.database())
    fill(begun)
    begun.warehouse.engine.dispose()
    return begun


@pytest.mark.deep
@pytest.mark.fault(1, 32)
@pytest.mark.parametrize("step", ["calculation", "publication", "erasure", "recalculation"])
def test_a_step_killed_on_postgresql_and_started_again_ends_as_one_that_was_not(
    tmp_path: Path, on_server: Small, postgres: Server, forked: Forking, step: str
) -> None:
    url = str(on_server.settings.warehouse_url)
    places = [
        (str(shutil.copytree(on_server.settings.home, tmp_path / name)), postgres.database(_name(url)))
        for name in ("calm", "killed")
    ]
    made = [organisation(Path(home), warehouse_url=copy) for home, copy in places]
    for small in made if step in BEFORE else ():
        BEFORE[step](small)
        small.warehouse.engine.dispose()
    calm, killed = places
    interrupt(forked, step, seconds_of(forked, step, *calm), *killed)
    require_same(step, *made)
    for small in made:
        small.warehouse.engine.dispose()
        postgres.drop(str(small.settings.warehouse_url))


def _name(url: str) -> str:
    return url.rpartition("/")[2]
