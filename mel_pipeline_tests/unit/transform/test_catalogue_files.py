"""The catalogue: strict reading, errors that name file and field, frames of text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mel_pipeline.core.errors import CatalogueError, ContractError
from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.transform.catalogue import Catalogue, catalogue_frames, load_catalogue
from mel_pipeline.transform.catalogue.reference import reference_sheets

FOLDER = PROJECT / "dbt_like_sql"
ONE = "ind_mem_01.yml"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(FOLDER)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER / "models" / "marts" / "indicators", tmp_path / "indicators")
    return tmp_path / "indicators"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the shipped example of an organisation's folder."""
    return shutil.copytree(EXAMPLE, tmp_path / "own")


def change(folder: Path, old: str, new: str) -> None:
    path = folder / ONE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_indicators_come_in_report_order_with_the_main_ones_on_top(catalogue: Catalogue) -> None:
    positions = [indicator.position for indicator in catalogue.indicators]
    assert positions == sorted(positions)
    headline = [indicator.id for indicator in catalogue.indicators if indicator.headline]
    assert headline == ["MEM-01", "MEM-02", "SAT-02", "GEN-01", "RCH-01"]  # the first page has five
    assert {"LAB-02", "FND-01"} <= {indicator.id for indicator in catalogue.indicators if indicator.is_drawn}


def test_every_text_of_an_indicator_differs_from_language_to_language(catalogue: Catalogue) -> None:
    for indicator in catalogue.indicators:
        for text in (indicator.name, indicator.definition, indicator.limitations, indicator.rationale):
            assert len(set(text.by_language.values())) == len(text.by_language) >= 3, indicator.id


def test_the_reference_page_in_the_docs_is_up_to_date_with_the_catalogue() -> None:
    page = (PROJECT / "docs" / "indicators.md").read_text("utf-8")
    assert page == reference_sheets(load_catalogue(FOLDER)), "run `make docs`"


