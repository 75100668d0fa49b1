"""Another network goes from its CRM to its report with not one line of code, SQL or template changed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.factcheck import Draft, check
from mel_pipeline.factcheck.passages import Passage
from mel_pipeline.factcheck.published_figures import read_published
from mel_pipeline.ingest.city_names import match_cities
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.raw_tables import ensure_empty, load_catalogue_tables
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.publication.calculations import note_calculation
from mel_pipeline.publication.release import release
from mel_pipeline.reporting.inputs.editions import read_edition, write_edition
from mel_pipeline.reporting.inputs.site_data import write_site
from mel_pipeline.sandbox.server import running_account
from mel_pipeline.sources import open_source
from mel_pipeline.sources.workbook.versions import current
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.engines import runner_for
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.second_network import FOLDER, QUARTER, TODAY, Lakes, drop_survey

USED = ("zoho_crm", "zoho_people", "survey_files")


@dataclass(frozen=True)
class Reported:
    """What the network got: its edition's files by name, pages of the site, and its warehouse."""

    settings: Settings
    warehouse: Warehouse
    files: dict[str, str]
    sites: dict[str, str]


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    home = tmp_path_factory.mktemp("lakes")
    with pytest.MonkeyPatch.context() as patch, running_account(Lakes().account) as zoho:
        patch.setenv("MEL_ORGANISATION", str(FOLDER))
        patch.delenv("MEL_LANGUAGES", raising=False)
        own = Settings(sample=False, home=home, today=TODAY, formats="html,pdf,xlsx,csv", _env_file=None)
        settings = with_sample_values(own, zoho.port)
        warehouse = Warehouse(settings.database_url)
        drop_survey(settings.survey_folder)
        _collect(warehouse, settings)
        _calculate(warehouse, settings)
        built = write_edition(read_edition(warehouse, settings, QUARTER), settings)
        assert built.refused == {}
        write_site(warehouse, settings)
        drafts = settings.drafts_dir
        edition = drafts / QUARTER
        files = {path.name: _text(path) for path in edition.rglob("*") if path.is_file()}
        sites = {
            str(path.relative_to(drafts)): _text(path)
            for path in drafts.rglob("*.html")
            if edition not in path.parents
        }
        yield Reported(settings, warehouse, files, sites)


def _collect(warehouse: Warehouse, settings: Settings) -> None:
    for source in source_names():
        contract = contract_of(source)
        for entity, details in contract.entities.items():
            if source not in USED:
                ensure_empty(contract, entity, warehouse)
                continue
            quarter = Quarter.parse(QUARTER) if details.load == "quarter" else None
            processing = row_processing_for(warehouse, settings, source, entity)
            load_entity(
                open_source(source, settings),
                contract,
                entity,
                warehouse,
                quarter=quarter,
                processing=processing,
            )
    assert warehouse.records("select source, entity, reason from quarantine") == []
    match_cities(warehouse, current(settings))


def _calculate(warehouse: Warehouse, settings: Settings) -> None:
    load_catalogue_tables(catalogue_of(settings), warehouse)
    variables, begun = sql_variables(settings, Quarter.parse(QUARTER)), utc_now()
    project = SqlProject.load(settings.sql_dir, variables)
    results = list(runner_for(warehouse, settings).run(project, variables=variables))
    assert [result.message for result in results if result.status != "ok"] == []
    note_calculation(warehouse, settings.sql_dir, QUARTER, project.variables, begun)
    release(warehouse, settings)


def _text(path: Path) -> str:
    """What a reader sees or a program reads; pictures and fonts in a page left out."""
    if path.suffix == ".xlsx":
        sheets = load_workbook(path, read_only=True)
        rows = [row for sheet in sheets for row in sheet.iter_rows(values_only=True)]
        return "\n".join(" ".join(str(cell) for cell in row if cell is not None) for row in rows)
    if path.suffix not in (".html", ".csv", ".json", ".svg", ".md"):
        return ""
    return re.sub(r"data:[\w/+-]+;base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))


def facts_of_the_example() -> list[str]:
    """Names and sentences of the shipped example that the other network does not share."""
    own = yaml_file(EXAMPLE / "organisation.yml")
    texts = [item["name"] for item in yaml_file(EXAMPLE / "regions.yml")["regions"]]
    texts += [item["name"] for item in yaml_file(EXAMPLE / "lines_of_action.yml")["lines_of_action"]]
    texts += [item["name"] for item in yaml_file(EXAMPLE / "campaigns.yml")["campaigns"]]
    texts += [text for words in yaml_file(EXAMPLE / "indicators.yml").values() for text in words.values()]
    texts += [
        {key: text for key, text in row.items() if key.startswith("reason_")}
        for row in yaml_file(EXAMPLE / "workbook.yml")["targets"]
    ]
    written = [
        word for text in texts for word in (text.values() if isinstance(text, dict) else [text]) if word
    ]
    return [
        own["name"],
        own["fund_pipeline"],
        own["currency"],
        "€",
        "Barcelona",
        "AVANTIA",
        "GZASS",
        *written,
    ]


def found_in(text: str, words: list[str]) -> list[str]:
    return [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)]


