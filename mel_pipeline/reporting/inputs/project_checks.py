"""What a row about projects, outcomes or partnerships is checked against: projects and indicators there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.sources.workbook.named_persons import SHEETS, doubtful_columns
from mel_pipeline.sources.workbook.said import Name, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mel_pipeline.sources.workbook.model import Row
    from mel_pipeline.sources.workbook.preview import Checks, Words
    from mel_pipeline.transform.catalogue import Catalogue

CURRENCIES = ("EUR", "USD", "GBP", "CHF")  # offered first; any other code of three letters is allowed


def project_choices(rows: Sequence[Row], currency: str) -> dict[str, Sequence[str]]:
    """Entries of the drop-down lists that these sheets use.

    Args:
        rows: of the sheet *Projects*.
        currency: that of the reports.
    """
    return {
        "projects": [str(row["code"]) for row in rows if row.get("code")],
        "currencies": list(dict.fromkeys([currency, *CURRENCIES])),
    }


def project_checks(
    catalogue: Catalogue, manual: set[str], projects: Sequence[Row]
) -> Mapping[str, Callable[[Row], Iterator[Words]]]:
    """By sheet, what is wrong with a row that its own cells do not show.

    Args:
        manual: codes of the indicators counted by hand.
        projects: rows of the sheet *Projects*, those of the upload among them.
    """
    codes = {str(row["code"]) for row in projects if row.get("code")}
    known = {one.id for one in catalogue.indicators} | manual
    lines = {line.number for line in catalogue.lines_of_action}
    dimensions = {one.id: one.disaggregations for one in catalogue.indicators if not one.stated}

    def check(row: Row) -> Iterator[Words]:
        project, indicator, line = row.get("project"), row.get("indicator"), row.get("line")
        if project and project not in codes:
            yield "project", Said("project_unknown", code=project, sheet=Name("projects"))
        if indicator and indicator not in known:
            yield "indicator", Said("indicator_unknown", code=indicator)
        if line and int(float(line)) not in lines:
            yield "line", Said("line_unknown", line=line)
        dimension = row.get("dimension")
        if dimension and indicator in dimensions and dimension not in dimensions[indicator]:
            known_ones = list(dimensions[indicator])
            yield (
                "dimension",
                Said("dimension_unknown", code=indicator, dimension=dimension, known=known_ones)
                if known_ones
                else Said("dimension_none", code=indicator),
            )

    return dict.fromkeys(("projects", "project_finances", "logframe", "outcomes", "partnerships"), check)


def person_notes() -> Checks:
    """By sheet, the columns of a row that may name a person: accepted, and not printed."""

    def check(name: str) -> Callable[[Row], list[Words]]:
        return lambda row: [(key, Said("may_name_person")) for key in doubtful_columns(name, row)]

    return {name: check(name) for name in SHEETS}
