"""Matching answered cities to members: exact names, known aliases, decisions; no fuzzy matching."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mel_pipeline.core.errors import CatalogueError
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.ingest.identity import (
    Answer,
    Match,
    Member,
    Members,
    city_key,
    load_aliases,
    match,
    read_review,
    review_of,
    wrong_decision,
)
from mel_pipeline.ingest.identity.aliases import read_aliases

ALIASES = load_aliases()
NETWORK = PROJECT / "mel_pipeline" / "sandbox" / "organisation" / "member_cities.csv"
CITIES = Members(
    [Member("1", "Moscow", "RU"), Member("2", "Córdoba", "AR"), Member("3", "Ciudad de México", "MX"),
     Member("4", "Guadalajara", "MX"), Member("5", "Hyderabad", "IN"), Member("6", "Montréal", "CA"),
     Member("7", "Brussels", None), Member("8", "Bogotá", "CO")],
    ALIASES,
)  # fmt: skip


def account(city: str, country: str = "") -> str | None:
    found = match(city_key(city), country, CITIES, ALIASES, {})
    return found.account_id if found else None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("moscow", "1"), ("  MOSCOW. ", "1"), ("Moscou", "1"), ("Moscú", "1"), ("Mexico City", "3"), ("CDMX", "3"),
     ("Montreal", "6"), ("Bruxelles", "7"), ("Brussel", "7"), ("Bogota", "8"), ("Bogotá, Colombia", "8")],
)  # fmt: skip
def test_names_match_exactly_in_three_languages_and_as_cities_write_themselves(
    answer: str, expected: str
) -> None:
    assert account(answer) == expected


@pytest.mark.parametrize("answer", ["Moscw", "Bogot", "Montréa", "Moscow Heights", "Bogotá D", ""])
def test_what_is_only_like_a_name_is_never_matched(answer: str) -> None:
    assert account(answer) is None


@pytest.mark.parametrize(
    ("city", "country", "expected"),
    [("Córdoba", "", None), ("Córdoba", "Argentina", "2"), ("Cordoba", "AR", "2"), ("Córdoba", "España", None),
     ("Córdoba, Argentina", "", "2"), ("Guadalajara", "", None), ("Guadalajara", "Mexique", "4"),
     ("Guadalajara", "Spain", None), ("Hyderabad", "", None), ("Hyderabad", "India", "5"), ("Hyderabad", "Pakistan", None)],
)  # fmt: skip
def test_a_name_shared_by_several_places_counts_only_with_its_country(
    city: str, country: str, expected: str | None
) -> None:
    assert account(city, country) == expected


def test_a_contradicting_or_unknown_country_rules_the_name_out() -> None:
    assert account("Moscow", "Colombia") is None
    assert account("Moscow", "Middle-earth") is None


def test_a_decision_takes_precedence_over_every_rule() -> None:
    confirmed = {("moscow", ""): "8", ("bogota", ""): None}
    assert match("moscow", "", CITIES, ALIASES, confirmed) == Match("8", "confirmed")
    assert match("bogota", "", CITIES, ALIASES, confirmed) is None


def test_every_city_of_the_network_is_known_and_found_by_its_own_name() -> None:
    with NETWORK.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["member_type"] == "member"]
    members = Members([Member(str(n), row["name"], row["country"]) for n, row in enumerate(rows)], ALIASES)
    unknown = [row["name"] for row in rows if city_key(row["name"]) not in ALIASES.by_key]
    assert unknown == []
    lost = [
        row["name"]
        for n, row in enumerate(rows)
        if (found := match(city_key(row["name"]), row["country"], members, ALIASES, {})) is None
        or found.account_id != str(n)
    ]
    assert lost == []


def test_a_name_of_two_members_is_refused_unless_it_is_declared_a_homonym(tmp_path: Path) -> None:
    text = "homonyms: [{}]\ncountries: {{}}\nlanguages: [en]\nmembers:\n  A: {{country: ES, also: [X]}}\n  B: {{country: FR, also: [X]}}\n"
    path = tmp_path / "aliases.yml"
    path.write_text(text.format(""))
    with pytest.raises(CatalogueError, match="'x' means both A and B"):
        read_aliases(path)
    path.write_text(text.format("X"))
    assert len(read_aliases(path).by_key["x"]) == 2


# -- decisions of the workbook ---------------------------------------------------------------------------


def decided(*rows: tuple[str, str]) -> list[dict[str, str | None]]:
    return [
        {"id": f"Y-{number:04d}", "answer": answer, "country": None, "decision": decision}
        for number, (answer, decision) in enumerate(rows, start=1)
    ]


def test_unmatched_answers_are_listed_with_the_most_similar_member() -> None:
    answers = [
        Answer("Moscw", "", 3),
        Answer("Bogata", "", 5),
        Answer("Moscow", "", 9),
        Answer("Atlantis", "", 1),
    ]
    lines = review_of(answers, read_review([], CITIES), CITIES, ALIASES)
    assert [(line.answer.text, line.answer.times, line.suggestion) for line in lines] == [
        ("Bogata", 5, "Bogotá"), ("Moscw", 3, "Moscow"), ("Atlantis", 1, ""),
    ]  # fmt: skip


def test_a_decision_is_followed_and_listed_after_what_waits() -> None:
    review = read_review(decided(("Moscw", "Moscou"), ("Atlantis", "not a member")), CITIES)
    assert review.confirmed == {("moscw", ""): "1", ("atlantis", ""): None}
    answers = [Answer("Atlantis", "", 1), Answer("Cordoba", "", 2)]
    lines = review_of(answers, review, CITIES, ALIASES)
    assert [line.answer.text for line in lines] == ["Cordoba", "Atlantis", "Moscw"]


def test_a_decision_naming_no_member_is_reported_and_kept() -> None:
    review = read_review(decided(("Moscw", "Moskow")), CITIES)
    assert review.confirmed == {}
    assert review.problems == [
        "Workbook, Cities, Y-0001: 'Moskow' is not a member. Write a member's name as in the CRM, 'not a member', or"
        " nothing."
    ]
    assert wrong_decision("Moskow", CITIES).startswith("'Moskow' is not a member.")
    (line,) = review_of([Answer("Moscw", "", 3)], review, CITIES, ALIASES)
    assert line.decision == "Moskow"


def test_two_decisions_about_one_city_count_neither() -> None:
    review = read_review(decided(("Moscw", "Moscow"), ("moscw", "not a member")), CITIES)
    assert review.confirmed == {} and "decided twice" in review.problems[0]
