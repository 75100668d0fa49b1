"""Delivery of editions: published figures by e-mail and folder, each version once; drafts only to the MEL lead."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mel_pipeline.core.errors import DeliveryError, SettingsError
from mel_pipeline.core.settings import PROJECT, Settings
from mel_pipeline.delivery.service import Delivered, deliver
from mel_pipeline_tests.conftest import Mel
from mel_pipeline_tests.fixtures.mail import Mailbox, mail_server
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, organisation, seven_members
from mel_pipeline_tests.fixtures.shared import made_once

pytestmark = pytest.mark.slow
QUARTER = "2024-Q4"
LEAD, ANA, BO = "lead@network.example", "ana@city.example", "bo@city.example"


@dataclass
class Case:
    small: Small
    box: Mailbox
    changes: dict[str, Any]

    @property
    def settings(self) -> Settings:
        return self.small.settings.model_copy(update=self.changes)

    def deliver(self, **options: bool) -> Delivered:
        return deliver(self.small.warehouse, self.settings, QUARTER, **options)


@pytest.fixture(scope="module")
def calculated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(
        tmp_path_factory, "seven-members", tmp_path_factory.mktemp("calculated"), seven_members
    ).settings.home


@pytest.fixture(scope="module")
def published(calculated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the quarter published, its pages written and delivered once, to a separate folder."""

    def make(folder: Path) -> None:
        with mail_server() as box:
            made = _case(folder, calculated, box)
            made.small.publish(QUARTER)
            made.changes["deliver_dir"] = None
            made.deliver()
            with made.small.warehouse.transaction() as connection:
                connection.exec_driver_sql("delete from delivery")
            made.small.warehouse.fold()

    return made_once(tmp_path_factory, "delivered", make)


def _case(folder: Path, home: Path, box: Mailbox) -> Case:
    shutil.copytree(home, folder / "home")
    project = folder / "project"
    shutil.copytree(PROJECT / "reports", project / "reports", ignore=shutil.ignore_patterns("published"))
    (project / "dbt_like_sql").symlink_to(PROJECT / "dbt_like_sql")
    (folder / "shared").mkdir()
    changes = {
        "project_dir": project,
        "reports_dir": folder / "published",
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_secure": "none",
        "mail_from": SecretStr("mel@network.example"),
        "mail_to": SecretStr(f"{ANA}, {BO}"),
        "mail_draft_to": SecretStr(LEAD),
        "deliver_dir": folder / "shared",
    }
    return Case(organisation(folder / "home"), box, changes)


@pytest.fixture
def draft(calculated: Path, tmp_path: Path) -> Iterator[Case]:
    with mail_server() as box:
        yield _case(tmp_path, calculated, box)


@pytest.fixture
def case(published: Path, tmp_path: Path) -> Iterator[Case]:
    with mail_server() as box:
        made = _case(tmp_path, published / "home", box)
        shutil.copytree(published / "published", tmp_path / "published")
        yield made


def body(box: Mailbox, to: str, kind: str = "plain") -> str:
    message = next(message for address, message in reversed(box.arrived) if address == to)
    return str(message.get_body((kind,)).get_content())


@pytest.mark.long
def test_unpublished_figures_go_only_to_the_mel_lead_and_are_marked_draft(draft: Case) -> None:
    with pytest.raises(DeliveryError, match="not published"):
        draft.deliver()
    assert draft.box.arrived == [] and list((draft.settings.deliver_dir or Path()).iterdir()) == []
    done = draft.deliver(draft=True)
    assert (done.sent, done.copied_to) == (1, "")
    assert draft.box.to == [LEAD]
    assert draft.box.arrived[0][1]["Subject"].startswith("DRAFT: ")
    for kind in ("plain", "html"):
        assert "DRAFT for the MEL lead." in body(draft.box, LEAD, kind).replace("\n", " ")
    assert draft.deliver(draft=True).had == 1, "the same draft is not sent twice"


@pytest.mark.long
def test_a_published_edition_is_sent_once_a_version_in_the_language_of_the_list(case: Case) -> None:
    case.changes["mail_to"] = SecretStr(f"en: {ANA}; fr: {BO}")
    assert case.deliver().sent == 2
    assert sorted(case.box.to) == [ANA, BO]
    assert "Membres" not in body(case.box, ANA) and "Version 1 of" in body(case.box, ANA).replace("\n", " ")
    assert "Vous recevez ce message" in body(case.box, BO)
    again = case.deliver(dry_run=True)
    assert (again.sent, again.had) == (0, 2)
    case.changes["mail_to"] = SecretStr(f"{ANA}, new@city.example, {BO}")
    dry = case.deliver(dry_run=True)
    assert (dry.sent, dry.had, len(case.box.arrived)) == (1, 2, 2)
    assert case.deliver().sent == 1 and case.box.to[-1] == "new@city.example"
    assert case.deliver(again=True).sent == 3
    ids = [message["Message-ID"] for address, message in case.box.arrived if address == ANA]
    assert len(set(ids)) == 2
    stored = str(case.small.warehouse.records("select * from delivery"))
    assert ANA not in stored and "city.example" not in stored and "'version': 1" in stored


def test_the_edition_is_copied_whole_and_no_temporary_files_are_left(case: Case) -> None:
    done = case.deliver()
    shared = case.settings.deliver_dir
    assert shared is not None and done.copied_to == str(shared / QUARTER)
    made = case.settings.published_dir / QUARTER
    names = {path.relative_to(made) for path in made.rglob("*")}
    assert names == {path.relative_to(shared / QUARTER) for path in (shared / QUARTER).rglob("*")}
    assert [path.name for path in shared.iterdir()] == [QUARTER]
    page = (shared / QUARTER / "report-en.html").read_text("utf-8")
    assert "Version 1 of" in page and "Provisional" not in page


