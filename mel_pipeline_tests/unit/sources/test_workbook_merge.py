"""The three-way merge of the workbook: nothing is lost, nobody's work is overwritten, and order does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mel_pipeline.sources.workbook.merge import Merged, key_of, merge
from mel_pipeline.sources.workbook.model import Given, Refused, Row
from mel_pipeline.sources.workbook.sheets import ID, sheets
from mel_pipeline_tests.depth import examples

CITIES = sheets()["cities"]
NAMES = ["Accra", "Lima", "Oslo", "Quito"]
DECISIONS = ["Accra", "Barcelona", "not a member"]


def row(number: int | None, answer: str, decision: str, country: str | None = None) -> Row:
    found: dict[str, str | None] = {"answer": answer, "country": country, "decision": decision}
    return found if number is None else {ID: f"Y-{number:04d}", **found}


def uploaded(rows: Sequence[Row]) -> list[Given]:
    columns = {"answer": "B", "country": "C", "decision": "D"}
    return [Given({ID: None, **one}, number, columns) for number, one in enumerate(rows, start=3)]


def applied(current: Sequence[Row], done: Merged) -> list[Row]:
    """The rows that count afterwards; new ones without a number."""
    changed = {change.id: change.after for change in done.changed}
    gone = {change.id for change in done.removed}
    rows = [changed.get(str(one[ID])) or one for one in current if one[ID] not in gone]
    return [*rows, *(change.after or {} for change in done.new)]


def content(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    return sorted(tuple(str(one.get(key)) for key in CITIES.keys) for one in rows)


@dataclass(frozen=True)
class Edit:
    """What one person does to a download: new decisions by place, removed places, added rows."""

    decided: dict[int, str]
    removed: frozenset[int]
    added: tuple[tuple[str, str], ...]

    def of(self, base: Sequence[Row]) -> list[Row]:
        rows = [
            {**one, "decision": self.decided.get(place, one["decision"])}
            for place, one in enumerate(base)
            if place not in self.removed
        ]
        return [*rows, *(row(None, answer, decision) for answer, decision in self.added)]


bases = st.lists(st.sampled_from(DECISIONS), min_size=1, max_size=6).map(
    lambda decisions: [row(number, f"City {number}", one) for number, one in enumerate(decisions, start=1)]
)


def edits(places: st.SearchStrategy[int], names: Sequence[str]) -> st.SearchStrategy[Edit]:
    return st.builds(
        Edit,
        st.dictionaries(places, st.sampled_from(DECISIONS), max_size=3),
        st.frozensets(places, max_size=2),
        st.lists(
            st.tuples(st.sampled_from(names), st.sampled_from(DECISIONS)),
            max_size=2,
            unique_by=lambda one: one[0],
        ).map(tuple),
    )


@pytest.mark.deep
@settings(max_examples=examples(60, 2000), deadline=None)
@given(bases, edits(st.integers(0, 5), NAMES))
def test_an_upload_without_a_change_changes_nothing_whatever_others_did(base: list[Row], other: Edit) -> None:
    current = _numbered(applied(base, merge(CITIES, base, base, uploaded(other.of(base)))))
    done = merge(CITIES, base, current, uploaded(base))
    assert not (done.new or done.changed or done.removed or done.refused or done.conflicts)
    assert len(done.unchanged) == len(base)


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.fault(118)
@settings(max_examples=examples(60, 2000), deadline=None)
@given(
    bases,
    edits(st.sampled_from([0, 2, 4]), NAMES[:2]),
    edits(st.sampled_from([1, 3, 5]), NAMES[2:]),
)
def test_edits_of_different_rows_join_and_their_order_does_not_matter(
    base: list[Row], mine: Edit, yours: Edit
) -> None:
    ends = []
    for first, second in ((mine, yours), (yours, mine)):
        between = _numbered(applied(base, merge(CITIES, base, base, uploaded(first.of(base)))))
        done = merge(CITIES, base, between, uploaded(second.of(base)))
        assert not done.conflicts and not done.refused
        ends.append(content(applied(between, done)))
    assert ends[0] == ends[1]
    only = Edit(mine.decided | yours.decided, mine.removed | yours.removed, (*mine.added, *yours.added))
    assert ends[0] == content(only.of(base))


@pytest.mark.slow
@pytest.mark.deep
@settings(max_examples=examples(80, 3000), deadline=None)
@example(
    base=[row(1, "City 1", "Accra"), row(2, "City 2", "Accra"), row(3, "City 3", "Barcelona")],
    other=Edit({}, frozenset(), ()),
    rows=[row(None, "City 3", "Accra"), row(1, "City 3", "Accra")],
    unreadable=frozenset(),
)
@given(
    bases,
    edits(st.integers(0, 5), NAMES),
    st.lists(
        st.builds(
            row,
            st.one_of(st.none(), st.integers(1, 8)),
            st.sampled_from([*(f"City {n}" for n in range(1, 5)), *NAMES]),
            st.sampled_from(DECISIONS),
        ),
        max_size=8,
    ),
    st.frozensets(st.integers(3, 10), max_size=2),
)
def test_every_uploaded_row_has_one_outcome_and_what_counts_is_never_said_twice(
    base: list[Row], other: Edit, rows: list[Row], unreadable: frozenset[int]
) -> None:
    """Numbers may be copied, unknown or missing, rows swapped, names repeated, cells unreadable."""
    current = _numbered(applied(base, merge(CITIES, base, base, uploaded(other.of(base)))))
    all_given = uploaded(rows)
    refused = [
        Refused("Cities", one.cell(), "", "", "cities", one) for one in all_given if one.number in unreadable
    ]
    given_rows = [one for one in all_given if one.number not in unreadable]
    done = merge(CITIES, base, current, given_rows, refused=refused)
    cells = [change.cell for change in (*done.new, *done.changed)]
    cells += [one.cell() for one in done.unchanged] + [one.cell for one in done.refused]
    cells += [one.cell for one in done.conflicts if one.uploaded is not None]
    assert sorted(cells) == sorted(one.cell() for one in given_rows)
    after = applied(current, done)
    keys = [key_of(CITIES, one) for one in after]
    assert len(set(keys)) == len(keys)
    unread = {one.row.row.get(ID) for one in refused if one.row} & {one[ID] for one in base}
    there = {one.get(ID) for one in after} | {conflict.id for conflict in done.conflicts}
    assert unread & {one[ID] for one in current} <= there, "a row that cannot be read stays as it is"


def _numbered(rows: Sequence[Row]) -> list[Row]:
    return [one if one.get(ID) else {ID: f"Y-{90 + place:04d}", **one} for place, one in enumerate(rows)]


BASE = [row(1, "Acra", "Accra"), row(2, "Barna", "Barcelona"), row(3, "Lima", "not a member")]


def test_the_same_row_changed_in_two_places_is_shown_with_its_base_and_neither_wins() -> None:
    current = [{**BASE[0], "decision": "Barcelona"}, *BASE[1:]]
    mine = [{**BASE[0], "decision": "not a member"}, *BASE[1:]]
    (conflict,) = merge(CITIES, BASE, current, uploaded(mine)).conflicts
    assert (conflict.base, conflict.current, conflict.cell) == (BASE[0], current[0], "B3")
    assert conflict.uploaded is not None and conflict.uploaded["decision"] == "not a member"


def test_the_same_change_in_two_places_is_no_conflict() -> None:
    current = [{**BASE[0], "decision": "Barcelona"}, *BASE[1:]]
    done = merge(CITIES, BASE, current, uploaded(current))
    assert len(done.unchanged) == 3 and not done.conflicts


def test_a_row_removed_here_and_changed_there_is_a_conflict() -> None:
    current = [{**BASE[0], "decision": "Barcelona"}, *BASE[1:]]
    (conflict,) = merge(CITIES, BASE, current, uploaded(BASE[1:])).conflicts
    assert conflict.uploaded is None and conflict.current == current[0]


def test_a_copied_row_is_new_where_the_other_one_is_as_it_was() -> None:
    copy = {**BASE[0], "answer": "Akkra"}
    done = merge(CITIES, BASE, BASE, uploaded([BASE[0], copy, *BASE[1:]]))
    (new,) = done.new
    assert new.after is not None and (new.after["answer"], new.id, new.cell) == ("Akkra", None, "B4")
    assert len(done.unchanged) == 3


def test_two_rows_with_one_number_that_both_differ_are_both_refused_and_the_row_stays() -> None:
    copies = [{**BASE[0], "answer": "Akkra"}, {**BASE[0], "answer": "Accra GH"}]
    done = merge(CITIES, BASE, BASE, uploaded([*copies, *BASE[1:]]))
    assert [one.cell for one in done.refused] == ["B3", "B4"]
    assert "the rows B3 and B4 have the same number Y-0001" in done.refused[0].why
    assert applied(BASE, done) == BASE


def test_rows_whose_numbers_were_deleted_are_found_by_what_they_say() -> None:
    rows = [{**one, ID: None} for one in BASE]
    rows[1]["decision"] = "not a member"
    done = merge(CITIES, BASE, BASE, uploaded(rows))
    assert [change.id for change in done.changed] == ["Y-0002"]
    assert len(done.unchanged) == 2 and not (done.new or done.removed)


def test_a_column_that_is_missing_keeps_its_values() -> None:
    base = [{**one, "country": "XX"} for one in BASE]
    rows = [{key: value for key, value in one.items() if key != "country"} for one in base]
    rows[0]["decision"] = "Barcelona"
    done = merge(CITIES, base, base, uploaded(rows), columns=frozenset({"answer", "decision"}))
    (change,) = done.changed
    assert change.after == {**base[0], "decision": "Barcelona"} and change.columns == ["decision"]


def test_rows_that_were_removed_wait_while_refused_rows_cannot_be_told_from_them() -> None:
    unread = Given({ID: None, "answer": None}, 9, {"answer": "B"})
    refused = [Refused("Cities", "B9", "#REF!", "an error", "cities", unread)]
    done = merge(CITIES, BASE, BASE, uploaded(BASE[1:]), refused=refused, title="Cities")
    assert not done.removed
    assert done.warnings == [
        "Cities: 1 rows are not in the sheet. As rows without a number were refused, they stay until those are mended."
    ]


def test_losing_more_than_half_of_a_long_sheet_needs_an_explicit_yes() -> None:
    long = [row(number, f"City {number}", "Accra") for number in range(1, 13)]
    assert not merge(CITIES, long, long, uploaded(long[6:])).needs_yes
    assert merge(CITIES, long, long, uploaded(long[7:])).needs_yes
    assert not merge(CITIES, BASE, BASE, []).needs_yes, "a short sheet may be emptied"
