"""Attendance lists of every tool become stays; what is in doubt is told, and no name gets out."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mel_pipeline.core.errors import NotSetUpError, PermanentSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.attendance_lists import client, words
from mel_pipeline.sources.attendance_lists.client import AttendanceLists
from mel_pipeline.sources.attendance_lists.parse import read_list
from mel_pipeline.sources.shared.base import Pull
from mel_pipeline.sources.shared.files import FileRefusedError, Row
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.attendance import make

LISTS = Path(make.__file__).parent
LONG_AGO = 1_700_000_000
HEADER = "Name,Email,Gender\n"


def put(folder: Path, name: str, content: str | bytes = "", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def fixture(folder: Path, name: str, under: str = "") -> None:
    put(folder, under or name, (LISTS / name).read_bytes())


class Read:
    """One load of a folder: rows, refusals, warnings and the next cursor."""

    def __init__(self, folder: Path, cursor: str | None = None, **how: Any) -> None:
        pull: Pull = AttendanceLists(folder, **how).pull("attendances", cursor=cursor)
        batches = list(pull.batches)
        self.rows: list[Mapping[str, Any]] = [
            {key: value if isinstance(value, str) else None for key, value in row.items()}
            for batch in batches
            for row in batch.frame.to_dict("records")
        ]
        self.rejected = [one for batch in batches for one in batch.rejected]
        self.deleted = {key for batch in batches for key in batch.deleted}
        self.notes = [note for batch in batches for note in batch.notes]
        self.warnings, self.cursor = pull.warnings(), pull.cursor()

    @property
    def people(self) -> list[tuple[Any, ...]]:
        return [(row["person"], row["role"], row["gender"], row["seconds"]) for row in self.rows]

    @property
    def reasons(self) -> list[str]:
        return [f"{one.source_ref}: {one.reason}" for one in self.rejected]


@pytest.mark.behaviour("list_layouts", "attendance_lists")
def test_a_meeting_of_zoom_adds_up_who_rejoined_and_knows_its_host(tmp_path: Path) -> None:
    fixture(tmp_path, "zoom_en.csv")
    read = Read(tmp_path)
    assert read.people == [
        ("trainer@example.org", "Organiser", None, "5810"),
        ("anna@example.org", "Participant", None, "2029"),
        ("anna@example.org", "Participant", None, "3109"),
        ("bernat soler", "Participant", None, "600"),
    ]
    assert {(row["tool"], row["event_title"], row["held_on"]) for row in read.rows} == {
        ("zoom", "Training AVANTIA", "2025-03-25")
    }
    assert "1 left out (left in the waiting room)" in read.notes[0]


@pytest.mark.behaviour("list_layouts", "attendance_lists")
def test_a_report_of_unique_users_has_lengths_without_times(tmp_path: Path) -> None:
    fixture(tmp_path, "zoom_unique_en.csv")
    read = Read(tmp_path)
    assert [(row["person"], row["seconds"], row["joined_second"]) for row in read.rows] == [
        ("anna@example.org", "5160", None),
        ("bernat soler", "600", None),
    ]


@pytest.mark.behaviour("list_layouts", "attendance_lists")
def test_a_webinar_of_zoom_has_hosts_panelists_and_who_registered_and_did_not_come(tmp_path: Path) -> None:
    fixture(tmp_path, "zoom_webinar_en.csv")
    read = Read(tmp_path)
    assert read.people == [
        ("trainer@example.org", "Organiser", None, "5820"),
        ("pau@example.org", "Organiser", None, "3840"),
        ("anna@example.org", "Participant", "Woman", "5580"),
    ]
    assert {(row["tool"], row["event_title"], row["held_on"]) for row in read.rows} == {
        ("zoom_webinar", "Care, and cities", "2025-03-12")
    }
    assert "registered, not present" in read.notes[0]


@pytest.mark.parametrize(
    ("name", "people", "title"),
    [
        ("teams_en.csv", [("trainer@example.org", "5810"), ("anna@example.org", "1909"), ("anna@example.org", "1800"), ("bernat@example.org", "1860")], "Training MGET"),
        ("teams_fr.csv", [("zoe@example.org", "5810"), ("eric noel", "5509")], "Formation COMANAGE"),
    ],
)  # fmt: skip
@pytest.mark.behaviour("list_layouts", "attendance_lists")
@pytest.mark.behaviour("list_encodings", "attendance_lists")
def test_a_report_of_teams_in_utf_16_is_read_by_its_comings_and_goings(
    tmp_path: Path, name: str, people: list[tuple[str, str]], title: str
) -> None:
    fixture(tmp_path, name)
    read = Read(tmp_path)
    assert [(row["person"], row["seconds"]) for row in read.rows] == people
    assert {(row["event_title"], row["held_on"]) for row in read.rows} == {(title, "2025-05-13")}
    assert read.rows[0]["role"] == "Organiser"


@pytest.mark.behaviour("list_layouts", "attendance_lists")
def test_eventbrite_counts_who_was_checked_in_and_an_office_address_is_of_several_people(
    tmp_path: Path,
) -> None:
    fixture(tmp_path, "eventbrite_en.csv")
    read = Read(tmp_path)
    assert read.people == [
        ("office@example.org anna pons", "Participant", "Female", None),
        ("office@example.org bea puig", "Participant", "Female", None),
    ]
    assert read.rows[0]["event_title"] == "Training AVANTIA"


@pytest.mark.slow
@pytest.mark.behaviour("list_layouts", "attendance_lists")
@pytest.mark.behaviour("list_encodings", "attendance_lists")
def test_sign_in_sheets_are_read_in_french_spanish_and_catalan(tmp_path: Path) -> None:
    for name in ("sign_in_fr_cp1252.csv", "sign_in_es.xlsx", "sign_in_ca.csv"):
        fixture(tmp_path, name)
    read = Read(tmp_path, fallback="cp1252")
    assert read.reasons == []
    of = {
        name: [row for row in read.rows if row["list_name"] == name]
        for name in {row["list_name"] for row in read.rows}
    }
    french = of["sign_in_fr_cp1252.csv"]
    assert [(row["person"], row["gender"]) for row in french] == [
        ("eric noel", "Man"),
        ("lefevre zoe", "Woman"),
    ]
    assert {(row["event_code"], row["held_on"]) for row in french} == {("TRN-2025-Q2-02", "2025-06-12")}
    spanish = of["sign_in_es.xlsx"]
    assert [row["person"] for row in spanish] == ["ana@example.org", "gil luis", "ana@example.org"]
    assert [row["gender"] for row in spanish] == ["Woman", "Man", "Woman"]
    catalan = of["sign_in_ca.csv"]
    assert [(row["person"], row["gender"], row["seconds"]) for row in catalan] == [
        ("anna@example.org", "Dona", "5400"),
        ("carme puig", "Dona", "2700"),
    ]


@pytest.mark.behaviour("list_encodings", "attendance_lists")
def test_another_encoding_is_no_guess(tmp_path: Path) -> None:
    fixture(tmp_path, "sign_in_fr_cp1252.csv")
    assert "not in UTF-8" in Read(tmp_path).reasons[0]


@pytest.mark.fault(158)
@pytest.mark.behaviour("list_alone", "attendance_lists")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<html>Sign in</html>", "web page"),
        ("", "empty"),
        (b"%PDF-1.7", "PDF"),
        ("Product,Price\nTea,3\n", "No row of the file is the header"),
        (HEADER, "nobody below"),
        ('Name,Email\n"Anna,anna@example.org\n', "quotation mark"),
        (b"\xff\xfeN\x00a", "UTF"),
        ("Name,Date\nAnna,13/04/2025\nBea,04/13/2025\n", "Some dates have the day first"),
        ("First Name,Email,Attendee Status\nAnna,a@example.org,Attending\n", "does not say who came"),
    ],
)
def test_a_file_in_trouble_is_told_and_the_others_load(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    put(tmp_path, "bad.csv", content)
    put(tmp_path, "good.csv", HEADER + "Anna,anna@example.org,Woman\n")
    read = Read(tmp_path)
    assert [row["person"] for row in read.rows] == ["anna@example.org"]
    assert len(read.rejected) == 1 and words in read.reasons[0], read.reasons
    assert "Anna" not in read.reasons[0]
    assert "bad.csv" not in (read.cursor or "").split('"rows"')[0], "tried again by the next load"


@pytest.mark.fault(159)
@pytest.mark.behaviour("list_alone", "attendance_lists")
def test_a_row_in_trouble_waits_in_quarantine_by_its_number_and_the_others_count(tmp_path: Path) -> None:
    rows = [
        "Anna Pons,anna@example.org,03/25/2025 10:00:00 AM,03/25/2025 11:00:00 AM",
        "Bernat Soler,b@example.org,03/25/2025 11:00:00 AM,03/25/2025 10:00:00 AM",
        "Cesc Mas,c@example.org,yesterday,03/25/2025 10:00:00 AM",
        "Dora Gil,d@example.org",
        ",,03/25/2025 10:00:00 AM,03/25/2025 11:00:00 AM",
    ]
    put(tmp_path, "z.csv", "Name (Original Name),User Email,Join Time,Leave Time\n" + "\n".join(rows))
    read = Read(tmp_path)
    assert [row["person"] for row in read.rows] == ["anna@example.org"]
    assert [one.row_key for one in read.rejected] == ["z.csv|3", "z.csv|4", "z.csv|5", "z.csv|6"]
    told = " ".join(read.reasons)
    for why in ("left before joining", "cannot be read", "2 fields where the header has 4", "neither a name"):
        assert why in told
    assert not any(name in told for name in ("Bernat", "Cesc", "Dora", "example.org", "yesterday"))


@pytest.mark.fault(160)
@pytest.mark.behaviour("list_replaced", "attendance_lists")
def test_a_corrected_list_of_the_same_name_replaces_what_it_held(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", HEADER + "Ana,,\nBernat,,\nCesc,,\n")
    first = Read(tmp_path)
    put(tmp_path, "a.csv", HEADER + "Anna,,\nBernat,,\n")
    second = Read(tmp_path, first.cursor)
    assert [(row["list_row"], row["person"]) for row in second.rows] == [("2", "anna"), ("3", "bernat")]
    assert second.deleted == {"a.csv|4"}
    assert Read(tmp_path, second.cursor).rows == [], "unchanged files are not read again"
    put(tmp_path, "a.csv", HEADER)
    withdrawn = Read(tmp_path, second.cursor)
    assert withdrawn.deleted == {"a.csv|2", "a.csv|3"} and withdrawn.rows == []
    assert "nobody is on this list any more" in withdrawn.warnings[0]


@pytest.mark.fault(161)
@pytest.mark.behaviour("list_replaced", "attendance_lists")
def test_a_list_that_breaks_or_leaves_the_folder_still_counts_and_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", HEADER + "Anna,,\n")
    first = Read(tmp_path)
    put(tmp_path, "a.csv", "<html>")
    broken = Read(tmp_path, first.cursor)
    assert broken.deleted == set() and "web page" in broken.reasons[0]
    (tmp_path / "a.csv").unlink()
    gone = Read(tmp_path, first.cursor)
    assert gone.deleted == set() and "No longer in the folder of attendance lists: a.csv" in gone.warnings[0]


@pytest.mark.fault(162)
@pytest.mark.behaviour("list_people", "attendance_lists")
def test_no_name_and_no_address_is_in_what_is_kept_or_said(tmp_path: Path) -> None:
    fixture(tmp_path, "zoom_webinar_en.csv", "list of anna@example.org.csv")
    fixture(tmp_path, "sign_in_ca.csv", "list of bea@example.org.csv")
    put(tmp_path, "broken of anna@example.org.csv", HEADER + ',,Anna Pons\n"x')
    read = Read(tmp_path)
    person = {str(row["person"]) for row in read.rows}
    stored = [str({k: v for k, v in row.items() if k != "person"}) for row in read.rows]
    said = [*stored, *read.notes, *read.reasons, *read.warnings, str(read.cursor)]
    said += [one.payload for one in read.rejected]
    assert len(person) > 3
    for text in said:
        assert "Anna" not in text and "Pons" not in text and "@" not in text, text


@pytest.mark.behaviour("list_people", "attendance_lists")
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["F", "M", ""], ["Woman", "Man", None]),
        (["M", "H"], ["Woman", "Man"]),
        (["D", "H"], ["Woman", "Man"]),
        (["M", "M"], ["M", "M"]),
        (["Mujer", "Prefiero no decirlo"], ["Mujer", "Prefiero no decirlo"]),
    ],
)
def test_single_letters_mean_a_gender_only_where_the_column_proves_the_language(
    tmp_path: Path, answers: list[str], expected: list[str | None]
) -> None:
    put(
        tmp_path,
        "a.csv",
        HEADER + "".join(f"Person {'abc'[n]},,{answer}\n" for n, answer in enumerate(answers)),
    )
    assert [row["gender"] for row in Read(tmp_path).rows] == expected


@pytest.mark.behaviour("list_people", "attendance_lists")
def test_gender_is_empty_where_the_list_does_not_ask(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "Title,Name,Email\nMrs,Maria Pons,maria@example.org\n")
    [row] = Read(tmp_path).rows
    assert (row["gender"], row["gender_asked"]) == (None, "false")


@pytest.mark.behaviour("list_event", "attendance_lists")
def test_the_code_of_an_event_may_be_in_a_folder_a_zip_or_the_name(tmp_path: Path) -> None:
    put(tmp_path, "TRN-2025-Q1-01/sheet.csv", HEADER + "Anna,,\n")
    put(tmp_path, "TRN_2025_Q1_02 llista (1).csv", HEADER + "Bea,,\n")
    with zipfile.ZipFile(tmp_path / "TRN-2025-Q1-03.zip", "w") as archive:
        archive.writestr("day 1.csv", HEADER + "Cesc,,\n")
        archive.writestr("note.docx", "x")
    os.utime(tmp_path / "TRN-2025-Q1-03.zip", (LONG_AGO, LONG_AGO))
    put(tmp_path, "TRN-2025-Q1-01/photo.jpg", b"x")
    read = Read(tmp_path)
    assert {row["place_words"] for row in read.rows} == {
        "-trn-2025-q1-01-sheet-csv-",
        "-trn-2025-q1-02-llista-1-csv-",
        "-trn-2025-q1-03-zip-day-1-csv-",
    }
    told = " ".join(read.warnings)
    assert "TRN-2025-Q1-01/photo.jpg" in told and "note.docx" in told


def test_a_file_still_being_written_is_left_for_the_next_load(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "Anna,,\n")
    assert Read(tmp_path).rows == []
    assert len(Read(tmp_path, settle_seconds=0).rows) == 1


def test_without_a_folder_there_are_no_lists_unless_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotSetUpError, match="not set up"):
        client.open(Settings(home=tmp_path, _env_file=None))  # type: ignore[call-arg]
    named = client.open(Settings(home=tmp_path, attendance_dir=tmp_path / "x", _env_file=None))  # type: ignore[call-arg]
    with pytest.raises(PermanentSourceError, match="MEL_ATTENDANCE_DIR"):
        list(named.pull("attendances").batches)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("97", 5820), ("97,5", 5850), ("1h 36m 50s", 5810), ("1 h 36 min 50 s", 5810), ("31m", 1860), ("0:31:10", 1870), ("2 hores", 7200), ("45 minutos", 2700), ("", None), ("long", None), ("99999", None)],
)  # fmt: skip
def test_lengths_of_time_are_read_in_four_languages(text: str, seconds: int | None) -> None:
    assert words.seconds_of(text) == seconds


CELL = st.text(st.characters(codec="utf-8", exclude_characters='\x00\r\n"'), max_size=12)


@pytest.mark.deep
@given(st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=8))
@settings(max_examples=examples(8, 300), deadline=None)
@example([["Anna", "", ""], ["", "1", ""], ["Total", "3"]])
def test_whatever_is_below_a_header_is_a_stay_a_rejected_row_or_counted(cells: list[list[str]]) -> None:
    rows = [Row(number, [cell.strip() for cell in row]) for number, row in enumerate(cells, start=2)]
    rows = [row for row in rows if any(row.cells)]
    try:
        listed = read_list([Row(1, ["Name", "Email", "Minutes", "Gender"]), *rows])
    except FileRefusedError:
        return
    headers = sum(words.is_header(row.cells) for row in rows)
    assert len(listed.stays) + len(listed.rejected) + listed.left_out.total() >= len(rows) - 2 * headers
    for stay in listed.stays:
        assert stay.person and stay.seconds is not None and stay.seconds >= 0


@pytest.mark.deep
@given(st.permutations(make.ZOOM.splitlines()[4:]))
@settings(max_examples=examples(6, 100), deadline=None)
def test_the_order_of_rows_changes_nobody(lines: list[str]) -> None:
    def people(below: list[str]) -> list[tuple[str, str, int | None]]:
        rows = [
            Row(number, line.split(","))
            for number, line in enumerate([*make.ZOOM.splitlines()[:4], *below], start=1)
        ]
        return sorted(
            (stay.person, stay.role, stay.seconds)
            for stay in read_list([row for row in rows if any(row.cells)]).stays
        )

    assert people(lines) == people(make.ZOOM.splitlines()[4:])


@pytest.mark.deep
@given(st.binary(max_size=120), st.sampled_from(["", "Name,Email\n", "\ufeffName;Courriel\n"]))
@settings(max_examples=examples(8, 300), deadline=None)
def test_any_bytes_are_rows_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    put(folder, "a.csv", start.encode() + content)
    read = Read(folder)
    assert all(one.reason and "maintainer" not in one.reason for one in read.rejected)
    shutil.rmtree(folder)


def days(read: Read) -> set[tuple[Any, ...]]:
    return {(row["held_on"], row["held_on_otherwise"], row["order_of_days"]) for row in read.rows}


@pytest.mark.fault(182)
@pytest.mark.behaviour("list_event", "attendance_lists")
@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("Date:,12/06/2025\nName,Email\nAnna,\n", None, ("2025-06-12", "2025-12-06", "open")),
        ("Date:,12/06/2025\nName,Email\nAnna,\n", "month_first", ("2025-12-06", "2025-06-12", "declared")),
        ("Date:,06/13/2025\nName,Email\nAnna,\n", "day_first", ("2025-06-13", None, "certain")),
        ("Date:,04/04/2025\nName,Email\nAnna,\n", None, ("2025-04-04", None, "certain")),
        ("Date:,12 June 2025\nName,Email\nAnna,\n", None, ("2025-06-12", None, "certain")),
        # Unread columns are a hint: they may be written otherwise, as a birthday is.
        ("Date:,12/06/2025\nName,Email,Registered on\nAnna,,05/28/2025\n", None, ("2025-12-06", "2025-06-12", "open")),
        # An evening that ends after midnight makes sense in one order only.
        ("Name,Join Time,Leave Time\nAnna,06/11/2025 23:30,06/12/2025 00:30\n", "day_first", ("2025-06-11", None, "certain")),
        ("Name,First Join,Last Leave\nAnna,06/12/2025 23:30,06/13/2025 00:30\n", "day_first", ("2025-06-12", None, "certain")),
    ],
)  # fmt: skip
def test_a_day_with_two_readings_keeps_both_and_any_date_that_decides_is_used(
    tmp_path: Path, text: str, order: Any, expected: tuple[Any, ...]
) -> None:
    put(tmp_path, "a.csv", text)
    read = Read(tmp_path, order=order)
    assert read.reasons == [] and days(read) == {expected}


@pytest.mark.fault(182)
def test_times_move_with_the_other_reading_of_their_day(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "Name,Join Time,Leave Time\nAnna,12/06/2025 10:00 AM,12/06/2025 11:00 AM\n")
    [row] = Read(tmp_path, order="day_first").rows
    moved = int(row["joined_second_otherwise"]) - int(row["joined_second"])
    assert moved == 177 * 86400, "from 12 June to 6 December"
    assert int(row["left_second_otherwise"]) - int(row["left_second"]) == moved and row["seconds"] == "3600"
