"""The figures as tidy CSV files with a Frictionless data package. One for all languages; nothing is formatted."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE
from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED
from mel_pipeline.reporting.figures.measures import missing, words
from mel_pipeline.reporting.figures.released import released
from mel_pipeline.reporting.figures.targets import with_kinds
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.open_data.fields import (
    EARLIER,
    FIGURES,
    STATEMENTS,
    TARGETS,
    Field,
    Table,
    indicators_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition, Publication

DANGEROUS = tuple("=+-@\t\r\0")  # a spreadsheet reads a text that starts with one of these as a formula
LICENCES = "https://creativecommons.org"


def build_data_package(edition: Edition, out_dir: Path, languages: Sequence[str] | None = None) -> Path:
    """Write ``<out_dir>/<period>/data/``: figures, indicators, targets as CSV and ``datapackage.json``; returns the last.

    Figures cover every released period up to the edition's, so that one file holds a whole series. A withheld or
    missing figure is empty and its status says why. The same edition gives the same bytes.

    Args:
        languages: of the names and definitions; every language of the edition by default.

    Raises:
        ReportError: a frame cannot be read, a key occurs twice, a number is invalid, or the folder cannot be written.
    """
    check_columns(edition)
    tables = [
        (FIGURES, _figures(edition)),
        (
            indicators_table(_there(edition, languages)),
            _records(_placed(edition.indicators)),
        ),
        (TARGETS, _targets(edition)),
    ]
    # What people state has files of its own, where there is any: no file mixes it with what was calculated.
    tables += [(table, rows) for table, rows in _stated(edition) if rows]
    folder = out_dir / edition.period / "data"
    resources = []
    for table, rows in tables:
        _check_keys(table, rows, edition.period)
        content = _csv(table, rows)
        write_if_changed(folder / f"{table.name}.csv", content)
        resources.append(_resource(table, content))
    path = folder / "datapackage.json"
    package = _package(edition, resources)
    write_if_changed(path, (json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))
    return path


def _targets(edition: Edition) -> list[dict[str, Any]]:
    rows = _records(with_kinds(edition.targets))
    return [row | {"category": row["category"] or "total"} for row in rows]


def _figures(edition: Edition) -> list[dict[str, Any]]:
    rows = []
    for one in released(edition, BASE):
        reading = one.reading
        low, high = reading.interval or (None, None)
        row: dict[str, Any] = {
            "indicator_id": one.measure.id,
            "period": one.period,
            "grain": "quarter" if "-" in one.period else "year",
            "dimension": one.dimension,
            "category": one.category,
            "status": reading.status if reading.status in ("ok", SUPPRESSED) else NOT_AVAILABLE,
            "unit": one.measure.unit,
            "version": one.version,
        }
        if reading.status != SUPPRESSED:
            row |= {
                "value": reading.value,
                "numerator": reading.numerator,
                "denominator": reading.denominator,
            }
            row |= {"n": reading.n, "low": low, "high": high, "note": reading.note}
            row |= {"expected": reading.expected, "covered": reading.covered}
        rows.append(row)
    return rows


def _stated(edition: Edition) -> list[tuple[Table, list[dict[str, Any]]]]:
    """Statements of figures up to the edition's period, and figures published earlier."""
    last = closing_quarter(edition.period)
    return [
        (
            STATEMENTS,
            [
                {
                    "indicator_id": item.indicator_id,
                    "period": item.period,
                    "dimension": item.dimension,
                    "category": item.category or item.dimension,
                    "role": item.role,
                    "stated_on": item.day.isoformat() if item.day else None,
                    "workbook_version": item.version,
                    "evidence": item.evidence,
                }
                for item in edition.statements
                if closing_quarter(item.period) <= last
            ],
        ),
        (
            EARLIER,
            [
                {
                    "indicator_id": item.indicator_id,
                    "period": item.period,
                    "dimension": item.dimension,
                    "category": item.category or item.dimension,
                    "value": item.value,
                    "document": item.document,
                    "page": item.page,
                    "note": item.note,
                }
                for item in edition.earlier
            ],
        ),
    ]


def _placed(indicators: Any) -> Any:
    """In the order of the report, numbered from one: positions in the catalogue leave room between them."""
    ordered = indicators.sort_values(["position", "indicator_id"])
    return ordered.assign(position=range(1, len(ordered) + 1))


