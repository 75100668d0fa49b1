"""The reading site from a warehouse: what is read, what is left out, and the command."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.inputs.site_data import read_site
from mel_pipeline.reporting.site import build_site
from mel_pipeline.reporting.site.cities import read_cities
from mel_pipeline_tests.conftest import TODAY, Organisation
from mel_pipeline_tests.fixtures.organisation import Small, event, member
from mel_pipeline_tests.fixtures.organisation import organisation as small_organisation
from mel_pipeline_tests.golden.sample_edition import REPORTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def participation(number: int, account: int, event_id: int, **more: str) -> dict[str, str]:
    return {
        "id": str(number),
        "event": str(event_id),
        "account": str(account),
        "contact": str(900 + account),
        "role": "Participant",
        "attended": "true",
        "created_at": "2024-10-10T00:00:00+00:00",
        "modified_at": "2024-11-06T00:00:00+00:00",
        **more,
    }


def contact(number: int) -> dict[str, str]:
    return {
        "id": str(900 + number),
        "organisation": str(number),
        "created_at": "2024-01-01T00:00:00+00:00",
        "modified_at": "2024-01-01T00:00:00+00:00",
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Small:
    """Seven cities: six came to a lab, three to a training, one registered but did not attend, one had left before."""
    made = small_organisation(tmp_path_factory.mktemp("small"))
    cities = [member(number) for number in range(1, 8)]
    cities[6] |= {"left_on": "2024-05-01", "country_code": "ES", "name": "Córdoba"}
    made.load("accounts", [*cities, member(8, member_type="Non-member", joined_on="", name="Stranger")])
    made.load(
        "events",
        [
            event(1, lab="Metropolitan mobility"),
            event(2, event_type="Training"),
            event(3, status="Cancelled"),
        ],
    )
    came = [participation(number, number, 1) for number in range(1, 7)]
    came += [participation(10 + number, number, 2) for number in range(1, 4)]
    came += [
        participation(20, 4, 2, attended="false"),
        participation(21, 5, 3),
        participation(22, 7, 1),
        participation(23, 8, 1),
    ]
    made.load("contacts", [contact(number) for number in range(1, 9)])
    made.load("participations", came)
    made.calculate("2024-Q4")
    return made


@pytest.mark.long
def test_the_site_counts_only_events_a_city_attended_while_it_was_a_member(small: Small):
    site = read_site(small.warehouse, small.settings)
    cities = {city.id: city for city in read_cities(site, ["2024-Q4"])}
    assert set(cities) == {str(number) for number in range(1, 8)}  # no non-member
    lab = ("2024-Q4", "Solutions Lab")
    assert [cities[str(number)].counts[lab] for number in range(1, 8)] == [1, 1, 1, 1, 1, 1, 0]
    assert cities["7"].standing == "former" and cities["7"].slug == "cordoba-es"
    assert cities["1"].labs == {"2024": ["Metropolitan mobility"]}
    assert cities["1"].spells[0].began == 2015


def test_three_cities_at_a_training_are_shown_for_nobody(small: Small):
    site = read_site(small.warehouse, small.settings)
    assert ("2024-Q4", "Training") in site.presence.withheld
    assert set(site.presence.counts["kind"]) == {"Solutions Lab"}


def test_no_frame_of_the_site_holds_anything_about_a_person(small: Small):
    site = read_site(small.warehouse, small.settings)
    for frame in (site.cities, site.spells, site.presence.counts, site.presence.labs, site.donors):
        assert not set(frame.columns) & {
            "contact_id",
            "person_key",
            "gender",
            "participation_id",
            "seat_role",
            "role",
        }
        assert not frame.astype(str).isin([str(900 + number) for number in range(1, 9)]).any().any()


@pytest.mark.long
def test_a_published_quarter_is_labelled_as_such(small: Small, tmp_path: Path):
    small.publish("2024-Q4")
    settings = small.settings.model_copy(update={"reports_dir": tmp_path})
    (tmp_path / "2024-Q4").mkdir()
    (tmp_path / "2024-Q4" / "report-en.html").write_text("<main></main>")
    site = read_site(small.warehouse, settings, published=True)
    assert site.standings["2024-Q4"][0] == 1
    build_site(site, tmp_path, REPORTS, ["en"])
    assert "Published, version 1 of" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_latest_edition_is_the_last_in_the_folder(small: Small, tmp_path: Path):
    for period, folders in (("2024-Q4", []), ("2024-Q4", ["2024-Q4", "2031"]), ("2024", ["2024", "2024-Q4"])):
        settings = small.settings.model_copy(update={"home": tmp_path})
        for folder in folders:
            (settings.drafts_dir / folder).mkdir(parents=True, exist_ok=True)
        assert read_site(small.warehouse, settings).edition.period == period


def test_before_anything_is_calculated_the_site_says_what_to_do(tmp_path: Path):
    empty = small_organisation(tmp_path)
    with pytest.raises(ReportError, match="nothing has been calculated yet"):
        read_site(empty.warehouse, empty.settings)


@pytest.mark.long
def test_the_command_writes_the_sample_site_and_the_second_time_nothing(
    year_2024: Organisation, tmp_path: Path
):
    environment = {
        **os.environ,
        "MEL_HOME": str(year_2024.settings.home),
        "MEL_TODAY": str(TODAY),
        "MEL_REPORTS_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", "from mel_pipeline.cli.main import main; main()", "site"]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
        for _ in range(2)
    )
    assert first.returncode == 0 and first.stderr == "", first.stderr
    assert not list(tmp_path.iterdir()), "nothing is published, so readers find nothing"
    folder = year_2024.settings.drafts_dir
    assert f"With drafts, for the MEL lead: {folder / 'index.html'}" in first.stdout
    assert " 0 changed, 0 removed" in second.stdout
    pages = [path for path in folder.glob("cities/*-en.html") if not path.name.startswith("index")]
    members = year_2024.warehouse.records("select count(distinct account_id) as n from dim_membership")[0][
        "n"
    ]
    assert len(pages) == members > 164
    rows = list(
        csv.DictReader(io.StringIO((folder / "indicators/MEM-01.csv").read_text(encoding="utf-8-sig")))
    )
    assert {row["value"] for row in rows if (row["period"], row["dimension"]) == ("2024", "total")} == {"164"}
    words = re.sub(r"<[^>]+>", " ", (folder / "cities/sao-paulo-br-en.html").read_text(encoding="utf-8"))
    assert "São Paulo" in words and "Brazil" in words


def test_what_a_city_joined_agrees_with_the_facts(year_2024: Organisation):
    site = read_site(year_2024.warehouse, year_2024.settings)
    quarters = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    cities = {city.id: city for city in read_cities(site, quarters)}
    truth = year_2024.warehouse.records(
        "select p.account_id, p.event_type, count(distinct p.event_id) as events from fct_participation p"
        " where p.has_attended and p.is_held and p.is_member_on_day and p.started_on >= :first and p.started_on < :after"
        " group by p.account_id, p.event_type",
        {"first": date(2024, 10, 1), "after": date(2025, 1, 1)},
    )
    assert len(truth) > 100
    for row in truth:
        shown = cities[row["account_id"]].counts["2024-Q4", row["event_type"]]
        assert shown in (row["events"], "withheld")
