"""Files of reports: whole or as before, and touched only where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import files
from mel_pipeline.reporting.files import write_all


def test_of_many_files_only_those_that_differ_are_written_and_each_folder_is_flushed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {
        tmp_path / folder / f"{name}.html": name.encode() for folder in "ab" for name in ("x", "y", "z")
    }
    flushed: list[Path] = []
    monkeypatch.setattr(files, "flush", flushed.append)
    assert write_all(wanted) == 6 and flushed == [tmp_path / "a", tmp_path / "b"]
    before = (tmp_path / "a" / "x.html").stat().st_ino
    flushed.clear()
    assert write_all(wanted | {tmp_path / "b" / "z.html": b"new"}) == 1 and flushed == [tmp_path / "b"]
    assert (tmp_path / "a" / "x.html").stat().st_ino == before
    assert {path: path.read_bytes() for path in wanted} == wanted | {tmp_path / "b" / "z.html": b"new"}


def test_what_a_killed_run_left_of_these_files_goes_and_other_hidden_files_stay(tmp_path: Path) -> None:
    for name in (".x.html.abc123", ".y.html.abc123", ".htaccess", ".x.html"):
        (tmp_path / name).write_text("left")
    write_all({tmp_path / "x.html": b"x"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".htaccess",
        ".x.html",
        ".y.html.abc123",
        "x.html",
    ]


def test_the_file_that_cannot_be_written_is_named_and_the_old_one_stays(tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "a.html").write_text("old")
    with pytest.raises(ReportError, match=r"Writing .*folder\.html: .* Check that the folder is writable"):
        write_all({tmp_path / "folder.html": b"new", tmp_path / "a.html": b"new"})
    assert (tmp_path / "a.html").read_text() == "old"
    assert [path.name for path in tmp_path.glob(".*")] == []
