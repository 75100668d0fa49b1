"""Where the processor time of tests goes: by file and by test, child processes included.

    .venv/bin/python -m pytest -p mel_pipeline_tests.processor_time mel_pipeline_tests/unit/core

With `-n 2` the workers' seconds are added up. Wall time says little on a machine that others use, too. A busy machine still adds a third to processor time. What a
fixture of a session costs counts for the first test that uses it. Needs Linux (/proc).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SHOWN = 60
SPENT = "processor seconds by test"
TICKS = os.sysconf("SC_CLK_TCK")
_by_test: defaultdict[str, float] = defaultdict(float)


def processor_seconds() -> float:
    """Of this process and of all its descendants, living and ended."""
    return sum(os.times()[:4]) + _of_children(os.getpid())


def _of_children(process: int) -> float:
    """Of living descendants, with what their own ended children took."""
    seconds = 0.0
    for child in _children(process):
        try:
            fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # has just ended
            continue
        seconds += sum(map(int, fields[11:15])) / TICKS + _of_children(child)
    return seconds


def _children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="utf-8").split())
    except OSError:
        pass
    return found


@contextmanager
def _counted(item: pytest.Item) -> Iterator[None]:
    before = processor_seconds()
    yield
    _by_test[item.nodeid] += processor_seconds() - before


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with _counted(item):
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker of xdist: hand the seconds to the process that prints them."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[SPENT] = dict(_by_test)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for test, spent in getattr(node, "workeroutput", {}).get(SPENT, {}).items():
        _by_test[test] += spent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    by_file: defaultdict[str, float] = defaultdict(float)
    for test, spent in _by_test.items():
        by_file[test.partition("::")[0]] += spent
    for title, seconds in (("file", by_file), ("test", _by_test)):
        terminalreporter.section(f"processor seconds by {title}, {sum(seconds.values()):.1f} together")
        for name, spent in sorted(seconds.items(), key=lambda item: -item[1])[:SHOWN]:
            terminalreporter.write_line(f"{spent:8.2f}  {name}")
