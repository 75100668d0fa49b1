"""Pictures of the workbook for docs/mel-lead.md: `python -m mel_pipeline_tests.browser.workbook_pictures`.

The page runs over the sample organisation's workbook; Chromium takes the pictures.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

import openpyxl
from playwright.sync_api import sync_playwright

from mel_pipeline.core.settings import PROJECT
from mel_pipeline_tests.browser.conftest import FLAGS, NAMES
from mel_pipeline_tests.browser.test_workbook_page import downloaded, page_over

IMAGES = PROJECT / "docs" / "images"
TARGETS = [
    {
        "indicator": "MEM-01",
        "period": "2027",
        "value": 185,
        "kind": "target",
        "reason_en": "Board, 3 March 2026",
    },
    {
        "indicator": "LAB-02",
        "period": "2027",
        "value": 70,
        "kind": "target",
        "reason_en": "Board, 3 March 2026",
    },
    {
        "indicator": "SAT-02",
        "period": "Q5 2027",
        "value": 92,
        "kind": "target",
        "reason_en": "Board, 3 March 2026",
    },
]
MANUAL = {
    "code": "HND-01",
    "name_en": "Women trained by partners",
    "definition_en": "Women who completed a training of a partner programme.",
    "unit": "people",
    "aggregation": "flow",
    "direction": "increase",
    "level": "output",
    "line": 2,
    "owner_role": "Programmes",
    "about_people": "yes",
    "numerator": "Women with a certificate",
}
FIGURES = [
    {
        "indicator": "HND-01",
        "period": "Q3 2026",
        "value": 48,
        "people": 48,
        "evidence": "Lists of attendance, folder 2026-Q3",
    },
    {
        "indicator": "HND-01",
        "period": "Q4 2026",
        "value": "about 50",
        "people": 50,
        "evidence": "Lists of attendance",
    },
]


def filled(content: bytes, path: Path) -> Path:
    """The form as a MEL lead might fill it in, with two cells that will be refused."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for name, rows in {"targets": TARGETS, "manual_indicators": [MANUAL], "manual_figures": FIGURES}.items():
        page = next(one for one in book if str(one["A1"].value).startswith(f"mel:{name}:"))
        keys = [cell.value for cell in page[1]]
        free = next(number for number in range(3, 900) if not page.cell(number, 2).value)
        for number, row in enumerate(rows, start=free):
            for key, value in row.items():
                page.cell(number, keys.index(key) + 1).value = value
    book.save(path)
    return path


def main() -> None:
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    with (
        tempfile.TemporaryDirectory() as folder,
        page_over(Path(folder) / "home") as ui,
        sync_playwright() as running,
    ):
        browser = running.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 800})
        edited = filled(downloaded(page, ui), Path(folder) / "workbook.xlsx")
        page.screenshot(path=IMAGES / "workbook-page.png")
        page.set_input_files("#file", edited)
        page.click("main form button")
        page.screenshot(path=IMAGES / "workbook-preview.png", full_page=True)
        page.fill("#role", "MEL lead")
        page.fill("#note", "Targets to 2027, trainings of the third quarter")
        page.click("#accept form button")
        page.screenshot(path=IMAGES / "workbook-accepted.png")
        phone = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark", locale="fr-FR")
        phone.goto(ui.url)
        phone.screenshot(path=IMAGES / "workbook-phone.png")
        browser.close()


if __name__ == "__main__":
    main()
