"""The columns of the open data, described once: types, constraints, keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PERIOD = r"\d{4}(-Q[1-4])?"


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    title: str
    constraints: dict[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As a Frictionless field."""
        described = {"name": self.name, "type": self.type, "title": self.title}
        return {**described, "constraints": self.constraints} if self.constraints else described


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    refers: tuple[tuple[str, str], ...] = ()  # column, table that has it


def _one_of(*codes: str) -> dict[str, Any]:
    return {"required": True, "enum": list(codes)}


NEEDED = {"required": True}
IDENTIFIER = Field(
    "indicator_id", "string", "Code of the indicator", {"required": True, "pattern": r"[A-Z]{2,5}-\d{2}"}
)
DATED = Field("period", "string", "Quarter as 2024-Q4 or year as 2024", {"required": True, "pattern": PERIOD})

FIGURES = Table(
    "figures",
    "Figures, one row a figure: totals and their groups",
    (
        IDENTIFIER,
        DATED,
        Field("grain", "string", "Whether the period is a quarter or a year", _one_of("quarter", "year")),
        Field("dimension", "string", "What the figure is broken down by; 'total' for the whole", NEEDED),
        Field("category", "string", "Group within the breakdown; 'total' for the whole", NEEDED),
        Field("value", "number", "Figure in the unit of its indicator; percentages run from 0 to 100"),
        Field("numerator", "number", "Numerator"),
        Field("denominator", "number", "Denominator"),
        Field("n", "integer", "People, answers or posts the figure rests on", {"minimum": 0}),
        Field("low", "number", "Lower end of the 95% interval"),
        Field("high", "number", "Upper end of the 95% interval"),
        Field(
            "expected",
            "integer",
            "Days (issues, agreements) it should rest on; empty where it is whole by nature",
        ),
        Field("covered", "integer", "Those of them that it does rest on"),
        Field("unit", "string", "Unit", NEEDED),
        Field(
            "status",
            "string",
            "ok; suppressed: withheld to protect a small group; not_available: no data. Never zero for missing.",
            _one_of("ok", "suppressed", "not_available"),
        ),
        Field("version", "integer", "Version of the publication it is frozen in; empty while provisional"),
        Field("note", "string", "What is not covered, or why there is no figure"),
    ),
    ("indicator_id", "period", "dimension", "category"),
    (("indicator_id", "indicators"),),
)


def indicators_table(languages: Sequence[str]) -> Table:
    """Definitions of the indicators, with a column for each text and language."""
    return Table(
        "indicators",
        "Definitions of the indicators",
        (
            Field(IDENTIFIER.name, "string", IDENTIFIER.title, {**IDENTIFIER.constraints, "unique": True}),
            Field("position", "integer", "Place in the report"),
            Field("headline", "boolean", "Whether it stands on the first page"),
            *(Field(f"name_{language}", "string", "Name") for language in languages),
            *(Field(f"definition_{language}", "string", "Definition") for language in languages),
            Field("unit", "string", "Unit", NEEDED),
            Field("numerator_text", "string", "What the numerator counts"),
            Field("denominator_text", "string", "What the denominator counts"),
            Field(
                "aggregation",
                "string",
                "From quarters to a year",
                _one_of("stock", "flow", "distinct", "ratio"),
            ),
            Field(
                "direction",
                "string",
                "Which way is good",
                _one_of("increase", "decrease", "in_band", "context"),
            ),
            Field("band_low", "number", "Lower end of the band that is good"),
            Field("band_high", "number", "Upper end of the band that is good"),
            Field("baseline_value", "number", "Baseline"),
            Field("baseline_period", "string", "Period of the baseline"),
            Field("baseline_note", "string", "Where the baseline comes from"),
            Field("lines_of_action", "string", "Lines of action, separated by semicolons"),
            Field("source", "string", "Source"),
            Field("frequency", "string", "Frequency"),
            Field("owner_role", "string", "Role that is responsible"),
            Field("level", "string", "Level of results", _one_of("input", "output", "outcome", "impact")),
            Field("collection", "string", "How the data are collected"),
            *(Field(f"rationale_{language}", "string", "Why it is measured") for language in languages),
            Field("assessed_on", "date", "Last data-quality assessment"),
            *(Field(f"limitations_{language}", "string", "Limitations") for language in languages),
            Field("decimals", "integer", "Decimals it is printed with", {"minimum": 0}),
        ),
        ("indicator_id",),
    )


STATEMENTS = Table(
    "statements",
    "Where figures counted by hand come from",
    (
        IDENTIFIER,
        DATED,
        Field("dimension", "string", "What the figure is broken down by; 'total' for the whole", NEEDED),
        Field("category", "string", "Group within the breakdown; 'total' for the whole", NEEDED),
        Field("role", "string", "Role that stated it"),
        Field("stated_on", "string", "Day on which it was accepted, as 2026-11-30"),
        Field("workbook_version", "integer", "Version of the workbook that stated it"),
        Field("evidence", "string", "Where it can be checked", NEEDED),
    ),
    ("indicator_id", "period", "dimension", "category"),
    (("indicator_id", "indicators"),),
)

EARLIER = Table(
    "earlier_figures",
    "Figures published before, as printed; none of them is calculated",
    (
        IDENTIFIER,
        DATED,
        Field("dimension", "string", "What the figure is broken down by; 'total' for the whole", NEEDED),
        Field("category", "string", "Group within the breakdown; 'total' for the whole", NEEDED),
        Field("value", "number", "Figure in the unit of its indicator", NEEDED),
        Field("document", "string", "Document it was printed in", NEEDED),
        Field("page", "string", "Page in it", NEEDED),
        Field("note", "string", "What readers should know"),
    ),
    ("indicator_id", "period", "dimension", "category", "document"),
    (("indicator_id", "indicators"),),
)

TARGETS = Table(
    "targets",
    "Targets",
    (
        IDENTIFIER,
        Field("dimension", "string", "What the target is broken down by; 'total' for the whole", NEEDED),
        Field("category", "string", "Group within the breakdown; 'total' for the whole", NEEDED),
        DATED,
        Field(
            "kind",
            "string",
            "target; milestone: to be reached by its date; revision: replaces the target from its date on;"
            " baseline of a group",
            _one_of("target", "milestone", "revision", "baseline"),
        ),
        Field("on_date", "string", "When it is to be reached; of a revision, when it was made", NEEDED),
        Field("value", "number", "Target in the unit of its indicator"),
        Field("origin", "string", "Where the target was set, or why it was changed"),
    ),
    ("indicator_id", "dimension", "category", "period", "kind", "on_date"),
    (("indicator_id", "indicators"),),
)
