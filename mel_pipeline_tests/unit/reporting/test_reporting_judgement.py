"""Figures against their targets and bands, in an edition: levels, amounts, bands, revisions."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from mel_pipeline.reporting.edition import Edition
from mel_pipeline.reporting.figures.judgement import SHAPES, standing, status_of
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.page.summary import decisions_needed, on_track
from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.text.texts import Texts, load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, cell, sample_edition, with_cells, with_figure

COLUMNS = ["indicator_id", "period", "kind", "on_date", "value", "origin"]


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(REPORTS, "en")


def aimed(*rows: tuple[object, ...], period: str = "2024-Q4", **baselines: tuple[float, str]) -> Edition:
    """The edition with these targets; ``baselines``: FND_01=(value, period)."""
    edition = sample_edition(period, targets=pd.DataFrame(rows, columns=COLUMNS))
    table = edition.indicators.set_index("indicator_id")
    for name, (value, when) in baselines.items():
        table.loc[name.replace("_", "-"), ["baseline_value", "baseline_period"]] = [value, when]
    return replace(edition, indicators=table.reset_index())


def found(edition: Edition, indicator: str):
    known = {measure.id: measure for measure in measures(edition, "en")}
    return standing(known[indicator], Figures(edition, known.values()))


def row(edition: Edition, indicator: str, texts: Texts):
    known = {measure.id: measure for measure in measures(edition, "en")}
    return table_row(known[indicator], Figures(edition, known.values()), texts)


FUND = ("FND-01", "2026", "target", "2026", 2_800_000.0, "Report")


def test_a_fund_that_stands_still_is_behind_schedule_a_quarter_after_its_baseline(texts):
    edition = aimed(FUND, FND_01=(800_000.0, "2023"))
    assert found(edition, "FND-01").code == "off"
    shown = row(edition, "FND-01", texts)
    assert (shown.status.word, shown.target.text) == ("Behind schedule", "€2,800,000")
    assert shown.target.change == "by 2026, €1,467,883 expected by now"
    assert decisions_needed(edition, [shown], texts) == [
        "International Fund: resources secured: behind schedule, €800,000 where €1,467,883 was expected by now;"
        " target €2,800,000 by 2026 (responsible: Membership officer)."
    ]


def test_at_its_baseline_nothing_is_expected_yet(texts):
    shown = row(aimed(FUND, FND_01=(800_000.0, "2024")), "FND-01", texts)
    assert (shown.standing.code, shown.status.word, shown.target.change) == (
        "ahead",
        "Not due yet",
        "by 2026",
    )


def test_a_level_without_a_baseline_cannot_be_judged_on_its_way(texts):
    edition = aimed(("SAT-02", "2026", "target", "2026", 95.0, "Plan"))
    shown = row(edition, "SAT-02", texts)
    assert shown.standing.code == "no_baseline"
    assert "state a dated baseline" in decisions_needed(edition, [shown], texts)[0]


def test_an_earlier_target_is_a_milestone_of_a_later_one():
    early = ("MEM-01", "2024", "target", "2024", 160.0, "Plan")
    late = ("MEM-01", "2025", "target", "2025", 180.0, "Plan")
    edition = aimed(early, late, period="2024-Q4", MEM_01=(158.0, "2023"))
    assert found(edition, "MEM-01").target.period == "2024"
    only = aimed(late, MEM_01=(158.0, "2023"))
    assert found(only, "MEM-01").expected == pytest.approx(169, abs=1)


def test_a_year_of_an_amount_is_judged_by_what_it_has_brought_so_far(texts):
    edition = aimed(("MEM-02", "2024", "target", "2024", 12.0, "Plan"), period="2024-Q2")
    judged = found(edition, "MEM-02")  # 2 and 2; six of twelve are expected by the end of June
    assert (judged.code, judged.value, judged.expected, judged.is_due) == ("off", 4.0, 6.0, False)
    shown = row(edition, "MEM-02", texts)
    assert shown.target.change == "by 2024, 4 so far, 6 expected by now"
    closed = found(replace(edition, period="2024-Q4"), "MEM-02")
    assert (closed.code, closed.value, closed.is_due) == ("off", 8.0, True)


def test_a_share_s_target_of_a_year_is_judged_by_the_year_once_it_has_closed(texts):
    target = ("SAT-02", "2024", "target", "2024", 85.0, "Plan")
    edition = with_figure(aimed(target, SAT_02=(80.0, "2023")), "SAT-02", "2024-Q4", value=81.9)
    edition = with_figure(edition, "SAT-02", "2024", value=85.5)
    judged = found(edition, "SAT-02")
    assert (judged.code, judged.value, judged.is_due) == ("over", 85.5, True)
    assert row(edition, "SAT-02", texts).target.change == "by 2024, 86% in 2024"
    assert found(replace(edition, period="2024"), "SAT-02").code == "over", "the annual page says the same"
    before = found(replace(edition, period="2024-Q3"), "SAT-02")
    assert before.value != 85.5 and not before.is_due, "until then the quarter is on its way"


def test_a_year_with_a_missing_quarter_is_not_judged_before_it_closes():
    edition = aimed(("MEM-02", "2024", "target", "2024", 8.0, "Plan"), period="2024-Q2")
    assert found(with_figure(edition, "MEM-02", "2024-Q1", value=None), "MEM-02").code == "ahead"


def test_things_counted_once_a_year_are_judged_when_the_year_closes():
    target = ("LAB-02", "2024", "target", "2024", 40.0, "Plan")
    assert found(aimed(target, period="2024-Q3"), "LAB-02").code == "ahead"
    closed = found(aimed(target), "LAB-02")
    assert (closed.code, closed.value, closed.is_due) == ("on", 39.0, True)


def test_a_year_no_better_than_the_baseline_year_is_not_on_target():
    edition = aimed(("LAB-02", "2024", "target", "2024", 40.0, "Plan"), period="2024", LAB_02=(39.0, "2023"))
    assert found(edition, "LAB-02").code == "off"  # 39 of 40, but 39 was where it began


def test_a_limit_is_kept_until_it_is_passed():
    table = sample_edition().indicators.assign(direction="decrease")
    edition = replace(
        aimed(("MEM-02", "2024", "target", "2024", 8.0, "Plan"), period="2024"), indicators=table
    )
    assert found(edition, "MEM-02").code == "on"
    assert found(with_figure(edition, "MEM-02", "2024", value=10), "MEM-02").code == "off"


def test_a_revised_target_is_shown_as_it_was_stated_when_the_period_closed():
    revision = ("FND-01", "2026", "revision", "2025-03-01", 2_000_000.0, "Donor withdrew")
    edition = aimed(FUND, revision, FND_01=(800_000.0, "2023"))
    assert found(edition, "FND-01").target.value == 2_800_000.0
    later = with_cells(
        replace(edition, period="2025-Q1"), [cell("FND-01", "2025-Q1", "total", None, 900_000.0)]
    )
    assert found(later, "FND-01").target.value == 2_000_000.0


def test_balance_bands_are_counted_apart_from_targets(texts):
    edition = sample_edition()
    known = measures(edition, "en")
    figures = Figures(edition, known)
    rows = [table_row(measure, figures, texts) for measure in known]
    assert on_track(rows, texts, is_sample=False) == (
        "2 of 3 targets are on track. 1 of 2 balance bands are kept. Nothing is due yet for 1 target."
    )
    bands = [item for item in rows if item.measure.band]
    assert "on track. The sample's targets are made up." in on_track(rows, texts, is_sample=True)
    assert on_track(bands, texts, is_sample=False) == "1 of 2 balance bands are kept."
    assert (
        on_track([], texts, is_sample=True)
        == "No indicator has a target or a balance band that can be judged."
    )


@pytest.mark.slow
def test_every_judgement_has_a_shape_and_a_word_in_every_language():
    edition = sample_edition()
    for language in ("en", "fr", "es", "ca"):
        words = load_texts(REPORTS, language)
        for code in SHAPES:
            for is_due in (True, False):
                shown = status_of(replace(found(edition, "MEM-02"), code=code, is_due=is_due), words)
                assert shown.shape and shown.word and "status." not in shown.word
        assert not words.missing
