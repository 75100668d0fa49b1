"""The office suite opens decks, reports and annexes as they are: no repair, every slide and page there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pypdf import PdfReader

from mel_pipeline.reporting.packs.build import build_packs
from mel_pipeline_tests.unit.reporting.test_packs import pack

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize(
    ("kind", "name", "most", "says"),
    [
        ("deck", "board-deck-en.pptx", 10, "What needs a decision"),
        ("donors", "donors/eu/report-eu-en.docx", 4, "Progress against the logframe"),
        ("donors", "donors/eu/report-eu-en-annex.xlsx", 12, "Disaggregations"),
    ],
)
def test_a_file_becomes_a_pdf_with_its_words(
    kind: str, name: str, most: int, says: str, tmp_path: Path
) -> None:
    build_packs(pack(), tmp_path, ["en"], [kind])
    source = tmp_path / "2024-Q4" / name
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(source)],
        check=True,
        capture_output=True,
        timeout=180,
    )
    pages = PdfReader(tmp_path / f"{source.stem}.pdf").pages
    text = " ".join(page.extract_text() for page in pages)
    assert 1 <= len(pages) <= most
    assert (says if kind != "donors" or source.suffix == ".docx" else "Provisional") in text
    assert "Provisional" in text
    assert all(page.extract_text().strip() for page in pages)
