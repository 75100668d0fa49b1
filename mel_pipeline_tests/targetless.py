"""The guide's list of indicators that take no target, from the catalogue: `python -m mel_pipeline_tests.targetless`."""

from __future__ import annotations

import re

from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.reporting.inputs.statement_form import UNJUDGED
from mel_pipeline.transform.catalogue import load_catalogue

FILE = PROJECT / "docs" / "mel-lead.md"
_BETWEEN = re.compile(r"(<!-- by make docs: indicators without a target -->\n).*?(<!-- end -->)", re.DOTALL)


def page() -> str:
    """The guide with the list of now."""
    lines = [
        f"- [{one.id}](indicators.md) {one.name.en}"
        + (f": a band of {one.band[0]:g} to {one.band[1]:g} %" if one.band else ": context")
        for one in load_catalogue(PROJECT / "dbt_like_sql", EXAMPLE).indicators
        if one.direction in UNJUDGED
    ]
    listed = "\n".join(lines)
    return _BETWEEN.sub(lambda found: f"{found[1]}{listed}\n{found[2]}", FILE.read_text("utf-8"))


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
