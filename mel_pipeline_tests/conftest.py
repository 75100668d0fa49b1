"""Shared fixtures: a running sample organisation, settings that point at it, and a calculated year."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import NotSetUpError
from mel_pipeline.core.periods import Quarter, quarters_of_year
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.ingest.raw_tables import ensure_empty, load_catalogue_tables
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.reporting import cache
from mel_pipeline.sandbox.server import Sandbox, running
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.forking import Forking, forking
from mel_pipeline_tests.fixtures.postgres import Server, postgres_server
from mel_pipeline_tests.fixtures.postgres import prepare as prepare_postgres
from mel_pipeline_tests.fixtures.shared import made_once
from mel_pipeline_tests.fixtures.spark import spark_cluster  # noqa: F401 - one for all files
from mel_pipeline_tests.fixtures.sweeps import sweeping

TODAY = date(2026, 11, 20)
# A minute or so for the first test of each process: `make test-long` runs what uses them.
LONG_FIXTURES = {"year_2024", "after_a_night", "lakes"}
Mel = Callable[..., CompletedProcess[str]]  # arguments of the command, settings by name
_exports: dict[int, tuple[Sandbox, Path]] = {}  # by identity of the sandbox, which is kept with them
# English pages and one process by default: further languages and processes take seconds each.
os.environ["OPENPYXL_LXML"] = "False"  # workbooks that tests write are the same bytes with and without lxml
os.environ.setdefault("MEL_ENV_FILE", os.devnull)  # ignore the developer's own .env
os.environ.setdefault("MEL_LANGUAGES", "en")
os.environ.setdefault("MEL_FORMATS", "html")
os.environ.setdefault("MEL_PROCESSES", "1")
# Modules hold a million objects that never become garbage: scanning them repeatedly took an eighth of the suite's
# processor time.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The sample organisation as of a fixed day."""
    with running(today=TODAY, survey_dir=tmp_path_factory.mktemp("exports")) as box:
        yield box


