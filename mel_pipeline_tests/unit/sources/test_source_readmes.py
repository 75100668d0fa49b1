"""Every source's README names what can be set."""

from __future__ import annotations

import pytest

from mel_pipeline.core.contracts import SOURCES, contract_of

READMES = sorted(path.parent.name for path in SOURCES.glob("*/README.md"))


@pytest.mark.parametrize("source", READMES)
def test_a_source_says_what_it_needs_and_names_every_setting(source: str) -> None:
    text = (SOURCES / source / "README.md").read_text("utf-8")
    settings = [f"MEL_{source}_{name}".upper() for name in contract_of(source).settings]
    assert [name for name in settings if name not in text] == []
    assert not settings or "## Settings" in text


def test_there_are_sources_to_look_at() -> None:
    assert {"zoho_crm", "ga4", "survey_files", "linkedin"} <= set(READMES)
