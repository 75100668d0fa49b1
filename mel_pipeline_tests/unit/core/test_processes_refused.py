"""Processes of our own where the system refuses what they share."""

from __future__ import annotations

import resource

import pytest

from mel_pipeline.core.errors import ServingError
from mel_pipeline.core.processes import may_start_more, workers


def test_a_machine_that_refuses_semaphores_is_answered_with_what_to_do() -> None:
    """A limit on the size of files refuses them as a /dev/shm without rights does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        with pytest.raises(ServingError) as told, workers(2):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = str(told.value)
    assert said.startswith(
        "Starting 2 processes: their semaphores could not be made in /dev/shm (File too large)"
    )
    assert "chmod 1777 /dev/shm" in said and "MEL_PROCESSES=1" in said
    assert may_start_more()
