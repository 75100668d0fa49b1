"""Who owes what on a day, and which lines of action are not signed."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.publication.duties import owed_on, unsigned
from mel_pipeline.publication.readiness import unsigned_lines
from mel_pipeline.warehouse import Warehouse


def duty(**changes: Any) -> dict[str, str | None]:
    return {
        "id": "D-0001",
        "what": "Figures of trainings",
        "kind": "figures",
        "role": "Programmes",
        "due_on": None,
        "days_after": "15",
        "every": "quarter",
        "line": None,
        "done_on": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("today", "done", "owed"),
    [
        (date(2026, 9, 30), None, [("2026-Q2", "late")]),  # what was due in July was never done
        (date(2026, 10, 1), None, [("2026-Q3", "due")]),
        (date(2026, 10, 15), None, [("2026-Q3", "due")]),
        (date(2026, 10, 16), None, [("2026-Q3", "late")]),
        (date(2026, 10, 16), "2026-09-30", []),
        (date(2026, 10, 16), "2026-09-29", [("2026-Q3", "late")]),
        (date(2026, 10, 16), "2026-05-02", [("2026-Q2", "late"), ("2026-Q3", "late")]),
        (date(2026, 7, 1), "2026-07-01", []),
    ],
)
def test_a_duty_of_every_quarter_is_owed_from_two_weeks_before_its_day_until_it_is_done(
    today: date, done: str | None, owed: list[tuple[str, str]]
) -> None:
    found = owed_on([duty(done_on=done)], today)
    assert [(item.period, item.state) for item in found] == owed


def test_a_sentence_says_role_day_and_where_to_write_that_it_is_done() -> None:
    [late, due] = owed_on(
        [duty(), duty(id="D-0002", what="Annual text", due_on="2026-11-30", days_after=None, every="once")],
        date(2026, 11, 30),
    )
    assert late.sentence == (
        "Programmes: Figures of trainings of 2026-Q3 was due on 2026-10-15, 46 days ago. Once it is done, write the day"
        " into the workbook (Who owes what, D-0001)."
    )
    assert "Annual text is due on 2026-11-30, today." in due.sentence


def test_a_duty_of_the_year_and_one_done_once() -> None:
    rows = [
        duty(every="year", days_after="60"),
        duty(due_on="2025-01-01", days_after=None, done_on="2026-01-01"),
    ]
    assert [item.period for item in owed_on(rows, date(2026, 3, 1))] == ["2025"]
    assert owed_on(rows, date(2026, 1, 10)) == []


def test_a_line_is_signed_by_its_own_row_after_the_quarter_has_ended() -> None:
    signed = duty(kind="sign_off", line="1", done_on="2026-10-02")
    early = duty(id="D-0002", kind="sign_off", line="2", done_on="2026-09-01")
    found = list(unsigned([signed, early, duty(line="3")], [1, 2, 3], Quarter(2026, 3), lambda *_: "same"))
    assert len(found) == 2
    assert "Line of action 2 is not signed for 2026-Q3 by Programmes" in found[0]
    assert "Line of action 3 has no sign-off" in found[1]
    assert list(unsigned([signed], [1], Quarter(2026, 4), lambda *_: "same")) != []
    [changed] = unsigned([signed], [1], Quarter(2026, 3), lambda *_: "changed")
    assert "was signed for 2026-Q3 by Programmes on 2026-10-02, but its figures changed since" in changed
    assert "no longer counts" in changed and "a later day" in changed
    assert list(unsigned([signed], [1], Quarter(2026, 3), lambda *_: "unknown")) != []


def test_readiness_lists_lines_without_a_signature_only_where_the_organisation_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "ours"
    shutil.copytree(EXAMPLE, own)
    monkeypatch.setenv("MEL_ORGANISATION", str(own))
    settings = Settings(home=tmp_path / "home", _env_file=None)
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'mel.duckdb'}")
    assert list(unsigned_lines(warehouse, settings, Quarter(2026, 3))) == []
    facts = own / "organisation.yml"
    facts.write_text(facts.read_text("utf-8").replace("sign_off: false", "sign_off: true"), "utf-8")
    found = list(unsigned_lines(warehouse, settings, Quarter(2026, 3)))
    assert len(found) > 1
    assert all("has no sign-off" in item.sentence and not item.waivable for item in found)