@pytest.mark.slow  # a whole quarter from the CRM to the report: about 16 s of processor time for all tests here
@pytest.mark.long
def test_nothing_of_the_example_is_in_the_report_of_another_network(lakes: Reported) -> None:
    known = facts_of_the_example()
    assert len(known) > 80
    written = {**lakes.files, **lakes.sites}
    wrong = {name: found for name, text in written.items() if (found := found_in(text, known))}
    assert wrong == {}


@pytest.mark.slow
def test_the_report_has_the_names_of_the_network_in_each_of_its_languages(lakes: Reported) -> None:
    pages = {name: text for name, text in lakes.files.items() if name.endswith(".html")}
    assert len(pages) == 2
    english, french = (
        next(text for text in pages.values() if f'lang="{code}"' in text) for code in ("en", "fr")
    )
    for page in (english, french):
        assert "Lake Towns Alliance" in page and "CC" in page and "KES" in page
    for word in ("Clean water", "Learning between towns", "A voice for the shores", "Northern Shore", "Islands",
                 "Learning circles held", "Learning circles", "Counted at the assembly of Kisumu."):  # fmt: skip
        assert word in english, word
    for word in ("Eau propre", "Une voix pour les rives", "Rive nord", "Hauts plateaux", "Le pot des rives",
                 "Comptés à l&#39;assemblée de Kisumu."):  # fmt: skip
        assert word in french, word


@pytest.mark.slow
def test_page_and_pdf_carry_the_logo_with_its_words_and_the_plan(lakes: Reported) -> None:
    for code, words, plan in (
        ("en", "Logo of Lake Towns Alliance", "Shores First, 2025–2028"),
        ("fr", "Logo de Lake Towns Alliance", "Les rives d&#39;abord, 2025–2028"),
    ):
        page = next(text for name, text in lakes.files.items() if name == f"report-{code}.html")
        assert f'alt="{words}"' in page and plan in page
        [pdf] = lakes.settings.drafts_dir.rglob(f"report-{code}.pdf")
        text = "".join(one.extract_text() for one in PdfReader(pdf).pages[:1])
        assert plan.replace("&#39;", "'") in text.replace("’", "'")
        assert words in alternatives(pdf)


def alternatives(pdf: Path) -> list[str]:
    """Texts that stand for pictures, anywhere in the file."""
    reader = PdfReader(pdf)
    objects = (reader.get_object(number) for number in range(1, len(reader.xref[0]) + 1))
    return [str(one["/Alt"]) for one in objects if isinstance(one, dict) and "/Alt" in one]


@pytest.mark.slow
def test_the_figures_are_those_of_the_network(lakes: Reported) -> None:
    rows = lakes.warehouse.records(
        "select indicator_id, disaggregation, value from released_figures where period = :period",
        {"period": QUARTER},
    )
    values = {(row["indicator_id"], row["disaggregation"]): row["value"] for row in rows}
    assert values["MEM-01", "total"] == 40
    assert values["MEM-01", "region=Islands"] == 10
    assert values["MEM-02", "total"] == 3
    assert values["LAB-01", "total"] == 2
    assert values["FND-01", "total"] == 1_200_000 + 5_000 / 0.00625
    table = next(text for name, text in lakes.files.items() if name.endswith(".csv") and "figures" in name)
    units = {row["unit"] for row in csv.DictReader(io.StringIO(table)) if row["indicator_id"] == "FND-01"}
    assert units == {"KES"}


@pytest.mark.slow
def test_a_draft_of_the_network_is_checked_with_its_own_words(
    lakes: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_ORGANISATION", str(FOLDER))
    text = "The Lake Towns Alliance has 40 member towns: 10 in the Isles and 9 in the Uplands."
    report = check(
        Draft([Passage(text, "paragraph 1")]), read_published(lakes.warehouse, lakes.settings), "en", QUARTER
    )
    verdicts = [(line.number, line.verdict) for line in report.lines]
    assert verdicts == [("40", "agrees"), ("10", "agrees"), ("9", "disagrees")]
