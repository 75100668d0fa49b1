"""What a mutation of Dagster's would start, and where its tags stand. Names of arguments are Dagster's.

An operator may start jobs that say so by a tag (``NEEDS_ROLE``), and assets of the four stages. What cannot be found is
the lead's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dagster import AssetKey
from dagster._core.definitions.selector import JobSelector, RepositorySelector
from dagster._core.remote_representation.code_location import is_implicit_asset_job_name
from dagster_graphql.implementation.utils import pipeline_selector_from_graphql
from dagster_graphql.schema.runs import parse_run_config_input

from mel_pipeline.core.logins import Role
from mel_pipeline.defs.context import NEEDS_ROLE, STAGES
from mel_pipeline.defs.serving.gate import Asked, Launch

if TYPE_CHECKING:
    from dagster._core.execution.backfill import PartitionBackfill
    from dagster._core.workspace.context import BaseWorkspaceRequestContext as Context

UNKNOWN = Launch("what cannot be found", for_operators=False)
CONFIGURABLE = {"ops"}  # parts of a run's configuration; the others choose programs and folders


def launches(context: Context, asked: Asked) -> Iterator[Launch]:
    """What a field of the root would start."""
    if asked.kind != "mutation":
        return
    given = asked.arguments
    for params in _execution_params(given):
        yield from _of_params(context, params)
    if params := given.get("backfillParams"):
        yield from _of_backfill_params(context, params)
    if again := given.get("reexecutionParams"):
        found = again["parentRunId"]
        is_backfill = asked.name == "reexecutePartitionBackfill"
        yield from _of_backfill(context, found) if is_backfill else _of_run(context, found)
    if asked.name == "resumePartitionBackfill":
        yield from _of_backfill(context, given["backfillId"])


def tag_lists(name: str, given: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the tags of what a mutation launches stand: the object, and its key. Missing parts are made."""
    for params in _execution_params(given):
        params["executionMetadata"] = params.get("executionMetadata") or {}
        yield params["executionMetadata"], "tags"
    if params := given.get("backfillParams"):
        yield params, "tags"
    if (again := given.get("reexecutionParams")) and name != "reexecutePartitionBackfill":
        yield again, "extraTags"


def _execution_params(given: Mapping[str, Any]) -> list[Any]:
    return [
        params
        for params in (given.get("executionParams"), *(given.get("executionParamsList") or ()))
        if params
    ]


def _of_params(context: Context, params: Mapping[str, Any]) -> Iterator[Launch]:
    selector = pipeline_selector_from_graphql(params["selector"])
    job = JobSelector(selector.location_name, selector.repository_name, selector.job_name)
    assets = [
        *(selector.asset_selection or ()),
        *(key.asset_key for key in selector.asset_check_selection or ()),
    ]
    yield _of_job(context, job, assets)
    yield from _of_config(params.get("runConfigData"))


def _of_backfill_params(context: Context, params: Mapping[str, Any]) -> Iterator[Launch]:
    by_asset = [item["assetKey"] for item in params.get("partitionsByAssets") or () if item]
    assets = [AssetKey.from_graphql_input(key) for key in (*(params.get("assetSelection") or ()), *by_asset)]
    if selector := params.get("selector"):
        place = selector["repositorySelector"]
        repository = RepositorySelector(
            location_name=place["repositoryLocationName"], repository_name=place["repositoryName"]
        )
        yield _of_partition_set(context, repository, selector["partitionSetName"], assets)
    else:
        yield _of_assets(context, assets)
    yield from _of_config(params.get("runConfigData"))


def _of_config(given: Any) -> Iterator[Launch]:
    config = parse_run_config_input(given or {}, raise_on_error=False)
    if not isinstance(config, Mapping) or config.keys() - CONFIGURABLE:
        yield Launch("a run whose configuration is more than that of its steps", for_operators=False)


def _of_run(context: Context, run_id: str) -> Iterator[Launch]:
    run = context.instance.get_run_by_id(run_id)
    if run is None or run.remote_job_origin is None:
        yield UNKNOWN
        return
    place = run.remote_job_origin.repository_origin
    job = JobSelector(place.code_location_origin.location_name, place.repository_name, run.job_name)
    checks = (key.asset_key for key in run.asset_check_selection or ())
    # With the configuration of that run, which was looked at when it was launched.
    yield _of_job(context, job, [*(run.asset_selection or ()), *checks])


def _of_backfill(context: Context, backfill_id: str) -> Iterator[Launch]:
    backfill: PartitionBackfill | None = context.instance.get_backfill(backfill_id)
    if backfill is None:
        yield UNKNOWN
    elif backfill.partition_set_origin is not None:
        origin = backfill.partition_set_origin.selector
        repository = RepositorySelector(
            location_name=origin.location_name, repository_name=origin.repository_name
        )
        yield _of_partition_set(
            context, repository, origin.partition_set_name, list(backfill.asset_selection or ())
        )
    else:
        yield _of_assets(context, list(backfill.asset_selection or ()))


def _of_partition_set(
    context: Context, repository: RepositorySelector, name: str, assets: list[AssetKey]
) -> Launch:
    jobs = {found.job_name for found in context.get_partition_sets(repository) if found.name == name}
    if len(jobs) != 1:
        return UNKNOWN
    return _of_job(
        context, JobSelector(repository.location_name, repository.repository_name, jobs.pop()), assets
    )


def _of_job(context: Context, job: JobSelector, assets: list[AssetKey]) -> Launch:
    if is_implicit_asset_job_name(job.job_name):
        return _of_assets(context, assets)
    return Launch(job.job_name, is_for_operators(context, job))


def _of_assets(context: Context, assets: list[AssetKey]) -> Launch:
    graph = context.asset_graph
    others = [key for key in assets if not graph.has(key) or graph.get(key).group_name not in STAGES]
    if others or not assets:
        return Launch(others[0].to_user_string() if others else "all assets at once", for_operators=False)
    return Launch(f"{len(assets)} assets", for_operators=True)


def is_for_operators(context: Context, job: JobSelector) -> bool:
    """Whether the job says so itself; a tag of a run plays no part."""
    return context.has_job(job) and context.get_full_job(job).tags.get(NEEDS_ROLE) == Role.OPERATOR
