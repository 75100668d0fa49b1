"""A load killed at any moment, repeatedly, ends in the same state as one that was never killed."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.sandbox.zoho import Field
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.forking import Forking
from mel_pipeline_tests.fixtures.killable import start_load
from mel_pipeline_tests.fixtures.zoho_account import Case, account_with
from mel_pipeline_tests.fixtures.zoho_stub import PATIENT

WIDE = [Field(f"Field_{number:02}", "text") for number in range(60)]
STAGED_ROWS, KILLS = 160, examples(4, 7)


def load_while_killing(case: Case, forked: Forking, chance: random.Random, small: int) -> int:
    """Load again and again until one load ends. Returns how many were killed."""
    killed = 0
    while True:
        start_load(forked, case, STAGED_ROWS, small)
        if killed < KILLS:
            if not killed or chance.random() < 0.6:  # as a call arrives: between two pages, or in mid-scan
                left = iter(range(chance.randint(1, 14) if killed else 1, -1, -1))
                case.account.faults.on_call = lambda call, left=left: (
                    forked.kill() if next(left, 1) == 0 else None
                )
            else:  # at any moment: in a commit, while rows are checked
                forked.kill_after(chance.uniform(0.02, 0.7))
        ended = forked.ended_well()
        case.account.faults.on_call = None
        if ended:
            return killed
        killed += 1


def tables(case: Case) -> list[pd.DataFrame]:
    """Rows and history without the columns that identify the load, and the watermark."""
    own = ["_load_id", "_loaded_at", "_source_ref"]
    rows = [
        case.rows(name).drop(columns=own)
        for name in ("raw_zoho_crm__records", "raw_zoho_crm__records_history")
    ]
    cursor = json.loads(case.warehouse.read("select cursor from source_cursor")["cursor"].item())
    return [*rows, pd.DataFrame([{"modified": cursor["modified"]}])]


WAYS = {
    "pages": (["ZohoCRM.bulk.READ", "ZohoCRM.coql.READ"], 10_000, WIDE[:1]),
    "slices": (["ZohoCRM.bulk.READ", "ZohoCRM.coql.READ"], 10_000, WIDE),
    "query": (["ZohoCRM.bulk.READ"], 100, WIDE),
    "bulk": (["ZohoCRM.coql.READ"], 100, WIDE),
}


@pytest.mark.exhaustive
@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 1 + examples(1, 3)))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.fault(1)
def test_a_load_killed_at_random_moments_ends_identical_to_one_that_was_not(
    tmp_path: Path, forked: Forking, way: str, seed: int
) -> None:
    lacking, small, fields = WAYS[way]
    chance = random.Random(f"{way} {seed}")
    killed_home, calm_home = tmp_path / "killed", tmp_path / "calm"
    with account_with(killed_home, "Accounts", fields, pages_delay=0.01, policy=PATIENT) as case:
        calm = replace(case, home=calm_home)
        case.account.scopes -= set(lacking)
        case.module.fill(
            1_000, lambda number: {field.api_name: f"{field.api_name} {number}" for field in fields}
        )
        killed = load_while_killing(case, forked, chance, small)
        calm.load()
        first = fields[0].api_name
        case.clock.advance(86_400)
        for number, record in enumerate(case.module.ids()):
            if number % 3 == 0:
                case.module.update(record, {first: "changed"})
            elif number % 50 == 1:
                case.module.delete(record, permanent=bool(number % 100 == 1))
        case.clock.advance(60)
        killed += load_while_killing(case, forked, chance, small)
        calm.load()
        assert killed, "it was killed, and not only after its end"
        for mine, theirs in zip(tables(case), tables(calm), strict=True):
            pd.testing.assert_frame_equal(mine, theirs)
        assert not case.warehouse.has_table("raw_zoho_crm__records_staged")
