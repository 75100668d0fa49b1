"""Nothing that is true of the shipped example alone stands in the package outside its folder and the sample."""

from __future__ import annotations

import re

import pytest

from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.core.yaml_io import yaml_file

PLACES = ("mel_pipeline", "dbt_like_sql", "reports")
KINDS = {".py", ".sql", ".yml", ".jinja", ".html", ".typ", ".css"}
APART = ("mel_pipeline/organisations", "mel_pipeline/sandbox", "reports/published")
# Words of the languages for the currencies of the world, and codes of some; where the example is; the sample's own address
# of a channel.
ALLOWED = (
    re.compile(r"^mel_pipeline/factcheck/words/\w\w\.yml: currencies: "),
    re.compile(r"^mel_pipeline/factcheck/(?:number_patterns|non_figures|numbers)\.py: .*\bEUR\b"),
    re.compile(r"^mel_pipeline/reporting/inputs/project_checks\.py: CURRENCIES = "),
    re.compile(r"^mel_pipeline/sources/workbook/texts/\w\w\.yml: currency: "),
    re.compile(r"^mel_pipeline/core/organisation\.py: EXAMPLE = "),
)


def facts() -> re.Pattern[str]:
    own = yaml_file(EXAMPLE / "organisation.yml")
    regions = [region["name"]["en"] for region in yaml_file(EXAMPLE / "regions.yml")["regions"]]
    campaigns = [campaign["name"] for campaign in yaml_file(EXAMPLE / "campaigns.yml")["campaigns"]]
    words = [own["name"], own["fund_pipeline"], own["time_zone"], "Barcelona", "GZASS", "AVANTIA"]
    words += [name for name in regions if " " in name]  # Asia is also a part of names of time zones
    words += [name["en"] if isinstance(name, dict) else name for name in campaigns]
    anywhere = "|".join(map(re.escape, words))
    return re.compile(rf"(?<![A-Za-z])(?i:{anywhere})(?![A-Za-z])|\b{own['currency']}\b")


@pytest.mark.slow
def test_no_fact_of_the_example_stands_in_code_sql_templates_or_texts() -> None:
    pattern, found = facts(), []
    for place in PLACES:
        for path in sorted((PROJECT / place).rglob("*")):
            name = path.relative_to(PROJECT).as_posix()
            if path.suffix not in KINDS or name.startswith(APART):
                continue
            for line in path.read_text(encoding="utf-8").splitlines():
                said = f"{name}: {line.strip()}"
                if pattern.search(line) and not any(allowed.search(said) for allowed in ALLOWED):
                    found.append(said[:160])
    assert found == []
