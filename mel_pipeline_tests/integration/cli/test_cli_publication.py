"""Publishing, explaining, correcting and erasing at a terminal."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mel_pipeline_tests.conftest import Mel
from mel_pipeline_tests.fixtures.organisation import (
    DAY,
    Small,
    copy_of,
    event,
    member,
    organisation,
    seven_members,
)

pytestmark = pytest.mark.slow
QUARTER = "2024-Q4"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    made = organisation(tmp_path_factory.mktemp("cli"))
    made.load(
        "accounts",
        [member(n) for n in range(1, 8)] + [member(8, joined_on="2024-12-01"), member(9, region="?")],
    )
    made.load("events", [event(1)])
    made.load_the_rest()
    made.calculate("2024-Q3")
    made.calculate(QUARTER)
    return made


@pytest.fixture
def at(small: Small, mel: Mel) -> Mel:
    """The command on this organisation."""
    return _at(small, mel)


def _at(small: Small, mel: Mel) -> Mel:
    home = {"MEL_HOME": str(small.settings.home), "MEL_TODAY": str(DAY), "MEL_FIRST_QUARTER": "2024-Q1"}

    def run(*arguments: str) -> CompletedProcess[str]:
        done = mel(*arguments, **home)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.mark.long
def test_a_quarter_is_published_explained_and_rebuilt(small: Small, at: Mel) -> None:
    assert "2024-Q3 is not published" in at("publish", QUARTER).stdout
    small.publish("2024-Q3")
    assert "2024-Q4 is checked: nothing stands against publishing it." in at("publish", QUARTER).stdout
    refused = at("publish", QUARTER, "--role", "Director", "--without", "kobo")
    assert refused.returncode == 1
    done = at("publish", QUARTER, "--role", "Secretary General", "--note", "Checked with the teams")
    assert "2024-Q4 is published, version 1." in done.stdout
    assert "`mel run --quarter 2024-Q4`" in done.stdout
    assert "identical" in at("rebuild", QUARTER).stdout
    output = at("explain", "mem-02", QUARTER).stdout
    for part in (
        "MEM-02 2024-Q4: New member cities",
        "figure       1",
        "published    version 1",
        "approved by Secretary General: Checked with the teams",
        "raw_zoho_crm__accounts: 9 rows, 1 cell left empty (zoho_crm-accounts-",
        "Counted (1)",
        "City 8",
    ):
        assert part in output
    against = at("explain", "MEM-01", QUARTER, "--against", "2024-Q3").stdout
    assert "2024-Q3: 8, 2024-Q4: 9 (+1)" in against
    assert "+1  what really happened" in against
    assert "  + City 8\n  by region: Asia +1" in against
    assert at("restatements").stdout.strip() == "Every published figure agrees with the data."
    assert (
        at("restate", QUARTER, "MEM-01", "--reason", "correction", "--role", "D", "--note", "n").returncode
        == 1
    )


def test_a_missing_figure_or_quarter_is_a_readable_error(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, mel: Mel
) -> None:
    at = _at(copy_of(tmp_path_factory, "seven-members", tmp_path, seven_members), mel)
    for arguments in (
        ("explain", "XXX-01", QUARTER),
        ("rebuild", "2024-Q2"),
        ("explain", "MEM-01", "2019-Q1"),
    ):
        done = at(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")


@pytest.mark.exhaustive
def test_quality_quarantine_and_corrections_are_printed(small: Small, at: Mel) -> None:
    output = at("quality").stdout
    assert "Zoho CRM" in output
    assert "region '?' is not one of" in at("quality", "quarantine").stdout
    path = small.settings.home / "corrections.yml"
    path.write_text(
        '- {source: zoho_crm, entity: accounts, match: {id: "9"}, action: set, set: {region: Asia},\n'
        "   reason: Region was missing., provider: Membership, date: 2025-01-12}\n",
        encoding="utf-8",
    )
    assert "No match." in at("quality", "corrections").stdout
    assert "1 changed" in at("quality", "replay").stdout
    assert "Applied to 1 rows." in at("quality", "corrections").stdout
    assert "0 in quarantine." in at("quality", "quarantine").stdout


@pytest.mark.exhaustive
def test_held_data_are_listed_and_a_person_is_erased(small: Small, at: Mel, tmp_path: Path) -> None:
    stamps = {"created_at": "2024-01-01T00:00:00+00:00", "modified_at": "2024-01-01T00:00:00+00:00"}
    small.load("contacts", [{"id": "771", "gender": "Woman", **stamps}])
    held = at("privacy", "held").stdout
    assert "zoho_crm contacts: People" in held
    assert "771" not in held
    done = at("privacy", "erase", "771")
    assert "rows removed" in done.stdout
    assert at("privacy", "retain").stdout.strip() == "Nothing has expired."
    assert tmp_path.exists()
