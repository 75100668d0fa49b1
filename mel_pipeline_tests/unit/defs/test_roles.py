"""Every operation, permission, address and job of this version is given to a role on purpose."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.workspace.permissions import EDITOR_PERMISSIONS
from dagster_graphql.schema import create_schema
from dagster_webserver.webserver import DagsterWebserver

from mel_pipeline.core.logins import Role
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.defs import build
from mel_pipeline.defs.context import NEEDS_ROLE
from mel_pipeline.defs.serving import roles
from mel_pipeline.defs.serving.roles import may, refusal_of_path

LISTS = yaml_file(Path(roles.__file__).with_suffix(".yml"))
SCHEMA = create_schema().graphql_schema
KNOWN_PATHS = {
    "/server_info", "/dagit_info", "/graphql", "/logs/{path:path}", "/notebook", "/dagit/notebook",
    "/download_debug/{run_id:str}", "/report_asset_materialization/{asset_key:path}", "/report_asset_check/{asset_key:path}",
    "/report_asset_observation/{asset_key:path}", "/{path:path}", "/",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("query", set(SCHEMA.query_type.fields)),
        ("mutation", set(SCHEMA.mutation_type.fields)),
        ("subscription", set(SCHEMA.subscription_type.fields)),
        ("permissions", {str(name) for name in EDITOR_PERMISSIONS}),
    ],
)
def test_each_of_dagster_s_operations_is_decided_once(kind: str, offered: set[str]) -> None:
    listed = [name for lists in LISTS.values() for name in lists[kind]]
    assert len(listed) == len(set(listed))
    assert set(listed) == offered, "decide in roles.yml who may use what is new"


def test_a_reader_may_change_nothing_and_what_is_new_is_the_lead_s() -> None:
    assert not [name for name in SCHEMA.mutation_type.fields if may(Role.READER, "mutation", name)]
    assert not may(Role.OPERATOR, "mutation", "becomeLead") and may(Role.LEAD, "mutation", "becomeLead")


def test_each_address_of_dagster_is_known_here() -> None:
    server = SimpleNamespace(
        **{
            name: lambda *_: None
            for name in dir(DagsterWebserver)
            if name.endswith("_endpoint") or name.startswith("download")
        },
        build_static_routes=list,
        _app_path_prefix="",
    )
    found = {route.path for route in DagsterWebserver.build_routes(server)}  # type: ignore[arg-type]
    assert found == KNOWN_PATHS, "decide in roles.py who may open what is new"


@pytest.mark.slow
def test_the_jobs_that_publish_or_accept_take_a_lead_and_the_others_an_operator() -> None:
    jobs = [job for job in build().resolve_all_job_defs() if not job.name.startswith("__")]
    kept = {job.name for job in jobs if job.tags.get(NEEDS_ROLE) != Role.OPERATOR}
    assert kept == {"publish_quarter", "recall_quarter", "accept_workbook"}
    assert isinstance(jobs[0], dg.JobDefinition)


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", "/reports/2024-Q4/report-en.html", Role.READER),
        ("GET", "/runs", Role.READER),
        ("POST", "/graphql", Role.READER),
        ("GET", "/drafts/x.html", Role.OPERATOR),
        ("GET", "/DRAFTS/x.html", Role.OPERATOR),
        ("POST", "/workbook/preview", Role.OPERATOR),
        ("POST", "/workbook/accept", Role.LEAD),
        ("POST", "/workbook/list", Role.OPERATOR),
        ("POST", "/workbook/list/event", Role.OPERATOR),
        ("GET", "/workbook/comments", Role.LEAD),
        ("GET", "/Workbook/Comments", Role.LEAD),
        ("POST", "/report_asset_check/x", Role.LEAD),
    ],
)
def test_an_address_takes_its_role(method: str, path: str, least: Role) -> None:
    for role in Role:
        words = refusal_of_path(role, method, path)
        assert bool(words) is not role.includes(least), words
        assert not words or (str(role) in words and "lead" in words)
    assert "nobody" in refusal_of_path(Role.LEAD, "POST", "/runs")
