"""The open data: tidy, described, valid; a damaged file is detected."""

from __future__ import annotations

import csv
import json
import warnings
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.edition import Publication
from mel_pipeline.reporting.open_data.build import build_data_package
from mel_pipeline_tests.golden.sample_edition import cell, sample_edition, with_cells, with_figure


def judged(path):
    """The report of Frictionless on a package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own dependencies
        from frictionless import validate

        return validate(str(path))


def rows_of(package, name):
    with (package.parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def package(tmp_path):
    return build_data_package(sample_edition(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("period", ["2024-Q4", "2024", "2023-Q2"])
@pytest.mark.sweep("2024-Q4")
def test_the_package_is_valid(period, tmp_path):
    path = build_data_package(replace(sample_edition(period), licence="CC-BY-4.0"), tmp_path)
    assert path.parts[-3:] == (period, "data", "datapackage.json")
    report = judged(path)
    assert report.valid, report.flatten(["title", "rowNumber", "fieldName", "note"])
    assert {task.name for task in report.tasks} == {"figures", "indicators", "targets"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("figures", "MEM-01,2024-Q4,quarter,total,total,164", "MEM-01,2024-Q4,quarter,total,total,many", "type-error"),
        ("figures", "MEM-01,2024-Q4,quarter,total,total,164", "MEM-01,2024-Q4,quarter,total,total,165", "hash-count"),
        ("figures", "MEM-01,2024-Q4,quarter,total,total", "XXX-01,2024-Q4,quarter,total,total", "foreign-key"),
        ("figures", "MEM-01,2024-Q4,quarter,total,total", "MEM-01,2024-Q3,quarter,total,total", "primary-key"),
        ("figures", "MEM-01,2024-Q4,quarter", "MEM-01,fourth,quarter", "constraint-error"),
        ("targets", "LAB-02,total,total,2024-Q4,target,2024-Q4,20", "LAB-02,total,total,2024-Q4,target,2024-Q4", "missing-cell"),
    ],
)  # fmt: skip
@pytest.mark.sweep
def test_a_damaged_file_is_detected(name, old, new, fault, package):
    path = package.parent / f"{name}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    report = judged(package)
    assert not report.valid
    assert any(fault in kind for (kind,) in report.flatten(["type"])), report.flatten(["type", "note"])


def test_files_are_utf8_with_line_feeds_and_unchanged_on_rebuild(package, tmp_path):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in package.parent.iterdir()}
    assert len(before) == 4
    for content, _ in before.values():
        content.decode("utf-8")
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
        assert content.endswith(b"\n")
    build_data_package(sample_edition(), tmp_path)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in package.parent.iterdir()} == before


def test_a_withheld_figure_is_empty_and_says_so(package):
    rows = rows_of(package, "figures")
    withheld = [row for row in rows if row["status"] == "suppressed"]
    absent = [row for row in rows if row["status"] == "not_available"]
    assert withheld
    assert absent
    for row in withheld:
        assert not any(
            row[name] for name in ("value", "numerator", "denominator", "n", "low", "high", "note")
        )
    assert not any(row["value"] for row in absent)
    assert all(row["value"] for row in rows if row["status"] == "ok")


def test_numbers_are_not_rounded_and_not_decorated(package):
    figures = {
        (row["indicator_id"], row["period"], row["category"]): row for row in rows_of(package, "figures")
    }
    assert figures["GEN-01", "2024-Q4", "total"]["value"] == "54.31"
    assert figures["RCH-01", "2024", "total"]["value"] == "1167247"
    assert figures["MEM-01", "2024-Q4", "Asia"]["value"] == "64"


@pytest.mark.slow
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
@pytest.mark.sweep
def test_a_text_that_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe_and_numbers_do_not(start, tmp_path):
    text = f"{start}1+1"
    edition = with_figure(sample_edition(), "RCH-02", "2024-Q4", note=None)
    edition = with_cells(edition, [cell("MEM-02", "2024-Q4", "theme", f"{text}x", -5.0)])
    edition.indicators["source"] = text
    package = build_data_package(edition, tmp_path)
    figures = [row for row in rows_of(package, "figures") if row["dimension"] == "theme"]
    assert [(row["category"][-4:], row["value"]) for row in figures] == [("1+1x", "-5")]
    assert {row["source"] for row in rows_of(package, "indicators")} == {f"'{text}".replace("\r", "\n")}
    assert judged(package).valid


def test_a_rebuilt_past_edition_holds_nothing_later(tmp_path):
    rows = rows_of(build_data_package(sample_edition("2023-Q3"), tmp_path), "figures")
    assert {row["period"] for row in rows} == {"2023-Q1", "2023-Q2", "2023-Q3"}


def test_the_package_states_version_status_sources_and_licence(tmp_path):
    package = json.loads(build_data_package(sample_edition(), tmp_path).read_text(encoding="utf-8"))
    assert (package["status"], package["version"], package["sample"]) == (
        "provisional",
        "2024-Q4.0-provisional",
        True,
    )
    assert package["created"] == "2025-01-14T00:00:00Z"
    assert {"title": "Zoho CRM"} in package["sources"]
    assert "licenses" not in package
    frozen = sample_edition(publication=Publication(3, date(2025, 2, 1), "MEL lead", ""))
    package = json.loads(
        build_data_package(replace(frozen, licence="CC-BY-SA-4.0"), tmp_path).read_text(encoding="utf-8")
    )
    assert (package["status"], package["version"], package["published"]) == (
        "published",
        "2024-Q4.3",
        "2025-02-01",
    )
    path = "https://creativecommons.org/licenses/by-sa/4.0/"
    assert package["licenses"] == [{"name": "CC-BY-SA-4.0", "path": path, "title": "CC BY SA 4.0"}]
    package = json.loads(
        build_data_package(replace(frozen, licence="CC0-1.0"), tmp_path).read_text(encoding="utf-8")
    )
    assert package["licenses"][0]["path"] == "https://creativecommons.org/publicdomain/zero/1.0/"


def test_two_targets_for_one_period_are_refused(tmp_path):
    edition = sample_edition()
    edition = replace(edition, targets=pd.concat([edition.targets, edition.targets.tail(1)]))
    with pytest.raises(
        ReportError, match=r"targets\.csv would hold SAT-02, total, total, 2024, target, 2024 twice"
    ):
        build_data_package(edition, tmp_path)


def test_a_count_with_a_fraction_is_refused(tmp_path):
    edition = sample_edition()
    edition.indicators["decimals"] = 2.5
    with pytest.raises(ReportError, match=r"decimals 2\.5 is not a valid integer"):
        build_data_package(edition, tmp_path)
