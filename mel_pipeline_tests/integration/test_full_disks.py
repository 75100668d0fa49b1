"""A disk that fills up during one step: a sentence, a warehouse that is readable, and nothing lost for the next try."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.forking import Forking
from mel_pipeline_tests.fixtures.interrupted import BEFORE, fill
from mel_pipeline_tests.fixtures.organisation import copy_of, organisation
from mel_pipeline_tests.integration.test_kills import seconds_of, state

pytestmark = [
    pytest.mark.exhaustive,  # each try is a process of its own
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk of a given size"),
]

TRY = """
import sys
from mel_pipeline.core.disk_trouble import disk_trouble
from mel_pipeline.core.errors import MelError
from mel_pipeline_tests.fixtures.interrupted import run
try:
    run(*sys.argv[1:])
except Exception as error:  # as the command `mel` and a run in Dagster tell it
    print(disk_trouble(error) or (error if isinstance(error, MelError) else repr(error)))
else:
    print("done")
"""
DISK = 200 << 20  # bytes


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.deep
@pytest.mark.fault(5, 127)
@pytest.mark.parametrize("step", ["calculation", "report", "publication", "recalculation"])
def test_a_step_on_a_disk_that_fills_up_says_so_and_with_space_ends_as_if_nothing_had_happened(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, forked: Forking, disk: Path, step: str
) -> None:
    begun = copy_of(tmp_path_factory, "two-quarters-one-published", tmp_path / "begun", fill)
    if step in BEFORE:
        BEFORE[step](begun)
    begun.warehouse.fold()
    begun.warehouse.engine.dispose()
    calm = shutil.copytree(begun.settings.home, tmp_path / "calm")
    seconds_of(forked, step, str(calm))
    expected = state(organisation(calm))
    luck, wanted = random.Random(step), max(size(calm) - size(begun.settings.home), 200_000)
    for number in range(examples(2, 8)):
        home = shutil.copytree(begun.settings.home, disk / str(number))
        room = 0 if number == 0 else luck.randrange(wanted)
        with (disk / "balloon").open("wb") as balloon:
            os.posix_fallocate(balloon.fileno(), 0, max(1, shutil.disk_usage(disk).free - room))
        said = forked.run(TRY, step, str(home), environment={**os.environ, "TMPDIR": str(disk)}).stdout
        assert said == "done\n" or ("space" in said and "Running" not in said and "\n" not in said[:-1])
        assert number or said != "done\n", "without any room it cannot end"
        small = organisation(home)
        assert small.warehouse.records("select count(*) as n from released_figures")[0]["n"] > 0
        small.warehouse.engine.dispose()
        (disk / "balloon").unlink()
        seconds_of(forked, step, str(home))
        small = organisation(home)
        assert state(small) == expected
        small.warehouse.engine.dispose()
        shutil.rmtree(home)
