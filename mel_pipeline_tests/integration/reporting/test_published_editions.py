"""What readers find in all published editions together: every format and language, the site, and no draft."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.publication.sensitivity import people_indicators
from mel_pipeline.reporting.inputs.editions import read_edition, write_edition
from mel_pipeline.reporting.inputs.folders import clear_away, editions_dir
from mel_pipeline.reporting.inputs.site_data import write_site
from mel_pipeline.reporting.page import model
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline.reporting.workbook import sheets
from mel_pipeline.reporting.workbook.cells import Words
from mel_pipeline_tests.fixtures.organisation import Small, event, member, organisation
from mel_pipeline_tests.fixtures.paper import poppler

Cell = tuple[str, str, str]  # indicator, period, disaggregation
Numbers = tuple[str, str, str]  # value, numerator, denominator
DRAFT = re.compile(r"2024.?[QT]4|[QT]4.?2024")


def write(small: Small, *periods: str) -> Path:
    for period in periods:
        write_edition(read_edition(small.warehouse, small.settings, period), small.settings)
    write_site(small.warehouse, small.settings)
    return small.settings.published_dir


def in_csv(folder: Path) -> dict[Cell, set[Numbers]]:
    """Every figure with a number in any CSV file: open data and the site's downloads."""
    found: dict[Cell, set[Numbers]] = {}
    for path in folder.rglob("*.csv"):
        for row in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))):
            if row.get("value") and {"indicator_id", "period", "dimension", "numerator"} <= row.keys():
                total = row["dimension"] == "total"
                cell = "total" if total else f"{row['dimension']}={row['category']}"
                numbers = tuple(f"{float(row[name]):.6g}" if row[name] else "" for name in NUMBERS)
                found.setdefault((row["indicator_id"], row["period"], cell), set()).add(numbers)  # type: ignore[arg-type]
    return found


def quarter_of(period: str) -> str:
    """Of a month its quarter; another period itself."""
    is_month = re.fullmatch(r"\d{4}-\d{2}", period)
    return str(Quarter.of(date.fromisoformat(f"{period}-01"))) if is_month else period


HELPER = 173  # answers withheld so that three others cannot be derived; no other number is this one
NUMBERS = ("value", "numerator", "denominator")


