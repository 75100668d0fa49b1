"""Dates as survey tools and spreadsheets write them, in four languages, and columns that a spreadsheet half converted."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from babel.dates import format_datetime, format_skeleton
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from mel_pipeline.sources.shared.dates import Order, order_of, read_moment
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.survey_cases import dropped, refusals, responses

LANGUAGES = ("en_US", "en_GB", "fr_FR", "fr_CA", "es_ES", "es_MX", "ca_ES")
# Without the year's era or quarter; `yy` is how a narrow column shows the year.
PATTERNS = (
    "d MMMM y", "d MMM y", "dd-LLL-y", "dd-LLL-yy", "LLL dd, y", "LLLL d, y", "EEEE, d MMMM y", "EEE d MMM y", "y-LLL-dd",
    "EEEE d MMMM y", "d LLL ''yy",
)  # fmt: skip
CLOCKS = ("", " HH:mm", " HH:mm:ss", ", H:mm", " h:mm a", " HH.mm")
CLEAR = [  # read the same whatever the order
    ("05-Nov-2024", "2024-11-05T00:00:00"),  # Zoho Survey
    ("05-Nov-2024 09:15 PM", "2024-11-05T21:15:00"),
    ("05-Nov-24 09:15", "2024-11-05T09:15:00"),
    ("Tue, 5 Nov 2024 09:00", "2024-11-05T09:00:00"),
    ("Tuesday, November 5, 2024 at 9:00 AM", "2024-11-05T09:00:00"),
    ("Tue Nov 05 2024 09:00:00 GMT+0100 (Central European Standard Time)", "2024-11-05T09:00:00+01:00"),
    ("Nov 5th, 2024 9 AM", "2024-11-05T09:00:00"),
    ("mardi 5 novembre 2024 à 14 h 05", "2024-11-05T14:05:00"),
    ("1er août 2024", "2024-08-01T00:00:00"),
    ("15 juil. 2024 14:05", "2024-07-15T14:05:00"),
    ("martes, 5 de noviembre de 2024, 9:00\u00a0a.\u00a0m.", "2024-11-05T09:00:00"),
    ("5 de setiembre de 2024", "2024-09-05T00:00:00"),
    ("dimarts, 5 de novembre del 2024, a les 9:05", "2024-11-05T09:05:00"),
    ("5 d’abril de 2024", "2024-04-05T00:00:00"),
    ("dt. 5 nov. 2024", "2024-11-05T00:00:00"),
    ("Mar 5 2024", "2024-03-05T00:00:00"),  # March, though `mar` is a Tuesday too
    ("mar. 5 nov. 2024", "2024-11-05T00:00:00"),
    ("2024-Nov-05", "2024-11-05T00:00:00"),
    ("2024. 11. 5. 09:00", "2024-11-05T09:00:00"),
    ("2024-11-05 09:00 (UTC+01:00)", "2024-11-05T09:00:00+01:00"),
    ("2024-11-05 09:00:00 CET", "2024-11-05T09:00:00+01:00"),
]
UNREADABLE = (
    "Mon, 5 Nov 2024", "lundi 05/11/2024", "15 jui. 2024", "5 Nov", "Nov 2024", "5 Foo 2024", "2024-11-05 09:00 CST",
    "2024-11-05 09:00 (Somewhere)", "2024-11-05 9", "31 abril 2024", "5 Nov 2024 25:00", "13:00 PM", "45601.375",
)  # fmt: skip


@pytest.mark.parametrize(("text", "iso"), CLEAR)
@pytest.mark.parametrize("order", [None, "day_first", "month_first"])
@pytest.mark.behaviour("dates_in_words", "*")
def test_a_date_in_words_needs_no_order(text: str, iso: str, order: Order | None) -> None:
    assert read_moment(text, order) == iso


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_date_or_means_two_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        read_moment(text, "day_first")


@pytest.mark.slow
@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 12, 31)),
    st.sampled_from(LANGUAGES),
    st.sampled_from(PATTERNS),
    st.sampled_from(CLOCKS),
)
@settings(max_examples=examples(150, 1_500), deadline=None)
@pytest.mark.deep
@pytest.mark.behaviour("dates_in_words", "*")
def test_a_date_in_words_comes_back_as_it_was_written(
    moment: datetime, language: str, pattern: str, clock: str
) -> None:
    written = format_datetime(moment, pattern + clock, locale=language)
    kept = {"minutes": moment.minute} if clock else {}
    if "ss" in clock:
        kept["seconds"] = moment.second
    hours = moment.hour if clock else 0
    expected = datetime.combine(moment.date(), datetime.min.time()) + timedelta(hours=hours, **kept)
    assert read_moment(written, None) == expected.isoformat(), written


@pytest.mark.slow
@given(
    st.lists(st.dates(date(2001, 1, 1), date(2099, 12, 31)), min_size=1, max_size=8),
    st.sampled_from(["day_first", "month_first"]),
    st.sampled_from("/.-"),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=examples(100, 1_500), deadline=None)
@pytest.mark.deep
def test_numeric_dates_are_read_right_or_refused_and_never_swapped(
    days: list[date], order: Order, mark: str, short: bool, weekdays: bool
) -> None:
    pattern = mark.join(["%d", "%m"] if order == "day_first" else ["%m", "%d"]) + (
        f"{mark}%y" if short else f"{mark}%Y"
    )
    texts = [day.strftime(f"%a {pattern}" if weekdays else pattern) for day in days]
    try:
        found = order_of(texts, None)
    except FileRefusedError:
        assert not any(day.day > 12 for day in days)
        return
    assert [read_moment(text, found)[:10] for text in texts] == [day.isoformat() for day in days]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_month_is_read_by_its_name_and_its_abbreviation(language: str) -> None:
    for month in range(1, 13):
        moment = datetime(2024, month, 17)
        for skeleton in ("yMMMMd", "yMMMd", "yMMMEd"):
            written = format_skeleton(skeleton, moment, locale=language)
            assert read_moment(written, None) == moment.isoformat(), written


def test_a_weekday_decides_the_order_of_a_numeric_date() -> None:
    assert order_of(["Tue 05/11/2024"], None) == "day_first"
    assert order_of(["Sat 05/11/2024"], None) == "month_first"
    with pytest.raises(FileRefusedError, match="two ways"):
        order_of(["05/11/2024", "Sun 05/05/2024"], None)


@pytest.mark.slow
def test_a_half_converted_column_of_the_case_is_refused_and_not_swapped(tmp_path: Path) -> None:
    dropped(tmp_path, "dates_xlsx_half_converted.xlsx")
    assert "swaps day and month" in refusals(tmp_path)["dates_xlsx_half_converted.xlsx"]


HEADERS = {
    "google_forms": ["Timestamp", "Overall satisfaction"],
    "microsoft_forms": ["ID", "Start time", "Completion time", "Email", "Name", "Overall satisfaction"],
    "zoho_survey": ["Response ID", "Response Status", "End time", "Overall satisfaction"],
}


@pytest.mark.slow
@pytest.mark.parametrize("tool", HEADERS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("late", [0, 40])
@pytest.mark.behaviour("half_converted", "google_forms", "microsoft_forms", "zoho_survey")
@pytest.mark.fault(75)
@pytest.mark.sweep("0-csv", "0-xlsx-google")
def test_a_half_converted_column_is_refused_in_every_tool(
    tmp_path: Path, tool: str, kind: str, late: int
) -> None:
    """Whether the first rows show it, or one far below."""
    header = HEADERS[tool]

    def row(number: int, when: object) -> list[object]:
        moments = [when] * (2 if tool == "microsoft_forms" else 1)
        front: list[object] = {
            "google_forms": [],
            "microsoft_forms": [number],
            "zoho_survey": [number, "Completed"],
        }[tool]
        return [*front, *moments, *(["anonymous", ""] if tool == "microsoft_forms" else []), "5"]  # fmt: skip

    dates = [datetime(2024, 5, 11, 9, n) for n in range(late + 1)]
    rows = [row(n, when) for n, when in enumerate(dates)] + [row(99, "13/11/2024 09:00")]
    if kind == "xlsx":
        book, content = Workbook(), io.BytesIO()
        for line in (header, *rows):
            book.active.append(line)
        book.save(content)
        (tmp_path / "a.xlsx").write_bytes(content.getvalue())
    else:
        (tmp_path / "a.csv").write_text("\n".join(",".join(map(str, line)) for line in (header, *rows)))
    assert "do not open it" in refusals(tmp_path)[f"a.{kind}"]


def test_columns_of_different_form_are_no_sign_of_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "Response ID,Response Status,Start time,End time,Overall satisfaction\n"
        "a,Completed,2024-11-13 08:50,13/11/2024 09:00,5\n"
    )
    (row,) = responses(tmp_path)
    assert (row["started_at"], row["completed_at"]) == ("2024-11-13T08:50:00", "2024-11-13T09:00:00")


@pytest.mark.behaviour("dates_in_words", "zoho_survey")
def test_dates_in_words_of_a_whole_export_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "ID de respuesta,Estado de respuesta,Hora de finalización,Satisfacción general\n"
        'a,Completado,"05-nov-2024 09:00",5\nb,Completado,"dt., 12 de nov. del 2024, 9:00",4\n'
    )
    assert [row["answered_at"] for row in responses(tmp_path)] == [
        "2024-11-05T09:00:00",
        "2024-11-12T09:00:00",
    ]
