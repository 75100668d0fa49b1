"""What can be accepted from a workbook and still deserves a look is said before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.reporting.inputs.statement_notes import notes
from mel_pipeline.sources.workbook.model import Row
from mel_pipeline.sources.workbook.said import said_in
from mel_pipeline.transform.catalogue import catalogue_of

TARGET = {"indicator": "MEM-01", "period": "2026", "value": "40", "kind": "target"}
CORRECTION = {
    "source": "zoho_crm", "entity": "participations", "match_column_1": "id", "match_value_1": "1",
    "action": "leave_out", "reason": "Registered twice", "provider": "Programmes", "stated_on": "2026-10-05",
}  # fmt: skip


BASELINE = {"indicator": "MEM-01", "period": "2024", "value": "30", "kind": "baseline"}


def said(
    tmp_path: Path,
    sheet: str,
    row: dict[str, str],
    language: str = "en",
    targets: Sequence[Row] = (BASELINE,),
) -> list[tuple[str, str]]:
    settings = Settings(home=tmp_path, _env_file=None)
    found = notes(settings, catalogue_of(settings), [], targets)[sheet](row)
    return [(column, said_in(words, language)) for column, words in found]


@pytest.mark.parametrize("language", ["en", "fr", "es", "ca"])
def test_a_target_of_a_part_is_said_to_be_printed_and_not_judged(tmp_path: Path, language: str) -> None:
    assert said(tmp_path, "targets", TARGET, language) == []
    ((column, words),) = said(
        tmp_path, "targets", {**TARGET, "dimension": "region", "category": "Africa"}, language
    )
    assert column == "dimension"
    assert {
        "en": "only totals",
        "fr": "seuls les totaux",
        "es": "solo se valoran los totales",
        "ca": "només es valoren els totals",
    }[language] in words


@pytest.mark.parametrize("language", ["en", "fr", "es", "ca"])
def test_an_indicator_that_gets_a_target_and_has_no_baseline_is_said_once(
    tmp_path: Path, language: str
) -> None:
    ((column, words),) = said(tmp_path, "targets", TARGET, language, targets=[TARGET])
    assert column == "indicator" and words.startswith("MEM-01 ")
    settings = Settings(home=tmp_path, _env_file=None)
    check = notes(settings, catalogue_of(settings), [], [TARGET])["targets"]
    assert len(check(TARGET)) == 1 and check({**TARGET, "period": "2030"}) == []
    assert said(tmp_path, "targets", {**TARGET, "kind": "milestone"}, targets=[]) == []


def test_a_row_of_a_logframe_has_its_baseline_beside_its_target(tmp_path: Path) -> None:
    row = {"project": "P", "level": "outcome", "indicator": "TRN-03", "target": "100", "target_by": "2026"}
    ((column, words),) = said(tmp_path, "logframe", row)
    assert column == "target" and words.startswith("TRN-03 ")
    assert said(tmp_path, "logframe", {**row, "baseline": "0", "baseline_on": "2025"}) == []
    assert said(tmp_path, "logframe", {"project": "P", "level": "activity"}) == []


def test_a_correction_that_names_a_person_is_said_and_a_role_is_not(tmp_path: Path) -> None:
    assert said(tmp_path, "corrections", CORRECTION) == []
    found = said(tmp_path, "corrections", {**CORRECTION, "reason": "Ms Sow told me", "provider": "a@b.org"})
    assert [column for column, _ in found] == ["reason", "provider"]
    assert not any("Sow" in words or "a@b.org" in words for _, words in found)
