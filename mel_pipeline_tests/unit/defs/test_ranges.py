"""Runs about several quarters: each keeps its own metadata, and one that fails stops no other."""

from collections.abc import Iterator

import dagster as dg
import pytest

from mel_pipeline.core.errors import NotSetUpError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.failure_messages import failure_message
from mel_pipeline.defs.ranges import (
    TOGETHER,
    Made,
    for_each,
    made,
    named,
    naming,
    periods_of,
    quarters_of,
    tags_of,
    together,
)

KEYS = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
PARTS = dg.StaticPartitionsDefinition(KEYS)


class Wanted(dg.Config):
    fails: list[str] = []  # noqa: RUF012 - Dagster's own copy
    unused: bool = False
    anyhow: str = ""  # fails outside of ``for_each``
    warns: list[str] = []  # noqa: RUF012


@dg.multi_asset(
    specs=[dg.AssetSpec("loaded")],
    check_specs=[dg.AssetCheckSpec("readable", asset="loaded")],
    partitions_def=PARTS,
    backfill_policy=TOGETHER,
)
def loaded(context: dg.AssetExecutionContext, config: Wanted) -> Iterator[Made]:
    def work(quarter: Quarter) -> dict[str, str]:
        if str(quarter) in config.fails:
            raise dg.Failure(description=f"page {quarter.number} is broken.", allow_retries=False)
        if config.unused:
            raise NotSetUpError("The source is not used.")
        return {"rows": f"rows of {quarter}"}

    wanted = quarters_of(context, Settings(_env_file=None))
    with naming(wanted[-1], wanted):
        if config.anyhow:
            raise ValueError(config.anyhow)
    done = yield from for_each(
        wanted,
        work,
        lambda quarter, found: [dg.AssetMaterialization("loaded", metadata=found, partition=str(quarter))],
        ends=(NotSetUpError,),
    )
    checks = {
        quarter: dg.AssetCheckResult(
            check_name="readable",
            passed=str(quarter) not in config.warns,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{found['rows']}.",
        )
        for quarter, found in done.items()
    }
    yield made(context, done, [together(checks)])


@dg.asset(deps=["loaded"])
def whole(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Has no partitions."""
    return dg.MaterializeResult(metadata={"last": str(quarters_of(context, Settings(_env_file=None))[-1])})


def run(partition: str, **config: object) -> dg.ExecuteInProcessResult:
    span = tags_of(partition)
    definitions = dg.Definitions(assets=[loaded, whole], jobs=[dg.define_asset_job("all", "*")])
    with dg.DagsterInstance.ephemeral() as instance:
        return definitions.resolve_job_def("all").execute_in_process(
            instance=instance,
            partition_key=None if span else partition,
            tags=span,
            raise_on_error=False,
            run_config={"ops": {"loaded": {"config": config}}},
        )


def rows(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    events = result.get_asset_materialization_events()
    found = [event.step_materialization_data.materialization for event in events]
    return {str(one.partition): str(one.metadata["rows"].value) for one in found if "rows" in one.metadata}


def failure(result: dg.ExecuteInProcessResult) -> str:
    [event] = [item for item in result.all_events if item.is_step_failure]
    return failure_message(event) or ""


@pytest.mark.slow
def test_each_quarter_of_a_range_has_its_own_metadata_and_the_check_speaks_for_all() -> None:
    result = run("2024-Q2...2024-Q4")
    assert result.success
    assert rows(result) == {key: f"rows of {key}" for key in KEYS[1:]}
    [check] = result.get_asset_check_evaluations()
    assert check.passed and (check.description or "").split("\n\n")[0] == "2024-Q2: rows of 2024-Q2."
    last = result.asset_materializations_for_node("whole")[0]
    assert last.metadata["last"].value == "2024-Q4"
    assert periods_of(result.dagster_run) == KEYS[1:] and named(KEYS[1:]) == "2024-Q2 to 2024-Q4"


@pytest.mark.slow
def test_a_single_quarter_says_what_it_said_without_ranges() -> None:
    for partition in ("2024-Q3", "2024-Q3...2024-Q3"):  # the UI starts a backfill of one quarter as a range
        result = run(partition, warns=["2024-Q3"])
        assert rows(result) == {"2024-Q3": "rows of 2024-Q3"}
        [check] = result.get_asset_check_evaluations()
        assert not check.passed and check.description == "rows of 2024-Q3."
        assert periods_of(result.dagster_run) == ["2024-Q3"] and named(["2024-Q3"]) == "2024-Q3"
    assert failure(run("2024-Q3", fails=["2024-Q3"])) == "page 3 is broken."


@pytest.mark.slow
def test_a_warning_of_a_range_names_the_quarters_it_is_about_and_no_others() -> None:
    [check] = run("2024-Q1...2024-Q4", warns=["2024-Q1", "2024-Q3"]).get_asset_check_evaluations()
    assert not check.passed
    assert check.description == "2024-Q1: rows of 2024-Q1.\n\n2024-Q3: rows of 2024-Q3."


@pytest.mark.slow
def test_a_quarter_that_fails_is_named_and_the_others_are_done_and_recorded() -> None:
    result = run("2024-Q1...2024-Q4", fails=["2024-Q2", "2024-Q4"])
    assert not result.success and rows(result).keys() == {"2024-Q1", "2024-Q3"}
    assert failure(result).startswith(
        "2024-Q2: page 2 is broken. 2024-Q4: page 4 is broken. The other quarters"
    )


@pytest.mark.slow
def test_an_error_nobody_foresaw_names_its_quarter_too() -> None:
    assert (
        failure(run("2024-Q1...2024-Q2", anyhow="a column is missing"))
        == "2024-Q2: ValueError: a column is missing"
    )
    assert "a column is missing" in failure(run("2024-Q2", anyhow="a column is missing"))


@pytest.mark.slow
def test_what_concerns_all_quarters_is_raised_once_as_it_is() -> None:
    assert failure(run("2024-Q1...2024-Q4", unused=True)).endswith("NotSetUpError: The source is not used.")


def test_a_range_is_told_by_its_two_ends_and_a_quarter_or_year_is_none() -> None:
    assert tags_of("2024") == {} == tags_of("2024-Q1")
    assert set(tags_of("2023-Q1...2023-Q4").values()) == {"2023-Q1", "2023-Q4"}
