"""One sandbox for the tests of limits; each test leaves it without any."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mel_pipeline.sandbox import Sandbox, running
from mel_pipeline_tests.fixtures.limits import TODAY


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    with running(today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture
def box(served: Sandbox) -> Iterator[Sandbox]:
    yield served
    for platform in served.platforms.values():
        platform.recover()
