"""The organisation's own folder: made from the example, read strictly, and nothing of Metropolis left in another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.cli.doctor import _organisation
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import ContractError, SettingsError
from mel_pipeline.core.organisation import EXAMPLE, facts, missing_files, missing_keys, start
from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.sources.zoho_crm.mapping import mapping_for


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new folder that the settings name."""
    place = start(tmp_path / "own").place
    monkeypatch.setenv("MEL_ORGANISATION", str(place))
    return place


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_folder_has_every_file_of_the_example_each_with_a_sentence(tmp_path: Path) -> None:
    made = start(tmp_path / "new" / "folder")
    assert sorted(made.files) == sorted(path.name for path in EXAMPLE.glob("*.yml"))
    assert all(len(about) > 20 for about in made.files.values())
    assert missing_files(made.place) == []
    assert not (made.place / "narrative").exists()


def test_a_folder_that_holds_something_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for place in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(SettingsError, match="there is something already"):
            start(place)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_settings_come_from_the_folder_and_the_environment_goes_before_it(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEL_LANGUAGES", raising=False)
    change(own / "organisation.yml", "name: Metropolis", "name: Ring of Ports")
    change(own / "organisation.yml", "languages: [en, fr, es]", "languages: [en, ca]")
    change(own / "organisation.yml", "currency: EUR", "currency: XOF")
    found = load_settings()
    assert (found.organisation_name, found.languages, found.currency) == ("Ring of Ports", "en,ca", "XOF")
    assert found.organisation == own
    monkeypatch.setenv("MEL_LANGUAGES", "fr")
    assert load_settings().languages == "fr"
    assert Settings(organisation=EXAMPLE, _env_file=None).organisation_name == "Metropolis"


def test_regions_of_the_crm_contract_are_those_of_the_folder(own: Path) -> None:
    (own / "regions.yml").write_text(
        "regions: [{name: {en: North}}, {name: {en: South}}]\n", encoding="utf-8"
    )
    assert contract_of("zoho_crm").entities["accounts"].columns["region"].allowed == ["North", "South"]


def test_pipelines_and_fewest_rows_of_the_crm_contract_are_those_of_the_folder(own: Path) -> None:
    facts_file = "name: Ports\ncurrency: XOF\nfund_pipeline: Ports' Fund\nother_pipelines: []\n"
    (own / "organisation.yml").write_text(facts_file, encoding="utf-8")
    contract = contract_of("zoho_crm")
    assert contract.entities["deals"].columns["pipeline"].allowed == ["Ports' Fund"]
    assert contract.entities["accounts"].min_rows == 1
    change(
        own / "organisation.yml",
        "other_pipelines: []",
        "fewest_rows: {raw_zoho_crm__accounts: 12, raw_matomo__metrics: 3}",
    )
    assert contract_of("zoho_crm").entities["accounts"].min_rows == 12
    change(own / "organisation.yml", "crm__accounts", "crm__account")
    with pytest.raises(
        ContractError, match=r"fewest_rows names raw_zoho_crm__account,.*raw_zoho_crm__accounts"
    ):
        contract_of("zoho_crm")


def test_what_the_file_leaves_out_is_listed_with_what_counts_instead(own: Path) -> None:
    (own / "organisation.yml").write_text("name: Ports\ncurrency: XOF\n", encoding="utf-8")
    found = missing_keys(own)
    assert found.keys().isdisjoint({"name", "currency"}) and found["fund_pipeline"] == "Fund"
    assert missing_keys(EXAMPLE) == {}


def test_doctor_says_what_a_new_version_adds_to_the_folder(own: Path) -> None:
    assert _organisation(load_settings()) == f"Metropolis, {own}"
    (own / "organisation.yml").write_text("name: Ports\ncurrency: XOF\n", encoding="utf-8")
    said = _organisation(load_settings())
    assert "organisation.yml does not have" in said and "fund_pipeline ('Fund' counts)" in said
    (own / "factcheck.yml").unlink()
    with pytest.raises(SettingsError, match=r"lacks factcheck\.yml.*Copy"):
        _organisation(load_settings())
    (own / "factcheck.yml").touch()
    change(own / "organisation.yml", "XOF", "XOF\nfewest_rows: {raw_crm__accounts: 3}")
    with pytest.raises(SettingsError, match=r"fewest_rows names raw_crm__accounts"):
        _organisation(load_settings())


def test_the_crm_mapping_is_that_of_the_folder_unless_a_setting_names_another(own: Path) -> None:
    change(own / "mapping.yml", "module: Accounts", "module: Towns")
    assert mapping_for(load_settings())["accounts"].module == "Towns"
    other = Settings(zoho_mapping=EXAMPLE / "mapping.yml", _env_file=None)
    assert mapping_for(other)["accounts"].module == "Accounts"
    (own / "mapping.yml").unlink()
    assert mapping_for(load_settings())["accounts"].module == "Accounts"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: ''\n", "name"),
        ("name: X\ncolour: red\n", "colour"),
        ("name: X\ncurrency: euro\n", "currency"),
        ("name: X\nlicence: MIT\n", "licence"),
        ("name: [\n", "organisation.yml"),
        ("", "name"),
        ("- name\n", "organisation.yml"),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_file_and_field(own: Path, content: str, said: str) -> None:
    (own / "organisation.yml").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"organisation\.yml.*{said}|{said}"):
        facts(own)


def test_a_setting_that_names_no_folder_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_ORGANISATION", "Metropolis")
    with pytest.raises(SettingsError, match="mel init"):
        load_settings()


@pytest.mark.fault(141)
def test_a_field_of_programmes_needs_a_list_of_them_and_without_both_there_are_none(own: Path) -> None:
    (own / "programmes.yml").unlink()
    assert missing_files(own) == []
    with pytest.raises(SettingsError, match=r"events: 'programme' has a field, .* lists no programmes"):
        mapping_for(load_settings())
    change(own / "mapping.yml", "    programme: Programme\n", "")
    assert "programme" not in mapping_for(load_settings())["events"].fields


@pytest.mark.fault(141)
def test_a_programme_is_one_of_the_organisation_s_list(own: Path) -> None:
    (own / "programmes.yml").write_text("programmes:\n  - name: {en: Rivers}\n", encoding="utf-8")
    assert contract_of("zoho_crm").entities["events"].columns["programme"].allowed == ["Rivers"]
