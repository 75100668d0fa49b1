"""Versions of the workbook: kept, numbered, never overwritten; and the files of before, moved into it once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.corrections import corrections_of
from mel_pipeline.sources.shared.survey.books import books_in
from mel_pipeline.sources.shared.survey.codebook import BrokenCodebook, Codebook
from mel_pipeline.sources.workbook.client import open as open_workbook
from mel_pipeline.sources.workbook.importing import import_into
from mel_pipeline.sources.workbook.legacy_formats import book_rows
from mel_pipeline.sources.workbook.model import Given, Preview, Row, Upload, Version
from mel_pipeline.sources.workbook.preview import preview
from mel_pipeline.sources.workbook.version_files import folder_of
from mel_pipeline.sources.workbook.versions import accept, current, history, issue, version
from mel_pipeline.transform.catalogue.stated import stated_of
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.workbook_forms import settings_at


def moment() -> datetime:
    return datetime(2026, 3, 2, 9, 30)


def edited(base: Version, sheet: str, **changes: dict[str, str]) -> Upload:
    """The rows of a version with changes by number; ``new`` is another row."""
    rows: list[Row] = [
        {**row, **changes.get(str(row["id"]).replace("-", "_"), {})} for row in base.rows[sheet]
    ]
    if "new" in changes:
        rows.append({**dict.fromkeys(base.rows[sheet][0]), **changes["new"]})
    letters = {"answer": "B"}
    given_rows = [Given(row, number, letters) for number, row in enumerate(rows, start=3)]
    return Upload(base.id, {sheet: given_rows}, content=b"PK", digest="d" * 64)


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    return settings_at(tmp_path)


def test_an_accepted_preview_is_the_next_version_with_who_when_and_what(own: Settings) -> None:
    base = issue(own)
    upload = edited(
        base, "cities", Y_0001={"decision": "Barcelona"}, new={"answer": "Akkra", "decision": "Accra"}
    )
    done = accept(own, preview(own, upload), "MEL lead", "Board of March", moment)
    assert (done.number, done.base, done.role, done.note, done.accepted_at) == (
        1,
        base.id,
        "MEL lead",
        "Board of March",
        moment(),
    )
    assert done.counts == {"cities": {"changed": 1, "new": 1}}
    assert [(row["id"], row["decision"]) for row in done.rows["cities"]] == [
        ("Y-0001", "Barcelona"), ("Y-0002", "Barcelona"), ("Y-0003", "not a member"), ("Y-0004", "Accra"),
    ]  # fmt: skip
    assert current(own) == done and [one.number for one in history(own)] == [1, 0]
    assert version(own, base.id) == current(own) or version(own, base.id) is not None
    kept = folder_of(own) / "uploads" / f"{'d' * 64}.xlsx"
    assert kept.read_bytes() == b"PK"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder_of(own).rglob("*") if path.is_file()} == {
        0o600
    }


def test_a_number_is_never_used_again(own: Settings) -> None:
    base = issue(own)
    without = Upload(base.id, {"cities": edited(base, "cities").rows["cities"][:2]})
    second = accept(own, preview(own, without), "MEL lead")
    third = accept(
        own, preview(own, edited(second, "cities", new={"answer": "Akkra", "decision": "Accra"})), "MEL lead"
    )
    assert [row["id"] for row in third.rows["cities"]] == ["Y-0001", "Y-0002", "Y-0004"]


@pytest.mark.fault(119)
def test_two_people_who_accept_at_once_overwrite_nothing(own: Settings) -> None:
    base = issue(own)
    shown = [
        preview(own, edited(base, "cities", Y_0001={"decision": "Barcelona"})),
        preview(own, edited(base, "cities", Y_0002={"decision": "Accra"})),
    ]

    def attempt(one: Preview) -> str:
        try:
            return str(accept(own, one, "MEL lead").number)
        except ContractError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(attempt, shown))
    assert ends[0] == "1" and "version 1 was accepted since the preview" in ends[1]
    late = next(one for one in shown if one.changed[0].after not in current(own).rows["cities"])
    assert accept(own, preview(own, late.upload), "MEL lead").number == 2
    assert [row["decision"] for row in current(own).rows["cities"]] == ["Barcelona", "Accra", "not a member"]


def test_an_old_download_joins_and_a_change_of_the_same_row_is_a_conflict(own: Settings) -> None:
    base = issue(own)
    accept(own, preview(own, edited(base, "cities", Y_0001={"decision": "Barcelona"})), "MEL lead")
    late = edited(base, "cities", Y_0001={"decision": "not a member"}, Y_0002={"decision": "Accra"})
    found = preview(own, late)
    assert [one.id for one in found.changed] == ["Y-0002"]
    assert [(one.id, (one.current or {})["decision"]) for one in found.conflicts] == [("Y-0001", "Barcelona")]
    assert [row["decision"] for row in accept(own, found, "MEL lead").rows["cities"]] == [
        "Barcelona",
        "Accra",
        "not a member",
    ]


@pytest.mark.parametrize("base", [None, "0123456789ab"])
def test_a_workbook_without_a_known_version_is_refused_with_what_to_do(
    own: Settings, base: str | None
) -> None:
    with pytest.raises(ContractError, match="Download the current form, copy your rows into it"):
        preview(own, Upload(base, {}))


def test_losing_most_of_a_sheet_needs_a_yes_and_a_version_needs_a_role(own: Settings) -> None:
    base = issue(own)
    many = [
        Given({**row, "id": None, "answer": f"City {n}"}, n, {"answer": "B"})
        for n, row in enumerate([base.rows["cities"][0]] * 12, 3)
    ]
    full = accept(
        own,
        preview(own, Upload(base.id, {"cities": [*edited(base, "cities").rows["cities"], *many]})),
        "MEL lead",
    )
    found = preview(own, Upload(full.id, {"cities": []}))
    with pytest.raises(ContractError, match="would lose more than half of its rows"):
        accept(own, found, "MEL lead")
    with pytest.raises(ContractError, match="the role is empty"):
        accept(own, found, " ", remove=True)
    assert accept(own, found, "MEL lead", remove=True).rows["cities"] == ()


@pytest.mark.fault(119)
def test_a_damaged_version_is_named_and_the_start_is_not_taken_for_it(own: Settings) -> None:
    issue(own)
    path = folder_of(own) / "versions" / "000000.json"
    path.write_text("{")
    with pytest.raises(
        ContractError, match=r"000000\.json: it is not a version of the workbook.*from a backup"
    ):
        current(own)


def test_a_changed_target_keeps_what_it_said_and_when_it_was_revised(own: Settings) -> None:
    base = issue(own)
    change = {"value": "220", "reason_en": "Board of March."}
    done = accept(own, preview(own, edited(base, "targets", T_0002=change)), "MEL lead", clock=moment)
    (target,) = stated_of(done)["MEM-01"]["targets"]
    assert (target["value"], target["origin"]) == ("200", {"en": "Plan 2026."})
    assert target["revisions"] == [
        {"date": "2026-03-02", "value": "220", "reason": {"en": "Board of March."}}
    ]
    assert stated_of(current(own)) == stated_of(done)


def test_a_target_of_a_part_stands_apart_from_the_total(own: Settings) -> None:
    base = issue(own)
    part = {"indicator": "MEM-01", "dimension": "region", "category": "Africa", "reason_en": "Board."}
    target = part | {"kind": "target", "period": "2026", "value": "31"}
    accept(own, preview(own, edited(base, "targets", new=target)), "MEL lead", clock=moment)
    before, after = stated_of(base)["MEM-01"], stated_of(current(own))["MEM-01"]
    assert (after["targets"], after["baseline"]) == (before["targets"], before["baseline"])
    assert [(one["dimension"], one["category"], one["targets"][0]["value"]) for one in after["parts"]] == [
        ("region", "Africa", "31")
    ]


def test_what_was_refused_is_a_warning_of_the_load_until_a_later_upload(own: Settings) -> None:
    base = issue(own)
    upload = edited(base, "targets", T_0002={"value": None}, T_0003={"value": "46"})  # type: ignore[dict-item]
    accept(own, preview(own, upload), "MEL lead")
    assert [words for words in open_workbook(own).pull("targets").warnings() if "not accepted" in words] == [
        "Targets, not accepted: targets, B4: a target or milestone needs a value"
    ]
    assert open_workbook(own).pull("cities").warnings() == []
    after = current(own)
    accept(own, preview(own, edited(after, "targets", T_0003={"value": "47"})), "MEL lead")
    assert open_workbook(own).pull("targets").warnings() == []


def test_each_loaded_row_says_which_version_sheet_and_row_it_is(own: Settings) -> None:
    (batch,) = open_workbook(own).pull("targets").batches
    assert batch.frame["_source_ref"].tolist() == [f"workbook v0, Targets, T-000{n}" for n in (1, 2, 3)]
    assert open_workbook(own).pull("targets").complete()


CORRECTION = (
    '- {source: zoho_crm, entity: accounts, match: {id: "2"}, action: set, set: {region: null}, reason: Wrong.,'
    " provider: Membership, date: 2025-01-12}\n"
)


def write_files(own: Settings) -> None:
    home = own.home
    for path, text in (
        (home / "corrections.yml", CORRECTION),
        (
            home / "review" / "cities.csv",
            "answer;country;times;suggestion;likeness;decision\nMoscw;;3;;;Moscow\nX;;1;;;\n",
        ),
        (
            home / "narrative" / "2025-Q1.yml",
            "main_points: [{en: Hello}]\nlessons: [{en: Learnt, fr: Appris}]\n",
        ),
        (
            own.survey_folder / "codebooks" / "lab.yml",
            "surveys: [lab*]\nquestions: {city: [Where?]}\nscale: {Good: 5}\n",
        ),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.fault(117)
def test_the_files_of_before_are_the_start_and_are_not_read_once_the_workbook_is_in_use(
    own: Settings,
) -> None:
    write_files(own)
    assert [line.sentence for line in corrections_of(current(own))] == [
        "zoho_crm accounts where id 2: corrected (region). Wrong. (Membership, 2025-01-12)"
    ]
    done = import_into(own, lambda upload: preview(own, upload))
    assert (
        done.version.number == 0
        and "cities, codebooks/lab, corrections, narrative/2025-Q1" in done.sentences[1]
    )
    assert [row["decision"] for row in done.version.rows["cities"]][-1] == "Moscow"
    (own.home / "corrections.yml").write_text("[]\n")
    assert len(corrections_of(current(own))) == 1
    (told,) = open_workbook(own).pull("corrections").warnings()
    assert told.startswith("corrections.yml was changed after it was moved into the workbook")


def test_a_file_written_later_is_moved_as_the_next_version_and_nothing_else_goes(own: Settings) -> None:
    issue(own)
    write_files(own)
    done = import_into(own, lambda upload: preview(own, upload))
    assert done.version.number == 1 and done.version.role == "mel workbook import"
    assert [row["answer"] for row in done.version.rows["cities"]] == ["Acra", "Barna", "Nowhere", "Moscw"]
    book = own.survey_folder / "codebooks" / "lab.yml"
    book.write_text("surveys: [lab*]\nquestions: {country: [Where?]}\n")
    done = import_into(own, lambda upload: preview(own, upload))
    (lab,) = books_in(done.version.rows)
    assert lab.questions == {"country": ["Where?"]} and lab.scale == {}
    assert "nothing to move" in import_into(own, lambda upload: preview(own, upload)).sentences[0]


def test_a_broken_file_of_before_is_the_trouble_of_what_it_states_alone(own: Settings) -> None:
    write_files(own)
    (own.home / "corrections.yml").write_text("- [")
    with pytest.raises(ContractError, match=r"corrections\.yml, line 1: not valid YAML"):
        corrections_of(current(own))
    assert current(own).rows["main_points"][-1]["text_en"] == "Hello"
    with pytest.raises(ContractError, match="Nothing was kept"):
        issue(own)


WORDS = (
    st.text(st.characters(categories=["L", "Nd", "P"]), min_size=1, max_size=12)
    .map(str.strip)
    .filter(str.isalnum)
)
TEXTS = st.lists(WORDS, max_size=3, unique_by=str.casefold)


@pytest.mark.slow
@pytest.mark.deep
@settings(max_examples=examples(40, 1000), deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "surveys": TEXTS,
            "form": TEXTS,
            "personal": TEXTS.map(lambda all: [f"p {one}" for one in all]),
            "missing": TEXTS,
        },
        optional={
            "event_code": WORDS,
            "language": st.sampled_from(["fr", "es"]),
            "date_order": st.sampled_from(["day_first", "month_first"]),
            "zone": st.just("Africa/Nairobi"),
            "scale": st.dictionaries(
                WORDS.map(lambda one: f"label {one.casefold()}"),
                st.one_of(st.integers(1, 5), st.just("non_answer")),
                max_size=3,
            ),
            "languages": st.dictionaries(st.sampled_from(["fr", "es"]), TEXTS.filter(bool), max_size=2),
            "questions": st.dictionaries(
                st.sampled_from(["city", "gender"]), WORDS.map(lambda one: [one]), max_size=1
            ),
        },
    )
)
def test_a_codebook_means_the_same_in_the_workbook(written: dict[str, object]) -> None:
    rows: dict[str, list[Row]] = {"survey_questions": [], "answer_scales": []}
    for sheet, row in book_rows("lab", written):
        rows[sheet].append({"codebook": None, "code": None, "score": None, "non_answer": None, **row})
    (came_back,) = books_in(rows)
    expected = Codebook.model_validate(written)
    if not expected.surveys and not expected.form:
        expected = expected.model_copy(update={"surveys": ["*"]})  # for all surveys
    assert not isinstance(came_back, BrokenCodebook)
    assert came_back.model_dump() == expected.model_dump()


def test_a_codebook_that_contradicts_itself_holds_up_its_survey_alone() -> None:
    rows: dict[str, list[Row]] = {
        "survey_questions": [
            {"codebook": "lab", "role": "city", "question": "Where?", "code": None},
            {"codebook": "lab", "role": "gender", "question": "Where?", "code": None},
        ],
        "answer_scales": [],
    }
    (book,) = books_in(rows)
    assert isinstance(book, BrokenCodebook) and book.surveys == ["lab"]
    assert book.fault.startswith("Reading the codebook lab in the workbook: 'Where?' is listed under")
