"""An edition written by hand: plausible figures, and each awkward case once. Used by the reporting tests only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.statistics import wilson
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.publication.disclosure import Sensitivity, protect
from mel_pipeline.reporting import Edition
from mel_pipeline.reporting.digests import digest_of
from mel_pipeline.reporting.edition import Region

REPORTS = Path(__file__).parents[2] / "reports"
LANGUAGES = ("en", "fr", "es")
QUARTERS = ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
REGIONS = {
    "Asia": 64,
    "Africa": 26,
    "Latin America and the Caribbean": 24,
    "Eurasia and Middle East": 20,
    "Europe": 18,
    "North America": 7,
    "Not stated": 5,
}

# id, headline, name, unit, aggregation, direction, lines, decimals, chart, dimension
INDICATORS = [
    ("MEM-01", True, "Member cities", "members", "stock", "increase", "1", 0, "regions", "region"),
    ("MEM-02", True, "New member cities", "members", "flow", "increase", "1", 0, "trend", None),
    ("MEM-05", False, "Active member rate", "percent", "distinct", "increase", "1", 1, "trend", None),
    ("LAB-02", True, "Member cities engaged in Solutions Labs", "members", "distinct", "increase", "1;2", 0, "trend", None),
    ("SAT-02", True, "Satisfied participants", "percent", "ratio", "increase", "2", 0, "trend", None),
    ("SAT-01", False, "Participant satisfaction (mean)", "score", "ratio", "increase", "2", 1, "trend", None),
    ("GEN-01", True, "Women among Solutions Labs participants", "percent", "ratio", "in_band", "3", 0, "gender", "gender"),
    ("GEN-02", False, "Women among speakers", "percent", "ratio", "in_band", "3", 0, "gender", "gender"),
    ("RCH-01", True, "Digital views", "views", "flow", "increase", "4", 0, "trend", None),
    ("RCH-02", False, "Social media followers", "follows", "stock", "increase", "4", 0, "trend", None),
    ("FND-01", True, "International Fund: resources secured", "EUR", "stock", "increase", "5", 0, "categories", "donor"),
]  # fmt: skip

SERIES: dict[str, list[float | None]] = {
    "MEM-01": [152, 153, 155, 156, 158, 160, 163, 164],
    "MEM-02": [2, 1, 3, 1, 2, 2, 3, 1],
    "MEM-05": [21.1, 24.6, None, 30.2, 22.8, 26.3, 28.9, 31.7],
    "LAB-02": [9, 14, 11, 17, 12, 19, 16, 21],
    "SAT-02": [81.2, 84.0, 79.5, None, 83.3, 86.1, 88.0, 87.5],
    "SAT-01": [4.1, 4.2, 4.0, None, 4.2, 4.3, 4.4, 4.36],
    "GEN-01": [47.0, 49.1, 50.2, 51.0, 52.8, 53.0, 55.2, 54.31],
    "GEN-02": [38.0, 41.0, 36.0, 44.0, 39.0, 42.0, 45.0, 36.4],
    "RCH-01": [120_400, 98_250, 143_800, 160_120, 152_660, 181_300, 174_905, 658_382],
    "RCH-02": [9_800, 10_150, 10_400, 10_900, 11_300, 11_950, 12_480, None],
    "FND-01": [0, 0, 0, 0, 0, 0, 500_000, 800_000],
}
YEARS: dict[str, tuple[float | None, float | None]] = {
    "MEM-01": (156, 164),
    "MEM-02": (7, 8),
    "MEM-05": (52.4, 58.5),
    "LAB-02": (31, 39),
    "SAT-02": (81.6, 86.4),
    "SAT-01": (4.1, 4.3),
    "GEN-01": (49.6, 54.0),
    "GEN-02": (40.1, 40.6),
    "RCH-01": (522_570, 1_167_247),
    "RCH-02": (10_900, None),
    "FND-01": (0, 800_000),
}
BASES = {"SAT-02": 48, "SAT-01": 48, "GEN-01": 116, "GEN-02": 44, "MEM-05": 164}


ABOUT_PEOPLE = {
    "SAT-01": Sensitivity("answers", "denominator", "ratio", "score"),
    "SAT-02": Sensitivity("answers", "denominator", "ratio", "percent"),
    "GEN-01": Sensitivity("participants", "denominator", "distinct", "percent"),
    "GEN-02": Sensitivity("speakers", "denominator", "ratio", "percent"),
}


def sample_edition(period: str = "2024-Q4", **changes: object) -> Edition:
    """The edition; ``changes`` replace its fields."""
    edition = Edition(
        period=period,
        grain="quarter" if "-Q" in period else "year",
        organisation="Metropolis",
        is_sample=True,
        data_as_of=date(2025, 1, 14),
        figures=figures(),
        indicators=indicators(),
        targets=pd.DataFrame(
            [
                ("FND-01", "2026", 2_800_000.0, "Annual report 2024"),
                ("MEM-02", "2024-Q4", 2.0, "Work plan 2024"),
                ("LAB-02", "2024-Q4", 20.0, "Work plan 2024"),
                ("LAB-02", "2024", 40.0, "Work plan 2024"),
                ("SAT-02", "2024", 85.0, "Work plan 2024"),
            ],
            columns=["indicator_id", "period", "value", "origin"],
        ),
        lines_of_action=pd.DataFrame(
            [
                (1, "Peer exchange and member engagement", "Échange entre pairs", "Intercambio entre pares"),
                (2, "Projects, capacity building and funding for cities", "Projets", "Proyectos"),
                (3, "Global voice, events and advocacy", "Voix mondiale", "Voz global"),
                (4, "Knowledge products and communication", "Connaissance", "Conocimiento"),
                (5, "Organisation, resources and MEL", "Organisation", "Organización"),
            ],
            columns=["number", "name_en", "name_fr", "name_es"],
        ),
        quality=quality(),
        regions=regions(),
        notes=[
            "Instagram, daily statistics: 12 days of October 2024 are missing; the platform kept no older days."
        ],
    )
    return protected(replace(edition, **changes) if changes else edition)  # type: ignore[arg-type]


def regions() -> list[Region]:
    """Those of the shipped example."""
    listed = yaml_file(EXAMPLE / "regions.yml")["regions"]
    return [Region(dict(item["name"]), tuple(item["place"])) for item in listed]


def protected(edition: Edition) -> Edition:
    """The edition with small groups withheld, as read from the warehouse."""
    return replace(edition, figures=withheld(edition.figures, ABOUT_PEOPLE, edition.min_cell))


_WITHHELD: dict[str, pd.DataFrame] = {}


def withheld(figures: pd.DataFrame, rules: dict[str, Sensitivity], min_cell: int) -> pd.DataFrame:
    """The figures with small groups withheld; the same ones are protected once per process."""
    key = digest_of((figures, sorted(rules), min_cell))
    if key not in _WITHHELD:
        _WITHHELD[key] = protect(figures, rules, min_cell=min_cell).frame
    return _WITHHELD[key].copy()


def with_figure(edition: Edition, indicator: str, period: str, **changes: object) -> Edition:
    """The edition with columns of one total row replaced."""
    figures = edition.figures.copy()
    chosen = (
        (figures["indicator_id"] == indicator)
        & (figures["period"] == period)
        & (figures["dimension"] == "total")
    )
    for column, value in changes.items():
        figures.loc[chosen, column] = value
    return replace(edition, figures=figures)


def fewer_charts(edition: Edition) -> Edition:
    """The edition with two headline indicators instead of seven, for tests that do not check charts."""
    headline = edition.indicators["indicator_id"].isin(["LAB-02", "GEN-01"])
    return replace(edition, indicators=edition.indicators.assign(headline=headline, pictured=headline))


def cell(
    indicator: str,
    period: str,
    dimension: str,
    category: str | None,
    value: float | None,
    n: int | None = None,
) -> dict[str, object]:
    """One row of figures."""
    return _row(indicator, period, dimension, category, value) | {"n": n}


def with_cells(edition: Edition, rows: list[dict[str, object]]) -> Edition:
    """The edition with rows added."""
    together = edition.figures.to_dict("records") + rows
    return replace(edition, figures=pd.DataFrame(together))


def with_parts(edition: Edition, indicator: str, parts: dict[str, list[str]]) -> Edition:
    """The edition with a total made of parts in some quarters, such as the sites that were counted.

    Shares are the same in every part; amounts are split evenly.
    """
    mine = edition.indicators["indicator_id"] == indicator
    known = edition.indicators.assign(parts=None)
    if "parts" in edition.indicators:
        known["parts"] = edition.indicators["parts"]
    known.loc[mine, "parts"] = "site"
    whole = edition.figures[
        (edition.figures["indicator_id"] == indicator) & (edition.figures["dimension"] == "total")
    ]
    rows = []
    for total in whole.to_dict("records"):
        for name in parts.get(total["period"], []):
            row = total | {"dimension": "site", "category": name, "disaggregation": f"site={name}"}
            if indicator not in BASES:
                row |= {key: total[key] / len(parts[total["period"]]) for key in ("value", "numerator")}
            rows.append(row)
    return replace(with_cells(edition, rows), indicators=known)


def figures() -> pd.DataFrame:
    rows = []
    for indicator, values in SERIES.items():
        for period, value in zip(QUARTERS, values, strict=True):
            rows.append(_row(indicator, period, "total", None, value))
        for period, value in zip(("2023", "2024"), YEARS[indicator], strict=True):
            rows.append(_row(indicator, period, "total", None, value))
    for period in ("2024-Q4", "2024"):
        rows += [_row("MEM-01", period, "region", region, count) for region, count in REGIONS.items()]
        rows += [_row("FND-01", period, "donor", "Swiss Agency for Development and Cooperation", 700_000)]
        rows += [_row("FND-01", period, "donor", "Open Society Foundations", 100_000)]
        rows += _gender("GEN-01", period, {"Woman": 63, "Man": 48, "Non-binary": 5}, undisclosed=9)
        rows += _gender("GEN-02", period, {"Woman": 16, "Man": 26, "Non-binary": 2}, undisclosed=0)
    return pd.DataFrame([row | _bounds(row) for row in rows])


def _bounds(row: dict[str, object]) -> dict[str, object]:
    """The 95 % interval as the SQL models give it; of the mean made up."""
    name, value, above, below = (row[key] for key in ("indicator_id", "value", "numerator", "denominator"))
    if value is None or name not in BASES:
        return {"low": None, "high": None}
    if name == "SAT-01":
        return {"low": value - 0.25, "high": min(5.0, value + 0.25)}  # type: ignore[operator, type-var]
    found = wilson(above, below)  # type: ignore[arg-type]
    return {"low": found.low, "high": found.high}


def _row(
    indicator: str, period: str, dimension: str, category: str | None, value: float | None
) -> dict[str, object]:
    base = BASES.get(indicator)
    there = value is not None
    return {
        "indicator_id": indicator,
        "period": period,
        "grain": "quarter" if "-Q" in period else "year",
        "quarter": period if "-Q" in period else f"{period}-Q4",
        "disaggregation": "total" if category is None else f"{dimension}={category}",
        "dimension": dimension,
        "category": category,
        "value": value,
        "numerator": _numerator(indicator, value, base),
        "denominator": base if there else None,
        "n": base if there and base else (12 if indicator == "RCH-01" else None),
        "status": "ok" if there else "not_available",
        "note": None if there else "The source gave no data for part of this quarter.",
    }


def _numerator(indicator: str, value: float | None, base: int | None) -> float | None:
    if value is None or base is None:
        return value
    return round(value * base) if indicator == "SAT-01" else round(value * base / 100)


def _gender(indicator: str, period: str, counts: dict[str, int], undisclosed: int) -> list[dict[str, object]]:
    disclosed = sum(counts.values())
    everybody = disclosed + undisclosed
    cells = [(name, count, disclosed) for name, count in counts.items()] + [
        ("Undisclosed", undisclosed, everybody)
    ]
    return [
        _row(indicator, period, "gender", name, 100 * count / base)
        | {"numerator": count, "denominator": base, "n": base}
        for name, count, base in cells
    ]


def indicators() -> pd.DataFrame:
    rows = []
    for position, (
        id_,
        headline,
        name,
        unit,
        aggregation,
        direction,
        lines,
        decimals,
        chart,
        dimension,
    ) in enumerate(INDICATORS, start=1):
        band = (40.0, 60.0) if direction == "in_band" else (None, None)
        rows.append(
            {
                "indicator_id": id_,
                "position": position,
                "headline": headline,
                "pictured": headline,
                **{f"name_{language}": name for language in LANGUAGES},
                **{
                    f"definition_{language}": f"{name}, as counted on the last day of the period."
                    for language in LANGUAGES
                },
                "unit": unit,
                "numerator_text": "distinct members counted",
                "denominator_text": "members at the end of the period" if unit == "percent" else None,
                "aggregation": aggregation,
                "direction": direction,
                "band_low": band[0],
                "band_high": band[1],
                "baseline_value": {"MEM-01": 164.0, "FND-01": 800_000.0}.get(id_),
                "baseline_period": "2024" if id_ in ("MEM-01", "FND-01") else None,
                "baseline_note": "Stated in the annual report; five members are not listed."
                if id_ == "MEM-01"
                else None,
                "lines_of_action": lines,
                "source": "Zoho CRM",
                "frequency": "quarterly",
                "owner_role": "Membership officer",
                "level": "outcome",
                "collection": "crm",
                **{f"rationale_{language}": "Members are the mandate." for language in LANGUAGES},
                "assessed_on": date(2024, 6, 3) if id_ == "MEM-01" else None,
                **{
                    f"limitations_{language}": "Mergers of cities are not followed." for language in LANGUAGES
                },
                "decimals": decimals,
                "chart": chart,
                "chart_dimension": dimension,
            }
        )
    return pd.DataFrame(rows)


def quality() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("Zoho CRM", "Member cities", 171, 171, 0, "Complete.", date(2025, 1, 14)),
            ("Zoho CRM", "Participations", 2_318, 2_315, 3, "Quarantined rows: 3. The quarantine table gives the reasons.", date(2025, 1, 14)),
            ("Zoho Survey", "Responses", 214, 214, 0, "Complete.", date(2025, 1, 10)),
            ("Matomo", "Daily visits", 0, 0, 0, "Not loaded yet.", None),
        ],
        columns=["source_title", "entity_title", "rows_read", "rows_stored", "rows_quarantined", "status_sentence", "last_changed_on"],
    )  # fmt: skip
