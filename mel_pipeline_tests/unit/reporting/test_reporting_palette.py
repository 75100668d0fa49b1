"""One file sets colours, fonts and sizes of all outputs."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import build_editions
from mel_pipeline.reporting.mail import edition_mail
from mel_pipeline.reporting.palette import load_palette, stylesheet
from mel_pipeline.reporting.site import build_site
from mel_pipeline.reporting.workbook.build import build_workbook
from mel_pipeline_tests.fixtures.site import sample_site
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition

NAVY, OTHER = "#12436d", "#00aa33"


def repainted(folder: Path) -> Path:
    """The reports folder with one colour changed, in the one line that names it."""
    sources = Path(shutil.copytree(REPORTS, folder / "reports", ignore=shutil.ignore_patterns("published")))
    text = (sources / "palette.yml").read_text(encoding="utf-8")
    assert text.count(NAVY) == 1
    (sources / "palette.yml").write_text(text.replace(NAVY, OTHER), encoding="utf-8")
    return sources


@pytest.mark.slow  # writes an edition and a site
@pytest.mark.long
def test_one_changed_colour_is_seen_in_chart_page_pdf_workbook_mail_and_site(tmp_path):
    sources = repainted(tmp_path)
    edition = fewer_charts(sample_edition())
    report = build_editions(edition, tmp_path, sources, ["en"], with_pdf=True)["en"]
    chart = report.charts[0].svg.read_text("utf-8")
    page = re.sub(r"data:[^)\"]*", "", report.page.read_text("utf-8"))  # without fonts and pictures
    assert report.pdf is not None
    workbook = build_workbook(edition, tmp_path, sources, "en")
    with zipfile.ZipFile(workbook) as parts:
        styles = parts.read("xl/styles.xml").decode()
    mail = edition_mail(edition, sources, "en", draft=False, place="https://example.org/report")
    site = build_site(sample_site(), tmp_path / "site", sources, ["en"]).index.parent
    shown = {
        "chart": chart,
        "page": page,
        "workbook": styles.lower(),
        "mail": mail.html,
        "site": (site / "assets" / "site.css").read_text("utf-8"),
    }
    for name, text in shown.items():
        assert OTHER[1:] in text, name
        assert NAVY[1:] not in text, name
    assert _paints(report.pdf, OTHER)
    assert not _paints(report.pdf, NAVY)


def _paints(pdf: Path, colour: str) -> bool:
    """Whether a page of the PDF sets this colour, outside its pictures."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    for page in PdfReader(io.BytesIO(pdf.read_bytes())).pages:
        content = page.get_contents()
        for found in re.finditer(
            rb"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG|scn|SCN)\b",
            content.get_data() if content is not None else b"",
        ):
            if all(
                abs(float(number) - part) < 0.002 for number, part in zip(found.groups(), parts, strict=True)
            ):
                return True
    return False


def test_no_colour_is_named_outside_the_palette():
    root = REPORTS.parent
    files = [*(REPORTS / "templates").rglob("*"), *(root / "mel_pipeline" / "reporting").rglob("*.py")]
    files += [REPORTS / "mel.mplstyle"]
    named = {
        f"{path.relative_to(root)}: {colour}"
        for path in files
        if path.is_file()
        for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", path.read_text("utf-8"))
    }
    assert named <= {"mel_pipeline/reporting/palette.py: #12436d"}  # the example in its message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('rule: "#d5dbe1"', 'rule: "grey"', r"light: .*rule: 'grey' is not a colour; write it like #12436d"),
        ("  paper: &white", "  papers: &white", r"report\.css: .*paper.*palette\.yml"),
        ("workbook:\n", "notebook:\n", r"palette\.yml: .*workbook"),
    ],
)
def test_a_wrong_palette_is_refused_with_the_entry(tmp_path, old, new, said):
    sources = Path(shutil.copytree(REPORTS, tmp_path / "reports", ignore=shutil.ignore_patterns("published")))
    text = (sources / "palette.yml").read_text(encoding="utf-8")
    assert old in text
    (sources / "palette.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReportError, match=said):
        stylesheet(sources, "report.css")


def test_a_missing_palette_says_what_to_do(tmp_path):
    with pytest.raises(ReportError, match=r"palette\.yml: it cannot be read\. Restore the file"):
        load_palette(tmp_path)
