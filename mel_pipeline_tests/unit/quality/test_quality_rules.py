"""Contracts as Great Expectations: which rows and tables pass, and the messages for the MEL lead."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mel_pipeline import quality
from mel_pipeline.core.contracts import Column, EntityContract
from mel_pipeline.quality import Rule
from mel_pipeline.quality.expectations import context, validate
from mel_pipeline.warehouse import Warehouse, quarantine, raw
from mel_pipeline_tests.depth import examples

# Great Expectations imports a deprecated module.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")

COLUMNS = {
    "id": Column(required=True, pattern=r"\d+"),
    "kind": Column(required=True, allowed=["Member", "Associate"]),
    "score": Column(type="integer", minimum=0, maximum=10),
    "amount": Column(type="number", minimum=0),
    "held": Column(type="boolean"),
    "day": Column(type="date"),
    "moment": Column(type="datetime"),
    "comment": Column(pattern="[a-z ]+"),
    "part_of": Column(references="things"),
}
GOOD = {"id": "1", "kind": "Member", "score": "10", "amount": "1.5", "held": "true", "day": "2024-02-29",
        "moment": "2024-05-01T10:00:00+02:00", "comment": "fine", "part_of": None}  # fmt: skip


def contract(**more: Any) -> EntityContract:
    return EntityContract(title="Things", description="", grain="", row_key=["id"], load="snapshot",
                          **({"columns": COLUMNS} | more))  # fmt: skip


def frame(*changes: dict[str, str | None]) -> pd.DataFrame:
    rows = [GOOD | change | {"_source_ref": f"page 1, row {n}"} for n, change in enumerate(changes, start=1)]
    return pd.DataFrame(rows, columns=[*COLUMNS, "_source_ref"], dtype="str")


def faults(connection: sa.Connection, rows: pd.DataFrame, contract: EntityContract) -> list[tuple[str, Rule]]:
    """Position and rule of every fault in these rows once staged."""
    entries = rows.assign(_row_key=rows["id"], _kind="row", _changed_at=pd.NaT, _malformed=None)
    raw.discard(connection, "raw_x__things")
    raw.stage(connection, "raw_x__things", list(contract.columns), entries)
    broken = quality.judge_rows(connection, "raw_x__things_staged", contract)
    if not broken:
        return []
    staged = f"({quality.rows_staged('raw_x__things_staged')}) as staged"
    quarantine.note_faults(connection, [rule.broken.format(batch=staged) for rule in broken])
    return [
        (row["_source_ref"], broken[row["rule"]])
        for chunk in quarantine.faulty_rows(connection, "raw_x__things")
        for row in chunk
    ]


BROKEN = [
    ("id", None, "required"), ("id", "12a", "pattern"), ("kind", "Guest", "allowed"), ("kind", None, "required"),
    ("score", "11", "range"), ("score", "-1", "range"), ("score", "7.5", "type"), ("score", "ten", "type"),
    ("amount", "1,5", "type"), ("amount", "-3", "range"), ("held", "yes", "type"), ("day", "2023-02-29", "type"),
    ("day", "29/02/2024", "type"), ("moment", "01/05/2024 10:00", "type"), ("moment", "2024-05-01", "type"),
    ("comment", "CAPITALS", "pattern"),
]  # fmt: skip
ALLOWED = [
    *((name, None) for name, rules in COLUMNS.items() if not rules.required),
    ("moment", "2024-05-01T10:00:00+00:00"), ("moment", "2025-10-24T08:50:00"), ("moment", "2024-05-01 10:00:00-11:00"),
    ("amount", "0"), ("score", "0"), ("held", "false"),
]  # fmt: skip


@pytest.fixture(scope="module")
def judged() -> list[tuple[str, Rule]]:
    """All broken rows from above, then all allowed ones, in a single load."""
    changes: list[dict[str, str | None]] = [{column: value} for column, value, _ in BROKEN]
    with Warehouse("duckdb:///:memory:").connect() as connection:
        return faults(
            connection, frame(*changes, *({column: value} for column, value in ALLOWED)), contract()
        )


@pytest.mark.slow
@pytest.mark.parametrize(("number", "broken"), list(enumerate(BROKEN, start=1)), ids=str)
def test_each_rule_finds_the_row_that_breaks_it_and_takes_the_row_only_where_it_is_nothing_without_the_cell(
    judged: list[tuple[str, Rule]], number: int, broken: tuple[str, str | None, str]
) -> None:
    column, _, rule = broken
    found = {(one.column, one.name, one.loses) for place, one in judged if place == f"page 1, row {number}"}
    assert found == {(column, rule, "row" if column in ("id", "kind") else "cell")}


def test_empty_values_break_no_rule_but_required_and_what_the_sources_send_passes(
    judged: list[tuple[str, Rule]],
) -> None:
    assert {place for place, _ in judged} == {f"page 1, row {number}" for number in range(1, len(BROKEN) + 1)}


def test_a_value_is_repeated_only_where_a_list_of_allowed_ones_exists(
    judged: list[tuple[str, Rule]],
) -> None:
    reasons = {rule.name: rule.reason("Write To ME@x.org") for _, rule in judged}
    assert "'Write To ME@x.org' is not one of: Member, Associate" in reasons["allowed"]
    assert not any("ME@x.org" in reason for rule, reason in reasons.items() if rule != "allowed")


MADE = st.one_of(
    st.none(),
    st.text("0123456789-+.eE:T /,a\n", min_size=1, max_size=20),
    st.builds("{:04d}-{:02d}-{:02d}".format, st.sampled_from([0, 1, 1900, 2000, 2023, 2024]), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{:04d}-{}-{}".format, st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{}{}:{:02d}{}".format, st.sampled_from(["2024-02-28T", "2024-12-31 ", "2024-13-01T"]), st.sampled_from(["00", "23", "24", "7"]), st.integers(0, 61), st.sampled_from(["", ":00Z", "+02:00", "?"])),
    st.integers(-12, 12).map(str), st.floats(-1e9, 1e9).map(str), st.sampled_from(["true", "false", "True", "Member", "Associate", "member", "it's", "nan", "inf", "1_0", "a{2}", "é"]),
)  # fmt: skip
RULED = {
    "allowed": Column(allowed=["Member", "it's", "a{2}"]), "pattern": Column(pattern="[a-z]{1,2}|(?:true|[0-9]+)"),
    "integer": Column(type="integer", minimum=-3, maximum=10), "number": Column(type="number", minimum=0.5),
    "boolean": Column(type="boolean"), "date": Column(type="date"), "datetime": Column(type="datetime"),
    "needed": Column(required=True),
}  # fmt: skip


def findings(column: str, rules: Column, value: str | None) -> set[str]:
    """What the contract says of a value, in Python."""
    if value is None:
        return {"required"} if rules.required else set()
    said = set()
    bare = value.removesuffix("\n")
    number = re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?", bare)
    if rules.allowed and value not in rules.allowed:
        said.add("allowed")
    if rules.pattern and not re.fullmatch(rules.pattern, bare):
        said.add("pattern")
    reads = {
        "integer": lambda: re.fullmatch(r"[+-]?\d{1,18}", bare), "number": lambda: number,
        "boolean": lambda: bare in ("true", "false"), "date": lambda: datetime.strptime(bare, "%Y-%m-%d"),
        "datetime": lambda: re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", bare) and datetime.fromisoformat(bare[:16]),
        "text": lambda: True,
    }  # fmt: skip
    with suppress(ValueError):
        if reads[rules.type]():
            number = number if rules.type == "number" or rules.minimum is not None else None
            outside = number and not (rules.minimum or -3) <= float(bare) <= (rules.maximum or float("inf"))
            return said | ({"range"} if outside else set())
    outside = (
        rules.minimum is not None
        and number
        and not (rules.minimum <= float(bare) <= (rules.maximum or float("inf")))
    )
    return said | {"type"} | ({"range"} if outside else set())


@pytest.mark.slow
@pytest.mark.deep
@settings(
    max_examples=examples(3, 80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(st.lists(MADE, min_size=len(RULED), max_size=len(RULED)), min_size=30, max_size=60))
def test_sql_judges_random_values_as_the_contract_does(
    warehouse_url: str, values: list[list[str | None]]
) -> None:
    rows = [
        {"id": str(n), "_source_ref": str(n)} | dict(zip(RULED, row, strict=True))
        for n, row in enumerate(values)
    ]
    made = contract(columns={"id": Column(required=True)} | RULED)
    expected = {
        (row["_source_ref"], name, rule)
        for row in rows
        for name, rules in RULED.items()
        for rule in findings(name, rules, row[name])
    }
    with Warehouse(warehouse_url).transaction() as connection:
        found = faults(connection, pd.DataFrame(rows, dtype="str"), made)
    assert {(place, rule.column, rule.name) for place, rule in found} == expected
    assert len(found) == len(expected)


def stored(tmp_path: Path, *rows: dict[str, Any]) -> Warehouse:
    return stored_in(Warehouse(f"duckdb:///{tmp_path / 'w.duckdb'}", lock_wait_seconds=2), *rows)


def stored_in(warehouse: Warehouse, *rows: dict[str, Any]) -> Warehouse:
    columns = [*COLUMNS, "_row_key", "_load_id", "_source_ref"]
    body = ", ".join(f'"{name}" text' for name in columns)
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(f"create table raw_x__things ({body}, _loaded_at timestamp, _is_deleted boolean)")
        )
        for row in rows:
            full = {
                **dict.fromkeys(columns),
                **GOOD,
                "_loaded_at": datetime(2024, 1, 1),
                "_is_deleted": False,
                **row,
            }
            full.setdefault("_row_key", None)
            full["_row_key"] = full["_row_key"] or full["id"]
            names = ", ".join(f'"{name}"' for name in full)
            connection.execute(
                sa.text(f"insert into raw_x__things ({names}) values ({', '.join(':' + n for n in full)})"),
                full,
            )
    return warehouse


def check(warehouse: Warehouse, **more: Any) -> quality.TableVerdict:
    return quality.check_table(warehouse, "raw_x__things", contract(**more), {"things": "raw_x__things"})


def test_a_good_table_is_summed_up_in_one_plain_sentence(tmp_path: Path) -> None:
    verdict = check(stored(tmp_path, {"id": "1"}, {"id": "2", "part_of": "1"}))
    assert verdict.passed
    assert not verdict.blocking
    assert verdict.counts["rows"] == 2
    assert "2 rows" in verdict.sentences[0]


@pytest.mark.fault(25)
def test_an_empty_export_fails_the_contract_instead_of_reporting_zero(tmp_path: Path) -> None:
    verdict = check(stored(tmp_path))
    assert not verdict.passed
    assert verdict.blocking
    assert "0 rows" in verdict.sentences[0]
    assert "not a zero" in verdict.sentences[0]


def test_a_table_of_tombstones_alone_is_an_empty_one(tmp_path: Path) -> None:
    verdict = check(stored(tmp_path, {"id": "1", "_is_deleted": True}))
    assert verdict.blocking


def test_a_table_that_was_never_loaded_fails_by_name(tmp_path: Path) -> None:
    warehouse = stored(tmp_path)
    verdict = quality.check_table(warehouse, "raw_x__others", contract(), {})
    assert not verdict.passed
    assert "nothing has been loaded" in verdict.sentences[0]


def test_an_entity_no_figure_depends_on_does_not_block(tmp_path: Path) -> None:
    verdict = check(stored(tmp_path), blocking=False)
    assert not verdict.passed
    assert not verdict.blocking


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([{"id": "1"}, {"id": "1"}], "share a key"), ([{"id": "1", "kind": None}], "kind is missing in 1 rows"),
     ([{"id": "1", "part_of": "9"}], "1 rows name a record in part_of")],
)  # fmt: skip
def test_each_table_rule_says_what_is_wrong(
    tmp_path: Path, rows: list[dict[str, Any]], expected: str
) -> None:
    verdict = check(stored(tmp_path, *rows))
    assert not verdict.passed
    assert any(expected in sentence for sentence in verdict.sentences), verdict.sentences


def test_a_reference_to_a_deleted_record_is_found(tmp_path: Path) -> None:
    verdict = check(stored(tmp_path, {"id": "1", "_is_deleted": True}, {"id": "2", "part_of": "1"}))
    assert any("part_of" in sentence for sentence in verdict.sentences)


def test_a_missing_column_fails_by_name(tmp_path: Path) -> None:
    warehouse = stored(tmp_path, {"id": "1"})
    verdict = check(warehouse, columns=COLUMNS | {"brand_new": Column()})
    assert not verdict.passed
    assert "brand_new" in verdict.sentences[0]


@pytest.mark.slow
def test_after_a_check_another_process_can_write(tmp_path: Path) -> None:
    path = str(tmp_path / "w.duckdb")
    warehouse = stored_in(Warehouse(f"duckdb:///{path}", 2, idle_close_seconds=0), {"id": "1"})
    assert check(warehouse).passed
    code = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create table other (n integer)')"
    subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, timeout=30)
    assert warehouse.has_table("other")


@pytest.mark.exhaustive
def test_checks_work_where_an_incomplete_spark_is_installed_too_and_leave_it_importable(
    tmp_path: Path,
) -> None:
    """PySpark without its Connect part ends the process when Great Expectations looks for it."""
    (tmp_path / "pyspark").mkdir()
    (tmp_path / "pyspark" / "__init__.py").write_text("SparkContext = 1")
    (tmp_path / "pyspark" / "sql.py").write_text("import sys; sys.exit(0)")
    code = (
        "import pyspark\n"
        "from mel_pipeline.quality.expectations import expectation_types\n"
        "expectation_types()\n"
        "import sys; assert sys.modules['pyspark'] is pyspark\n"
        "assert not {'altair', 'scipy.stats'} & set(sys.modules), 'seconds of import time that no rule needs'\n"
        "from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as kl\n"
        "assert kl.stats.entropy([0.5, 0.5]) and kl.alt.Chart, 'they are there for one that does'\n"
        "import altair, scipy.stats; assert kl.alt.Chart is altair.Chart\n"
        "import great_expectations; print('reached')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(quality.__file__).parents[2]}"},
    )  # fmt: skip
    assert done.stdout.strip() == "reached"


def test_a_database_error_in_a_rule_is_raised_unchanged() -> None:
    rule = Rule("type", "score", "select _seq from {batch} where no_such_column = 1")
    with (
        Warehouse("duckdb:///:memory:").connect() as connection,
        pytest.raises(sa.exc.DBAPIError, match="no_such_column"),
    ):
        validate(connection, "select 1 as _seq", [rule])


def test_no_row_appears_in_a_great_expectations_result(monkeypatch: pytest.MonkeyPatch) -> None:
    context()  # imports GX as the pipeline does
    from great_expectations.validator.validator import Validator

    results: list[str] = []
    real = Validator.graph_validate

    def heard(self: object, *given: Any, **named: Any) -> Any:
        results.extend(map(str, found := real(self, *given, **named)))  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(Validator, "graph_validate", heard)
    with Warehouse("duckdb:///:memory:").connect() as connection:
        assert faults(connection, frame({"comment": "Write To ME@x.org", "score": "secret"}), contract())
    assert results and not any("ME@x.org" in result or "secret" in result for result in results)


def test_telemetry_and_progress_bars_are_off() -> None:
    made = context()
    bars = made.variables.progress_bars
    assert bars is not None
    assert not bars["globally"]
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