def texts(folder: Path) -> dict[str, str]:
    """The words of every page, chart, PDF and workbook of the editions and of the reading site."""
    found = {}
    for path in sorted(folder.rglob("*.pdf")):
        found[f"{path.parent.name}/{path.name}"] = poppler("pdftotext", "-raw", path, "-")
    for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.svg")]):
        text = path.read_text("utf-8")
        told = " ".join(re.findall(r"(?:aria-label|alt|title|content|data-[\w-]+)=\"([^\"]*)\"", text))
        words = told + re.sub(r"<(style|script)\b.*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)
        found[f"{path.parent.name}/{path.name}"] = words
    for path in sorted(folder.rglob("*.xlsx")):
        sheets = openpyxl.load_workbook(path).worksheets
        rows = [" ".join(map(str, row)) for sheet in sheets for row in sheet.iter_rows(values_only=True)]
        found[f"{path.parent.name}/{path.name}"] = "\n".join(rows)
    return found


@pytest.mark.slow  # three editions in two languages and four formats
@pytest.mark.long
def test_no_edition_format_or_language_shows_a_draft_or_what_another_one_withheld(tmp_path: Path) -> None:
    small = organisation(
        tmp_path,
        reports_dir=tmp_path / "published",
        languages="en,fr",
        formats="html,pdf,xlsx,csv",
        processes=1,
    )
    small.load("accounts", [member(number) for number in range(1, 8)])
    early = {"starts_at": "2024-08-05T09:00:00+00:00"}
    small.load(
        "events",
        [
            event(1, **early),
            event(2, event_type="Panel", **early),
            event(3, event_type="Training", **early),
            event(4),
            event(5, event_type="Panel"),
        ],
    )
    for number, count in ((1, HELPER), (2, 3), (3, 139), (4, 20), (5, 25)):
        answers = {f"e{number}r{item}": "Satisfied" for item in range(count)}
        small.survey(f"event{number}.csv", answers, f"EV-{number}")
    for quarter in ("2024-Q3", "2024-Q4"):
        small.calculate(quarter)
    folder = write(small)
    assert not folder.exists(), "drafts are nothing for readers"
    (small.settings.drafts_dir / "2024-Q3").mkdir()

    small.publish("2024-Q3")
    first = in_csv(write(small, "2024-Q3"))
    assert {quarter_of(period) for _, period, _ in first} == {"2024-Q3"}, "and its months"
    assert not (small.settings.drafts_dir / "2024-Q3").exists(), "it is no draft any more"
    words = texts(folder)
    assert len(words) >= 4 and not [name for name, text in words.items() if DRAFT.search(text)]

    small.survey("late.csv", {"late": "Very dissatisfied"}, "EV-3")
    for quarter in ("2024-Q3", "2024-Q4"):
        small.calculate(quarter)
    small.restated("2024-Q3")
    small.publish("2024-Q4")
    second = in_csv(write(small, "2024-Q4"))
    people = people_indicators(small.settings)
    rows = small.warehouse.records("select * from published_figures")
    shown: dict[Cell, set[Numbers]] = {}
    for row in rows:
        if row["status"] == "ok" and row["indicator_id"] in people:
            numbers = tuple("" if row[name] is None else f"{row[name]:.6g}" for name in NUMBERS)
            shown.setdefault((row["indicator_id"], row["period"], row["disaggregation"]), set()).add(numbers)  # type: ignore[arg-type]
    printed = {
        cell: first.get(cell, set()) | second.get(cell, set())
        for cell in first.keys() | second.keys()
        if cell[0] in people
    }
    assert printed == shown, "as published, in each edition and format"
    withheld = {
        (row["indicator_id"], row["period"], row["disaggregation"])
        for row in rows
        if row["status"] == "suppressed"
    }
    assert ("SAT-01", "2024-Q3", "activity_type=Panel") in withheld
    assert not withheld & printed.keys()
    assert ("SAT-01", "2024-Q3", "activity_type=Solutions Lab") in withheld
    words = texts(folder)
    assert {Path(name).suffix for name in words} == {".html", ".pdf", ".svg", ".xlsx"}
    assert not [
        name for name, text in words.items() if re.search(rf"(?<![\d.,]){HELPER}(?![\d.,]\d|\d)", text)
    ]


def test_the_published_folder_must_not_contain_the_drafts(tmp_path: Path) -> None:
    settings = organisation(tmp_path / "home", reports_dir=tmp_path).settings
    with pytest.raises(ReportError, match="Set MEL_REPORTS_DIR to a folder that does not contain MEL_HOME"):
        editions_dir(settings, published=True)


def test_moving_an_edition_leaves_nothing_behind_and_keeps_files_people_added(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old" / "2024-Q4", tmp_path / "new" / "2024-Q4"
    for folder in (old / "charts", new):
        folder.mkdir(parents=True)
    (old / "report-en.html").write_text("old")
    (new / "report-en.html").write_text("new")
    (old / "charts" / "MEM-01.svg").write_text("chart")
    (old / "notes.docx").write_text("by hand")
    clear_away(old, new)
    clear_away(old, new)
    assert not old.exists() and (new / "report-en.html").read_text() == "new"
    assert (new / "notes.docx").is_file() and (new / "charts" / "MEM-01.svg").is_file()


@pytest.mark.long
def test_the_quality_page_counts_no_few_people_and_names_unreadable_dates_of_leaving(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [member(1, left_on="in the autumn"), *map(member, range(2, 30))])
    small.load("events", [event(1)])
    small.survey("few.csv", {"r1": "Satisfied", "r2": "Satisfied", "r3": "Dissatisfied"})
    small.calculate("2024-Q4")
    edition = read_edition(small.warehouse, small.settings, "2024-Q4")
    texts_en = load_texts(small.settings.report_sources, "en")
    counted = {row["source"]: (row["read"], row["stored"]) for row in model._quality(edition, texts_en)}
    assert counted["Survey exports"] == ("not shown", "not shown")
    assert {row["source"]: row["rows"] for row in model._card(edition, texts_en)}[
        "Survey exports"
    ] == "not shown"
    assert "not shown" in {cell for row in sheets._quality(edition, Words(texts_en)).rows for cell in row}
    [note] = edition.notes
    assert note.startswith("Zoho CRM (Organisations): dates of leaving that cannot be read.")
    for language in ("fr", "es", "ca"):
        other = load_texts(small.settings.report_sources, language)
        assert other.say(note) != note and not other.missing
