"""Attendance lists and comments on the page ``/workbook``, in a real browser and as a foreign page would send them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mel_pipeline.defs.serving.workbook_view import View
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.browser.looks import CUT_OFF, issues
from mel_pipeline_tests.browser.test_workbook_page import Ui, page_over, posted, token_of, upload
from mel_pipeline_tests.fixtures.organisation import Small, event

pytestmark = pytest.mark.slow  # a browser

SHEET = "Code: TRN-2025-Q1-01\nName,E-mail,Gender\nAna Pons,ana@example.org,F\nLluís Roca,,M\n,,\n"


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    with page_over(tmp_path_factory.mktemp("home")) as made:
        yield made


def lists(ui: Ui) -> dict[str, bytes]:
    folder = ui.settings.attendance_folder
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def given(page, ui: Ui, name: str, text: str, code: str = "", language: str = "en") -> str:
    page.goto(f"{ui.url}?language={language}")
    page.set_input_files("#list", [{"name": name, "mimeType": "text/csv", "buffer": text.encode()}])
    page.fill("#code", code)
    page.click("form[action^='/workbook/list?'] button")
    return page.inner_text(".notice")


@pytest.mark.fault(177)
def test_a_list_goes_from_the_browser_into_the_drop_folder_named_with_its_event(browser, ui: Ui) -> None:
    page = browser.new_page()
    words = given(page, ui, "sign in.csv", SHEET, "TRN-2025-Q1-01")
    assert "TRN-2025-Q1-01 sign in.csv: 2 rows with people were read" in words
    assert "Ana" not in page.content() and "example.org" not in page.content()
    assert lists(ui)["TRN-2025-Q1-01 sign in.csv"] == SHEET.encode()
    again = given(page, ui, "sign in.csv", SHEET.replace("Lluís Roca,,M\n", ""), "TRN-2025-Q1-01", "fr")
    assert "1 ligne avec une personne" in again and "remplace" in again
    assert [name for name in lists(ui) if "sign in" in name] == ["TRN-2025-Q1-01 sign in.csv"]
    page.close()


@pytest.fixture(scope="module")
def with_events(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    with page_over(tmp_path_factory.mktemp("events")) as made:
        small = Small(made.settings, Warehouse(made.settings.database_url))
        training = {"event_type": "Training", "programme": "AVANTIA"}
        small.load(
            "events",
            [
                event(
                    1, code="TRN-1", name="Care training", starts_at="2025-12-06T09:00:00+00:00", **training
                ),
                event(2, code="TRN-2", name="Housing lab", starts_at="2025-03-01T09:00:00+00:00"),
            ],
        )
        yield made


ZOOM = (
    "Topic,Start time\nMeeting,12/06/2025 10:00 AM\n\nName (original name),Email,Join time,Leave time\n"
    "Ana Pons,ana@example.org,12/06/2025 10:00 AM,12/06/2025 11:00 AM\n"
)


@pytest.mark.fault(182, 183)
@pytest.mark.parametrize(
    ("language", "day", "other"),
    [
        ("en", "6 December 2025", "12 June 2025"),
        ("fr", "6 décembre 2025", "12 juin 2025"),
        pytest.param("es", "6 de diciembre de 2025", "12 de junio de 2025", marks=pytest.mark.long),
        pytest.param("ca", "6 de desembre del 2025", "12 de juny del 2025", marks=pytest.mark.long),
    ],
)
def test_the_page_says_of_which_day_and_event_a_list_is_and_that_the_event_decided_the_day(
    browser, with_events: Ui, language, day, other
) -> None:
    page = browser.new_page()
    words = given(page, with_events, "participants.csv", ZOOM, "TRN-1", language)
    assert page.locator(".notice.good").count() == 1
    facts = page.locator(".notice dd").all_inner_texts()
    assert facts[0] == day and all(part in facts[1] for part in ("TRN-1", "Care training", day, "AVANTIA"))
    assert other in words and "Ana" not in words
    page.close()


@pytest.mark.fault(183)
def test_a_list_of_another_day_or_of_no_event_is_told_in_yellow_with_what_to_do(
    browser, with_events: Ui
) -> None:
    page = browser.new_page()
    words = given(page, with_events, "participants.csv", ZOOM, "TRN-2")
    assert page.locator(".notice.good").count() == 0
    assert "the list is of 12 June 2025 or 6 December 2025, and TRN-2 is on 1 March 2025" in words
    assert "choose that one here, without giving the file again" in words
    words = given(page, with_events, "participants.csv", ZOOM, "TRN-9")
    assert (
        "no event in the CRM has the code TRN-9" in words
        and "in the folder as TRN-2 participants.csv" in words
    )
    words = given(page, with_events, "participants.csv", ZOOM)
    assert "neither the list nor its name says which event it is of" in words
    assert not [name for name in lists(with_events) if name.startswith(("TRN-2", "TRN-9"))], (
        "given again it is the same list, under its last name"
    )
    words = given(page, with_events, "participants.csv", ZOOM.replace("12/06", "03/01"), "TRN-2")
    assert page.locator(".notice.good").count() == 1 and "not a training" in words
    page.close()


@pytest.mark.fault(194)
def test_an_event_whose_code_nobody_knows_is_chosen_after_the_list_was_given(
    browser, with_events: Ui
) -> None:
    page = browser.new_page()
    words = given(
        page, with_events, "unknown.csv", ZOOM.replace("Ana", "Bea").replace("ana@", "bea@"), "care trainign"
    )
    assert page.locator("a[href*='jobs/nightly']").count() == 0, "a run would not count it"
    assert "TRN-1 · 6 December 2025 · Care training" in words
    page.click("button[value=event]")
    assert "Choose an event first" in page.inner_text(".notice.bad"), (
        "nothing was chosen, and nothing is lost"
    )
    page.locator("label", has_text="Care training").click()
    page.click("button[value=event]")
    assert page.locator(".notice.good").count() == 1 and page.locator("a[href*='jobs/nightly']").count() == 1
    assert [name for name in lists(with_events) if "unknown" in name] == ["TRN-1 unknown.csv"]
    options = page.locator("#events option").evaluate_all("all => all.map(one => one.value)")
    assert "TRN-2 · 1 March 2025 · Housing lab" in options
    page.close()


@pytest.mark.fault(195)
def test_the_same_list_for_two_events_is_said_with_a_button_that_takes_the_other_out(
    browser, with_events: Ui
) -> None:
    page = browser.new_page()
    text = "Name,Email\nCor,cor@example.org\n"
    given(page, with_events, "twice.csv", text, "TRN-2 · 1 March 2025 · Housing lab")
    words = given(page, with_events, "twice.csv", text, "TRN-1")
    assert "also in the folder as TRN-2 twice.csv and counts for TRN-2" in words
    page.click("text=Take out TRN-2 twice.csv")
    assert "TRN-2 twice.csv was taken out" in page.inner_text(".notice.good")
    assert [name for name in lists(with_events) if "twice" in name] == ["TRN-1 twice.csv"]
    form, kind = b"token=guessed&do=out&list=TRN-1+twice.csv", "application/x-www-form-urlencoded"
    status, words = posted(with_events, "/workbook/list/event", form, kind)
    assert status == 403 and "used already" in words and " twice.csv" in words, "shown, and not taken out"
    assert (
        posted(with_events, "/workbook/list/event", form, kind, origin="http://elsewhere.example")[0] == 403
    )
    assert "TRN-1 twice.csv" in lists(with_events)
    page.close()


def test_the_choice_of_an_event_fits_a_phone_and_passes_axe(browser, with_events: Ui) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    given(page, with_events, "phone.csv", ZOOM.replace("Ana", "Dua").replace("ana@", "dua@"), "TRN-99", "fr")
    assert page.locator("input[type=radio]").count() >= 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    broken = (
        "[...document.querySelectorAll('.event-code')].filter(one => one.getClientRects().length > 1).length"
    )
    assert page.evaluate(broken) == 0, "codes stay on a line"
    page.click("details summary")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert issues(page) == [], scheme
    page.close()


def test_before_events_are_loaded_the_page_says_that_the_run_looks_for_it(browser, ui: Ui) -> None:
    page = browser.new_page()
    assert "no events of the CRM have been loaded" in given(page, ui, "later.csv", ZOOM, "TRN-1")
    page.close()


@pytest.mark.fault(177)
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("page.csv", "<!doctype html><html><body>Sign in, Ana Pons</body></html>", "web page"),
        ("empty.csv", "Name,E-mail\n", "Nothing was kept"),
        ("deck.pptx", "x", "it is none of"),
        (".hidden", "x", "it is none of"),
        ("no ending", "x", "it is none of"),
        ("blank.csv", " ", "Nothing was kept"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason_and_nothing_is_kept(
    browser, ui: Ui, name, text, said
) -> None:
    before = lists(ui)
    page = browser.new_page()
    words = given(page, ui, name, text)
    assert said in words and "Ana" not in words
    assert lists(ui) == before
    page.close()


@pytest.mark.fault(177)
def test_names_of_lists_lead_nowhere_else_and_forged_forms_are_refused(ui: Ui) -> None:
    home = ui.settings.home
    for name in (
        "../../../evil.csv",
        "..\\..\\evil.csv",
        "/etc/evil.csv",
        "a\x00evil.csv",
        "evil" * 60 + ".csv",
    ):
        status, words = posted(ui, "/workbook/list", *upload(token_of(ui), SHEET.encode(), name))
        assert status in (200, 400), words
    stray = [path for path in home.parent.rglob("*evil*") if path.parent != ui.settings.attendance_folder]
    assert stray == [] and all(len(name) < 130 for name in lists(ui))
    body, kind = upload(token_of(ui), SHEET.encode(), "forged.csv")
    assert posted(ui, "/workbook/list", body, kind, origin="http://elsewhere.example")[0] == 403
    assert posted(ui, "/workbook/list", *upload("guessed", SHEET.encode(), "forged.csv"))[0] == 403
    assert posted(ui, "/workbook/list", body, kind)[0] == 200
    assert posted(ui, "/workbook/list", body, kind)[0] == 403, "a token counts once"


def test_comments_are_offered_to_the_lead_and_come_as_a_file(browser, ui: Ui) -> None:
    page = browser.new_page()
    page.goto(ui.url)
    with page.expect_download() as waiting:
        page.click("a[href*='coder=second']")
    assert waiting.value.suggested_filename == "comments-second-v0-en.xlsx"
    assert Path(waiting.value.path()).read_bytes().startswith(b"PK")
    page.close()


def test_who_may_not_read_comments_is_not_offered_them(ui: Ui) -> None:
    from mel_pipeline.defs.serving.workbook_desk import desk_of

    view = View(desk_of(ui.settings))
    assert b"/workbook/comments" in view.front("en", "t", may_code=True)
    assert b"/workbook/comments" not in view.front("en", "t")


@pytest.mark.parametrize("language", ["en", "fr", "es", "ca"])
def test_nothing_on_the_page_is_cut_off_on_a_desk_or_a_phone(browser, ui: Ui, language) -> None:
    page = browser.new_page()
    page.goto(f"{ui.url}?language={language}")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT_OFF) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    page.close()
