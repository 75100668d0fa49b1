"""The power fails at any moment: what was said to be kept is there, and a restart ends like an uninterrupted step.

A kill leaves what a process wrote to the system. A power cut loses all that had not reached the disk: the disk here is
an ext4 file system of its own that is shut down as its own tests do (FS_IOC_SHUTDOWN without flushing the journal, see
`src/godown.c` of https://git.kernel.org/pub/scm/fs/xfs/xfstests-dev.git) and mounted again.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mel_pipeline.core.periods import Quarter
from mel_pipeline.publication.publishing import PUBLISHED, quarter_status
from mel_pipeline.reporting.inputs.editions import read_edition
from mel_pipeline.sources.workbook import versions
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.forking import Forking
from mel_pipeline_tests.fixtures.interrupted import BEFORE, QUARTERS, STEPS, fill
from mel_pipeline_tests.fixtures.organisation import copy_of, organisation
from mel_pipeline_tests.integration.test_kills import STEP, require_same, seconds_of

SHUT_DOWN, WITHOUT_FLUSHING = 0x8004587D, 2
DISK = 300 << 20  # bytes
PUBLISH = """
import sys, time
from pathlib import Path
from mel_pipeline_tests.fixtures.organisation import organisation
organisation(Path(sys.argv[1])).publish("2024-Q4")
print("published", flush=True)
time.sleep(60)
"""
ACCEPT = """
import sys, time
from pathlib import Path
from mel_pipeline_tests.fixtures.organisation import organisation
from mel_pipeline_tests.integration.publication.test_manual_figures import indicator, state
state(organisation(Path(sys.argv[1])), "MEL lead", 10, manual_indicators=[indicator("HND-01")])
print("accepted", flush=True)
time.sleep(60)
"""

pytestmark = [
    pytest.mark.exhaustive,  # each cut starts a process again
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk"),
]


@dataclass(frozen=True)
class Disk:
    """A file system in a file, mounted at ``folder``."""

    image: Path
    folder: Path

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.folder)], check=True)

    def cut(self) -> None:
        """Lose what is not on the disk, and come back as after a restart of the machine."""
        handle = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(handle, SHUT_DOWN, struct.pack("I", WITHOUT_FLUSHING))
        os.close(handle)
        subprocess.run(["umount", str(self.folder)], check=True)
        self.mount()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk.img", tmp_path / "disk")
    made.folder.mkdir()
    with made.image.open("wb") as image:
        image.truncate(DISK)
    subprocess.run(["/sbin/mkfs.ext4", "-q", str(made.image)], check=True)
    made.mount()
    yield made
    subprocess.run(["umount", "--lazy", str(made.folder)], check=True)


def test_the_disk_of_these_tests_loses_what_was_not_flushed_and_keeps_what_was(disk: Disk) -> None:
    (disk.folder / "lost").write_text("written, not flushed", encoding="utf-8")
    with (disk.folder / "kept").open("w", encoding="utf-8") as file:
        file.write("flushed")
        file.flush()
        os.fsync(file.fileno())
    disk.cut()
    assert (disk.folder / "kept").read_text(encoding="utf-8") == "flushed"
    assert not (disk.folder / "lost").exists() or not (disk.folder / "lost").read_bytes()


@pytest.mark.fault(1, 32)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_in_which_the_power_failed_ends_as_one_that_was_not_interrupted(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, forked: Forking, disk: Disk, step: str
) -> None:
    begun = copy_of(tmp_path_factory, "two-quarters-one-published", tmp_path / "begun", fill)
    if step in BEFORE:
        BEFORE[step](begun)
    begun.warehouse.fold()
    begun.warehouse.engine.dispose()
    calm = shutil.copytree(begun.settings.home, tmp_path / "calm")
    seconds, chance = seconds_of(forked, step, str(calm)), random.Random(step)
    for number in range(examples(2, 6)):
        home = shutil.copytree(begun.settings.home, disk.folder / str(number))
        os.sync()
        forked.start(STEP, step, str(home))
        forked.kill_after(chance.uniform(0, seconds))
        forked.ended_well()
        disk.cut()
        seconds_of(forked, step, str(home))
        restarted = organisation(home)
        require_same(step, organisation(calm), restarted)
        restarted.warehouse.engine.dispose()  # an open file keeps a disk from being unmounted
        shutil.rmtree(home)


@pytest.mark.fault(1, 32)
def test_what_was_published_is_kept_whole_although_the_power_fails_right_afterwards(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, forked: Forking, disk: Disk
) -> None:
    home = _cut_when_said(tmp_path, tmp_path_factory, forked, disk, PUBLISH, "published")
    small = organisation(home)
    quarter = QUARTERS[1]
    assert quarter_status(small.warehouse, small.settings, Quarter.parse(quarter)).state == PUBLISHED
    assert not read_edition(small.warehouse, small.settings, quarter).figures.empty
    small.warehouse.engine.dispose()


@pytest.mark.fault(1, 32)
def test_an_accepted_workbook_is_kept_although_the_power_fails_right_afterwards(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, forked: Forking, disk: Disk
) -> None:
    home = _cut_when_said(tmp_path, tmp_path_factory, forked, disk, ACCEPT, "accepted")
    kept = versions.current(organisation(home).settings)
    assert "HND-01" in {row["code"] for row in kept.rows["manual_indicators"]}


def _cut_when_said(
    tmp_path: Path, factory: pytest.TempPathFactory, forked: Forking, disk: Disk, code: str, word: str
) -> Path:
    """The home of an organisation after a power cut right after a program said that something is kept."""
    begun = copy_of(factory, "two-quarters-one-published", tmp_path / "begun", fill)
    begun.warehouse.engine.dispose()
    home = shutil.copytree(begun.settings.home, disk.folder / "home")
    os.sync()
    forked.start(code, str(home), said=tmp_path / "said")
    assert forked.line() == word
    forked.kill()
    forked.ended_well()
    disk.cut()
    return home
