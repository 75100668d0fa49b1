"""Contracts as Great Expectations: which rows and tables pass, and the messages for the MEL lead."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from mel_pipeline import quality
from mel_pipeline.core.contracts import Column, EntityContract
from mel_pipeline.quality.expectations import context
from mel_pipeline.warehouse import Warehouse

# Great Expectations imports a deprecated module, and pandas remarks on groups in the patterns it is given.
pytestmark = [
    pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This pattern is interpreted:UserWarning"),
]

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


def test_an_empty_frame_costs_no_import_of_great_expectations() -> None:
    code = (
        "import sys, pandas as pd; from mel_pipeline import quality; from mel_pipeline.core.contracts import contract_of;"
        "c = contract_of('matomo').entities['daily'];"
        "f = pd.DataFrame(columns=[*c.columns, '_source_ref'], dtype='str');"
        "assert quality.check_rows(f, c).bad == []; assert 'great_expectations' not in sys.modules"
    )
    root = Path(quality.__file__).parent.parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=60)


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
def judged() -> quality.RowVerdict:
    """Every broken row of above, and then every allowed one, in a single load."""
    changes: list[dict[str, str | None]] = [{column: value} for column, value, _ in BROKEN]
    return quality.check_rows(frame(*changes, *({column: value} for column, value in ALLOWED)), contract())


@pytest.mark.parametrize(("number", "broken"), list(enumerate(BROKEN, start=1)), ids=str)
def test_each_rule_puts_aside_the_row_that_breaks_it(
    judged: quality.RowVerdict, number: int, broken: tuple[str, str | None, str]
) -> None:
    broken_rules = {(bad.column, bad.rule) for bad in judged.bad if bad.source_ref == f"page 1, row {number}"}
    assert broken_rules == {(broken[0], broken[2])}


def test_empty_values_break_no_rule_but_required_and_what_the_sources_send_passes(
    judged: quality.RowVerdict,
) -> None:
    kept = judged.good["_source_ref"].tolist()
    assert kept == [
        f"page 1, row {number}" for number in range(len(BROKEN) + 1, len(BROKEN) + len(ALLOWED) + 1)
    ]


def test_a_row_that_breaks_two_rules_is_put_aside_once_with_both_reasons() -> None:
    verdict = quality.check_rows(frame({"kind": "Guest", "score": "11"}), contract())
    assert len(verdict.good) == 0
    assert [bad.rule for bad in verdict.bad] == ["allowed", "range"]
    assert {bad.row_key for bad in verdict.bad} == {"1"}


def test_a_value_is_repeated_only_where_a_list_of_allowed_ones_exists() -> None:
    verdict = quality.check_rows(frame({"kind": "Guest"}, {"comment": "Write To ME@x.org"}), contract())
    reasons = [bad.reason for bad in verdict.bad]
    assert "'Guest'" in reasons[0]
    assert "Member, Associate" in reasons[0]
    assert "ME@x.org" not in reasons[1]


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


def test_after_a_check_another_process_can_write(tmp_path: Path) -> None:
    warehouse = stored(tmp_path, {"id": "1"})
    assert check(warehouse).passed
    path = str(tmp_path / "w.duckdb")
    code = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create table other (n integer)')"
    subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, timeout=30)
    assert warehouse.has_table("other")


@pytest.mark.slow
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
        "import great_expectations; print('reached')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(quality.__file__).parents[2]}"},
    )  # fmt: skip
    assert done.stdout.strip() == "reached"


def test_great_expectations_still_needs_the_mend_for_duckdb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When this fails, GX keeps its DuckDB connection by itself: remove ``keep_duckdb_connections``."""
    warehouse = stored(tmp_path, {"id": "1"})
    assert check(warehouse).passed
    engine = import_module("great_expectations.execution_engine.sqlalchemy_execution_engine")
    as_shipped = tuple(d for d in engine._PERSISTED_CONNECTION_DIALECTS if str(d.value) != "duckdb")
    monkeypatch.setattr(engine, "_PERSISTED_CONNECTION_DIALECTS", as_shipped)
    try:
        passed = check(warehouse).passed
    except Exception:
        passed = False
    assert not passed


def test_telemetry_and_progress_bars_are_off() -> None:
    made = context()
    bars = made.variables.progress_bars
    assert bars is not None
    assert not bars["globally"]
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_frames_of_the_same_shape_are_judged_on_their_own_rows_without_being_fingerprinted() -> None:
    from mel_pipeline.core.contracts import contract_of

    contract = contract_of("zoho_crm").entities["events"]
    columns = [*contract.columns, "_source_ref"]
    frame = pd.DataFrame({name: [None, None] for name in columns}, dtype="str")
    fewer = frame.assign(id=["1", "2"])
    found = [
        {row.rule for row in quality.check_rows(rows, contract).bad if row.column == "id"}
        for rows in (frame, fewer, frame)
    ]
    assert found == [{"required"}, set(), {"required"}]
    from great_expectations.execution_engine import pandas_execution_engine as engine  # after it is set up

    assert engine.hash_pandas_dataframe(frame) == ""


def test_a_configuration_is_formed_once_a_check_and_the_verdict_is_that_of_forming_it_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mel_pipeline.core.contracts import contract_of
    from mel_pipeline.quality import expectations

    contract = contract_of("zoho_crm").entities["events"]
    values = ["1", "2024-02-30", None, "true"]
    frame = pd.DataFrame(dict.fromkeys([*contract.columns, "_source_ref"], values), dtype="str")
    once = quality.check_rows(frame, contract).bad
    monkeypatch.setattr(expectations, "_formed_once", nullcontext)
    assert once == quality.check_rows(frame, contract).bad and len(once) > len(contract.columns)
    monkeypatch.undo()

    kinds = expectations.expectation_types()
    expectation = kinds.ExpectColumnValuesToNotBeNull(column="id")
    with expectations._formed_once():
        assert expectation.configuration is expectation.configuration
    assert expectation.configuration is not expectation.configuration