def _records(frame: Any) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _there(edition: Edition, languages: Sequence[str] | None) -> list[str]:
    """Those of the languages in which the indicators have names, in the order of the frame; all without a choice."""
    found = [str(column)[len("name_") :] for column in edition.indicators if str(column).startswith("name_")]
    return [language for language in found if languages is None or language in languages]


def _check_keys(table: Table, rows: Iterable[Mapping[str, Any]], period: str) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        key = tuple(words(row[name]) for name in table.key)
        if key in seen:
            raise ReportError(
                f"Writing the data of {period}: {table.name}.csv would hold {', '.join(key)} twice."
                " Fix its model or its YAML file: one row per key."
            )
        seen.add(key)


def _csv(table: Table, rows: Iterable[Mapping[str, Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([field.name for field in table.fields])
    for row in rows:
        writer.writerow([_cell(field, row.get(field.name)) for field in table.fields])
    return buffer.getvalue().encode("utf-8")


def _cell(field: Field, value: Any) -> str:
    if missing(value):
        return ""
    if field.type in ("number", "integer"):
        amount = float(value)
        if not math.isfinite(amount) or (field.type == "integer" and not amount.is_integer()):
            raise ReportError(
                f"Writing the data: {field.name} {value!r} is not a valid {field.type}. Fix its SQL model."
            )
        return str(int(amount)) if amount.is_integer() else repr(amount)
    if field.type == "boolean":
        return "true" if str(value).strip().lower() in ("true", "1") else "false"
    text = f"'{value}" if str(value).startswith(DANGEROUS) else str(value)
    return text.replace("\r\n", "\n").replace("\r", "\n")  # the csv module leaves a lone CR unquoted


def _resource(table: Table, content: bytes) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "path": f"{table.name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\n"},
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": {
            "fields": [field.described() for field in table.fields],
            "missingValues": [""],
            "primaryKey": list(table.key),
            "foreignKeys": [
                {"fields": [name], "reference": {"resource": other, "fields": [name]}}
                for name, other in table.refers
            ],
        },
    }


def _licence(name: str) -> dict[str, str]:
    """A Creative Commons licence in data package form: ``CC-BY-SA-4.0`` → by-sa, 4.0."""
    kind, _, number = name.removeprefix("CC-").removeprefix("CC").rpartition("-")
    path = f"publicdomain/zero/{number}" if kind == "0" else f"licenses/{kind.lower()}/{number}"
    return {"name": name, "path": f"{LICENCES}/{path}/", "title": name.replace("-", " ")}


def _status(publication: Publication | None) -> str:
    if publication is None:
        return "provisional"
    return "recalled" if publication.recall else "published"


def _package(edition: Edition, resources: list[dict[str, Any]]) -> dict[str, Any]:
    publication = edition.publication
    recall = publication.recall if publication else None
    slug = re.sub(r"[^a-z0-9]+", "-", f"{edition.organisation} mel {edition.period}".lower()).strip("-")
    sample = (
        " Sample data: people and most figures are invented; do not quote them." if edition.is_sample else ""
    )
    package: dict[str, Any] = {
        "profile": "tabular-data-package",
        "name": slug,
        "title": f"{edition.organisation}: indicators, {edition.period}",
        "description": "Released figures of monitoring, evaluation and learning up to the period, with their"
        " definitions and targets. Percentages run from 0 to 100. Figures about fewer than"
        f" {edition.min_cell} people, and those they could be worked out from, are withheld: value empty,"
        f" status 'suppressed'.{sample}",
        "version": f"{edition.period}.{publication.version}"
        if publication
        else f"{edition.period}.0-provisional",
        "status": _status(publication),
        "recalled": {"day": recall.day.isoformat(), "role": recall.role, "reason": recall.reason}
        if recall
        else None,
        "releaseDays": {period: day.isoformat() for period, day in sorted(edition.release_days.items())}
        or None,
        "revisionPolicy": edition.revision_policy or None,
        "published": publication.day.isoformat() if publication else None,
        "created": f"{edition.data_as_of.isoformat()}T00:00:00Z",
        "sample": edition.is_sample,
        "contributors": [{"title": edition.organisation, "role": "publisher"}],
        "sources": [{"title": title} for title in dict.fromkeys(map(words, edition.quality["source_title"]))],
        "licenses": [_licence(edition.licence)] if edition.licence else None,
        "resources": resources,
    }
    return {key: value for key, value in package.items() if value is not None}