def test_a_model_name_finds_its_indicator(catalogue: Catalogue) -> None:
    found = catalogue.by_model("ind_mem_01")
    assert found is not None
    assert found.id == "MEM-01"
    assert catalogue.by_model("dim_member") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("unit: members", "unit: cities", "unit"),
        ("aggregation: stock", "aggregation: closing", "aggregation"),
        ("decimals: 0", "decimals: 0\n          colour: red", "colour"),
        ("direction: increase", "direction: in_band", "band and direction"),
        ('fr: "Villes membres"', 'fr: " "', r"name\.fr"),
        ("id: MEM-01", "id: MEM-09", "MEM-09 is calculated by ind_mem_09"),
        ("meta:", "mata:", "meta"),
    ],
)
def test_a_wrong_entry_is_reported_with_file_and_field(copy: Path, old: str, new: str, said: str) -> None:
    change(copy, old, new)
    with pytest.raises(CatalogueError, match=rf"ind_mem_01.*{said}"):
        load_catalogue(copy)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "lines_of_action.yml",
            "[MEM-01,",
            "[MEM-11,",
            r"line 1: there is no indicator MEM-11\. Did you mean MEM-01",
        ),
        ("lines_of_action.yml", "number: 2", "number: 1", "number 1 is already used"),
        ("lines_of_action.yml", "      en: Peer exchange", "      ab1: Peer exchange", "not a language"),
        ("workbook.yml", "indicator: FND-01", "indicator: FND-1", "there is no indicator FND-1"),
        ("workbook.yml", 'value: "2800000"', 'value: "a lot"', r"targets\.0\.value"),
        ("workbook.yml", 'value: "2800000"', 'valeu: "2800000"', "there is no column 'valeu'"),
        ("regions.yml", "regions:", "areas:", "'regions' has to be a list"),
        ("campaigns.yml", 'hashtag: "#', 'hashtag: "', "hashtag"),
    ],
)
def test_a_wrong_entry_of_the_organisation_is_reported_with_file_and_field(
    own: Path, file: str, old: str, new: str, said: str
) -> None:
    text = (own / file).read_text(encoding="utf-8")
    assert old in text
    (own / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises((CatalogueError, ContractError), match=rf"{Path(file).stem}.*{said}"):
        load_catalogue(FOLDER, own)


def test_an_indicator_that_the_organisation_does_not_name_has_no_line_baseline_or_target(own: Path) -> None:
    (own / "targets.yml").write_text("MEM-02: {}\n", encoding="utf-8")
    (own / "lines_of_action.yml").write_text(
        "lines_of_action: [{number: 1, name: {en: Only line}, indicators: [MEM-02]}]\n", encoding="utf-8"
    )
    rows = catalogue_frames(load_catalogue(FOLDER, own))["indicators"].set_index("indicator_id")
    assert rows.loc["MEM-02", "lines_of_action"] == "1"
    assert rows.loc["MEM-01", ["lines_of_action", "baseline_value", "baseline_period"]].isna().all()


def test_an_organisation_words_its_indicators_and_sentences_itself_in_its_languages(own: Path) -> None:
    (own / "indicators.yml").write_text(
        "FND-01: {name: {en: Shore Fund, fr: Fonds des rives}}\n", encoding="utf-8"
    )
    (own / "targets.yml").write_text(
        "MEM-01:\n  baseline: {value: 3, period: '2024', quality: {en: Counted once., fr: Compté une fois.}}\n"
        "  targets: [{period: '2026', value: 9, origin: Plan.}]\n",
        encoding="utf-8",
    )
    (own / "campaigns.yml").write_text("campaigns: []\n", encoding="utf-8")
    frames = catalogue_frames(load_catalogue(FOLDER, own))
    rows = frames["indicators"].set_index("indicator_id")
    assert rows.loc["FND-01", "name_en"] == "Shore Fund"
    assert rows.loc["FND-01", "definition_en"].startswith("Contributions to the fund")
    assert rows.loc["MEM-01", "baseline_note"] == "Counted once."
    texts = frames["translations"].set_index(["subject", "code", "field", "language"])["text"]
    assert texts["indicator", "FND-01", "name", "fr"] == "Fonds des rives"
    assert texts["sentence", "Counted once.", "text", "fr"] == "Compté une fois."
    assert frames["targets"]["origin"].tolist() == ["Plan."] and frames["campaigns"].empty


AIM = "  targets: [{{period: '2026', value: 9, origin: Plan., {steps}}}]\n"


def test_a_target_carries_its_milestones_and_revisions_with_their_reasons(own: Path) -> None:
    steps = (
        "milestones: [{date: 2025-06-30, value: 5, reason: Mid-term review.}],"
        " revisions: [{date: 2025-Q1, value: 8, reason: {en: Budget cut., fr: Budget réduit.}}]"
    )
    (own / "targets.yml").write_text("MEM-01:\n" + AIM.format(steps=steps), encoding="utf-8")
    catalogue = load_catalogue(FOLDER, own)
    frames = catalogue_frames(catalogue)
    assert frames["targets"].drop(columns=["indicator_id", "dimension", "category"]).to_numpy().tolist() == [
        ["2026", "target", "2026", "9", "Plan."],
        ["2026", "milestone", "2025-06-30", "5", "Mid-term review."],
        ["2026", "revision", "2025-03-31", "8", "Budget cut."],
    ]
    assert "Budget réduit." in frames["translations"]["text"].tolist()
    assert "revised on 2025-03-31 to 8 (Budget cut.)" in reference_sheets(catalogue)


@pytest.mark.parametrize(
    ("indicator", "steps", "said"),
    [
        ("GEN-01", "milestones: []", "judged by its band"),
        ("SAT-05", "milestones: []", "no good direction"),
        (
            "MEM-01",
            "milestones: [{date: 2026-12-31, value: 5, reason: Plan.}]",
            "not before its target of 2026",
        ),
        ("MEM-01", "revisions: [{date: soon, value: 5, reason: Plan.}]", r"laid out as expected"),
    ],
)
def test_a_target_that_no_report_could_judge_is_refused(
    own: Path, indicator: str, steps: str, said: str
) -> None:
    (own / "targets.yml").write_text(f"{indicator}:\n" + AIM.format(steps=steps), encoding="utf-8")
    with pytest.raises(CatalogueError, match=rf"(workbook|targets\.yml).*{said}"):
        load_catalogue(FOLDER, own)


def test_words_for_an_indicator_that_does_not_exist_are_refused(own: Path) -> None:
    (own / "indicators.yml").write_text("FND-09: {name: {en: Shore Fund}}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"indicators\.yml: there is no indicator FND-09"):
        load_catalogue(FOLDER, own)


def test_amounts_are_in_the_currency_of_the_organisation(own: Path) -> None:
    text = (own / "organisation.yml").read_text(encoding="utf-8").replace("currency: EUR", "currency: KES")
    (own / "organisation.yml").write_text(text, encoding="utf-8")
    rows = catalogue_frames(load_catalogue(FOLDER, own))["indicators"].set_index("indicator_id")
    assert (rows.loc["FND-01", "unit"], rows.loc["MEM-01", "unit"]) == ("KES", "members")


def test_two_indicators_cannot_have_the_same_position_in_the_report(copy: Path) -> None:
    text = (copy / ONE).read_text(encoding="utf-8")
    other = text.replace("ind_mem_01", "ind_mem_09").replace("id: MEM-01", "id: MEM-09")
    (copy / "ind_mem_09.yml").write_text(other, encoding="utf-8")
    with pytest.raises(CatalogueError, match="position 10 is already used"):
        load_catalogue(copy)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no ind_"):
        load_catalogue(tmp_path)


def test_frames_hold_text_or_nothing(catalogue: Catalogue) -> None:
    frames = catalogue_frames(catalogue)
    assert tuple(frames) == Catalogue.table_names
    for name, frame in frames.items():
        assert len(frame), name
        cells = frame.to_numpy().ravel()
        assert all(cell != cell or (isinstance(cell, str) and cell != "") for cell in cells), name


def test_only_the_fund_has_a_stated_target(catalogue: Catalogue) -> None:
    targets = catalogue_frames(catalogue)["targets"]
    assert targets[["indicator_id", "period", "value"]].to_numpy().tolist() == [["FND-01", "2026", "2800000"]]


def test_labels_are_written_as_the_sql_compares_them(catalogue: Catalogue) -> None:
    for item in catalogue.scale_labels:
        assert item.label == item.label.strip().lower()
        if item.scale == "satisfaction":
            assert (item.score is None) == (item.kind == "non_answer")
        else:
            assert item.code is not None


def test_satisfied_and_dissatisfied_are_distinguished_in_every_language(catalogue: Catalogue) -> None:
    scores = {item.label: item.score for item in catalogue.scale_labels if item.scale == "satisfaction"}
    assert (scores["satisfied"], scores["dissatisfied"]) == (4, 2)
    assert (scores["satisfait(e)"], scores["insatisfait(e)"]) == (4, 2)
    assert (scores["muy satisfecho/a"], scores["muy insatisfecho/a"]) == (5, 1)


def test_without_a_list_of_programmes_no_definition_speaks_of_them(own: Path) -> None:
    (own / "programmes.yml").unlink()
    sheets = reference_sheets(load_catalogue(FOLDER, own))
    assert not [line for line in sheets.splitlines() if "rogramme" in line and "Programmes" not in line]
    with_them = load_catalogue(FOLDER)
    told = [item.id for item in with_them.indicators if "programme" in item.disaggregations]
    assert {"EVT-01", "RCH-04", "GEN-02", "SAT-02", "LAB-02"} <= set(told)
    assert all("programme" in item.limitations.en for item in with_them.indicators if item.id in told)


def test_the_names_of_programmes_are_translated(catalogue: Catalogue) -> None:
    rows = catalogue_frames(catalogue)["translations"]
    training = rows[(rows["subject"] == "sentence") & (rows["code"] == "Training")]
    assert dict(zip(training["language"], training["text"], strict=True)) == {
        "fr": "Formation",
        "es": "Formación",
        "ca": "Formació",
    }


def test_every_indicator_says_how_it_fits_in_and_stands_under_one_line(catalogue: Catalogue) -> None:
    sheets = reference_sheets(catalogue).split("\n## ")[1:]
    for indicator, sheet in zip(catalogue.indicators, sheets, strict=True):
        assert sheet.startswith(indicator.id)
        assert indicator.level != "unstated", indicator.id
        for row in (
            "Level",
            "Rationale",
            "Method of collection",
            "Last data-quality assessment",
            "Line of action",
        ):
            assert f"| {row} |" in sheet, (indicator.id, row)
        stands = [line.number for line in catalogue.lines_of_action if indicator.id in line.indicators]
        assert len(stands) == 1, indicator.id
        assert catalogue.lines_of(indicator.id)[0] == stands[0]
    assert catalogue.lines_of("FND-01") == [2, 1, 5]
    assert "| Line of action | 2; referred to from 1, 5 |" in reference_sheets(catalogue)
