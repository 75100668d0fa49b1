"""The sample organisation as records: the published figures of 2024, the traps around them, determinism.

Counts are made here by hand, straight from the records, so that they check the sample and not the pipeline.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.sandbox.organisation import Organisation, build, calibration
from mel_pipeline.sandbox.organisation.activity import Participation
from mel_pipeline.sandbox.organisation.presence import AVANTIA, reach
from mel_pipeline.sandbox.survey_exports import exports, write_survey_exports
from mel_pipeline.sandbox.zoho import sample
from mel_pipeline.sandbox.zoho.sample import account_of

TODAY = date(2026, 11, 20)
END_2024 = date(2024, 12, 31)
EARLIER = [date(2023, 2, 1), date(2024, 7, 1), date(2025, 1, 20), date(2025, 10, 31)]


@pytest.fixture(scope="module")
def org() -> Organisation:
    return build(TODAY)


@pytest.fixture(scope="module")
def wanted() -> dict[str, Any]:
    return calibration()


def attended_labs(org: Organisation, year: int) -> list[Participation]:
    return [
        row
        for row in org.participations
        if row.event.kind == "Solutions Lab"
        and row.event.start.year == year
        and row.attends
        and not row.event.cancelled
    ]


def served(org: Organisation) -> dict[str, list[dict[str, Any]]]:
    """CRM records as the API returns them."""
    modules = account_of(org).modules
    return {name: [module.get(id) for id in module.ids()] for name, module in modules.items()}


def survey_rows(org: Organisation) -> dict[str, list[dict[str, str]]]:
    return {
        name: list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")))) for name, content in exports(org)
    }


@pytest.mark.slow
def test_full_members_are_164_at_the_end_of_2024_and_156_a_year_before(org: Organisation) -> None:
    assert sum(account.is_member(END_2024) for account in org.accounts) == 164
    assert sum(account.is_member(date(2023, 12, 31)) for account in org.accounts) == 156


def test_regions_count_the_listed_members_and_the_unlisted_ones_have_none(org: Organisation) -> None:
    regions = Counter(account.region for account in org.accounts if account.is_member(END_2024))
    assert regions == {
        "Africa": 26,
        "Eurasia and Middle East": 20,
        "Asia": 64,
        "Europe": 18,
        "Latin America and the Caribbean": 24,
        "North America": 7,
        None: 5,
    }


def test_eight_members_and_one_associate_joined_in_2024_over_all_four_quarters(org: Organisation) -> None:
    joined = [a for a in org.accounts if a.joined_on and a.joined_on.year == 2024]
    members = [a.joined_on for a in joined if a.member_type == "Member" and a.joined_on]
    assert len(members) == 8
    assert {(day.month - 1) // 3 for day in members} == {0, 1, 2, 3}
    assert [a.member_type for a in joined].count("Associate") == 1


def test_a_member_that_left_before_2024_and_one_that_left_after_are_kept_with_their_dates(
    org: Organisation,
) -> None:
    left = [a.left_on for a in org.accounts if a.left_on]
    assert any(day < date(2024, 1, 1) for day in left)
    assert any(day > END_2024 for day in left)


def test_a_smaller_member_refers_to_the_larger_one_containing_it_and_never_back(org: Organisation) -> None:
    by_id = {a.id: a for a in org.accounts}
    pairs = {(a.name, by_id[a.part_of].name) for a in org.accounts if a.part_of}
    assert {("Johannesburg", "Gauteng"), ("Geneva", "Canton of Geneva")} <= pairs
    assert not {(larger, smaller) for smaller, larger in pairs} & pairs


@pytest.mark.slow
def test_people_number_4321_and_nobody_has_a_name_or_an_address(org: Organisation) -> None:
    assert len(org.contacts) == 4321
    records = served(org)["Contacts"]
    assert {(r["First_Name"], r["Email"]) for r in records} == {(None, None)}
    assert all(str(r["Last_Name"]).startswith("Sample person ") for r in records)


def test_ten_labs_met_in_2024_and_a_cancelled_one_does_not_make_eleven(org: Organisation) -> None:
    labs = [e for e in org.events if e.kind == "Solutions Lab" and e.start.year == 2024]
    assert len({e.lab for e in labs if not e.cancelled}) == 10
    assert len({e.lab for e in labs}) == 11


def test_thirty_nine_member_cities_came_to_the_labs_of_2024(
    org: Organisation, wanted: dict[str, Any]
) -> None:
    accounts = {a.id: a for a in org.accounts}
    came = {r.account for r in attended_labs(org, 2024) if r.account}
    members = {a for a in came if accounts[a].is_member(END_2024)}
    assert len(members) == wanted["labs_2024"]["engaged_members"] == 39
    assert members == {
        r.account
        for r in attended_labs(org, 2024)
        if r.account and accounts[r.account].is_member(r.event.start.date())
    }


def test_non_members_came_to_the_labs_and_a_fortieth_member_registered_only(org: Organisation) -> None:
    accounts = {a.id: a for a in org.accounts}
    came = {r.account for r in attended_labs(org, 2024)}
    registered = {
        r.account
        for r in org.participations
        if r.event.kind == "Solutions Lab" and r.event.start.year == 2024
    }
    assert any(accounts[a].member_type == "Non-member" for a in came if a)
    absent = {a for a in registered - came if a and accounts[a].is_member(END_2024)}
    assert len(absent) == 1


def test_lab_participants_of_2024_are_189_women_161_men_and_14_undisclosed(org: Organisation) -> None:
    genders = {c.id: c.gender for c in org.contacts}
    people = {r.contact for r in attended_labs(org, 2024) if r.role == "Participant"}
    counted = Counter(genders[p] for p in people if p)
    assert (counted["Woman"], counted["Man"]) == (189, 161)
    assert counted[None] + counted["Prefers not to say"] == 14
    assert sum(counted.values()) == 364


def test_the_secretariat_of_2024_has_sixteen_women_seven_men_and_interns_apart(org: Organisation) -> None:
    in_post = [
        p for p in org.staff if p.joined_on <= END_2024 and (p.left_on is None or p.left_on > END_2024)
    ]
    counted = Counter(p.gender for p in in_post if p.employment != "Intern")
    assert counted == {"Female": 16, "Male": 7}
    assert sum(p.employment == "Intern" for p in in_post) == 3


def test_thirty_five_people_of_thirty_three_bodies_sit_on_the_board_in_2024(org: Organisation) -> None:
    seats = [s for s in org.board if s.start <= END_2024 and (s.end is None or s.end > END_2024)]
    assert len({s.contact for s in seats}) == len(seats) == 35
    assert len({s.account for s in seats}) == 33


def test_the_fund_secured_800000_euro_from_two_donors_and_nothing_unsigned_counts(org: Organisation) -> None:
    names = {a.id: a.name for a in org.accounts}
    fund = [d for d in org.deals if d.pipeline == "International Fund"]
    signed = [d for d in fund if d.signed_on and d.signed_on <= END_2024]
    assert {names[d.account]: (d.amount, d.currency) for d in signed} == {
        "Swiss Agency for Development and Cooperation (SDC)": (700_000, "EUR"),
        "Open Society Foundations": (100_000, "EUR"),
    }
    assert {d.stage for d in fund} == {"Signed", "Negotiation", "Lost"}
    assert any(d.currency == "USD" and d.rate != 1.0 for d in fund)
    assert any(d.pipeline == "Projects" and d.stage == "Signed" for d in org.deals)


def test_the_campaign_has_twelve_videos_with_658382_views_inside_the_account(org: Organisation) -> None:
    avantia = next(a for a in org.social if a.id == AVANTIA)
    videos = [p for p in avantia.posts if "#AVANTIAcampaign" in p.caption]
    assert len(videos) == 12
    assert sum(p.views or 0 for p in videos) == 658_382
    assert all(date(2024, 11, 25) <= p.published.date() <= date(2024, 12, 20) for p in videos)
    in_2024 = sum(views for day, views in avantia.views.items() if day <= END_2024)
    posted = sum(p.views or 0 for p in avantia.posts if p.published.date() <= END_2024)
    assert in_2024 == 875_412
    assert 658_382 < posted <= in_2024


def test_avantia_has_1500_followers_at_the_end_of_2024_and_more_later(org: Organisation) -> None:
    avantia = next(a for a in org.social if a.id == AVANTIA)
    by_then = avantia.followers_at_launch + sum(
        n for day, n in avantia.new_followers.items() if day <= END_2024
    )
    assert by_then == 1_500
    assert avantia.followers_at_launch + sum(avantia.new_followers.values()) > 1_500


def test_four_mayor_interviews_came_out_in_2024_and_three_early_in_2025(org: Organisation) -> None:
    videos = [p for a in org.social for p in a.posts if "#10MinutesWithTheMayor" in p.caption]
    assert sum(p.published.year == 2024 for p in videos) == 4
    assert sum(date(2025, 1, 1) <= p.published.date() <= date(2025, 3, 31) for p in videos) == 3


def test_the_reach_of_a_period_is_less_than_the_sum_of_its_parts() -> None:
    for part, other in [(700, 900), (30_000, 45_000), (658_382, 217_030)]:
        assert max(reach(part), reach(other)) < reach(part + other) < reach(part) + reach(other)
        assert reach(part) <= part


def test_the_care_site_triples_in_the_month_after_the_toolkit(
    org: Organisation, wanted: dict[str, Any]
) -> None:
    care = next(s for s in org.sites if s.name == "metropoliscare.org")

    def month(name: str) -> int:
        return sum(n or 0 for day, n in care.visits.items() if f"{day:%Y-%m}" == name)

    toolkit = wanted["care_toolkit"]
    assert month(toolkit["launch_month"]) == 3 * month(toolkit["quiet_month"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("day", [*EARLIER, TODAY], ids=str)
@pytest.mark.sweep
def test_every_lookup_points_at_a_record_that_is_served_that_day(day: date) -> None:
    targets = {"Event": "Network_Events", "Contact": "Contacts", "Account": "Accounts", "Part_Of": "Accounts"}
    modules = served(build(day))
    ids = {name: {r["id"] for r in records} for name, records in modules.items()}
    for name, records in modules.items():
        assert len(ids[name]) == len(records), f"{name}: an id twice"
        for record in records:
            for field, target in targets.items():
                if isinstance(record.get(field), dict):
                    assert record[field]["id"] in ids[target], f"{name} {record['id']} {field}"


@pytest.mark.slow
@pytest.mark.parametrize("earlier", EARLIER, ids=str)
@pytest.mark.sweep
def test_a_later_day_alters_no_record_that_was_settled_before(earlier: date, org: Organisation) -> None:
    then = build(earlier)
    before, after = served(then), served(org)
    now = then.now.replace(tzinfo=UTC)
    for name, records in after.items():
        known = {r["id"]: r for r in before[name]}
        settled = [r for r in records if datetime.fromisoformat(r["Modified_Time"]) <= now]
        assert all(known[r["id"]] == r for r in settled), f"{name}: a settled record changed"
        assert set(known) <= {r["id"] for r in records}, f"{name}: a record vanished"


@pytest.mark.slow
@pytest.mark.parametrize("earlier", EARLIER, ids=str)
@pytest.mark.sweep
def test_a_later_day_alters_no_figure_of_instagram_or_the_web_sites(earlier: date, org: Organisation) -> None:
    before, after = build(earlier), org
    for old, new in zip(before.social, after.social, strict=True):
        assert old.views == {day: n for day, n in new.views.items() if day < earlier}
        assert old.new_followers == {day: n for day, n in new.new_followers.items() if day < earlier}
        assert old.posts == [p for p in new.posts if p.published.date() < earlier]
    for site, later in zip(before.sites, after.sites, strict=True):
        assert site.visits == {day: n for day, n in later.visits.items() if day < earlier}


@pytest.mark.slow
@pytest.mark.parametrize("day", [*EARLIER, TODAY], ids=str)
@pytest.mark.sweep
def test_nothing_is_served_that_was_written_after_today(day: date) -> None:
    then = build(day)
    now = then.now.replace(tzinfo=UTC)
    for name, records in served(then).items():
        assert all(datetime.fromisoformat(r["Modified_Time"]) <= now for r in records), name


@pytest.mark.slow
def test_one_event_starts_at_2330_utc_on_the_last_day_of_the_year(org: Organisation) -> None:
    late = [e for e in served(org)["Network_Events"] if str(e["Event_Code"]).endswith("NYE")]
    assert "2025-01-01T00:30:00+01:00" in {e["Start_Time"] for e in late}


def test_survey_answers_are_about_events_of_the_quarter_in_the_file_name(org: Organisation) -> None:
    events = {e.code: e for e in org.events}
    for name, rows in survey_rows(org).items():
        quarter = name.split("feedback-")[1][:7]
        starts = [events[row["event_code"]].start for row in rows]
        assert {f"{s.year}-Q{(s.month + 2) // 3}" for s in starts} == {quarter}, name


def test_nobody_answers_the_survey_of_an_event_they_did_not_attend(org: Organisation) -> None:
    numbers = {f"SR{int(row.id) % 10**9:09}": row for row in org.participations}
    answered = [numbers[next(iter(row.values()))] for rows in survey_rows(org).values() for row in rows]
    assert all(row.attends and row.invited for row in answered)


def test_three_to_five_in_ten_invited_people_answer_and_are_rather_satisfied(org: Organisation) -> None:
    invited = sum(row.invited and row.settled <= org.now for row in org.participations)
    rows = {
        cells[0]: cells for rows in survey_rows(org).values() for cells in (list(r.values()) for r in rows)
    }
    assert 0.30 <= len(rows) / invited <= 0.50
    scale = {"Very dissatisfied": 1, "Dissatisfied": 2, "Satisfied": 4, "Very satisfied": 5}
    scale |= {"Muy insatisfecho/a": 1, "Insatisfecho/a": 2, "Satisfecho/a": 4, "Muy satisfecho/a": 5}
    scale |= {"Neither satisfied nor dissatisfied": 3, "Ni satisfecho/a ni insatisfecho/a": 3}
    scores = [scale[cells[13]] for cells in rows.values() if cells[13] in scale]
    assert 4.0 <= sum(scores) / len(scores) <= 4.4
    assert {cells[13] for cells in rows.values()} - set(scale) == {"", "No opinion", "No conozco"}


def test_survey_exports_hold_the_traps_the_connector_has_to_survive(org: Organisation) -> None:
    files = survey_rows(org)
    spanish = {name: rows for name, rows in files.items() if name.endswith("-es.csv")}
    assert spanish
    promoter = "Net Promoter Score (de un total de 10)"
    assert any(row[promoter] == "11" for rows in spanish.values() for row in rows)
    own_question = "¿Qué probabilidad hay de que recomiende la sesión a un colega?"
    assert {row[own_question] for rows in spanish.values() for row in rows} == {""}
    assert all(row["Dirección IP"].startswith("192.0.2.") for rows in spanish.values() for row in rows)
    assert {row["Estado de respuesta"] for rows in spanish.values() for row in rows} == {
        "Completado",
        "Parcial",
    }
    repeated = Counter(row["Response ID"] for rows in files.values() for row in rows if "Response ID" in row)
    assert max(repeated.values()) == 2


@pytest.mark.slow
def test_survey_exports_are_written_twice_without_touching_a_file(org: Organisation, tmp_path: Path) -> None:
    paths = write_survey_exports(tmp_path, org)
    stamps = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths}
    assert write_survey_exports(tmp_path, org) == paths
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths} == stamps
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.slow
def test_an_edited_survey_export_is_restored(org: Organisation, tmp_path: Path) -> None:
    first = write_survey_exports(tmp_path, org)[0]
    right = first.read_bytes()
    first.write_bytes(b"half a fi")
    write_survey_exports(tmp_path, org)
    assert first.read_bytes() == right


@pytest.mark.slow
def test_survey_exports_of_closed_quarters_stay_as_they_are_on_a_later_day(org: Organisation) -> None:
    before, after = dict(exports(build(date(2025, 3, 20)))), dict(exports(org))
    closed = [name for name in before if "2025" not in name]
    assert closed
    assert {name: before[name] for name in closed} == {name: after[name] for name in closed}


@pytest.mark.long
def test_building_twice_gives_the_same_records(org: Organisation) -> None:
    build.cache_clear()
    again = build(TODAY)
    assert again is not org
    assert again.contacts == org.contacts
    assert again.participations == org.participations
    assert again.social == org.social
    assert dict(exports(again)) == dict(exports(org))


def test_most_recent_days_are_yesterday_not_today(org: Organisation) -> None:
    yesterday = TODAY - timedelta(days=1)
    assert {max(a.views) for a in org.social} == {yesterday}
    assert {max(s.visits) for s in org.sites} == {yesterday}


@pytest.mark.parametrize("name", ["Contacts", "Participations"])
def test_a_merged_duplicate_has_an_id_that_no_further_record_could_get(org: Organisation, name: str) -> None:
    ids = sorted(int(record[0]) for record in sample.modules(org)[name])
    step = math.gcd(*(id - ids[0] for id in ids))
    duplicates = [int(record[0]) for record in sample._duplicates(name, org)]
    assert duplicates and all((id - ids[0]) % step for id in duplicates)
