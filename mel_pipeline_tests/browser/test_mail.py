"""The e-mail of an edition as a mail program shows it: wide and on a phone, light and dark."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from mel_pipeline.reporting.edition import Publication
from mel_pipeline.reporting.mail import edition_mail
from mel_pipeline_tests.browser.looks import CONTRAST
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("draft", [True, False])
def test_the_mail_is_readable_and_nothing_is_cut_off_or_fetched(
    browser: Browser, tmp_path: Path, draft: bool
) -> None:
    edition = sample_edition(
        publication=None if draft else Publication(1, date(2025, 1, 20), "Director", "ok")
    )
    place = "/srv/mel/reports/published/2024-Q4/report-en.html" if draft else "https://reports.example/x"
    page_file = tmp_path / "mail.html"
    page_file.write_text(
        edition_mail(edition, REPORTS, "en", draft=draft, place=place).html, encoding="utf-8"
    )
    page = browser.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(page_file.as_uri())
    assert requested == [page_file.as_uri()]
    for scheme, width in product(("light", "dark"), (1000, 390, 320)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, scheme
        assert page.evaluate(CONTRAST) == [], (scheme, width)
    assert page.locator(".actual").first.bounding_box()["x"] < 320  # type: ignore[index]
    page.close()