@pytest.mark.long
def test_no_format_that_goes_out_still_says_provisional(case: Case) -> None:
    from openpyxl import load_workbook
    from pypdf import PdfReader

    case.changes["formats"] = "html,pdf,xlsx,csv"
    made = case.settings.published_dir / QUARTER
    stale = made / "data" / "datapackage.json"
    stale.parent.mkdir()
    stale.write_text('{"status": "provisional"}')
    case.deliver()
    sent = (case.settings.deliver_dir or Path()) / QUARTER
    pages = " ".join(page.extract_text() for page in PdfReader(sent / "report-en.pdf").pages)
    cells = [
        cell for sheet in load_workbook(sent / "figures-en.xlsx") for row in sheet.values for cell in row
    ]
    package = json.loads((sent / "data" / "datapackage.json").read_text("utf-8"))
    assert "Version 1 of" in pages and "Provisional" not in pages
    assert not any("Provisional" in str(cell) for cell in cells)
    assert (package["status"], package["version"]) == ("published", "2024-Q4.1")
    (attached,) = case.box.arrived[0][1].iter_attachments()
    assert attached.get_content() == (sent / "report-en.pdf").read_bytes()


@pytest.mark.parametrize("fault", ["blank", "cut", "gone"])
@pytest.mark.sweep
def test_a_blank_or_cut_off_or_missing_file_holds_everything_back(case: Case, fault: str) -> None:
    from PIL import Image

    folder = case.settings.published_dir / QUARTER
    chart, page = folder / "charts" / "MEM-01.png", folder / "report-en.html"
    if fault == "blank":
        Image.new("RGB", (1200, 700), "white").save(chart)
    elif fault == "cut":
        page.write_text(page.read_text("utf-8")[:4000], encoding="utf-8")
    else:
        chart.unlink()
    with pytest.raises(DeliveryError, match=r"(MEM-01\.png|report-en\.html) is (blank|cut off|missing)"):
        case.deliver(dry_run=True)


def test_a_small_pdf_is_attached_and_a_large_or_old_one_is_not(case: Case) -> None:
    pdf = case.settings.published_dir / QUARTER / "report-en.pdf"
    pdf.write_bytes(b"%PDF-1.7\n" + b"0" * 200_000 + b"\n%%EOF\n")
    case.deliver()
    (attached,) = case.box.arrived[0][1].iter_attachments()
    assert attached.get_filename() == "Metropolis-2024-Q4-en.pdf"
    assert attached.get_content() == pdf.read_bytes()
    case.changes["mail_attach_mb"] = 0.1
    done = case.deliver(again=True)
    assert "0.2 MB" in done.notes[0] and not list(case.box.arrived[-1][1].iter_attachments())


def test_a_missed_recipient_is_named_by_position_and_receives_it_on_the_next_delivery(case: Case) -> None:
    refusing = True

    def refuse(address: str, tried: int) -> str:
        return "550 5.1.1 unknown Bo Example" if refusing and address == BO else ""

    with mail_server(at_recipient=refuse) as box:
        case.changes["smtp_port"] = box.port
        with pytest.raises(DeliveryError) as caught:
            case.deliver()
        error = str(caught.value)
        assert "1 of 2 e-mails were not sent. recipient 2 (en) of MEL_MAIL_TO" in error
        assert "@" not in error and "Example" not in error
        refusing = False
        assert (case.deliver().sent, box.to) == (1, [ANA, BO])


def test_what_is_not_set_is_named_before_anything_is_sent_or_copied(case: Case) -> None:
    changes = dict(case.changes)
    for change, words in (
        ({"mail_from": SecretStr("")}, "MEL_MAIL_FROM"),
        ({"smtp_host": ""}, "MEL_SMTP_HOST"),
        ({"mail_to": SecretStr("xx: a@b.example")}, "no edition in 'xx'"),
        ({"mail_to": SecretStr(""), "deliver_dir": None}, "MEL_MAIL_TO, or MEL_DELIVER_DIR"),
    ):
        case.changes = changes | change
        with pytest.raises(SettingsError, match=words):
            case.deliver()
    (case.settings.published_dir / "copy").mkdir()
    case.changes = changes | {"deliver_dir": case.settings.published_dir / "copy"}
    with pytest.raises(DeliveryError, match="inside the folder of reports"):
        case.deliver()
    assert case.box.arrived == []


def test_at_a_terminal_a_delivery_says_what_went_out_and_errors_are_one_line(
    case: Case, tmp_path: Path, mel: Mel
) -> None:
    settings = {
        "MEL_HOME": str(case.small.settings.home), "MEL_TODAY": "2025-02-01", "MEL_FIRST_QUARTER": "2024-Q1",
        "MEL_REPORTS_DIR": str(tmp_path / "published"), "MEL_SMTP_HOST": "127.0.0.1", "MEL_SMTP_PORT": str(case.box.port),
        "MEL_SMTP_SECURE": "none", "MEL_MAIL_FROM": "mel@network.example", "MEL_MAIL_TO": ANA,
    }  # fmt: skip
    dry = mel("deliver", "2024-q4", "--dry-run", **settings)
    assert dry.stdout.strip() == "2024-Q4: 1 e-mail would go out." and case.box.arrived == []
    refused = mel("deliver", QUARTER, "--draft", **settings)
    assert refused.returncode == 1 and "MEL_MAIL_DRAFT_TO" in refused.stderr
    assert mel("deliver", "2024-Q9", **settings).returncode == 2
    assert ANA not in dry.stdout + dry.stderr + refused.stdout + refused.stderr
    assert "Traceback" not in dry.stderr + refused.stderr
