"""All performance targets; every benchmark prints its results against them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """``limit``: the most that is allowed, as a ratio unless ``unit`` says otherwise. ``strict``: it must stay below."""

    sentence: str
    limit: float
    unit: str = "×"
    strict: bool = False


TARGETS = {
    "nightly": Target("A nightly run on the sample compared with as many empty assets and checks", 1.5),
    "nightly news": Target(
        "A nightly run after new answers compared with as many empty assets and checks", 2.0
    ),
    "definitions": Target("Loading the definitions compared with `import dagster` alone", 1.5),
    "zoho": Target("CRM sync compared with a bare loop over the same answers", 1.2),
    "zoho memory": Target("Memory of a load of a million records", 500, " MB"),
    "survey": Target("Reading a large survey export compared with `pandas.read_csv`", 3.0),
    "survey memory": Target("Memory of the whole import of a survey export", 2_000, " MB"),
    "report": Target("All formats of a report compared with their libraries alone", 1.5),
    "models": Target("SQL models without tests beside one hand-written DuckDB script", 1.15),
    "models memory": Target("Memory of the models compared with that of the script", 1.25),
    "tests dbt": Target("Models with their tests compared with `dbt build` on the same folder", 0.7),
    "tests sqlmesh": Target("Models with their tests compared with SQLMesh with audits", 1.0, strict=True),
    "tests polars": Target(
        "Models with their tests compared with polars with the same tests", 1.0, strict=True
    ),
    "tests pandas": Target(
        "Models with their tests compared with pandas with the same tests", 1.0, strict=True
    ),
    "late answers": Target("A nightly run after late answers compared with a full rebuild", 0.5),
    "no news": Target("A nightly run without new rows compared with a full rebuild", 0.25),
    "history": Target("A night with forty quarters of history compared with one with eight", 2.0),
    "growth": Target("What a night adds to the disk once old runs are removed", 1.0, " MB a night"),
    "memory": Target("Memory of the project's own models at 20 million rows", 4_096, " MB"),
}


@dataclass(frozen=True)
class Verdict:
    """One measured value and its target."""

    target: str
    value: float
    where: str = ""

    @property
    def is_met(self) -> bool:
        target = TARGETS[self.target]
        return self.value < target.limit if target.strict else self.value <= target.limit

    @property
    def sentence(self) -> str:
        target = TARGETS[self.target]
        kind = "below" if target.strict else "at most"
        shown = "{:.0f}" if target.unit == " MB" else "{:.2f}"
        place = f" ({self.where})" if self.where else ""
        return (
            f"{target.sentence}{place}: {shown.format(self.value)}{target.unit},"
            f" target {kind} {shown.format(target.limit)}{target.unit}: {'met' if self.is_met else 'NOT met'}"
        )
