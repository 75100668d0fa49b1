"""The page of the annual report's facts follows the backtest and the catalogue."""

from __future__ import annotations

from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline_tests.annual_report_facts import facts, page, published


def test_the_page_of_facts_is_up_to_date():
    written = (PROJECT / "docs" / "annual-report-facts.md").read_text("utf-8")
    assert written == page(), "run `make docs`"


def test_each_of_the_24_facts_has_a_figure_or_says_why_not():
    listed = facts()
    assert len(listed) == 24
    rows = published()
    for fact in listed:
        assert ("missing" in fact) != ("indicator" in fact), fact["fact"]
        for cell in fact.get("cells", []):
            assert (fact["indicator"], cell) in rows, fact["fact"]


def test_every_indicator_that_the_backtest_reproduces_belongs_to_a_fact():
    named = {fact.get("indicator") for fact in facts()}
    named |= {code for fact in facts() for code in fact.get("also", {})}
    assert {indicator for indicator, _ in published()} <= named


def test_every_indicator_of_a_fact_is_in_the_catalogue_or_counted_by_hand():
    known = {indicator.id for indicator in load_catalogue(PROJECT / "dbt_like_sql").indicators}
    sample = yaml_file(EXAMPLE / "sample" / "workbook.yml")
    known |= {row["code"] for row in sample["manual_indicators"]}
    assert {fact["indicator"] for fact in facts() if "indicator" in fact} <= known
