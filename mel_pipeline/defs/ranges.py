"""Runs about several quarters: a backfill from the UI, or the year that reports compare with."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from mel_pipeline.core.disk_trouble import disk_trouble
from mel_pipeline.core.periods import Quarter, quarters
from mel_pipeline.core.settings import Settings

TO = "..."  # between the first and the last partition of a range, as in Dagster's command line
PARTITION = "dagster/partition"
TOGETHER = dg.BackfillPolicy.single_run()  # a backfill of several quarters is one run
KEPT = "The other quarters of this run are kept; start the failed ones again."
Made = (
    dg.MaterializeResult[None] | dg.AssetMaterialization
)  # the latter for quarters of a run in which others failed
Result = TypeVar("Result")


def quarters_of(context: dg.AssetExecutionContext, settings: Settings) -> list[Quarter]:
    """The quarters a run is about, in order: its partitions, or the open quarter when it has none."""
    if context.has_partition_key:
        return [Quarter.parse(context.partition_key)]
    if not context.has_partition_key_range:
        return [settings.open_quarter]
    span = context.partition_key_range
    return list(quarters(Quarter.parse(span.start), Quarter.parse(span.end)))


def tags_of(partition: str) -> dict[str, str]:
    """Tags of a run about ``2023-Q1...2023-Q4``; none for a single partition, which is an argument of its own."""
    first, is_range, last = partition.partition(TO)
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last} if is_range else {}


def periods_of(run: dg.DagsterRun) -> list[str]:
    """The partitions of a run, in order: one, or the quarters of its range; empty when it has none."""
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG)
    if first is None:
        return [run.tags[PARTITION]] if PARTITION in run.tags else []
    last = run.tags[ASSET_PARTITION_RANGE_END_TAG]
    return [str(quarter) for quarter in quarters(Quarter.parse(first), Quarter.parse(last))]


def named(partitions: Sequence[str]) -> str:
    """``2023-Q1 to 2023-Q4``, or the only one."""
    return " to ".join(dict.fromkeys([*partitions[:1], *partitions[-1:]]))


def for_each(
    wanted: Sequence[Quarter],
    work: Callable[[Quarter], Result],
    record: Callable[[Quarter, Result], Iterable[dg.AssetMaterialization]],
    ends: tuple[type[Exception], ...] = (),
) -> Generator[dg.AssetMaterialization, None, dict[Quarter, Result]]:
    """Do the work of every quarter. When one of several fails, the others are still done and recorded.

    Args:
        record: the materializations of a quarter that was done.
        ends: errors that concern all quarters, raised as they are.

    Raises:
        dagster.Failure: quarters failed; the message names them. The error of a single quarter is raised as it is.
    """
    done: dict[Quarter, Result] = {}
    failed: dict[Quarter, Exception] = {}
    for quarter in wanted:
        try:
            done[quarter] = work(quarter)
        except Exception as error:
            if len(wanted) == 1 or isinstance(error, ends):
                raise
            failed[quarter] = error
    if not failed:
        return done
    for quarter, result in done.items():
        yield from record(quarter, result)
    words = [f"{quarter}: {_words(error)}" for quarter, error in failed.items()]
    raise dg.Failure(description=" ".join([*words, KEPT]), allow_retries=False) from next(
        iter(failed.values())
    )


@contextmanager
def naming(quarter: Quarter, wanted: Sequence[Quarter]) -> Iterator[None]:
    """Errors inside the block name the quarter, if there are several."""
    try:
        yield
    except Exception as error:
        if len(wanted) == 1:
            raise
        raise dg.Failure(description=f"{quarter}: {_words(error)}", allow_retries=False) from error


def together(checks: Mapping[Quarter, dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """One result of a check for all quarters; the sentences of several name their quarter."""
    first, *others = checks.values()
    if not others:
        return first
    broken = {quarter: check for quarter, check in checks.items() if not check.passed}
    shown = broken or checks
    is_error = any(check.severity == dg.AssetCheckSeverity.ERROR for check in shown.values())
    numbers: dict[str, Any] = {
        f"{quarter}: {name}": value
        for quarter, check in shown.items()
        for name, value in check.metadata.items()
    }
    return dg.AssetCheckResult(
        check_name=first.check_name,
        asset_key=first.asset_key,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description="\n\n".join(
            _of_quarter(quarter, check.description or "") for quarter, check in shown.items()
        ),
        metadata=numbers,
    )


def made(
    context: dg.AssetExecutionContext,
    each: Mapping[Quarter, Mapping[str, Any]],
    checks: Sequence[dg.AssetCheckResult] = (),
    key: str | None = None,
) -> dg.MaterializeResult[None]:
    """The materialization of an asset, each partition with its own metadata."""
    only = next(iter(each.values())) if len(each) == 1 else {}
    if not only:
        for quarter, metadata in each.items():
            context.add_asset_metadata(metadata, asset_key=key, partition_key=str(quarter))
    return dg.MaterializeResult(asset_key=key, metadata=only, check_results=list(checks))


def _of_quarter(quarter: Quarter, sentence: str) -> str:
    return sentence if sentence.startswith(str(quarter)) else f"{quarter}: {sentence}"


def _words(error: Exception) -> str:
    if isinstance(error, dg.Failure) and error.description:
        return error.description
    return disk_trouble(error) or f"{type(error).__name__}: {error}"
