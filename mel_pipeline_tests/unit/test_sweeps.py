"""`make test` runs one of the tests that show a claim many times, and one of a file's on PostgreSQL."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mel_pipeline_tests.fixtures.sweeps import sweeping


class Listed(pytest.Item):
    """A test as pytest collects it, that is never run."""

    def __init__(self, *, engine: str | None = None, **more: Any) -> None:
        super().__init__(**more)
        if engine:
            self.callspec = SimpleNamespace(params={"warehouse_url": engine})

    def runtest(self) -> None:
        raise AssertionError


@pytest.fixture
def listed(request: pytest.FixtureRequest) -> Any:
    def make(name: str, *marks: pytest.MarkDecorator, engine: str | None = None) -> pytest.Item:
        made = Listed.from_parent(request.session, name=name, nodeid=f"a.py::{name}", engine=engine)
        for mark in marks:
            made.add_marker(mark)
        return made

    return make


def left_out(items: list[pytest.Item]) -> list[str]:
    return [item.name for item in sweeping(items)]


def test_of_a_sweep_the_first_stays(listed: Any) -> None:
    items = [listed(f"test_a[{language}]", pytest.mark.sweep) for language in ("en", "fr", "es")]
    assert left_out([*items, listed("test_b[fr]")]) == ["test_a[fr]", "test_a[es]"]


def test_a_sweep_may_name_those_that_stay(listed: Any) -> None:
    items = [listed(f"test_a[{name}]", pytest.mark.sweep("es", "ca")) for name in ("en", "es", "ca")]
    assert left_out(items) == ["test_a[en]"]


def test_a_name_that_no_variant_has_any_more_leaves_the_first(listed: Any) -> None:
    items = [listed(f"test_a[{name}]", pytest.mark.sweep("gone")) for name in ("en", "es")]
    assert left_out(items) == ["test_a[es]"]


def test_one_test_of_a_file_stays_on_postgresql_and_all_on_duckdb(listed: Any) -> None:
    items = [
        listed("test_a[postgres]", pytest.mark.long, engine="postgres"),
        *[
            listed(f"test_{letter}[{engine}]", engine=engine)
            for letter in "bc"
            for engine in ("duckdb", "postgres")
        ],
    ]
    assert left_out(items) == ["test_c[postgres]"]


def test_of_cases_one_of_each_subject_stays_on_postgresql(listed: Any) -> None:
    cases = ("labs: one", "labs: two", "fund: one")
    items = [listed(f"test_case[postgres-{case}]", engine="postgres") for case in cases]
    assert left_out(items) == ["test_case[postgres-labs: two]"]
