"""Atomic copies of an edition, and its check before delivery."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from mel_pipeline.core.errors import DeliveryError
from mel_pipeline.delivery.channels import folder as copying
from mel_pipeline.delivery.channels.folder import copy_edition
from mel_pipeline.delivery.integrity import faults


@pytest.fixture
def edition(tmp_path: Path) -> Path:
    made = tmp_path / "published" / "2024-Q4"
    (made / "charts").mkdir(parents=True)
    words = " ".join(["word"] * 200)
    (made / "report-en.html").write_text(f"<html><main>{words}</main></html>\n", encoding="utf-8")
    (made / "charts" / "MEM-01.svg").write_text("<svg><path d='M0 0'/></svg>", encoding="utf-8")
    picture = Image.new("RGB", (20, 20), "white")
    picture.putpixel((3, 3), (0, 0, 0))
    picture.save(made / "charts" / "MEM-01.png")
    return made


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_a_folder_is_copied_whole_and_again_only_when_something_has_changed(
    edition: Path, tmp_path: Path
) -> None:
    into = tmp_path / "shared"
    into.mkdir()
    (into / ".2024-Q4.new.dead").mkdir()  # of a copy that was killed
    (edition / ".half-written").write_text("x")
    assert copy_edition(edition, into)
    (edition / ".half-written").unlink()
    assert contents(into / "2024-Q4") == contents(edition)
    assert not copy_edition(edition, into)
    (edition / "charts" / "MEM-01.svg").unlink()
    assert copy_edition(edition, into)
    assert contents(into / "2024-Q4") == contents(edition), "what is gone is gone there as well"
    assert [path.name for path in into.iterdir()] == ["2024-Q4"]


def test_a_copy_that_fails_leaves_the_old_one_and_nothing_half_done(
    edition: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "shared"
    into.mkdir()
    copy_edition(edition, into)
    before = contents(into / "2024-Q4")
    (edition / "report-en.html").write_text("<html>new</html>")

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(copying, "flush", full)
        with pytest.raises(DeliveryError, match="No space left on device"):
            copy_edition(edition, into)
    assert contents(into / "2024-Q4") == before
    assert [path.name for path in into.iterdir()] == ["2024-Q4"]


@pytest.mark.parametrize("place", ["published", "published/2024-Q4", "published/2024-Q4/charts", "."])
def test_a_folder_inside_the_reports_or_around_them_is_refused(
    edition: Path, tmp_path: Path, place: str
) -> None:
    if place == ".":  # the copy would replace the folder of reports
        edition = Path(shutil.move(tmp_path / "published", tmp_path / "2024-Q4")) / "2024-Q4"
    before = contents(tmp_path)
    with pytest.raises(DeliveryError, match="inside the folder of reports or around it"):
        copy_edition(edition, tmp_path / place)
    assert contents(tmp_path) == before


def test_an_unmounted_drive_is_not_created_as_a_folder(edition: Path, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="is not there"):
        copy_edition(edition, tmp_path / "unmounted")
    assert not (tmp_path / "unmounted").exists()


def test_a_whole_edition_has_no_fault(edition: Path) -> None:
    assert faults(edition, ["report-en.html", "charts/MEM-01.png", "charts/MEM-01.svg"]) == []


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("report-en.html", b"", "is empty"),
        ("report-en.html", b"<html><main>" + b"word " * 500, "is cut off"),
        ("report-en.html", b"<html><main><style>" + b"a " * 900 + b"</style></main></html>", "is blank: it has 0 words"),
        ("charts/MEM-01.svg", b"<svg><path d='M0", "is cut off"),
        ("charts/MEM-01.svg", b"<svg></svg>", "is blank"),
        ("charts/MEM-01.png", b"\x89PNG\r\n\x1a\n broken", "is cut off"),
        ("report-en.pdf", b"%PDF-1.7 and no end", "is cut off"),
        ("figures.xlsx", b"PK no archive", "is cut off"),
    ],
)  # fmt: skip
def test_what_is_empty_cut_off_or_blank_is_named(
    edition: Path, name: str, content: bytes, fault: str
) -> None:
    (edition / name).write_bytes(content)
    assert faults(edition, ["report-en.html"]) == [f"{name} {fault}."]


def test_a_missing_page_a_blank_picture_and_a_stale_page_are_named(edition: Path) -> None:
    Image.new("RGB", (20, 20), "white").save(edition / "charts" / "MEM-01.png")
    assert faults(edition, ["report-fr.html"]) == [
        "charts/MEM-01.png is blank.",
        "report-fr.html is missing.",
    ]
    (edition / "charts" / "MEM-01.png").unlink()
    later = datetime.now(UTC) + timedelta(hours=1)
    assert faults(edition, [], later) == ["report-en.html was written before the figures were published."]
