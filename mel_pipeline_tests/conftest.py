"""What tests share: a running sample organisation, settings that point at it, and a calculated year."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from mel_pipeline.contracts import contract_of, source_names
from mel_pipeline.landing import LoadResult, land, land_catalogue, utc_now
from mel_pipeline.periods import Quarter, quarters_of_year
from mel_pipeline.sandbox.server import Sandbox, running
from mel_pipeline.settings import Settings, with_sample_values
from mel_pipeline.warehouse import Warehouse

TODAY = date(2026, 11, 20)
# The page in English unless a test is about other languages or formats, which take seconds each.
os.environ.setdefault("MEL_LANGUAGES", "en")
os.environ.setdefault("MEL_FORMATS", "html")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The sample organisation as of a fixed day."""
    with running(today=TODAY, survey_dir=tmp_path_factory.mktemp("exports")) as box:
        yield box


@pytest.fixture(autouse=True)
def strangers(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test asks of the shared Zoho account is not counted against the next one."""
    yield
    if "sandbox" in request.fixturenames:
        box: Sandbox = request.getfixturevalue("sandbox")
        box.zoho.forgive()


@dataclass(frozen=True)
class Organisation:
    """Settings and warehouse of one test, fed by the sandbox."""

    settings: Settings
    warehouse: Warehouse

    def load(self, source: str, entity: str, quarter: str = "2024-Q4") -> LoadResult:
        from mel_pipeline.sources import open_source

        return land(
            open_source(source, self.settings),
            contract_of(source),
            entity,
            self.warehouse,
            quarter=Quarter.parse(quarter),
        )


def organisation_in(home: Path, sandbox: Sandbox) -> Organisation:
    settings = with_sample_values(
        Settings(home=home, today=TODAY, reports_dir=home / "published"), sandbox.port
    )
    from mel_pipeline.sandbox.survey_exports import write_survey_exports

    write_survey_exports(settings.survey_folder, sandbox.organisation)
    return Organisation(settings, Warehouse(settings.database_url, 10))


@pytest.fixture
def organisation(tmp_path: Path, sandbox: Sandbox) -> Organisation:
    """An empty warehouse of its own."""
    return organisation_in(tmp_path, sandbox)


@pytest.fixture(scope="session")
def year_2024(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Organisation:
    """Everything collected and calculated for the four quarters of 2024, without Dagster."""
    from mel_pipeline.catalogue import load_catalogue
    from mel_pipeline.publication.calculations import note_calculation
    from mel_pipeline.publication.release import release
    from mel_pipeline.sql_project import Runner, SqlProject
    from mel_pipeline.variables import sql_variables

    made = organisation_in(tmp_path_factory.mktemp("year"), sandbox)
    for source in source_names():
        for entity, details in contract_of(source).entities.items():
            for quarter in (
                quarters_of_year(2024) if details.load == "quarter" else quarters_of_year(2024)[:1]
            ):
                made.load(source, entity, str(quarter))
    land_catalogue(load_catalogue(made.settings.sql_dir), made.warehouse)
    for quarter in quarters_of_year(2024):
        variables = sql_variables(made.settings, quarter)
        project = SqlProject.load(made.settings.sql_dir, variables)
        results = list(Runner(made.warehouse).run(project, variables=variables))
        assert [result.message for result in results if result.status != "ok"] == []
        note_calculation(made.warehouse, made.settings.sql_dir, str(quarter), project.variables, utc_now())
    release(made.warehouse, made.settings)
    return made
