from datetime import date

import pytest

from mel_pipeline.core.periods import Quarter, quarters, quarters_of_year


@pytest.mark.parametrize("text", ["2024-Q4", "2024Q4", "2024-q4", " 2024-Q4 ", "2024-T4"])
def test_a_quarter_is_read_as_people_write_it(text: str) -> None:
    assert Quarter.parse(text) == Quarter(2024, 4)


@pytest.mark.parametrize("text", ["2024", "2024-Q5", "Q4 2024", "2024-Q44", ""])
def test_what_is_not_a_quarter_is_refused_with_the_expected_form(text: str) -> None:
    with pytest.raises(ValueError, match="2024-Q4"):
        Quarter.parse(text)


def test_a_quarter_ends_where_the_next_begins() -> None:
    assert Quarter(2024, 4).end == date(2025, 1, 1) == Quarter(2025, 1).start


def test_the_last_and_first_day_of_a_quarter_belong_to_it() -> None:
    assert Quarter.of(date(2024, 12, 31)) == Quarter(2024, 4)
    assert Quarter.of(date(2024, 10, 1)) == Quarter(2024, 4)


def test_quarters_continue_across_the_year_boundary() -> None:
    assert [str(q) for q in quarters(Quarter(2023, 4), Quarter(2024, 2))] == ["2023-Q4", "2024-Q1", "2024-Q2"]
    assert len(quarters_of_year(2024)) == 4
    assert Quarter(2024, 1).previous() == Quarter(2023, 4)
    assert Quarter(2024, 2).year_before() == Quarter(2023, 2)
