"""The register of outcomes: those that may be printed, in a table that can be filtered, sorted and exported."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.site.downloads import escape_formula
from mel_pipeline.reporting.site.slugs import search_key

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.site.register import Outcome, Register
    from mel_pipeline.reporting.site.templates import Pages

FILE = "outcomes/outcomes.csv"
COUNTED = "OUT-01"
COLUMNS = (
    "id", "happened_on", "organisation", "change", "significance", "contribution", "evidence_1", "evidence_2",
    "is_substantiated", "line_of_action", "indicator_id", "project", "stated_in",
)  # fmt: skip


def outcome_pages(content: Content, known: list[Measure], pages: Pages) -> dict[str, bytes]:
    """None where the register is empty."""
    register = content.site.register
    if not register.has_outcomes:
        return {}
    texts = pages.texts
    names = {
        str(int(line["number"])): str(line.get(f"name_{texts.language}") or line["name_en"])
        for line in content.site.edition.lines_of_action.to_dict("records")
    }
    measures = {measure.id: measure.name for measure in known}
    stem = "outcomes/index"
    page = pages.render(
        "outcomes.html.jinja",
        stem,
        section="outcomes",
        title=texts("site.outcomes_title"),
        script="register.js" if register.outcomes else "",
        outcomes=[_row(outcome, texts.language, names) for outcome in register.outcomes],
        lines={number: name for number, name in names.items() if _has(register, number)},
        projects=sorted({outcome.project for outcome in register.outcomes if outcome.project}),
        years=sorted({str(outcome.happened_on.year) for outcome in register.outcomes}, reverse=True),
        measures=measures,
        counted=measures.get(COUNTED),
        unprinted=register.unprinted,
        withheld=register.withheld,
    )
    return {pages.address(stem): page}


def _has(register: Register, number: str) -> bool:
    return any(outcome.line == number for outcome in register.outcomes)


def _row(outcome: Outcome, language: str, names: dict[str, str]) -> dict[str, object]:
    change, significance, contribution = (
        texts.get(language) or texts[BASE]
        for texts in (outcome.change, outcome.significance, outcome.contribution)
    )
    key = search_key(
        " ".join(
            [outcome.id, outcome.organisation, change, significance, contribution, outcome.project,
             names.get(outcome.line, ""), *outcome.evidence]
        )
    )  # fmt: skip
    return {
        "of": outcome,
        "change": change,
        "significance": significance,
        "contribution": contribution,
        "line": names.get(outcome.line, ""),
        "key": key,
    }


def outcomes_csv(register: Register) -> bytes:
    """Every printed outcome, in English. UTF-8 with a byte order mark, so that Excel reads accents."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in register.outcomes:
        evidence = [*item.evidence, "", ""][:2]
        texts = [
            item.organisation,
            item.change[BASE],
            item.significance[BASE],
            item.contribution[BASE],
            *evidence,
        ]
        writer.writerow(
            [
                item.id,
                item.happened_on.isoformat(),
                *map(escape_formula, texts),
                "yes" if item.is_substantiated else "no",
                item.line,
                item.indicator,
                item.project,
                item.stated_in,
            ]
        )
    return buffer.getvalue().encode("utf-8-sig")
