"""Models turn a few raw rows into the expected rows. Cases are in ``cases/*.yml``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.warehouse import Warehouse

CASES = Path(__file__).parent / "cases"


def _cases() -> list[Any]:
    """All cases; the first of each file is fast enough for `make test-fast`, together they are not."""
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}", marks=[pytest.mark.slow] if number else [])
        for path in sorted(CASES.glob("*.yml"))
        for number, case in enumerate(from_yaml(path.read_text(encoding="utf-8")))
    ]


@pytest.mark.behaviour("unmapped_labels", "*")  # the cases of satisfaction.yml
@pytest.mark.parametrize("case", _cases())
def test_a_model_turns_the_given_rows_into_the_expected_ones(
    case: dict[str, Any],
    project: SqlProject,
    warehouse: Warehouse,
    fill: Callable[[Warehouse, dict[str, list[dict[str, Any]]]], None],
) -> None:
    fill(warehouse, case.get("given", {}))
    variables = {"quarter": case.get("quarter", "2024-Q4"), **case.get("variables", {})}
    results = list(Runner(warehouse).run(project, project.upstream(case["model"]), variables))
    failed = [f"{result.name}: {result.message}" for result in results if result.status != "ok"]
    assert not failed, failed
    holds(case, warehouse.read(f"select * from {case['model']}").to_dict("records"))


def holds(case: dict[str, Any], rows: list[Any]) -> None:
    """The rows are what the case expects."""
    for expected in case.get("expect", []):
        _exactly_one(rows, expected)
    for absent in case.get("absent", []):
        assert not [row for row in rows if _matches(row, absent)], f"{absent} must not be there"
    if "rows" in case:
        assert len(rows) == case["rows"]


def _exactly_one(rows: list[Any], expected: dict[str, Any]) -> None:
    names = "period grain dimension category indicator_id disclosure_group list_name person_key"
    keys = set(names.split()) | {k for k in expected if k.endswith("_id")}
    found = [row for row in rows if _matches(row, {k: v for k, v in expected.items() if k in keys})]
    assert len(found) == 1, f"{len(found)} rows for {expected} in {rows}"
    wrong = {key: found[0][key] for key, value in expected.items() if not _same(found[0][key], value, key)}
    assert not wrong, f"{expected}, but: {wrong}"


def _matches(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(_same(row[key], value, key) for key, value in wanted.items())


def _same(actual: Any, expected: Any, key: str) -> bool:
    if expected is None:
        return actual is None or actual != actual
    if actual is None or actual != actual:
        return False
    if key == "note":
        return str(expected) in str(actual)
    if isinstance(expected, date):
        return str(actual)[:10] == expected.isoformat()
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return float(actual) == pytest.approx(float(expected))
    return bool(actual == expected)
