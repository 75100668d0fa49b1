"""A new organisation has only some sources, and some of them are down: it still gets a report every night."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.defs import build
from mel_pipeline.defs.context import Mel
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline.sandbox.survey_exports import write_survey_exports
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import TODAY
from mel_pipeline_tests.depth import IS_DEEP, examples

pytestmark = pytest.mark.exhaustive  # each example runs two nights of Dagster, some seconds each

QUARTER = "2024-Q4"
ZOHO = {"zoho_crm": "API", "zoho_people": "PEOPLE", "zoho_campaigns": "CAMPAIGNS"}
PATHS = {"zoho_crm": r"^/crm", "zoho_people": r"^/people", "zoho_campaigns": r"campaigns"}
FILES = "survey_files"
SOURCES = sorted(source_names())


def variables(used: frozenset[str], home: Path, port: int) -> dict[str, str]:
    """The environment of an organisation that uses some sources."""
    host = f"http://127.0.0.1:{port}"
    found = {
        "MEL_SAMPLE": "false",
        "MEL_HOME": str(home),
        "MEL_REPORTS_DIR": str(home / "published"),
        "MEL_TODAY": str(TODAY),
        "MEL_ZOHO_ACCOUNTS_URL": host,
        "MEL_ZOHO_CLIENT_ID": "sample-client",
        "MEL_ZOHO_CLIENT_SECRET": "sample-client-secret",
        "MEL_ZOHO_REFRESH_TOKEN": "sample-refresh-token",
    }
    for source in used & ZOHO.keys():
        path = "/campaigns" if source == "zoho_campaigns" else ""
        found[f"MEL_ZOHO_{ZOHO[source]}_URL"] = host + path
    for source in used - ZOHO.keys():
        for name, setting in contract_of(source).settings.items():
            if setting.sample:
                found[f"MEL_{source}_{name}".upper()] = setting.sample.replace("{sandbox}", host)
    return found


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MEL_")]:
            if name not in ("MEL_LANGUAGES", "MEL_FORMATS", "MEL_PROCESSES"):
                patch.delenv(name)
        for name, value in values.items():
            patch.setenv(name, value)
        yield


@contextmanager
def outage(sandbox: Sandbox, down: frozenset[str]) -> Iterator[None]:
    """These sources refuse every call."""
    for source in down & sandbox.platforms.keys():
        sandbox.platforms[source].fail("expired_token")
    for source in down & ZOHO.keys():
        sandbox.zoho.faults.add(PATHS[source], times=None, status=403)
    try:
        yield
    finally:
        sandbox.zoho.faults.clear()
        for platform in sandbox.platforms.values():
            platform.fail(None)


def night() -> tuple[bool, list[str]]:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build().resolve_job_def("nightly")
        done = job.execute_in_process(instance=instance, partition_key=QUARTER, raise_on_error=False)
        failed = [event.step_key or "" for event in done.all_events if event.is_step_failure]
        return done.success, failed


def figures(home: Path) -> dict[str, object]:
    rows = Warehouse(f"duckdb:///{home / 'warehouse.duckdb'}").records(
        "select indicator_id, value from released_figures where period = :quarter and dimension = 'total'",
        {"quarter": QUARTER},
    )
    return {row["indicator_id"]: row["value"] for row in rows}


subset = st.frozensets(st.sampled_from(SOURCES))


ONE = {
    "used": frozenset({"zoho_crm", "zoho_people", "matomo", FILES}),
    "first": frozenset({"zoho_crm", FILES}),
    "later": frozenset({"zoho_people", "matomo"}),
}


@pytest.mark.deep
@pytest.mark.fault(31)
@settings(
    max_examples=examples(1, 1),
    phases=[Phase.explicit, Phase.generate] if IS_DEEP else [Phase.explicit],  # a night takes ten seconds
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(**ONE)
@given(used=subset, first=subset, later=subset)
def test_any_subset_of_sources_with_any_of_them_down_gives_a_report_in_the_first_and_in_a_later_night(
    used: frozenset[str], first: frozenset[str], later: frozenset[str], sandbox: Sandbox, drawn_once: None
) -> None:
    home = Path(tempfile.mkdtemp(prefix="mel-first-nights-"))
    try:
        seen: dict[str, object] = {}
        for down in (used & first, used & later):
            exports = home / "survey_exports"
            shutil.rmtree(exports, ignore_errors=True)  # an unmounted folder: nothing can be read
            if FILES in used - down:
                write_survey_exports(exports, sandbox.organisation)
            sandbox.zoho.reset_limits()
            with environment(variables(used, home, sandbox.port)), outage(sandbox, down):
                success, failed = night()
            assert success, failed
            assert (home / "drafts" / QUARTER / "report-en.html").is_file()
            now = figures(home)
            members = now["MEM-01"]
            assert members in (
                (164, seen.get("MEM-01")) if "zoho_crm" in used - down else (seen.get("MEM-01"),)
            )
            lost = {name for name, value in seen.items() if value is not None and now[name] is None}
            assert not lost, "an outage takes away no figure that was there"
            seen = now
    finally:
        shutil.rmtree(home)


@pytest.mark.fault(31)
@pytest.mark.parametrize("place", ["survey_exports/codebooks/ours.yml", "survey_exports/profiles/ours.yml"])
def test_a_file_of_settings_that_somebody_wrote_wrongly_is_an_outage_of_its_source(
    tmp_path: Path, sandbox: Sandbox, place: str
) -> None:
    write_survey_exports(tmp_path / "survey_exports", sandbox.organisation)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("[" * 3_000)
    table = dg.AssetKey("raw_survey_files__responses")
    with environment(variables(frozenset({FILES}), tmp_path, sandbox.port)):
        (asset,) = (made for made in build().assets or [] if table in made.keys)  # type: ignore[union-attr]
        with dg.DagsterInstance.ephemeral() as instance:
            done = dg.materialize([asset], resources={"mel": Mel()}, instance=instance, raise_on_error=False)
    assert done.success, "the night goes on with what was loaded before"
    broken = {
        check.check_name: check.description
        for check in done.get_asset_check_evaluations()
        if not check.passed
    }
    assert "ours.yml" in str(broken["rows_are_readable"])
