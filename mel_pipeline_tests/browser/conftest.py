"""One real browser for all pages that a test worker opens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadFileScheduling

from mel_pipeline_tests.fixtures.login_site import team  # noqa: F401 - one installation for all files

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# The headless shell draws the same pages; the whole browser starts its own windows and toolbars for each, a second of
# processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# What takes minutes or a server of its own comes first, so that no worker is left with it alone.
FIRST = ("team", "sandbox", "test_workbook_in_mel_dev", "test_report_page")
HERE = Path(__file__).parent


class _Together(LoadFileScheduling):
    """As `--dist loadfile`, with the files of the login as one: setting up their installation takes half a minute."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "login" if Path(file).name.startswith("test_login") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    return _Together(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest first, and tests of one server, sample organisation or site beside one another: with
    `--dist loadfile` a worker sets up what the tests of a file share."""
    mine = [(place, item) for place, item in enumerate(items) if item.path.parent == HERE]
    ordered = sorted((item for _, item in mine), key=lambda item: _turn(_group(item)))
    for (place, _), item in zip(mine, ordered, strict=True):
        items[place] = item


def _group(item: pytest.Item) -> str:
    used = getattr(item, "fixturenames", ())
    return next((name for name in ("team", "sandbox") if name in used), item.path.stem)


def _turn(group: str) -> tuple[int, str]:
    return (FIRST.index(group) if group in FIRST else len(FIRST)), group


@pytest.fixture(scope="package")  # Playwright holds an event loop, which must not leak into other tests
def browser() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("Testing pages: no browser found. Install one: apt-get install chromium-headless-shell")
    with sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()
