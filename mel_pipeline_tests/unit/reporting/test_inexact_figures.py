"""A figure that a service estimated, or gave without small groups, says so beside the figure, in every language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mel_pipeline.reporting.figures.lookup import Reading
from mel_pipeline.reporting.text.texts import load_texts

REPORTS = Path(__file__).parents[3] / "reports"
MODEL = Path(__file__).parents[3] / "dbt_like_sql" / "models" / "marts" / "fct_account_period.sql"
SITE = "one.org: 2 of 92 days have no data."
SAMPLED, LEFT_OUT = "31 of 92 days are estimates from a sample.", "1 of 92 days are without small groups."


@pytest.mark.parametrize(
    ("reading", "shown"),
    [
        (Reading("ok", 920, note=f"{SITE} {SAMPLED} {LEFT_OUT}"), f"{SAMPLED} {LEFT_OUT}"),
        (Reading("ok", 920, note=f"one.org: {SAMPLED} two.org: {LEFT_OUT}"), f"one.org: {SAMPLED} two.org: {LEFT_OUT}"),
        (Reading("ok", 7, note="Estimated from a sample."), "Estimated from a sample."),
        (Reading("ok", 7, note="Small groups are left out."), "Small groups are left out."),
        (Reading("ok", 920, note=SITE), ""),
        (Reading("not_available", note=f"{SITE} {SAMPLED}"), f"{SITE} {SAMPLED}"),
    ],
)  # fmt: skip
@pytest.mark.behaviour("qualified", "ga4")
@pytest.mark.fault(96)
def test_what_is_not_exact_stands_beside_the_figure(reading: Reading, shown: str) -> None:
    assert reading.reservation == shown


@pytest.mark.parametrize("language", ["fr", "es", "ca"])
def test_every_sentence_about_the_days_of_an_account_is_translated_alone_and_after_a_site(
    language: str,
) -> None:
    texts = load_texts(REPORTS, language)
    written = re.findall(r"'((?:The|No|Counted|Estimated|Small| days)[^']*)'", MODEL.read_text("utf-8"))
    sentences = [f"31 of 92{one}" if one.startswith(" days") else one for one in written]
    sentences = [f"{one}2024-11-18." if one.startswith("Counted") else one for one in sentences]
    assert len(sentences) >= 7
    for sentence in sentences:
        for said in (sentence, f"one.org: {sentence}"):
            assert texts.say(said) != said
    assert not texts.missing
