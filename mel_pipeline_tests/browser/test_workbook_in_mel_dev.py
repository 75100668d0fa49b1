"""The workbook through the real `mel dev`, as a MEL lead who does not program uses it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.workbook.versions import current
from mel_pipeline_tests.browser.test_workbook_page import GOOD, edited
from mel_pipeline_tests.fixtures.mel_dev import mel_dev

pytestmark = pytest.mark.slow  # a browser, Dagster and the sample organisation


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def dev(home: Path) -> Iterator[str]:
    with mel_dev(home) as url:
        yield url


def given_back(page, content: bytes, folder: Path, **cells: object) -> None:
    page.set_input_files("input[type=file]", edited(content, folder, **cells))
    page.locator("form[action^='/workbook/preview'] button").click()


@pytest.mark.fault(131)
def test_from_the_empty_drafts_to_an_accepted_target_by_clicks_alone(
    browser, dev: str, home: Path, tmp_path: Path
) -> None:
    page = browser.new_page(locale="fr-FR")
    page.goto(f"{dev}/drafts/")
    assert page.inner_text("h1") == "Il n’y a pas encore de brouillon"
    page.get_by_role("link", name="Le classeur").click()
    assert page.inner_text("h1") == "Ce que seules les personnes savent"
    with page.expect_download() as waiting:
        page.locator("a[download][lang=fr]").click()
    content = Path(waiting.value.path()).read_bytes()
    assert "Cibles" in openpyxl.load_workbook(io.BytesIO(content)).sheetnames

    given_back(page, content, tmp_path, **{**GOOD, "kind": "objectif lointain"})
    words = page.inner_text("#refused")
    assert "Ce n’est aucun de" in words and "Choisissez dans la liste" in words

    given_back(page, content, tmp_path, **GOOD)
    assert "MEM-01" in page.inner_text("#new table")
    page.fill("#role", "Responsable MEL")
    page.click("#accept form button")
    assert "La version 1 est acceptée" in page.inner_text("[role=status]")
    version = current(Settings(home=home, sample=True, _env_file=None))
    assert [row["value"] for row in version.rows["targets"] if row["period"] == "2027"] == ["190"]
    page.close()


@pytest.mark.parametrize(("name", "address"), [("Dagster", "/overview"), ("See the drafts", "/drafts/")])
def test_every_way_out_of_the_page_leads_somewhere(browser, dev: str, name: str, address: str) -> None:
    page = browser.new_page(locale="en-GB")
    page.goto(f"{dev}/workbook")
    with page.expect_navigation() as answer:
        page.get_by_role("link", name=name, exact=True).first.click()
    assert answer.value.ok
    page.wait_for_url(lambda url: address in url)
    page.close()


def test_a_published_folder_that_is_not_there_yet_says_so(browser, dev: str) -> None:
    page = browser.new_page(locale="es-ES")
    assert page.goto(f"{dev}/reports/").ok
    assert page.inner_text("h1") == "Aún no hay nada publicado"
    page.close()