@pytest.fixture(scope="session")
def postgres_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What initdb makes, once per test run."""
    return made_once(tmp_path_factory, "postgres", prepare_postgres)


@pytest.fixture(scope="session")
def postgres(postgres_data: Path) -> Iterator[Server]:
    """A real server for the life of this test process."""
    with postgres_server(postgres_data) as server:
        yield server


@pytest.fixture(scope="session")
def forked() -> Iterator[Forking]:
    """Starts programs that a test may kill, without importing everything each time."""
    with forking() as process:
        yield process


@pytest.fixture(scope="session")
def mel(forked: Forking) -> Mel:
    """The command line in a process of its own."""

    def run(*arguments: str, **settings: str) -> CompletedProcess[str]:
        environment = {**os.environ, **settings, "COLUMNS": "120", "NO_COLOR": "1"}
        return forked.run(
            "from mel_pipeline.cli.main import main; main()", *arguments, environment=environment
        )

    return run


@pytest.fixture(scope="session")
def drawn_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture
def drawn_once(drawn_pictures: Path) -> Iterator[None]:
    """For tests of pages: reuse pictures that other tests have drawn. Tests of pictures draw their own."""
    with cache.using(drawn_pictures):
        yield


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """An empty database for one test."""
    with postgres.lent() as url:
        yield url


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty warehouse: the test runs once on each engine."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'warehouse.duckdb'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spark is an engine that few networks need and takes a quarter of an hour: left to `make test-deep`.

    Spark cluster tests first, so that only one worker starts it, and of these last the ones that kill workers.

    Then slow tests, then fast ones to even out the load.
    """

    for item in items:
        if "spark_cluster" in getattr(item, "fixturenames", ()):
            item.add_marker("exhaustive")
        if LONG_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("long")
    for item in sweeping(items):
        item.add_marker("long")

    def turn(item: pytest.Item) -> int:
        if "spark_cluster" in getattr(item, "fixturenames", ()):
            return 1 if item.path.name == "test_spark_faults.py" else 0
        return 2 if item.get_closest_marker("long") else 3 if item.get_closest_marker("slow") else 4

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.fixture(autouse=True)
def strangers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Requests to the shared Zoho account do not count against the next test."""
    yield
    if "sandbox" in request.fixturenames:
        box: Sandbox = request.getfixturevalue("sandbox")
        box.zoho.reset_limits()


@dataclass(frozen=True)
class Organisation:
    """Settings and warehouse of one test, fed by the sandbox."""

    settings: Settings
    warehouse: Warehouse

    def load(self, source: str, entity: str, quarter: str = "2024-Q4") -> LoadResult:
        from mel_pipeline.sources import open_source

        return load_entity(
            open_source(source, self.settings),
            contract_of(source),
            entity,
            self.warehouse,
            quarter=Quarter.parse(quarter),
            processing=row_processing_for(self.warehouse, self.settings, source, entity),
        )


def organisation_in(home: Path, sandbox: Sandbox) -> Organisation:
    settings = with_sample_values(
        Settings(home=home, today=TODAY, reports_dir=home / "published"), sandbox.port
    )
    exports = _survey_exports(sandbox)
    if not settings.survey_folder.exists():
        shutil.copytree(exports / "surveys", settings.survey_folder)
        shutil.copytree(exports / "lists", settings.attendance_folder)
    return Organisation(settings, Warehouse(settings.database_url, 10))


def _survey_exports(sandbox: Sandbox) -> Path:
    """The files that every organisation of this sandbox drops, written once: they take a seventh of a second."""
    from mel_pipeline.sandbox.attendance_lists import write_attendance_lists
    from mel_pipeline.sandbox.survey_exports import write_survey_exports

    if known := _exports.get(id(sandbox)):
        return known[1]
    folder = Path(tempfile.mkdtemp(prefix="mel-exports-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_survey_exports(folder / "surveys", sandbox.organisation)
    write_attendance_lists(folder / "lists", sandbox.organisation)
    _exports[id(sandbox)] = sandbox, folder
    return folder


@pytest.fixture
def organisation(tmp_path: Path, sandbox: Sandbox) -> Organisation:
    """An organisation with an empty warehouse."""
    return organisation_in(tmp_path, sandbox)


@pytest.fixture(scope="session")
def year_2024(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Organisation:
    """Everything collected and calculated for the four quarters of 2024, without Dagster; made by one worker."""

    def make(home: Path) -> None:
        made = organisation_in(home, sandbox)
        collect_and_calculate(made)
        made.warehouse.fold()

    home = tmp_path_factory.mktemp("year")
    shutil.copytree(made_once(tmp_path_factory, "year-2024", make), home, dirs_exist_ok=True)
    return organisation_in(home, sandbox)


def collect_and_calculate(made: Organisation) -> None:
    """The four quarters of 2024 in the organisation's warehouse."""
    from mel_pipeline.publication.calculations import note_calculation
    from mel_pipeline.publication.release import release
    from mel_pipeline.transform import SqlProject
    from mel_pipeline.transform.catalogue import catalogue_of
    from mel_pipeline.transform.engines import runner_for
    from mel_pipeline.transform.variables import sql_variables

    for source in source_names():
        for entity, details in contract_of(source).entities.items():
            for quarter in (
                quarters_of_year(2024) if details.load == "quarter" else quarters_of_year(2024)[:1]
            ):
                try:
                    made.load(source, entity, str(quarter))
                except NotSetUpError:  # a source the sample does not use
                    ensure_empty(contract_of(source), entity, made.warehouse)
    load_catalogue_tables(catalogue_of(made.settings), made.warehouse)
    for quarter in quarters_of_year(2024):
        variables = sql_variables(made.settings, quarter)
        project = SqlProject.load(made.settings.sql_dir, variables)
        results = list(runner_for(made.warehouse, made.settings).run(project, variables=variables))
        assert [result.message for result in results if result.status != "ok"] == []
        note_calculation(made.warehouse, made.settings.sql_dir, str(quarter), project.variables, utc_now())
    release(made.warehouse, made.settings)
